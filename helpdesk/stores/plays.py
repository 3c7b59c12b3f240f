"""Records of plays: one file a play, in a directory a trainee, and nothing beside them."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from helpdesk.domain.errors import BadInput, Unreachable
from helpdesk.domain.text import clean

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What may be the name of a trainee or of a scenario: it becomes the name of a file."""


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
            with tempfile.TemporaryDirectory(dir=self.directory, prefix=".world-") as world:
                handle, path = self._new(scenario)
                with os.fdopen(handle, "wb", buffering=0) as file:
                    yield Path(world), file.write, path  # type: ignore[misc]
        except OSError as error:
            raise Unreachable(f"{self.directory}: {error.strerror or error}.") from error

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
