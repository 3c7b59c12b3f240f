"""Documents of a long file, each read from its place when it is asked for.

    file ─▶ where each document lies ─▶ a document, read from there
    change ─▶ kept beside it in memory; the file is as it was

A file has places as long as it stands as we write it (`form`): a document a line. Any other is
read whole.
"""

from __future__ import annotations

import errno
import os
import weakref
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from helpdesk.domain.errors import BadFile

AT_ONCE: Final = 1 << 20
"""So many bytes are read at once where all documents are."""

TOLD: Final = 5_000
"""After so many lines one hears how far it is."""

Tell = Callable[[float], None]
"""Takes which share of all that is to be done is done."""

SHARE: Final = 0.3
"""Looking where documents lie is this share of reading a file for the first time."""


class Handle:
    """A file open for reading, the same one also when another takes its name.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        weakref.finalize(self, os.close, self.number)
        self.mark = self.mark_now()
        self.size = os.fstat(self.number).st_size

    def mark_now(self) -> str:
        """Give what is another for another file, or another state of it; `mark` is the first."""
        now = os.fstat(self.number)
        return f"{now.st_dev} {now.st_ino} {now.st_size} {now.st_mtime_ns} {now.st_ctime_ns}"

    def read(self, start: int, end: int) -> bytes:
        """Give the bytes from one place to another; fewer where the file is shorter."""
        return os.pread(self.number, end - start, start)

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        """Give the bytes from one place to another, one piece after the other.

        Raises:
            OSError: The file is shorter.
        """
        while start < end:
            data = self.read(start, min(start + AT_ONCE, end))
            if not data:
                raise OSError(errno.EIO, "cut short")
            yield data
            start += len(data)


class Places(NamedTuple):
    """Where the documents of a table lie, in the order of the file.

    Attributes:
        keys: Their ids.
        starts: Where each begins, in bytes.
        ends: Where each has ended.
    """

    keys: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]


class Shelf(Mapping[str, Any]):
    """The documents of one table, by id; never changed in place.

    Args:
        table: Its name.
        handle: The file.
        places: Where they lie in it.
        put: Documents that are new, or instead of those in the file.
    """

    def __init__(
        self, table: str, handle: Handle, places: Places, put: Mapping[str, Any] | None = None
    ) -> None:
        self.table, self.handle, self.places = table, handle, places
        self.put = put or {}
        keys = places.keys
        count = len(keys)
        self._is_rising = count < 2 or keys[-1] - keys[0] == count - 1  # as all ids differ
        self._known: dict[int, int] | None = None
        self._new = self._without_place(self.put)

    def __getitem__(self, key: str) -> Any:
        if key in self.put:
            return self.put[key]
        place = self.place(key)
        if place is None:
            raise KeyError(key)
        return self._decoded(key, self.body(place))

    def __iter__(self) -> Iterator[str]:
        yield from map(str, self.places.keys)
        yield from self._new

    def __len__(self) -> int:
        return len(self.places.keys) + len(self._new)

    def __contains__(self, key: object) -> bool:
        return key in self.put or (isinstance(key, str) and self.place(key) is not None)

    def __or__(self, more: Mapping[str, Any]) -> Shelf:
        """Return it with documents that are new, or instead of what was there."""
        later = copy(self)  # what is there is not looked through again
        new = self._without_place(key for key in more if key not in self.put)
        later.put, later._new = {**self.put, **more}, [*self._new, *new]
        return later

    def items(self) -> Any:
        """Give all documents with their ids, in the order of the file."""
        for key, body in self.bodies():
            yield key, self._decoded(key, body) if isinstance(body, bytes) else body

    def values(self) -> Any:
        """Give all documents, in the order of the file."""
        for _, document in self.items():
            yield document

    def bodies(self) -> Iterator[tuple[str, Any]]:
        """Give all with their ids: as bytes what lies in the file, as a document what was put."""
        keys, starts, ends = self.places.keys, self.places.starts, self.places.ends
        put, count, first = self.put, len(self.places.keys), 0
        while first < count:
            begin = starts[first]
            last = bisect_left(starts, begin + AT_ONCE, first + 1, count)
            data = self.handle.read(begin, ends[last - 1])
            for place in range(first, last):
                key = str(keys[place])
                if key in put:
                    yield key, put[key]
                else:
                    yield key, data[starts[place] - begin : ends[place] - begin]
            first = last
        for key in self._new:
            yield key, put[key]

    def kept(self, key: str) -> bytes | None:
        """Give a document as it stands in the file; None where there is none, or another put."""
        place = None if key in self.put else self.place(key)
        return None if place is None else self.body(place)

    def body(self, place: int) -> bytes:
        """Give the document at a place of the file, as it stands there."""
        return self.handle.read(self.places.starts[place], self.places.ends[place])

    def place(self, key: str) -> int | None:
        """Give the place in the file of the document with this id; None where there is none."""
        if not (key.isascii() and key.isdigit()):
            return None
        number, keys = int(key), self.places.keys
        if str(number) != key or not keys:
            return None
        if self._is_rising:
            place = number - keys[0]
            return place if 0 <= place < len(keys) and keys[place] == number else None
        if self._known is None:
            self._known = {number: place for place, number in enumerate(keys)}
        return self._known.get(number)

    def _without_place(self, keys: Iterable[str]) -> list[str]:
        return [key for key in keys if self.place(key) is None]

    def _decoded(self, key: str, body: bytes) -> Any:
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise self.damaged(key, str(error)) from error

    def damaged(self, key: str, says: str) -> BadFile:
        """Return the error for a document that is none."""
        return BadFile(str(self.handle.path), f"{self.table}.{key}", f"is damaged ({says})")


def has_put(table: object) -> bool:
    """Return whether a table holds what does not lie in a file."""
    return bool(table.put if isinstance(table, Shelf) else table)


def laid_out(handle: Handle, tell: Tell | None = None) -> dict[str, Places] | None:
    """Return where the documents of each table lie; None where it is not one document a line.

    Every document is looked at: each is JSON, and each id stands once.
    """
    scan = _Scan()
    with os.fdopen(os.dup(handle.number), "rb", AT_ONCE) as file:
        file.seek(0)
        for number, line in enumerate(file):
            if not scan.take(line):
                return None
            if tell is not None and number % TOLD == 0:
                tell(SHARE * scan.at / handle.size)
    return scan.found()


_Filled: TypeAlias = "tuple[array[int], array[int], array[int]]"


def _places() -> _Filled:
    return array("q"), array("Q"), array("Q")


class _Scan:
    """A walk through the lines of a file; each must be what the one before says comes next."""

    def __init__(self) -> None:
        self._tables: dict[str, _Filled] = {}
        self.at = 0
        self._is_over = False
        self._take = self._first
        self._current = _places()
        self._is_more = True
        self._json = msgspec.json.Decoder(msgspec.Raw)

    def take(self, line: bytes) -> bool:
        """Take the next line; False where it is none of ours."""
        is_ours = self._take(line)
        self.at += len(line)
        return is_ours

    def found(self) -> dict[str, Places] | None:
        """Give the places, by table; None where the file did not end, or an id stands twice."""
        if not self._is_over or not all(_are_single(keys) for keys, _, _ in self._tables.values()):
            return None
        return {table: Places(*places) for table, places in self._tables.items()}

    def _first(self, line: bytes) -> bool:
        self._take = self._table
        return line == b"{\n"

    def _table(self, line: bytes) -> bool:
        """Take the line that begins a table, or the one that ends the file."""
        if not self._is_more:
            self._is_over, self._take = True, self._nothing
            return line == b"}\n"
        name, colon, rest = line.partition(b": ")
        try:
            table = msgspec.json.decode(name, type=str)
        except msgspec.DecodeError:
            return False
        if not colon or table in self._tables:
            return False
        self._current = self._tables[table] = _places()
        if rest in {b"{},\n", b"{}\n"}:
            self._is_more = rest == b"{},\n"
            return True
        self._take = self._document
        return rest == b"{\n"

    def _document(self, line: bytes) -> bool:
        colon = line.find(b'": ', 1, 24)
        key = line[1:colon]
        if line[:1] != b'"' or colon < 0 or not key.isdigit() or len(key) > 18:
            return False
        if key[:1] == b"0" and len(key) > 1:
            return False
        is_more = line.endswith(b",\n")
        start, end = colon + 3, len(line) - 1 - is_more
        body = line[start:end]
        if body[:1] != b"{" or not line.endswith(b"\n") or not self._is_json(body):
            return False
        for numbers, one in zip(
            self._current, (int(key), self.at + start, self.at + end), strict=True
        ):
            numbers.append(one)
        if not is_more:
            self._take = self._end
        return True

    def _end(self, line: bytes) -> bool:
        self._is_more, self._take = line == b"},\n", self._table
        return line in {b"},\n", b"}\n"}

    def _nothing(self, line: bytes) -> bool:
        return False

    def _is_json(self, body: bytes) -> bool:
        try:
            self._json.decode(body)
            return body.isascii() or bool(body.decode())
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False


def _are_single(keys: Sequence[int]) -> bool:
    is_rising = all(one < other for one, other in pairwise(keys))
    return is_rising or len(set(keys)) == len(keys)
