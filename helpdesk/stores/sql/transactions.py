"""Transactions in a database: one pen, which those who write hold in turn."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Hashable, Iterator, Mapping, Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, bindparam, text, update
from sqlalchemy.exc import SQLAlchemyError

from helpdesk.domain.errors import HelpdeskError, NoRecord
from helpdesk.stores.base import Then
from helpdesk.stores.sql.absent import Absent
from helpdesk.stores.sql.bell import CHANNEL
from helpdesk.stores.sql.connections import COUNT, ENDED, KNOWN, within
from helpdesk.stores.sql.lull import Lull, end_lull
from helpdesk.stores.sql.opening import BUSY_S
from helpdesk.stores.sql.others import TELL, Others, Told
from helpdesk.stores.sql.prepared import Prepared, said
from helpdesk.stores.sql.schema import pen
from helpdesk.stores.sql.turns import (
    BUSY,
    LONGEST_S,
    Passed,
    Shared,
    Taken,
    Turns,
    Write,
    drop,
    take_pen,
)
from helpdesk.stores.whole import whole

PURGE_MS: Final = 500
"""How long one waits for readers before what was erased is taken out of SQLite's log."""

COUNTED: Final = Prepared(update(pen).values(changes=bindparam("count")))

COMMIT: Final = Prepared(text("COMMIT"))

NOTIFY: Final = Prepared(text(f"NOTIFY {CHANNEL}"))

ONE_MORE: Final = Prepared(update(pen).values(changes=pen.c.changes + 1).returning(pen.c.changes))


class Transactions(Others):
    """One database whose changes become durable together, or not at all.

    Attributes:
        written: The count of changes after the last that this process made here; 0 before.
        absent: Which keyed writes were looked for and not there.

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
        self.written = 0
        self._alone_at = self._others_at = -1
        self.absent = Absent()
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
                shared = turns.shared = await self._begun()
                before = shared.count - 1
                if before < self._followed:  # the database was put back
                    self._followed = -1
                self._follow(before, *shared.heard)
                # Of this moment: others cannot write before this ends.
                shared.lull = Lull(0, self._lull)
            else:
                shared.join()
            async with self._holding(turns, shared, is_first=is_first):
                yield is_first
                if shared.later and not (is_first and not _goes_on(turns, joins=joins)):
                    with self._telling():  # what fails is theirs alone; of one, with the end
                        await whole(self._told, shared)
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
        if shared is None or _goes_on(turns, joins=joins):
            turns.go()
            return
        turns.shared = None
        try:
            try:
                await whole(self._end, shared)
            finally:  # also where whoever asked is cancelled as it becomes durable
                self._alone_at = shared.count if shared.is_durable else -1
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

    def is_absent(self, name: str) -> bool:
        """Whether it is known, under the pen, that a keyed write is not there; asked once."""
        return self.absent.is_known(name, self._others_at)

    def told(self, name: str) -> Any:
        """Give what is known by this name to who holds the pen, or has just held it; else None."""
        held = self._writers.get(asyncio.current_task())
        known = ENDED.get() if held is None else held.known
        return None if known is None else known.get(name)

    def tell(self, name: str, value: Any) -> None:
        """Let it be known by this name to who holds the pen, as long as that is not taken back."""
        self._writers[asyncio.current_task()].known[name] = value

    async def write(
        self,
        statement: Prepared,
        given: Mapping[str, Any],
        *,
        writes: Sequence[tuple[str, Hashable]],
    ) -> None:
        """Write under the pen; a server is told with what it is asked next, or as it ends.

        Args:
            statement: Gives nothing back.
            given: What it is of.
            writes: The parts of what is kept in a lull that may be others afterwards.
        """
        held = self._writers[asyncio.current_task()]
        held.lull.forget(*writes)
        held.later.append((statement, given))
        if self.is_sqlite:
            with self._telling():
                self._told(held)

    def _told(self, shared: Shared) -> None:
        """Tell the database what waits, after the savepoint of who joined; blocking."""
        later, shared.later = shared.later, []
        if not shared.is_parted:
            shared.part += 1
            later.insert(0, (_part("SAVEPOINT", shared.part), {}))
            shared.is_parted = True
            if self.is_sqlite and not _is_under_way(shared.connection):  # it would begin another
                shared.failure = NoRecord(f"The database {self.name} dropped what was written.")
                raise shared.failure
        if len(later) > 1 and not self.is_sqlite:
            with _at_once(shared.connection):
                _write(shared.connection, later)
        else:
            _write(shared.connection, later)

    async def _begun(self) -> Shared:
        """Begin: on the spot where SQLite's pen is free, sooner than a thread is there for it."""
        if self.is_sqlite:
            with contextlib.suppress(Taken):
                return self._begin(waits=False)
        return await whole(self._begin, undo=_let_go)

    def _begin(self, *, waits: bool = True) -> Shared:
        with self._telling():
            connection = self.engine.connect()
            try:
                connection.begin()
                if self.is_sqlite:
                    take_pen(connection, waits=waits)
                count = ONE_MORE.one(connection)[0]  # a server waits here for another process
                shared = Shared(connection, self._longest_s)
                shared.count = shared.counted = count
                shared.known[COUNT] = shared.count
                since, before = self._lull.count, shared.count - 1
                if since != before:
                    shared.heard = since, within(connection, None, self._heard, since, before)
                if shared.count - 1 != self._alone_at:
                    self._others_at = shared.count - 1
                if not self.is_sqlite:  # heard when it is durable, by whoever listens
                    shared.later.append((NOTIFY, {}))
            except BaseException:
                drop(connection)
                raise
        return shared

    def _take_back(self, shared: Shared) -> None:
        """Drop what the last who joined wrote; where that fails, nothing of all becomes durable."""
        shared.later.clear()
        try:
            if shared.is_parted:  # else nothing of theirs came so far
                with self._telling():
                    _part("ROLLBACK TO SAVEPOINT", shared.part).run(shared.connection)
        except HelpdeskError as error:
            shared.failure = shared.failure or error
        shared.count -= 1
        shared.known.clear()  # it may be of what was dropped
        shared.known[COUNT] = shared.count
        shared.lull.drop()

    def _end(self, shared: Shared) -> None:
        """Make durable what was written; how that ended stands in *shared*."""
        if shared.failure is not None:
            drop(shared.connection)
            return
        shared.is_parted = True  # what failed until here was taken back
        if shared.count != shared.counted:
            shared.later.append((COUNTED, {"count": shared.count}))
        before, parts = shared.counted - 1, shared.lull.changed
        told = Told(shared.count, before, shared.is_of_people, parts)
        shared.later.append((TELL, told.row))
        try:
            with self._telling():
                self._told(shared)
        except Exception as error:  # noqa: BLE001  (raised by all who wrote)
            shared.failure = error
            drop(shared.connection)
            return
        self.written = self._followed = shared.count  # though it be unknown how it ends
        try:
            with self._telling(is_ending=True):
                _commit(shared.connection, is_sqlite=self.is_sqlite)
            shared.is_durable = True
        except Exception as error:  # noqa: BLE001  (raised by all who wrote)
            shared.failure = error
            self._followed = -1

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


