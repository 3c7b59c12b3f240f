"""django-helpdesk over its REST interface, as 2.6.1 speaks it.

Two things of it decide how it is written to. A comment's title overwrites the title of the ticket,
so none is sent. A comment is run as a template of Django's before it is kept: braces in it would
be filled with the ticket's own fields, or fail; so they never stand together here.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Struct

from helpdesk.connectors.bare_httpx import httpx
from helpdesk.connectors.base import Supports
from helpdesk.connectors.exchange import Answer, Request
from helpdesk.connectors.http import Http
from helpdesk.connectors.tickets.base import OPENING, Comment, TheirTicket
from helpdesk.domain.errors import BadInput, HelpdeskError, Unreachable, Unsettled
from helpdesk.domain.lacks import Lack
from helpdesk.domain.text import clean, counted

WHO: Final = "django-helpdesk"

OPEN: Final = ("1", "2")
"""Open and reopened, as django-helpdesk numbers them where nobody told it otherwise."""

CLOSED: Final = "4"

TAKEN: Final = "Taken at the desk by "
"""What the comment begins with that says which agent has a ticket."""

PAGE: Final = 100
"""Tickets of one page; each comes with all its comments."""


T = TypeVar("T")


class _FollowUp(Struct, frozen=True):
    id: int
    date: datetime
    user: int | None = None
    comment: str | None = None


class _Ticket(Struct, frozen=True):
    id: int
    title: str
    status: int
    submitter_email: str | None = None
    assigned_to: int | None = None
    description: str | None = None
    followup_set: tuple[_FollowUp, ...] = ()


class _Page(Struct, frozen=True):
    results: tuple[_Ticket, ...]
    next: str | None = None


class DjangoHelpdesk:
    """A `TicketSystem` that is a django-helpdesk.

    Args:
        name: What the settings call it.
        url: Where it is: what `/api/` follows.
        user: The desk's account there; empty where *secret* is a token of Django REST framework.
        secret: Gives the account's password, or the token.
        queue: The number of the queue that the desk opens tickets in; empty for none.
        is_open: The numbers of the states in which a ticket is open.
        closed: The number of the state that closes one.
    """

    def __init__(  # noqa: PLR0913  (each by its name, as the settings give them)
        self,
        name: str,
        url: str,
        user: str,
        secret: Callable[[], str],
        *,
        queue: str = "",
        is_open: Sequence[str] = OPEN,
        closed: str = CLOSED,
        authorities: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name, self.who = name, WHO
        self._user, self._secret, self._queue = user, secret, queue
        self._open, self._closed = tuple(is_open), closed
        self._http = Http(
            url,
            WHO,
            signs=self._signed,
            errs=_error_of,
            authorities=authorities,
            transport=transport,
        )

    def supports(self) -> Supports:
        """Give what it can do; without a queue it opens nothing."""
        why = (
            "The settings name no queue for new tickets, and django-helpdesk lists its queues to "
            "nobody over its interface."
        )
        lack = Lack(what=OPENING, why=why, instead="Open the ticket there, then take it here.")
        return Supports(provider=WHO, lacks=() if self._queue else (lack,))

    async def open_tickets(self) -> Sequence[TheirTicket]:
        """Give all open tickets, in the order of their numbers as it gives them."""
        found: dict[int, _Ticket] = {}
        query = {"status": ",".join(self._open), "page_size": PAGE}
        async for answer in self._http.pages("api/tickets/", query, _next):
            found |= {one.id: one for one in answer.read(_Page).results}
        # A status nobody there has is no filter at all, and then everything comes.
        return [one for one in map(self._read, found.values()) if one.is_open]

    async def ticket(self, number: str) -> TheirTicket:
        """Give one ticket, open or not."""
        return self._read(await self._one(number))

    async def open(self, mail: str, title: str, text: str, mark: str) -> TheirTicket:
        """Open a ticket; its submitter is told by mail, as the queue's settings there have it."""
        if not self._queue:
            raise BadInput(self.supports().lacks[0].says)
        there = await self._marked(mark)
        if there is not None:
            return there
        body = {
            "queue": self._queue,
            "title": _inert(title)[:200],
            "description": _inert(f"{text}\n\n{mark}"),
            "submitter_email": mail,
            "priority": 3,
        }
        told = await self._sent("POST", "api/tickets/", body, _Ticket)
        there = self._read(told) if told else await _looked(self._marked(mark))
        if there is None:
            raise Unreachable(_NOT_THERE)
        return there

    async def comment(self, number: str, text: str, mark: str) -> bool:
        """Write a comment; False where it was there already."""
        if (await self.ticket(number)).bears(mark):
            return False
        await self._write(number, text, mark)
        return True

    async def take(self, number: str, agent: str) -> None:
        """Say in a comment who has it, and assign it to the desk's account, which wrote that."""
        found = await self._one(number)
        if self._read(found).holder == agent:
            return
        last, says = _last_taken(found), _inert(f"{TAKEN}{agent}.")
        if last is None or last.comment != says:
            await self._write(number, says, "")
            last = _last_taken(await self._one(number))
        if last is None or last.comment != says:
            raise Unreachable(_NOT_THERE)
        # To assign it anew changes nothing: it may be sent as often as one likes.
        body = {"assigned_to": last.user}
        told = await self._sent("PATCH", self._path(number), body, _Ticket)
        there = self._read(told) if told else await _looked(self.ticket(number))
        if there.holder != agent:
            raise Unreachable(_NOT_THERE)

    async def close(self, number: str, text: str, mark: str) -> None:
        """Close a ticket with a comment, in one write."""
        if (await self.ticket(number)).is_open:
            await self._write(number, text, mark, new_status=int(self._closed))

    async def inspect(self) -> Sequence[str]:
        """Say whether it answers, takes the sign-in, and what will not be possible."""
        answer = await self._http.ask("GET", "api/")
        known = answer.read(dict[str, Any])
        if not {"tickets", "followups"} <= known.keys():
            return [f"{self._http.url} answers, but not as {WHO} does: it offers no tickets."]
        count = len(await self.open_tickets())
        account = f"as {self._user}" if self._user else "with a token"
        return [
            f"{WHO} at {self._http.url} answers and takes the sign-in {account}; "
            f"{counted(count, 'ticket is', 'tickets are')} open. "
            "It does not say which version it is.",
            *_skewed(self._http),
            *await self._states(),
            *([f"{one.why} {one.instead}" for one in self.supports().lacks]),
            "It gives no list of its agents: what is taken here is assigned to the desk's account, "
            "and a comment says which agent has it.",
            "It says when a ticket was opened only by its first comment.",
            *([_MAILS] if self._queue else []),
        ]

    def shut(self) -> None:
        """Let go of all connections; blocking."""
        self._http.close()

    async def _states(self) -> list[str]:
        """Say which of its states the settings take for open and closed, by its own names."""
        answer = await self._http.ask("OPTIONS", "api/tickets/")
        try:
            told = answer.read(dict[str, Any])["actions"]["POST"]["status"]["choices"]
            names = {str(one["value"]): str(one["display_name"]) for one in told}
        except (KeyError, TypeError):
            return [f"{WHO} lets the desk's account write no tickets."]
        wrong = [one for one in (*self._open, self._closed) if one not in names]
        if wrong:
            there = ", ".join(f"{number} {name}" for number, name in names.items())
            return [f"There is no state {', '.join(wrong)} there; there is {there}."]
        opens = " or ".join(names[one] for one in self._open)
        return [f"A ticket is open that is {opens}; one is closed by {names[self._closed]}."]

    async def _write(self, number: str, text: str, mark: str, **more: int) -> None:
        """Write a comment; where its answer is lost, look whether it is there."""
        whole = _inert(f"{text}\n\n{mark}" if mark else text)
        body = {"ticket": _number(number), "comment": whole, "public": False, **more}
        if await self._sent("POST", "api/followups/", body, _FollowUp) is None:
            comments = (await _looked(self.ticket(number))).comments
            if not any(one.by and one.text == whole for one in comments):
                raise Unreachable(_NOT_THERE)

    async def _sent(self, verb: str, path: str, body: Any, kind: type[T]) -> T | None:
        """Return what was answered to a write; None where nobody can tell from it what became."""
        try:
            answer = await self._http.ask(verb, path, body=body, is_act=True)
        except Unsettled:
            return None
        try:
            return answer.read(kind)
        except Unreachable:
            return None

    async def _marked(self, mark: str) -> TheirTicket | None:
        found = await self.open_tickets()
        return next((one for one in found if one.bears(mark)), None)

    async def _one(self, number: str) -> _Ticket:
        answer = await self._http.ask("GET", self._path(number))
        return answer.read(_Ticket)

    def _path(self, number: str) -> str:
        return f"api/tickets/{_number(number)}/"

    def _read(self, found: _Ticket) -> TheirTicket:
        comments = tuple(
            Comment(by="" if one.user is None else str(one.user), text=one.comment, at=one.date)
            for one in found.followup_set
            if one.comment
        )
        return TheirTicket(
            number=str(found.id),
            title=found.title,
            mail=(found.submitter_email or "").strip(),
            is_open=str(found.status) in self._open,
            state=str(found.status),
            opened_at=min((one.date.astimezone(UTC) for one in found.followup_set), default=None),
            holder=_holder(found),
            comments=comments,
        )

    async def _signed(self, _: Request) -> Mapping[str, str]:
        secret = self._secret()
        if not self._user:
            return {"Authorization": f"Token {secret}"}
        both = base64.b64encode(f"{self._user}:{secret}".encode()).decode()
        return {"Authorization": f"Basic {both}"}


