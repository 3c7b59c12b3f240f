"""Records of plays: one file a play, in a directory a trainee, and a world while it is played.

A world has a lock that its process holds, so what a killed one left is told from what is played.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from helpdesk.domain.errors import BadInput, Unreachable
from helpdesk.domain.text import clean

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What may be the name of a trainee or of a scenario: it becomes the name of a file."""

WORLD: Final = ".world-"
"""How the name of a directory begins in which somebody plays."""

LOCK: Final = ".lock"
"""The file in a world that its process holds."""

PLAYED: Final = ".record"
"""The file in a world that names the record of its play."""

GATE: Final = ".worlds.lock"
"""Held while a world is made or left ones are swept, so that no new one is taken for a left one."""

PATIENCE_S: Final = 10.0
"""Seconds that another start is waited for."""


class Plays:
    """The records of one trainee under the class's directory.

    Raises, from its making:
        BadInput: The name is none that a directory could have.
    """

    def __init__(self, directory: Path, trainee: str) -> None:
        self.trainee = named(trainee, "trainee")
        self.directory = directory / trainee

    @contextlib.contextmanager
    def begun(self, scenario: str) -> Iterator[tuple[Path, Callable[[bytes], None], Path]]:
        """Give a place for the world of a play, what takes its lines, and where they are kept.

        The world is thrown away at the end; the record stays.

        Raises:
            Unreachable: The directory cannot be written.
        """
        named(scenario, "scenario")
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            world, lock = self._world()
            try:
                handle, path = self._new(scenario)
                (world / PLAYED).write_text(path.name, "utf-8")
                with os.fdopen(handle, "wb", buffering=0) as file:
                    yield world, file.write, path  # type: ignore[misc]
            finally:
                lock.release()
                shutil.rmtree(world)
        except OSError as error:
            raise Unreachable(f"{self.directory}: {error.strerror or error}.") from error

    def _world(self) -> tuple[Path, FileLock]:
        """Make a world and hold it; what a process left that is gone is swept, whoever's it was."""
        with FileLock(self.directory.parent / GATE, timeout=PATIENCE_S):
            sweep(self.directory.parent)
            world = Path(tempfile.mkdtemp(dir=self.directory, prefix=WORLD))
            lock = FileLock(world / LOCK)
            lock.acquire(timeout=0)
            return world, lock

    def playing(self) -> list[Path]:
        """Give the records of what is played just now, in the order of their names."""
        found = []
        for world in self.directory.glob(f"{WORLD}*"):
            with contextlib.suppress(OSError):  # it may end meanwhile
                name = (world / PLAYED).read_text("utf-8")
                if not _is_left(world):
                    found.append(self.directory / name)
        return sorted(found)

    def records(self) -> list[Path]:
        """Give the records there are, in the order of their names."""
        return sorted(self.directory.glob("*.jsonl"))

    def _new(self, scenario: str) -> tuple[int, Path]:
        """Make a file that is not there yet, whoever else of this name plays just now."""
        number = len(list(self.directory.glob(f"{scenario}.*.jsonl"))) + 1
        while True:
            path = self.directory / f"{scenario}.{number:03}.jsonl"
            with contextlib.suppress(FileExistsError):
                return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), path
            number += 1


def sweep(directory: Path) -> None:
    """Remove the worlds under a class's directory whose process is gone, as after a kill."""
    for world in directory.glob(f"*/{WORLD}*"):
        if _is_left(world):
            shutil.rmtree(world, ignore_errors=True)


def _is_left(world: Path) -> bool:
    """Whether nobody holds a world; the system lets go of what a process held that was killed."""
    lock = FileLock(world / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    lock.release()
    return True


def named(name: str, what: str) -> str:
    """Return a name that is fit for a file.

    Raises:
        BadInput: It is not.
    """
    if not NAME.fullmatch(name):
        says = "letters, digits, dots, dashes and underscores, 64 at most"
        raise BadInput(f"{clean(name) or 'Nothing'} is no name of a {what}: it may have {says}.")
    return name


def trainees(directory: Path) -> list[str]:
    """Return the names of all who have played, in order."""
    if not directory.is_dir():
        return []
    found = [each.name for each in directory.iterdir() if each.is_dir()]
    return sorted(name for name in found if NAME.fullmatch(name))
