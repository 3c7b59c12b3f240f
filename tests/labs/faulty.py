"""A small server on a real socket, which breaks off wherever a test says: in a head, in a body.

request ─▶ taken by the application, or not ─▶ answered whole · cut · by something else in between
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Break:
    """How an answer goes wrong.

    Attributes:
        name: In a few words.
        is_taken: Whether the application was asked: an act is done then.
        sends: Makes of a whole answer what is sent of it, or in its place; then the line is cut.
        is_reset: Whether the line is cut with a reset, as by a machine that went down.
    """

    name: str
    is_taken: bool
    sends: Callable[[bytes], bytes]
    is_reset: bool = False


@dataclass
class Strike:
    """A break, and which of the requests from now on it strikes."""

    broken: Break
    first: int
    last: int


@dataclass
class Faulty:
    """An application behind a socket of its own.

    Attributes:
        strikes: What goes wrong, by the number of the request since `mark`.
        count: Requests since `mark`.
        lines: What answers the connections that are open.
        answers: Verb, path and body of what the application answered since then.
    """

    app: Any
    strikes: list[Strike] = field(default_factory=list)
    count: int = 0
    answers: list[tuple[str, bytes]] = field(default_factory=list)
    lines: set[asyncio.Task[Any]] = field(default_factory=set)

    def mark(self, *strikes: Strike) -> None:
        """Count from here on, and let these strike."""
        self.count, self.strikes, self.answers = 0, [*strikes], []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer on one connection until it is cut."""
        task = asyncio.current_task()
        assert task is not None
        self.lines.add(task)
        try:
            while True:
                head = await reader.readuntil(HEAD_END)
                length = _header(head, b"content-length") or b"0"
                body = await reader.readexactly(int(length))
                broken = self._struck()
                whole = b"" if broken and not broken.is_taken else await self._asked(head, body)
                if broken is not None:
                    writer.write(broken.sends(whole))
                    await writer.drain()
                    _cut(writer, is_reset=broken.is_reset)
                    return
                writer.write(whole)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            self.lines.discard(task)

    async def hang_up(self) -> None:
        """Close what is open, and leave nothing behind."""
        for task in self.lines:
            task.cancel()
        await asyncio.gather(*self.lines, return_exceptions=True)

    def _struck(self) -> Break | None:
        at, self.count = self.count, self.count + 1
        found = (one.broken for one in self.strikes if one.first <= at <= one.last)
        return next(found, None)

    async def _asked(self, head: bytes, body: bytes) -> bytes:
        line, *rest = head.removesuffix(HEAD_END).split(b"\r\n")
        method, target, _ = line.split(b" ")
        path, _, query = target.partition(b"?")
        headers = [(n.lower(), v.strip()) for n, _, v in (one.partition(b":") for one in rest)]
        scope = {
            "type": "http", "method": method.decode(), "path": path.decode(), "raw_path": path,
            "query_string": query, "headers": headers,
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        body = sent[1].get("body", b"")
        self.answers.append((f"{method.decode()} {path.decode()}", body))
        return answer(sent[0]["status"], body, *sent[0]["headers"])


def answer(status: int, body: bytes = b"", *headers: tuple[bytes, bytes]) -> bytes:
    """Give a whole answer as it travels."""
    lines = [b"HTTP/1.1 %d Said" % status, *(b"%b: %b" % one for one in headers)]
    if status != 204:
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join(lines) + HEAD_END + body


def page(status: int, *headers: tuple[bytes, bytes]) -> bytes:
    """Give a web page, as what stands between answers it."""
    body = b"<!doctype html><html><h1>Sign in</h1><script>x()</script></html>"
    return answer(status, body, (b"content-type", b"text/html; charset=utf-8"), *headers)


def data(raw: bytes, status: int = 200, *headers: tuple[bytes, bytes]) -> bytes:
    """Give an answer that says it is JSON."""
    return answer(status, raw, (b"content-type", b"application/json"), *headers)


@contextlib.asynccontextmanager
async def listening(app: Any) -> AsyncIterator[tuple[str, Faulty]]:
    """Give the address of an application on a free port of this machine, and its faults."""
    faulty = Faulty(app)
    server = await asyncio.start_server(faulty.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}", faulty
    finally:
        server.close()
        await faulty.hang_up()


def _header(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return value.strip()
    return b""


def _cut(writer: asyncio.StreamWriter, *, is_reset: bool) -> None:
    if is_reset:
        line: socket.socket = writer.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
