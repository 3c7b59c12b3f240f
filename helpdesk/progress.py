"""How far something is that takes long, in one line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Final, Protocol

from helpdesk.domain.text import clean, counted

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


def progress(done: int, of: int, what: str) -> None:
    """Show a bar on a terminal; nowhere else."""
    if sys.stderr.isatty():
        sys.stderr.write(
            f"\r{_bar(done, of)} {done} of {of} {clean(what):<24}{chr(10) * (done == of)}"
        )
        sys.stderr.flush()


class RowsLine:
    """How many rows of the log are done: a bar on a terminal, and nothing elsewhere."""

    def __init__(self) -> None:
        from helpdesk.service.inspecting import Pace  # noqa: PLC0415  (only where rows are read)

        self.far, self._pace, self._is_open = "nothing", Pace(), False

    def __call__(self, done: int, of: int) -> None:
        """Show how far it is."""
        self.far = f"{done:,} of {counted(of, 'row')}" if of else counted(done, "row")
        if not sys.stderr.isatty() or not (self._is_open or done < of or not of):
            return  # what is there at once needs no bar
        bar = f"{_bar(done, of)} {self._pace.words(done, of)}" if of else self.far
        sys.stderr.write(f"\r{bar}\x1b[K")
        sys.stderr.flush()
        self._is_open = True

    def end(self) -> None:
        """Take the bar away."""
        if self._is_open:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._is_open = False


def _bar(done: int, of: int) -> str:
    """Return twenty signs, as many of them full as are done."""
    full = 20 * done // max(1, of)
    return "█" * full + "░" * (20 - full)
