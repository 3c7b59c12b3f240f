"""Where the browser comes back to: one page on a free port of this machine (RFC 8252 7.3)."""

from __future__ import annotations

import asyncio
import hmac
from typing import Final, Self
from urllib.parse import parse_qsl

from helpdesk.domain.errors import Unauthorised, Unreachable

HEAD_LIMIT: Final = 16_384
"""Bytes of a request that are read."""

HEAD_S: Final = 5.0
"""Seconds a browser has to send them."""

PATH: Final = "/callback"


class Loopback:
    """A listener on 127.0.0.1 that takes the one answer to one sign-in.

    Other requests get 404 and change nothing. An answer with another `state` ends the sign-in:
    somebody tried to put a sign-in of theirs in place of the agent's.
    """

    def __init__(self, state: str) -> None:
        self._state = state
        self._answer: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        self._server: asyncio.Server | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        try:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD_LIMIT)
        except OSError as error:
            raise Unreachable(f"No port is free on this machine: {error.strerror}.") from error
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        if self._answer.done() and not self._answer.cancelled():
            self._answer.exception()
        self._answer.cancel()

    @property
    def address(self) -> str:
        """The address to come back to."""
        return f"http://127.0.0.1:{self._port}{PATH}"

    async def answer(self) -> dict[str, str]:
        """Return what the issuer sent back, once it came.

        Raises:
            Unauthorised: It answers another sign-in.
        """
        return await self._answer

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HEAD_S):
                head = await reader.readuntil(b"\r\n\r\n")
                status, says = self._take(head.decode("latin-1"))
                writer.write(_page(status, says))
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass  # no browser that knows how to ask
        finally:
            writer.close()

    def _take(self, head: str) -> tuple[str, str]:
        """Return the status and the sentence for a request, and keep the answer it brings."""
        first, *lines = head.split("\r\n")
        method, _, rest = first.partition(" ")
        target = rest.partition(" ")[0]
        hosts = [line[5:].strip() for line in lines if line[:5].lower() == "host:"]
        is_ours = method == "GET" and hosts == [f"127.0.0.1:{self._port}"]
        if not is_ours or target.partition("?")[0] != PATH:
            return "404 Not Found", "There is nothing here."
        if self._answer.done():
            return "410 Gone", "This sign-in is over. Go back to the console."
        pairs = parse_qsl(target.partition("?")[2])
        said = dict(pairs)
        is_same = hmac.compare_digest(said.get("state", "").encode(), self._state.encode())
        if not is_same or len(said) != len(pairs):
            self._answer.set_exception(
                Unauthorised("The browser brought the answer to another sign-in. Sign in again.")
            )
            return "400 Bad Request", "This answers another sign-in. Go back to the console."
        self._answer.set_result(said)
        if "error" in said:
            return "200 OK", "You are not signed in. Go back to the console."
        return "200 OK", "You can close this page and go back to the console."


def _page(status: str, says: str) -> bytes:
    body = f'<!doctype html><meta charset="utf-8"><title>Help desk</title><p>{says}</p>'
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: text/html; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy: no-referrer",
        "Connection: close",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
