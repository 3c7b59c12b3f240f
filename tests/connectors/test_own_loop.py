"""A loop on a thread of its own: what is under way when it is closed."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Coroutine
from typing import Any

from helpdesk.connectors.own_loop import OwnLoop


class Wrapping:
    """Begins one more task at every beat, each wrapping another coroutine, as libraries do."""

    def __init__(self) -> None:
        self.begun = self.ended = 0

    async def go_on(self) -> None:
        """Begin them until it is ended."""
        tasks = set()
        while True:
            tasks.add(asyncio.create_task(self._wrapped(self._inner())))
            await asyncio.sleep(0)

    async def _wrapped(self, inner: Coroutine[Any, Any, None]) -> None:
        await inner

    async def _inner(self) -> None:
        self.begun += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.ended += 1


async def _nothing() -> None:
    """Do nothing: no line is there to be closed."""


async def test_all_that_is_under_way_as_a_loop_is_closed_has_begun_and_is_ended() -> None:
    loop, wrapping = OwnLoop("one"), Wrapping()
    under_way = loop.run(wrapping.go_on())

    await asyncio.to_thread(loop.close, _nothing)
    with contextlib.suppress(asyncio.CancelledError):
        await under_way
    gc.collect()  # a coroutine that never began says so, and a warning is an error

    assert wrapping.begun == wrapping.ended > 0
