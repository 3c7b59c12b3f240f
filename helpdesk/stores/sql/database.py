"""A database: connections for whoever asks, and the one pen for whoever writes."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import AsyncIterator, Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from helpdesk.domain.errors import HelpdeskError, NoRecord, Unknown
from helpdesk.domain.text import clean
from helpdesk.stores.base import Then
from helpdesk.stores.sql.bell import CHANNEL, LISTEN_S, Bell, Listener
from helpdesk.stores.sql.counting import Counter
from helpdesk.stores.sql.lull import Lull, What, end_lull, inside, lull_of
from helpdesk.stores.sql.opening import BUSY_S, HIDDEN, PATIENCE, engine_at
from helpdesk.stores.sql.schema import pen
from helpdesk.stores.sql.turns import LONGEST_S, Passed, Shared, Turns, drop
from helpdesk.stores.whole import whole

T = TypeVar("T")

READERS: Final = 8
"""So many questions are answered at once; more would only share the same processors."""

PURGE_MS: Final = 500
"""How long one waits for readers before what was erased is taken out of SQLite's log."""

COUNT: Final = "changes"

OWN: Final = "own"
"""The savepoint before what one of several writers writes."""

_inside: ContextVar[Connection | None] = ContextVar("inside", default=None)
_known: ContextVar[dict[str, Any] | None] = ContextVar("known", default=None)
_ended: ContextVar[dict[str, Any] | None] = ContextVar("ended", default=None)
"""What is known to who looks at a transaction that has just ended, until they ask what is new."""


