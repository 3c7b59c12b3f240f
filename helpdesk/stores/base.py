"""What the desk keeps itself, and how everybody is found, whatever it is kept in."""

from __future__ import annotations

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Hashable,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from msgspec import Struct

from helpdesk.domain.agents import Agent
from helpdesk.domain.approvals import Approval
from helpdesk.domain.audit import LogRow
from helpdesk.domain.chain import Entry as Row
from helpdesk.domain.chain import Noted
from helpdesk.domain.entries import Entry
from helpdesk.domain.erasing import Erased
from helpdesk.domain.holds import Hold
from helpdesk.domain.notices import Notice
from helpdesk.domain.operations import Operation
from helpdesk.domain.proofs import Asking, Proof
from helpdesk.domain.records import Record
from helpdesk.domain.search import Query
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.domain.users import User

SEEN: Final = 2_000
"""So many of those seen last stand for everybody who was seen in these hours."""

TABLES: Final[dict[type[Record | LoopReport], str]] = {
    Ticket: "tickets",
    LoopReport: "loops",
    Proof: "proofs",
    Asking: "askings",
    Approval: "approvals",
    Notice: "outbox",
    Hold: "holds",
    Operation: "operations",
}
"""In which table a record is kept, or as which kind."""

T = TypeVar("T")
Then = Callable[[], Awaitable[None]]
"""What is done when something is durable; it raises no `HelpdeskError`."""

R = TypeVar("R", Ticket, LoopReport, Proof, Asking, Approval, Notice, Hold)


class Ends(Struct, frozen=True, kw_only=True):
    """Where the log ends.

    Attributes:
        seq: The highest number of a row; 0 where there is none.
        size: How many rows are bound to one another.
        first: The first of them, which names the log; None where there is none.
        last: The last of them.
        version: Another number, and what came before `last` may have been written anew.
    """

    seq: int
    size: int
    first: Row | None
    last: Row | None
    version: int


