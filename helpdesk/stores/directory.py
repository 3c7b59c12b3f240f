"""Everybody of a fixture, with what its desk knows of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from operator import eq
from typing import Final

from helpdesk.domain.agents import Agent
from helpdesk.domain.alike import shape
from helpdesk.domain.audit import LOOK, LogRow
from helpdesk.domain.entries import Entry
from helpdesk.domain.search import Query, is_beginning, matches
from helpdesk.domain.text import folded
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.domain.users import User
from helpdesk.stores import opened
from helpdesk.stores.base import SEEN
from helpdesk.stores.listed import Listed
from helpdesk.stores.moment import Moment
from helpdesk.stores.opennow import Listing, OpenNow, changed, of_all, of_some, placed
from helpdesk.stores.people import People
from helpdesk.stores.standing import Filed, Lying
from helpdesk.stores.tiny import TinyStore
from helpdesk.stores.tinyfile import TinyFile

FEW: Final = 200
"""Of more people than this nobody reads all while a key may wait."""

AT_ONCE: Final = 20_000
"""Among more people than this is looked in a thread, so that keys are answered meanwhile."""

QUICK: Final = 200_000
"""Among so many what is quickly found is: to look costs less than a thread to look in."""

PROVIDER = ("users", "accounts", "timelines")
"""The tables from which everybody is read."""

_shape: Final = lru_cache(4_096)(shape)
"""Of those who look alike each is looked at with every case, and with every act, of the others."""


class TinyDirectory:
    """The people of a `TinyFile`, with what its `TinyStore` knows of them."""

    says = ""
    counts_to = 0

    def __init__(self, file: TinyFile, store: TinyStore) -> None:
        self._file, self._store = file, store
        self._now: Moment | None = None
        self._open: Listing = Listed(), Listed()
        self._built, self._generation = (-1, -1), 0
        self._loading = threading.Lock()

    async def refresh(self) -> int:
        """Take in what changed; give a number that changes when anything has."""
        tickets = await self._store.refresh()
        if self._built == (self._file.generation(*PROVIDER), tickets):
            return self._generation  # to look costs less than a thread to look in
        return await asyncio.to_thread(self._load, tickets)

    async def entries(self, users: Sequence[str]) -> Mapping[str, Entry]:
        """Give the entries of these users by id; whoever is not known is left out."""
        known = self._known
        places = {user: known.people.place(user) for user in users}
        return {user: known.entry(at) for user, at in places.items() if at is not None}

    async def there(self, users: Sequence[str], *, account: str | None) -> Collection[str]:
        """Give which of these ids are users."""
        known = self._known
        is_theirs = known.is_of(account)
        places = {user: known.people.place(user) for user in users}
        return {user for user, at in places.items() if at is not None and is_theirs(at)}

    async def named(self, login: str) -> Sequence[Entry]:
        """Give the users of this login, whatever its case."""
        wanted, known = login.casefold(), self._known
        found = (known.entry(place) for place in known.people.of_login(login))
        return [e for e in found if e.user.login.casefold() == wanted]

    async def doubles(self, user: User, *, account: str | None, limit: int) -> Sequence[Entry]:
        """Give others whose name or login could be taken for this user's, at most *limit*."""
        known, wanted = self._known, _shapes(user)
        look = known.people.of_shape
        alike = look(user) if known.people.knows_shapes else await asyncio.to_thread(look, user)
        theirs = (
            e
            for e in map(known.entry, alike)
            if e.user.id != user.id and account in {None, e.user.account}
            if any(map(eq, wanted, _shapes(e.user)))  # two shapes may have one number
        )
        return list(islice(theirs, limit))

    async def find(
        self, query: Query, now: datetime, *, account: str | None, offset: int, limit: int
    ) -> tuple[int, Sequence[Entry]]:
        """Give how many users match, and a window of them in the query's order."""
        known = self._known
        if len(known.people) > (QUICK if _is_quick(query) else AT_ONCE):
            return await asyncio.to_thread(known.find, query, now, account, offset, limit)
        return known.find(query, now, account, offset, limit)

    async def queue(
        self, agent: Agent, now: datetime, *, offset: int, limit: int
    ) -> tuple[int, Sequence[Entry]]:
        """Give how many users an agent should look at, and a window of them, the hottest first."""
        known = self._known
        if len(known.people) > AT_ONCE:
            return await asyncio.to_thread(known.queued, agent, now, offset, limit)
        return known.queued(agent, now, offset, limit)

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
        known = self._known
        if len(known.people) <= FEW:
            return known.entries(known.seen(since, account, limit))
        places = await asyncio.to_thread(known.seen, since, account, limit)
        for begin in range(0, len(places), FEW):  # who asks again goes on where this was broken off
            await asyncio.to_thread(known.entries, places[begin : begin + FEW])
        return known.entries(places)

    async def logged(
        self, query: Query, *, account: str | None, offset: int, limit: int
    ) -> tuple[int, Sequence[LogRow]]:
        """Give how many rows of the log match, and a window of them, newest first."""
        found = [row for row in reversed(self._store.log) if self._is_logged(row, query, account)]
        return len(found), found[offset : offset + limit]

    @property
    def _known(self) -> Moment:
        if self._now is None:
            self._now = Moment(self._file.people(), OpenNow({}))
        return self._now

    def _is_logged(self, row: LogRow, query: Query, account: str | None) -> bool:
        if row.act == LOOK and LOOK not in query.words:
            return False
        place = self._known.people.place(row.user) if row.user else None
        user = None if place is None else self._known.entry(place).user
        if account is not None and (user is None or user.account != account):
            return False
        if query.product and (user is None or user.product not in query.product):
            return False
        name = user.name if user else ""
        parts = (row.agent, row.role, row.act, row.user, row.ticket, row.reason, row.result, name)
        return matches("\n".join(map(folded, parts)), row.ticket, query.words)

    def _load(self, tickets: int) -> int:
        with self._loading:  # of two threads the slower must not put the older state back
            built = self._file.generation(*PROVIDER), tickets
            if built != self._built:
                open_ = self._store.listed(Ticket), self._store.listed(LoopReport)
                self._now = self._after(self._file.people(), open_, self._now)
                self._built, self._open = built, open_
                self._generation += 1
            return self._generation

    def _after(self, people: People, open_: Listing, before: Moment | None) -> Moment:
        """Everybody as they are now; of whom the tickets are the same nothing is looked at."""
        is_one = before is not None and before.people.is_of_one_file(people)
        whose = changed(open_, self._open) if is_one else None
        if before is None or whose is None:
            return Moment(people, self._opened(people, open_), before)
        touched = placed(people, of_some(open_, whose))
        return Moment(people, before.opened.after(touched), before, touched)

    def _opened(self, people: People, open_: Listing) -> OpenNow:
        """What is open, of a long file as it is kept, with what became of it beside the file."""
        tickets, loops = open_
        if isinstance(tickets, Lying) and isinstance(loops, Lying):
            if people.lies_in(tickets.lies.handle):
                beside = of_some(open_, tickets.beside() | loops.beside())
                return OpenNow(placed(people, beside), Filed(tickets.lies, tickets))
        else:
            self._file.keep_standing(people)
        return OpenNow(placed(people, of_all(open_)))


def _is_quick(query: Query) -> bool:
    """Whether little is looked at for a query, whoever is there."""
    short = all(is_beginning(word.lstrip("#")) for word in query.words)
    return short and query == Query(words=query.words[:1])


def _shapes(user: User) -> tuple[str, str]:
    """What a user's name and login look like, told apart from each other."""
    return f"name {_shape(user.name)}", f"login {_shape(user.login)}"
