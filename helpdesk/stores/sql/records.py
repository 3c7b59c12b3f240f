"""The records of a desk in a database: tickets, proofs, approvals and what else it keeps."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Select, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from helpdesk.domain.approvals import Approval
from helpdesk.domain.erasing import KEPT, bare, is_open, needed_proofs
from helpdesk.domain.operations import Operation
from helpdesk.domain.records import Record, begun, has_ended
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.domain.users import User
from helpdesk.stores.base import TABLES, R
from helpdesk.stores.sql.documents import fold
from helpdesk.stores.sql.lull import ALL as EACH
from helpdesk.stores.sql.lull import What
from helpdesk.stores.sql.part import Part
from helpdesk.stores.sql.schema import pen, records, users

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

COUNT: Final = update(pen).where(pen.c.ticket < bindparam("number"))

PERSON: Final = select(users.c.body).where(users.c.id == bindparam("user"))

FRESH: Final = ("user", "at", "is_open", "body", "agent", "rounds")
"""What a record that is written again has anew."""


class SqlRecords(Part):
    """The records of a desk, as `Store` asks for them."""

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

    def _decoded(self, wanted: Any, given: Mapping[str, Any], kind: type[R]) -> Sequence[R]:
        return tuple(msgspec.json.decode(one, type=kind) for one in self._column(wanted, given))

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


def records_of(
    kind: type[Any], user: str = "", since: datetime | None = None, *, only_open: bool = False
) -> What:
    """Return what records of a kind are known by in a lull."""
    return "records", kind, user, since, only_open


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


def erase_records(connection: Connection, before: datetime, now: datetime) -> tuple[int, int]:
    """Part ended records from before a moment from their personal data.

    Returns:
        How many there were, and how many are left as they are because they are open.
    """
    others = still_open = 0
    approvals = _old(connection, Approval, None)
    needed = needed_proofs([one for _, one in approvals], now)
    for kind in KEPT:
        for name, record in _old(connection, kind, before):
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
    return others, still_open


def _old(connection: Connection, kind: type[Any], before: datetime | None) -> list[tuple[str, Any]]:
    wanted = select(records.c.name, records.c.body).where(records.c.kind == TABLES[kind])
    if before is not None:
        wanted = wanted.where(records.c.at < before)
    found = connection.execute(wanted).all()
    return [(name, msgspec.json.decode(body, type=kind)) for name, body in found]
