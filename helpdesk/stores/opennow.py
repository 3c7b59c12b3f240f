"""What is open of whom in a fixture, taken over from one moment to the next.

as it stands in a long file (`standing`) ──┐
beside it, or of a short file all of it ───┴─▶ what is open now, by the place of the user
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Final

from helpdesk.domain.agents import Agent
from helpdesk.domain.entries import Open, Request, open_of, waits_for
from helpdesk.domain.text import folded
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.stores.listed import Listed
from helpdesk.stores.people import People, Places, apart, together
from helpdesk.stores.standing import Filed

Listing = tuple[Listed[Ticket], Listed[LoopReport]]
"""Tickets and loop reports, open or not, as they are at one moment."""

NOTHING: Final = Open()


class OpenNow:
    """What is open, by the place of the user; never changed in place.

    Args:
        by_place: That of everybody of whom anything is, or is not as it stands in the file.
        filed: What stands in the file; None where *by_place* is all.
        like: What was open before, where the same tickets were.

    Attributes:
        ticketed: Who has an open ticket, in their order.
    """

    def __init__(
        self, by_place: dict[int, Open], filed: Filed | None = None, like: OpenNow | None = None
    ) -> None:
        self._by_place, self._filed = by_place, filed
        self.ticketed: Places = like.ticketed if like else self._ticketed()
        if like and "numbers" in vars(like):
            self.numbers = like.numbers

    @cached_property
    def numbers(self) -> str:
        """The numbers of all open tickets, parted by newlines."""
        return "\n".join(folded(number) for _, some in self.named() for number in some)

    def at(self, place: int) -> Open:
        """Give what is open of the user at a place."""
        found = self._by_place.get(place)
        if found is None:
            found = self._filed.open(place) if self._filed else NOTHING
        return found

    def named(self) -> Iterator[tuple[int, list[str]]]:
        """Give who has open tickets, with the numbers of these."""
        if self._filed:
            theirs = dict(self._filed.named()) | {p: self.of(p) for p in self._by_place}
            return ((place, theirs[place]) for place in self.ticketed)
        return ((place, self.of(place)) for place in self.ticketed)

    def of(self, place: int) -> list[str]:
        """Give the numbers of the open tickets of a user."""
        if self._filed and place not in self._by_place:
            return self._filed.numbers(place)
        return [ticket.id for ticket in self.at(place).tickets]

    def rounds(self, place: int) -> int:
        """Give the rounds of a user's worst open loop; 0 for none."""
        if self._filed and place not in self._by_place:
            return self._filed.rounds(place)
        return self.at(place).rounds

    def request(self, place: int) -> Request | None:
        """Give the newest open ticket of a user, as a queue is put in order by it."""
        if self._filed and place not in self._by_place:
            return self._filed.request(place)
        return self.at(place).ticket

    def waiting(self, agent: Agent) -> Places:
        """Give whose newest open ticket is in an agent's queue, in their order."""
        beside = (
            (place, one.ticket) for place, one in sorted(self._by_place.items()) if one.tickets
        )
        new = [place for place, ticket in beside if ticket and waits_for(agent, ticket)]
        return self._with_filed(self._filed.waiting(agent), new) if self._filed else new

    def after(self, touched: Mapping[int, Open]) -> OpenNow:
        """Give what is open where of some users something else is, or nothing any more."""
        now = self._by_place.copy()
        for place, one in touched.items():
            if one == NOTHING and not self._filed:
                now.pop(place, None)
            else:
                now[place] = one
        later = OpenNow(now, self._filed, like=self)
        if all(self.of(place) == later.of(place) for place in touched):
            return later
        return OpenNow(now, self._filed)

    def _ticketed(self) -> Places:
        new = sorted(p for p, one in self._by_place.items() if one.tickets)
        return self._with_filed(self._filed.ticketed, new) if self._filed else new

    def _with_filed(self, filed: Places, new: Places) -> Places:
        return together(apart(filed, self._by_place), new)


def changed(now: Listing, before: Listing) -> set[str] | None:
    """Return whose tickets or loops are others than before; None where that cannot be said."""
    tickets, loops = now[0].changed(before[0]), now[1].changed(before[1])
    return None if tickets is None or loops is None else tickets | loops


def of_all(listing: Listing) -> dict[str, Open]:
    """Return what is open, by user."""
    tickets, loops = listing
    return open_of(tickets.all, loops.all)


def of_some(listing: Listing, users: Collection[str]) -> dict[str, Open]:
    """Return what is open of each of these users, nothing also."""
    tickets, loops = listing
    theirs = [one for user in users for one in tickets.of(user)]
    reports = [one for user in users for one in loops.of(user)]
    return dict.fromkeys(users, NOTHING) | open_of(theirs, reports)


def placed(people: People, open_: Mapping[str, Open]) -> dict[int, Open]:
    """Return what is open by the place of the user; whoever is not there is left out."""
    found = ((people.place(user), one) for user, one in open_.items())
    return {place: one for place, one in found if place is not None}
