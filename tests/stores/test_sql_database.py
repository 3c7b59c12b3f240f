"""A database: how it is addressed, and that nothing of what was erased is left in its files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sqlite3
import stat
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, QueuePool, event

from helpdesk.domain.actions import ChangeAddress, Note, Reveal
from helpdesk.domain.audit import Result
from helpdesk.domain.errors import BadInput, NoRecord, Unknown, Unreachable
from helpdesk.domain.operations import Operation
from helpdesk.domain.search import Query
from helpdesk.domain.tickets import Ticket
from helpdesk.service.inspecting import inspected
from helpdesk.service.local import LocalDesk
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.directory import SqlDirectory
from helpdesk.stores.sql.importing import is_empty
from helpdesk.stores.sql.migrations import migrate
from helpdesk.stores.sql.opening import PATIENCE
from helpdesk.stores.sql.reads import FromReplica
from helpdesk.stores.sql.record import SqlStore
from helpdesk.stores.sql.schema import users
from tests import postgres
from tests.conftest import NOW, Clock
from tests.ports import free_port
from tests.sql import desks_on, imported
from tests.waiting import PATIENCE_S, until

ROW, NOTICE = b"canary-reveal", b"canary@agency.example"
ENOUGH = 12
"""Transactions of which each line of the pool gets one."""

POSTGRES = pytest.mark.skipif(
    postgres.programs() is None and postgres.GIVEN not in os.environ, reason=postgres.MISSING
)


async def plant(desk: LocalDesk, clock: Clock) -> None:
    """Keep something of a customer in a row and in a notice, and let two days pass."""
    await desk.perform(Reveal(user="u4", reason=ROW.decode()))
    for address in (NOTICE.decode(), "mfa@agency.example"):
        act = ChangeAddress(user="u6", address=address, reason="canary-reveal", ticket="4824")
        await desk.perform(act)
    clock.go_on(days=2)


def everywhere(places: Path) -> bytes:
    """Return all bytes of the database's files."""
    return b"".join(path.read_bytes() for path in places.glob("desk.db*"))


def line_of(database: Database) -> Any:
    """Return the driver's own line of whoever asks."""
    with database.connection() as connection:
        return connection.connection.driver_connection


@pytest.fixture
def on_sqlite(places: Path, sample_file: Path, clock: Clock) -> Iterator[Database]:
    """The sample in SQLite."""
    with closing(imported(f"sqlite:///{places}/desk.db", sample_file, clock)) as database:
        yield database


@pytest.fixture
async def lead(on_sqlite: Database, places: Path, clock: Clock) -> AsyncIterator[LocalDesk]:
    """The desk of a lead on it."""
    desk = desks_on(on_sqlite, clock, places)("lee", is_gated=False)
    yield desk
    await desk.aclose()


async def test_no_byte_of_an_sqlite_file_or_of_what_lies_beside_it_holds_what_was_erased(
    lead: LocalDesk, places: Path, clock: Clock
) -> None:
    await plant(lead, clock)
    before = everywhere(places)

    await lead.erase_log(clock.now - timedelta(days=1))

    after = everywhere(places)
    assert ROW in before
    assert NOTICE in before
    assert ROW not in after
    assert NOTICE not in after
    assert (await inspected(lead)).is_sound


@pytest.mark.parametrize(
    "record",
    [
        Ticket(id="4824", user="u6", subject="A code", opened_at=NOW),
        Operation(id="k" * 24, agent="sam", fingerprint="f", at=NOW, result=Result.DONE),
    ],
    ids=["ticket", "operation"],
)
async def test_what_is_kept_and_read_all_the_time_is_put_together_once(
    on_sqlite: Database, record: Any
) -> None:
    store, made, lines = SqlStore(on_sqlite), list[object](), list[Any]()

    def note(action: int, table: str | None, *_: object) -> int:
        made.extend([action] if table == "records" else [])
        return sqlite3.SQLITE_OK

    async def kept_and_read() -> None:
        async with on_sqlite.transaction():
            lines.append(await on_sqlite.ask(line_of, on_sqlite))
            await store.keep(record)
            await store.get(type(record), record.id)

    for _ in range(ENOUGH):
        await kept_and_read()
    for line in {*lines}:
        line.set_authorizer(note)  # asked whenever a statement is put together, as all are then
    for _ in range(ENOUGH):
        await kept_and_read()
    is_heard = bool(made)
    made.clear()
    await kept_and_read()
    for line in {*lines}:
        line.set_authorizer(None)

    assert is_heard
    assert not made


