"""What must hold for hours, and over a restore and an upgrade, with consoles at the desk meanwhile.

    python -m tests.reliability longrun [--quick]
    python -m tests.reliability.longrun --syncs 20000 --notices 2000 --minutes 30

One console brings itself up to date again and again, is told of other agents' changes and gets
random keys; a gateway is under the load of fifty consoles. Neither takes ever more memory, and the
last keys are as quick as the first. Figures are printed on standard error as it goes on.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from helpdesk.assets import DEMO
from helpdesk.config import Config
from helpdesk.domain.actions import Note
from helpdesk.domain.errors import HelpdeskError
from helpdesk.gateway.line import Line
from helpdesk.gateway.remote import RemoteDesk
from helpdesk.hosting import Wanted, desks_at
from helpdesk.service.offline import OfflineDesk
from helpdesk.service.syncing import synchronise
from helpdesk.stores.replica import Replica
from helpdesk.stores.sql.database import Database
from tests import postgres
from tests.bench.gateway import Measured, load
from tests.bench.many import multiply, recruit
from tests.gateway.serving import Spoken
from tests.reliability.process import at_home, plugged
from tests.reliability.restoring import restored, upgraded
from tests.reliability.rows import Tried, is_over, stops_when_told, tell
from tests.reliability.upgrading import upgraded_beneath
from tests.sample import write_sample
from tests.service.cut import CutLine
from tests.tui.console import Console, console, desk_on

MORE_MB = 20.0
"""So much more memory may be taken at the end than after the first fifth."""

SLOWER = 1.5
"""So many times the processor may a key take at the end of what it took in the first fifth."""

ENOUGH = 200
"""So many keys say how long one takes; fewer say what else the machine did."""

PEOPLE = 500
"""Users who are written about, in turn by chance: a case with a hundred notes is rightly larger."""

STRETCH_S = 60.0
"""How often it is told how a gateway at load is."""

KEYS = (
    "down", "up", "down", "pagedown", "pageup", "1", "2", "3", "4", "5", "1", "escape", "tab",
    "right_square_bracket", "left_square_bracket", "question_mark", "escape", "c", "escape", "i",
    "escape", "slash", "a", "n", "escape", "ctrl+r", "S", "M", "escape", "enter", "T",
)  # fmt: skip
"""Keys that look at things; none of them changes anything at the desk."""


class Parts(NamedTuple):
    """How much of each is tried.

    Attributes:
        syncs: How often the console brings itself up to date.
        notices: How often somebody else changes what it shows, evenly over that.
        minutes: How long the gateway is under load; 0 for not at all.
    """

    syncs: int
    notices: int
    minutes: float
    consoles: int = 50


QUICK, FULL = Parts(24, 4, 0), Parts(20_000, 2_000, 30)


@dataclass
class Course:
    """How something went.

    Attributes:
        memory_mb: How much it took, at the end of each stretch of the run, in order.
        keys_ms: What each key took of the processor, in order.
        syncs: How often the console was brought up to date.
        notices: How often somebody else changed something.
    """

    memory_mb: list[float]
    keys_ms: list[float]
    syncs: int = 0
    notices: int = 0

    def failures(self, what: str) -> Iterator[str]:
        """Give what grew, from the end of the first fifth to the end."""
        fifth = max(1, len(self.memory_mb) // 5)
        more = min(self.memory_mb[-fifth:]) - max(self.memory_mb[: fifth + 1])
        if more > MORE_MB:
            yield f"{what}: {more:.0f} MB more at the end than after a fifth of the time"
        if len(self.keys_ms) >= ENOUGH:
            fifth = len(self.keys_ms) // 5
            first, last = (
                statistics.median(part) for part in (self.keys_ms[:fifth], self.keys_ms[-fifth:])
            )
            if last > SLOWER * first + 10:
                yield f"{what}: a key takes {last:.0f} ms at the end, {first:.0f} ms at first"


def memory_mb(process: int | str = "self") -> float:
    """Give the memory of a process, in megabytes."""
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    return int(next(s for s in status.splitlines() if s.startswith("VmRSS")).split()[1]) / 1024


# -- one console -----------------------------------------------------------------------------------


async def at_one_console(
    desk: OfflineDesk, write: Callable[[int], Awaitable[bool]], parts: Parts, chance: random.Random
) -> Course:
    """Sync, be told and press keys; raise what the console itself raises."""
    course, every = Course([], []), max(1, parts.syncs // parts.notices)
    await desk.open()
    async with console(desk) as agent:
        for number in range(parts.syncs):
            if is_over():
                break
            if number % every == 0:
                course.notices += await write(number)
                await _one_key(agent, chance, course)
            await synchronise(desk, lambda *_: None)
            course.syncs += 1
            if number % max(1, parts.syncs // 50) == 0:
                gc.collect()
                course.memory_mb.append(memory_mb())
                if parts is not QUICK:
                    tell(_of("one console", course))
        await agent.press("escape", "escape", "escape", "1")
        assert agent.app.is_running
        assert agent.app._exception is None
    return course


async def _one_key(agent: Console, chance: random.Random, course: Course) -> None:
    begun = time.process_time()  # not what others do on this machine
    await agent.press(chance.choice(KEYS))
    course.keys_ms.append((time.process_time() - begun) * 1_000)


async def _quick_console(place: Path, parts: Parts, chance: random.Random) -> Course:
    """Both in this process: what is left is whether anything grows at all."""
    file = write_sample(place / "sample.json")
    mine, colleague = (desk_on(file, who, clock=_now) for who in ("dana", "lee"))
    far: Any = CutLine(mine)
    desk = OfflineDesk(far, Replica(place / "replica"), _now)

    async def write(number: int) -> bool:
        await colleague.perform(Note(user="u1", text=f"{number}"))
        return True

    return await at_one_console(desk, write, parts, chance)


async def _long_console(url: str, place: Path, parts: Parts, chance: random.Random) -> Course:
    """The desk in a process of its own: what this one takes is the console's alone."""
    mine, other = (RemoteDesk(Line(url, Spoken(f"agent-{n}"))) for n in range(2))
    desk = OfflineDesk(mine, Replica(place / "replica"), _now)
    users = [row.id for row in (await other.queue(limit=PEOPLE)).rows]

    async def write(number: int) -> bool:
        user = chance.choice(users)
        with contextlib.suppress(HelpdeskError):
            await other.case(user)
            await other.perform(Note(user=user, text=f"note {number}"))
            return True
        return False

    try:
        return await at_one_console(desk, write, parts, chance)
    finally:
        mine.close()
        other.close()