@functools.cache
def _part(what: str, number: int) -> Prepared:
    """Of the savepoint before what one of several writers writes: its name is no other's."""
    return Prepared(text(f"{what} own{number}"))


def _is_under_way(connection: Connection) -> bool:
    """Whether a transaction of SQLite goes on: it may have dropped it all by itself."""
    driver: Any = connection.connection.driver_connection
    return bool(driver.in_transaction)


def _goes_on(turns: Turns, *, joins: bool) -> bool:
    """Whether the next writes in the same transaction."""
    shared = turns.shared
    return joins and shared is not None and shared.is_open and turns.is_joined


def _write(connection: Connection, writes: Sequence[Write]) -> None:
    for statement, given in writes:
        statement.run(connection, given)


@contextlib.contextmanager
def _at_once(connection: Connection) -> Iterator[None]:
    """Let a server be told all that is written inside in one go; it answers at the end."""
    driver: Any = connection.connection.driver_connection
    error_of: Any = connection.dialect.loaded_dbapi.Error
    try:
        with driver.pipeline():
            yield
    except error_of as error:
        raise said(connection, error) from error


def _commit(connection: Connection, *, is_sqlite: bool) -> None:
    try:
        if is_sqlite:  # said aloud: the driver says nothing where SQLite dropped it all by itself
            COMMIT.run(connection)
        connection.commit()
    except BaseException:
        drop(connection)
        raise
    connection.close()


def _let_go(shared: Shared) -> None:
    drop(shared.connection)


def _emptied(connection: Connection) -> bool:
    """Whether SQLite's log is empty now: it holds pages as they were before they were erased."""
    connection.exec_driver_sql(BUSY.format(PURGE_MS))
    is_busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar()
    connection.exec_driver_sql(BUSY.format(BUSY_S * 1_000))
    return not is_busy