async def test_of_a_user_only_what_changed_is_written(on_sqlite: Database) -> None:
    store, directory, said = SqlStore(on_sqlite), SqlDirectory(on_sqlite), list[str]()
    (ticket, *_) = await store.select(Ticket, user="u6", only_open=True)

    async def kept(notes: tuple[str, ...]) -> list[set[str]]:
        async with on_sqlite.transaction():
            line = await on_sqlite.ask(line_of, on_sqlite)
            line.set_trace_callback(said.append)
            await store.keep(replace(ticket, notes=notes))
            line.set_trace_callback(None)
        told = [one for one in said if one.startswith("UPDATE users")]
        said.clear()
        return [{*re.findall(r"(\w+)=", one.partition(" WHERE ")[0])} for one in told]

    changed, same = await kept(("Called back.",)), await kept(("Called back.",))
    entry = (await directory.entries(["u6"]))["u6"]

    assert [{*names} & {*users.c.keys()} for names in changed] == [{"ticket"}]
    assert not same
    assert entry.ticket is not None
    assert entry.ticket.notes == ("Called back.",)


async def test_who_is_cancelled_while_they_wait_for_the_pen_does_not_keep_it(
    on_sqlite: Database, places: Path
) -> None:
    async def write() -> None:
        async with on_sqlite.transaction():
            pass

    with closing(Database(f"sqlite:///{places}/desk.db")) as other:
        async with other.transaction():
            waiting = asyncio.create_task(write())
            await until(lambda: cast(QueuePool, on_sqlite.engine.pool).checkedout(), "the wait")
            waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        async with other.transaction():
            pass


async def test_what_a_reader_kept_beside_the_file_goes_with_the_next_change(
    lead: LocalDesk, on_sqlite: Database, places: Path, clock: Clock
) -> None:
    await plant(lead, clock)
    with on_sqlite.engine.connect() as reader:
        reader.exec_driver_sql("PRAGMA busy_timeout=0")
        reader.exec_driver_sql("BEGIN")
        reader.exec_driver_sql("SELECT count(*) FROM log").scalar()
        await lead.erase_log(clock.now - timedelta(days=1))
        reader.rollback()

    await lead.perform(Note(user="u1", text="The next change."))

    assert ROW not in everywhere(places)


@pytest.mark.parametrize(
    ("address", "hosts", "more"),
    [
        ("postgresql://desk:p%40s@one:5001,two:5002/calls?target_session_attrs=read-write",
         ("one:5001", "two:5002"), {"target_session_attrs": "read-write"}),
        ("postgresql://desk@one,two/calls", ("one:5432", "two:5432"), {}),
        ("postgresql://desk@[::1]:5001,two:5002/calls", ("[::1]:5001", "two:5002"), {}),
        ("postgresql://desk@one:5001/calls?connect_timeout=2", None, {"connect_timeout": "2"}),
    ],
)  # fmt: skip
def test_an_address_may_name_several_servers(
    address: str, hosts: tuple[str, ...] | None, more: dict[str, str]
) -> None:
    with closing(Database(address)) as database:
        url = database.engine.url

    assert url.query.get("host") == hosts
    assert {name: value for name, value in url.query.items() if name != "host"} == more
    assert (url.username, url.database) == ("desk", "calls")


def test_an_address_that_cannot_be_read_is_named() -> None:
    with pytest.raises(BadInput, match="postgresql://one:x"):
        Database("postgresql://one:x/desk")


@pytest.mark.parametrize(
    "address",
    [
        "postgres://desk:canary@one/desk",
        "postgresql://desk:canary@one:x/desk",
        "postgresql://desk:can@ary@one:x/desk",
        "postgresql://one:x/desk?password=canary",
    ],
)
def test_a_password_in_an_address_that_cannot_be_read_is_not_shown(address: str) -> None:
    with pytest.raises(BadInput, match="one") as told:
        Database(address)

    assert "ary" not in str(told.value)


def test_what_a_driver_says_in_several_lines_is_one() -> None:
    """libpq breaks its sentence, and indents what it asks then."""
    gone = f"postgresql://desk@127.0.0.1:{free_port()}/calls"
    with (
        closing(Database(gone)) as database,
        pytest.raises(NoRecord, match="Connection refused Is the server") as told,
        database.connection(),
    ):
        pass

    assert not {"\n", "⏎", "␉"} & set(str(told.value))


def test_nobody_else_may_read_an_sqlite_file_wherever_it_lies(tmp_path: Path) -> None:
    shared, before = tmp_path / "shared", os.umask(0o022)
    shared.mkdir(mode=0o755)

    try:
        with closing(Database(f"sqlite:///{shared}/desk.db")) as database:
            migrate(database)
            with database.connection():
                modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in shared.iterdir()}
    finally:
        os.umask(before)

    assert set(modes) >= {"desk.db", "desk.db-wal"}
    assert set(modes.values()) == {0o600}