class Database:
    """One database by its address.

    Blocking work is done in threads. Reading sees what is durable, but for whoever holds the pen:
    they see what they wrote.

    Attributes:
        name: Its address without what is secret, as it was given.
        place: The same from wherever it is opened: a file's whole path, or the name.
        written: The count of changes after the last that this process made here; 0 before.

    Args:
        address: Where it is.
        patience: What is said to a server about its silence, instead of `PATIENCE`.
        longest_s: How long after its begin a transaction is still joined by others.

    Raises:
        BadInput: The address is none of a database that is known.
    """

    def __init__(
        self,
        address: str,
        *,
        patience: Mapping[str, Any] | None = None,
        longest_s: float = LONGEST_S,
    ) -> None:
        self._longest_s = longest_s
        self.engine = engine_at(address, {**PATIENCE, **(patience or {})})
        # A server would be told of the begin and the end of every question beside it.
        self._reading = (
            self.engine
            if self.is_sqlite
            else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        )
        shown = self.engine.url.difference_update_query(HIDDEN)
        self.name = shown.render_as_string(hide_password=True)
        file = self.engine.url.database if self.is_sqlite else None
        is_file = not (file or ":").startswith((":", "file:"))
        self.place = str(Path(file or "").resolve()) if is_file else self.name
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = WeakKeyDictionary()
        self._writers: dict[asyncio.Task[Any] | None, Shared] = {}
        # Threads of their own: whoever writes does not wait behind a slow search.
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._bell = Bell()
        self._listener: Listener | None = None
        self.written = self._people_at = 0
        self._counter = Counter(self.engine)
        self._lull = Lull(-1)
        self._erasing: set[str] = set()
        self._erased: set[str] = set()

    @property
    def is_sqlite(self) -> bool:
        """Whether it is the embedded kind."""
        return self.engine.dialect.name == "sqlite"

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
                token = _ended.set(shared.known)
                try:
                    await then()
                finally:
                    _ended.reset(token)
        finally:
            shared.over.set()

    async def news(self, seconds: float, since: int) -> int:
        """Wait until somebody wrote, as `Store.news`.

        PostgreSQL tells every process; SQLite none but the one that wrote, so that others look
        again after *seconds*.
        """
        if not self.is_sqlite:
            self._listener = self._listener or Listener(self.engine, self._bell)
            seconds = LISTEN_S if self._listener.is_listening else seconds
        return await self._bell.heard(seconds, since)

    async def ask(
        self,
        question: Callable[..., T],
        *arguments: Any,
        is_long: bool = False,
        writes: Sequence[tuple[str, Hashable]] | None = None,
    ) -> T:
        """Return what a blocking question gives; it finds its connection with `connection`.

        SQLite is asked on the spot: rows by their key are there sooner than a thread is. What
        *is_long* goes to a thread in any case. Under the pen nothing is known any more afterwards
        but what it *writes* nothing of, where that is said: parts of what is kept in a lull.
        """
        held = self._writers.get(asyncio.current_task())
        if held is not None and (writes is None or writes):
            held.lull.forget(*(writes or ()))
        return await self._put(held, question, *arguments, is_long=is_long)

    async def _put(
        self,
        held: Shared | None,
        question: Callable[..., T],
        *arguments: Any,
        is_long: bool = False,
    ) -> T:
        asked = self._asked if held is None else partial(_within, held.connection, held.known)
        with self._telling():
            if self.is_sqlite and not is_long:
                return asked(question, *arguments)
            if held is not None:
                return await whole(asked, question, *arguments)
            inside = partial(contextvars.copy_context().run, asked, question, *arguments)
            return await asyncio.get_running_loop().run_in_executor(self._readers, inside)

    def people_change(self) -> None:
        """Note, in a transaction, that it changes people or what happened to them."""
        held = self._writers.get(asyncio.current_task())
        if held is not None:
            held.is_of_people = True

    async def people(self) -> int:
        """Give a number that is another whenever people or what happened to them changed.

        What this process wrote of something else does not change it; what others wrote may.
        """
        count, held = await self.changes(), self._writers.get(asyncio.current_task())
        is_known = count <= self.written if held is None else not held.is_of_people
        return self._people_at if is_known else count

    async def changes(self) -> int:
        """Give how many changes there were, in a lull: before it began."""
        (_ended.get() or {}).clear()
        lull = lull_of(self)
        if lull is not None:
            return lull.count
        held = self._writers.get(asyncio.current_task())
        if held is not None:
            return held.count
        with self._telling():
            return await self._counter.counted()

    @contextlib.asynccontextmanager
    async def lull(self) -> AsyncIterator[Lull]:
        """Let what is asked inside by `once` be as it was when it was asked before, until a change.

        Whoever asks sees what was written before they did.
        """
        held = self._writers.get(asyncio.current_task())
        if held is not None:
            yield held.lull
            return
        count = await self.changes()
        if lull_of(self) is not None:
            yield Lull(count)
            return
        if not self._lull.is_of(count):
            self._lull = Lull(count)
        with inside(self, self._lull) as lull:
            yield lull

    def known_of(self, what: What) -> Any:
        """Give what `once` found before, if it is known still; None where it must be asked."""
        held = self._writers.get(asyncio.current_task())
        lull = lull_of(self) if held is None else held.lull
        return None if lull is None else lull.get(what)

    async def once(
        self, what: What, question: Callable[..., T], *arguments: Any, is_long: bool = False
    ) -> T:
        """Return what a question gives that only reads, as `ask`; in a lull it is asked once.

        Under the pen it is asked once until something else is asked, which may write.
        """
        held = self._writers.get(asyncio.current_task())
        lull = lull_of(self) if held is None else held.lull
        if lull is None:
            return await self._put(held, question, *arguments, is_long=is_long)
        found: T | None = lull.get(what)
        if found is None:
            found = await self._put(held, question, *arguments, is_long=is_long)
            lull.keep(what, found)
        return found

    @contextlib.contextmanager
    def connection(self) -> Iterator[Connection]:
        """Give the connection of the question under way, or one for this moment; blocking."""
        held = _inside.get()
        if held is not None:
            yield held
            return
        with self._telling(), self.engine.connect() as fresh:
            yield fresh

    def erased(self, *tables: str) -> None:
        """Note, in a transaction, that it erases something from tables: no copy outlives it."""
        self._erasing.update(tables)

    def close(self) -> None:
        """Give back all connections."""
        if self._listener is not None:
            self._listener.close()
        self._readers.shutdown(wait=False)
        self._counter.close()
        self.engine.dispose()

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
        known = _known.get()
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

    def _asked(self, question: Callable[..., T], *arguments: Any) -> T:
        with self._reading.connect() as fresh:
            return _within(fresh, _ended.get(), question, *arguments)

    def _changes(self) -> int:
        with self.connection() as connection:
            return changes(connection)

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

    @contextlib.contextmanager
    def _telling(self, *, is_ending: bool = False) -> Iterator[None]:
        """Say in a sentence what the database says.

        Where the line to a server breaks as a transaction ends, nobody knows how it ended.
        """
        try:
            yield
        except SQLAlchemyError as error:
            self._lull = Lull(-1)  # another server may answer from here on
            says = str(error.orig if isinstance(error, DBAPIError) else error)
            begins = f"The database {self.name}: {clean(says, limit=200)}"
            is_gone = isinstance(error, DBAPIError) and error.connection_invalidated
            if is_ending and is_gone and not self.is_sqlite:
                raise Unknown(
                    "The line to the database broke: it is unknown whether this was done."
                ) from error
            raise NoRecord(f"{begins}; nothing was changed.") from error
        except msgspec.DecodeError as error:
            held = f"The database {self.name} holds a damaged row ({clean(str(error), limit=200)})"
            raise NoRecord(f"{held}; nothing was changed. Put a backup in its place.") from error


CHANGES: Final = select(pen.c.changes)

ONE_MORE: Final = update(pen).values(changes=pen.c.changes + 1).returning(pen.c.changes)


def changes(connection: Connection) -> int:
    """Return how many changes there were."""
    known = _known.get()
    if known is not None and COUNT in known:
        return int(known[COUNT])
    count: int = connection.execute(CHANGES).scalar_one()
    return count


def first_row(connection: Connection) -> None:
    """Make the row that writers hold."""
    connection.execute(insert(pen).values(id=1, changes=0, ticket=1000))


def _within(
    connection: Connection,
    known: dict[str, Any] | None,
    question: Callable[..., T],
    *arguments: Any,
) -> T:
    token, kept = _inside.set(connection), _known.set(known)
    try:
        return question(*arguments)
    finally:
        _inside.reset(token)
        _known.reset(kept)


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
