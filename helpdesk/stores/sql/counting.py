"""Asking a database how often it was changed: every question begins with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, NoResultFound

T = TypeVar("T")

COUNT: Final = "SELECT changes FROM pen"

WAIT_S: Final = 1.0
"""So long a question that is under way is waited for at the end."""


class Counter:
    """A line of its own on which a database is asked for its count of changes, and nothing else.

    Every question begins with it: SQLite takes a twentieth of the time so, and is asked once for
    all whose turn it is; a server is asked once for all who come meanwhile.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._lock = engine, threading.Lock()
        self._line: Any = None
        self._is_embedded = engine.dialect.name == "sqlite"
        # A thread of its own: nobody waits for it behind a slow search.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="counter")
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Together[int]]
        self._turns = WeakKeyDictionary()
        self._told: tuple[asyncio.AbstractEventLoop, int] | None = None

    async def counted(self) -> int:
        """Give how many changes there were; it is asked after this is.

        Or in the same turn of the loop: whoever's turn it is was heard before that began, and
        whoever waited for a write to become durable has a later one.
        """
        loop = asyncio.get_running_loop()
        if self._is_embedded:
            told = self._told  # once: another loop may forget it meanwhile
            if told is None or told[0] is not loop:
                loop.call_soon(self._forget)  # before anything that is heard from here on
                told = self._told = (loop, self.count())
            return told[1]
        together = self._turns.get(loop)
        if together is None:
            together = self._turns[loop] = Together(self._in_thread)
        return await together.asked()

    def _forget(self) -> None:
        self._told = None

    def count(self) -> int:
        """Give how many changes there were; blocking."""
        with self._lock:
            was_open = self._line is not None
            try:
                found = self._asked()
            except DBAPIError:
                self._let_go()
                if not was_open:
                    raise
                found = self._asked()  # another server may answer by now
        if not found:
            raise NoResultFound("it is not whole: nobody counts its changes")
        return int(found[0][0])

    def close(self) -> None:
        """Give it back; where it hangs, it ends by itself."""
        self._thread.shutdown(wait=False)
        if self._lock.acquire(timeout=WAIT_S):
            try:
                self._let_go()
            finally:
                self._lock.release()

    async def _in_thread(self) -> int:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.count)

    def _asked(self) -> Sequence[tuple[int]]:
        try:  # the driver's own error: also of a line that does not come about
            if self._line is None:
                line = self._engine.raw_connection()
                line.detach()
                self._line = line
                if not self._is_embedded:
                    self._line.dbapi_connection.autocommit = True
            found: Sequence[tuple[int]] = self._line.dbapi_connection.execute(COUNT).fetchall()
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise DBAPIError(COUNT, None, error) from error
        return found

    def _let_go(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()


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
