"""Everybody of a fixture, folded once and kept in memory."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import islice
from operator import eq
from typing import Final

from helpdesk.domain import entries
from helpdesk.domain.agents import Agent
from helpdesk.domain.alike import shape
from helpdesk.domain.audit import LOOK, LogRow
from helpdesk.domain.entries import Entry
from helpdesk.domain.haystack import Haystack
from helpdesk.domain.search import Query, matches
from helpdesk.domain.text import folded
from helpdesk.domain.users import Account, User
from helpdesk.stores.base import SEEN
from helpdesk.stores.tiny import TinyStore
from helpdesk.stores.tinyfile import TinyFile

AT_ONCE: Final = 20_000
"""Among more people than this is looked in a thread, so that keys are answered meanwhile."""

PROVIDER = ("users", "accounts", "timelines")
"""The tables from which everybody is read."""


class TinyDirectory:
    """The people of a `TinyFile`, with what its `TinyStore` knows of them."""

    says = ""

    def __init__(self, file: TinyFile, store: TinyStore) -> None:
        self._file, self._store = file, store
        self._entries: dict[str, Entry] = {}
        self._haystack = Haystack(())
        self._open: dict[str, entries.Open] = {}
        self._users: dict[str, User] = {}
        self._accounts: dict[str, Account] = {}
        self._shapes: dict[str, list[str]] = defaultdict(list)
        self._shaped: dict[str, User] = {}
        self._read, self._built, self._generation = -1, (-1, -1), 0
        self._loading = threading.Lock()

    async def refresh(self) -> int:
        """Take in what changed; give a number that changes when anything has."""
        tickets = await self._store.refresh()
        if self._built == (self._file.generation(*PROVIDER), tickets):
            return self._generation  # to look costs less than a thread to look in
        return await asyncio.to_thread(self._load, tickets)

    async def entries(self, users: Sequence[str]) -> Mapping[str, Entry]:
        """Give the entries of these users by id; whoever is not known is left out."""
        return {user: self._entries[user] for user in users if user in self._entries}

    async def there(self, users: Sequence[str], *, account: str | None) -> Collection[str]:
        """Give which of these ids are users."""
        found = await self.entries(users)
        return {user for user, e in found.items() if account in {None, e.user.account}}

    async def named(self, login: str) -> Sequence[Entry]:
        """Give the users of this login, whatever its case."""
        wanted = login.casefold()
        return [e for e in self._entries.values() if e.user.login.casefold() == wanted]

    async def doubles(self, user: User, *, account: str | None, limit: int) -> Sequence[Entry]:
        """Give others whose name or login could be taken for this user's, at most *limit*."""
        shapes, wanted = await asyncio.to_thread(self._by_shape), _shapes(user)
        alike = dict.fromkeys(other for each in wanted for other in shapes.get(each, ()))
        found = (self._entries[other] for other in alike if other in self._entries)
        theirs = (
            e
            for e in found
            if e.user.id != user.id and account in {None, e.user.account}
            if any(map(eq, wanted, _shapes(e.user)))  # one may have had another name before
        )
        return list(islice(theirs, limit))

    async def find(
        self, query: Query, now: datetime, *, account: str | None, offset: int, limit: int
    ) -> tuple[int, Sequence[Entry]]:
        """Give how many users match, and a window of them in the query's order."""
        haystack = self._haystack
        if len(haystack.entries) > AT_ONCE:
            found = await asyncio.to_thread(haystack.found, query, now)
        else:
            found = haystack.found(query, now)
        if account is not None:
            found = [e for e in found if e.user.account == account]
        most = offset + limit
        return len(found), entries.ordered(found, query, now, most)[offset:most]

    async def queue(
        self, agent: Agent, now: datetime, *, offset: int, limit: int
    ) -> tuple[int, Sequence[Entry]]:
        """Give how many users an agent should look at, and a window of them, the hottest first."""
        found = [e for e in self._of(agent.account) if entries.is_for(agent, e, now)]
        found.sort(key=lambda e: entries.waiting(agent, e, now))
        return len(found), found[offset : offset + limit]

    async def seen(
        self, since: datetime, *, account: str | None = None, limit: int = SEEN
    ) -> Sequence[Entry]:
        """Give the users who did something since a moment, those seen last, at most *limit*."""
        found = [e for e in self._of(account) if e.user.seen_at and e.user.seen_at >= since]
        if len(found) <= limit:
            return found
        last = sorted((e.user.seen_at or since for e in found), reverse=True)[limit - 1]
        return [e for e in found if (e.user.seen_at or since) >= last][:limit]

    async def logged(
        self, query: Query, *, account: str | None, offset: int, limit: int
    ) -> tuple[int, Sequence[LogRow]]:
        """Give how many rows of the log match, and a window of them, newest first."""
        found = [row for row in reversed(self._store.log) if self._is_logged(row, query, account)]
        return len(found), found[offset : offset + limit]

    def _is_logged(self, row: LogRow, query: Query, account: str | None) -> bool:
        if row.act == LOOK and LOOK not in query.words:
            return False
        entry = self._entries.get(row.user)
        if account is not None and (entry is None or entry.user.account != account):
            return False
        if query.product and (entry is None or entry.user.product not in query.product):
            return False
        name = entry.user.name if entry else ""
        parts = (row.agent, row.role, row.act, row.user, row.ticket, row.reason, row.result, name)
        return matches("\n".join(map(folded, parts)), row.ticket, query.words)

    def _of(self, account: str | None) -> list[Entry]:
        return [e for e in self._entries.values() if account in {None, e.user.account}]

    def _load(self, tickets: int) -> int:
        with self._loading:  # of two threads the slower must not put the older state back
            people = self._file.generation(*PROVIDER)
            if people != self._read:
                self._users = {user.id: user for user in self._file.values("users", User)}
                self._accounts = {each.id: each for each in self._file.values("accounts", Account)}
                self._read = people
            if (people, tickets) != self._built:
                self._entries = self._built_anew(is_all=people != self._built[0])
                self._haystack = Haystack([*self._entries.values()])
                self._built = people, tickets
                self._generation += 1
            return self._generation

    def _by_shape(self) -> Mapping[str, list[str]]:
        """The ids of users by what their names and logins look like, made when first asked for."""
        with self._loading:
            for name, user in self._users.items():
                if self._shaped.get(name) is not user:
                    for each in _shapes(user):
                        self._shapes[each].append(name)
            self._shaped = self._users
            return self._shapes

    def _built_anew(self, *, is_all: bool) -> dict[str, Entry]:
        """Build the entries again: *all* of them, or of those of whom something else is open."""
        before, self._open = self._open, entries.open_of(self._store.tickets, self._store.loops)
        if is_all:
            return entries.built(self._users.values(), self._accounts, self._open)
        touched = before.keys() | self._open.keys()
        changed = {user for user in touched if before.get(user) != self._open.get(user)}
        users = [self._users[user] for user in changed if user in self._users]
        return self._entries | entries.built(users, self._accounts, self._open)


def _shapes(user: User) -> tuple[str, str]:
    """What a user's name and login look like, told apart from each other."""
    return f"name {shape(user.name)}", f"login {shape(user.login)}"
