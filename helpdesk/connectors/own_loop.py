"""A loop on a thread of its own: who asks may be in any loop, and no screen holds it up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

LENT_S: Final = 0.002
"""Seconds for which whoever asks stands still at most until what they ask is on its way."""

TURNS: Final = 3
"""After so many turns of the loop a question over a line that stands has gone out."""


class OwnLoop:
    """Runs what it is given, until it is closed.

    Args:
        name: That of its thread.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Begin something; give what the caller's own loop awaits of it.

        The caller waits until it is on its way: else both threads take turns at half a millisecond
        while a screen is drawn, and whoever is asked hears of it the later.
        """
        begun = threading.Lock()
        begun.acquire()
        found = asyncio.run_coroutine_threadsafe(work, self._loop)
        asyncio.run_coroutine_threadsafe(_after_turns(begun.release), self._loop)
        begun.acquire(timeout=LENT_S)
        return asyncio.wrap_future(found)

    def result(self, work: Coroutine[Any, Any, T]) -> T:
        """Give what comes of something; blocking, from outside the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self, then: Callable[[], Awaitable[None]]) -> None:
        """End what is under way, do what is to be done *then*, and stop; blocking, from outside.

        Nothing where it is closed.
        """
        if self._loop.is_closed():
            return
        self.result(_ended(then))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _after_turns(then: Callable[[], None]) -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)
    then()


async def _ended(then: Callable[[], Awaitable[None]]) -> None:
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        # By the next beat each has begun: one that is ended before leaves what it wraps unbegun.
        await asyncio.sleep(0)
        for task in others:  # and then those that these began as they ended
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
    await then()
