"""The head of an answer and what follows it, on a line."""

from __future__ import annotations

import asyncio

from helpdesk.gateway.running import Joined

HEAD, BODY = b"HTTP/1.1 200 OK\r\n\r\n", b"{}"


class Written(asyncio.Transport):
    """A line that keeps what is sent over it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


async def test_a_head_goes_out_with_what_follows_at_once() -> None:
    line = Written()
    joined = Joined(line, asyncio.get_running_loop())

    for data in (HEAD, BODY, BODY):
        joined.write(data)
    await asyncio.sleep(0)

    assert line.sent == [HEAD + BODY, BODY]


async def test_a_head_that_nothing_follows_goes_out_alone() -> None:
    line = Written()
    joined = Joined(line, asyncio.get_running_loop())

    joined.write(HEAD)
    await asyncio.sleep(0)
    joined.write(BODY)

    assert line.sent == [HEAD, BODY]


async def test_what_was_not_sent_yet_is_sent_before_a_line_is_closed() -> None:
    line = Written()
    joined = Joined(line, asyncio.get_running_loop())

    joined.write(HEAD)
    joined.close()

    assert (line.sent, line.is_closed) == ([HEAD], True)


async def test_nothing_is_sent_on_a_line_that_was_closed_meanwhile() -> None:
    line = Written()
    joined = Joined(line, asyncio.get_running_loop())

    joined.write(HEAD)
    line.close()
    await asyncio.sleep(0)

    assert line.sent == []
