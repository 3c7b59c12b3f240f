"""D: from an act to its being durable."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from tests.bench.run import Run, row
from tests.bench.table import Goal, Printed, Sample, line

ACTS = 20


@row("D1")
def durable(run: Run) -> Iterator[Printed]:
    """A note on a local fixture, to its being on the disk, beside one append and its sync."""
    for users in run.sizes:
        command = [sys.executable, "-m", "tests.bench.acting", str(run.fixture(users))]
        done = subprocess.run(
            [*command, str(run.count(ACTS))],
            check=True,
            capture_output=True,
            text=True,
            env=run.environment(run.home()),
        )
        found = {
            name: Sample([float(part) for part in figures.split()])
            for name, _, figures in (each.partition(":") for each in done.stdout.splitlines())
        }
        yield line("D1", "a note, durable", found, {"append and sync": Goal(most=3)}, users)
