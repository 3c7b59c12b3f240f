"""Asking a database how often it was changed: every question begins with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, NoResultFound

T = TypeVar("T")

COUNT: Final = "SELECT changes FROM pen"


class Counter:
    """A line of its own on which SQLite is asked for its count of changes, and nothing else.

    Every question begins with it, and this takes a twentieth of the time.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._lock = engine, threading.Lock()
        self._line: Any = None

    def count(self) -> int:
        """Give how many changes there were."""
        with self._lock:
            if self._line is None:
                self._line = self._engine.raw_connection()
                self._line.detach()
            try:
                found = self._line.dbapi_connection.execute(COUNT).fetchall()
            except self._engine.dialect.loaded_dbapi.Error as error:
                raise DBAPIError(COUNT, None, error) from error
        if not found:
            raise NoResultFound("it is not whole: nobody counts its changes")
        return int(found[0][0])

    def close(self) -> None:
        """Give it back."""
        with self._lock:
            if self._line is not None:
                self._line.close()
                self._line = None


class Together(Generic[T]):
    """Asks once for all who want to know at about the same time, after the last of them did."""

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._running: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def asked(self) -> T:
        """Give an answer to a question that is put after this one was."""
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._running))
            self._next.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._next)

    async def _after(self, before: asyncio.Task[T] | None) -> T:
        if before is not None and not before.done():
            await asyncio.wait([before])
        self._running, self._next = self._next, None  # whoever comes now comes too late for it
        return await self._ask()
