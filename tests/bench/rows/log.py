"""L: a log of up to a million rows: opened, filtered, verified."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial

from helpdesk.domain.search import parse
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.directory import SqlDirectory
from tests.bench.hosted import Hosted, gateways
from tests.bench.logs import filed, logged
from tests.bench.run import READY, Run, helpdesk, peer, row
from tests.bench.screen import DOWN, ESCAPE, UP, Painted, Screen
from tests.bench.table import Goal, Line, Printed, Sample, in_turn, processor, wall

AGENT = "agent-0"
WORD = "rare-"
"""What a few rows of a million have."""

LOCAL = 20_000
"""Rows in a file, which is read whole."""

OPENED, FILTERED = "the log, key → newest rows", "a filter, letter → rows"
FRAME = "a frame at 60 Hz"


@row("L1")
def long_log(run: Run) -> Iterator[Printed]:
    """A log at a gateway: its screen, a filter, all of it verified; and keys meanwhile."""
    for rows in run.sizes:
        with logged(run, rows) as hosted:
            all_, few = asyncio.run(_counted(hosted))
            yield from _screens(run, hosted, rows, all_, few)
            yield from _verified(run, hosted, rows)
    yield from _keys(run)


async def _counted(hosted: Hosted) -> tuple[int, int]:
    """Give how many rows there are but looks, and how many of them have the word."""
    with closing(Database(hosted.store)) as database:
        directory = SqlDirectory(database)
        asked = (parse(words, []) for words in ("", WORD))
        found = [await directory.logged(one, account=None, offset=0, limit=1) for one in asked]
    return found[0][0], found[1][0]


def _screens(run: Run, hosted: Hosted, rows: int, all_: int, few: int) -> Iterator[Printed]:
    command = peer("signed", AGENT, "--desk", "")
    with gateways(hosted, 1) as plugs:
        command[-1] = plugs[0].url
        with Screen(command, run.home()) as screen:
            screen.until(*READY)
            opened, filtered = partial(_opened, screen, all_), partial(_filtered, screen, few)
            taken = in_turn(run.count(20), {OPENED: opened, FILTERED: filtered})
    for what in (OPENED, FILTERED):
        for told, figures in (("", wall(taken)), (", processor", processor(taken))):
            yield Line("L1", f"{what}{told}", figures[what], size=rows, of="rows")


def _opened(screen: Screen, count: int) -> Painted:
    """Go to the log, and give when its rows were there; go back."""
    screen.settle()
    painted = screen.press(b"5", f"{count:,} entr")
    screen.settle()
    screen.press(b"1")
    screen.settle()
    return painted


def _filtered(screen: Screen, count: int) -> Painted:
    """Take back a letter with which nothing is found, and give when rows were there; clear it."""
    screen.press(b"5")
    screen.settle()
    screen.press(b"/" + WORD.encode() + b"x", "0 entries")
    screen.settle()
    painted = screen.press(b"\x7f", f"{count:,} entr")
    screen.press(ESCAPE)
    screen.settle()
    screen.press(ESCAPE)
    screen.settle()
    screen.press(b"1")
    screen.settle()
    return painted


def _verified(run: Run, hosted: Hosted, rows: int) -> Iterator[Printed]:
    found = _told(run, hosted)
    rates = Sample([found["ours"]], "rows/CPU s")
    floor = {"bare sha256 of the same bytes": Sample([found["sha256"]], "rows/CPU s")}
    yield Line("L1", "log verified", rates, floor, size=rows, of="rows")
    after, before = Sample([found["after"]], "MiB"), Sample([found["before"]], "MiB")
    flat = {"before it began": Goal(most=1.25)}
    yield Line(
        "L1", "most memory of that", after, {"before it began": before}, flat, rows, of="rows"
    )


def _told(run: Run, hosted: Hosted) -> Mapping[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.verifying", hosted.store, str(hosted.home)],
        check=True, capture_output=True, text=True, env=run.environment(run.home()),
    )  # fmt: skip
    parts = (each.partition(":") for each in done.stdout.splitlines())
    return {name: float(told) for name, _, told in parts}


def _keys(run: Run) -> Iterator[Printed]:
    """Press keys in a list while the log of this very process is verified."""
    home = run.home()
    keys = home / ".local/share/helpdesk"
    file = filed(run, LOCAL, keys)
    taken: dict[str, list[Painted]] = {"ours": [], "at rest": []}
    with Screen(helpdesk("--desk", str(file)), home) as screen:
        screen.until(*READY)
        screen.press(b"5", "entr")
        screen.settle()
        for number in range(run.count(60)):
            key = (DOWN, UP)[number % 2]
            screen.settle(0.1)
            taken["at rest"].append(screen.press(key, "▌"))
        for _ in range(run.count(20)):
            screen.press(b"v", "Verifying")
            for key in (DOWN, UP):
                time.sleep(0.05)
                taken["ours"].append(screen.press(key, "▌"))
            screen.press(ESCAPE)
            screen.settle(0.1)
    found = wall(taken)
    beside = {"at rest": found["at rest"], FRAME: Sample([1_000 / 60])}
    goals = {FRAME: Goal(most=1)}
    yield Line("L1", "a key while it is verified", found["ours"], beside, goals, LOCAL, of="rows")
