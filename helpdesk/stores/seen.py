"""What this console saw of a log: what makes it a witness."""

from __future__ import annotations

import hashlib
from pathlib import Path

from helpdesk.domain.errors import Unreachable
from helpdesk.domain.text import clean
from helpdesk.stores.private import write_private


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
        return _text(self._rows)

    def keep(self, note: str) -> None:
        """Keep a checkpoint instead of the one before."""
        _write(self.path, note)

    def keep_rows(self, body: str) -> None:
        """Keep how the log is now."""
        _write(self._rows, body)

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
