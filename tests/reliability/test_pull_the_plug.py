"""A gateway killed under writes: nothing that was acknowledged is lost, doubled or half done."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, func, select

from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.schema import events, log, records
from tests import postgres
from tests.reliability.checking import Found, check
from tests.reliability.pull_the_plug import pulled, store_in
from tests.reliability.writing import Ledger, Told


def test_what_was_acknowledged_outlives_a_killed_gateway_on_sqlite(tmp_path: Path) -> None:
    with store_in(tmp_path, is_postgresql=False) as store:
        found, _ = pulled(store, tmp_path, kills=2, seed=1)

    assert found.is_clean, found
    assert found.acknowledged > 2


@pytest.mark.skipif(
    postgres.programs() is None and postgres.GIVEN not in os.environ, reason=postgres.MISSING
)
def test_what_was_acknowledged_outlives_a_killed_gateway_on_postgresql(
    tmp_path: Path, postgres_server: Callable[[], str]
) -> None:
    with postgres.database(postgres_server()) as store:
        found, _ = pulled(store, tmp_path, kills=2, seed=2)

    assert found.is_clean, found
    assert found.acknowledged > 2


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ledger]:
    """A database that was written to in peace, and what the agents were told."""
    place = tmp_path_factory.mktemp("written")
    _, ledger = pulled(f"sqlite:///{place}/desk.db", place, kills=0, seed=3)
    return place, ledger


def _last(connection: Connection) -> int:
    last = select(func.max(log.c.seq)).where(log.c.act == "suspend-factor")
    return int(connection.execute(last).scalar_one())


def take_a_row(connection: Connection) -> None:
    connection.execute(delete(log).where(log.c.seq == _last(connection)))


def take_an_effect(connection: Connection) -> None:
    whose, n = connection.execute(
        select(events.c.user, func.max(events.c.n)).group_by(events.c.user)
    ).first() or (0, 0)
    connection.execute(delete(events).where(events.c.user == whose, events.c.n == n))


def take_the_notices(connection: Connection) -> None:
    connection.execute(delete(records).where(records.c.kind == "outbox"))


def take_the_answers(connection: Connection) -> None:
    connection.execute(delete(records).where(records.c.kind == "operations"))


@pytest.mark.parametrize(
    ("taken", "is_seen"),
    [
        (take_a_row, lambda found: found.lost),
        (take_an_effect, lambda found: found.half),
        (take_the_notices, lambda found: found.half),
        (take_the_answers, lambda found: found.half),
    ],
)
def test_the_checker_finds_what_was_taken_away(
    written: tuple[Path, Ledger],
    tmp_path: Path,
    taken: Callable[[Connection], None],
    is_seen: Callable[[Found], tuple[str, ...]],
) -> None:
    place, ledger = written
    shutil.copytree(place, tmp_path / "copy")
    store = f"sqlite:///{tmp_path}/copy/desk.db"

    with closing(Database(store)) as database, database.engine.begin() as connection:
        taken(connection)

    assert is_seen(check(store, ledger, tmp_path / "copy"))


def test_the_checker_finds_an_act_that_an_agent_was_told_was_not_done(
    written: tuple[Path, Ledger],
) -> None:
    place, ledger = written
    first = ledger.of(Told.ACKNOWLEDGED)[0]
    store = f"sqlite:///{place}/desk.db"
    assert check(store, ledger, place).is_clean

    first.told = Told.ABSENT

    assert check(store, ledger, place).contradicted
    first.told = Told.ACKNOWLEDGED
