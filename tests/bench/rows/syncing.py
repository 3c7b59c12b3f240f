"""Y: bringing over what an agent works with, from a gateway to a machine that has nothing yet."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import subprocess
import time
from collections.abc import Iterator
from functools import partial

from tests.bench.hosted import gateways, stores
from tests.bench.loading import load
from tests.bench.rows.acts import told
from tests.bench.rows.gateway import Wishes, people_of
from tests.bench.rows.keys import CURSOR
from tests.bench.run import READY, Run, peer, row
from tests.bench.screen import DOWN, UP, Painted, Screen
from tests.bench.table import Goal, Printed, Sample, line, wall

AGENT = "dana"
"""Who has tickets of their own in a fixture."""
ROUNDS = 10
FIRST_MS = 1_500.0
ITS_OWN = "its own median at rest"
BUSY = 100
"""Users whom others write notes on meanwhile, one after the other."""
LONG_S = 60.0
FORK = multiprocessing.get_context("fork")


@row("Y1")
def synchronising(run: Run) -> Iterator[Printed]:
    """Records a second that are brought over, durable, beside those fetched and decoded alone."""
    for users in run.sizes[-1:]:
        with stores(run, users, only_sqlite=True) as found, gateways(found[0], 1) as plugs:
            rates = told(run, "syncing", plugs[0].url, AGENT, str(run.count(ROUNDS)))
        taken = {name: Sample(sample.figures, "/s") for name, sample in rates.items()}
        goals = {"fetch and decode": Goal(least=0.4)}
        yield line("Y1", "a first synchronisation, durable", taken, goals, found[0].users)


@row("Y2")
def listed(run: Run) -> Iterator[Printed]:
    """A first synchronisation by command, then the console, to the list that can be used."""
    for users in run.sizes[-1:]:
        with stores(run, users, only_sqlite=True) as found, gateways(found[0], 1) as plugs:
            taken = [_first(run, plugs[0].url) for _ in range(run.count(ROUNDS))]
        figures = {"ours": Sample(taken), "1.5 s": Sample([FIRST_MS])}
        goals = {"1.5 s": Goal(most=1)}
        yield line("Y2", "first synchronisation → listed", figures, goals, found[0].users)


@row("K3")
def moving(run: Run) -> Iterator[Printed]:
    """Cursor down while a console brings all over and others write, beside the same at rest."""
    users = run.sizes[0]
    with stores(run, users, only_sqlite=True) as found, gateways(found[0], 1) as plugs:
        people = asyncio.run(people_of(found[0], BUSY))
        port, processes = plugs[0].port, [plugs[0].process]
        notes = Wishes(port, people, {"act": "note", "text": "x" * 40})
        load_ = partial(load, [port], processes, notes.asked, connections=1, heed=notes.heed)
        taken: dict[str, list[Painted]] = {"ours": [], ITS_OWN: []}
        for _ in range(run.count(ROUNDS)):
            writer = FORK.Process(target=lambda: asyncio.run(load_(seconds=LONG_S)))
            writer.start()
            with Screen(peer("signed", AGENT, "--desk", plugs[0].url), run.home()) as screen:
                screen.until(*READY)
                taken["ours"] += _keys(screen)
                writer.kill()
                writer.join()
                screen.settle(1)
                taken[ITS_OWN] += _keys(screen)
    times = wall(taken)
    slowest = {"ours": Sample([times["ours"].p99]), ITS_OWN: Sample([times[ITS_OWN].median])}
    what = "p99 of a cursor while it synchronises"
    yield line("K3", what, slowest, {ITS_OWN: Goal(most=4)}, found[0].users)


def _keys(screen: Screen) -> Iterator[Painted]:
    """Go down and up again at the pace of the other lists' keys."""
    for key in (DOWN,) * 10 + (UP,) * 10:
        screen.rest(0.12 + random.random() * 0.02)
        yield screen.press(key, CURSOR)


def _first(run: Run, url: str) -> float:
    """Give the milliseconds from the command that brings all over to the list."""
    home, command = run.home(), peer("signed", AGENT, "sync", "--desk", url)
    environment, began = run.environment(home), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    with Screen(peer("signed", AGENT, "--desk", url), home) as screen:
        screen.until(*READY)
    return (time.perf_counter() - began) * 1e3
