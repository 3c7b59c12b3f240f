"""Withdrawals in a database: all gateways on it see them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import delete, func, insert, select

from helpdesk.domain.withdrawals import Withdrawal
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.schema import documents

KIND: Final = "withdrawals"

ALL: Final = select(documents.c.body).where(documents.c.kind == KIND)


class SqlWithdrawals:
    """The withdrawals of a desk in a `Database`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Sequence[Withdrawal]:
        """Give all of them."""
        return await self._database.ask(self._all)

    async def keep(self, one: Withdrawal, now: datetime) -> None:
        """Keep one instead of the one about the same, and forget those of no use any more.

        Inside a transaction.
        """
        await self._database.ask(self._keep, one, now)

    def _all(self) -> Sequence[Withdrawal]:
        with self._database.connection() as connection:
            bodies = connection.execute(ALL).scalars().all()
        return [msgspec.json.decode(body, type=Withdrawal) for body in bodies]

    def _keep(self, one: Withdrawal, now: datetime) -> None:
        old = [each for each in self._all() if each.ends_at is not None and each.ends_at < now]
        names = [_name(each) for each in (one, *old)]
        ours = documents.c.kind == KIND
        with self._database.connection() as connection:
            connection.execute(delete(documents).where(ours & documents.c.name.in_(names)))
            newest = connection.execute(select(func.max(documents.c.key)).where(ours)).scalar()
            values = {"kind": KIND, "key": (newest or 0) + 1, "name": _name(one), "user": ""}
            connection.execute(insert(documents), values | {"body": msgspec.json.encode(one)})


def _name(one: Withdrawal) -> str:
    return hashlib.sha256(f"{one.agent}\0{one.sign_in}".encode()).hexdigest()