def _now() -> datetime:
    return datetime.now(UTC)


# -- a gateway at load -----------------------------------------------------------------------------


def with_a_gateway(place: Path, parts: Parts, chance: random.Random) -> Tried:
    """Let one console live long at a gateway, then put fifty on it."""
    store = f"sqlite:///{place}/desk.db"
    with at_home(place):
        desks_at(Wanted(store=store, imported=DEMO), Config()).close()
    with closing(Database(store)) as database:
        multiply(database, 10_000)
        recruit(database, parts.consoles)
    with plugged(store, place) as plug:
        course, found = Course([], []), list[str]()
        if parts.syncs:
            course = asyncio.run(_long_console(plug.url, place, parts, chance))
            found += course.failures("one console")
        measured = asyncio.run(_under_load(plug.url, plug.process, parts))
    loaded = Course(measured.memory_mb, [])
    found += [*loaded.failures("a gateway at load"), *measured.errors]
    asked = sum(len(took) for took in measured.took.values())
    return Tried(course.syncs + course.notices + asked, tuple(found))


async def _under_load(url: str, process: int, parts: Parts) -> Measured:
    """Put consoles on a gateway for so long, or until told to stop."""
    given = argparse.Namespace(minutes=parts.minutes, consoles=parts.consoles, think=1.0)
    measured, told = Measured(), time.monotonic()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(load(url, process, given, measured))
        while not task.done():
            await asyncio.sleep(1)
            if time.monotonic() > told + STRETCH_S:
                told = time.monotonic()
                tell(_of("a gateway at load", Course(measured.memory_mb, [])))
            if is_over():
                task.cancel()
    return measured


def _of(what: str, course: Course) -> str:
    memory, keys = course.memory_mb, course.keys_ms
    says = f"{what}: {memory[0]:.0f} MB at first, {max(memory):.0f} at most, {memory[-1]:.0f} last"
    if course.syncs:
        says = f"{course.syncs:,} syncs, {course.notices:,} notices, {says}"
    if keys:
        fifth = max(1, len(keys) // 5)
        first, last = (statistics.median(part) for part in (keys[:fifth], keys[-fifth:]))
        says += f"; {len(keys)} keys, {first:.0f} ms at first, {last:.0f} ms last"
    return says


def row(seed: int, is_quick: bool) -> Tried:
    """Try all of it.

    A sync, a notice, an answer under load, and each claim of a restore or an upgrade is one try.
    """
    return run(seed, QUICK if is_quick else FULL)


def _upgraded_beneath(place: Path) -> dict[str, bool]:
    """The same beneath a gateway that goes on, on PostgreSQL, where there is one."""
    if postgres.programs() is None and postgres.GIVEN not in os.environ:
        tell(postgres.MISSING)
        return {}
    with postgres.server("fsync=off") as server, postgres.database(server) as address:
        return upgraded_beneath(place, address)


def run(seed: int, parts: Parts, *, is_alone: bool = False) -> Tried:
    """Try as much as is asked for; *is_alone* without the restore and the upgrade."""
    chance, failures, tried = random.Random(seed), [], 0
    with tempfile.TemporaryDirectory() as kept:
        place = Path(kept)
        pieces = (restored, upgraded, *([] if parts is QUICK else [_upgraded_beneath]))
        for what in () if is_alone else pieces:
            claims = what(place / what.__name__)
            tried += len(claims)
            failures += [claim for claim, holds in claims.items() if not holds]
        (place / "console").mkdir()
        if parts.minutes:
            found = with_a_gateway(place / "console", parts, chance)
        else:
            course = asyncio.run(_quick_console(place / "console", parts, chance))
            found = Tried(course.syncs + course.notices, tuple(course.failures("one console")))
    return Tried(tried + found.tried, (*failures, *found.failures))


def main() -> None:
    """Try as much as the command line asks for."""
    given = argparse.ArgumentParser(prog="python -m tests.reliability.longrun")
    given.add_argument("--syncs", type=int, default=FULL.syncs)
    given.add_argument("--notices", type=int, default=FULL.notices)
    given.add_argument("--minutes", type=float, default=FULL.minutes)
    given.add_argument("--consoles", type=int, default=FULL.consoles)
    given.add_argument("--seed", type=int, default=1)
    given.add_argument("--alone", action="store_true", help="no restore and no upgrade before it")
    asked = given.parse_args()
    stops_when_told()
    begun = time.monotonic()
    parts = Parts(asked.syncs, asked.notices, asked.minutes, asked.consoles)
    found = run(asked.seed, parts, is_alone=asked.alone)
    sys.stdout.write(
        f"{found.tried} tried, {len(found.failures)} failed, {time.monotonic() - begun:.0f} s\n"
    )
    for line in found.failures[:20]:
        sys.stdout.write(f"    {line}\n")
    sys.exit(bool(found.failures))


if __name__ == "__main__":
    main()
