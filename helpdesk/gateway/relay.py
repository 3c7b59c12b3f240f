"""Relaying what changed to whoever listens, as server-sent events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Final

import msgspec

from helpdesk.domain.errors import CursorTooOld, Unreachable
from helpdesk.gateway.wire import Moved
from helpdesk.service.desk import Desk

BEAT_S: Final = 15.0
"""How often a stream says that it is still there."""

LONGEST_S: Final = 3_600.0
"""After this a stream ends; whoever listens begins anew from their cursor, elsewhere maybe."""


async def tell(
    desk: Desk, cursor: str, left_s: float, is_over: asyncio.Event
) -> AsyncIterator[bytes]:
    """Give an event for each change after a cursor, until the sign-in ends or all is over.

    `begun` and `changed` carry the cursor, `gone` says that it is too old.
    """
    ends = time.monotonic() + min(left_s, LONGEST_S)
    yield event("begun", cursor)
    while (rest_s := ends - time.monotonic()) > 0 and not is_over.is_set():
        try:
            async with asyncio.timeout(min(BEAT_S, rest_s)):
                cursor = await _either(desk.changed(cursor), is_over)
        except TimeoutError:
            yield b": still here\n\n"
            continue
        except CursorTooOld:
            yield event("gone", "")
            return
        except Unreachable:
            return
        if cursor:
            yield event("changed", cursor)


async def _either(changed: Coroutine[Any, Any, str], is_over: asyncio.Event) -> str:
    """Wait for a change, and give its cursor; nothing where all is over before."""
    change, end = asyncio.ensure_future(changed), asyncio.ensure_future(is_over.wait())
    try:
        await asyncio.wait({change, end}, return_when=asyncio.FIRST_COMPLETED)
        return change.result() if change.done() else ""
    finally:
        change.cancel()
        end.cancel()


def event(name: str, cursor: str) -> bytes:
    """Return one event of the stream."""
    data = msgspec.json.encode(Moved(cursor=cursor))
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (cursor.encode(), name.encode(), data)
