"""The desk's own record in a database."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, func, insert, select, update

from helpdesk.domain.agents import Agent
from helpdesk.domain.approvals import Approval
from helpdesk.domain.audit import ACCEPT, ERASED, LogRow
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
from helpdesk.stores.base import Ends, R
from helpdesk.stores.sql.database import Database, changes
from helpdesk.stores.sql.documents import fold
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


class SqlStore:
    """The desk's own record in a `Database`, as `Store` asks for it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.agents: tuple[Agent, ...] = ()

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """Hold the only pen, as `Store.transaction`."""
        return self._database.transaction()

    def load(self) -> None:
        """Read the agents, who are not changed while a desk is open; blocking."""
        self.agents = self._agents()

    async def refresh(self) -> int:
        """Give how many changes there were."""
        return await self._database.ask(self._changes)

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
        wanted = select(records.c.body).where(records.c.kind == TABLES[kind])
        if user:
            wanted = wanted.where(records.c.user == user)
        if since is not None:
            wanted = wanted.where(records.c.at >= since)
        if only_open:
            wanted = wanted.where(records.c.is_open)
        bodies = await self._database.ask(self._column, wanted.order_by(records.c.n))
        return [msgspec.json.decode(body, type=kind) for body in bodies]

    async def get(self, kind: type[R], name: str) -> R | None:
        """Give the record of this id, or None."""
        return await self._database.ask(self._get, kind, name)

    async def operation(self, agent: str, key: str) -> Operation | None:
        """Give what became of the write of an agent under a key; None where there was none."""
        return await self._database.ask(self._get, Operation, _operation_name(agent, key))

    async def keep(self, record: Record) -> None:
        """Write a record, new or instead of the one with its id."""
        await self._database.ask(self._keep, record)

    async def next_ticket(self) -> str:
        """Give the number that a new ticket gets: one more than the highest there was."""
        return await self._database.ask(self._next_ticket)

    async def rows(
        self,
        *,
        user: str = "",
        agent: str = "",
        since: datetime | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> Sequence[LogRow]:
        """Give rows of the log, oldest first, as `Store.rows`."""
        wanted = select(log.c.body).where(log.c.seq > after).order_by(log.c.seq).limit(limit)
        if user:
            wanted = wanted.where(log.c.user == user)
        if agent:
            wanted = wanted.where(log.c.agent == agent)
        if since is not None:
            wanted = wanted.where(log.c.at >= since)
        return [_row(body) for body in await self._database.ask(self._column, wanted)]

    async def ends(self) -> Ends:
        """Give where the log ends; rows are only ever appended, so its version stays."""
        return await self._database.ask(self._ends)

    async def bound(self, start: int = 0, limit: int | None = None) -> Sequence[Entry]:
        """Give the rows that are bound to one another, from the place *start* on."""
        wanted = select(log.c.body).where(log.c.place >= start).order_by(log.c.place)
        bodies = await self._database.ask(self._column, wanted.limit(limit))
        return [msgspec.json.decode(body, type=Entry) for body in bodies]

    async def checkpoints(self) -> Sequence[Noted]:
        """Give all checkpoints of the log, oldest first."""
        return (await self._database.ask(self._noted))[::-1]

    async def checkpoint(self) -> Noted | None:
        """Give the newest checkpoint of the log; None where there is none."""
        found = await self._database.ask(self._noted, 1)
        return found[0] if found else None

    async def append(self, entry: Entry) -> None:
        """Append a row to the log."""
        await self._database.ask(self._append, entry)

    async def note(self, checkpoint: Noted) -> None:
        """Keep a checkpoint of the log."""
        await self._database.ask(self._note, checkpoint)

    async def erase(self, before: datetime, now: datetime) -> Erased:
        """Part rows, and all else that ended, from before a moment from their personal data."""
        return await self._database.ask(self._erase, before, now, is_long=True)

    def _agents(self) -> tuple[Agent, ...]:
        wanted = select(documents.c.body).where(documents.c.kind == "agents")
        bodies = self._column(wanted.order_by(documents.c.key))
        return tuple(msgspec.json.decode(body, type=Agent) for body in bodies)

    def _changes(self) -> int:
        with self._database.connection() as connection:
            return changes(connection)

    def _column(self, wanted: Any) -> Sequence[bytes]:
        with self._database.connection() as connection:
            return connection.execute(wanted).scalars().all()

    def _get(self, kind: type[Any], name: str) -> Any:
        wanted = select(records.c.body).where(
            records.c.kind == TABLES[kind], records.c.name == name
        )
        found = self._column(wanted)
        return msgspec.json.decode(found[0], type=kind) if found else None

    def _keep(self, record: Record) -> None:
        row = record_row(record)
        which = (records.c.kind == row["kind"]) & (records.c.name == row["name"])
        with self._database.connection() as connection:
            changed = connection.execute(update(records).where(which).values(**row)).rowcount
            if not changed:
                last = select(func.max(records.c.n)).where(records.c.kind == row["kind"])
                n = (connection.execute(last).scalar() or 0) + 1
                connection.execute(insert(records).values(**row, n=n))
            if isinstance(record, Ticket):
                _count_ticket(connection, record)
                _fold(connection, record.user)

    def _next_ticket(self) -> str:
        with self._database.connection() as connection:
            return str(connection.execute(select(pen.c.ticket)).scalar_one() + 1)

    def _ends(self) -> Ends:
        numbers = select(func.max(log.c.seq), func.max(log.c.place), func.min(log.c.place))
        with self._database.connection() as connection:
            seq, last, first = connection.execute(numbers).one()
            found = {
                place: msgspec.json.decode(body, type=Entry)
                for place, body in connection.execute(
                    select(log.c.place, log.c.body).where(log.c.place.in_({first, last} - {None}))
                )
            }
        return Ends(
            seq=seq or 0,
            size=0 if last is None else last + 1,
            first=found.get(first),
            last=found.get(last),
            version=0,
        )

    def _noted(self, limit: int | None = None) -> Sequence[Noted]:
        """The newest first."""
        newest = checkpoints.c.n.desc()
        wanted = select(checkpoints.c.note, checkpoints.c.made).order_by(newest).limit(limit)
        with self._database.connection() as connection:
            return [Noted(note=note, made=made) for note, made in connection.execute(wanted)]

    def _append(self, entry: Entry) -> None:
        row = opened(entry)
        with self._database.connection() as connection:
            place = connection.execute(select(func.max(log.c.place))).scalar()
            name = connection.execute(select(users.c.name).where(users.c.id == row.user)).scalar()
            body = msgspec.json.encode(entry)
            values = log_row(row, name or "", body, 0 if place is None else place + 1)
            connection.execute(insert(log).values(**values))

    def _note(self, checkpoint: Noted) -> None:
        with self._database.connection() as connection:
            n = (connection.execute(select(func.max(checkpoints.c.n))).scalar() or 0) + 1
            connection.execute(
                insert(checkpoints).values(n=n, note=checkpoint.note, made=checkpoint.made)
            )

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
        row, entry = stored_row(msgspec.json.decode(body))
        if not (row.user or row.says) or row.user == ERASED or row.act == ACCEPT:
            continue
        count += 1
        without = replace(row, user=ERASED, says="", reason="", factor="")
        kept = msgspec.json.encode(replace(entry, clear=None) if entry else without)
        values = log_row(without, "", kept, place)
        connection.execute(update(log).where(log.c.seq == seq).values(**values))
    return count


def _row(body: bytes) -> LogRow:
    return stored_row(msgspec.json.decode(body))[0]


def _operation_name(agent: str, key: str) -> str:
    return hashlib.sha256(f"{agent}\0{key}".encode()).hexdigest()


def _count_ticket(connection: Connection, ticket: Ticket) -> None:
    if ticket.id.isascii() and ticket.id.isdigit():
        number = int(ticket.id)
        connection.execute(update(pen).where(pen.c.ticket < number).values(ticket=number))


def _fold(connection: Connection, user: str) -> None:
    body = connection.execute(select(users.c.body).where(users.c.id == user)).scalar()
    if body is not None:
        fold(connection, msgspec.json.decode(body, type=User))
