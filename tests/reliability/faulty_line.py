"""Writes over a line that breaks, and what became of each: run it with `python -m`.

Notes (which may wait) and routes (which may not) go through the console's own desk, its outbox and
the HTTP client to a real gateway. Each has words of its own, so that the gateway's log says how
often it was done; what the console told of it is held against that.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from helpdesk.connectors.circuit import Circuit
from helpdesk.domain.actions import AnyAction, Note, Route
from helpdesk.domain.errors import Stale, Unknown, Unreachable
from helpdesk.domain.offline import State
from helpdesk.domain.search import Query
from helpdesk.gateway.line import Line
from helpdesk.gateway.remote import RemoteDesk
from helpdesk.products import load_cards
from helpdesk.service.local import LocalDesk
from helpdesk.service.offline import OfflineDesk
from helpdesk.stores.replica import Replica
from tests.desks import fixture_desk
from tests.gateway.serving import Spoken, gateway
from tests.reliability.proxy import Fault, FaultyLine
from tests.sample import write_sample

AT_ONCE = 24
"""Workers; each has a user of its own, so that none changes the case of another."""

USERS = tuple(f"u{number}" for number in range(100, 100 + AT_ONCE))
SETTLED_S = 4.0
TOTAL_S = 1.5
"""Seconds one try may take here; an answer that drips takes longer."""

PATIENCE_S = 300.0

WAY = load_cards()["sms-2fa"].routes[0].id
"""Where customers are sent here."""


@dataclass
class Told:
    """What the console told of the writes, and what the gateway's log has of them.

    Attributes:
        done: Words of the writes that were said to be done, at once or later.
        not_done: Words of those said not to be done.
        open: Words of those whose end is not known at the end of the run.
        times: How often each was done.
    """

    done: set[str] = field(default_factory=set)
    not_done: set[str] = field(default_factory=set)
    open: set[str] = field(default_factory=set)
    times: Counter[str] = field(default_factory=Counter)
    unknown: int = 0
    queued: int = 0
    seconds: float = 0.0
    faults: Counter[Fault] = field(default_factory=Counter)

    @property
    def twice(self) -> int:
        """How many were done more than once."""
        return sum(times > 1 for times in self.times.values())

    @property
    def lost(self) -> int:
        """How many were said to be done, and were not."""
        return sum(self.times[words] == 0 for words in self.done)

    @property
    def false(self) -> int:
        """How many were said not to be done, and were."""
        return sum(self.times[words] > 0 for words in self.not_done)


def desk_on(file: Path, who: str) -> LocalDesk:
    """Open the sample as somebody, in the present."""
    return fixture_desk(file, present, file.parent / "keys", who)


def with_users(file: Path) -> Path:
    """Add the users of this run to the sample; give its path."""
    tables = json.loads(file.read_text("utf-8"))
    users = tables["users"]
    for user in USERS:
        factors = [each | {"id": f"{user}-f1"} for each in users["1"]["factors"]]
        whose = {"id": user, "name": f"User {user}", "login": f"{user}@rao.example"}
        users[str(len(users) + 1)] = users["1"] | whose | {"factors": factors}
    file.write_text(json.dumps(tables), "utf-8")
    return file


def present() -> datetime:
    """Return the present."""
    return datetime.now(UTC)


def run(writes: int, seed: int, place: Path) -> Told:
    """Send so many writes over a line that breaks; give what was told and what was done."""
    file = with_users(write_sample(place / "sample.json"))
    began = time.monotonic()
    with gateway(lambda who: desk_on(file, who), present) as (url, _):
        line = FaultyLine(urlsplit(url).port or 0, seed)
        with line.standing() as address:
            told = asyncio.run(_drive(address, writes, seed, place, line))
        told.faults = line.counts
    told.times = _done(file)
    told.seconds = time.monotonic() - began
    return told


def _done(file: Path) -> Counter[str]:
    """How often each write was done, by the gateway's own log."""
    desk = desk_on(file, "lee")
    times = asyncio.run(_log(desk))
    desk.close()
    return times


async def _log(desk: LocalDesk) -> Counter[str]:
    times: Counter[str] = Counter()
    offset = 0
    while True:
        page = await desk.log(Query(), offset=offset, limit=500)
        for row in page.rows:
            if row.result == "done" and row.act in {"note", "route"}:
                times[row.reason or row.says] += 1
        offset += 500
        if offset >= page.total:
            return times


