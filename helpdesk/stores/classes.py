"""Classes on a page: a directory each, and in it a whole data directory for every trainee.

    classes/20261122-061200/seat-01/ · name · training/seat-01/*.jsonl

What the trainer sees is read from the records alone, by whoever may read the directory.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from helpdesk.domain.errors import BadFile, NotFound, Unreachable
from helpdesk.domain.text import clean
from helpdesk.domain.training.debriefing import Result, Standing, results
from helpdesk.domain.training.scoring import Score, score
from helpdesk.stores.plays import Plays, sweep
from helpdesk.stores.private import write_private

CLASSES: Final = "classes"
"""The directory of all classes, in the data directory."""

TRAINING: Final = "training"
"""The directory of all trainees, in a data directory."""

LOCK: Final = ".lock"
"""The file in a class that the process holds which answers it."""

NAME: Final = "name"
"""The file in a place that has the trainee's name."""

NEWEST: Final = "last"
"""What stands for the newest class."""


class Classbook:
    """The records of one class, read as they grow.

    Args:
        directory: Of the class.
        warn: Is told of a record that cannot be read; it is left out.
    """

    def __init__(self, directory: Path, warn: Callable[[str], None] = lambda says: None) -> None:
        self.directory, self._warn = directory, warn
        self._ended: dict[Path, Score] = {}

    @property
    def name(self) -> str:
        """The class by its day and time."""
        return self.directory.name

    def place(self, number: int, name: str) -> Path:
        """Return a trainee's own data directory, which is made where it is not there.

        Raises:
            Unreachable: It cannot be made.
        """
        place = self.directory / f"seat-{number:02}"
        try:
            write_private(place / NAME, name.encode(), is_durable=False)
        except OSError as error:
            raise Unreachable(f"{place}: {error.strerror}.") from error
        return place

    def standings(self) -> list[Standing]:
        """Give where each trainee is, in the order in which they came."""
        return [self._standing(place, name) for place, name in self._places()]

    def results(self, number: int = 0) -> list[Result]:
        """Give the best of every trainee in every call; of one place only where it is named."""
        wanted = f"seat-{number:02}" if number else ""
        return [
            row
            for place, name in self._places()
            if wanted in {"", place.name}
            for row in results(name, self._scores(_plays(place).records()))
        ]

    def _places(self) -> list[tuple[Path, str]]:
        found = []
        for path in sorted(self.directory.glob(f"seat-*/{NAME}")):
            with contextlib.suppress(OSError):
                found.append((path.parent, clean(path.read_text("utf-8", "replace"))))
        return found

    def _standing(self, place: Path, name: str) -> Standing:
        plays = _plays(place)
        ended = [one for one in self._scores(_by_age(plays.records())) if one.named]
        last = ended[-1] if ended else None
        now = self._scores(_by_age(plays.playing())[-1:])
        on = now[0] if now and not now[0].named else None
        return Standing(
            trainee=name,
            scenario=on.scenario if on else "",
            title=on.title if on else "",
            seconds=on.seconds if on else 0,
            calls=len(ended),
            last=last.title if last else "",
            total=last.total if last else None,
        )

    def _scores(self, paths: list[Path]) -> list[Score]:
        return [found for path in paths if (found := self._score(path)) is not None]

    def _score(self, path: Path) -> Score | None:
        """The marks of a record; an ended one never changes, so it is read once."""
        if path in self._ended:
            return self._ended[path]
        try:
            found = score(path.read_bytes(), file=str(path))
        except BadFile as error:
            self._warn(f"left out: {error}")
            return None
        except OSError:  # gone meanwhile
            return None
        if found.named:
            self._ended[path] = found
        return found


def _plays(place: Path) -> Plays:
    return Plays(place / TRAINING, place.name)


def _by_age(paths: list[Path]) -> list[Path]:
    ages = []
    for path in paths:
        with contextlib.suppress(OSError):
            ages.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(ages)]


@contextlib.contextmanager
def begun(data: Path, now: datetime) -> Iterator[Classbook]:
    """Begin a class and hold it to the end; worlds that killed ones left are swept.

    Raises:
        Unreachable: The data directory cannot be written, or a class begins this very second.
    """
    directory = data / CLASSES / f"{now:%Y%m%d-%H%M%S}"
    try:
        directory.mkdir(mode=0o700, parents=True)
        for training in data.glob(f"{CLASSES}/*/*/{TRAINING}"):
            sweep(training)
        with FileLock(directory / LOCK, timeout=0):
            yield Classbook(directory)
    except OSError as error:
        raise Unreachable(f"{directory}: {error.strerror or error}.") from error


def running(data: Path) -> Path | None:
    """Return the newest class that is on; None where there is none."""
    for directory in sorted((data / CLASSES).glob("*/"), reverse=True):
        if (directory / LOCK).exists() and _is_held(directory / LOCK):
            return directory
    return None


def class_named(data: Path, name: str) -> Path:
    """Return a class by its name, or the newest for `last`.

    Raises:
        NotFound: There is none; the sentence names those there are.
    """
    found = {path.name: path for path in sorted((data / CLASSES).glob("*/"))}
    wanted = list(found)[-1] if name == NEWEST and found else name
    if wanted not in found:
        there = ", ".join(list(found)[-5:]) or "none so far"
        raise NotFound(f"There is no class {clean(name)}. The newest are: {there}.")
    return found[wanted]


def _is_held(path: Path) -> bool:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
