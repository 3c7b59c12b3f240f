"""The desk's own record in a database."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from helpdesk.domain.agents import Agent
from helpdesk.domain.approvals import Approval
from helpdesk.domain.audit import ACCEPT, ERASED, LOOK, LogRow
from helpdesk.domain.chain import Entry, Noted, opened, stored_row
from helpdesk.domain.erasing import KEPT, Erased, bare, is_open, needed_proofs
from helpdesk.domain.holds import Hold
from helpdesk.domain.notices import Notice
from helpdesk.domain.operations import Operation
from helpdesk.domain.proofs import Asking, Proof
from helpdesk.domain.records import Record, begun, has_ended
from helpdesk.domain.text import folded
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.domain.users import User
from helpdesk.stores.base import Ends, R, Then
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.documents import fold
from helpdesk.stores.sql.lull import ALL as EACH
from helpdesk.stores.sql.lull import What, entries_of
from helpdesk.stores.sql.schema import checkpoints, documents, log, pen, records, users

TABLES: Final[dict[type[Record | LoopReport], str]] = {
    Ticket: "tickets",
    LoopReport: "loops",
    Proof: "proofs",
    Asking: "askings",
    Approval: "approvals",
    Notice: "outbox",
    Hold: "holds",
    Operation: "operations",
}
"""The kind under which a record is kept."""

# Statements that are asked all the time are put together once.
RECORD: Final = select(records.c.body).where(
    records.c.kind == bindparam("kind"), records.c.name == bindparam("name")
)

_before: Final = records.alias("before")

_NEXT: Final = (
    select(func.coalesce(func.max(_before.c.n), 0) + 1)
    .where(_before.c.kind == bindparam("of"))
    .scalar_subquery()
)
"""The place of one more of its kind."""

BOUND: Final = (
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

NOTES: Final = select(checkpoints.c.note, checkpoints.c.made)

NOTED: Final = select(func.count()).select_from(checkpoints)

LAST_NOTE: Final = NOTES.order_by(checkpoints.c.n.desc()).limit(literal_column("1"))

COUNT: Final = update(pen).where(pen.c.ticket < bindparam("number"))

PERSON: Final = select(users.c.body).where(users.c.id == bindparam("user"))

ENDED: Final = "ends"
COVERED: Final = "checkpoint"
"""What is known under the pen: where the log ends, and its newest checkpoint."""

NAME: Final = select(users.c.name).where(users.c.id == bindparam("user"))

ENDS: Final = (
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


class SqlStore:
    """The desk's own record in a `Database`, as `Store` asks for it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.agents: tuple[Agent, ...] = ()

    def transaction(
        self, *, joins: bool = False, then: Then | None = None
    ) -> AbstractAsyncContextManager[bool]:
        """Hold the only pen, as `Store.transaction`."""
        return self._database.transaction(joins=joins, then=then)

    def load(self) -> None:
        """Read the agents, who are not changed while a desk is open; blocking."""
        self.agents = self._agents()

    async def refresh(self) -> int:
        """Give how many changes there were."""
        return await self._database.changes()

    async def news(self, seconds: float, since: int) -> int:
        """Wait until somebody wrote, or so long where only this process tells."""
        return await self._database.news(seconds, since)

    async def select(
        self,
        kind: type[R],
        *,
        user: str = "",
        since: datetime | None = None,
        only_open: bool = False,
    ) -> Sequence[R]:
        """Give the records of a kind, oldest first, as `Store.select`."""
        wanted = _records(of=bool(user), since=since is not None, only_open=only_open)
        given = {"kind": TABLES[kind], "user": user, "since": since}
        is_long = not (user or only_open)
        what = records_of(kind, user, since, only_open=only_open)
        return await self._database.once(what, self._decoded, wanted, given, kind, is_long=is_long)

    async def get(self, kind: type[R], name: str) -> R | None:
        """Give the record of this id, or None."""
        return await self._database.ask(self._get, kind, name, writes=())

    async def operation(self, agent: str, key: str) -> Operation | None:
        """Give what became of the write of an agent under a key; None where there was none."""
        return await self._database.ask(
            self._get, Operation, _operation_name(agent, key), writes=()
        )

    async def keep(self, record: Record) -> None:
        """Write a record, new or instead of the one with its id."""
        writes: list[tuple[str, Hashable]] = [("records", type(record))]
        if isinstance(record, Ticket):  # the entry of its user tells of it, wherever that is
            writes += [("entries", record.user), ("ahead", EACH), ("named", EACH), ("alike", EACH)]
        await self._database.ask(self._keep, record, writes=writes)

    async def next_ticket(self) -> str:
        """Give the number that a new ticket gets: one more than the highest there was."""
        return await self._database.ask(self._next_ticket, writes=())

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
        given: dict[str, Any] = {"user": user, "agent": agent, "acts": [*acts], "since": begin}
        given |= {"after": after, "limit": limit}
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
        return await self._database.ask(self._ends, writes=())

    async def bound(self, start: int = 0, limit: int | None = None) -> Sequence[Entry]:
        """Give the rows that are bound to one another, from the place *start* on."""
        given = {"start": start, "limit": ALL if limit is None else limit}
        is_long = limit is None or limit > FEW
        return await self._database.ask(self._bound, given, is_long=is_long, writes=())

    async def unbound(self) -> int:
        """Give how many rows are of the time before they were bound to one another."""
        return await self._database.ask(self._counted, UNBOUND)

    async def noted(self) -> int:
        """Give how many checkpoints of the log there are."""
        return await self._database.ask(self._counted, NOTED)

    async def checkpoints(self, start: int = 0, limit: int | None = None) -> Sequence[Noted]:
        """Give checkpoints of the log, from the place *start* on, oldest first."""
        return await self._database.ask(self._notes, start, limit, is_long=limit is None)

    async def checkpoint(self) -> Noted | None:
        """Give the newest checkpoint of the log; None where there is none."""
        return await self._database.ask(self._newest, writes=())

    async def append(self, entry: Entry) -> None:
        """Append a row to the log."""
        row, known = opened(entry), self._database.written_on
        mine = whose = None
        if known is not None:
            mine, whose = known.get(rows_of(row.user)), known.get(entries_of((row.user,)))
        name = whose[0].user.name if whose else None
        writes = (("rows", row.user), ("listed", row.act))
        await self._database.ask(self._append, entry, row, name, writes=writes)
        if known is not None and mine is not None:
            known.keep(rows_of(row.user), (*mine, row))

    async def note(self, checkpoint: Noted) -> None:
        """Keep a checkpoint of the log."""
        await self._database.ask(self._note, checkpoint, writes=())

    async def erase(self, before: datetime, now: datetime) -> Erased:
        """Part rows, and all else that ended, from before a moment from their personal data."""
        return await self._database.ask(self._erase, before, now, is_long=True)

    def _agents(self) -> tuple[Agent, ...]:
        wanted = select(documents.c.body).where(documents.c.kind == "agents")
        bodies = self._column(wanted.order_by(documents.c.key), {})
        return tuple(msgspec.json.decode(body, type=Agent) for body in bodies)

    def _decoded(self, wanted: Any, given: Mapping[str, Any], kind: type[R]) -> Sequence[R]:
        return tuple(msgspec.json.decode(one, type=kind) for one in self._column(wanted, given))

    def _rows(self, wanted: Any, given: Mapping[str, Any]) -> Sequence[LogRow]:
        return tuple(map(row_of, self._column(wanted, given)))

    def _column(self, wanted: Any, given: Mapping[str, Any]) -> Sequence[bytes]:
        with self._database.connection() as connection:
            return connection.execute(wanted, given).scalars().all()

    def _get(self, kind: type[Any], name: str) -> Any:
        found = self._column(RECORD, {"kind": TABLES[kind], "name": name})
        return msgspec.json.decode(found[0], type=kind) if found else None

    def _keep(self, record: Record) -> None:
        row = record_row(record)
        with self._database.connection() as connection:
            connection.execute(_kept(connection.dialect.name), row | {"of": row["kind"]})
            if isinstance(record, Ticket):
                _count_ticket(connection, record)
                _fold(connection, record.user)

    def _next_ticket(self) -> str:
        with self._database.connection() as connection:
            return str(connection.execute(select(pen.c.ticket)).scalar_one() + 1)

    def _ends(self) -> Ends:
        known = self._database.known
        if ENDED not in known:
            known[ENDED] = self._read_ends()
        ends: Ends = known[ENDED]
        return ends

    def _read_ends(self) -> Ends:
        with self._database.connection() as connection:
            found = connection.execute(ENDS).all()
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
        self, wanted: Select[Any], given: Mapping[str, Any]
    ) -> Sequence[tuple[LogRow, Entry | None]]:
        return [kept_row(body) for body in self._column(wanted, given)]

    def _counted(self, wanted: Select[Any]) -> int:
        with self._database.connection() as connection:
            return int(connection.execute(wanted).scalar_one())

    def _notes(self, start: int, limit: int | None) -> Sequence[Noted]:
        wanted = NOTES.order_by(checkpoints.c.n).offset(start).limit(limit)
        with self._database.connection() as connection:
            return [Noted(note=note, made=made) for note, made in connection.execute(wanted)]

    def _newest(self) -> Noted | None:
        known = self._database.known
        if COVERED not in known:
            with self._database.connection() as connection:
                found = connection.execute(LAST_NOTE).first()
            known[COVERED] = Noted(note=found.note, made=found.made) if found else None
        newest: Noted | None = known[COVERED]
        return newest

    def _append(self, entry: Entry, row: LogRow, name: str | None) -> None:
        ends = self._ends()
        with self._database.connection() as connection:
            if name is None:
                name = connection.execute(NAME, {"user": row.user}).scalar()
            body = msgspec.json.encode(entry)
            connection.execute(APPEND, log_row(row, name or "", body, ends.size))
        self._database.known[ENDED] = replace(
            ends, seq=row.seq, size=ends.size + 1, first=ends.first or entry, last=entry
        )

    def _note(self, checkpoint: Noted) -> None:
        with self._database.connection() as connection:
            n = (connection.execute(select(func.max(checkpoints.c.n))).scalar() or 0) + 1
            connection.execute(
                insert(checkpoints).values(n=n, note=checkpoint.note, made=checkpoint.made)
            )
        self._database.known[COVERED] = checkpoint

    def _erase(self, before: datetime, now: datetime) -> Erased:
        others = still_open = 0
        with self._database.connection() as connection:
            approvals = self._old(connection, Approval, None)
            needed = needed_proofs([one for _, one in approvals], now)
            for kind in KEPT:
                for name, record in self._old(connection, kind, before):
                    without = bare(record)
                    if without == record:
                        continue
                    if is_open(record, now, needed):
                        still_open += 1
                        continue
                    others += 1
                    which = (records.c.kind == TABLES[kind]) & (records.c.name == name)
                    row = record_row(without) | {"name": name}
                    connection.execute(update(records).where(which).values(**row))
            self._database.erased("log", "records")
            self._database.known.pop(ENDED, None)
            return Erased(
                rows=_erase_rows(connection, before), others=others, still_open=still_open
            )

    @staticmethod
    def _old(
        connection: Connection, kind: type[Any], before: datetime | None
    ) -> list[tuple[str, Any]]:
        wanted = select(records.c.name, records.c.body).where(records.c.kind == TABLES[kind])
        if before is not None:
            wanted = wanted.where(records.c.at < before)
        found = connection.execute(wanted).all()
        return [(name, msgspec.json.decode(body, type=kind)) for name, body in found]


