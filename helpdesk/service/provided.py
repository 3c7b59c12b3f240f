"""The directory of a desk whose people are kept elsewhere: they are asked for there, each time.

    words ─▶ provider finds ─▶ with our tickets and marks: entries ─▶ narrowed and ordered here
    queue ◀─ our open tickets ─▶ whose they are is asked of the provider

The provider's truth is not copied: what is kept here is what the desk itself wrote.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, cast

from msgspec.structs import replace

from helpdesk.connectors.base import Provider
from helpdesk.domain import entries
from helpdesk.domain.agents import Agent
from helpdesk.domain.alike import shape
from helpdesk.domain.audit import LOOK, LogRow, Result
from helpdesk.domain.entries import Entry
from helpdesk.domain.search import Query, matches
from helpdesk.domain.text import folded
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.domain.users import Account, User
from helpdesk.service.still import Still
from helpdesk.stores import opened
from helpdesk.stores.base import SEEN, Store

FOUND: Final = 500
"""People that are asked for at once; who looks for more narrows the search."""

CROWD: Final = 100
"""So many of those seen last are looked at to tell what many share: each is asked for."""


class ProvidedDirectory:
    """The people of a `Provider`, with what a `Store` knows of them.

    Attributes:
        says: Why the last search may have left some out; empty where it did not.
    """

    counts_to = 0

    def __init__(self, provider: Provider, store: Store) -> None:
        self._provider, self._store = cast(Provider, Still(provider)), store
        self._names: dict[str, tuple[str, str, str]] = {}
        self.says = ""

    async def refresh(self) -> int:
        """Give a number that changes when anything has: here, our own record."""
        return await self._store.refresh()

    async def entries(self, users: Sequence[str]) -> Mapping[str, Entry]:
        """Give the entries of these users by id; whoever is not known is left out."""
        found = await self._provider.people(users)
        return await self._entries(found.values())

    async def there(self, users: Sequence[str], *, account: str | None) -> Collection[str]:
        """Give which of these ids are users."""
        found = await self._provider.people(users)
        return {user for user, one in found.items() if account in {None, one.account}}

    async def named(self, login: str) -> Sequence[Entry]:
        """Give the users of this login, whatever its case."""
        found = await self._provider.named(login)
        return [*(await self._entries(found)).values()]

    async def doubles(self, user: User, *, account: str | None, limit: int) -> Sequence[Entry]:
        """Give others whose name could be taken for this user's, at most *limit*.

        Only of those looked at since the desk opened: no provider can be asked for a shape.
        """
        name = shape(user.name)
        alike = [
            other
            for other, (theirs, _, whose) in self._names.items()
            if other != user.id and account in {None, whose} and shape(theirs) == name
        ]
        return [*(await self.entries(alike[:limit])).values()]

    async def find(
        self, query: Query, now: datetime, *, account: str | None, offset: int, limit: int
    ) -> tuple[int, Sequence[Entry]]:
        """Give how many users match among those the provider gave, and a window of them."""
        theirs = {user.id: user for user in await self._asked(query)}
        found = [
            entry
            for entry in (await self._entries(theirs.values())).values()
            if account in {None, entry.user.account} and entries.is_found(entry, query, now)
        ]
        return len(found), entries.ordered(found, query, now)[offset : offset + limit]

    async def queue(
        self, agent: Agent, now: datetime, *, offset: int, limit: int
    ) -> tuple[int, Sequence[Entry]]:
        """Give how many users an agent should look at, and a window of them, the hottest first."""
        tickets = await self._store.select(Ticket, only_open=True)
        users = await self._provider.people([*dict.fromkeys(t.user for t in tickets)])
        found = [
            entry
            for entry in (await self._entries(users.values())).values()
            if agent.account in {None, entry.user.account} and entries.is_for(agent, entry, now)
        ]
        found.sort(key=lambda entry: entries.waiting(agent, entry, now))
        return len(found), found[offset : offset + limit]

    async def tickets(
        self, agent: Agent, query: Query, now: datetime, *, offset: int, limit: int
    ) -> tuple[int, Sequence[tuple[Ticket, Entry]]]:
        """Give how many tickets are open of users that match, and a window of them, with whose."""
        return await opened.tickets(self, self._store, agent, query, now, offset, limit)

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
        """Give how many loops are open of users that match, and a window of them, with whose."""
        return await opened.loops(self, self._store, query, now, account, first, offset, limit)

    async def seen(
        self, since: datetime, *, account: str | None = None, limit: int = SEEN
    ) -> Sequence[Entry]:
        """Give the users who did something since a moment, those seen last, at most *limit*."""
        names = await self._provider.since(since, limit=min(limit, CROWD))
        found = (await self.entries(names)).values()
        return [entry for entry in found if account in {None, entry.user.account}]

    async def logged(
        self, query: Query, *, account: str | None, offset: int, limit: int
    ) -> tuple[int, Sequence[LogRow]]:
        """Give how many rows match, and a window of them, newest first.

        Names, products and accounts are those of people who were looked at since the desk opened:
        nobody asks a provider for everybody in a log.
        """
        rows = await self._store.rows()
        found = [row for row in reversed(rows) if self._is_logged(row, query, account)]
        return len(found), found[offset : offset + limit]

    async def _asked(self, query: Query) -> Iterable[User]:
        """The people a search begins with: those with a ticket where it is about tickets."""
        self.says = ""
        if query.ticket or query.loop:
            kept: list[Ticket | LoopReport] = []
            if query.ticket:
                kept += await self._store.select(Ticket, only_open=True)
            if query.loop:
                kept += await self._store.select(LoopReport, only_open=True)
            names = dict.fromkeys(one.user for one in kept)
            return (await self._provider.people([*names])).values()
        found = await self._provider.find(query.words, limit=FOUND)
        self.says = found.says
        numbers = {word.lstrip("#") for word in query.words}
        tickets = await self._store.select(Ticket, only_open=True)
        with_ticket = [ticket.user for ticket in tickets if ticket.id in numbers]
        more = await self._provider.people(with_ticket) if with_ticket else {}
        return [*found.users, *more.values()]

    async def _entries(self, users: Iterable[User]) -> dict[str, Entry]:
        """Return people as the search sees them, with the marks that agents set."""
        store = self._store
        flags = await self._flags()
        marked = [
            replace(user, flagged=flags[user.id]) if user.id in flags else user for user in users
        ]
        accounts: dict[str, Account] = {}
        for name in {user.account for user in marked}:
            account = await self._provider.account(name)
            if account is not None:
                accounts[name] = account
        tickets = await store.select(Ticket, only_open=True)
        loops = await store.select(LoopReport, only_open=True)
        found = entries.build(marked, accounts, tickets, loops)
        for user in marked:
            self._names[user.id] = user.name, user.product, user.account
        return found

    async def _flags(self) -> dict[str, str]:
        """By user, why they were marked as suspicious: providers have no place for it."""
        rows = await self._store.rows()
        return {
            row.user: row.reason
            for row in rows
            if row.act == "flag" and row.result is Result.DONE and row.user
        }

    def _is_logged(self, row: LogRow, query: Query, account: str | None) -> bool:
        if row.act == LOOK and LOOK not in query.words:
            return False
        name, product, whose = self._names.get(row.user, ("", "", ""))
        if account not in {None, whose} or (query.product and product not in query.product):
            return False
        parts = (row.agent, row.role, row.act, row.user, row.ticket, row.reason, row.result, name)
        return matches("\n".join(map(folded, parts)), row.ticket, query.words)
