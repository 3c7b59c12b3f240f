"""Many people in a database: those of a fixture again and again, under other names each time."""

from __future__ import annotations

from sqlalchemy import func, select, text

from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.schema import events, users

PEOPLE = [column.name for column in users.columns if column.name not in {"key", "id", "login"}]
"""What a copy has of the first; tickets and loops stay with the first."""


def multiply(database: Database, count: int) -> int:
    """Copy the people there are until there are *count* or more; give how many there are."""
    with database.connection() as connection:
        if database.is_sqlite:
            connection.execute(text("BEGIN IMMEDIATE"))
        there = connection.execute(select(func.count()).select_from(users)).scalar_one()
        last = connection.execute(select(func.max(users.c.key))).scalar_one()
        columns = ", ".join(f'"{name}"' for name in PEOPLE)
        bare = columns.replace('"rounds"', "0")
        for name in ("ticket", "ticket_agent", "ticket_at", "ticket_complaint"):
            bare = bare.replace(f'"{name}"', "NULL")
        for copy in range(1, -(-count // there)):
            step = {"step": copy * last, "copy": f"-{copy}"}
            connection.execute(
                text(
                    f"INSERT INTO users (key, id, login, {columns}) "
                    f"SELECT key + :step, id || :copy, login || :copy, {bare} "
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
        assert events.name == "events"
        return int(connection.execute(select(func.count()).select_from(users)).scalar_one())