class Store(Protocol):
    """Tickets, loop reports, agents, the log, and what proving and telling leave behind.

    Lists are windows here too: what grows without end is asked for by user, by time or by place.
    Writing is only possible inside `transaction`: what is written there is kept whole, or not at
    all, and is seen at once by whoever asks inside it.
    """

    def transaction(
        self, *, joins: bool = False, then: Then | None = None
    ) -> AbstractAsyncContextManager[bool]:
        """Hold the only pen: writes inside become durable together when the block ends well.

        Gives whether nothing was written before in what becomes durable. Whoever *joins* may be
        one of several who become durable at once; whoever waits for another desk does not. *then*
        is awaited when it is durable, before anybody's block is left: that of one of several.
        """
        ...

    async def refresh(self) -> int:
        """Take in what others wrote; give a number that grows when more than the log changed."""
        ...

    @property
    def agents(self) -> Sequence[Agent]:
        """The agents of this desk, in their order on file."""
        ...

    async def news(self, seconds: float, since: int) -> int:
        """Wait until somebody wrote since this was last asked, or so long where nobody can say.

        Give what *since* is the next time; with -1 it does not wait.
        """
        ...

    async def select(
        self,
        kind: type[R],
        *,
        user: str = "",
        since: datetime | None = None,
        only_open: bool = False,
    ) -> Sequence[R]:
        """Give the records of a kind, oldest first.

        Args:
            kind: Which; loop reports can be asked for, not written.
            user: Only those of this user.
            since: Only those that began at this moment or later.
            only_open: Only tickets not closed, loops not closed, askings not answered, proofs not
                used, requests not decided, notices that wait, holds that wait.
        """
        ...

    async def get(self, kind: type[R], name: str) -> R | None:
        """Give the record of this id, or None."""
        ...

    async def keep(self, record: Record) -> None:
        """Write a record, new or instead of the one with its id."""
        ...

    async def operation(self, agent: str, key: str) -> Operation | None:
        """Give what became of the write of an agent under a key; None where there was none.

        Inside a transaction also what it wrote so far.
        """
        ...

    async def next_ticket(self) -> str:
        """Give the number that a new ticket gets."""
        ...

    async def rows(
        self,
        *,
        user: str = "",
        agent: str = "",
        acts: Collection[str] = (),
        looks: bool = True,
        since: datetime | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> Sequence[LogRow]:
        """Give rows of the log, oldest first.

        Those of a user, of an agent, of some acts, from a moment on, and after the row with the
        number *after*; looks among them, or not.
        """
        ...

    async def kept(self, after: int, limit: int) -> Sequence[tuple[LogRow, Row | None]]:
        """Give rows after the one with the number *after*, oldest first, as they are kept.

        What binds a row is None where it is of the time before that.
        """
        ...

    async def ends(self) -> Ends:
        """Give where the log ends."""
        ...

    async def bound(self, start: int = 0, limit: int | None = None) -> Sequence[Row]:
        """Give the rows that are bound to one another, from the place *start* on, oldest first."""
        ...

    async def unbound(self) -> int:
        """Give how many rows are of the time before they were bound to one another."""
        ...

    async def noted(self) -> int:
        """Give how many checkpoints of the log there are."""
        ...

    async def checkpoints(self, start: int = 0, limit: int | None = None) -> Sequence[Noted]:
        """Give checkpoints of the log, from the place *start* on, oldest first."""
        ...

    async def checkpoint(self) -> Noted | None:
        """Give the newest checkpoint of the log; None where there is none."""
        ...

    async def append(self, row: Row) -> None:
        """Append a row to the log."""
        ...

    async def note(self, checkpoint: Noted) -> None:
        """Keep a checkpoint of the log."""
        ...

    async def erase(self, before: datetime, now: datetime) -> Erased:
        """Part rows, and all else that ended, from before a moment from their personal data."""
        ...


class Lull(Protocol):
    """The time since the last change: what was read, or answered, in it need not be again."""

    def answer(self, what: Hashable, now: datetime) -> Any:
        """Give the answer to a question, if it still holds; else None."""
        ...

    def answered(self, what: Hashable, now: datetime, found: T, until: datetime | None = None) -> T:
        """Take note of an answer, which nobody may change, and give it.

        It holds for a moment, or *until* another.
        """
        ...

    async def still(self, now: datetime) -> datetime | None:
        """Give until when time itself changes no list of people; None where nobody knows."""
        ...

    async def ahead(self, user: str, *, account: str | None) -> None:
        """Read at once all that the case of a user is made of, for an agent of an account."""
        ...


Lulls = Callable[[], AbstractAsyncContextManager[Lull]]
"""Begins a question: what is read inside is as it was when it began, or newer."""


class NoLull:
    """Nothing is known: all is read as it is asked for."""

    def answer(self, _what: Hashable, _now: datetime) -> Any:
        """Give None."""
        return None

    def answered(
        self, _what: Hashable, _now: datetime, found: T, _until: datetime | None = None
    ) -> T:
        """Give the answer."""
        return found

    async def still(self, _now: datetime) -> None:
        """Give nothing."""

    async def ahead(self, _user: str, *, account: str | None) -> None:
        """Read nothing."""


@asynccontextmanager
async def no_lull() -> AsyncIterator[NoLull]:
    """Begin a question of which nothing is known."""
    yield NoLull()


class Directory(Protocol):
    """Everybody, with what the desk knows of them, to be found.

    A window of an agent who administers one account holds the people of that *account* only; None
    is everybody.
    """

    @property
    def says(self) -> str:
        """Why the last search may have left some out; empty where it gave all."""
        ...

    @property
    def counts_to(self) -> int:
        """How many of people, tickets or loops it counts at the most; 0 where it counts all."""
        ...

    async def refresh(self) -> int:
        """Take in what changed; give a number that changes when anything has."""
        ...

    async def entries(self, users: Sequence[str]) -> Mapping[str, Entry]:
        """Give the entries of these users by id; whoever is not known is left out."""
        ...

    async def named(self, login: str) -> Sequence[Entry]:
        """Give the users of this login, whatever its case."""
        ...

    async def doubles(self, user: User, *, account: str | None, limit: int) -> Sequence[Entry]:
        """Give others whose name or login could be taken for this user's, at most *limit*."""
        ...

    async def find(
        self, query: Query, now: datetime, *, account: str | None, offset: int, limit: int
    ) -> tuple[int, Sequence[Entry]]:
        """Give how many users match, and a window of them in the query's order."""
        ...

    async def queue(
        self, agent: Agent, now: datetime, *, offset: int, limit: int
    ) -> tuple[int, Sequence[Entry]]:
        """Give how many users an agent should look at, and a window of them, the hottest first."""
        ...

    async def tickets(
        self, agent: Agent, query: Query, now: datetime, *, offset: int, limit: int
    ) -> tuple[int, Sequence[tuple[Ticket, Entry]]]:
        """Give how many tickets are open of users that match, and a window of them, with whose.

        The agent's own first, then nobody's, the oldest first; the query's order is no matter.
        """
        ...

    async def loops(
        self,
        query: Query,
        now: datetime,
        *,
        account: str | None,
        first: Collection[str],
        offset: int,
        limit: int,
    ) -> tuple[int, Sequence[tuple[LoopReport, Entry]]]:
        """Give how many loops are open of users that match, and a window of them, with whose.

        Those of the users *first* come first, then the worst, of these the newest.
        """
        ...

    async def seen(
        self, since: datetime, *, account: str | None = None, limit: int = SEEN
    ) -> Sequence[Entry]:
        """Give the users who did something since a moment, those seen last, at most *limit*.

        In the provider's order.
        """
        ...

    async def logged(
        self, query: Query, *, account: str | None, offset: int, limit: int
    ) -> tuple[int, Sequence[LogRow]]:
        """Give how many rows match, and a window of them, newest first.

        Words match agent, role, act, user and their name, ticket, reason and result. Looks are
        only given where they are asked for. With an *account*: rows about its people only.
        """
        ...
