"""A file that waits where a test wants it to: for what happens in the middle of something."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from helpdesk.stores.tinyfile import TinyFile
from tests.conftest import Clock
from tests.waiting import PATIENCE_S


class SlowFile(TinyFile):
    """A file in which one table is read and written only when it is let go on."""

    def __init__(self, path: Path, clock: Clock) -> None:
        super().__init__(path, clock)
        self.reads, self.writes, self.ends = "", "", False
        self.waited = 0
        self.begun, self.go_on = threading.Event(), threading.Event()

    def put(self, table: str, key: int, document: Any) -> None:
        """Write, when it is let."""
        self._wait(table == self.writes)
        super().put(table, key, document)

    def rows(self, table: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Read all, when it is let."""
        self._wait(table == self.reads)
        yield from super().rows(table)

    def row(self, table: str, key: int) -> dict[str, Any] | None:
        """Read one, when it is let."""
        found = super().row(table, key)
        self._wait(table == self.reads)
        return found

    def events(self, users: Sequence[str]) -> Mapping[str, tuple[Sequence[Any], timedelta]]:
        """Read timelines, when it is let."""
        found = super().events(users)
        self._wait(self.reads == "timelines")
        return found

    @contextlib.contextmanager
    def transaction(self, *, is_held: bool = False) -> Iterator[None]:
        """Change documents, and end when it is let."""
        with super().transaction(is_held=is_held):
            yield
            self._wait(self.ends)

    async def has_begun(self) -> None:
        """Wait until somebody waits for it."""
        assert await asyncio.to_thread(self.begun.wait, PATIENCE_S)

    def _wait(self, is_slow: bool) -> None:
        if is_slow:
            self.waited += 1
            self.begun.set()
            self.go_on.wait(PATIENCE_S)
