"""Many people in a database: those of a fixture again and again, under other names each time."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import func, insert, select, text

from helpdesk.domain.agents import Agent, Role
from helpdesk.stores.sql.bulk import Bulk, bulk
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.documents import document_row
from helpdesk.stores.sql.schema import documents, records, users

PEOPLE: Final = [
    column.name
    for column in users.columns
    if column.name not in {"key", "id", "login", "body", "ticket"}
]
"""What a copy has of the first as it is."""

RENAMED: Final = """replace({text}, '"id":"' || id || '"', '"id":"' || id || :copy || '"')"""
"""The text of a copy: the first's, but for its id."""

BODY: Final = {
    "sqlite": f"CAST({RENAMED.format(text='CAST(body AS TEXT)')} AS BLOB)",
    "postgresql": "convert_to({}, 'UTF8')".format(
        RENAMED.format(text="convert_from(body, 'UTF8')")
    ),
}

_LITE: Final = "json_extract(CAST({body} AS TEXT), '$.{name}') || :copy"
_SERVED: Final = "(convert_from({body}, 'UTF8')::jsonb ->> '{name}') || :copy"
OF: Final = {
    "sqlite": "CAST(json_set(CAST({body} AS TEXT), "
    f"'$.id', {_LITE.replace('{name}', 'id')}, '$.user', {_LITE.replace('{name}', 'user')}) "
    "AS BLOB)",
    "postgresql": "convert_to((convert_from({body}, 'UTF8')::jsonb || jsonb_build_object("
    f"'id', {_SERVED.replace('{name}', 'id')}, 'user', {_SERVED.replace('{name}', 'user')}"
    "))::text, 'UTF8')",
}
"""A ticket or a loop of a copy: the first's, but for its own id and the user's."""


def recruit(database: Database, count: int) -> list[str]:
    """Add agents who answer calls until there are *count*; give the ids of all who do."""
    names = [f"agent-{number}" for number in range(count)]
    with database.connection() as connection:
        if database.is_sqlite:
            connection.execute(text("BEGIN IMMEDIATE"))
        for number, name in enumerate(names):
            agent = Agent(id=name, name=f"Agent {number}", role=Role.SUPPORT)
            row = document_row("agents", 1_000 + number, msgspec.to_builtins(agent))
            connection.execute(insert(documents).values(**row))
        connection.commit()
    return names


def multiply(database: Database, count: int) -> int:
    """Copy the people there are until there are *count* or more; give how many there are.

    With their timelines, and with their open tickets and loops: as many wait, of so many, as did.
    """
    with bulk(database) as filling:
        there, last = filling.connection.execute(
            select(func.count(), func.max(users.c.key)).select_from(users)
        ).one()
        copies = range(1, -(-count // there))
        later = filling.bare(users) if copies else []
        place = filling.connection.execute(select(func.max(records.c.n))).scalar_one() or 0
        for copy in copies:
            step = {"step": copy * last, "copy": f"-{copy}", "place": copy * place}
            for said in _copied(filling, database.engine.dialect.name, last, place):
                filling.connection.execute(text(said), step)
            filling.commit()
        for made in later:
            filling.connection.exec_driver_sql(made)
            filling.commit()
        filling.plan()
        return int(filling.connection.execute(select(func.count()).select_from(users)).scalar_one())


def _copied(filling: Bulk, dialect: str, last: int, place: int) -> list[str]:
    """Return the statements that copy the first people, up to the key *last*, once."""
    columns = ", ".join(f'"{name}"' for name in PEOPLE)
    of, body = OF[dialect], BODY[dialect]
    return [
        f"INSERT INTO users (key, id, login, body, ticket, {columns}) "
        f"SELECT key + :step, id || :copy, login || :copy, {body}, {of.format(body='ticket')}, "
        f"{columns} FROM users WHERE key <= {last}",
        f'INSERT INTO events ("user", n, body) SELECT "user" + :step, n, body '
        f'FROM events WHERE "user" <= {last}',
        'INSERT INTO records (kind, name, n, "user", at, is_open, body, agent, rounds) '
        'SELECT kind, name || :copy, n + :place, "user" || :copy, at, is_open, '
        f"{of.format(body='body')}, agent, rounds FROM records "
        f"WHERE kind IN ('tickets', 'loops') AND is_open AND n <= {place}",
    ]
