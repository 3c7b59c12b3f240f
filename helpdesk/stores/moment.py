"""Everybody at one moment, and who of them is asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import reduce
from itertools import islice
from typing import Any, Final

from helpdesk.domain import entries
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.entries import Entry, Request
from helpdesk.domain.search import Query, Sort, UserState, matches
from helpdesk.domain.text import digits, folded
from helpdesk.stores.opennow import OpenNow
from helpdesk.stores.people import People, Places, SeenLast, is_in, together

RANKS: Final = {state: number for number, state in enumerate(UserState)}


class Moment:
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
        before: Moment | None = None,
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

    def _as_before(self, before: Moment, touched: Collection[int] | None) -> dict[int, Entry]:
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


def _both(places: Places, others: Places) -> Places:
    """Who is in both, of which the first is the shorter one."""
    if isinstance(others, range):
        return places
    there = set(others) if len(others) < 16 * len(places) else None
    return [p for p in places if (p in there if there is not None else is_in(others, p))]
