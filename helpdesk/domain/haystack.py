"""Texts behind one another, in which a word is looked for at the speed of memory."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

BETWEEN: Final = "\0"
"""What ends one user's text; in a text itself it stands as a new line, which no word holds."""

AT_ONCE: Final = 120 << 10
"""So many bytes are looked through before others have their turn."""

_BEGINNING: Final = re.compile(r"(?<![^\W_])([a-z0-9])([a-z0-9]?)")


class Bytes(Protocol):
    """Where texts lie, in memory or in a file."""

    def read(self, start: int, end: int) -> bytes:
        """Give the bytes from one place to another."""
        ...


class Texts:
    """Texts behind one another, each ended by `BETWEEN`, as UTF-8.

    Args:
        lies: Where.
        starts: Where each begins, and where the last one has ended.
    """

    def __init__(self, lies: Bytes, starts: Sequence[int]) -> None:
        self._lies, self._starts = lies, starts

    def __getitem__(self, place: int) -> str:
        return self._lies.read(self._starts[place], self._starts[place + 1] - 1).decode()

    def holding(self, part: str) -> Iterator[int]:
        """Give the places of the texts that hold a part, in their order."""
        if BETWEEN in part:  # which is in none
            return
        needle, starts, count = part.encode(), self._starts, len(self._starts) - 1
        first = 0
        while first < count:
            last = bisect_left(starts, starts[first] + AT_ONCE, first + 1, count)
            data = self._lies.read(starts[first], starts[last])
            place, before, at = first, 0, data.find(needle)
            while at >= 0:
                place += data.count(b"\0", before, at)
                yield place
                before = data.find(b"\0", at)
                at = data.find(needle, before)
            first = last


def ended(text: str) -> bytes:
    """Return a text as it stands among others."""
    return text.replace(BETWEEN, "\n").encode() + b"\0"


def beginnings(text: str) -> set[str]:
    """Return the one and two letters with which the words of a folded text begin."""
    pairs = set(_BEGINNING.findall(text))
    return {one for one, _ in pairs} | {one + two for one, two in pairs if two}
