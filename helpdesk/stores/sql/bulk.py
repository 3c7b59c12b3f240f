"""Many rows at once, the way each database takes them fastest, with indexes built at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Table, text
from sqlalchemy.exc import DataError, IntegrityError

from helpdesk.domain.errors import BadInput
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.schema import Moment

LOCK: Final = 7_201_419
"""Names, in PostgreSQL, the lock of whoever imports."""

PAGES: Final = 16_384
"""So many pages of SQLite's log go into its file at once: 64 MB."""

CACHE_KB: Final = 131_072

BINARY: Final = {"BIGINT": "int8", "INTEGER": "int4", "TEXT": "text", "BOOLEAN": "bool"}
"""The names of types that PostgreSQL's COPY goes by; all others are bytes."""


class Rejected(Exception):
    """The database does not take rows: something stands twice, or is no text of its own."""


class Bulk:
    """A database with nobody else in it, which takes rows by the thousand.

    Attributes:
        connection: For what is not asked for here; in a transaction from the first row on.
    """

    def __init__(self, connection: Connection, *, is_sqlite: bool) -> None:
        self.connection, self._is_sqlite = connection, is_sqlite
        self._adding: dict[str, tuple[str, list[str], list[int]]] = {}

    def begin(self) -> None:
        """Begin a transaction."""
        if self._is_sqlite:
            self.connection.exec_driver_sql("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Keep what was added, and begin the next transaction."""
        self.connection.commit()
        self.begin()

    def add(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """Add rows that each have every column.

        Raises:
            Rejected: The database does not take them; none of the transaction is kept.
        """
        if not rows:
            return
        values = [[row[column.name] for column in table.columns] for row in rows]
        for place, column in enumerate(table.columns):
            if isinstance(column.type, Moment):
                kept = column.type.process_bind_param
                for one in values:
                    one[place] = kept(one[place], self.connection.dialect)
        try:
            self._add(table, [tuple(one) for one in values])
        except (IntegrityError, DataError) as error:
            raise Rejected(str(error.orig)) from error

    def bare(self, table: Table) -> list[str]:
        """Take off all indexes of a table but its keys; give the statements that bring them back.

        In SQLite with the triggers and the two indexes of the search, which lie beside it.
        """
        asked = _ON_SQLITE if self._is_sqlite else _ON_POSTGRESQL
        found = self.connection.execute(text(asked), {"name": table.name}).all()
        for kind, name, _ in found:
            self.connection.exec_driver_sql(f'DROP {kind} "{name}"')
        later = [made for _, _, made in found]
        if self._is_sqlite:
            later[:0] = _SEARCH
        return later

    def plan(self) -> None:
        """Let the database look at what there is, so that it plans by it."""
        if self._is_sqlite:
            self.connection.exec_driver_sql("PRAGMA analysis_limit=1000")
        self.connection.exec_driver_sql("ANALYZE")

    def _add(self, table: Table, values: list[tuple[Any, ...]]) -> None:
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        if self._is_sqlite:
            marks = ", ".join("?" for _ in table.columns)
            said = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608  (our names)
            self.connection.exec_driver_sql(said, values)
            return
        self._copy(f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT BINARY)', table, values)

    def _copy(self, said: str, table: Table, values: list[tuple[Any, ...]]) -> None:
        import psycopg  # noqa: PLC0415  (only where there is a server)

        dialect = self.connection.dialect
        types = [BINARY.get(column.type.compile(dialect), "bytea") for column in table.columns]
        driver: Any = self.connection.connection.driver_connection
        try:
            with driver.cursor() as cursor, cursor.copy(said) as copy:
                copy.set_types(types)
                for one in values:
                    copy.write_row(one)
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            raise Rejected(str(error)) from error


_SEARCH: Final = (
    "INSERT INTO found(found) VALUES ('rebuild')",
    "INSERT INTO begun(begun) VALUES ('rebuild')",
    "INSERT INTO named(named) VALUES ('rebuild')",
)

_ON_SQLITE: Final = """
    SELECT type, name, sql FROM sqlite_master
    WHERE tbl_name = :name AND type IN ('index', 'trigger') AND sql IS NOT NULL
    ORDER BY type, name
"""

_ON_POSTGRESQL: Final = """
    SELECT 'index', indexname, indexdef FROM pg_indexes
    WHERE schemaname = current_schema() AND tablename = :name
    AND indexname NOT IN (SELECT conname FROM pg_constraint)
    ORDER BY indexname
"""


@contextmanager
def bulk(database: Database) -> Iterator[Bulk]:
    """Give a database to fill; blocking, and nobody else may be in it meanwhile.

    Raises:
        BadInput: Somebody fills it already.
    """
    with database.connection() as connection:
        if database.is_sqlite:
            connection.detach()  # its settings end with it
            for pragma in (
                "locking_mode=EXCLUSIVE",
                "synchronous=NORMAL",
                "secure_delete=OFF",
                f"wal_autocheckpoint={PAGES}",
                f"cache_size=-{CACHE_KB}",
            ):
                connection.exec_driver_sql(f"PRAGMA {pragma}")
        elif not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({LOCK})").scalar():
            raise BadInput(f"{database.name}: somebody imports into it already.")
        filling = Bulk(connection, is_sqlite=database.is_sqlite)
        try:
            filling.begin()
            if not database.is_sqlite:
                connection.exec_driver_sql("SET maintenance_work_mem = '256MB'")
            yield filling
            connection.commit()
            if database.is_sqlite:
                connection.exec_driver_sql("PRAGMA synchronous=FULL")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.rollback()
            if not database.is_sqlite:
                connection.detach()  # the lock goes with the line
