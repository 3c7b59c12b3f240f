"""A part of the desk's own record in a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select

from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.prepared import Prepared


class Part:
    """A part of the desk's own record in a `Database`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _column(self, wanted: Prepared, given: Mapping[str, Any]) -> Sequence[Any]:
        with self._database.connection() as connection:
            return wanted.column(connection, given)

    def _counted(self, wanted: Select[Any]) -> int:
        with self._database.connection() as connection:
            return int(connection.execute(wanted).scalar_one())
