"""Try all that could lose something or let somebody in, and print a table of it.

    python -m tests.reliability [NAME ...] [--seed 1] [--quick]

A line a row: what, how many tried, how many failed, which seed, how many seconds. What failed is
printed beneath, as far as it takes to try it again. It ends with 1 where anything failed.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Sequence

from tests.reliability.rows import TABLE, Row, is_over, stops_when_told

SHOWN = 10
"""Failures of one row that are printed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the rows asked for, or all; return the exit code."""
    given = argparse.ArgumentParser(prog="python -m tests.reliability")
    given.add_argument("row", nargs="*", choices=[[], *TABLE], help="which; all without one")
    given.add_argument("--seed", type=int, default=1)
    given.add_argument("--quick", action="store_true", help="only the part that CI runs")
    asked = given.parse_args(arguments)
    stops_when_told()
    failed = 0
    for name in asked.row or TABLE:
        what, module = TABLE[name]
        row: Row = importlib.import_module(module).row
        began = time.monotonic()
        found = row(asked.seed, asked.quick)
        seconds = time.monotonic() - began
        failed += len(found.failures)
        _say(
            f"{name:<12} {what:<46} {found.tried:>9,} tried {len(found.failures):>4} failed"
            f"  seed {asked.seed}  {seconds:,.0f} s{', and was told to stop' if is_over() else ''}"
        )
        for line in found.failures[:SHOWN]:
            _say(f"    {line}")
        if is_over():
            break
    return 1 if failed else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
