"""Asking an agent for a sign-in from another thread than the one that draws the screens."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from helpdesk.domain.errors import GaveUp
from helpdesk.domain.signing import AskSignIn, SignInPrompt

T = TypeVar("T")


async def left_behind(work: Callable[[], T], name: str) -> T:
    """Give what blocking work gives; who leaves, or ends the program, does not wait for it.

    Args:
        work: What is done in a thread of its own; an executor's threads hold the end up.
        name: The thread's name.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def give(value: T) -> None:
        if not done.done():
            done.set_result(value)

    def fail(error: BaseException) -> None:
        if not done.done():
            done.set_exception(error)

    def run() -> None:
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001  (raised where it is waited for)
            if not loop.is_closed():
                loop.call_soon_threadsafe(fail, error)
        else:
            if not loop.is_closed():
                loop.call_soon_threadsafe(give, value)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await done


def from_here(home: asyncio.AbstractEventLoop, ask: AskSignIn) -> AskSignIn:
    """Return what asks in the loop *home*, to be awaited in any other."""

    async def asked(prompt: SignInPrompt) -> str:
        async def at_home() -> str:
            return await ask(prompt)

        if home.is_closed():
            raise GaveUp
        here = asyncio.current_task()
        try:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(at_home(), home))
        except asyncio.CancelledError:
            if here is not None and here.cancelling():
                raise
            raise GaveUp from None  # the console is being closed, and its dialog with it

    return asked
