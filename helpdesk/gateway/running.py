"""Running a gateway on a socket, until it is told to stop."""

from __future__ import annotations

import asyncio
import socket
import time
from types import FrameType
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from helpdesk.gateway import wire
from helpdesk.gateway.server import Gateway

SILENT_S: Final = 40.0
"""Seconds that whoever is connected may take for a whole request's head, the first or the next."""

MOST_HEAD: Final = 32_768
"""Bytes of a request's head, at most."""

MOST_ASKED: Final = MOST_HEAD + 8 * wire.BODY_LIMIT
"""Bytes of a whole request on the line: whoever sends its body byte by byte sends more of them."""


class Joined:
    """A line on which the head of an answer goes out with what follows it at once.

    Alone it would wake whoever asked, who could do nothing with it yet.
    """

    def __init__(self, line: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._line, self._loop, self._head = line, loop, b""

    def write(self, data: bytes) -> None:
        """Send; a head a little later, unless something follows before."""
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(b"HTTP/"):
            self._head = data
            self._loop.call_soon(self._let_go)
            return
        self._line.write(data)

    def close(self) -> None:
        """Send what there is, and close."""
        self._let_go()
        self._line.close()

    def _let_go(self) -> None:
        head, self._head = self._head, b""
        if head and not self._line.is_closing():  # else nobody is there any more
            self._line.write(head)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._line, name)


class Bounded(HttpToolsProtocol):
    """A connection that takes no request without an end: the parser itself keeps all it is sent."""

    _taken = 0
    _is_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a new connection."""
        super().connection_made(transport)
        self.transport = Joined(transport, self.loop)  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Take what came; refuse a request that is too long already."""
        self._taken += len(data)
        super().data_received(data)
        if self._taken > (MOST_HEAD if self._is_head else MOST_ASKED):
            self.transport.close()

    def on_headers_complete(self) -> None:
        """Take note that a head has ended, and answer it."""
        self._is_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Take note that a request has ended."""
        super().on_message_complete()
        self._taken, self._is_head = 0, True


class Server(uvicorn.Server):
    """A server whose listeners are let go of as soon as it is told to stop.

    Args:
        gateway: Answers.
        certificate: A file with the certificate to answer with; empty for none.
        key: A file with its key.
        silent_s: Seconds that a connection may be open without asking anything whole.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        certificate: str = "",
        key: str = "",
        silent_s: float = SILENT_S,
    ) -> None:
        self._gateway, self._silent_s = gateway, silent_s
        self._silent: dict[Any, tuple[Any, float]] = {}
        super().__init__(
            uvicorn.Config(
                gateway.app(),
                http=Bounded,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ssl_certfile=certificate or None,
                ssl_keyfile=key or None,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=20,
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop, after what is under way."""
        self._gateway.end()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop in order; a second SIGINT waits for nobody who asks, but for what is carried out."""
        await super().shutdown(sockets)
        if self.force_exit:  # uvicorn would break off the gateway's end, and print a traceback
            await self.lifespan.shutdown()

    async def on_tick(self, counter: int) -> bool:
        """Look after what is due ten times a second; let go of who is connected and silent."""
        if not counter % 10:
            self._let_go()
        return await super().on_tick(counter)

    def _let_go(self) -> None:
        """Close what asked nothing whole for too long: uvicorn itself waits for ever."""
        now, before = time.monotonic(), self._silent
        self._silent = {}
        one: Any
        for one in self.server_state.connections:
            if _is_answered(one):
                continue
            asked, since = before.get(one, (None, now))
            if asked is not one.cycle:  # it asked something since, and has its answer already
                since = now
            self._silent[one] = one.cycle, since
            if now - since > self._silent_s:
                one.transport.close()


def _is_answered(connection: Any) -> bool:
    """Whether a connection asked something that is being answered."""
    cycle = connection.cycle
    return cycle is not None and not cycle.response_complete


def run(server: Server, listener: socket.socket) -> None:
    """Answer at a socket until SIGINT or SIGTERM; blocking."""
    server.run([listener])
