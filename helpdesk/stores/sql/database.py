"""A database: connections for whoever asks, and the one pen for whoever writes."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event, insert, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from helpdesk.domain.errors import BadInput, NoRecord, Unknown
from helpdesk.domain.text import clean
from helpdesk.stores.sql.bell import CHANNEL, LISTEN_S, Bell, Listener
from helpdesk.stores.sql.schema import pen
from helpdesk.stores.whole import whole

T = TypeVar("T")

KINDS: Final = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
"""The databases that are known, and with what they are spoken to."""

BUSY_S: Final = 10
"""How long one waits for the pen of another process."""

READERS: Final = 8
"""So many questions are answered at once; more would only share the same processors."""

PURGE_MS: Final = 500
"""How long one waits for readers before what was erased is taken out of SQLite's log."""

PORT: Final = 5432

HIDDEN: Final = ("password", "sslpassword")
"""What PostgreSQL also takes after the `?`, and no sentence shows."""

PATIENCE: Final = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    # Of a gateway whose machine went away: it holds the pen no longer.
    # Of one that holds it and answers no more: one waits for the pen as long as with SQLite.
    "options": f"-c idle_in_transaction_session_timeout=60000 -c lock_timeout={BUSY_S * 1_000}",
}
"""How long a silent PostgreSQL is believed in, unless its address says otherwise: so that another
server is asked in seconds, not in hours."""

COUNT: Final = "helpdesk.changes"

_inside: ContextVar[Connection | None] = ContextVar("inside", default=None)


class Database:
    """One database by its address.

    Blocking work is done in threads. Reading sees what is durable, but for whoever holds the pen:
    they see what they wrote.

    Attributes:
        written: The count of changes after the last that this process made here; 0 before.

    Raises:
        BadInput: The address is none of a database that is known.
    """

    def __init__(self, address: str, *, patience: Mapping[str, Any] | None = None) -> None:
        self.engine = _engine(address, {**PATIENCE, **(patience or {})})
        # A server would be told of the begin and the end of every question beside it.
        self._reading = (
            self.engine
            if self.is_sqlite
            else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        )
        shown = self.engine.url.difference_update_query(HIDDEN)
        self.name = shown.render_as_string(hide_password=True)
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock]
        self._locks = WeakKeyDictionary()
        self._writers: dict[asyncio.Task[Any] | None, Connection] = {}
        # Threads of their own: whoever writes does not wait behind a slow search.
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._bell = Bell()
        self._listener: Listener | None = None
        self.written = 0
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
    async def transaction(self) -> AsyncIterator[None]:
        """Hold the only pen: all that is written becomes durable at the end, or nothing."""
        task = asyncio.current_task()
        # Of one loop, in turn; between loops and processes the database itself keeps the turn.
        async with self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            connection = self._writers[task] = await whole(self._begin, undo=_drop)
            try:
                yield
            except BaseException:
                await whole(_drop, connection)
                raise
            else:
                self.written = connection.info[COUNT]  # though it be unknown how it ends
                try:
                    with self._telling(is_ending=True):
                        await whole(_commit, connection)
                finally:  # also where whoever asked is cancelled as it becomes durable
                    self._erased |= self._erasing
                    self._bell.ring()
            finally:
                self._erasing.clear()
                del self._writers[task]
        if self._erased:
            await whole(self._purge)

    async def news(self, seconds: float, since: int) -> int:
        """Wait until somebody wrote, as `Store.news`.

        PostgreSQL tells every process; SQLite none but the one that wrote, so that others look
        again after *seconds*.
        """
        if not self.is_sqlite:
            self._listener = self._listener or Listener(self.engine, self._bell)
            seconds = LISTEN_S if self._listener.is_listening else seconds
        return await self._bell.heard(seconds, since)

    async def ask(self, question: Callable[..., T], *arguments: Any, is_long: bool = False) -> T:
        """Return what a blocking question gives; it finds its connection with `connection`.

        SQLite is asked on the spot: rows by their key are there sooner than a thread is. What
        *is_long* goes to a thread in any case.
        """
        held = self._writers.get(asyncio.current_task())
        asked = self._asked if held is None else partial(_within, held)
        with self._telling():
            if self.is_sqlite and not is_long:
                return asked(question, *arguments)
            if held is not None:
                return await whole(asked, question, *arguments)
            inside = partial(contextvars.copy_context().run, asked, question, *arguments)
            return await asyncio.get_running_loop().run_in_executor(self._readers, inside)

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
        self.engine.dispose()

    def _begin(self) -> Connection:
        with self._telling():
            connection = self.engine.connect()
            try:
                if self.is_sqlite:
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                one_more = update(pen).values(changes=pen.c.changes + 1).returning(pen.c.changes)
                connection.info[COUNT] = connection.execute(one_more).scalar_one()
                if not self.is_sqlite:  # heard when it is durable, by whoever listens
                    connection.exec_driver_sql(f"NOTIFY {CHANNEL}")
            except BaseException:
                _drop(connection)
                raise
        return connection

    def _asked(self, question: Callable[..., T], *arguments: Any) -> T:
        with self._reading.connect() as fresh:
            return _within(fresh, question, *arguments)

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


