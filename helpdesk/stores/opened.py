"""Lists of what is open, for a directory that is asked for each user: all of it is gone through."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from helpdesk.domain import entries
from helpdesk.domain.agents import Agent
from helpdesk.domain.entries import Entry
from helpdesk.domain.search import Query
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.stores.base import Store

T = TypeVar("T", Ticket, LoopReport)


class Known(Protocol):
    """Whoever knows users by id."""

    async def entries(self, users: Sequence[str]) -> Mapping[str, Entry]:
        """Give the entries of these users by id; whoever is not known is left out."""
        ...

    async def there(self, users: Sequence[str], *, account: str | None) -> Collection[str]:
        """Give which of these ids are users: for lists too long to look at each of them."""
        ...


async def tickets(
    known: Known, store: Store, agent: Agent, query: Query, now: datetime, offset: int, limit: int
) -> tuple[int, Sequence[tuple[Ticket, Entry]]]:
    """Return how many tickets are open, and a window of them, as `Directory.tickets`."""
    found = await _theirs(
        known, await store.select(Ticket, only_open=True), agent.account, query, now
    )
    found.sort(key=lambda one: (one.agent != agent.id, one.agent is not None, one.opened_at))
    return await _window(known, found, offset, limit)


async def loops(
    known: Known,
    store: Store,
    query: Query,
    now: datetime,
    account: str | None,
    first: Collection[str],
    offset: int,
    limit: int,
) -> tuple[int, Sequence[tuple[LoopReport, Entry]]]:
    """Return how many loops are open, and a window of them, as `Directory.loops`."""
    found = await _theirs(
        known, await store.select(LoopReport, only_open=True), account, query, now
    )
    found.sort(key=lambda one: (one.user not in first, -one.rounds, now - one.at))
    return await _window(known, found, offset, limit)


async def _theirs(
    known: Known, all_: Sequence[T], account: str | None, query: Query, now: datetime
) -> list[T]:
    """Those of users who match; nobody need be looked at where everybody does."""
    theirs = [one.user for one in all_]
    if query.is_empty:
        there = await known.there(theirs, account=account)
    else:
        found = await known.entries(theirs)
        there = {
            user
            for user, entry in found.items()
            if account in {None, entry.user.account} and entries.is_found(entry, query, now)
        }
    return [one for one in all_ if one.user in there]


async def _window(
    known: Known, found: Sequence[T], offset: int, limit: int
) -> tuple[int, Sequence[tuple[T, Entry]]]:
    shown = found[offset : offset + limit]
    whose = await known.entries([one.user for one in shown])
    return len(found), [(one, whose[one.user]) for one in shown if one.user in whose]
