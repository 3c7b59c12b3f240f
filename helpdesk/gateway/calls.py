"""A question over HTTP as it comes, and what is given for it: nothing stands between the two.

A framework makes a request, its parameters and a response of each: a third of what a short answer
costs.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from helpdesk.domain.errors import HelpdeskError
from helpdesk.gateway import wire
from helpdesk.gateway.watch import Receive, Send

JSON: Final = b"application/json"

TOO_MUCH: Final = f"A question has at most {wire.BODY_LIMIT} bytes."


class Malformed(HelpdeskError):
    """A question that is not of the form that is asked for.

    Attributes:
        status: What is answered.
        name: The problem's name.
    """

    def __init__(self, says: str, *, status: int = 400, name: str = "malformed") -> None:
        self.status, self.name = status, name
        super().__init__(says)


class Call:
    """A question over HTTP.

    Attributes:
        scope: What the server knows of it; what the log may say of it is noted there.
        placed: What stands in the places of its address, by their names.
    """

    __slots__ = ("_headers", "_receive", "placed", "scope")

    def __init__(self, scope: dict[str, Any], receive: Receive, placed: Mapping[str, str]) -> None:
        self.scope, self._receive, self.placed = scope, receive, placed
        self._headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))  # the first counts

    def header(self, name: str) -> str:
        """Give a header by its name in any letters; empty where it is not there."""
        return self._headers.get(name.lower().encode(), b"").decode("latin-1")

    def queried(self) -> Sequence[tuple[str, str]]:
        """Give what stands after the question mark, in its order."""
        text: bytes = self.scope["query_string"]
        return parse_qsl(text.decode("latin-1"), keep_blank_values=True) if text else ()

    async def body(self) -> bytes:
        """Give what is sent with it.

        Raises:
            Malformed: It is too much, or breaks off.
        """
        body, length = b"", self.header("content-length")
        if length.isdecimal() and int(length) > wire.BODY_LIMIT:
            raise Malformed(TOO_MUCH, status=413, name="too-much")
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Malformed("The question broke off.")
            part: bytes = message.get("body", b"")
            body += part
            if len(body) > wire.BODY_LIMIT:
                raise Malformed(TOO_MUCH, status=413, name="too-much")
            if not message.get("more_body", False):
                return body


class Given(NamedTuple):
    """What is given for a call.

    Attributes:
        content: The whole of it.
        headers: Besides what says the form and the length.
        events: What is told bit by bit instead.
    """

    content: bytes
    status: int = 200
    media: bytes = JSON
    headers: Sequence[tuple[bytes, bytes]] = ()
    events: AsyncGenerator[bytes, None] | None = None


async def give(given: Given, receive: Receive, send: Send) -> None:
    """Send what is given; events as long as somebody listens."""
    if given.events is not None:
        await _give_events(given, given.events, receive, send)
        return
    length = (b"content-length", b"%d" % len(given.content))
    headers = [(b"content-type", given.media), length, *given.headers]
    await send({"type": "http.response.start", "status": given.status, "headers": headers})
    await send({"type": "http.response.body", "body": given.content})


async def _give_events(
    given: Given, events: AsyncGenerator[bytes, None], receive: Receive, send: Send
) -> None:
    headers = [(b"content-type", given.media), *given.headers]
    await send({"type": "http.response.start", "status": given.status, "headers": headers})
    telling = asyncio.ensure_future(_told(events, send))
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if telling.done():
            telling.result()
    finally:
        for one in (telling, leaving):
            one.cancel()
        await asyncio.gather(telling, leaving, return_exceptions=True)


async def _told(events: AsyncGenerator[bytes, None], send: Send) -> None:
    async with contextlib.aclosing(events) as each:
        async for event in each:
            await send({"type": "http.response.body", "body": event, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _left(receive: Receive) -> None:
    """Wait until nobody listens any more."""
    while (await receive())["type"] != "http.disconnect":
        pass
