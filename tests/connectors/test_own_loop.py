"""A loop on a thread of its own: what is under way when it is closed."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from helpdesk.connectors import own_loop
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


async def test_a_question_is_on_its_way_before_whoever_asks_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own_loop, "LENT_S", 30.0)
    loop, has_gone = OwnLoop("one"), threading.Event()

    async def question() -> None:
        time.sleep(0.01)  # the other thread could go on meanwhile
        await asyncio.sleep(0)
        has_gone.set()

    under_way = loop.run(question())

    assert has_gone.is_set()
    await under_way
    await asyncio.to_thread(loop.close, _nothing)


async def test_who_asks_a_loop_that_is_busy_goes_on_all_the_same() -> None:
    loop, may_go_on = OwnLoop("one"), threading.Event()

    async def busy() -> None:
        may_go_on.wait()

    under_way = loop.run(busy())
    may_go_on.set()  # the loop is free only where the line above came back

    await under_way
    await asyncio.to_thread(loop.close, _nothing)