_MAILS: Final = "It tells the customer by mail of each ticket that the desk opens there."

_NOT_THERE: Final = (
    f"The answer of {WHO} was lost, and what was to be written is not there. Try it again: it "
    "looks first, and writes nothing twice."
)


async def _looked(look: Awaitable[T]) -> T:
    """Look what became of a write whose answer was lost.

    Raises:
        Unsettled: It cannot be asked either, so nobody can say.
    """
    try:
        return await look
    except Unreachable as error:
        says = f"The answer of {WHO} was lost, and now it does not say what became of the write."
        raise Unsettled(f"{says} Look at the ticket there before you repeat it.") from error


def _holder(found: _Ticket) -> str:
    """Return who has a ticket: the agent the last taking names, while its account has it."""
    if found.assigned_to is None:
        return ""
    last = _last_taken(found)
    if last is not None and last.user == found.assigned_to:
        return (last.comment or "").removeprefix(TAKEN).strip().rstrip(".")
    return f"#{found.assigned_to}"


def _last_taken(found: _Ticket) -> _FollowUp | None:
    taken = [
        one
        for one in found.followup_set
        if one.user is not None and (one.comment or "").startswith(TAKEN)
    ]
    return max(taken, key=lambda one: one.id, default=None)


def _number(text: str) -> int:
    """Return the number of a ticket; what is none would be another path.

    Raises:
        BadInput: It is none.
    """
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise BadInput(f"{clean(text, limit=40)} is no number of a ticket at {WHO}.")
    return int(text)


