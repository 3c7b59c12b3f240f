"""The time in which nobody writes: what was read in it once is not read again.

question ─▶ how many changes? ─ as before ─▶ the same lull: what is known in it, and what is not
                              └ others ────▶ a new one, in which nothing is known yet
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Hashable, Sequence
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from helpdesk.domain.alike import shape
from helpdesk.domain.users import User

T = TypeVar("T")

What = tuple[Any, ...]
"""What is known by: a kind in words, what it is about, and what else tells it from others."""

LASTING: Final = frozenset(
    {"records", "rows", "listed", "entries", "named", "alike", "step", "ahead", "turn"}
)
"""The kinds of which those who write say what of them may be another afterwards."""

SEVERAL: Final = frozenset({"listed", "entries", "alike"})
"""The kinds that are about several things at once; about none of them is about all."""

OF_PEOPLE: Final = tuple(
    (kind, "*") for kind in ("entries", "named", "alike", "step", "ahead", "turn")
)
"""What may be another after people, or what happened to them, were changed."""

ALL: Final = "*"
"""All that something of a kind may be about."""

MOST: Final = 16_384
"""So much is known in one lull; of more, all is forgotten."""

LASTS_S: Final = 10.0
"""No lull lasts longer: a database that was put back may come to the same count again."""

ANSWER: Final = timedelta(seconds=1)
"""For so long one answer serves whoever asks the same: time itself changes it, too.

Of lists it is known until when it does not.
"""


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
        self._changed: dict[str, set[Hashable]] = {}
        self._is_all_changed = False
        self._size = 0
        self._answers: dict[Hashable, tuple[datetime, datetime, Any]] = {}
        self._keeping = threading.Lock()  # who reads in a thread keeps it there

    def is_of(self, count: int) -> bool:
        """Whether it still lasts where there were so many changes."""
        return self.count == count and time.monotonic() < self._ends

    def get(self, what: What) -> Any:
        """Give what is known of something; None where nothing is."""
        kind, of = what[0], what[1]
        found = self._known.get(kind, {}).get(of, {}).get(what)
        if found is None and self._under is not None:
            is_changed = _is_changed(kind, of, self._changed.get(kind, ()))
            return None if is_changed else self._under.get(what)
        return found

    def keep(self, what: What, found: Any) -> None:
        """Take note of something; it is shared, so nobody may change it."""
        with self._keeping:
            if self._size >= MOST:
                self._known.clear()
                self._size = 0
            self._known.setdefault(what[0], {}).setdefault(what[1], {})[what] = found
            self._size += 1

    def forget(self, *parts: tuple[str, Hashable]) -> None:
        """Know some parts no more: a kind and what it is about, or `ALL`; without any, nothing."""
        self._answers.clear()
        if not parts:
            self._is_all_changed = True
            self.drop()
        for kind, of in parts:
            self._changed.setdefault(kind, set()).add(of)
            _drop(self._known.get(kind, {}), kind, {of})

    def drop(self) -> None:
        """Know nothing any more, though no more was changed."""
        self._answers.clear()
        self._known.clear()
        self._under = None

    @property
    def changed(self) -> Sequence[tuple[str, Any]] | None:
        """The parts that are known no more, as `forget` was told; None for all."""
        if self._is_all_changed:
            return None
        return [(kind, of) for kind, changed in self._changed.items() for of in changed]

    def without(self, parts: Sequence[tuple[str, Hashable]], count: int) -> Lull:
        """Give what is known after so many changes, which others made, of other parts alone."""
        after = Lull(0, self)
        if parts:
            after.forget(*parts)
        return after.settled(count)

    def settled(self, count: int) -> Lull:
        """Give what is known once all is durable that was written; what was under it is taken.

        Whoever asked before that reads anew what they still need. Answers are given anew. What
        others read while it was being written is looked at as well: it is of before.
        """
        after, under = Lull(count), self._under
        after._ends = self._ends
        if under is not None:
            with under._keeping:  # what comes later is for nobody
                after._known, after._size = under._known, under._size
                under._known, under._size = {}, 0
            for kind, changed in self._changed.items():
                _drop(after._known.get(kind, {}), kind, changed)
        for kind, parts in self._known.items():
            for of, found in parts.items():
                after._known.setdefault(kind, {}).setdefault(of, {}).update(found)
        after._known = {kind: parts for kind, parts in after._known.items() if kind in LASTING}
        after._size += self._size
        return after

    def answer(self, what: Hashable, now: datetime) -> Any:
        """Give the answer to a question, if it still holds; else None."""
        kept = self._answers.get(what)
        return kept[2] if kept is not None and kept[0] <= now < kept[1] else None

    def answered(self, what: Hashable, now: datetime, found: T, until: datetime | None = None) -> T:
        """Take note of an answer, and give it; it holds for `ANSWER`, or *until* another moment."""
        if len(self._answers) >= MOST:
            self._answers.clear()
        self._answers[what] = (now, until or now + ANSWER, found)
        return found


def _is_changed(kind: str, of: Hashable, changed: Collection[Hashable]) -> bool:
    """Whether what is known of a kind about something may be another, as some of it was changed."""
    if not changed:
        return False
    if of in changed or ALL in changed:
        return True
    several: Any = of if kind in SEVERAL else None
    return several is not None and (not several or any(one in changed for one in several))


def _drop(known: dict[Hashable, Any], kind: str, changed: Collection[Hashable]) -> None:
    """Know no more of a kind what may be another."""
    if kind in SEVERAL or ALL in changed:
        for of in [of for of in known if _is_changed(kind, of, changed)]:
            del known[of]
        return
    for of in changed:
        known.pop(of, None)


def entries_of(users: tuple[str, ...]) -> What:
    """Return what the entries of users are known by in a lull; their ids in order."""
    return "entries", users


def named(login: str) -> What:
    """Return what the users of a login, in small letters, are known by in a lull."""
    return "named", login


def shapes(user: User) -> tuple[str, str]:
    """Return what others look like who could be taken for a user."""
    return shape(user.name), shape(user.login)


def alike(user: User, account: str | None, limit: int) -> What:
    """Return what those who could be taken for a user are known by in a lull."""
    return "alike", shapes(user), user.id, account, limit


class Inside:
    """A question that began in a lull: whoever reads the database in it takes what is known.

    What it leaves behind for later is no part of it.
    """

    __slots__ = ("_token", "is_open", "lull", "of")

    def __init__(self, of: object, lull: Lull) -> None:
        self.of, self.lull, self.is_open = of, lull, True
        self._token = _INSIDE.set(self)

    def end(self) -> None:
        """Begin what is asked from here on outside."""
        self.is_open = False
        _INSIDE.reset(self._token)


_INSIDE: ContextVar[Inside | None] = ContextVar("lull", default=None)


def lull_of(of: object) -> Lull | None:
    """Return the lull of a database that the question under way began in."""
    one = _INSIDE.get()
    return one.lull if one is not None and one.is_open and one.of is of else None


def end_lull() -> None:
    """Take what is read from here on as it is: whoever asks writes themselves."""
    one = _INSIDE.get()
    if one is not None:
        one.is_open = False
