"""The network under httpx: whole questions, long answers, and what is said where a line breaks."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from helpdesk.connectors.sockets import MOST_HELD, MOST_JOINED, Lines
from tests.waiting import PATIENCE_S

Answers = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n"


@asynccontextmanager
async def asking(answers: Answers, timeout_s: float = 5.0) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of a server of this machine that answers each connection once."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answers(reader, writer)
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    lines = Lines(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    base = f"http://127.0.0.1:{port}"
    async with (
        server,
        httpx.AsyncClient(transport=lines, base_url=base, timeout=timeout_s) as client,
    ):
        yield client


async def test_a_question_goes_out_whole() -> None:
    first: list[bytes] = []

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first.append(await reader.read(MOST_JOINED))
        writer.write(HEAD % 2 + b"ok")

    async with asking(answers) as client:
        found = await client.post("/", content=b"what it is about")

    assert found.content == b"ok"
    assert first[0].endswith(b"\r\n\r\nwhat it is about")


async def test_a_long_question_and_a_long_answer_come_whole() -> None:
    long = b"0123456789abcdef" * (MOST_HELD // 4)

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked = await reader.readexactly(len(long))
        writer.write(HEAD % len(asked) + asked)
        await writer.drain()

    async with asking(answers) as client:
        found = await client.post("/", content=long)

    assert found.content == long


@pytest.mark.parametrize("said", [b"", HEAD % 100 + b"not all"])
async def test_a_line_that_ends_before_the_answer_does_is_told(said: bytes) -> None:
    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)

    async with asking(answers) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/")


async def test_nobody_waits_for_ever_for_an_answer() -> None:
    silent = asyncio.Event()

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()

    async with asking(answers, timeout_s=0.05) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/")
        silent.set()


@pytest.mark.parametrize("where", ["127.0.0.1:1", "a..b", f"{'x' * 64}.example"])
async def test_where_nobody_is_nothing_was_sent(where: str) -> None:
    async with asking(lambda *_: asyncio.sleep(0)) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://{where}/")


async def test_a_line_that_ended_while_the_loop_was_busy_is_not_asked_on_again() -> None:
    ends, ended = threading.Event(), threading.Event()

    def answer(listener: socket.socket) -> None:
        for _ in range(2):
            line, _ = listener.accept()
            with line:
                line.recv(MOST_JOINED)
                line.sendall(HEAD % 2 + b"ok")
                ends.wait(PATIENCE_S)
            ended.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        lines = Lines(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(transport=lines, base_url=base) as client:
            first = await client.get("/")
            ends.set()
            is_ended = ended.wait(PATIENCE_S)  # on the loop, which looks at nothing meanwhile

            second = await client.get("/")
        thread.join(PATIENCE_S)

    assert is_ended
    assert (first.content, second.content) == (b"ok", b"ok")
