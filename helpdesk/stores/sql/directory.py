"""Everybody in a database, found by SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    func,
    select,
    true,
    union,
)

from helpdesk.domain.agents import Agent
from helpdesk.domain.alike import shape
from helpdesk.domain.audit import LOOK, LogRow
from helpdesk.domain.entries import Entry
from helpdesk.domain.search import Query
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.domain.users import User
from helpdesk.stores.base import SEEN, TABLES
from helpdesk.stores.sql.beginning import begun
from helpdesk.stores.sql.connections import changes
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.finding import Finding, asked_for, of_account
from helpdesk.stores.sql.listing import Listing, loops_of, names, tickets_of
from helpdesk.stores.sql.log import kept_row
from helpdesk.stores.sql.lull import Lull, What, alike, entries_of, lull_of, named
from helpdesk.stores.sql.prepared import SEVERAL, Prepared
from helpdesk.stores.sql.reads import FromReplica, Reads
from helpdesk.stores.sql.schema import log, records, users
from helpdesk.stores.sql.staged import COUNTED, Ahead, Asked
from helpdesk.stores.sql.turning import turn_after
from helpdesk.stores.sql.waiting import queue_of

T = TypeVar("T", Ticket, LoopReport)

COLUMNS: Final = (
    users.c.body,
    users.c.account_name,
    users.c.blob,
    users.c.numbers,
    users.c.rounds,
    users.c.ticket,
)
"""What an `Entry` is made of."""

OF_NAMES: Final = Prepared(
    select(*COLUMNS).where(users.c.id.in_(bindparam(SEVERAL, expanding=True)))
)

AHEAD: Final = 500
"""So many keys are read for whoever looks further down a list: its next pages are cut from them."""

READ: Final = ("read", "*")
"""What the entries that lists were made of are known by in a lull."""

KNOWN: Final = 4_096
"""The entries of so many are known while nothing changes; of more, all are read anew."""

OF_KEYS: Final = select(users.c.key, *COLUMNS).where(
    users.c.key.in_(bindparam("keys", expanding=True))
)

OF_RECORDS: Final = (
    select(records.c.name, records.c.body.label("record"), *COLUMNS)
    .join(users, users.c.id == records.c.user)
    .where(records.c.kind == bindparam("kind"))
    .where(records.c.name.in_(bindparam("names", expanding=True)))
)
"""Records with whose they are."""

LIKE: Final = (
    select(*COLUMNS)
    .where(users.c.id != bindparam("id"))
    .where(
        users.c.key.in_(
            union(
                select(users.c.key).where(users.c.name_shape == bindparam("name")),
                select(users.c.key).where(users.c.login_shape == bindparam("login")),
            )
        )
    )
    .order_by(users.c.key)
    .limit(bindparam("limit"))
)
"""Those of the same shape; each by an index of its own."""

OF_LOGIN: Final = Prepared(select(*COLUMNS).where(users.c.login == bindparam("login")))


class SqlDirectory:
    """The people of a `Database`, as `Directory` asks for them.

    Lists may come from a replica; whoever is asked for by name comes from the database itself.
    """

    says = ""
    counts_to = COUNTED

    def __init__(self, database: Database, replica: FromReplica | None = None) -> None:
        self._database, self._replica = database, replica
        self._lists: Reads = replica or database

    async def refresh(self) -> int:
        """Give how many changes there were."""
        if self._replica is None:
            return await self._database.changes()
        async with self._replica.observing() as observed:
            count = await self._database.ask(self._changes)
            observed(count)
        return count

    async def entries(self, names: Sequence[str]) -> Mapping[str, Entry]:
        """Give the entries of these users by id; whoever is not known is left out."""
        if not names:
            return {}
        asked, wanted = tuple(sorted(set(names))), {SEVERAL: [*set(names)]}
        found = await self._database.once(entries_of(asked), self._all, OF_NAMES, wanted)
        return {entry.user.id: entry for entry in found}

    async def named(self, login: str) -> Sequence[Entry]:
        """Give the users of this login, whatever its case."""
        login = login.casefold()
        return await self._database.once(named(login), self._all, OF_LOGIN, {"login": login})

    async def doubles(self, user: User, *, account: str | None, limit: int) -> Sequence[Entry]:
        """Give others whose name or login could be taken for this user's, at most *limit*."""
        what = alike(user, account, limit)
        return await self._database.once(what, self._alike, user, account, limit)

    async def find(
        self, query: Query, now: datetime, *, account: str | None, offset: int, limit: int
    ) -> tuple[int, Sequence[Entry]]:
        """Give how many users match, up to `COUNTED`, and a window of them in the query's order."""
        asked = asked_for(query, now, account, is_sqlite=self._database.is_sqlite)
        lull, what = self._lull(), ("counted", query, account)
        if lull is None:
            return await self._windowed(asked, offset, limit)
        until = await turn_after(self._database, lull, now)
        if (total := lull.answer(what, now)) is None:
            found = await self._windowed(asked, offset, limit)
            lull.answered(what, now, found[0], until)  # the next page need not be counted again
            return found
        ahead: Ahead | None = lull.answer(("ahead", query, account), now)
        window = ahead.window(offset, limit) if ahead else None
        if window is None:
            reach = max(limit, AHEAD)
            given = asked, offset, reach, total
            _, keys = await self._lists.ask(self._keys, *given, is_long=not asked.is_quick)
            ahead = Ahead(offset, keys, is_end=len(keys) < reach)
            lull.answered(("ahead", query, account), now, ahead, until)
            window = keys[:limit]
        return total, await self._entries(lull, window)

    async def queue(
        self, agent: Agent, now: datetime, *, offset: int, limit: int
    ) -> tuple[int, Sequence[Entry]]:
        """Give how many users an agent should look at, and a window of them, the hottest first."""
        return await self._windowed(queue_of(agent, now), offset, limit)

    async def tickets(
        self, agent: Agent, query: Query, now: datetime, *, offset: int, limit: int
    ) -> tuple[int, Sequence[tuple[Ticket, Entry]]]:
        """Give how many tickets are open, up to `COUNTED`, and a window of them, with whose."""
        what = ("tickets", agent.id)
        return await self._listed(
            Ticket, tickets_of(agent), what, query, now, agent.account, offset, limit
        )

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
        """Give how many loops are open, up to `COUNTED`, and a window of them, with whose."""
        what = ("loops", frozenset(first))
        return await self._listed(
            LoopReport, loops_of(first), what, query, now, account, offset, limit
        )

    async def seen(
        self, since: datetime, *, account: str | None = None, limit: int = SEEN
    ) -> Sequence[Entry]:
        """Give the users who did something since a moment, those seen last, at most *limit*."""
        last = (
            select(users.c.key)
            .where(users.c.seen >= since, of_account(account))
            .order_by(users.c.seen.desc())
            .limit(limit)
        )
        wanted = select(*COLUMNS).where(users.c.key.in_(last.scalar_subquery()))
        return await self._found(wanted.order_by(users.c.key), is_long=True)

    async def logged(
        self, query: Query, *, account: str | None, offset: int, limit: int
    ) -> tuple[int, Sequence[LogRow]]:
        """Give how many rows of the log match, and a window of them, newest first."""
        holds = [log.c.blob.contains(word, autoescape=True) for word in query.words]
        if LOOK not in query.words:
            holds.append(log.c.act != LOOK)
        if query.product or account is not None:
            theirs = select(users.c.id).where(of_account(account))
            if query.product:
                theirs = theirs.where(users.c.product.in_(query.product))
            holds.append(log.c.user.in_(theirs.scalar_subquery()))
        wanted, what = and_(true(), *holds), ("logged", query.words, query.product, account)
        lull = self._lull()
        total: int | None = lull.get(what) if lull else None
        found = await self._lists.ask(self._log_window, wanted, offset, limit, total, is_long=True)
        if lull:
            lull.keep(what, found[0])
        return found

    def _lull(self) -> Lull | None:
        """What is known while nobody writes; of a replica, nothing."""
        return lull_of(self._database) if self._replica is None else None

    def _changes(self) -> int:
        with self._database.connection() as connection:
            return changes(connection)

    async def _listed(
        self,
        kind: type[T],
        listing: Listing,
        what: What,
        query: Query,
        now: datetime,
        account: str | None,
        offset: int,
        limit: int,
    ) -> tuple[int, Sequence[tuple[T, Entry]]]:
        """Give how many there are, up to `COUNTED`, and a window; the next one is only read."""
        lull, who = self._lull(), replace(query, sort=None)
        known: Sequence[str] | None = lull.answer((what, who, account), now) if lull else None
        if known is None:
            finding = Finding(who, now, account, is_sqlite=self._database.is_sqlite)
            is_all = who.is_empty and account is None
            known = await self._lists.ask(self._names, listing, finding, is_all, is_long=True)
            if lull:
                until = await turn_after(self._database, lull, now)
                lull.answered((what, who, account), now, known, until)
        window = known[offset : offset + limit]
        return len(known), await self._lists.ask(self._open, kind, window)

    def _names(self, listing: Listing, finding: Finding, is_all: bool) -> Sequence[str]:
        with self._database.connection() as connection:
            return names(connection, listing, finding, is_all=is_all)

    def _open(self, kind: type[T], window: Sequence[str]) -> Sequence[tuple[T, Entry]]:
        given = {"kind": TABLES[kind], "names": window}
        with self._database.connection() as connection:
            rows = connection.execute(OF_RECORDS, given).all()
        found = {
            row[0]: (msgspec.json.decode(row[1], type=kind), entry_of(*row[2:])) for row in rows
        }
        return [found[name] for name in window if name in found]

    async def _found(
        self, wanted: Select[Any], *, is_long: bool = False, **given: Any
    ) -> Sequence[Entry]:
        return await self._database.ask(self._all, wanted, given, is_long=is_long, writes=())

    def _alike(self, user: User, account: str | None, limit: int) -> Sequence[Entry]:
        given = {"id": user.id, "name": shape(user.name), "login": shape(user.login)}
        return self._all(LIKE.where(of_account(account)), given | {"limit": limit})

    def _all(self, wanted: Select[Any] | Prepared, given: Mapping[str, Any]) -> Sequence[Entry]:
        with self._database.connection() as connection:
            if isinstance(wanted, Prepared):
                return tuple(entry_of(*row) for row in wanted.rows(connection, given))
            return tuple(entry_of(*row) for row in connection.execute(wanted, given).all())

    async def _windowed(self, asked: Asked, offset: int, limit: int) -> tuple[int, Sequence[Entry]]:
        return await self._lists.ask(self._window, asked, offset, limit, is_long=not asked.is_quick)

    def _window(self, asked: Asked, offset: int, limit: int) -> tuple[int, Sequence[Entry]]:
        with self._database.connection() as connection:
            total, window = self._keys(asked, offset, limit)
            entries = self._of_keys(connection, window)
        return total, [entries[key] for key in window if key in entries]

    def _keys(
        self, asked: Asked, offset: int, limit: int, total: int | None = None
    ) -> tuple[int, Sequence[int]]:
        with self._database.connection() as connection:
            if asked.piece:
                total, window = begun(connection, asked.piece, offset, limit)
            else:
                total, window = window_in(connection, asked, offset, limit, total)
        return min(total, COUNTED), window

    async def _entries(self, lull: Lull, keys: Sequence[int]) -> Sequence[Entry]:
        """Give the entries of keys; nothing is asked for where all are known."""
        known: Mapping[int, Entry] | None = lull.get(READ)
        if known is None or not all(map(known.__contains__, keys)):
            known = await self._lists.ask(self._read, keys)
        return [known[key] for key in keys if key in known]

    def _read(self, keys: Sequence[int]) -> Mapping[int, Entry]:
        with self._database.connection() as connection:
            return self._of_keys(connection, keys)

    def _of_keys(self, connection: Connection, keys: Sequence[int]) -> Mapping[int, Entry]:
        """Give the entries of keys; what was read since the last change is not read anew."""
        lull = self._lull()
        known: dict[int, Entry] | None = lull.get(READ) if lull else None
        if known is None or len(known) > KNOWN:
            known = {}
            if lull:
                lull.keep(READ, known)
        lacking = [key for key in keys if key not in known]
        if lacking:
            for row in connection.execute(OF_KEYS, {"keys": lacking}):
                known[row[0]] = entry_of(*row[1:])
        return known

    def _log_window(
        self, holds: ColumnElement[bool], offset: int, limit: int, total: int | None
    ) -> tuple[int, Sequence[LogRow]]:
        """The window first: where it is not full, or *total* is known, nothing need be counted."""
        newest = log.c.seq.desc()
        found = select(log.c.seq).where(holds).order_by(newest).offset(offset).limit(limit)
        with self._database.connection() as connection:
            places = connection.execute(found).scalars().all()
            if total is None and (len(places) == limit or (offset and not places)):
                counted = select(func.count()).select_from(log).where(holds)
                total = connection.execute(counted).scalar_one()
            wanted = select(log.c.body).where(log.c.seq.in_(places)).order_by(newest)
            rows = [kept_row(body)[0] for body in connection.execute(wanted).scalars()]
        return offset + len(places) if total is None else total, rows


