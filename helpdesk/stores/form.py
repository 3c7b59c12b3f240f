"""How the tables of a desk stand in a file: one JSON object, one document a line."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from helpdesk.domain.errors import BadFile
from helpdesk.stores.shelf import TOLD, Places, Shelf

FORMAT: Final = "helpdesk-fixture/1"
"""What `meta.format` says in a file of ours."""

Tables = dict[str, Any]
"""Documents by table and key: each table a dict, or a `Shelf` where the file is long."""


def tables_of(data: bytes, name: str, backup: Path | None = None) -> dict[str, dict[str, Any]]:
    """Return the tables of a fixture file's bytes.

    Raises:
        BadFile: It is empty, truncated, not JSON, or not a file of ours; the sentence names the
            way back.
    """
    back = f" {way_back(backup)}" if backup else ""
    if not data.strip():
        raise BadFile(name, "", f"is empty; it was not made a new one.{back}")
    try:
        tables = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadFile(name, "", f"is damaged or cut short ({error}).{back}") from error
    checked(tables, name, backup)
    for table, documents in tables.items():
        if not isinstance(documents, dict) or not all(
            isinstance(d, dict) for d in documents.values()
        ):
            raise BadFile(name, table, f"is not a table of documents.{back}")
    return tables  # type: ignore[no-any-return]


def checked(tables: Tables, name: str, backup: Path | None = None) -> Tables:
    """Return the tables of a file, which says that it is a desk's.

    Raises:
        BadFile: It does not.
    """
    given: object = tables
    meta = tables.get("meta") if isinstance(given, dict) else None
    first = meta.get("1") if isinstance(meta, Mapping) else None
    if not isinstance(first, dict) or first.get("format") != FORMAT:
        back = f" {way_back(backup)}" if backup else ""
        raise BadFile(name, "meta.1.format", f"is not a desk's file ({FORMAT} is expected).{back}")
    return tables


def way_back(backup: Path) -> str:
    """Return how one goes on with a file that is damaged."""
    if not backup.exists():
        return "Put a copy of it back; helpdesk fixture reset begins the demo anew."
    return (
        f"The previous generation is {backup}: copy it in its place; "
        "helpdesk fixture reset begins the demo anew."
    )


def encoded_table(documents: Mapping[str, Any]) -> str:
    """Return a table as it stands in a file.

    One document a line, so that two versions can be compared.
    """
    lines = ",\n".join(
        f"{msgspec.json.encode(str(key)).decode()}: {msgspec.json.encode(document).decode()}"
        for key, document in documents.items()
    )
    return f"{{\n{lines}\n}}" if lines else "{}"


def written(tables: Tables, parts: Mapping[str, str], places: dict[str, Places]) -> Iterator[bytes]:
    """Give the bytes of a file.

    Args:
        tables: What is in it.
        parts: The tables of it that are encoded; all others lie in a file.
        places: Filled with where each document lies.

    Raises:
        OSError: A file in which a table lies is shorter than it was.
    """
    at, before = 0, b"{\n"
    for table, documents in tables.items():
        head = before + f'"{table}": {{'.encode()
        yield head
        line = _Lines(at + len(head))
        yield from (
            line.encoded(documents, parts[table]) if table in parts else line.shelved(documents)
        )
        end = b"\n}" if line.are_any else b"}"
        yield end
        at, before = line.at + len(end), b",\n"
        places[table] = line.places
    yield b"\n}\n"


class _Lines:
    """The documents of one table on their way into a file, one a line.

    Attributes:
        at: Where the next byte comes to lie.
        are_any: Whether there is one already.
    """

    def __init__(self, at: int) -> None:
        self.at, self.are_any = at, False
        self._keys, self._starts, self._ends = array("q"), array("Q"), array("Q")

    @property
    def places(self) -> Places:
        """Where those with a number for a key lie."""
        return Places(self._keys, self._starts, self._ends)

    def encoded(self, documents: Mapping[str, Any], part: str) -> Iterator[bytes]:
        """Give the documents of a table that is encoded."""
        lines = part.split("\n")[1:-1]
        for key, line in zip(documents, lines, strict=True):
            yield self._one(key, line.partition(": ")[2].removesuffix(",").encode())

    def shelved(self, shelf: Shelf) -> Iterator[bytes]:
        """Give the documents of a table that lies in a file, as they stand there but for the put.

        Those between two that were put are one piece of that file, and are copied as such.
        """
        put = {place: key for key in shelf.put if (place := shelf.place(key)) is not None}
        first = 0
        for place in sorted(put):
            yield from self._run(shelf, first, place)
            yield self._one(put[place], msgspec.json.encode(shelf.put[put[place]]))
            first = place + 1
        yield from self._run(shelf, first, len(shelf.places.keys))
        for key, document in shelf.put.items():
            if shelf.place(key) is None:
                yield self._one(key, msgspec.json.encode(document))

    def _one(self, key: str, body: bytes) -> bytes:
        line = b"%b%b: %b" % (self._before(), msgspec.json.encode(key), body)
        self.at += len(line)
        if key.isdigit():
            self._keys.append(int(key))
            self._starts.append(self.at - len(body))
            self._ends.append(self.at)
        return line

    def _run(self, shelf: Shelf, first: int, last: int) -> Iterator[bytes]:
        """Give documents that lie behind one another in a file; where they lie is moved."""
        if first == last:
            return
        before = self._before()
        yield before
        places = shelf.places
        start = places.starts[first] - len(f'"{places.keys[first]}": ')
        self.at += len(before)
        by = self.at - start
        for begin in range(first, last, TOLD):
            end = min(begin + TOLD, last)
            self._keys.extend(places.keys[begin:end])
            self._starts.extend(map(by.__add__, places.starts[begin:end]))
            self._ends.extend(map(by.__add__, places.ends[begin:end]))
        for data in shelf.handle.pieces(start, places.ends[last - 1]):
            yield data
            self.at += len(data)

    def _before(self) -> bytes:
        before, self.are_any = b",\n" if self.are_any else b"\n", True
        return before


def without(parts: dict[str, str], tables: set[str]) -> dict[str, str]:
    """Return the encoded tables but these."""
    return {table: part for table, part in parts.items() if table not in tables}
