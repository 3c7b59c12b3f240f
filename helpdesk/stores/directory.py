"""Everybody of a fixture, with what its desk knows of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, reduce
from itertools import islice
from operator import eq
from typing import Any, Final

from helpdesk.domain import entries
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.alike import shape
from helpdesk.domain.audit import LOOK, LogRow
from helpdesk.domain.entries import Entry, Request
from helpdesk.domain.search import Query, Sort, UserState, is_beginning, matches
from helpdesk.domain.text import digits, folded
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.domain.users import User
from helpdesk.stores import opened
from helpdesk.stores.base import SEEN
from helpdesk.stores.listed import Listed
from helpdesk.stores.opennow import Listing, OpenNow, changed, of_all, of_some, placed
from helpdesk.stores.people import People, Places, SeenLast, is_in, together
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

RANKS: Final = {state: number for number, state in enumerate(UserState)}


class TinyDirectory:
    """The people of a `TinyFile`, with what its `TinyStore` knows of them."""

    says = ""
    counts_to = 0

    def __init__(self, file: TinyFile, store: TinyStore) -> None:
        self._file, self._store = file, store
        self._now: _Known | None = None
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
    def _known(self) -> _Known:
        if self._now is None:
            self._now = _Known(self._file.people(), OpenNow({}))
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

    def _after(self, people: People, open_: Listing, before: _Known | None) -> _Known:
        """Everybody as they are now; of whom the tickets are the same nothing is looked at."""
        is_one = before is not None and before.people.is_of_one_file(people)
        whose = changed(open_, self._open) if is_one else None
        if before is None or whose is None:
            return _Known(people, self._opened(people, open_), before)
        touched = placed(people, of_some(open_, whose))
        return _Known(people, before.opened.after(touched), before, touched)

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


class _Known:
    """Everybody at one moment, with what is open of them.

    Args:
        people: Everybody.
        opened: What is open of them.
        before: What was known the moment before; who is the same is not read again.
        touched: Who may have something else open than before; None where it is not known.
    """

    def __init__(
        self,
        people: People,
        opened: OpenNow,
        before: _Known | None = None,
        touched: Collection[int] | None = None,
    ) -> None:
        self.people, self.opened = people, opened
        self._entries = self._as_before(before, touched) if before else {}
        is_same = before is not None and before.people is people
        self._seen: SeenLast = before._seen if before and is_same else SeenLast(people)

    def entry(self, place: int) -> Entry:
        """Give the entry of the user at a place."""
        found = self._entries.get(place)
        if found is None:
            people, user = self.people, self.people.user(place)
            said, open_ = people.said(place), self.opened.at(place)
            found = entries.entry_of(user, people.account(user), said, open_)
            self._entries[place] = found
        return found

    def entries(self, places: Iterable[int]) -> list[Entry]:
        """Give the entries of the users at these places."""
        return [self.entry(place) for place in places]

    def is_of(self, account: str | None) -> Any:
        """Give whether the user at a place is of an account; None is everybody's."""
        return (lambda _: True) if account is None else self.people.of_account(account)

    def find(
        self, query: Query, now: datetime, account: str | None, offset: int, limit: int
    ) -> tuple[int, Sequence[Entry]]:
        """Give how many users match, and a window of them in the query's order."""
        found, most = self._found(query, now, account), offset + limit
        places = found
        if query.sort is not None:
            places = self._sorted(found, query.sort, now)
        elif query.words:
            places = self._beginning_first(found, query.words, most)
        return len(found), self.entries(places[offset:most])

    def queued(
        self, agent: Agent, now: datetime, offset: int, limit: int
    ) -> tuple[int, Sequence[Entry]]:
        """Give how many users an agent should look at, and a window of them, the hottest first."""
        places = self._queue(agent, now)
        return len(places), self.entries(places[offset : offset + limit])

    def _queue(self, agent: Agent, now: datetime) -> list[int]:
        """Whom an agent should look at, the hottest first."""
        is_theirs, found = self.is_of(agent.account), self.opened.waiting(agent)
        if agent.role is Role.ACCOUNT_MANAGER:
            ever = self.people.ever_due()
            due = (place for place in ever if entries.is_due(self.entry(place).user, now))
            found = together(found, due)
        heat = self._heat(now)
        theirs = ((p, self.opened.request(p)) for p in found if is_theirs(p))
        order = sorted(theirs, key=lambda one: entries.waiting_of(agent, one[1], heat(*one)))
        return [place for place, _ in order]

    def seen(self, since: datetime, account: str | None, limit: int) -> list[int]:
        """Give who did something since a moment, those seen last, at most *limit*."""
        return self._seen.places(since, account, self.is_of(account), limit)

    def _found(self, query: Query, now: datetime, account: str | None) -> Places:
        """Who matches, in their order."""
        people = self.people
        found: Places = range(len(people))
        if query.words:
            each = sorted(map(self._holding, query.words), key=len)
            found = reduce(_both, each)
        for holds in self._filters(query, now, account):
            found = [place for place in found if holds(place)]
        return found

    def _filters(self, query: Query, now: datetime, account: str | None) -> Iterable[Any]:
        """What else must hold of the user at a place, the cheapest first."""
        people = self.people
        if account is not None:
            yield people.of_account(account)
        if query.product:
            yield people.of_product(query.product)
        if query.loop is not None:
            yield lambda place: query.loop is (self._rounds(place) > 0)
        if query.ticket is not None:
            yield lambda place: query.ticket is is_in(self.opened.ticketed, place)
        if query.channel is not None:
            yield people.has(query.channel)
        if query.state is not None:
            yield lambda place: query.state in self._states(place, now)

    def _states(self, place: int, now: datetime) -> list[UserState]:
        """All that holds of the user at a place; they are looked at only where a lock may."""
        may_be = self.people.states(place)
        if UserState.LOCKED in may_be:
            return entries.states_of(self.entry(place), now)
        if self._rounds(place):
            return [UserState.LOOP, *(one for one in may_be if one is not UserState.OK)]
        return may_be

    def _rounds(self, place: int) -> int:
        return self.opened.rounds(place)

    def _holding(self, word: str) -> Places:
        """Who has a word, or an open ticket whose number has it."""
        found, needle = self.people.holding(word), word.lstrip("#")
        if needle not in self.opened.numbers and not digits(word):
            return found
        new = [
            place
            for place, ids in self.opened.named()
            if matches("\n".join(map(folded, ids)), "\n".join(map(digits, ids)), (word,))
        ]
        return together(found, new)

    def _sorted(self, places: Places, sort: Sort, now: datetime) -> Places:
        """Who matches, in an order that is asked for."""
        people = self.people
        rank = people.rank
        match sort:
            case Sort.NAME:
                return people.by_name(places)
            case Sort.PRODUCT:
                return people.by_product(places)
            case Sort.STATE:
                return sorted(
                    places,
                    key=lambda p: (min(map(RANKS.__getitem__, self._states(p, now))), rank(p)),
                )
            case Sort.SEEN:
                return sorted(
                    (p for p in places if people.seen(p) >= 0), key=people.seen, reverse=True
                )
            case Sort.HEAT:
                heat = self._heat(now)
                return sorted(places, key=lambda p: heat(p, self.opened.request(p)))

    def _heat(self, now: datetime) -> Callable[[int, Request | None], tuple[object, ...]]:
        """How urgent the user at a place is whose newest open ticket is given."""
        may_be_locked = self.people.may_be(UserState.LOCKED)

        def heat(place: int, ticket: Request | None) -> tuple[object, ...]:
            is_locked = may_be_locked(place) and self.entry(place).user.is_locked(now)
            return entries.heat_of(ticket, self._rounds(place), now, is_locked=is_locked)

        return heat

    def _beginning_first(self, places: Places, words: Sequence[str], most: int) -> Places:
        """Those whose names begin with each of the words first, until there are enough."""
        if len(places) <= most:
            named = self.people.named_among(words, places)
        else:
            named = (place for place in self.people.named(words) if is_in(places, place))
        first = list(islice(named, most))
        if len(first) == most:
            return first
        are_first = set(first)
        others = (place for place in places if place not in are_first)
        return [*first, *islice(others, most - len(first))]

    def _as_before(self, before: _Known, touched: Collection[int] | None) -> dict[int, Entry]:
        """The entries of all who are as they were; other threads may add some meanwhile."""
        changed = self.people.changed_in(before.people)
        if changed is None:
            return {}
        known = before._entries.copy()
        if touched is None:
            touched = [p for p in known if before.opened.at(p) != self.opened.at(p)]
        for place in (*touched, *changed):
            known.pop(place, None)
        return known


def _is_quick(query: Query) -> bool:
    """Whether little is looked at for a query, whoever is there."""
    short = all(is_beginning(word.lstrip("#")) for word in query.words)
    return short and query == Query(words=query.words[:1])


def _both(places: Places, others: Places) -> Places:
    """Who is in both, of which the first is the shorter one."""
    if isinstance(others, range):
        return places
    there = set(others) if len(others) < 16 * len(places) else None
    return [p for p in places if (p in there if there is not None else is_in(others, p))]


def _shapes(user: User) -> tuple[str, str]:
    """What a user's name and login look like, told apart from each other."""
    return f"name {_shape(user.name)}", f"login {_shape(user.login)}"