def window_in(
    connection: Connection, asked: Asked, offset: int, limit: int, total: int | None
) -> tuple[int, Sequence[int]]:
    """Return how many there are, up to `COUNTED`, and the keys of a window on them, in order."""
    if total is None and asked.few is not None:
        place = {**asked.given, "offset": offset, "limit": limit}
        few = connection.execute(asked.few, place).all()
        total = few[0][1] if few else None if offset else 0
        if total is not None and total < COUNTED:
            return total, [key for key, _ in few]
    total = min(counted(connection, asked) if total is None else total, COUNTED)
    return total, keys_in(connection, asked, total, offset, limit)


def counted(connection: Connection, asked: Asked) -> int:
    """Return how many there are; once they are `COUNTED`, no further part is counted."""
    total = 0
    for part in asked.counted:
        if total < COUNTED:
            total += connection.execute(part, asked.given).scalar_one()
    return total


def keys_in(
    connection: Connection, asked: Asked, total: int, offset: int, limit: int
) -> Sequence[int]:
    """Return the keys of a window on so many, in order."""
    stages, reach = asked.stages(total), offset + limit
    passed = offset if len(stages) == 1 else 0  # what a stage has not, the next one may have
    keys: list[int] = []
    for stage in stages:
        if (lacks := reach - passed - len(keys)) > 0:
            place = {"limit": lacks, "offset": passed, "reach": lacks + passed}
            keys += connection.execute(stage, {**asked.given, **place}).scalars().all()
    return keys[offset - passed :]


def entry_of(
    body: bytes, account: str, blob: str, numbers: str, rounds: int, ticket: bytes | None
) -> Entry:
    """Return an entry from the columns it is kept in."""
    return Entry(
        user=msgspec.json.decode(body, type=User),
        account=account,
        blob=blob,
        numbers=numbers,
        rounds=rounds,
        ticket=msgspec.json.decode(ticket, type=Ticket) if ticket else None,
    )
