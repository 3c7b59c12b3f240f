"""When a cursor rests: soon after a single key, and while a key is held once it is let go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from textual.widget import Widget

R = TypeVar("R")

SHOWN_S: Final = 0.005
"""Seconds a terminal has to show the frame, on a processor that it may share with the console."""

HELD_S: Final = 0.045
"""Seconds a cursor rests before that is said while a key is held."""


class Rest(Generic[R]):
    """Says of a widget's cursor on which row it came to rest, after the frame that shows it.

    Args:
        on: Whose cursor it is.
        say: Is given the row, by way of the widget's own queue: what is said on behalf of another
            stops there.
    """

    def __init__(self, on: Widget, say: Callable[[R], None]) -> None:
        self._on, self._say = on, say
        self._row: R | None = None
        self._is_due = self._is_held = False
        self._moved_at = 0.0
        self._waiting: asyncio.TimerHandle | None = None

    @property
    def is_moving(self) -> bool:
        """Whether the cursor moved to a row on which it is not said to rest yet."""
        return self._row is not None

    def moved(self, row: R | None) -> None:
        """Say soon that the cursor rests on a row; None is no row."""
        now = time.monotonic()
        self._is_held = now - self._moved_at < 2 * HELD_S
        self._moved_at = now
        self.stop()
        self._row = row
        if row is not None and not self._is_due:
            self._is_due = True
            self._on.call_after_refresh(self._begin)  # the frame that shows it comes first

    def stop(self) -> None:
        """Say nothing of the row the cursor is on."""
        self._row = None
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _begin(self) -> None:
        self._is_due = False
        if self._row is None:
            return
        rest_s = HELD_S if self._is_held else SHOWN_S
        loop = asyncio.get_running_loop()
        self._waiting = loop.call_later(rest_s, self._on.call_later, self._end)

    def _end(self) -> None:
        row = self._row
        self.stop()
        if row is not None:
            self._say(row)
