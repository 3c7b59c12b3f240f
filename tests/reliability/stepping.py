"""What lives for a while only, on a clock that is set in the middle of its life.

ahead? ─▶ made ─▶ the wall clock is set ─▶ time passes ─▶ used: too old, it must not count
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from helpdesk.domain.actions import ResetFactor, TurnOffMfa
from helpdesk.domain.errors import NeedsMore, NotFound, Refused, Unauthorised
from helpdesk.domain.proofs import Method
from helpdesk.gateway.tokens import Tokens, needs_step_up
from helpdesk.service.ages import Ages
from helpdesk.service.local import LocalDesk
from tests.conftest import NOW
from tests.desks import fixture_desk
from tests.gateway.issuing import ISSUER, IssuerSite, good_claims, make_key, signed
from tests.proving import agreed, needs, prove
from tests.sample import write_sample

HOUR: Final = 60.0
STEPS: Final = (
    (0, 0), (0, -HOUR), (0, HOUR), (HOUR, -HOUR), (-HOUR, HOUR),
    (0, -6 * HOUR), (0, 6 * HOUR), (6 * HOUR, -6 * HOUR), (-6 * HOUR, 6 * HOUR),
)  # fmt: skip
"""Minutes by which the clock is wrong when a thing is made, and by which it is set after that."""

HELD: Final = 10.0
"""Minutes that acts are held here."""


class TwoClocks:
    """A wall clock that anybody may set, and one that nobody can."""

    def __init__(self) -> None:
        self._wall, self._elapsed = NOW, 0.0

    def __call__(self) -> datetime:
        """Return the present by the wall clock."""
        return self._wall

    def elapsed(self) -> float:
        """Return seconds on the other."""
        return self._elapsed

    def go_on(self, minutes: float) -> None:
        """Let time pass."""
        self._elapsed += minutes * 60
        self.set_by(minutes)

    def set_by(self, minutes: float) -> None:
        """Set the wall clock."""
        self._wall += timedelta(minutes=minutes)


class World:
    """A desk of the sample, on two clocks; several agents work at it."""

    def __init__(self, place: Path) -> None:
        self.clock, self._place = TwoClocks(), place
        self._file = write_sample(place / "sample.json")
        tables = json.loads(self._file.read_text("utf-8"))
        tables["meta"]["1"]["is_real"] = True  # else it stands still while nobody looks at it
        self._file.write_text(json.dumps(tables), "utf-8")
        self.restart()

    def restart(self) -> None:
        """Begin anew, as a process that remembers nothing."""
        self._ages = Ages(self.clock.elapsed)

    def desk(self, who: str) -> LocalDesk:
        """Open the desk as somebody."""
        return fixture_desk(
            self._file,
            self.clock,
            self._place / "keys",
            who,
            hold=timedelta(minutes=HELD if self.is_holding else 0),
            ages=self._ages,
        )

    is_holding = False


class Life(NamedTuple):
    """A thing that lives for a while only.

    Attributes:
        minutes: For how long.
        made: Makes one in a world, and gives what says whether it counts still.
    """

    minutes: float
    made: Callable[[World], Iterator[bool]]


RESET: Final = ResetFactor(user="u2", factor="u2-f2", reason="new phone", ticket="4822")
OFF: Final = TurnOffMfa(user="u1", reason="asked", ticket="4821")


def _asking(world: World) -> Iterator[bool]:
    desk = world.desk("dana")
    asking = asyncio.run(desk.ask_proof("u2", Method.CODE, channel="u2-f1", ticket="4822"))
    code = asyncio.run(desk.phone("u2"))[-1].secret
    yield True
    try:
        asyncio.run(world.desk("dana").answer_proof("u2", code, asking=asking.id))
    except NotFound:
        yield False
    yield True


def _proof(world: World) -> Iterator[bool]:
    asyncio.run(prove(world.desk("dana"), "u2", Method.CODE, "4822", "u2-f1"))
    yield True
    try:
        asyncio.run(world.desk("dana").perform(RESET))
    except NeedsMore as error:
        yield not any(need.what == "proof" for need in error.decision.needs)
    yield True


def _request(world: World) -> Iterator[bool]:
    sam, lee = world.desk("sam"), world.desk("lee")
    asyncio.run(prove(sam, "u1", Method.CODE, "4821"))
    asyncio.run(needs(sam, OFF))
    request = asyncio.run(lee.approvals())[0].id
    yield True
    try:
        asyncio.run(world.desk("lee").approve(request, is_granted=True))
    except (Refused, NotFound):
        yield False
    yield True


def _approval(world: World) -> Iterator[bool]:
    sam, lee = world.desk("sam"), world.desk("lee")
    asyncio.run(prove(sam, "u1", Method.CODE, "4821"))
    asyncio.run(agreed(sam, OFF, lee))
    yield True
    try:
        asyncio.run(world.desk("sam").perform(OFF))
    except NeedsMore:
        yield False
    yield True


def _hold(world: World) -> Iterator[bool]:
    """Whether it waits still: past its time it is carried out, whoever set the clock."""
    world.is_holding = True
    desk = world.desk("dana")
    asyncio.run(prove(desk, "u2", Method.CODE, "4822", "u2-f1"))
    asyncio.run(desk.perform(RESET))
    yield True
    asyncio.run(world.desk("lee").carry_out_due())
    yield bool(asyncio.run(world.desk("lee").holds()))


_KEY: Final = make_key()


def _tokens(world: World) -> Tokens:
    clock = world.clock
    keys = IssuerSite(_KEY).provider()
    return Tokens(ISSUER, keys=keys, clock=lambda: clock().timestamp(), elapsed=clock.elapsed)


def _token(world: World) -> Iterator[bool]:
    tokens = _tokens(world)
    now = int(world.clock().timestamp())
    token = signed(good_claims(iat=now, auth_time=now - 60, exp=now + 290), _KEY)
    asyncio.run(tokens.agent(token))
    yield True
    try:
        asyncio.run(tokens.agent(token))
    except Unauthorised:
        yield False
    yield True


def _sign_in(world: World) -> Iterator[bool]:
    """Whether a sign-in counts as recent, told by a token that is new each time."""
    tokens = _tokens(world)
    signed_in = int(world.clock().timestamp())

    def is_recent() -> bool:
        now = int(world.clock().timestamp())
        token = signed(good_claims(iat=now, auth_time=signed_in, exp=now + 290), _KEY)
        return not needs_step_up(asyncio.run(tokens.agent(token)), world.clock())

    yield is_recent()
    with suppress(Unauthorised):
        yield is_recent()
    yield False


LIVES: Final = {
    "an asking": Life(10, _asking),
    "a proof": Life(10, _proof),
    "a request": Life(60, _request),
    "an approval": Life(15, _approval),
    "a hold": Life(HELD, _hold),
    "a token": Life(5, _token),
    "a recent sign-in": Life(5, _sign_in),
}


KEPT: Final = frozenset({"an asking", "a proof", "a request", "an approval"})
"""What outlives the process that made it."""


def tries(seed: int, *, is_quick: bool) -> Iterator[tuple[str, bool]]:
    """Give each try in words, and whether what was tried lived as long as it should."""
    dice = random.Random(seed)
    for name, life in LIVES.items():
        parts = (1.1,) if is_quick else (0.1, 0.5, 0.9, 1.1, 1.5, 3.0)
        yield _tried(name, life, 0, 0, life.minutes * 0.9)
        for before, after in (STEPS[1], STEPS[3]) if is_quick else STEPS:
            for age in (life.minutes * part for part in parts):
                yield _tried(name, life, before, after, age)
            if not is_quick or (after < 0 and before):  # when the wall clock says the same again
                yield _tried(name, life, before, after, abs(after) + life.minutes / 2)
            for _ in range(0 if is_quick else 3):
                age = dice.uniform(0, 3 * HOUR)
                is_anew = name in KEPT and dice.random() < 0.5
                yield _tried(name, life, before, after, age, is_anew=is_anew)


def _tried(
    name: str, life: Life, before: float, after: float, age: float, *, is_anew: bool = False
) -> tuple[str, bool]:
    words = f"{name}: made {before:+.0f} min ahead, set by {after:+.0f} min, used {age:.1f} min old"
    words += ", by a process begun anew" * is_anew
    with _world() as world:
        world.clock.set_by(before)
        told = life.made(world)
        next(told)
        world.clock.set_by(after)
        if is_anew:
            world.restart()
        asyncio.run(world.desk("lee").carry_out_due())  # as it is done every ten seconds
        world.clock.go_on(age)
        is_live = next(told)
    if age >= life.minutes + 0.5:  # where two clocks may differ by seconds
        return f"{words}: counts still", not is_live
    if (not before and not after) or name == "a hold":
        return f"{words}: does not count any more", is_live
    return words, True


@contextmanager
def _world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as place:
        yield World(Path(place))
