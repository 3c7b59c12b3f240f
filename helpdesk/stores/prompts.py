"""Where a demo stands, told from its terminal to the presenter's: one small file of mode 0600."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

import msgspec

from helpdesk.domain.errors import Unreachable
from helpdesk.domain.training.prompting import Prompt
from helpdesk.stores.private import write_private

NAME: Final = ".demo.json"
LARGEST: Final = 1 << 16
"""Bytes of the largest file that is read."""


class Prompts:
    """The file under the class's directory; the demo that was begun last has it."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._told: Prompt | None = None

    def tell(self, prompt: Prompt) -> None:
        """Write where a demo stands, if that is news.

        Raises:
            Unreachable: The directory cannot be written.
        """
        if prompt == self._told:
            return
        try:
            write_private(self._path, msgspec.json.encode(prompt), is_durable=False)
        except OSError as error:
            raise Unreachable(f"{self._path}: {error.strerror or error}.") from error
        self._told = prompt

    def read(self) -> Prompt | None:
        """Give where the demo stands; None where none is played any more, or yet."""
        try:
            with self._path.open("rb") as file:
                prompt = msgspec.json.decode(file.read(LARGEST), type=Prompt)
        except (OSError, msgspec.DecodeError):
            return None
        return prompt if _is_alive(prompt.pid) else None

    def end(self) -> None:
        """Take the file away, where it is still this demo's own."""
        last = self.read()
        if last is not None and self._told is not None and last.pid == self._told.pid:
            with contextlib.suppress(OSError):
                self._path.unlink()


def _is_alive(pid: int) -> bool:
    """Whether there is such a process; one of somebody else's counts."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
