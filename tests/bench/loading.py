"""Questions to a server as fast as it answers them, and what they cost it.

The side that asks is a bare socket per connection, so that on the same machine it takes little of
what is measured; still it takes some, so the server's own processor time is told beside.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ANSWER_S: Final = 30.0
"""How long one answer is waited for."""


@dataclass(frozen=True)
class Served:
    """What a server did in a while: answers, those that said no, seconds, seconds of processor."""

    good: int
    bad: int
    seconds: float
    cpu_s: float

    @property
    def per_s(self) -> float:
        """Good answers a second."""
        return self.good / self.seconds

    @property
    def per_cpu_s(self) -> float:
        """Good answers in a second of the server's processor time."""
        return self.good / max(self.cpu_s, 0.01)


def request(
    method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> bytes:
    """Give a question as it goes over the line."""
    told = {"Host": "desk", "Accept": "application/json", **(headers or {})}
    if body or method == "POST":
        told |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def load(
    ports: Sequence[int],
    processes: Sequence[int],
    asked: Callable[[int], bytes],
    *,
    connections: int,
    seconds: float,
    heed: Callable[[int, bytes], None] = lambda _number, _head: None,
) -> Served:
    """Ask for a while over so many connections, each of them one question after the other.

    Args:
        ports: Where servers listen.
        processes: Theirs.
        asked: Gives a question by its number.
        heed: Is given the head of the answer to a question, in small letters.
    """
    numbers = itertools.count()
    began, cpu_s = time.perf_counter(), sum(map(processor_s, processes))
    ends = began + seconds
    lines = (
        _asking(ports[place % len(ports)], asked, heed, numbers, ends)
        for place in range(connections)
    )
    answers = [answer for each in await asyncio.gather(*lines) for answer in each]
    took = time.perf_counter() - began
    good = sum(200 <= status < 300 for status in answers)
    cost = sum(map(processor_s, processes)) - cpu_s
    return Served(good, len(answers) - good, took, cost)


async def _asking(
    port: int,
    asked: Callable[[int], bytes],
    heed: Callable[[int, bytes], None],
    numbers: Iterator[int],
    ends: float,
) -> list[int]:
    statuses: list[int] = []
    writer: asyncio.StreamWriter | None = None
    try:
        while time.perf_counter() < ends:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            number = next(numbers)
            writer.write(asked(number))
            head = await asyncio.wait_for(answered(reader), ANSWER_S)
            statuses.append(int(head[9:12]))
            heed(number, head)
            if b"connection: close" in head:
                writer.close()
                writer = None
    finally:
        if writer is not None:
            writer.close()
    return statuses


async def answered(reader: asyncio.StreamReader) -> bytes:
    """Read one answer; give its head, in small letters."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2]
    if length:
        await reader.readexactly(int(length.partition(b"\r\n")[0]))
    elif b"transfer-encoding: chunked" in head:
        while (size := int((await reader.readline()).strip(), 16)) >= 0:
            await reader.readexactly(size + 2)
            if not size:
                break
    return head


def processor_s(process: int) -> float:
    """Give the seconds of processor time that a process and its children took so far."""
    children: list[int] = []
    with suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            children += map(int, (thread / "children").read_text("ascii").split())
    own = 0.0
    with suppress(OSError):
        found = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
        own = (int(found[11]) + int(found[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(map(processor_s, children))
