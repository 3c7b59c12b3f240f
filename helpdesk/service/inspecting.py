"""A long log from its beginning to its end, part by part: inspected, or taken away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from helpdesk.domain.exports import ExportRow
from helpdesk.domain.inspection import Inspection
from helpdesk.domain.text import counted
from helpdesk.service.desk import Desk

Told = Callable[[int, int], None]
"""Hears how many rows are done, of how many."""


SURE_S: Final = 1.0
"""Seconds before which nothing is said about how long the rest takes."""


class Pace:
    """How far something is, in words, with the rest of the time once there is ground for it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began = clock, clock()

    def words(self, done: int, of: int) -> str:
        """Return such as `41,000 of 100,000 rows, about 7 s left`."""
        gone = self._clock() - self._began
        far = f"{done:,} of {counted(of, 'row')}"
        if gone < SURE_S or not 0 < done < of:
            return far
        left = gone * (of - done) / done
        about = f"{left:.0f} s" if left < 100 else f"{left / 60:.0f} min"
        return f"{far}, about {about} left"


async def inspected(
    desk: Desk, checkpoint: str = "", key: str = "", heed: Told = lambda _done, _of: None
) -> Inspection:
    """Give what is proven about a desk's log, as `Desk.inspect_log`; *heed* hears how far it is.

    Whoever cancels it has asked for nothing that goes on elsewhere.
    """
    part = await desk.inspect_log(checkpoint, key)
    while part.found is None:
        heed(part.done, part.of)
        part = await desk.inspect_log(checkpoint, key, part.so_far)
    heed(part.done, part.of)
    return part.found


async def exported(desk: Desk, *, is_clear: bool = False) -> AsyncIterator[Sequence[ExportRow]]:
    """Give the rows of a desk's log that its agent may see, oldest first, some at a time."""
    part = await desk.export_log(is_clear=is_clear)
    yield part.rows
    while part.next:
        await asyncio.sleep(0)  # a desk of this machine never waits: whoever interrupts would
        part = await desk.export_log(is_clear=is_clear, after=part.next)
        yield part.rows
