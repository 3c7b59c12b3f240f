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

What = tuple[Any, ...]
"""What is known by: a kind in words, what it is about, and what else tells it from others."""

LASTING: Final = frozenset(
    {"records", "rows", "listed", "entries", "named", "alike", "step", "ahead"}
)
"""The kinds of which those who write say what of them may be another afterwards."""

OF_PEOPLE: Final = tuple((kind, "*") for kind in ("entries", "named", "alike", "step", "ahead"))
"""What may be another after people, or what happened to them, were changed."""

ALL: Final = "*"
"""All that something of a kind may be about."""

MOST: Final = 16_384
"""So much is known in one lull; of more, all is forgotten."""

LASTS_S: Final = 10.0
"""No lull lasts longer: a database that was put back may come to the same count again."""

ANSWER: Final = timedelta(seconds=1)
"""For so long one answer serves whoever asks the same: time itself changes it, too."""


class Lull:
    """What is known of a database since its last change; under the pen, also before the next.

    Attributes:
        count: How many changes there were before.

    Args:
        under: What was known when the pen was taken; it stays as it is.
    """

    def __init__(self, count: int, under: Lull | None = None) -> None:
        self.count, self._under = count, under
        self._ends: float = under._ends if under else time.monotonic() + LASTS_S
        self._known: dict[str, dict[Hashable, dict[What, Any]]] = {}
        self._hidden: set[tuple[str, Hashable]] = set()
        self._size = 0
        self._answers: dict[Hashable, tuple[datetime, Any]] = {}

    def is_of(self, count: int) -> bool:
        """Whether it still lasts where there were so many changes."""
        return self.count == count and time.monotonic() < self._ends

    def get(self, what: What) -> Any:
        """Give what is known of something; None where nothing is."""
        kind, of = what[0], what[1]
        found = self._known.get(kind, {}).get(of, {}).get(what)
        if found is None and self._under is not None:
            is_hidden = (kind, of) in self._hidden or (kind, ALL) in self._hidden
            return None if is_hidden else self._under.get(what)
        return found

    def keep(self, what: What, found: Any) -> None:
        """Take note of something; it is shared, so nobody may change it."""
        if self._size >= MOST:
            self._known.clear()
            self._size = 0
        self._known.setdefault(what[0], {}).setdefault(what[1], {})[what] = found
        self._size += 1

    def about(self, kind: str) -> set[Hashable]:
        """Give what there is something known about of a kind."""
        under = self._under.about(kind) if self._under is not None else set()
        return {*self._known.get(kind, {})} | under

    def forget(self, *parts: tuple[str, Hashable]) -> None:
        """Know some parts no more: a kind and what it is about, or `ALL`; without any, nothing."""
        if not parts:
            self._known.clear()
            self._under = None
        for kind, of in parts:
            self._hidden.add((kind, of))
            if of == ALL:
                self._known.pop(kind, None)
            else:
                self._known.get(kind, {}).pop(of, None)

    def settled(self, count: int) -> Lull:
        """Give what is known once all is durable that was written; what was under it is taken.

        Whoever asked before that reads anew what they still need. Answers are given anew.
        """
        after, under = Lull(count), self._under
        after._ends = self._ends
        if under is not None:
            after._known, after._size = under._known, under._size
            under._known, under._size = {}, 0
            for part in self._hidden:
                after.forget(part)
            after._hidden.clear()
        for kind, parts in self._known.items():
            for of, found in parts.items():
                after._known.setdefault(kind, {}).setdefault(of, {}).update(found)
        after._known = {kind: parts for kind, parts in after._known.items() if kind in LASTING}
        after._size += self._size
        return after

    def answer(self, what: Hashable, now: datetime) -> Any:
        """Give the answer to a question, if it was given a moment ago; else None."""
        at, found = self._answers.get(what, (None, None))
        return found if at is not None and timedelta() <= now - at < ANSWER else None

    def answered(self, what: Hashable, now: datetime, found: T) -> T:
        """Take note of an answer, and give it."""
        if len(self._answers) >= MOST:
            self._answers.clear()
        self._answers[what] = (now, found)
        return found


def entries_of(users: tuple[str, ...]) -> What:
    """Return what the entries of users are known by in a lull; their ids in order."""
    return "entries", users


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
