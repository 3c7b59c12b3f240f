"""How far something is that takes long, in one line."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

EVERY_S: Final = 0.5
SELDOM_S: Final = 10.0
"""How often an import says how far it is: on a terminal, and elsewhere."""


class Stream(Protocol):
    """Where words go, a terminal or not."""

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        ...

    def write(self, words: str, /) -> object:
        """Take words."""
        ...

    def flush(self) -> None:
        """Hold none of them back."""
        ...


class ProgressLine:
    """One line that says how far something is: written over on a terminal, else now and then."""

    def __init__(self, stream: Stream, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._is_terminal = stream, stream.isatty()
        self._clock, self._told_at = clock, clock()
        self._is_shown = False

    def tell(self, line: str) -> None:
        """Say how far it is, unless that was just said."""
        now = self._clock()
        if now - self._told_at < (EVERY_S if self._is_terminal else SELDOM_S):
            return
        self._told_at, self._is_shown = now, True
        self._stream.write(f"\r{line}\x1b[K" if self._is_terminal else f"{line}\n")
        self._stream.flush()

    def end(self) -> None:
        """Let what comes next begin a line of its own."""
        if self._is_shown and self._is_terminal:
            self._stream.write("\n")
