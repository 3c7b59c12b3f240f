"""The rows of the log in a database."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import BigInteger, Connection, bindparam, func, insert, or_, select, update

from helpdesk.domain.audit import LOOK, LogRow
from helpdesk.domain.chain import Entry, opened, stored_row
from helpdesk.domain.erasing import bare_row, holds_personal
from helpdesk.domain.text import folded
from helpdesk.stores.base import Ends
from helpdesk.stores.sql.lull import What, entries_of
from helpdesk.stores.sql.part import Part
from helpdesk.stores.sql.prepared import SEVERAL, Prepared
from helpdesk.stores.sql.schema import log, users

# Statements that are asked all the time are put together once.
BOUND: Final = Prepared(
    select(log.c.body)
    .where(log.c.place >= bindparam("start"))
    .order_by(log.c.place)
    .limit(bindparam("limit", type_=BigInteger))
)

ALL: Final = 2**62
"""More rows than there are."""

FEW: Final = 100
"""Rows that are read sooner than a thread is there for them."""

UNBOUND: Final = select(func.count()).select_from(log).where(log.c.place.is_(None))

ENDED: Final = "ends"
"""What is known under the pen: where the log ends."""

APPENDED: Final = "appended"
"""What is known under the pen: the rows that were appended under it, and where they begin."""

NAME: Final = Prepared(select(users.c.name).where(users.c.id == bindparam("user")))

ENDS: Final = Prepared(
    select(log.c.seq, log.c.place, log.c.body)
    .where(
        or_(
            log.c.seq == select(func.max(log.c.seq)).scalar_subquery(),
            log.c.place == select(func.min(log.c.place)).scalar_subquery(),
            log.c.place == select(func.max(log.c.place)).scalar_subquery(),
        )
    )
    .order_by(log.c.seq)
)

APPEND: Final = Prepared(insert(log))


class SqlLog(Part):
    """The rows of the log, as `Store` asks for them."""

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
        """Give rows of the log, oldest first, as `Store.rows`."""
        mine = self._database.known_of(rows_of(user)) if user else None
        if mine is not None:
            found = [
                row
                for row in mine
                if row.seq > after
                and (not agent or row.agent == agent)
                and (not acts or row.act in acts)
                and (looks or row.act != LOOK)
                and (since is None or row.at >= since)
            ]
            return found[:limit]
        wanted = _rows(
            of=bool(user),
            by=bool(agent),
            acts=bool(acts),
            looks=looks,
            since=since is not None,
            limit=limit is not None,
        )
        # From a whole minute on: the moments that are asked for move on, the rows stay.
        begin = since.replace(second=0, microsecond=0) if since and limit is None else since
        given: dict[str, Any] = {"user": user, "agent": agent, "since": begin}
        given |= {"after": after, "limit": limit} | ({SEVERAL: [*acts]} if acts else {})
        is_long = not (user or acts or limit is not None)
        what = rows_of(user, agent, acts, begin, after, limit, looks=looks)
        rows = await self._database.once(what, self._rows, wanted, given, is_long=is_long)
        return rows if begin == since else [row for row in rows if since and row.at >= since]

    async def kept(self, after: int, limit: int) -> Sequence[tuple[LogRow, Entry | None]]:
        """Give rows after the one with the number *after*, as they are kept."""
        wanted = _rows(of=False, by=False, acts=False, looks=True, since=False, limit=True)
        given = {"after": after, "limit": limit}
        return await self._database.ask(self._kept, wanted, given, is_long=limit > FEW)

    async def ends(self) -> Ends:
        """Give where the log ends; rows are only ever appended, so its version stays."""
        known: Ends | None = self._database.told(ENDED)
        return known if known is not None else await self._database.ask(self._ends, writes=())

    async def bound(self, start: int = 0, limit: int | None = None) -> Sequence[Entry]:
        """Give the rows that are bound to one another, from the place *start* on."""
        first, rows = self._appended()
        if start >= first:
            return rows[start - first :][:limit]
        given = {"start": start, "limit": ALL if limit is None else limit}
        is_long = limit is None or limit > FEW
        return await self._database.ask(self._bound, given, is_long=is_long, writes=())

    async def unbound(self) -> int:
        """Give how many rows are of the time before they were bound to one another."""
        return await self._database.ask(self._counted, UNBOUND)

    async def append(self, entry: Entry) -> None:
        """Append a row to the log."""
        row, ends = opened(entry), await self.ends()
        mine = self._database.known_of(rows_of(row.user))
        whose = self._database.known_of(entries_of((row.user,)))
        name = whose[0].user.name if whose else await self._name(row.user)
        kept = log_row(row, name, msgspec.json.encode(entry), ends.size)
        writes = (("rows", row.user), ("listed", row.act))
        await self._database.write(APPEND, kept, writes=writes)
        known = self._database.written_on
        if known is not None and mine is not None:
            known.keep(rows_of(row.user), (*mine, row))
        first, rows = self._appended()
        self._database.tell(APPENDED, (min(first, ends.size), [*rows, entry]))
        self._database.tell(
            ENDED,
            replace(ends, seq=row.seq, size=ends.size + 1, first=ends.first or entry, last=entry),
        )

    def _appended(self) -> tuple[int, Sequence[Entry]]:
        """The rows appended last, as far as they are known, and the place of the first."""
        return self._database.told(APPENDED) or (ALL, [])

    async def _name(self, user: str) -> str:
        found = await self._database.ask(self._column, NAME, {"user": user}, writes=())
        return str(found[0]) if found else ""

    def _rows(self, wanted: Any, given: Mapping[str, Any]) -> Sequence[LogRow]:
        return tuple(map(row_of, self._column(wanted, given)))

    def _ends(self) -> Ends:
        known = self._database.known
        if ENDED not in known:
            known[ENDED] = self._read_ends()
        ends: Ends = known[ENDED]
        return ends

    def _read_ends(self) -> Ends:
        with self._database.connection() as connection:
            found = ENDS.rows(connection)
        bound = [
            (place, msgspec.json.decode(body, type=Entry))
            for _, place, body in found
            if place is not None
        ]
        return Ends(
            seq=max((seq for seq, *_ in found), default=0),
            size=bound[-1][0] + 1 if bound else 0,
            first=bound[0][1] if bound else None,
            last=bound[-1][1] if bound else None,
            version=0,
        )

    def _bound(self, given: Mapping[str, Any]) -> Sequence[Entry]:
        return [msgspec.json.decode(body, type=Entry) for body in self._column(BOUND, given)]

    def _kept(
        self, wanted: Prepared, given: Mapping[str, Any]
    ) -> Sequence[tuple[LogRow, Entry | None]]:
        return [kept_row(body) for body in self._column(wanted, given)]


@functools.cache
def _rows(*, of: bool, by: bool, acts: bool, looks: bool, since: bool, limit: bool) -> Prepared:
    """Rows of the log after a place: of a user, by an agent, of some acts, from a moment on."""
    wanted = select(log.c.body).where(log.c.seq > bindparam("after")).order_by(log.c.seq)
    if of:
        wanted = wanted.where(log.c.user == bindparam("user"))
    if by:
        wanted = wanted.where(log.c.agent == bindparam("agent"))
    if acts:
        wanted = wanted.where(log.c.act.in_(bindparam(SEVERAL, expanding=True)))
    if not looks:
        wanted = wanted.where(log.c.act != LOOK)
    if since:
        wanted = wanted.where(log.c.at >= bindparam("since"))
    return Prepared(wanted.limit(bindparam("limit", type_=BigInteger)) if limit else wanted)


def rows_of(
    user: str = "",
    agent: str = "",
    acts: Collection[str] = (),
    since: datetime | None = None,
    after: int = 0,
    limit: int | None = None,
    *,
    looks: bool = True,
) -> What:
    """Return what rows of the log are known by in a lull."""
    if user:
        return "rows", user, agent, frozenset(acts), since, after, limit, looks
    return "listed", frozenset(acts), agent, since, after, limit, looks


def log_row(row: LogRow, name: str, body: bytes, place: int | None) -> dict[str, Any]:
    """Return a row of the log as it is kept and searched, with the *name* of its user."""
    words = (row.agent, row.role, row.act, row.user, row.ticket, row.reason, row.result, name)
    return {
        "seq": row.seq,
        "place": place,
        "at": row.at,
        "agent": row.agent,
        "user": row.user,
        "act": row.act,
        "ticket": row.ticket,
        "blob": "\n".join(map(folded, words)),
        "body": body,
    }


def erase_rows(connection: Connection, before: datetime) -> int:
    """Part rows of the log from their personal data; return how many there were."""
    count = 0
    old = select(log.c.seq, log.c.place, log.c.body).where(log.c.at < before)
    for seq, place, body in connection.execute(old).all():
        row, entry = kept_row(body)
        if not holds_personal(row):
            continue
        count += 1
        without = bare_row(row)
        kept = msgspec.json.encode(replace(entry, clear=None) if entry else without)
        values = log_row(without, "", kept, place)
        connection.execute(update(log).where(log.c.seq == seq).values(**values))
    return count


def kept_row(body: bytes) -> tuple[LogRow, Entry | None]:
    """Return a row of the log as it is kept, with what binds it.

    Raises:
        msgspec.MsgspecError: It holds none.
    """
    try:
        entry = msgspec.json.decode(body, type=Entry)
    except msgspec.ValidationError:  # of the time before the chain
        return stored_row(msgspec.json.decode(body))
    return opened(entry), entry


def row_of(body: bytes) -> LogRow:
    """Return a row of the log from how it is kept."""
    return kept_row(body)[0]
