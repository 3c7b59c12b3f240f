"""What the documents of a table call themselves, so that one is found by its name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec

from helpdesk.stores.shelf import Shelf


class Named(msgspec.Struct):
    """What a document calls itself."""

    id: Any = ""


class Names:
    """The names in a table as it is at one moment.

    Args:
        documents: The table.
        before: The names of the moment before: of a file that stands none is read again.
    """

    def __init__(self, documents: Mapping[str, Any], before: Names | None = None) -> None:
        self.documents = documents
        shelf = documents if isinstance(documents, Shelf) else None
        self._put = documents if shelf is None else shelf.put
        self._lies = None if shelf is None else shelf.places
        if before is not None and "_filed" in vars(before) and before._lies is self._lies:
            self._filed = before._filed

    @property
    def is_read(self) -> bool:
        """Whether nothing of a file need be read any more to find one."""
        return self._lies is None or "_filed" in vars(self)

    def key(self, name: str) -> int | None:
        """Give the id of the document that calls itself *name*; None where none does."""
        if not name:
            return None
        key = self._filed[0].get(name)
        if key is not None and _name_of(self._put.get(str(key), {"id": name})) == name:
            return key
        put = (int(key) for key, document in self._put.items() if _name_of(document) == name)
        return next(put, None)

    def free(self) -> int:
        """Give an id that no document has."""
        return max([self._filed[1], *map(int, self._put)]) + 1

    @cached_property
    def _filed(self) -> tuple[dict[str, int], int]:
        """The ids of the documents that lie in a file, by their names, and the highest id."""
        if not isinstance(self.documents, Shelf):
            return {}, 0
        places = self.documents.places
        lies = Shelf(self.documents.table, self.documents.handle, places)
        read = msgspec.json.Decoder(Named).decode
        known = {str(read(body).id): int(key) for key, body in lies.bodies()}
        return known, max(places.keys, default=0)


def _name_of(document: Mapping[str, Any]) -> str:
    return str(document.get("id", ""))
