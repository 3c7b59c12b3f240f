"""Where tickets are kept: by the desk itself, or in a ticket system whose state it takes in.

    the system ─ look ─▶ tickets of users here ─▶ our record, which lists, queue and policy read
                    └──▶ tickets of nobody here ─▶ named beside the queue, and proving no one
    an act ─ told to the system first ─▶ then written to our record

Our record of such a ticket is a copy, renewed every few seconds, and before each act that rests on
it. What the system refuses is not written here either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, cast

from msgspec.structs import replace

from helpdesk.connectors.tickets.base import (
    OPENING,
    TheirTicket,
    TicketSystem,
    mark_of,
    unmarked,
)
from helpdesk.domain.errors import BadInput, HelpdeskError, NotFound
from helpdesk.domain.hiding import hidden
from helpdesk.domain.needs import is_address
from helpdesk.domain.search import Query
from helpdesk.domain.text import clean, counted, folded
from helpdesk.domain.tickets import Ticket
from helpdesk.domain.users import User
from helpdesk.service.still import Behind
from helpdesk.stores.base import Directory, Store

EVERY: Final = timedelta(seconds=15)
"""How old a copy may be before a question renews it."""

KNOWN: Final = timedelta(minutes=10)
"""For so long one need not ask anew whose an address is; an act that names a ticket does."""

MOST_ASKED: Final = 50
"""Addresses that one look asks the providers about; the rest waits for the next."""

MOST_NOTES: Final = 20
"""Comments of a ticket that are shown beside a case, the newest."""

Whose = dict[str, tuple[str, datetime]]


class Tickets(Protocol):
    """Where the tickets of a desk are kept: told of each act before it is written here.

    *key* is that of the act, which stays the same where it is tried again; may be empty.
    """

    async def opened(self, ticket: Ticket, user: User) -> Ticket:
        """Open a ticket for a user; give it with its number."""
        ...

    async def taken(self, ticket: Ticket, agent: str) -> None:
        """Let an agent have a ticket.

        Raises:
            BadInput: Somebody else took it meanwhile, or it is closed there.
        """
        ...

    async def noted(self, ticket: Ticket, text: str, agent: str, key: str) -> None:
        """Write a note on a ticket."""
        ...

    async def closed(self, ticket: Ticket, agent: str, reason: str) -> None:
        """Close a ticket."""
        ...


class OwnTickets:
    """Tickets that the desk keeps itself: whatever is written in its record holds.

    A ticket of a system that the settings no longer name can only be closed.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def opened(self, ticket: Ticket, user: User) -> Ticket:
        """Give a ticket the next number."""
        return replace(ticket, id=await self._store.next_ticket())

    async def taken(self, ticket: Ticket, agent: str) -> None:
        """Do nothing more: the record alone says who has it."""
        self._check(ticket)

    async def noted(self, ticket: Ticket, text: str, agent: str, key: str) -> None:
        """Do nothing more: the record alone keeps the notes."""
        self._check(ticket)

    async def closed(self, ticket: Ticket, agent: str, reason: str) -> None:
        """Do nothing more: the record alone says that it is closed."""

    def _check(self, ticket: Ticket) -> None:
        if ticket.system:
            where = clean(ticket.system, limit=200)
            raise BadInput(
                f"Ticket #{ticket.id} is kept in {where}, which the settings do not name."
            )


