"""What is open of whom in a fixture, taken over from one moment to the next."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Final

from helpdesk.domain.entries import Open, open_of
from helpdesk.domain.text import folded
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.stores.listed import Listed
from helpdesk.stores.people import People, Places

Listing = tuple[Listed[Ticket], Listed[LoopReport]]
"""Tickets and loop reports, open or not, as they are at one moment."""

NOTHING: Final = Open()


class OpenNow:
    """What is open, by the place of the user; never changed in place.

    Args:
        by_place: That of everybody of whom anything is.
        like: What was open before, where the same tickets were.

    Attributes:
        ticketed: Who has an open ticket, in their order.
    """

    def __init__(self, by_place: dict[int, Open], like: OpenNow | None = None) -> None:
        self.by_place = by_place
        self.ticketed: Places = (
            like.ticketed if like else sorted(p for p, one in by_place.items() if one.tickets)
        )
        if like and "numbers" in vars(like):
            self.numbers = like.numbers

    @cached_property
    def numbers(self) -> str:
        """The numbers of all open tickets, parted by newlines."""
        return "\n".join(folded(number) for p in self.ticketed for number in self.of(p))

    def of(self, place: int) -> list[str]:
        """Give the numbers of the open tickets of a user."""
        return [ticket.id for ticket in self.by_place.get(place, NOTHING).tickets]

    def after(self, touched: Mapping[int, Open]) -> OpenNow:
        """Give what is open where of some users something else is, or nothing any more."""
        now = self.by_place.copy()
        for place, one in touched.items():
            if one == NOTHING:
                now.pop(place, None)
            else:
                now[place] = one
        later = OpenNow(now, like=self)
        if all(self.of(place) == later.of(place) for place in touched):
            return later
        return OpenNow(now)


def changed(now: Listing, before: Listing) -> set[str] | None:
    """Return whose tickets or loops are others than before; None where that cannot be said."""
    tickets, loops = now[0].others(before[0]), now[1].others(before[1])
    if tickets is None or loops is None:
        return None
    found = {now[0].all[place].user for place in tickets}
    return found | {now[1].all[place].user for place in loops}


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
