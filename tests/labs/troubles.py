"""The troubles of small servers: what goes wrong, where and how often; how a request is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any


class Fault(Enum):
    """What can go wrong."""

    ORG_LIMIT = auto()
    CONCURRENT_LIMIT = auto()
    FAILS = auto()
    WEB_PAGE = auto()
    CUT = auto()
    CUT_AFTER = auto()
    UNKNOWN_FIELDS = auto()
    NULLS = auto()
    BROKEN = auto()
    NO_RIGHT = auto()


@dataclass
class Trouble:
    """A fault, where it strikes and how often it still does."""

    fault: Fault
    where: str
    left: int


class Cut(ConnectionError):
    """The connection is cut."""


@dataclass
class Troubled:
    """A server whose faults strike when a test says so."""

    troubles: list[Trouble] = field(default_factory=list, kw_only=True)

    def strike(self, fault: Fault, where: str = "", times: int = 1) -> None:
        """Let a fault strike the next requests whose verb and path hold *where*."""
        self.troubles.append(Trouble(fault, where, times))

    def fault_at(self, line: str) -> Fault | None:
        """Give the fault that strikes a request, by its verb and path; None for none."""
        for trouble in self.troubles:
            if trouble.left and trouble.where in line:
                trouble.left -= 1
                return trouble.fault
        return None


async def body_of(
    scope: Any,
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[Any], Awaitable[None]],
) -> bytes | None:
    """Give the whole body of a request; None where it was no request, and was answered."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return None
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body
