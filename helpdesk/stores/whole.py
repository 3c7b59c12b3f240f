"""A blocking step in a thread that a cancelled task does not leave behind."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


async def whole(
    step: Callable[..., T], *arguments: Any, undo: Callable[[T], object] | None = None
) -> T:
    """Return what a blocking step returns, taken in a thread to its end.

    Where the asking task is cancelled meanwhile, even by the end of its loop, the cancellation goes
    on only when the thread has ended. What the step gave then is for nobody: *undo* takes it back.

    Raises:
        asyncio.CancelledError: The task was cancelled; the step was taken all the same.
    """
    inside = partial(contextvars.copy_context().run, step, *arguments)
    # A future of the executor and no task: the end of a loop cancels every task there is.
    job = asyncio.get_running_loop().run_in_executor(None, inside)
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        while not job.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([job])
        if job.exception() is None and undo is not None:
            await whole(undo, job.result())
        raise
