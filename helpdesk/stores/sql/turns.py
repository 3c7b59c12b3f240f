"""Whose turn it is to write: one after the other, several of them in one transaction.

    first ─▶ BEGIN ─ writes ─┐
    second waits, joins      └▶ SAVEPOINT ─ writes ─┐
    nobody waits who joins                          └▶ COMMIT ─▶ first and second are answered

What one of them wrote is taken back alone where they fail; what is durable, is for all at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from helpdesk.stores.sql.connections import COUNT
from helpdesk.stores.sql.lull import Lull
from helpdesk.stores.sql.opening import BUSY_S
from helpdesk.stores.sql.others import Told
from helpdesk.stores.sql.prepared import Prepared

Write = tuple[Prepared, Mapping[str, Any]]
"""A statement and what it is of."""

LONGEST_S: Final = 0.03
"""How long after its begin a transaction is still joined: whoever ended waits for the others."""

BUSY: Final = "PRAGMA busy_timeout={}"
"""How many milliseconds SQLite waits for whoever holds the pen."""

STEP_MS: Final = 2
"""So long SQLite itself waits at a time: it looks every millisecond then, later every tenth of a
second, and another process that gives the pen back for a moment would have it again each time."""

BEGIN: Final = Prepared(text("BEGIN IMMEDIATE"))


class Shared:
    """A transaction of one writer or of several.

    Attributes:
        connection: Where they write.
        known: What whoever holds the pen read or wrote, so that nobody asks for it again.
        lull: What was read under the pen since something was written.
        count: How many changes there were, with these.
        counted: How many of them the database was told of.
        heard: What others wrote before it, after so many changes.
        later: What a server is told next, before anything else: statements, and what they are of.
        part: How many savepoints there are in it.
        is_parted: Whether what is written now can be taken back alone.
        is_of_people: Whether it changes people or what happened to them.
        is_durable: Whether it ended, and well.

    Args:
        longest_s: How long after its begin it is joined.
        failure: Why nothing of it became durable; None while that is not known, and where it did.
        over: Set when it has ended, well or not.
    """

    def __init__(self, connection: Connection, longest_s: float) -> None:
        self.connection = connection
        self.known: dict[str, Any] = {}
        self.lull = Lull(0)
        self.count = self.counted = 0
        self.heard: tuple[int, Sequence[Told] | None] = (0, None)
        self.later: list[Write] = []
        self.part = 0
        self.is_of_people = self.is_durable = False
        self.is_parted = True
        self.failure: BaseException | None = None
        self.over = asyncio.Event()
        self._ends = time.monotonic() + longest_s

    @property
    def is_open(self) -> bool:
        """Whether one more may join."""
        return self.failure is None and time.monotonic() < self._ends

    def join(self) -> None:
        """Go on with one more change; what it writes is parted when it is first asked for."""
        self.count += 1
        self.known[COUNT] = self.count
        self.is_parted = False

    async def ended(self) -> None:
        """Wait until it has ended, cancelled or not; raise what it failed with."""
        cancelled: asyncio.CancelledError | None = None
        while not self.over.is_set():
            try:
                await self.over.wait()
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled
        if self.failure is not None:
            raise self.failure


class Turns:
    """Those of one loop who want to write, in the order they came.

    Attributes:
        shared: The transaction that the next may join; None where they begin one.
    """

    def __init__(self) -> None:
        self.shared: Shared | None = None
        self._is_taken = False
        self._waiting: deque[tuple[asyncio.Future[None], bool]] = deque()

    async def come(self, *, joins: bool) -> None:
        """Wait for one's turn; it takes `go` afterwards.

        Raises:
            Passed: One is cancelled, though it is one's turn now: it takes `go` all the same.
        """
        if not self._is_taken:
            self._is_taken = True
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, joins))
        try:
            await turn
        except asyncio.CancelledError as error:
            if turn.done() and not turn.cancelled():
                raise Passed from error
            raise

    @property
    def is_joined(self) -> bool:
        """Whether the next joins what is open."""
        self._forget()
        return bool(self._waiting) and self._waiting[0][1]

    def go(self) -> None:
        """Let the next have their turn."""
        self._forget()
        self._is_taken = bool(self._waiting)
        if self._is_taken:
            self._waiting.popleft()[0].set_result(None)

    def _forget(self) -> None:
        """Leave out who was cancelled before it was their turn."""
        while self._waiting and self._waiting[0][0].done():
            self._waiting.popleft()


class Passed(asyncio.CancelledError):
    """It is one's turn, and one is cancelled."""


class Taken(Exception):
    """Another process holds SQLite's pen, and it is not waited for."""


def take_pen(connection: Connection, *, waits: bool) -> None:
    """Take SQLite's pen; blocking as long as another process holds it, where one *waits*.

    Raises:
        Taken: Another process holds it.
    """
    driver: Any = connection.connection.driver_connection
    ends = time.monotonic() + BUSY_S
    driver.execute(BUSY.format(STEP_MS if waits else 0))
    try:
        while not _is_taken(connection, is_last=time.monotonic() >= ends):
            if not waits:
                raise Taken
    finally:
        driver.execute(BUSY.format(BUSY_S * 1_000))


def _is_taken(connection: Connection, *, is_last: bool) -> bool:
    """Try to take the pen; give whether that came about, or raise where it *is_last*."""
    try:
        BEGIN.run(connection)
    except DBAPIError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0)
        if is_last or code & 0xFF != sqlite3.SQLITE_BUSY:  # what is above tells busy with what
            raise
        return False
    return True


def drop(connection: Connection) -> None:
    """Let go of a connection, and of what it wrote; blocking."""
    with contextlib.suppress(SQLAlchemyError):  # its end is the end of what it wrote, either way
        connection.rollback()
    with contextlib.suppress(SQLAlchemyError):
        connection.close()
