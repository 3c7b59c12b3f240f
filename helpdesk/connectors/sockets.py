"""The network under httpx, on the loop itself: what else lies between is a fifth of an answer.

A question goes out whole: its head alone would wake whoever is asked, who could do nothing yet.
"""

from __future__ import annotations

import asyncio
import select
import ssl
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpcore

from helpdesk.connectors.bare_httpx import httpx

MOST_HELD: Final = 262_144
"""Bytes that are taken in before anybody reads them; what comes then waits at the other side."""

MOST_JOINED: Final = 65_536
"""Bytes of a question that are held until it is whole."""

APART_S: Final = 0.25
"""Seconds after which another address of a host is tried beside the first (RFC 8305)."""

RESTS_S: Final = 20.0
"""Seconds for which a line that nobody needs stays open: less than a gateway of ours keeps it."""


class Lines(httpx.AsyncHTTPTransport):
    """A pool of lines on which httpx asks; it does not follow the environment.

    Args:
        tls: What certificates are held against.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        # All that its own beginning does is to make a pool, on a network that cannot be chosen.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=16,
            max_keepalive_connections=8,
            keepalive_expiry=RESTS_S,
            network_backend=Network(),
        )


class Network(httpcore.AsyncNetworkBackend):
    """Opens connections; on a loop that cannot try several addresses at once, as httpcore does."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's own words)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open one.

        Raises:
            httpcore.ConnectError: Nobody is there.
            httpcore.ConnectTimeout: Nobody answers.
        """
        loop = asyncio.get_running_loop()
        if not isinstance(loop, asyncio.BaseEventLoop):
            return await httpcore.AnyIOBackend().connect_tcp(
                host, port, timeout, local_address, socket_options
            )
        local = (local_address, 0) if local_address else None
        with _told(httpcore.ConnectTimeout, httpcore.ConnectError):
            async with asyncio.timeout(timeout):
                transport, wire = await loop.create_connection(
                    Wire, host, port, local_addr=local, happy_eyeballs_delay=APART_S
                )
            for option in socket_options or ():
                transport.get_extra_info("socket").setsockopt(*option)
        return wire

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Wire(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One connection."""

    def __init__(self) -> None:
        self._transport: Any = None
        self._in, self._out = bytearray(), bytearray()
        self._is_over = False
        self._fault: Exception | None = None
        self._waiting: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take note of the connection, and of what is put around it later."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take in what came."""
        self._in += data
        if len(self._in) > MOST_HELD:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Take note that nothing more comes."""
        self._is_over = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that it broke."""
        self._is_over, self._fault = True, exc
        self._wake()

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's own words)
    ) -> bytes:
        """Give what came, up to so much, after what was to be sent; nothing at the end.

        Raises:
            httpcore.ReadError: It broke.
            httpcore.ReadTimeout: Nothing came.
        """
        self._flush()
        if not self._in and not self._is_over:
            with _told(httpcore.ReadTimeout, httpcore.ReadError):
                async with asyncio.timeout(timeout):
                    await self._more()
        if not self._in and self._fault is not None:
            raise httpcore.ReadError(str(self._fault)) from self._fault
        came = bytes(self._in[:max_bytes])
        del self._in[:max_bytes]
        if not self._is_over and len(self._in) <= MOST_HELD:
            self._transport.resume_reading()
        return came

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's own words)
    ) -> None:
        """Send, at the latest before something is read; that it broke is found out there."""
        self._out += buffer
        if len(self._out) > MOST_JOINED:
            self._flush()

    async def aclose(self) -> None:
        """Close it; what was not sent is not, and whoever is there need not agree."""
        self._transport.close()
        await asyncio.sleep(0)
        self._transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's own words)
    ) -> Wire:
        """Go on so that nobody listens in.

        Raises:
            httpcore.ConnectError: Whoever is there is not whom the certificate names.
            httpcore.ConnectTimeout: They do not answer.
        """
        self._flush()
        with _told(httpcore.ConnectTimeout, httpcore.ConnectError):
            try:
                async with asyncio.timeout(timeout):
                    self._transport = await asyncio.get_running_loop().start_tls(
                        self._transport, self, ssl_context, server_hostname=server_hostname
                    )
            except BaseException:
                self._transport.close()
                raise
        return self

    def get_extra_info(self, info: str) -> Any:
        """Give whether there is something to read, or it has ended; else what the loop knows."""
        if info == "is_readable":
            return bool(self._in) or self._is_over or self._is_unread()
        return self._transport.get_extra_info(info)

    def _is_unread(self) -> bool:
        """Whether something came, its end perhaps, that a busy loop had no time to look at."""
        line = self._transport.get_extra_info("socket")
        if line is None or line.fileno() < 0:  # under TLS the loop tells of its end a turn later
            return True
        if sys.platform == "win32":
            return bool(select.select([line], [], [], 0)[0])
        ready = select.poll()
        ready.register(line, select.POLLIN)
        return bool(ready.poll(0))

    def _flush(self) -> None:
        if self._out:
            self._transport.write(bytes(self._out))
            self._out.clear()

    async def _more(self) -> None:
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


@contextmanager
def _told(late: type[Exception], broken: type[Exception]) -> Iterator[None]:
    """Say in httpcore's words what went wrong."""
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except (OSError, UnicodeError) as error:  # a host's name that cannot be one
        raise broken(str(error)) from error
