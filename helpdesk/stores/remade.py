"""Values made of the documents of a table, and made anew only of those that became others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Generic, TypeVar

from helpdesk.stores.shelf import Shelf

V = TypeVar("V")


class Remade(Generic[V]):
    """The values of one table, in the order of its documents.

    A document is another where it is another object: none is changed in place.

    Args:
        make: Gives the value of a document, by its id, as it lies in the file or as it was put,
            and how far its times are moved.
    """

    def __init__(self, make: Callable[[str, Any, timedelta], V]) -> None:
        self.make = make
        self._of: object = None
        self._by = timedelta()
        self._lies: object = None
        self._filed: list[V] = []
        self._put: dict[str, tuple[Any, V]] = {}
        self._at: dict[str, int] = {}  # where the value of what was put stands
        self._values: tuple[V, ...] = ()
        self._making = threading.Lock()

    def values(self, documents: Mapping[str, Any], by: timedelta) -> tuple[V, ...]:
        """Give the value of each document, its times moved."""
        with self._making:
            return self._now(documents, by)

    def _now(self, documents: Mapping[str, Any], by: timedelta) -> tuple[V, ...]:
        if self._by != by:
            self._of, self._lies, self._put, self._by = None, None, {}, by
        if self._of is documents:
            return self._values
        if isinstance(documents, Shelf):
            self._values = self._shelved(documents)
        else:
            self._put = {key: self._made(key, document) for key, document in documents.items()}
            self._values, self._lies = tuple(value for _, value in self._put.values()), None
        self._of = documents
        return self._values

    def _shelved(self, shelf: Shelf) -> tuple[V, ...]:
        if self._lies is not shelf.places:
            bare = Shelf(shelf.table, shelf.handle, shelf.places)
            self._filed = [self.make(key, body, self._by) for key, body in bare.bodies()]
            self._lies = shelf.places
            self._put = {}
        if not (self._put and self._put.keys() <= shelf.put.keys()):
            self._put, self._at, self._values = {}, {}, tuple(self._filed)
        values, known = [*self._values], self._put
        made = {  # all of it, before any of it is taken in: a document may be damaged
            key: (document, self.make(key, document, self._by))
            for key, document in shelf.put.items()
            if key not in known or known[key][0] is not document
        }
        for key, (_, value) in made.items():
            place = self._at.get(key)
            if place is None:
                there = shelf.place(key)
                place = self._at[key] = len(values) if there is None else there
            values[place : place + 1] = [value]
        known |= made
        return tuple(values)

    def _made(self, key: str, document: Any) -> tuple[Any, V]:
        before = self._put.get(key)
        if before is not None and before[0] is document:
            return before
        return document, self.make(key, document, self._by)
