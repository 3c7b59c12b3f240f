"""Transactions in a database: one pen, which those who write hold in turn."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, update
from sqlalchemy.exc import SQLAlchemyError

from helpdesk.domain.errors import HelpdeskError
from helpdesk.stores.base import Then
from helpdesk.stores.sql.bell import CHANNEL
from helpdesk.stores.sql.connections import COUNT, ENDED, KNOWN, Connections
from helpdesk.stores.sql.lull import Lull, end_lull
from helpdesk.stores.sql.opening import BUSY_S
from helpdesk.stores.sql.schema import pen
from helpdesk.stores.sql.turns import LONGEST_S, Passed, Shared, Turns, drop
from helpdesk.stores.whole import whole

T = TypeVar("T")

PURGE_MS: Final = 500
"""How long one waits for readers before what was erased is taken out of SQLite's log."""

OWN: Final = "own"
"""The savepoint before what one of several writers writes."""

ONE_MORE: Final = update(pen).values(changes=pen.c.changes + 1).returning(pen.c.changes)


class Transactions(Connections):
    """One database whose changes become durable together, or not at all.

    Attributes:
        written: The count of changes after the last that this process made here; 0 before.

    Args:
        address: Where it is.
        patience: What is said to a server about its silence, instead of `PATIENCE`.
        longest_s: How long after its begin a transaction is still joined by others.
    """

    def __init__(
        self,
        address: str,
        *,
        patience: Mapping[str, Any] | None = None,
        longest_s: float = LONGEST_S,
    ) -> None:
        super().__init__(address, patience=patience)
        self._longest_s = longest_s
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = WeakKeyDictionary()
        self._writers: dict[asyncio.Task[Any] | None, Shared] = {}
        self.written = self._people_at = 0
        self._erasing: set[str] = set()
        self._erased: set[str] = set()

    @property
    def is_held(self) -> bool:
        """Whether the task that asks holds the pen."""
        return asyncio.current_task() in self._writers

    @contextlib.asynccontextmanager
    async def transaction(
        self, *, joins: bool = False, then: Then | None = None
    ) -> AsyncIterator[bool]:
        """Hold the only pen, as `Store.transaction`: all becomes durable at the end, or nothing.

        Whoever *joins* may go on where another who does has ended.
        """
        end_lull()
        # Of one loop, in turn; between loops and processes the database itself keeps the turn.
        turns = self._turns.setdefault(asyncio.get_running_loop(), Turns())
        try:
            await turns.come(joins=joins)
        except Passed:
            await self._leave(turns, then, joins=joins)
            raise
        try:
            shared, is_first = turns.shared, turns.shared is None
            if shared is None:
                shared = turns.shared = await whole(self._begin, undo=_let_go)
                # Of this moment, where nobody wrote since: others cannot before this ends.
                if self._lull.is_of(shared.count - 1):
                    shared.lull = Lull(0, self._lull)
            else:
                await self._step(self._join, shared)
            async with self._holding(turns, shared, is_first=is_first):
                yield is_first
        finally:
            await self._leave(turns, then, joins=joins)
        await shared.ended()
        if self._erased:
            await whole(self._purge)

    @contextlib.asynccontextmanager
    async def _holding(
        self, turns: Turns, shared: Shared, *, is_first: bool
    ) -> AsyncIterator[None]:
        """Let the task that asks write; where it fails, take back what it wrote."""
        task = asyncio.current_task()
        self._writers[task] = shared
        try:
            yield
        except BaseException:
            if is_first:
                turns.shared = None
                self._erasing.clear()
                await whole(_let_go, shared)
            else:
                await whole(self._take_back, shared)
            raise
        finally:
            del self._writers[task]

    async def _leave(self, turns: Turns, then: Then | None, *, joins: bool) -> None:
        """Make durable what was written, unless the next joins; then it is their turn."""
        shared = turns.shared
        if shared is None or (joins and shared.is_open and turns.is_joined):
            turns.go()
            return
        turns.shared = None
        try:
            try:
                await whole(self._end, shared)
            finally:  # also where whoever asked is cancelled as it becomes durable
                if shared.is_durable:
                    self._lull = shared.lull.settled(shared.count)
                self._erased |= self._erasing
                self._erasing.clear()
                if shared.is_of_people:  # once it is durable: who looked before saw what was before
                    self._people_at = shared.count
                self._bell.ring()
                turns.go()
            if then is not None and shared.failure is None:
                shared.known.pop(COUNT, None)
                token = ENDED.set(shared.known)
                try:
                    await then()
                finally:
                    ENDED.reset(token)
        finally:
            shared.over.set()

    def erased(self, *tables: str) -> None:
        """Note, in a transaction, that it erases something from tables: no copy outlives it."""
        self._erasing.update(tables)

    def people_change(self) -> None:
        """Note, in a transaction, that it changes people or what happened to them."""
        held = self._writers.get(asyncio.current_task())
        if held is not None:
            held.is_of_people = True

    @property
    def written_on(self) -> Lull | None:
        """What whoever holds the pen, who asks, knows of the database; None where nobody does."""
        held = self._writers.get(asyncio.current_task())
        return None if held is None else held.lull

    @property
    def known(self) -> dict[str, Any]:
        """What is kept for whoever holds the pen, who asks now: by name; else it is kept nowhere.

        Whoever reads or writes under the pen leaves there what need not be read again.
        """
        known = KNOWN.get()
        return {} if known is None else known

    async def _step(self, step: Callable[..., T], *arguments: Any) -> T:
        """Take a short step under the pen: SQLite's on the spot."""
        return step(*arguments) if self.is_sqlite else await whole(step, *arguments)

    def _begin(self) -> Shared:
        with self._telling():
            connection = self.engine.connect()
            try:
                if self.is_sqlite:
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                shared = Shared(connection, self._longest_s)
                self._count(shared)
                if shared.count - 1 != self.written:  # others wrote: nobody here knows what
                    self._people_at = shared.count - 1
                if not self.is_sqlite:  # heard when it is durable, by whoever listens
                    connection.exec_driver_sql(f"NOTIFY {CHANNEL}")
            except BaseException:
                drop(connection)
                raise
        return shared

    def _count(self, shared: Shared) -> None:
        """Count one change more."""
        shared.count = shared.connection.execute(ONE_MORE).scalar_one()
        shared.known[COUNT] = shared.count

    def _join(self, shared: Shared) -> None:
        """Begin, in a transaction under way, what may be taken back alone."""
        try:
            with self._telling():
                if shared.is_joined:
                    shared.connection.exec_driver_sql(f"RELEASE SAVEPOINT {OWN}")
                shared.is_joined = True
                shared.connection.exec_driver_sql(f"SAVEPOINT {OWN}")
                self._count(shared)
        except BaseException as error:
            shared.failure = shared.failure or error
            raise

    def _take_back(self, shared: Shared) -> None:
        """Drop what the last who joined wrote; where that fails, nothing of all becomes durable."""
        try:
            with self._telling():
                shared.connection.exec_driver_sql(f"ROLLBACK TO SAVEPOINT {OWN}")
        except HelpdeskError as error:
            shared.failure = shared.failure or error
        shared.count -= 1
        shared.known.clear()  # it may be of what was dropped
        shared.lull.forget()

    def _end(self, shared: Shared) -> None:
        """Make durable what was written; how that ended stands in *shared*."""
        if shared.failure is not None:
            drop(shared.connection)
            return
        self.written = shared.count  # though it be unknown how it ends
        try:
            with self._telling(is_ending=True):
                _commit(shared.connection, is_sqlite=self.is_sqlite)
            shared.is_durable = True
        except Exception as error:  # noqa: BLE001  (raised by all who wrote)
            shared.failure = error

    def _purge(self) -> None:
        """Leave nothing beside the tables of what was erased; where that fails, the next time."""
        tables, self._erased = self._erased, set()
        is_done = False
        with contextlib.suppress(SQLAlchemyError), self.engine.connect() as connection:
            if self.is_sqlite:
                is_done = _emptied(connection)
            else:
                outside = connection.execution_options(isolation_level="AUTOCOMMIT")
                outside.exec_driver_sql(f"VACUUM {', '.join(sorted(tables))}")
                is_done = True
        if not is_done:
            self._erased |= tables


def _commit(connection: Connection, *, is_sqlite: bool) -> None:
    try:
        if is_sqlite:  # said aloud: the driver says nothing where SQLite dropped it all by itself
            connection.exec_driver_sql("COMMIT")
        connection.commit()
    except BaseException:
        drop(connection)
        raise
    connection.close()


def _let_go(shared: Shared) -> None:
    drop(shared.connection)


def _emptied(connection: Connection) -> bool:
    """Whether SQLite's log is empty now: it holds pages as they were before they were erased."""
    connection.exec_driver_sql(f"PRAGMA busy_timeout={PURGE_MS}")
    is_busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar()
    connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_S * 1_000}")
    return not is_busy
