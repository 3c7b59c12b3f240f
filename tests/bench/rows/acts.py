"""D: from an act to its being durable. C: opening a long case."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from tests.bench.run import Run, row
from tests.bench.table import Goal, Printed, Sample, line

ACTS = 20
ONE = "one"
OF_STORAGE = 10_000
"""Users beside whom a goal is told for TinyDB's own storage."""


@row("D1")
def durable(run: Run) -> Iterator[Printed]:
    """A note on a local fixture, to its being on the disk, beside one append and its sync."""
    for users in run.sizes:
        found = told(run, "acting", str(run.fixture(users)), str(run.count(ACTS)))
        syncs = {"ours": Sample(found.pop("syncs").figures, "syncs"), ONE: Sample([1.0], "sync")}
        goals = {"append and sync": Goal(most=3)}
        if users == OF_STORAGE:
            goals["TinyDB's own storage"] = Goal(most=1 / 200)
        yield line("D1", "a note, durable", found, goals, users)
        yield line("D1", "syncs of a note", syncs, {ONE: Goal(most=1)}, users)


@row("C1")
def long_case(run: Run) -> Iterator[Printed]:
    """Opening a case with 10,000 events, beside decoding them."""
    found = told(run, "opening", str(run.fixture(1_000)), "10000", str(run.count(ACTS)))
    yield line("C1", "a case of 10,000 events", found, {"msgspec decode": Goal(most=3)})


def told(run: Run, module: str, *arguments: str) -> dict[str, Sample]:
    """Give what a program of ours measured: a line for each name, then its figures."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.bench.{module}", *arguments],
        check=True,
        capture_output=True,
        text=True,
        env=run.environment(run.home()),
    )
    parts = (each.partition(":") for each in done.stdout.splitlines())
    return {name: Sample([float(one) for one in told.split()]) for name, _, told in parts}
