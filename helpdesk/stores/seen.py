"""The last checkpoint this console saw of a log: what makes it a witness."""

from __future__ import annotations

import hashlib
from pathlib import Path

from helpdesk.domain.errors import Unreachable
from helpdesk.stores.private import write_private


class Seen:
    """One checkpoint a desk's file, in the data directory, away from the file itself.

    Raises, from any use:
        Unreachable: It cannot be read or written.
    """

    def __init__(self, directory: Path, desk: Path) -> None:
        name = hashlib.sha256(str(desk.resolve()).encode()).hexdigest()[:16]
        self.path = directory / "seen" / f"{name}.checkpoint"

    def last(self) -> str:
        """Give the text of the last checkpoint seen; empty where none was."""
        try:
            return self.path.read_text("utf-8", "replace")
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise Unreachable(f"{self.path}: {error.strerror}.") from error

    def keep(self, note: str) -> None:
        """Keep a checkpoint instead of the one before."""
        try:
            write_private(self.path, note.encode(), is_durable=False)
        except OSError as error:
            raise Unreachable(f"{self.path}: {error.strerror}.") from error

    def forget(self) -> None:
        """Begin anew, as after a fixture was started over on purpose."""
        self.path.unlink(missing_ok=True)