APPEND: Final = insert(log)

FRESH: Final = ("user", "at", "is_open", "body", "agent", "rounds")
"""What a record that is written again has anew."""


@functools.cache
def _kept(dialect: str) -> Any:
    """A record, new or instead of the one with its name, which keeps its place."""
    add = sqlite.insert if dialect == "sqlite" else postgresql.insert
    new = add(records).values(n=_NEXT)
    fresh = {name: new.excluded[name] for name in FRESH}
    return new.on_conflict_do_update(index_elements=["kind", "name"], set_=fresh)


@functools.cache
def _records(*, of: bool, since: bool, only_open: bool) -> Select[Any]:
    """The records of a kind: of a user, from a moment on, only the open ones."""
    wanted = select(records.c.body).where(records.c.kind == bindparam("kind"))
    if of:
        wanted = wanted.where(records.c.user == bindparam("user"))
    if since:
        wanted = wanted.where(records.c.at >= bindparam("since"))
    if only_open:
        wanted = wanted.where(records.c.is_open)
    return wanted.order_by(records.c.n)


@functools.cache
def _rows(*, of: bool, by: bool, acts: bool, looks: bool, since: bool, limit: bool) -> Select[Any]:
    """Rows of the log after a place: of a user, by an agent, of some acts, from a moment on."""
    wanted = select(log.c.body).where(log.c.seq > bindparam("after")).order_by(log.c.seq)
    if of:
        wanted = wanted.where(log.c.user == bindparam("user"))
    if by:
        wanted = wanted.where(log.c.agent == bindparam("agent"))
    if acts:
        wanted = wanted.where(log.c.act.in_(bindparam("acts", expanding=True)))
    if not looks:
        wanted = wanted.where(log.c.act != LOOK)
    if since:
        wanted = wanted.where(log.c.at >= bindparam("since"))
    return wanted.limit(bindparam("limit", type_=BigInteger)) if limit else wanted


