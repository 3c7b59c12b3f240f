"""The desks that a walk stands before: this machine's, one behind a line that breaks, a gateway.

local    ─▶ console         as support agent, account manager or lead
training ─▶ console         a rehearsal
offline  ─▶ line ─▶ console the line is cut, loses answers, and hours go by
gateway  ─▶ HTTP ─▶ console what cannot be taken back asks for a sign-in
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from helpdesk.domain.signing import AskSignIn, SignInPrompt
from helpdesk.gateway.line import Line
from helpdesk.gateway.remote import RemoteDesk
from helpdesk.products import load_cards
from helpdesk.service.desk import Desk
from helpdesk.service.offline import OfflineDesk
from helpdesk.service.rehearsal import Rehearsal
from helpdesk.staging import open_stage
from helpdesk.stores.replica import Replica
from tests.gateway.serving import Spoken, gateway
from tests.service.cut import CutLine
from tests.training.stage import bundled
from tests.tui.console import NOW, demo_desk

AGENTS: Final = ("dana", "aoife", "greta")
"""A support agent, an account manager and a lead, who walk in turn."""

KINDS: Final = ("local", "training", "local", "offline", "local", "gateway")
"""What they walk before, in turn."""

LEAPS: Final = (timedelta(minutes=2), timedelta(minutes=16), timedelta(hours=9))
"""By how much the time of a desk behind a line goes on at once: the last is too long to keep."""


class Asked(Spoken):
    """A sign-in of nine minutes ago, and its agent, who is asked for a code where that is late."""

    def __init__(self, who: str) -> None:
        super().__init__(f"{who}, 9 minutes")
        self._ask: AskSignIn | None = None

    async def __call__(self, *, max_age_s: int | None = None) -> str:
        """Give the word; where the sign-in is too old, ask the agent first."""
        if max_age_s is not None and self._ask is not None:
            await self._ask(SignInPrompt(says="Type the code you are sent.", wants_code=True))
        return await super().__call__(max_age_s=max_age_s)

    def prompt_with(self, ask: AskSignIn | None) -> None:
        """Ask so."""
        self._ask = ask


@dataclass
class Before:
    """A desk a walk stands before.

    Attributes:
        desk: What the console is on.
        witness: Where the log is read, whatever became of the line.
        file: What changes where the log does.
        play: The rehearsal, where it is one.
        line: The line, where it can be cut.
        leapt: By how much time went on.
    """

    desk: Desk
    witness: Desk
    file: Path
    play: Rehearsal | None = None
    line: CutLine | None = None
    leapt: timedelta = timedelta(0)
    is_real: bool = False

    def now(self) -> datetime:
        """Give the present there."""
        return (datetime.now(UTC) if self.is_real else NOW) + self.leapt

    def happen(self, dice: random.Random) -> str:
        """Let something happen to the line, or to the time; say what."""
        if self.line is None:
            return ""
        what = dice.choice(("cut", "cut", "loses", "swallows", "leaps"))
        if what == "cut":
            self.line.is_cut = not self.line.is_cut
        elif what == "loses":
            self.line.loses += 1
        elif what == "swallows":
            self.line.swallows += 1
        else:
            self.leapt += dice.choices(LEAPS, (8, 4, 1))[0]
        return f"(line {what})"


@contextmanager
def elsewhere(kind: str, place: Path) -> Iterator[str]:
    """Give the address of a gateway before which somebody walks; empty where it is none."""
    if kind != "gateway":
        yield ""
        return

    def now() -> datetime:
        return datetime.now(UTC)

    def open_as(who: str) -> Any:
        return demo_desk(place, who if who != "lee" else "dana", clock=now)

    with gateway(open_as, now) as (url, _):
        yield url


async def stood(kind: str, who: str, place: Path, url: str, stack: AsyncExitStack) -> Before:
    """Give a desk of the walk's own, which ends with the stack.

    Args:
        kind: One of `KINDS`.
        who: Whose desk.
        place: Where its files are.
        url: Where the gateway is.
    """
    if kind == "training":
        own = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=place)))
        stage = open_stage(bundled("every-morning"), load_cards(), own, lambda _: None)
        stack.push_async_callback(stage.aclose)
        return Before(stage.front, stage.front, own / "world.json", play=stage)
    file = place / "demo.json"
    if kind == "gateway":
        remote = RemoteDesk(Line(url, Asked(who)))
        stack.callback(remote.close)
        found = Before(remote, remote, file, is_real=True)
        found.desk = await _kept(remote, found, place, stack)
        found.witness = demo_desk(place, who, clock=found.now)
        return found
    found = Before(demo_desk(place, who), demo_desk(place, who), file)
    if kind == "local":
        found.witness = found.desk
        stack.push_async_callback(found.desk.aclose)  # type: ignore[attr-defined]
        return found
    behind = demo_desk(place, who, clock=found.now)
    stack.push_async_callback(behind.aclose)
    found.witness, found.line = behind, CutLine(behind)
    found.desk = await _kept(found.line, found, place, stack)
    return found


async def _kept(remote: Any, before: Before, place: Path, stack: AsyncExitStack) -> OfflineDesk:
    """Give a desk that keeps what one works with on this machine, in the time of *before*."""

    def elapsed() -> float:
        return before.now().timestamp()

    desk = OfflineDesk(remote, Replica(place / "replica"), before.now, elapsed=elapsed)
    await desk.open()
    stack.push_async_callback(desk.stop)
    return desk
