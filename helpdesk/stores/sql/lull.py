"""The time in which nobody writes: what was read in it once is not read again.

question ─▶ how many changes? ─ as before ─▶ the same lull: what is known in it, and what is not
                              └ others ────▶ a new one, in which nothing is known yet
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Hashable, Iterator
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

T = TypeVar("T")

MOST: Final = 16_384
"""So much is known in one lull; of more, all is forgotten."""

LASTS_S: Final = 10.0
"""No lull lasts longer: a database that was put back may come to the same count again."""

ANSWER: Final = timedelta(seconds=1)
"""For so long one answer serves whoever asks the same: time itself changes it, too."""


class Lull:
    """What is known of a database since its last change.

    Attributes:
        count: How many changes there were before.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._ends = time.monotonic() + LASTS_S
        self._known: dict[Hashable, Any] = {}

    def is_of(self, count: int) -> bool:
        """Whether it still lasts where there were so many changes."""
        return self.count == count and time.monotonic() < self._ends

    def get(self, what: Hashable) -> Any:
        """Give what is known of something; None where nothing is."""
        return self._known.get(what)

    def keep(self, what: Hashable, found: Any) -> None:
        """Take note of something; it is shared, so nobody may change it."""
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[what] = found

    def forget(self) -> None:
        """Know nothing any more: somebody writes."""
        self._known.clear()

    def answer(self, what: Hashable, now: datetime) -> Any:
        """Give the answer to a question, if it was given a moment ago; else None."""
        at, found = self._known.get(what, (None, None))
        return found if at is not None and timedelta() <= now - at < ANSWER else None

    def answered(self, what: Hashable, now: datetime, found: T) -> T:
        """Take note of an answer, and give it."""
        self.keep(what, (now, found))
        return found


class _Inside:
    """A question that began in a lull; what it leaves behind for later is no part of it."""

    __slots__ = ("is_open", "lull", "of")

    def __init__(self, of: object, lull: Lull) -> None:
        self.of, self.lull, self.is_open = of, lull, True


_INSIDE: ContextVar[_Inside | None] = ContextVar("lull", default=None)


@contextlib.contextmanager
def inside(of: object, lull: Lull) -> Iterator[Lull]:
    """Let whoever reads a database inside take what is known in the lull."""
    one = _Inside(of, lull)
    token = _INSIDE.set(one)
    try:
        yield lull
    finally:
        one.is_open = False
        _INSIDE.reset(token)


def lull_of(of: object) -> Lull | None:
    """Return the lull of a database that the question under way began in."""
    one = _INSIDE.get()
    return one.lull if one is not None and one.is_open and one.of is of else None


def end_lull() -> None:
    """Take what is read from here on as it is: whoever asks writes themselves."""
    one = _INSIDE.get()
    if one is not None:
        one.is_open = False
