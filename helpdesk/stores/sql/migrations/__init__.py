"""How the tables came about, one step a file; `migrate` takes a database to the newest."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import select

from helpdesk.stores.sql.database import Database, first_row
from helpdesk.stores.sql.schema import pen

LOCK = 7_201_418
"""Names, in PostgreSQL, the lock of whoever migrates."""


def migrate(database: Database) -> None:
    """Make the tables of a database, or bring them up to date; blocking.

    Of two processes that begin at once, one migrates and the other waits.
    """
    with database.connection() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")  # a migration takes its time
            connection.exec_driver_sql(f"SELECT pg_advisory_lock({LOCK})")
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if connection.execute(select(pen.c.id)).first() is None:
            first_row(connection)
        connection.commit()
        if not database.is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_unlock({LOCK})")
            connection.commit()
