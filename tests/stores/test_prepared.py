"""What is given to the driver as it is finds what it finds by any other way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, bindparam, create_engine, insert, select
from sqlalchemy.exc import DBAPIError, NoResultFound

from helpdesk.stores.sql.prepared import SEVERAL, Prepared
from helpdesk.stores.sql.schema import checkpoints, records

AT = datetime(2026, 2, 3, 4, 5, 6, 7, tzinfo=UTC)
RECORD = {"kind": "tickets", "n": 1, "user": "u1", "at": AT, "is_open": True, "body": b"{}"}
ADD = Prepared(insert(records))
NAMED = select(records.c.name, records.c.at, records.c.is_open, records.c.body).where(
    records.c.name.in_(bindparam(SEVERAL, expanding=True)), records.c.at >= bindparam("since")
)


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A database with three records."""
    engine = create_engine("sqlite://")
    records.metadata.create_all(engine)
    with engine.connect() as found:
        for name in ("a", "b", "c"):
            ADD.run(found, RECORD | {"name": name})
        yield found
    engine.dispose()


@pytest.mark.parametrize("names", [["b"], ["c", "a"], []])
def test_it_finds_what_the_same_statement_finds(connection: Connection, names: list[str]) -> None:
    given = {SEVERAL: names, "since": AT}

    found = Prepared(NAMED).rows(connection, given)

    assert found == [tuple(row) for row in connection.execute(NAMED, given)]
    assert [row[0] for row in found] == sorted(names)
    assert {row[1:] for row in found} <= {(AT, True, b"{}")}


def test_one_that_must_be_there_and_is_not_is_said(connection: Connection) -> None:
    with pytest.raises(NoResultFound):
        Prepared(select(checkpoints.c.note)).one(connection)


def test_what_the_driver_says_is_said_as_by_any_other_way(connection: Connection) -> None:
    with pytest.raises(DBAPIError, match="UNIQUE"):
        ADD.run(connection, RECORD | {"name": "a"})
