"""What this console saw of a log: what makes it a witness."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zlib
from pathlib import Path
from typing import Final

import msgspec

from helpdesk.domain.errors import Unreachable
from helpdesk.domain.text import clean
from helpdesk.stores.private import write_private

MOST: Final = 16 * 1024
"""Bytes from which on the file of rows is written anew: only its last line counts."""


class Seen:
    """The last checkpoint and the last rows seen of a desk, in the data directory, away from it.

    Args:
        directory: The data directory.
        desk: The desk's file, or the address of its database, from wherever it is opened.

    Attributes:
        name: What it is kept in, as its own agents may read it: where a database is, they may not.

    Raises, from any use:
        Unreachable: It cannot be read or written.
    """

    def __init__(self, directory: Path, desk: Path | str) -> None:
        place = desk if isinstance(desk, str) else str(desk.resolve())
        self.name = "the desk's database" if isinstance(desk, str) else clean(str(desk))
        name = hashlib.sha256(place.encode()).hexdigest()[:16]
        self.path = directory / "seen" / f"{name}.checkpoint"
        self._rows = self.path.with_suffix(".rows")

    def last(self) -> str:
        """Give the text of the last checkpoint seen; empty where none was."""
        return _text(self.path)

    def rows(self) -> str:
        """Give how the log was when it was seen last, unsigned; empty where it never was."""
        text = _text(self._rows)
        found = (_body(line) for line in reversed(text.split("\n")))
        return next((body for body in found if body is not None), text)

    def keep(self, note: str) -> None:
        """Keep a checkpoint instead of the one before."""
        _write(self.path, note)

    def keep_rows(self, body: str) -> None:
        """Keep how the log is now, behind how it was.

        With every act: to give a file the name of another takes longer than all else that is done
        with the disk, and the sync of the next act waits for it.
        """
        line = _line(body)
        try:
            if not _is_appended(self._rows, line):
                write_private(self._rows, line, is_durable=False)
        except OSError as error:
            raise Unreachable(f"{self._rows}: {error.strerror}.") from error

    def forget(self) -> None:
        """Begin anew, as after a fixture was started over on purpose."""
        self.path.unlink(missing_ok=True)
        self._rows.unlink(missing_ok=True)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise Unreachable(f"{path}: {error.strerror}.") from error


def _write(path: Path, text: str) -> None:
    try:
        write_private(path, text.encode(), is_durable=False)
    except OSError as error:
        raise Unreachable(f"{path}: {error.strerror}.") from error


def _line(body: str) -> bytes:
    text = msgspec.json.encode(body)  # a line begins anew behind one that was cut short
    return b"\n%08x %b" % (zlib.crc32(text), text)


def _body(line: str) -> str | None:
    """What a line keeps; None where it is not whole."""
    check, _, text = line.partition(" ")
    if check != f"{zlib.crc32(text.encode()):08x}":
        return None
    with contextlib.suppress(msgspec.MsgspecError):
        return msgspec.json.decode(text, type=str)
    return None


def _is_appended(path: Path, line: bytes) -> bool:
    """Append a line to a file; False where there is none, or it is long enough."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND)
    except FileNotFoundError:
        return False
    try:
        return os.fstat(handle).st_size < MOST and os.write(handle, line) == len(line)
    finally:
        os.close(handle)
