"""SQLite's pen, which another process may hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from helpdesk.stores.sql.opening import BUSY_S, engine_at
from helpdesk.stores.sql.turns import Taken, take_pen


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Where a database is."""
    return str(tmp_path / "desk.db")


@pytest.fixture
def engine(file: str) -> Iterator[Engine]:
    """What opens it as the desk does."""
    made = engine_at(f"sqlite:///{file}", {})
    yield made
    made.dispose()


@pytest.fixture
def other(engine: Engine, file: str) -> Iterator[sqlite3.Connection]:
    """Another process, which holds the pen."""
    with engine.connect(), closing(sqlite3.connect(file, isolation_level=None)) as made:
        made.execute("BEGIN IMMEDIATE")
        yield made


def test_who_waits_for_the_pen_looks_for_it_all_the_time(
    engine: Engine, other: sqlite3.Connection
) -> None:
    looks: list[str] = []

    def told(statement: str) -> None:
        looks.extend([statement] if statement.startswith("BEGIN") else [])
        if len(looks) == 5 and other.in_transaction:
            other.execute("COMMIT")

    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(told)

        take_pen(connection, waits=True)

        assert len(looks) == 5
        assert driver.in_transaction
        assert driver.execute("PRAGMA busy_timeout").fetchone() == (BUSY_S * 1_000,)


def test_who_does_not_wait_for_the_pen_is_told_that_it_is_taken(
    engine: Engine, other: sqlite3.Connection
) -> None:
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection

        with pytest.raises(Taken):
            take_pen(connection, waits=False)

        assert other.in_transaction
        assert driver.execute("PRAGMA busy_timeout").fetchone() == (BUSY_S * 1_000,)
