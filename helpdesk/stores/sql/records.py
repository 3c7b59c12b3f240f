"""The records of a desk in a database: tickets, proofs, approvals and what else it keeps."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, func, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite

from helpdesk.domain.approvals import Approval
from helpdesk.domain.entries import Entry
from helpdesk.domain.erasing import KEPT, bare, is_open, needed_proofs
from helpdesk.domain.operations import Operation
from helpdesk.domain.records import Record, begun, has_ended
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.domain.users import User
from helpdesk.stores.base import TABLES, R
from helpdesk.stores.sql.documents import fold
from helpdesk.stores.sql.lull import ALL as EACH
from helpdesk.stores.sql.lull import What, entries_of, shapes
from helpdesk.stores.sql.part import Part
from helpdesk.stores.sql.prepared import Prepared
from helpdesk.stores.sql.schema import pen, records, users

_before: Final = records.alias("before")


def _is_of(kind: str, table: Any = records) -> ColumnElement[bool]:
    """Whether a record is of a kind, which stands in the statement as it is.

    Some indexes are of one kind only, so SQLite puts a statement together anew each time that it is
    given the kind: it could be another one.
    """
    is_of: ColumnElement[bool] = table.c.kind == literal_column(f"'{kind}'")
    return is_of


# Statements that are asked all the time are put together once.
COUNTING: Final = Prepared(
    select(
        pen.c.changes,
        select(records.c.body)
        .where(_is_of(TABLES[Operation]), records.c.name == bindparam("name"))
        .scalar_subquery(),
    )
)
"""How many changes there were, and what became of a write until then."""

COUNT: Final = Prepared(update(pen).where(pen.c.ticket < bindparam("number")))

PERSON: Final = Prepared(select(users.c.body).where(users.c.id == bindparam("user")))

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
        wanted = _records(TABLES[kind], of=bool(user), since=since is not None, only_open=only_open)
        given = {"user": user, "since": since}
        is_long = not (user or only_open)
        what = records_of(kind, user, since, only_open=only_open)
        return await self._database.once(what, self._decoded, wanted, given, kind, is_long=is_long)

    async def get(self, kind: type[R], name: str) -> R | None:
        """Give the record of this id, or None."""
        return await self._database.ask(self._get, kind, name, writes=())

    async def operation(self, agent: str, key: str) -> Operation | None:
        """Give what became of the write of an agent under a key; None where there was none."""
        name = _operation_name(agent, key)
        if self._database.is_held:
            if self._database.is_absent(name):
                return None
            return await self._database.ask(self._get, Operation, name, writes=())
        found, count = await self._database.ask(self._counting, name)
        if found is None:
            self._database.absent.looked(name, count)
        return found

    async def keep(self, record: Record) -> None:
        """Write a record, new or instead of the one with its id."""
        row, dialect = record_row(record), self._database.engine.dialect.name
        about = [(row["kind"], of) for of in (row["user"], "")]
        writes: list[tuple[str, Hashable]] = [("records", one) for one in about]
        if isinstance(record, Ticket) and record.id not in self._theirs(record.user):
            writes = [("records", EACH)]  # it may have been another's
        if isinstance(record, Operation):
            self._database.absent.kept(row["name"], await self._database.changes())
        await self._database.write(_kept(row["kind"], dialect), row, writes=writes)
        if isinstance(record, Ticket):  # the entry of its user tells of it, wherever that is
            await self._database.ask(self._fold, record, writes=self._of_entry(record.user))

    async def next_ticket(self) -> str:
        """Give the number that a new ticket gets: one more than the highest there was."""
        return await self._database.ask(self._next_ticket, writes=())

    def _theirs(self, user: str) -> Collection[str]:
        """The tickets of a user, as far as they are known under the pen."""
        known: Sequence[Ticket] = self._database.known_of(records_of(Ticket, user)) or ()
        return {ticket.id for ticket in known}

    def _of_entry(self, user: str) -> list[tuple[str, Hashable]]:
        """The parts of what is kept in a lull that hold the entry of a user."""
        found: Sequence[Entry] = self._database.known_of(entries_of((user,))) or ()
        them = found[0].user if found else None
        if them is None:
            return [("entries", user), ("ahead", EACH), ("named", EACH), ("alike", EACH)]
        # Among those of another login, and of another shape, they are not.
        alikes = [("alike", shape) for shape in shapes(them)]
        return [("entries", user), ("ahead", user), ("named", them.login.casefold()), *alikes]

    def _decoded(self, wanted: Prepared, given: Mapping[str, Any], kind: type[R]) -> Sequence[R]:
        return tuple(msgspec.json.decode(one, type=kind) for one in self._column(wanted, given))

    def _get(self, kind: type[Any], name: str) -> Any:
        found = self._column(_named(TABLES[kind]), {"name": name})
        return msgspec.json.decode(found[0], type=kind) if found else None

    def _counting(self, name: str) -> tuple[Operation | None, int]:
        """Give an operation, and how many changes there were when it was looked for."""
        with self._database.connection() as connection:
            count, body = COUNTING.one(connection, {"name": name})
        return (msgspec.json.decode(body, type=Operation) if body else None), count

    def _fold(self, ticket: Ticket) -> None:
        with self._database.connection() as connection:
            _count_ticket(connection, ticket)
            _fold(connection, ticket.user)

    def _next_ticket(self) -> str:
        with self._database.connection() as connection:
            return str(connection.execute(select(pen.c.ticket)).scalar_one() + 1)


@functools.cache
def _named(kind: str) -> Prepared:
    """The record of a kind with a name."""
    return Prepared(select(records.c.body).where(_is_of(kind), records.c.name == bindparam("name")))


@functools.cache
def _kept(kind: str, dialect: str) -> Prepared:
    """A record, new behind those of its kind, or instead of the one with its name, in its place."""
    add = sqlite.insert if dialect == "sqlite" else postgresql.insert
    last = select(func.coalesce(func.max(_before.c.n), 0)).where(_is_of(kind, _before))
    new = add(records).values(n=last.scalar_subquery() + 1)
    fresh = {name: new.excluded[name] for name in FRESH}
    return Prepared(new.on_conflict_do_update(index_elements=["kind", "name"], set_=fresh))


@functools.cache
def _records(kind: str, *, of: bool, since: bool, only_open: bool) -> Prepared:
    """The records of a kind: of a user, from a moment on, only the open ones."""
    wanted = select(records.c.body).where(_is_of(kind))
    if of:
        wanted = wanted.where(records.c.user == bindparam("user"))
    if since:
        wanted = wanted.where(records.c.at >= bindparam("since"))
    if only_open:
        wanted = wanted.where(records.c.is_open)
    return Prepared(wanted.order_by(records.c.n))


def records_of(
    kind: type[Any], user: str = "", since: datetime | None = None, *, only_open: bool = False
) -> What:
    """Return what records of a kind are known by in a lull."""
    return "records", (TABLES[kind], user), since, only_open


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
        COUNT.run(connection, {"ticket": number, "number": number})


def _fold(connection: Connection, user: str) -> None:
    body = PERSON.first(connection, {"user": user})
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
