"""A line that breaks: a proxy that refuses, cuts, loses, drips, slices and resets."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum

BAD_IN_100 = 40
"""Connections of a hundred on which something is wrong."""

DRIP_S = 0.02
"""Seconds between two bytes of an answer that drips."""


class Fault(StrEnum):
    """What is wrong on a connection."""

    NONE = "none"
    REFUSE = "refuse"
    """Reset before a byte is read."""
    CUT_REQUEST = "cut request"
    """A part of the request arrives, then both sides are reset."""
    LOSE_ANSWER = "lose answer"
    """The request arrives whole; the answer is read, and the asking side reset."""
    CUT_ANSWER = "cut answer"
    """A part of the answer arrives, then reset."""
    DRIP = "drip"
    """The answer comes a byte at a time, slower than anybody waits for."""
    SLICE = "slice"
    """Both ways in slices of a few bytes: nothing is lost."""


class FaultyLine:
    """Stands before a gateway, in a thread of its own.

    Attributes:
        counts: How many connections went which way.
        is_whole: Whether nothing is wrong from now on.
        port: Where it listens.
    """

    def __init__(self, port: int, seed: int) -> None:
        self._to, self._dice = port, random.Random(seed)
        self.counts: Counter[Fault] = Counter()
        self.is_whole = False
        self.port = 0
        self._carrying: set[asyncio.Task[None] | None] = set()

    @contextlib.contextmanager
    def standing(self) -> Iterator[str]:
        """Stand; give the address to ask instead of the gateway's."""
        loop = asyncio.new_event_loop()
        server = loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        thread = threading.Thread(target=loop.run_forever, name="faulty-line")
        thread.start()
        try:
            yield f"http://127.0.0.1:{self.port}"
        finally:
            asyncio.run_coroutine_threadsafe(_ended(server), loop).result(10)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            loop.close()

    def _fault(self) -> Fault:
        is_bad = not self.is_whole and self._dice.randrange(100) < BAD_IN_100
        fault = self._dice.choice([each for each in Fault if each is not Fault.NONE])
        self.counts[fault if is_bad else Fault.NONE] += 1
        return fault if is_bad else Fault.NONE

    async def _serve(self, asks: asyncio.StreamReader, asker: asyncio.StreamWriter) -> None:
        carrying = asyncio.current_task()
        self._carrying.add(carrying)  # else it may be collected while it waits
        try:
            await self._pass(asks, asker)
        finally:
            self._carrying.discard(carrying)

    async def _pass(self, asks: asyncio.StreamReader, asker: asyncio.StreamWriter) -> None:
        fault = self._fault()
        if fault is Fault.REFUSE:
            _reset(asker)
            return
        gateway: asyncio.StreamWriter | None = None
        try:
            answers, gateway = await asyncio.open_connection("127.0.0.1", self._to)
            await self._carry(fault, asks, asker, answers, gateway)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for each in (asker, gateway):
                if each is not None:
                    each.close()

    async def _carry(
        self,
        fault: Fault,
        asks: asyncio.StreamReader,
        asker: asyncio.StreamWriter,
        answers: asyncio.StreamReader,
        gateway: asyncio.StreamWriter,
    ) -> None:
        request = await _request(asks)
        if fault is Fault.CUT_REQUEST:
            gateway.write(request[: self._dice.randrange(1, len(request))])
            await gateway.drain()
            _reset(gateway)
            _reset(asker)
            return
        for part in _parts(request, 7 if fault is Fault.SLICE else len(request)):
            gateway.write(part)
            await gateway.drain()
        answer = await answers.read(-1)
        if fault is Fault.LOSE_ANSWER:
            _reset(asker)
        elif fault is Fault.CUT_ANSWER:
            asker.write(answer[: self._dice.randrange(1, max(2, len(answer)))])
            await asker.drain()
            _reset(asker)
        else:
            size = {Fault.DRIP: 1, Fault.SLICE: 7}.get(fault, len(answer) or 1)
            for part in _parts(answer, size):
                asker.write(part)
                await asker.drain()
                if fault is Fault.DRIP:
                    await asyncio.sleep(DRIP_S)


async def _request(asks: asyncio.StreamReader) -> bytes:
    """Read one request whole; a connection carries one, so that each has its own fate."""
    head = await asks.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    body = await asks.readexactly(length)
    return head[:-2] + b"Connection: close\r\n\r\n" + body


def _parts(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN."""
    sock: socket.socket = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _ended(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
