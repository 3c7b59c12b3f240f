"""Many people in a database: those of a fixture again and again, under other names each time."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, insert, select, text

from helpdesk.domain.agents import Agent, Role
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.documents import MOST_ROUNDS, document_row
from helpdesk.stores.sql.schema import LOCKED_HEAT, documents, users

PEOPLE = [
    column.name for column in users.columns if column.name not in {"key", "id", "login", "body"}
]
"""What a copy has of the first; tickets and loops stay with the first."""

RENAMED = """replace({text}, '"id":"' || id || '"', '"id":"' || id || :copy || '"')"""
"""The text of a copy: the first's, but for its id."""

BODY = {
    "sqlite": f"CAST({RENAMED.format(text='CAST(body AS TEXT)')} AS BLOB)",
    "postgresql": "convert_to({}, 'UTF8')".format(
        RENAMED.format(text="convert_from(body, 'UTF8')")
    ),
}


_RANK = """CASE WHEN is_locked THEN 0 WHEN is_flagged THEN 1 WHEN is_pending THEN 3
    WHEN is_suspended THEN 4 WHEN mfa = 'off' THEN 5 WHEN mfa = 'none' THEN 6 ELSE 7 END"""
_HEAT = (
    f"{(1 << 61) + (MOST_ROUNDS << 49) + LOCKED_HEAT - 1}"
    f" + (CASE WHEN is_locked THEN 0 ELSE 1 END) * {LOCKED_HEAT}"
)
"""What a user is, and how urgent, without ticket and loop."""


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
    """Copy the people there are until there are *count* or more; give how many there are."""
    with database.connection() as connection:
        if database.is_sqlite:
            connection.execute(text("BEGIN IMMEDIATE"))
        there = connection.execute(select(func.count()).select_from(users)).scalar_one()
        last = connection.execute(select(func.max(users.c.key))).scalar_one()
        columns = ", ".join(f'"{name}"' for name in PEOPLE)
        bare = columns.replace('"rounds"', "0")
        bare = bare.replace('"rank"', _RANK).replace('"heat"', _HEAT)
        bare = bare.replace('"is_on_phone"', "FALSE")
        body = BODY[database.engine.dialect.name]
        for name in ("ticket", "ticket_agent", "ticket_at", "ticket_complaint"):
            bare = bare.replace(f'"{name}"', "NULL")
        for copy in range(1, -(-count // there)):
            step = {"step": copy * last, "copy": f"-{copy}"}
            connection.execute(
                text(
                    f"INSERT INTO users (key, id, login, body, {columns}) "
                    f"SELECT key + :step, id || :copy, login || :copy, {body}, {bare} "
                    f"FROM users WHERE key <= {last}"
                ),
                step,
            )
            connection.execute(
                text(
                    f'INSERT INTO events ("user", n, body) SELECT "user" + :step, n, body '
                    f'FROM events WHERE "user" <= {last}'
                ),
                {"step": step["step"]},
            )
        connection.commit()
        return int(connection.execute(select(func.count()).select_from(users)).scalar_one())
