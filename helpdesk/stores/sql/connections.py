"""Connections to a database, and what is said where it does not answer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from helpdesk.domain.errors import NoRecord, Unknown
from helpdesk.domain.text import clean
from helpdesk.stores.sql.bell import LISTEN_S, Bell, Listener
from helpdesk.stores.sql.counting import Counter
from helpdesk.stores.sql.lines import Lines
from helpdesk.stores.sql.lull import Lull
from helpdesk.stores.sql.opening import HIDDEN, PATIENCE, engine_at
from helpdesk.stores.sql.schema import pen

T = TypeVar("T")

READERS: Final = 8
"""So many questions are answered at once; more would only share the same processors."""

COUNT: Final = "changes"

HELD: ContextVar[Connection | None] = ContextVar("held", default=None)
"""The connection of the question under way."""

KNOWN: ContextVar[dict[str, Any] | None] = ContextVar("known", default=None)
"""What is known to whoever asks it: under the pen, or as `ENDED`."""

ENDED: ContextVar[dict[str, Any] | None] = ContextVar("ended", default=None)
"""What is known to who looks at a transaction that has just ended, until they ask what is new."""


class Connections:
    """One database by its address, and the lines to it.

    Attributes:
        name: Its address without what is secret, as it was given.
        place: The same from wherever it is opened: a file's whole path, or the name.

    Args:
        address: Where it is.
        patience: What is said to a server about its silence, instead of `PATIENCE`.

    Raises:
        BadInput: The address is none of a database that is known.
    """

    def __init__(self, address: str, *, patience: Mapping[str, Any] | None = None) -> None:
        self.engine = engine_at(address, {**PATIENCE, **(patience or {})})
        # A server would be told of the begin and the end of every question beside it.
        self._lines = Lines(
            self.engine
            if self.is_sqlite
            else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        )
        shown = self.engine.url.difference_update_query(HIDDEN)
        self.name = shown.render_as_string(hide_password=True)
        file = self.engine.url.database if self.is_sqlite else None
        is_file = not (file or ":").startswith((":", "file:"))
        self.place = str(Path(file or "").resolve()) if is_file else self.name
        # Threads of their own: whoever writes does not wait behind a slow search.
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._bell = Bell()
        self._listener: Listener | None = None
        self._counter = Counter(self.engine)
        self._lull = Lull(-1)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is the embedded kind."""
        return self.engine.dialect.name == "sqlite"

    async def news(self, seconds: float, since: int) -> int:
        """Wait until somebody wrote, as `Store.news`.

        PostgreSQL tells every process; SQLite none but the one that wrote, so that others look
        again after *seconds*.
        """
        if not self.is_sqlite:
            self._listener = self._listener or Listener(self.engine, self._bell)
            seconds = LISTEN_S if self._listener.is_listening else seconds
        return await self._bell.heard(seconds, since)

    @contextlib.contextmanager
    def connection(self) -> Iterator[Connection]:
        """Give the connection of the question under way, or one for this moment; blocking."""
        held = HELD.get()
        if held is not None:
            yield held
            return
        with self._telling(), self.engine.connect() as fresh:
            yield fresh

    def close(self) -> None:
        """Give back all connections."""
        if self._listener is not None:
            self._listener.close()
        self._readers.shutdown(wait=False)
        self._counter.close()
        self._lines.close()
        self.engine.dispose()

    def _asked(self, question: Callable[..., T], *arguments: Any) -> T:
        known = ENDED.get()
        return self._lines.ask(lambda line: within(line, known, question, *arguments))

    @contextlib.contextmanager
    def _telling(self, *, is_ending: bool = False) -> Iterator[None]:
        """Say in a sentence what the database says.

        Where the line to a server breaks as a transaction ends, nobody knows how it ended.
        """
        try:
            yield
        except SQLAlchemyError as error:
            self._lull = Lull(-1)  # another server may answer from here on
            says = " ".join(str(error.orig if isinstance(error, DBAPIError) else error).split())
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
    known = KNOWN.get()
    if known is not None and COUNT in known:
        return int(known[COUNT])
    count: int = connection.execute(CHANGES).scalar_one()
    return count


def first_row(connection: Connection) -> None:
    """Make the row that writers hold."""
    connection.execute(insert(pen).values(id=1, changes=0, ticket=1000))


def within(
    connection: Connection,
    known: dict[str, Any] | None,
    question: Callable[..., T],
    *arguments: Any,
) -> T:
    """Return what a question gives on a connection, with what is known to whoever asks it."""
    token, kept = HELD.set(connection), KNOWN.set(known)
    try:
        return question(*arguments)
    finally:
        HELD.reset(token)
        KNOWN.reset(kept)
