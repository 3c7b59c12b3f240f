"""What one run of the table has: its places, its fixtures, its consoles and their peers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.crowding import multiply
from tests.bench.screen import Screen
from tests.bench.table import Printed

CROWD: Final = 1_000_000
TIMES: Final = 10
"""So many users are those of a tenth, so many times."""

READY: Final = ("in your queue", "▌")
"""What a console shows once its list is there: a row has the cursor."""


@dataclass(frozen=True)
class Run:
    """One run.

    Args:
        data: Where what takes long to make is kept for the next run.
        scratch: Where this run may write; gone after it.
        is_quick: Whether few figures are enough, to see that all works.
        biggest: The most users there may be in a fixture.
        smallest: The fewest users that growth is measured on; 0 for all, of a quick run the few.
    """

    data: Path
    scratch: Path
    is_quick: bool = False
    biggest: int = 100_000
    smallest: int = 0

    def count(self, wanted: int) -> int:
        """Give how often something is measured: a quick run is content with a tenth."""
        return max(3, wanted // 10) if self.is_quick else wanted

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many users there are in the fixtures that growth is measured on."""
        is_few = self.is_quick and not self.smallest
        sizes = (1_000, 10_000) if is_few else (1_000, 10_000, 100_000, CROWD)
        return tuple(size for size in sizes if self.smallest <= size <= self.biggest)

    def fixture(self, users: int) -> Path:
        """Give a fixture of so many users that may be written to, made where there is none yet."""
        kept = self.data / f"{users}.json"
        if not kept.exists():
            part = kept.with_suffix(".part")
            if users == CROWD:
                self.fixture(CROWD // TIMES).unlink()  # made where there is none
                multiply(self.data / f"{CROWD // TIMES}.json", part, TIMES)
            else:
                make = ["fixture", "make", "--users", str(users), "--out", str(part)]
                subprocess.run(helpdesk(*make), check=True, stdout=subprocess.DEVNULL)
            part.rename(kept)
        mine = Path(tempfile.mkdtemp(dir=self.scratch)) / kept.name
        shutil.copyfile(kept, mine)
        return mine

    def home(self, name: str = "") -> Path:
        """Give a home directory: nobody's, or the one of this name."""
        if not name:
            return Path(tempfile.mkdtemp(prefix="home-", dir=self.scratch))
        home = self.scratch / name
        home.mkdir(exist_ok=True)
        return home

    def environment(self, home: Path) -> dict[str, str]:
        """Give the environment of somebody with this home."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        return kept | {"HOME": str(home)}

    @contextmanager
    def console(self, users: int = 0, *arguments: str) -> Iterator[Screen]:
        """Give the real console, on a fixture of so many users or on the demo, its list shown.

        The fixture was opened before: what is made of it the first time is there.
        """
        desk, home = ["--desk", str(self.fixture(users))] if users else [], self.home()
        if users:
            once, environment = helpdesk("find", "nobody", *desk), self.environment(home)
            subprocess.run(once, env=environment, check=True, capture_output=True)
        with Screen(helpdesk(*desk, *arguments), home) as screen:
            screen.until(*READY)
            screen.settle()
            yield screen


def helpdesk(*arguments: str) -> list[str]:
    """Give the command that runs helpdesk with this Python."""
    return [sys.executable, "-m", "helpdesk", *arguments]


def peer(name: str, *arguments: object) -> list[str]:
    """Give the command that runs one of our own peers."""
    return [sys.executable, "-m", f"tests.bench.peers.{name}", *map(str, arguments)]


def installed(name: str, data: Path) -> str:
    """Give where a program is: on the path, or in an environment of its own; else nothing."""
    beside = data / name / "bin" / name
    return str(beside) if os.access(beside, os.X_OK) else shutil.which(name) or ""


Measure = Callable[[Run], Iterable[Printed]]
ROWS: Final[dict[str, Measure]] = {}
"""What measures each row, by its code."""


def row(code: str) -> Callable[[Measure], Measure]:
    """Add a row to the table: what is decorated measures it, and its sentence says what it is."""

    def add(measure: Measure) -> Measure:
        assert code not in ROWS, f"two rows are called {code}"
        ROWS[code] = measure
        return measure

    return add