def changes(connection: Connection) -> int:
    """Return how many changes there were."""
    count: int = connection.execute(CHANGES).scalar_one()
    return count


def first_row(connection: Connection) -> None:
    """Make the row that writers hold."""
    connection.execute(insert(pen).values(id=1, changes=0, ticket=1000))


def _within(connection: Connection, question: Callable[..., T], *arguments: Any) -> T:
    token = _inside.set(connection)
    try:
        return question(*arguments)
    finally:
        _inside.reset(token)


def _commit(connection: Connection) -> None:
    try:
        connection.commit()
    except BaseException:
        _drop(connection)
        raise
    connection.close()


def _emptied(connection: Connection) -> bool:
    """Whether SQLite's log is empty now: it holds pages as they were before they were erased."""
    connection.exec_driver_sql(f"PRAGMA busy_timeout={PURGE_MS}")
    is_busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar()
    connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_S * 1_000}")
    return not is_busy


def _drop(connection: Connection) -> None:
    with contextlib.suppress(SQLAlchemyError):  # its end is the end of what it wrote, either way
        connection.rollback()
    with contextlib.suppress(SQLAlchemyError):
        connection.close()


def _engine(address: str, patience: Mapping[str, Any]) -> Engine:
    kind = address.partition(":")[0]
    if kind not in KINDS:
        raise BadInput(
            f"{_shown(address)} is no address of a database; say sqlite:///FILE or postgresql://…"
        )
    try:
        url = make_url(_one_by_one(address)).set(drivername=KINDS[kind])
        if kind == "postgresql":
            given = {name: value for name, value in patience.items() if name not in url.query}
            return create_engine(
                url, connect_args=given, pool_size=10, max_overflow=20, pool_pre_ping=True
            )
        if url.database and not url.database.startswith((":", "file:")):
            _make_private(Path(url.database))
        engine = create_engine(url, connect_args={"timeout": BUSY_S}, pool_size=10)
    except (ArgumentError, NoSuchModuleError, OSError, ValueError) as error:
        raise BadInput(f"{_shown(address)}: {clean(str(error), limit=200)}") from error
    event.listen(engine, "connect", _prepared)
    return engine


def _shown(address: str) -> str:
    """Return an address as it may be shown: without what stands before the host, and after `?`."""
    kind, mark, rest = address.partition("://")
    plain = rest.rpartition("@")[2].partition("?")[0]
    return clean(f"{kind}{mark}{plain}" if mark else kind.partition(":")[0], limit=60)


def _make_private(path: Path) -> None:
    """Make a database's file that nobody else may read; those that SQLite puts beside it follow."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _one_by_one(address: str) -> str:
    """Return an address of several servers, as PostgreSQL writes it, as SQLAlchemy reads it.

    `postgresql://desk@one:5432,two:5432/desk` names each host beside the database.
    """
    kind, _, rest = address.partition("://")
    place = re.search(r"[/?]", rest)
    network, path = (rest[: place.start()], rest[place.start() :]) if place else (rest, "")
    who, at, hosts = network.rpartition("@")
    if "," not in hosts:
        return address
    each = "&".join(
        f"host={host if ':' in host else f'{host}:{PORT}'}" for host in hosts.split(",")
    )
    name, _, more = path.partition("?")
    return f"{kind}://{who}{at}{name or '/'}?{each}{f'&{more}' if more else ''}"


def _prepared(connection: Any, _: Any) -> None:
    """Make SQLite durable at every commit, and leave the beginning of a transaction to us."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "secure_delete=ON",
        "foreign_keys=ON",
        "mmap_size=268435456",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
