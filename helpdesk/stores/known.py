"""What a desk elsewhere last said of itself, so that a console can begin before it answers.

    replica/7be0….desk.json   mode 0600, one for each desk: its name and cards, and who worked there

Nothing of it is about users. It goes when somebody locks, forgets, or another agent signs in.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Final

from helpdesk.stores.private import write_private

ENDING: Final = ".desk.json"

BYTES_MOST: Final = 16 * 1024 * 1024


class Known:
    """The words of one desk on itself; what cannot be read or written is as if it were not there.

    Args:
        data: The data directory.
        desk: The desk's address.
    """

    def __init__(self, data: Path, desk: str) -> None:
        name = hashlib.sha256(desk.encode()).hexdigest()[:16]
        self._path = data / "replica" / f"{name}{ENDING}"

    def read(self) -> bytes | None:
        """Give them; None where there are none."""
        try:
            with self._path.open("rb") as file:
                return file.read(BYTES_MOST)
        except OSError:
            return None

    def write(self, words: bytes) -> None:
        """Keep them, where they are not kept already."""
        if self.read() != words:
            with contextlib.suppress(OSError):
                write_private(self._path, words, is_durable=False)

    def forget(self) -> None:
        """Keep them no longer."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def forget_all(data: Path) -> None:
    """Keep the words of no desk any longer."""
    for one in (data / "replica").glob(f"*{ENDING}"):
        with contextlib.suppress(OSError):
            one.unlink(missing_ok=True)
