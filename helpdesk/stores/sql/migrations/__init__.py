"""How the tables came about, one step a file; `migrate` takes a database to the newest."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select

from helpdesk.domain.errors import BadInput
from helpdesk.domain.text import clean
from helpdesk.stores.sql.connections import first_row
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.schema import pen

LOCK = 7_201_418
"""Names, in PostgreSQL, the lock of whoever migrates."""


def migrate(database: Database, *, to: str = "head") -> None:
    """Make the tables of a database, or bring them up to date; blocking.

    Of two processes that begin at once, one migrates and the other waits.

    Args:
        database: It.
        to: The step to stop at; the newest, unless a test needs an older release's tables.

    Raises:
        BadInput: A newer release of this program made the tables.
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
        _check_known(config, connection, database.name)
        command.upgrade(config, to)
        if connection.execute(select(pen.c.id)).first() is None:
            first_row(connection)
        connection.commit()
        if not database.is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_unlock({LOCK})")
            connection.commit()


def _check_known(config: Config, connection: Connection, name: str) -> None:
    """Refuse a database whose tables are of a step that is not known here."""
    there = MigrationContext.configure(connection).get_current_revision()
    known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    if there is not None and there not in known:
        raise BadInput(
            f"{clean(name)} was made by a newer helpdesk (step {clean(there, limit=40)}): use that "
            "one, or put back the backup from before its upgrade. Nothing was changed."
        )