def records_of(
    kind: type[Any], user: str = "", since: datetime | None = None, *, only_open: bool = False
) -> What:
    """Return what records of a kind are known by in a lull."""
    return "records", kind, user, since, only_open


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


def record_row(record: Record | LoopReport) -> dict[str, Any]:
    """Return a record as a row, but for its place among its kind."""
    name = record.id
    if isinstance(record, Operation):
        name = _operation_name(record.agent, record.id)
    return {
        "kind": TABLES[type(record)],
        "name": name,
        "user": getattr(record, "user", ""),
        "at": begun(record),
        "is_open": not has_ended(record),
        "body": msgspec.json.encode(record),
        "agent": record.agent if isinstance(record, Ticket) else None,
        "rounds": record.rounds if isinstance(record, LoopReport) else None,
    }


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


def _erase_rows(connection: Connection, before: datetime) -> int:
    count = 0
    old = select(log.c.seq, log.c.place, log.c.body).where(log.c.at < before)
    for seq, place, body in connection.execute(old).all():
        row, entry = kept_row(body)
        if not (row.user or row.says) or row.user == ERASED or row.act == ACCEPT:
            continue
        count += 1
        without = replace(row, user=ERASED, says="", reason="", factor="")
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


def _operation_name(agent: str, key: str) -> str:
    return hashlib.sha256(f"{agent}\0{key}".encode()).hexdigest()


def _count_ticket(connection: Connection, ticket: Ticket) -> None:
    if ticket.id.isascii() and ticket.id.isdigit():
        number = int(ticket.id)
        connection.execute(COUNT, {"ticket": number, "number": number})


def _fold(connection: Connection, user: str) -> None:
    body = connection.execute(PERSON, {"user": user}).scalar()
    if body is not None:
        fold(connection, msgspec.json.decode(body, type=User))
