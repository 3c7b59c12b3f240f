"""One table of how fast helpdesk is, every row beside its floor and its peer.

    python -m tests.bench [ROW …] [--quick] [--data DIRECTORY]

A row is a function in a file of `tests/bench/rows/`: it is found there, and says by its first
sentence what it is. Figures of one row are taken in turn, so their ratios hold on a busy machine;
milliseconds are to be compared inside one row only.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench import rows
from tests.bench.run import ROWS, Run
from tests.bench.table import HEAD, Line, Printed, Skipped, growths


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the rows that are named, or all of them, print the table; 1 for a goal missed."""
    for found in pkgutil.iter_modules(rows.__path__):
        importlib.import_module(f"{rows.__name__}.{found.name}")
    given = _parser().parse_args(arguments)
    given.data.mkdir(parents=True, exist_ok=True)
    lines: list[Printed] = []
    _say(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {platform.python_version()}")
    _say(HEAD)
    with tempfile.TemporaryDirectory(prefix="run-", dir=given.data) as scratch:
        run = Run(given.data, Path(scratch), given.quick, given.biggest, given.smallest)
        for code in given.rows or sorted(ROWS):
            for line in _measured(code, run):
                lines.append(line)
                _say(*line.printed())
    _say("", *growths(lines))
    missed = [one for one in lines if isinstance(one, Line) and one.is_missed]
    skipped = sum(isinstance(one, Skipped) for one in lines)
    _say(f"{len(lines)} lines, {len(missed)} with a goal missed, {skipped} skipped")
    return 1 if missed else 0


def _measured(code: str, run: Run) -> Iterator[Printed]:
    """Measure a row; what went wrong in it is told in its place, and the others go on."""
    try:
        yield from ROWS[code](run)
    except (AssertionError, OSError) as error:
        yield Skipped(code, f"could not be measured: {error}")


def _parser() -> argparse.ArgumentParser:
    says = [f"  {code}  {(ROWS[code].__doc__ or '').splitlines()[0]}" for code in sorted(ROWS)]
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=(__doc__ or "").splitlines()[0],
        epilog="rows:\n" + "\n".join(says),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", choices=[*ROWS, []], help="all of them")
    parser.add_argument("--quick", action="store_true", help="a tenth of the figures")
    parser.add_argument("--biggest", type=int, default=100_000, help="users in the biggest fixture")
    parser.add_argument("--smallest", type=int, default=0, help="users in the smallest of growth")
    cache = Path.home() / ".cache" / "helpdesk-bench"
    parser.add_argument("--data", type=Path, default=cache, help="where fixtures are kept")
    return parser


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
