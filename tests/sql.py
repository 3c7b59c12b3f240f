"""Desks on a database, for tests: the sample imported once, opened by whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from helpdesk.connectors.demo import DemoConnector
from helpdesk.hosting import source_of
from helpdesk.products import load_cards
from helpdesk.service.local import LocalDesk
from helpdesk.stores.base import no_lull
from helpdesk.stores.keys import Keys
from helpdesk.stores.seen import Seen
from helpdesk.stores.sql.ahead import reading
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.directory import SqlDirectory
from helpdesk.stores.sql.documents import SqlDocuments
from helpdesk.stores.sql.importing import import_fixture
from helpdesk.stores.sql.migrations import migrate
from helpdesk.stores.sql.record import SqlStore
from helpdesk.wiring import agent_named


def imported(address: str, sample: Path, clock: Callable[[], datetime]) -> Database:
    """Make the tables of a database and import a fixture; give it."""
    database = Database(address)
    migrate(database)
    import_fixture(database, source_of(sample), clock)
    return database


def desks_on(
    database: Database,
    clock: Callable[[], datetime],
    places: Path,
    directory: SqlDirectory | None = None,
) -> Callable[..., LocalDesk]:
    """Return what opens desks on a database that was imported."""

    def open_as(who: str, *, is_gated: bool = True, hold_minutes: float = 0) -> LocalDesk:
        store = SqlStore(database)
        store.load()
        return LocalDesk(
            agent=agent_named(who, store.agents),
            cards=load_cards(),
            connector=DemoConnector(SqlDocuments(database)),
            store=store,
            directory=directory or SqlDirectory(database),
            clock=clock,
            label="SAMPLE",
            is_demo=True,
            is_gated=is_gated,
            hold=timedelta(minutes=hold_minutes),
            keys=Keys(places / "keys"),
            witness=Seen(places / "keys", places / "sql"),
            lulls=no_lull if directory else reading(database),
        )

    return open_as
