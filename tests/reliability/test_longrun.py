"""The quick part of the long run: consoles over a restore and an upgrade; nothing grows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from helpdesk.domain.errors import BadInput
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.migrations import migrate
from tests import postgres
from tests.reliability.longrun import QUICK, Course, run
from tests.reliability.restoring import restored, upgraded
from tests.reliability.upgrading import upgraded_beneath
from tests.stores.test_sql_database import POSTGRES


def test_a_restored_log_is_refused_by_consoles_that_stayed_until_a_lead_accepts_it(
    tmp_path: Path,
) -> None:
    claims = restored(tmp_path / "desk")

    assert [claim for claim, holds in claims.items() if not holds] == []


def test_an_upgrade_loses_nothing_that_consoles_at_the_release_before_did(tmp_path: Path) -> None:
    claims = upgraded(tmp_path / "desk")

    assert [claim for claim, holds in claims.items() if not holds] == []


@pytest.mark.slow
@POSTGRES
def test_an_upgrade_loses_nothing_of_a_release_that_still_works_on_it(
    tmp_path: Path, postgres_server: Callable[[], str]
) -> None:
    with postgres.database(postgres_server()) as address:
        claims = upgraded_beneath(tmp_path / "desk", address)

    assert [claim for claim, holds in claims.items() if not holds] == []


def test_a_console_that_syncs_again_and_again_takes_no_more_memory() -> None:
    found = run(1, QUICK, is_alone=True)

    assert found.failures == ()
    assert found.tried == QUICK.syncs + QUICK.notices


@pytest.mark.parametrize(
    ("memory", "keys", "says"),
    [
        ([100.0 + 5 * n for n in range(10)], [], "30 MB more at the end"),
        ([100.0] * 10, [5.0] * 100 + [50.0] * 100, "a key takes 50 ms at the end, 5 ms at first"),
    ],
)
def test_what_grows_is_told(memory: list[float], keys: list[float], says: str) -> None:
    (told,) = Course(memory, keys).failures("it")

    assert says in told


def test_a_database_of_a_later_release_is_named_and_left_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'desk.db'}")
    migrate(database)
    with database.connection() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()

    with pytest.raises(BadInput, match=r"desk\.db was made by a newer helpdesk \(step 9999\)"):
        migrate(database)

    database.close()