def _inert(text: str) -> str:
    """Return a text that stays as it is there: no template, and no number that links a ticket."""
    return re.sub(r"#(?=[0-9])", "# ", re.sub(r"\{(?=[{%#])", "{ ", text))


def _next(answer: Answer) -> dict[str, str] | None:
    """Return the number of the next page.

    Not its address: behind a proxy that ends TLS it is one of plain HTTP.
    """
    query = parse_qs(urlsplit(answer.read(_Page).next or "").query)
    return {"page": query["page"][0]} if "page" in query else None


def _skewed(http: Http) -> list[str]:
    if http.skew is None or abs(http.skew.total_seconds()) < 5:
        return []
    return [f"This machine's clock is {http.skew.total_seconds():+.0f} s off {WHO}'s."]


def _error_of(answer: Answer) -> HelpdeskError | None:
    """Return what it says is wrong with a wish, field by field."""
    if answer.status != 400:
        return None
    try:
        said = msgspec.json.decode(answer.body, type=dict[str, Any])
    except msgspec.MsgspecError:
        return None
    parts = "; ".join(
        f"{field}: {' '.join(map(str, says)) if isinstance(says, list) else says}"
        for field, says in said.items()
    )
    return BadInput(f"{WHO} refuses that: {clean(parts, limit=300)}")
