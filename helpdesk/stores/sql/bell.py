"""Telling whoever waits that somebody wrote, in this process and, by PostgreSQL, in others."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

CHANNEL: Final = "helpdesk"
"""Where PostgreSQL says that something was written."""

LISTEN_S: Final = 20.0
"""After so long one looks again, though nothing was heard: a line may be dead."""

AGAIN_S: Final = 2.0
"""How long until a line that broke is tried again."""


class Bell:
    """Wakes all who wait, in whatever loop."""

    def __init__(self) -> None:
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._rung = 0

    async def heard(self, seconds: float, since: int) -> int:
        """Wait until it has rung more often than *since*, or so long; give how often it has."""
        one = (asyncio.get_running_loop(), asyncio.Event())
        self._waiting.add(one)
        try:
            if self._rung != since:
                return self._rung
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await one[1].wait()
        finally:
            self._waiting.discard(one)
        return self._rung

    def ring(self) -> None:
        """Wake all who wait; from any thread."""
        self._rung += 1
        for loop, event in tuple(self._waiting):
            with contextlib.suppress(RuntimeError):  # a loop that ended meanwhile
                loop.call_soon_threadsafe(event.set)


class Listener:
    """Rings a bell at each change that PostgreSQL tells of; a thread with a line of its own.

    Attributes:
        is_listening: Whether the line is up: else one has to look oneself.
    """

    def __init__(self, engine: Engine, bell: Bell) -> None:
        self._engine, self._bell = engine, bell
        self._ended = threading.Event()
        self.is_listening = False
        self._thread = threading.Thread(target=self._listen, name="listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._ended.set()
        self._thread.join(AGAIN_S + 1)

    def _listen(self) -> None:
        import psycopg  # noqa: PLC0415  (only where there is a server to listen to)

        while not self._ended.is_set():
            try:
                self._listen_once()
            except (SQLAlchemyError, OSError, psycopg.Error):
                self._bell.ring()  # what was missed while it broke
            self.is_listening = False
            self._ended.wait(AGAIN_S)

    def _listen_once(self) -> None:
        with contextlib.closing(self._engine.raw_connection()) as line:
            driver: Any = line.driver_connection
            line.detach()
            driver.autocommit = True
            driver.execute(f"LISTEN {CHANNEL}")
            self.is_listening = True
            try:
                while not self._ended.is_set():
                    for _ in driver.notifies(timeout=1, stop_after=1):
                        self._bell.ring()
            finally:
                driver.close()
