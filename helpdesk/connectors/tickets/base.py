"""What a ticket system can be asked and told, and what it says it cannot do.

    asked: open_tickets, ticket ─ read anew each time; nothing of it is kept here
    told:  open, comment, take, close ─ each looks first, so that saying it twice does it once

Another system is one more file with this protocol, and a line in `helpdesk.ticketed`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from msgspec import Struct

from helpdesk.connectors.base import Supports

OPENING: Final = "open-ticket"
"""What a system lacks in which the desk can open no ticket."""


class Comment(Struct, frozen=True, kw_only=True):
    """What somebody wrote on a ticket.

    Attributes:
        by: The account there that wrote it, in the system's own number; empty where none did, as
            for a letter of the customer.
        text: As it was written; from outside, and not yet cleaned.
    """

    by: str
    text: str
    at: datetime


class TheirTicket(Struct, frozen=True, kw_only=True):
    """A ticket as its system shows it; every text is from outside, and not yet cleaned.

    Attributes:
        number: What the system calls it, without a sign before it.
        mail: The address of who asked; empty where it names none.
        state: The system's own word or number for where it stands.
        opened_at: None where the system does not say.
        holder: Who has it: the id of an agent of a desk where the desk took it, else the system's
            own account after a `#`; empty where nobody has.
        comments: Oldest first.
    """

    number: str
    title: str
    mail: str
    is_open: bool
    state: str
    opened_at: datetime | None = None
    holder: str = ""
    comments: tuple[Comment, ...] = ()

    def bears(self, mark: str) -> bool:
        """Whether somebody who works there wrote what bears this mark."""
        return any(mark in one.text for one in self.comments if one.by)


class TicketSystem(Protocol):
    """Tickets that are kept elsewhere.

    A write that names a ticket begins by reading it, and ends as done where it was done before. One
    whose answer was lost reads the ticket again: where it shows what was written it was done.

    All methods may raise `Unreachable` (`Unsettled` where nobody can say what became of a write,
    `DeskRefused` where it does not take the desk's account); those that name a ticket raise
    `NotFound` where there is none.

    Attributes:
        name: What the settings call it; a ticket of this desk's record names it so.
        who: What it is, as a sentence begins with it.
    """

    name: str
    who: str

    def supports(self) -> Supports:
        """Give what it can do; without `OPENING` tickets are opened there by others only."""
        ...

    async def open_tickets(self) -> Sequence[TheirTicket]:
        """Give all tickets there that are open and that the desk's account may see."""
        ...

    async def ticket(self, number: str) -> TheirTicket:
        """Give one ticket, open or not."""
        ...

    async def open(self, mail: str, title: str, text: str, mark: str) -> TheirTicket:
        """Open a ticket for who has this address; the one that bears the mark where there is one.

        Raises:
            BadInput: It refuses what it was given; the sentence says what.
        """
        ...

    async def comment(self, number: str, text: str, mark: str) -> bool:
        """Write a comment that only who works there sees; False where it was there already.

        The title stays as it is.
        """
        ...

    async def take(self, number: str, agent: str) -> None:
        """Let an agent have the ticket, from whoever had it."""
        ...

    async def close(self, number: str, text: str, mark: str) -> None:
        """Close a ticket with a comment; one that is closed stays as it is."""
        ...

    async def inspect(self) -> Sequence[str]:
        """Say, in sentences, what holds of this system and of the desk's rights there."""
        ...

    def shut(self) -> None:
        """Let go of all connections; blocking."""
        ...


def mark_of(*parts: str) -> str:
    """Return what a comment ends with, so that it is known again; the same for the same parts."""
    return f"[desk:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:16]}]"


def unmarked(text: str) -> str:
    """Return a comment without its mark."""
    return _MARK.sub("", text)


_MARK: Final = re.compile(r"\s*\[desk:[0-9a-f]{16}\]")
