"""Lines to a database that stay open: each thread that asks has one of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

T = TypeVar("T")

WAIT_S: Final = 1.0
"""So long a question that is under way is waited for at the end."""


class _Line:
    """An open line, and whose turn it is on it."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.lock = connection, threading.Lock()

    def close(self) -> None:
        with contextlib.suppress(SQLAlchemyError):
            self.connection.close()


class Lines:
    """Lines on which a database is only asked: to take one out of a pool costs as much as to ask.

    Each question is seen by the database as one of its own. Where the line broke since the last,
    it is asked again on a new one: another server may answer by now.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._mine = threading.local()
        self._all: set[_Line] = set()

    def ask(self, question: Callable[[Connection], T]) -> T:
        """Return what a blocking question gives, which may be put twice."""
        was_open = getattr(self._mine, "line", None) is not None
        try:
            return self._ask(question)
        except DBAPIError as error:
            if not (was_open and error.connection_invalidated):
                raise
            return self._ask(question)

    def close(self) -> None:
        """Give them back; one that hangs ends by itself."""
        for line in tuple(self._all):
            if line.lock.acquire(timeout=WAIT_S):
                try:
                    line.close()
                finally:
                    line.lock.release()
        self._all.clear()

    def _ask(self, question: Callable[[Connection], T]) -> T:
        line: _Line | None = getattr(self._mine, "line", None)
        if line is None or line.connection.closed:
            line = self._mine.line = self._opened()
        with line.lock:
            try:
                return question(line.connection)
            except BaseException:  # what was read only in part is not to be seen by the next
                self._mine.line = None
                self._all.discard(line)
                line.close()
                raise

    def _opened(self) -> _Line:
        connection = self._engine.connect()
        connection.detach()
        line = _Line(connection)
        self._all.add(line)
        return line
