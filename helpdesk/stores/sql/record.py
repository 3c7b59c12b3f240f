"""The desk's own record in a database."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import select

from helpdesk.domain.agents import Agent
from helpdesk.domain.erasing import Erased
from helpdesk.stores.base import Ends, Then
from helpdesk.stores.sql.checkpoints import SqlCheckpoints
from helpdesk.stores.sql.connections import COUNT
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.log import APPENDED, ENDED, SqlLog, erase_rows
from helpdesk.stores.sql.prepared import Prepared
from helpdesk.stores.sql.records import SqlRecords, erase_records
from helpdesk.stores.sql.schema import documents

AGENTS: Final = Prepared(
    select(documents.c.body).where(documents.c.kind == "agents").order_by(documents.c.key)
)


class SqlStore(SqlRecords, SqlLog, SqlCheckpoints):
    """The desk's own record in a `Database`, as `Store` asks for it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.agents: tuple[Agent, ...] = ()

    def transaction(
        self, *, joins: bool = False, then: Then | None = None
    ) -> AbstractAsyncContextManager[bool]:
        """Hold the only pen, as `Store.transaction`."""
        return self._database.transaction(joins=joins, then=then)

    def load(self) -> None:
        """Read the agents, who are not changed while a desk is open; blocking."""
        self.agents = self._agents()

    async def refresh(self) -> int:
        """Give how many changes there were."""
        return await self._database.changes()

    async def news(self, seconds: float, since: int) -> int:
        """Wait until somebody wrote, or so long where only this process tells."""
        return await self._database.news(seconds, since)

    async def erase(self, before: datetime, now: datetime) -> Erased:
        """Part rows, and all else that ended, from before a moment from their personal data."""
        return await self._database.ask(self._erase, before, now, is_long=True)

    def _ends(self) -> Ends:
        """Under the pen with the newest checkpoint: whoever appends asks for both."""
        if COUNT in self._database.known:
            self._newest()
        return super()._ends()

    def _agents(self) -> tuple[Agent, ...]:
        bodies = self._column(AGENTS, {})
        return tuple(msgspec.json.decode(body, type=Agent) for body in bodies)

    def _erase(self, before: datetime, now: datetime) -> Erased:
        with self._database.connection() as connection:
            others, still_open = erase_records(connection, before, now)
            self._database.erased("log", "records")
            for name in (ENDED, APPENDED):
                self._database.known.pop(name, None)
            return Erased(rows=erase_rows(connection, before), others=others, still_open=still_open)