async def _drive(address: str, writes: int, seed: int, place: Path, line: FaultyLine) -> Told:
    way = Line(address, Spoken("dana"), total_s=TOTAL_S, budget_s=6.0)
    # Five failures in a row are common here, and half a minute is long: its time goes faster.
    way.circuit = Circuit(lambda: time.monotonic() * 60)
    line.is_whole = True
    remote = await asyncio.to_thread(RemoteDesk, way)
    console = OfflineDesk(
        remote,
        Replica(place / "replica"),
        present,
        settled_after=timedelta(seconds=SETTLED_S),
    )
    console.patience_s = 5.0
    await console.open()
    for user in USERS:
        await console.case(user)
    await console.settle()
    line.is_whole = False
    told = Told()
    keys: dict[str, str] = {}
    seen: dict[str, State] = {}
    chores = [asyncio.create_task(_tend(console)), asyncio.create_task(_watch(console, seen))]
    await asyncio.gather(
        *(
            _worker(console, user, range(first, writes, AT_ONCE), seed, told, keys)
            for first, user in enumerate(USERS)
        )
    )
    await _until_settled(seen, told, keys)
    for chore in chores:
        chore.cancel()
    await asyncio.gather(*chores, return_exceptions=True)
    await asyncio.to_thread(remote.close)
    return told


async def _worker(
    console: OfflineDesk,
    user: str,
    numbers: range,
    seed: int,
    told: Told,
    keys: dict[str, str],
) -> None:
    for count, number in enumerate(numbers):
        words = f"write {seed}-{number}"
        action: AnyAction = (
            Note(user=user, text=words) if count % 2 else Route(user=user, to=WAY, reason=words)
        )
        await _write(console, action, words, told, keys)


async def _write(
    console: OfflineDesk, action: AnyAction, words: str, told: Told, keys: dict[str, str]
) -> None:
    """Send one write as an agent would: what must not be done again yet is waited for."""
    key = secrets.token_urlsafe(18)  # of the dialog, however often it is confirmed
    while True:
        try:
            outcome = await console.perform(action, key=key)
        except Stale:
            with contextlib.suppress(Unreachable):
                await console.case(action.user)
            continue
        except Unknown as error:
            if error.key != key:  # another one like it is not known yet: not sent
                await asyncio.sleep(0.2)
                continue
            told.unknown += 1
            keys[key] = words
        except Unreachable:
            told.not_done.add(words)
        else:
            if outcome.says.startswith("Queued"):
                told.queued += 1
                keys[key] = words
            else:
                told.done.add(words)
        return


async def _tend(console: OfflineDesk) -> None:
    while True:
        await asyncio.sleep(0.2)
        await console.tend()


async def _watch(console: OfflineDesk, seen: dict[str, State]) -> None:
    """Take down how each wish stands, often: of those that are done only the last ones are kept."""
    while True:
        await asyncio.sleep(0.05)
        seen.update({one.key: one.state for one in console.wishes})


async def _until_settled(seen: dict[str, State], told: Told, keys: dict[str, str]) -> None:
    """Wait, on the line as it is, until the end of every wish is known."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        if all(seen.get(key) in ENDED for key in keys):
            break
        await asyncio.sleep(0.05)
    for key, words in keys.items():
        state = seen.get(key)
        place = told.done if state is State.DONE else told.not_done
        (place if state in ENDED else told.open).add(words)


ENDED = frozenset({State.DONE, State.LOST, State.REFUSED, State.EXPIRED})


def line_of(seed: int, writes: int, told: Told) -> str:
    """Return one row of the table."""
    once = sum(times == 1 for times in told.times.values())
    bad = sum(count for fault, count in told.faults.items() if fault is not Fault.NONE)
    return (
        f"{seed:>4}  {writes:>6}  {once:>10}  {told.twice:>5}  {told.lost:>4}  {told.false:>5}  "
        f"{len(told.not_done):>8}  {told.unknown:>7}  {told.queued:>6}  {len(told.open):>4}  "
        f"{sum(told.faults.values()):>11}  {bad:>6}  {told.seconds:>6.0f}"
    )


HEAD = (
    "seed  writes  done once  twice  lost  false  not done  unknown  queued  open  "
    "connections  faulty  time/s"
)


def main() -> int:
    """Print the table; give 1 where a write was lost, done twice, falsely told or left open."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--writes", type=int, default=1_000)
    asked.add_argument("--seeds", type=int, default=3)
    asked.add_argument("--first", type=int, default=1, help="the first seed (1)")
    given = asked.parse_args()
    say: Callable[[str], object] = print
    say(HEAD)
    wrong = 0
    for seed in range(given.first, given.first + given.seeds):
        with tempfile.TemporaryDirectory() as place:
            told = run(given.writes, seed, Path(place))
        say(line_of(seed, given.writes, told))
        wrong += told.twice + told.lost + told.false + len(told.open)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
