"""Changes appended beside a long file, so that a change costs what it changes, not what there is.

change ─▶ one line at the end, one sync ─▶ durable      (the file itself is not touched)
file read ─▶ lines applied in their order, but for a last one that was cut short
journal long ─▶ file written whole under another name for its journal ─▶ the old lines count no more
"""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import msgspec

from helpdesk.domain.errors import BadFile

Changes = Mapping[str, Mapping[str, Any]]
"""Documents that were put, by table and key."""

JOURNAL: Final = "journal"
"""What `meta` calls the name of the journal that belongs to the file as it is."""

FROM: Final = 500_000
"""Bytes of a file from which on its changes are appended; a shorter one is written whole."""

SHARE: Final = 8
"""A journal is at most so many parts of its file long, but never less than `FROM`."""


class _Line(msgspec.Struct):
    """One transaction.

    Attributes:
        of: The name that the file gives to its journal: a line of another one is not applied.
    """

    of: str
    put: dict[str, dict[str, Any]]


class Journal:
    """The journal of one file.

    Args:
        path: That of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.parent.joinpath(f"{path.name}.journal")
        self._name = str(self.path)

    @property
    def size(self) -> int:
        """How many bytes there are; 0 where there is no journal."""
        try:
            return os.stat(self._name).st_size  # noqa: PTH116  (asked some forty times by an act)
        except FileNotFoundError:
            return 0
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:  # no file can be called so
                return 0
            raise

    def read(self, name: str, start: int = 0) -> tuple[list[Changes], int, int]:
        """Give the changes from a place on, where the last whole one ends, and how long it all is.

        Raises:
            OSError: It cannot be read.
            BadFile: A change is damaged that others follow, so it was not cut short.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                data = file.read()
        except FileNotFoundError:
            return [], 0, 0
        lines = data.splitlines(keepends=True)
        read = [_changes(line, name) for line in lines]
        found = [changes for changes in takewhile(lambda one: one is not None, read) if changes]
        end = start + sum(map(len, lines[: len(found)]))
        if any(read[len(found) :]):
            says = "is damaged, and whole changes follow it; it was not passed over"
            raise BadFile(str(self.path), f"byte {end}", says)
        return found, end, start + len(data)

    def append(self, name: str, changes: Changes, end: int) -> int:
        """Write changes durably behind the last whole ones; give where they end.

        Raises:
            OSError: They cannot be written; then nothing is.
        """
        text = msgspec.json.encode({"of": name, "put": changes})
        line = b"%08x %b\n" % (zlib.crc32(text), text)
        is_new = not self.path.exists()
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                os.ftruncate(handle, end)  # what was cut short, or counts no more
                written = end
                while written < end + len(line):
                    written += os.pwrite(handle, line[written - end :], written)
                os.fdatasync(handle)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(handle, end)
                raise
        finally:
            os.close(handle)
        if is_new:
            fsync_directory(self.path.parent)
        return end + len(line)

    def drop(self) -> None:
        """Remove it: the file holds all of it."""
        self.path.unlink(missing_ok=True)


def most(size: int) -> int:
    """Return how long the journal of a file of this size may be."""
    return max(FROM, size // SHARE)


def journal_of(tables: Mapping[str, Any]) -> str:
    """Return the name that a file gives to its journal; empty where it has none."""
    name = tables["meta"]["1"].get(JOURNAL)
    return name if isinstance(name, str) else ""


def flat(changes: Iterable[Changes]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give table and documents of all changes, in their order."""
    for each in changes:
        yield from each.items()


def applied(tables: Mapping[str, Any], changes: Iterable[Changes]) -> dict[str, Any]:
    """Return tables with what was put; those given stay as they are."""
    put: dict[str, dict[str, Any]] = {}
    for table, documents in flat(changes):
        put.setdefault(table, {}).update(documents)
    new = {table: tables.get(table, {}) | documents for table, documents in put.items()}
    return {**tables, **new}


def _changes(line: bytes, name: str) -> Changes | None:
    """Return the changes of a line; None where it is not whole, or of another journal."""
    check, _, text = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or check != b"%08x" % zlib.crc32(text):
        return None
    try:
        found = msgspec.json.decode(text, type=_Line)
    except msgspec.MsgspecError:
        return None
    return found.put if found.of == name else None


def fsync_directory(directory: Path) -> None:
    """Make a change outlast a loss of power, where the file system can.

    No error: the change is made and everybody sees it; to say that it failed would be false.
    """
    with suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
