"""The checkpoints of the log in a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, insert, literal_column, select

from helpdesk.domain.chain import Noted
from helpdesk.stores.sql.part import Part
from helpdesk.stores.sql.prepared import Prepared
from helpdesk.stores.sql.schema import checkpoints

NOTES: Final = select(checkpoints.c.note, checkpoints.c.made)

NOTED: Final = select(func.count()).select_from(checkpoints)

LAST_NOTE: Final = Prepared(NOTES.order_by(checkpoints.c.n.desc()).limit(literal_column("1")))

COVERED: Final = "checkpoint"
"""What is known under the pen: the newest checkpoint."""


class SqlCheckpoints(Part):
    """The checkpoints of the log, as `Store` asks for them."""

    async def noted(self) -> int:
        """Give how many checkpoints of the log there are."""
        return await self._database.ask(self._counted, NOTED)

    async def checkpoints(self, start: int = 0, limit: int | None = None) -> Sequence[Noted]:
        """Give checkpoints of the log, from the place *start* on, oldest first."""
        return await self._database.ask(self._notes, start, limit, is_long=limit is None)

    async def checkpoint(self) -> Noted | None:
        """Give the newest checkpoint of the log; None where there is none."""
        known: Noted | None = self._database.told(COVERED)
        return known if known is not None else await self._database.ask(self._newest, writes=())

    async def note(self, checkpoint: Noted) -> None:
        """Keep a checkpoint of the log."""
        await self._database.ask(self._note, checkpoint, writes=())

    def _notes(self, start: int, limit: int | None) -> Sequence[Noted]:
        wanted = NOTES.order_by(checkpoints.c.n).offset(start).limit(limit)
        with self._database.connection() as connection:
            return [Noted(note=note, made=made) for note, made in connection.execute(wanted)]

    def _newest(self) -> Noted | None:
        known = self._database.known
        if COVERED not in known:
            with self._database.connection() as connection:
                found = LAST_NOTE.rows(connection)
            known[COVERED] = Noted(note=found[0][0], made=found[0][1]) if found else None
        newest: Noted | None = known[COVERED]
        return newest

    def _note(self, checkpoint: Noted) -> None:
        with self._database.connection() as connection:
            n = (connection.execute(select(func.max(checkpoints.c.n))).scalar() or 0) + 1
            connection.execute(
                insert(checkpoints).values(n=n, note=checkpoint.note, made=checkpoint.made)
            )
        self._database.known[COVERED] = checkpoint
