"""Asking an agent for a sign-in from another thread than the one that draws the screens."""

from __future__ import annotations

import asyncio

from helpdesk.domain.errors import GaveUp
from helpdesk.domain.signing import AskSignIn, SignInPrompt


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
