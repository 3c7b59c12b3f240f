"""Being told that somebody wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from helpdesk.domain.tickets import Ticket
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.record import SqlStore
from tests import postgres
from tests.conftest import NOW, Clock
from tests.sql import imported
from tests.waiting import PATIENCE_S


async def test_whoever_waits_is_woken_by_a_write_and_not_by_time(
    sample_file: Path, tmp_path: Path, clock: Clock
) -> None:
    with closing(imported(f"sqlite:///{tmp_path}/desk.db", sample_file, clock)) as database:
        await told(SqlStore(database), SqlStore(database))


@pytest.mark.skipif(postgres.programs() is None, reason=postgres.MISSING)
async def test_a_write_of_another_process_wakes_too_on_postgresql(
    sample_file: Path, clock: Clock, postgres_server: Callable[[], str]
) -> None:
    with (
        postgres.database(postgres_server()) as address,
        closing(imported(address, sample_file, clock)) as ours,
        closing(Database(address)) as theirs,
    ):
        store = SqlStore(ours)
        rung = await store.news(0, -1)
        async with asyncio.timeout(PATIENCE_S):
            while not (ours._listener and ours._listener.is_listening):
                await asyncio.sleep(0.01)

        await told(store, SqlStore(theirs), rung)


async def told(waiting: SqlStore, writing: SqlStore, rung: int = -1) -> None:
    rung = await waiting.news(10 * PATIENCE_S, rung) if rung < 0 else rung
    asked = asyncio.create_task(waiting.news(10 * PATIENCE_S, rung))
    await asyncio.sleep(0.05)
    assert not asked.done()

    async with writing.transaction():
        await writing.keep(Ticket(id="9001", user="u1", subject="new", opened_at=NOW))

    async with asyncio.timeout(PATIENCE_S):
        assert await asked == rung + 1
