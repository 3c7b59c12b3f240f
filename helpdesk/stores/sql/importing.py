"""A fixture file into an empty database, its times moved into the present."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, insert, select, update

from helpdesk.domain import entries
from helpdesk.domain.errors import BadInput
from helpdesk.domain.tickets import Ticket
from helpdesk.domain.users import Account, User
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.documents import SqlDocuments, document_row, user_row
from helpdesk.stores.sql.record import TABLES, log_row, record_row
from helpdesk.stores.sql.schema import checkpoints, documents, events, log, pen, records, users
from helpdesk.stores.tiny import TinyStore
from helpdesk.stores.tinyfile import TinyFile

AT_ONCE = 2_000
"""Rows of one statement."""


def is_empty(database: Database) -> bool:
    """Return whether nobody is in a database yet; blocking."""
    with database.connection() as connection:
        return connection.execute(select(users.c.key).limit(1)).first() is None


def is_invented(database: Database) -> bool:
    """Return whether its people are invented, as the file they came from said; blocking."""
    return "seed" in (SqlDocuments(database).row("meta", 1) or {})


async def import_fixture(database: Database, file: TinyFile, store: TinyStore) -> int:
    """Copy a fixture into a database that holds nobody yet; give how many users that are.

    Raises:
        BadInput: There is somebody in it already.
    """
    async with database.transaction():
        return await database.ask(_import, database, file, store, is_long=True)


def _import(database: Database, file: TinyFile, store: TinyStore) -> int:
    with database.connection() as connection:
        if not is_empty(database):
            raise BadInput(f"{database.name} holds people already: import into an empty one.")
        for table in ("meta", "agents", "accounts", "secrets"):
            _many(connection, documents, _documents(file, table))
        people = _people(file, store)
        _many(connection, users, ({"key": key, **user_row(one)} for key, one in people))
        _many(connection, events, _events(file))
        for kind, name in TABLES.items():
            found = getattr(store, name, ())
            rows = ({**record_row(one), "n": n} for n, one in enumerate(found, 1))
            _many(connection, records, rows)
            if kind is Ticket:
                numbers = [int(t.id) for t in found if t.id.isascii() and t.id.isdigit()]
                connection.execute(update(pen).values(ticket=max(numbers, default=1000)))
        _log(connection, store, {one.user.id: one.user.name for _, one in people})
        return len(people)


def _documents(file: TinyFile, table: str) -> Iterator[dict[str, Any]]:
    return (document_row(table, key, row) for key, row in file.rows(table))


def _people(file: TinyFile, store: TinyStore) -> list[tuple[int, entries.Entry]]:
    found = [(key, file.decoded("users", key, row, User)) for key, row in file.rows("users")]
    accounts = [file.decoded("accounts", key, row, Account) for key, row in file.rows("accounts")]
    everybody = entries.build(
        [user for _, user in found],
        {account.id: account for account in accounts},
        store.tickets,
        store.loops,
    )
    return [(key, everybody[user.id]) for key, user in found]


def _events(file: TinyFile) -> Iterator[dict[str, Any]]:
    for key, row in file.rows("timelines"):
        for n, event in enumerate(row.get("events", ())):
            yield {"user": key, "n": n, "body": msgspec.json.encode(event)}


def _log(connection: Connection, store: TinyStore, names: dict[str, str]) -> None:
    old = len(store.log) - len(store.entries)
    rows = (
        log_row(
            row,
            names.get(row.user, ""),
            msgspec.json.encode(row if number < old else store.entries[number - old]),
            None if number < old else number - old,
        )
        for number, row in enumerate(store.log)
    )
    _many(connection, log, rows)
    noted = ({"n": n, "note": one.note, "made": one.made} for n, one in enumerate(store.noted, 1))
    _many(connection, checkpoints, noted)


def _many(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    for some in _batches(rows):
        connection.execute(insert(table), some)


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    some: list[dict[str, Any]] = []
    for row in rows:
        some.append(row)
        if len(some) == AT_ONCE:
            yield some
            some = []
    if some:
        yield some
