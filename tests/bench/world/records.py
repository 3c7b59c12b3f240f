"""What the server keeps: users, challenges, codes, remembered browsers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.bench.world.things import Browser, Mailbox, Net, Phone

Row = dict[str, Any]
"""One event as logged; times are numbers of seconds until the case is written."""


@dataclass
class Record:
    """A user as the server knows them."""

    id: str
    name: str
    login: str
    account: str
    role: str
    factor: str
    mailbox: Mailbox
    phone: Phone
    factors: list[Row]
    secret: str = ""
    mfa: bool = True
    mobile: str | None = None
    known_ips: set[str] = field(default_factory=set)
    last_ip: str = ""
    failures: list[float] = field(default_factory=list)
    locked_until: float = 0.0
    refused_always: str | None = None
    used_steps: set[int] = field(default_factory=set)
    passed_at: float = -1e9
    asked_at: list[float] = field(default_factory=list)
    sessions: dict[str, str] = field(default_factory=dict)
    doors: tuple[str, ...] = ()
    half_done: bool = False
    drops_sessions: bool = False


@dataclass
class Asked:
    """A challenge that waits for its answer."""

    id: str
    record: Record
    factor: str
    at: float
    browser: Browser
    net: Net
    tab: str | None = None
    codes: list[Code] = field(default_factory=list)
    done: bool = False


@dataclass
class Code:
    """One code that was sent."""

    send: str
    text: str
    asked: Asked | None
    made_at: float
    expires_at: float
    purpose: str = "code"
    used: bool = False


@dataclass
class Trust:
    """What the server remembers of a browser."""

    record: str
    since: float
    agent: str


def masked(target: str | None) -> str | None:
    """An address or number as logs show it."""
    if target is None:
        return None
    if "@" in target:
        name, _, host = target.partition("@")
        return f"{name[0]}•••@{host}"
    return f"•••{target[-2:]}"
