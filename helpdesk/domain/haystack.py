"""Everybody's searched text as one string, so that a word is looked for at the speed of memory."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Final

from helpdesk.domain.entries import Entry, is_found
from helpdesk.domain.search import Query, is_beginning, number_in

BETWEEN: Final = "\0"
"""What parts one user's text from the next one's."""

_BEGINNING: Final = re.compile(r"(?<![^\W_])([a-z0-9])([a-z0-9]?)")


class Haystack:
    """Entries in their order, and which of them hold a word.

    What one or two letters begin is learned at the first such search, for all of them at once.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self._texts = _Texts([entry.blob for entry in entries])
        self._numbers = _Texts([entry.numbers for entry in entries])
        self._beginnings: dict[str, list[int]] = {}

    def found(self, query: Query, now: datetime) -> list[Entry]:
        """Give the entries that a query asks for, in their order."""
        everybody: Collection[int] = range(len(self.entries))
        places = [self._places(word) for word in query.words if BETWEEN not in word]
        fewest = min(places, key=len, default=everybody)
        found = [self.entries[place] for place in fewest]
        if query == Query(words=query.words[: len(places)][:1], sort=query.sort):
            return found  # one word and nothing else: where it is is all there is to know
        return [entry for entry in found if is_found(entry, query, now)]

    def _places(self, word: str) -> Collection[int]:
        """Where a word is, as `matches` has it."""
        needle = word.lstrip("#")
        if not needle:
            return range(len(self.entries))
        if is_beginning(needle):
            return self._begun(needle)
        found = self._texts.holding(needle)
        number = number_in(word)
        return sorted({*found, *self._numbers.holding(number)}) if number else found

    def _begun(self, letters: str) -> list[int]:
        if not self._beginnings:
            begun: dict[str, list[int]] = {}
            for place, entry in enumerate(self.entries):
                pairs = set(_BEGINNING.findall(entry.blob))
                for part in {one for one, _ in pairs} | {one + two for one, two in pairs if two}:
                    begun.setdefault(part, []).append(place)
            self._beginnings = begun
        return self._beginnings.get(letters, [])


class _Texts:
    """Texts behind one another."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._all = BETWEEN.join(texts)
        self._starts = [0, *accumulate(len(text) + 1 for text in texts)]

    def holding(self, part: str) -> list[int]:
        """Give the places of the texts that hold a part, in their order."""
        text, starts, places = self._all, self._starts, []
        at = text.find(part)
        while at >= 0:
            place = bisect_right(starts, at) - 1
            places.append(place)
            at = text.find(part, starts[place + 1])
        return places