class Ticketing:
    """Tickets that a system keeps, and those that the desk kept itself before.

    Attributes:
        says: What one must know beside the queue: that the system is not reached and since when,
            and which open tickets are of nobody here. Empty where there is nothing to say.
    """

    def __init__(
        self,
        system: TicketSystem,
        store: Store,
        directory: Directory,
        clock: Callable[[], datetime],
    ) -> None:
        self._system, self._store = cast(TicketSystem, Behind(system)), store
        self._directory = directory
        self._clock = clock
        self._own = OwnTickets(store)
        self._whose: Whose = {}
        self._next = self._seen = datetime.min.replace(tzinfo=clock().tzinfo)
        self._looking = asyncio.Lock()
        self.says = ""

    async def look(self) -> Sequence[Ticket]:
        """Ask the system what is open there; give the tickets that are to be written here.

        Where it was asked a moment ago, or cannot be reached, that is none.
        """
        if self._clock() < self._next or self._looking.locked():
            return ()
        async with self._looking:
            self._next = self._clock() + EVERY
            try:
                return await self._looked()
            except HelpdeskError as error:
                seen = f" Tickets are as of {self._seen:%H:%M} UTC." if self._seen.year > 1 else ""
                self.says = f"{clean(str(error))}{seen}"
                return ()

    async def fresh(self, name: str) -> Ticket | None:
        """Give a ticket as it is there at this moment, to be written here; None where it is ours.

        Raises:
            Unreachable: The system does not answer, so nothing can rest on the ticket.
        """
        number = name.strip().lstrip("#")
        before = await self._store.get(Ticket, number)
        if not number or (before is not None and before.system != self._system.name):
            return None
        try:
            theirs = await self._system.ticket(number)
        except (NotFound, BadInput):
            return replace(before, closed_at=self._clock()) if before else None
        user = await self._user_of(theirs.mail)
        return self._copy(theirs, user, before) if user else self._ended(before)

    async def opened(self, ticket: Ticket, user: User) -> Ticket:
        """Open a ticket there, in the name of the user's address."""
        lack = self._system.supports().lack(OPENING)
        if lack is not None:
            raise BadInput(f"{lack.says} {lack.instead}".strip())
        mail = next((m for m in (user.login, user.notification_address or "") if is_address(m)), "")
        if not mail:
            says = "This user has no mail address, by which a ticket is known to be theirs."
            raise BadInput(f"{says} Open the ticket there, with the address on record.")
        # By what it is about, not by its key: whoever asks twice in a day wants it once.
        mark = mark_of("open", user.id, ticket.subject, f"{ticket.opened_at:%Y-%m-%d}")
        theirs = await self._system.open(mail, ticket.subject, ticket.subject, mark)
        return replace(ticket, id=theirs.number, system=self._system.name)

    async def taken(self, ticket: Ticket, agent: str) -> None:
        """Let an agent have a ticket there, unless somebody else was quicker."""
        if not self._keeps(ticket):
            await self._own.taken(ticket, agent)
        else:
            theirs = await self._open(ticket)
            if theirs.holder not in {"", agent, ticket.agent}:
                says = f"Ticket #{ticket.id} was taken by {clean(theirs.holder)} meanwhile."
                raise BadInput(f"{says} Look at it again before you take it over.")
            await self._system.take(ticket.id, agent)

    async def noted(self, ticket: Ticket, text: str, agent: str, key: str) -> None:
        """Write a comment there; the same note of one key is written once."""
        if not self._keeps(ticket):
            await self._own.noted(ticket, text, agent, key)
        else:
            mark = mark_of("note", ticket.id, agent, key or text)
            await self._system.comment(ticket.id, f"{text}\n\n{agent}, at the desk", mark)

    async def closed(self, ticket: Ticket, agent: str, reason: str) -> None:
        """Close a ticket there; one that is closed already stays as it is."""
        if self._keeps(ticket):
            says = f"Closed at the desk by {agent}.{f' {clean(reason)}' if reason else ''}"
            mark = mark_of("close", ticket.id, agent, reason)
            await self._system.close(ticket.id, says, mark)

    def _keeps(self, ticket: Ticket) -> bool:
        return ticket.system == self._system.name

    async def _open(self, ticket: Ticket) -> TheirTicket:
        theirs = await self._system.ticket(ticket.id)
        if not theirs.is_open:
            raise BadInput(f"Ticket #{ticket.id} is closed at {self._system.who}.")
        return theirs

    async def _looked(self) -> list[Ticket]:
        theirs = {one.number: one for one in await self._system.open_tickets()}
        kept = await self._store.select(Ticket, only_open=True)
        here = {ticket.id: ticket for ticket in kept}
        mine = {one.id for one in kept if one.system == self._system.name}
        # A list read page by page may miss what moved meanwhile: what is gone is asked for by name.
        for number in sorted(mine - theirs.keys())[:MOST_ASKED]:
            theirs[number] = await self._named(number)
        await self._ask_whose([one.mail for one in theirs.values()])
        found, strangers, doubled = [], [], []
        for one in theirs.values():
            before = here.get(one.number) or await self._store.get(Ticket, one.number)
            user = self._whose.get(_address(one.mail), ("", self._seen))[0]
            if before is not None and before.system != self._system.name and before.is_open:
                doubled.append(one)
                continue
            if not user and one.is_open:
                strangers.append(one)
            copy = self._copy(one, user, before) if user else self._ended(before)
            if copy is not None and copy != before:
                found.append(copy)
        self._seen = self._clock()
        self.says = " ".join(filter(None, (_of_nobody(strangers), _twice(doubled))))
        return found

    async def _named(self, number: str) -> TheirTicket:
        try:
            return await self._system.ticket(number)
        except NotFound:
            return TheirTicket(number=number, title="", mail="", is_open=False, state="gone")

    async def _ask_whose(self, mails: Sequence[str]) -> None:
        now = self._clock()
        self._whose = {m: known for m, known in self._whose.items() if known[1] > now}
        new = [m for m in dict.fromkeys(map(_address, mails)) if m and m not in self._whose]
        for mail in new[:MOST_ASKED]:
            await self._user_of(mail)

    async def _user_of(self, mail: str) -> str:
        """Give the id of the one user who has this address; empty where none has, or several."""
        wanted = _address(mail)
        if not is_address(wanted):
            return ""
        _, named = await self._directory.find(
            Query(words=(folded(wanted),)), self._clock(), account=None, offset=0, limit=20
        )
        found = {
            entry.user.id
            for entry in named
            if wanted in map(_address, (entry.user.login, entry.user.notification_address or ""))
        }
        user = found.pop() if len(found) == 1 else ""
        self._whose[wanted] = user, self._clock() + KNOWN
        return user

    def _copy(self, theirs: TheirTicket, user: str, before: Ticket | None) -> Ticket:
        """Return what is written here of a ticket: as little of what people wrote as helps."""
        now = self._clock()
        notes = tuple(hidden(unmarked(one.text)) for one in theirs.comments)
        opened_at = theirs.opened_at or (before.opened_at if before else now)
        before = before if before and before.user == user else None
        return Ticket(
            id=theirs.number,
            user=user,
            subject=hidden(theirs.title),
            opened_at=opened_at,
            complaint=before.complaint if before else None,
            agent=clean(theirs.holder) or None,
            on_phone=bool(before and before.on_phone and theirs.is_open),
            closed_at=None if theirs.is_open else (before and before.closed_at) or now,
            notes=notes[-MOST_NOTES:],
            system=self._system.name,
        )

    def _ended(self, before: Ticket | None) -> Ticket | None:
        """Return the copy of a ticket that is no longer of the user it was of: here it ends."""
        if before is None or not before.is_open:
            return None
        return replace(before, closed_at=self._clock(), on_phone=False)


def _address(text: str) -> str:
    """Return an address as it is compared: whole, but for its case; look-alikes are others."""
    return text.strip().casefold()


def _of_nobody(found: Sequence[TheirTicket]) -> str:
    if not found:
        return ""
    named = ", ".join(f"#{clean(one.number)} {hidden(one.title)}"[:60] for one in found[:5])
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    many = counted(len(found), "open ticket is", "open tickets are")
    proves = "proves" if len(found) == 1 else "prove"
    return f"{many} of no single user here, and so {proves} nothing about a caller: {named}{more}."


def _twice(found: Sequence[TheirTicket]) -> str:
    numbers = ", ".join(f"#{clean(one.number)}" for one in found[:5])
    says = "is also the number of an open ticket of this desk's own: close that one first."
    return f"{numbers} {says}" if found else ""
