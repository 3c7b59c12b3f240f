"""The records of one table in memory, and those of one user without a look at the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

AT_ONCE: Final = 256
"""So many values are compared in one go: most are the very same, which takes no time to see."""


class Owned(Protocol):
    """A record about a user."""

    @property
    def user(self) -> str:
        """Their id."""
        ...


R = TypeVar("R", bound=Owned)


class Listed(Generic[R]):
    """Records in the order of the file, as they are at one moment; never changed in place.

    Args:
        all_: All of them.
        before: Those of the moment before: what is the same is not looked at again.
    """

    def __init__(self, all_: tuple[R, ...] = (), before: Listed[R] | None = None) -> None:
        self._all = all_
        self._places = self._as_before(before) if type(before) is Listed else None

    @property
    def all(self) -> tuple[R, ...]:
        """All of them."""
        return self._all

    @property
    def is_read(self) -> bool:
        """Whether none need be read any more to give all."""
        return True

    def of(self, user: str) -> Sequence[R]:
        """Give those of a user."""
        if self._places is None:
            self._places = _with({}, self._all, range(len(self._all)))
        return [self._all[place] for place in self._places.get(user, ())]

    def changed(self, before: Listed[R]) -> set[str] | None:
        """Give whose are others than before; None where that cannot be said."""
        places = self.others(before) if type(before) is Listed else None
        return None if places is None else {self._all[place].user for place in places}

    def others(self, before: Listed[R]) -> list[int] | None:
        """Give at which places there is another record than before.

        None where that cannot be said: some are gone, or became another user's.
        """
        now, then = self.all, before.all
        places = others(now, then)
        if len(now) < len(then):
            return None
        if any(now[place].user != then[place].user for place in places if place < len(then)):
            return None
        return places

    def _as_before(self, before: Listed[R]) -> dict[str, tuple[int, ...]] | None:
        """Where the records of each user stand; None where it is to be looked for again."""
        known, others = before._places, self.others(before)
        if known is None or others is None:
            return None
        new = [place for place in others if place >= len(before.all)]
        return _with(known, self.all, new) if new else known


def others(now: tuple[Any, ...], then: tuple[Any, ...]) -> list[int]:
    """Return at which places another value stands *now* than *then*, or a new one."""
    found: list[int] = []
    end = min(len(now), len(then))
    for begin in range(0, end if now is not then else 0, AT_ONCE):
        some = slice(begin, min(begin + AT_ONCE, end))
        if now[some] != then[some]:
            found += (place for place in range(end)[some] if now[place] != then[place])
    return [*found, *range(len(then), len(now))]


def _with(
    known: dict[str, tuple[int, ...]], all_: Sequence[Owned], new: Sequence[int]
) -> dict[str, tuple[int, ...]]:
    """Return where the records of each user stand, with new ones."""
    places = known.copy()
    for place in new:
        user = all_[place].user
        places[user] = (*places.get(user, ()), place)
    return places
