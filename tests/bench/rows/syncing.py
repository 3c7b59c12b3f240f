"""Y: bringing over what an agent works with, from a gateway to a machine that has nothing yet."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

from tests.bench.hosted import gateways, stores
from tests.bench.rows.acts import told
from tests.bench.run import READY, Run, peer, row
from tests.bench.screen import Screen
from tests.bench.table import Goal, Printed, Sample, line

AGENT = "dana"
"""Who has tickets of their own in a fixture."""
ROUNDS = 10
FIRST_MS = 1_500.0


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


def _first(run: Run, url: str) -> float:
    """Give the milliseconds from the command that brings all over to the list."""
    home, command = run.home(), peer("signed", AGENT, "sync", "--desk", url)
    environment, began = run.environment(home), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    with Screen(peer("signed", AGENT, "--desk", url), home) as screen:
        screen.until(*READY)
    return (time.perf_counter() - began) * 1e3