async def test_log_and_provider_are_held_against_each_other_beyond_what_is_counted(
    on_sqlite: Database, places: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desks_on(on_sqlite, clock, places)("lee", is_gated=False)
    await desk.perform(ChangeAddress(user="u6", address="a@b.example", reason="x", ticket="4824"))
    monkeypatch.setattr("helpdesk.stores.sql.directory.COUNTED", 3)
    monkeypatch.setattr("helpdesk.service.reconciling.WINDOW", 2)

    found = await desk.reconcile_log()
    await desk.aclose()

    assert (found.rows, found.effects, found.does_match) == (1, 1, True)


async def test_a_list_that_is_not_counted_to_its_end_says_that_there_may_be_more(
    on_sqlite: Database, places: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desks_on(on_sqlite, clock, places)("lee", is_gated=False)
    monkeypatch.setattr(SqlDirectory, "counts_to", 1)

    loops, nobody = await desk.loops(Query()), await desk.find(Query(words=("nobody",)))
    await desk.aclose()

    assert (loops.is_capped, nobody.is_capped) == (True, False)


async def test_a_replica_that_is_behind_keeps_the_line_it_is_asked_on(
    on_sqlite: Database,
) -> None:
    reads, opened = FromReplica(on_sqlite, on_sqlite), list[object]()
    event.listen(on_sqlite.engine, "engine_connect", opened.append)
    async with reads.observing() as observed:
        observed(1_000_000)

    for _ in range(3):
        await reads.ask(is_empty, on_sqlite)

    assert (reads.from_replica, reads.from_primary) == (0, 3)
    assert len(opened) == 1


@pytest.mark.parametrize("acts", [(), ("note",)])
async def test_rows_of_the_log_are_asked_of_the_driver_itself(
    on_sqlite: Database, acts: tuple[str, ...]
) -> None:
    told = list[object]()
    event.listen(on_sqlite.engine, "before_cursor_execute", lambda *said: told.append(said[2]))

    await SqlStore(on_sqlite).rows(user="u2", acts=acts)

    assert not told


async def test_a_server_that_is_away_is_told_of_in_a_sentence_whatever_is_asked() -> None:
    with closing(Database(f"postgresql://desk@127.0.0.1:{free_port()}/desk")) as database:
        for asked in (database.changes, lambda: database.ask(is_empty, database)):
            with pytest.raises(Unreachable, match=r"^The database .* refused.*nothing was changed"):
                await asked()


@POSTGRES
async def test_a_commit_that_broke_off_is_unknown_and_not_denied(server: str) -> None:
    with postgres.database(server) as address, closing(Database(address)) as database:
        migrate(database)

        event.listen(database.engine, "commit", hang_up, once=True)
        with pytest.raises(Unknown, match="unknown whether"):
            async with database.transaction():
                pass

        async with database.transaction():
            assert await SqlStore(database).next_ticket() == "1001"


@POSTGRES
async def test_a_pen_that_another_gateway_never_gives_back_is_not_waited_for(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "lock_timeout=10000" in str(PATIENCE["options"])
    monkeypatch.setitem(PATIENCE, "options", "-c lock_timeout=200")
    with postgres.database(server) as address, contextlib.ExitStack() as open_now:
        stuck, other = (open_now.enter_context(closing(Database(address))) for _ in range(2))
        migrate(stuck)

        async with asyncio.timeout(PATIENCE_S), stuck.transaction():
            with pytest.raises(Unreachable, match=r"lock timeout.*nothing was changed"):
                async with other.transaction():
                    pass


def hang_up(connection: Connection) -> None:
    """End a line from the server's side."""
    mine = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    outside = connection.engine.execution_options(isolation_level="AUTOCOMMIT")
    with outside.connect() as other:
        other.exec_driver_sql(f"SELECT pg_terminate_backend({mine})")
        while other.exec_driver_sql(
            f"SELECT count(*) FROM pg_stat_activity WHERE pid = {mine}"
        ).scalar_one():
            pass


@POSTGRES
async def test_whoever_listens_listens_again_after_the_line_broke(server: str) -> None:
    with postgres.database(server) as address, closing(Database(address)) as database:
        migrate(database)
        await database.news(0.01, 0)  # from now on it listens
        ends = time.monotonic() + PATIENCE_S
        for state in (True, False, True):
            while (listener := database._listener) is None or listener.is_listening is not state:
                assert time.monotonic() < ends
                await asyncio.sleep(0.01)
            if state:
                await asyncio.to_thread(cut_listeners, address)


def cut_listeners(address: str) -> None:
    """End the lines of all who listen, from the server's side."""
    with psycopg.connect(address) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        )


@POSTGRES
async def test_a_server_clears_up_where_something_was_erased(
    server: str, places: Path, sample_file: Path, clock: Clock
) -> None:
    with (
        postgres.database(server) as address,
        closing(imported(address, sample_file, clock)) as database,
    ):
        desk = desks_on(database, clock, places)("lee", is_gated=False)
        await plant(desk, clock)

        await desk.erase_log(clock.now - timedelta(days=1))

        with psycopg.connect(address) as other:
            cleared = other.execute(
                "SELECT relname FROM pg_stat_user_tables WHERE vacuum_count > 0"
            )
            assert {name for (name,) in cleared} >= {"log", "records"}
        await desk.aclose()
