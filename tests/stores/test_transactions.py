"""A transaction is whole or nothing, whoever cancels it and whoever reads beside it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpdesk.connectors.demo import DemoConnector
from helpdesk.domain.chain import Noted
from helpdesk.domain.errors import Unreachable
from helpdesk.domain.tickets import Ticket
from helpdesk.domain.users import User
from helpdesk.stores.atomic import AtomicStorage
from helpdesk.stores.installing import install
from helpdesk.stores.tiny import TinyStore
from helpdesk.stores.tinyfile import TinyFile
from tests.conftest import NOW, Clock
from tests.slow import SlowFile


@pytest.fixture
def slow(sample_file: Path, clock: Clock) -> Iterator[SlowFile]:
    """The sample in a file that can be made to wait."""
    file = SlowFile(sample_file, clock)
    yield file
    file.go_on.set()


def ticket(name: str) -> Ticket:
    return Ticket(id=name, user="u1", subject="s", opened_at=NOW)


def kept(file: Path) -> set[str]:
    return {row["id"] for row in json.loads(file.read_text("utf-8"))["tickets"].values()}


async def cancelled(task: asyncio.Task[Any], file: SlowFile) -> None:
    """Cancel a task that waits for a slow step, and let the step end a moment later."""
    task.cancel()
    asyncio.get_running_loop().call_later(0.05, file.go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancelled_transaction_leaves_nothing_to_the_next(
    slow: SlowFile, sample_file: Path
) -> None:
    store, connector = TinyStore(slow), DemoConnector(slow)

    async def change() -> None:
        async with store.transaction():
            await store.keep(ticket("half"))
            await connector.flag(await user_of(connector), "half", NOW)

    slow.writes = "users"
    task = asyncio.create_task(change())
    await slow.has_begun()
    await cancelled(task, slow)
    async with store.transaction():
        await asyncio.sleep(0.1)
        await store.keep(ticket("next"))

    assert {"half", "next"} & kept(sample_file) == {"next"}


async def user_of(connector: DemoConnector) -> User:
    return (await connector.people(["u1"]))["u1"]


async def test_a_cancelled_act_of_the_provider_leaves_nothing(
    slow: SlowFile, sample_file: Path
) -> None:
    store, connector = TinyStore(slow), DemoConnector(slow)
    await connector.refresh()
    before = json.loads(sample_file.read_text("utf-8"))["users"]

    async def change() -> None:
        async with store.transaction():
            await connector.flag(await user_of(connector), "half", NOW)

    slow.writes = "users"
    task = asyncio.create_task(change())
    await slow.has_begun()
    await cancelled(task, slow)
    await asyncio.sleep(0.1)

    assert json.loads(sample_file.read_text("utf-8"))["users"] == before


def test_the_end_of_a_loop_drops_a_transaction_whole(slow: SlowFile, sample_file: Path) -> None:
    store, connector = TinyStore(slow), DemoConnector(slow)

    async def change() -> None:
        async with store.transaction():
            await store.keep(ticket("half"))
            await connector.flag(await user_of(connector), "half", NOW)

    async def quit_in_the_middle(tasks: list[asyncio.Task[None]]) -> None:
        tasks.append(asyncio.create_task(change()))
        await slow.has_begun()
        threading.Timer(0.1, slow.go_on.set).start()

    slow.writes = "users"
    asyncio.run(quit_in_the_middle([]))

    assert "half" not in kept(sample_file)
    with slow.transaction():  # and the lock is free
        pass


def test_nothing_is_written_outside_of_a_transaction(sample_file: Path, clock: Clock) -> None:
    before = sample_file.read_bytes()
    file = TinyFile(sample_file, clock)

    with pytest.raises(RuntimeError, match="only written inside a transaction"):
        file.put("log", 1, {})
    with pytest.raises(RuntimeError, match="only written inside a transaction"):
        AtomicStorage(str(sample_file)).write({})

    assert sample_file.read_bytes() == before


async def test_a_late_write_of_another_thread_is_refused(sample_file: Path, clock: Clock) -> None:
    file = TinyFile(sample_file, clock)

    with file.transaction(), contextlib.ExitStack() as stack:
        stack.enter_context(pytest.raises(RuntimeError, match="only written inside"))
        await asyncio.get_running_loop().run_in_executor(None, file.put, "log", 1, {})

    assert dict(file.rows("log")) == {}


async def test_who_reads_beside_a_transaction_sees_what_is_durable(
    slow: SlowFile, sample_file: Path, clock: Clock
) -> None:
    store, connector = TinyStore(slow), DemoConnector(slow)
    await connector.refresh()
    held_user = await user_of(connector)
    held = held_user.flagged
    stranger = TinyFile(sample_file, clock)
    with stranger.transaction():
        stranger.put("accounts", *next(stranger.rows("accounts")))
    slow.reads = "users"
    reading = asyncio.create_task(connector.people(["u1"]))
    await slow.has_begun()
    slow.reads = ""

    with pytest.raises(ValueError, match="dropped"):
        async with store.transaction():
            writing = DemoConnector(slow)
            await writing.refresh()
            await writing.flag(held_user, "never durable", NOW)
            slow.go_on.set()
            await reading
            raise ValueError("dropped")
    await connector.refresh()

    assert (await user_of(connector)).flagged == held


def test_what_was_read_does_not_change_under_the_reader(sample_file: Path, clock: Clock) -> None:
    file = TinyFile(sample_file, clock)
    with file.transaction():
        file.put("log", 1, {"by": "one"})
    tables = AtomicStorage.read(file._storage)
    before = json.dumps(tables)

    with file.transaction():
        file.put("log", 1, {"by": "other"})
        file.put("log", 2, {})

    assert json.dumps(tables) == before


async def test_a_timeline_read_before_an_act_does_not_come_back_after_it(slow: SlowFile) -> None:
    store, connector = TinyStore(slow), DemoConnector(slow)
    await connector.refresh()
    slow.reads = "timelines"
    reading = asyncio.create_task(connector.timelines(["u1", "u2"]))
    await slow.has_begun()
    slow.reads = ""

    async with store.transaction():
        await connector.end_sessions(await user_of(connector), NOW)
    await connector.refresh()
    after = await connector.timeline("u1")
    slow.go_on.set()
    await reading

    assert await connector.timeline("u1") == after
    assert after[-1].at == NOW


async def test_a_change_that_cannot_be_committed_leaves_no_row_in_memory(
    sample_file: Path, clock: Clock
) -> None:
    file = TinyFile(sample_file, clock)
    store = TinyStore(file)
    sample_file.with_name("sample.json.bak.new").mkdir()

    with pytest.raises(Unreachable, match="nothing was changed"):
        async with store.transaction():
            await store.note(Noted(note="lost", made=NOW))
    sample_file.with_name("sample.json.bak.new").rmdir()
    await store.refresh()

    assert await store.checkpoints() == ()


async def test_all_of_the_log_is_looked_at_again_only_where_others_wrote(
    sample_file: Path, clock: Clock
) -> None:
    mine, theirs = (TinyStore(TinyFile(sample_file, clock)) for _ in range(2))
    versions = []

    for store in (mine, mine, mine, theirs, mine, mine):
        async with store.transaction():
            await store.note(Noted(note="a checkpoint", made=NOW))
        versions.append((await mine.ends()).version)

    of_mine, after_theirs = versions[:4], versions[4:]
    assert len({*of_mine}) == 1
    assert len({*after_theirs}) == 1
    assert of_mine[0] != after_theirs[0]


async def test_a_record_that_cannot_be_read_gives_the_lock_back(
    sample_file: Path, clock: Clock
) -> None:
    good = sample_file.read_text("utf-8")
    sample_file.write_text(good.replace('"subject"', '"nothing"'), "utf-8")
    store = TinyStore(TinyFile(sample_file, clock))

    with pytest.raises(Exception, match="subject"):
        async with store.transaction():
            pass
    sample_file.write_text(good, "utf-8")

    with TinyFile(sample_file, clock).transaction():
        pass


def test_a_change_that_stands_is_not_called_failed(
    sample_file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, fsync = TinyFile(sample_file, clock), os.fsync

    def only_files(handle: int) -> None:
        if Path(f"/proc/self/fd/{handle}").is_dir():
            raise OSError(5, "Input/output error")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", only_files)
    with file.transaction():
        file.put("log", 1, {"by": "me"})

    assert json.loads(sample_file.read_text("utf-8"))["log"] == {"1": {"by": "me"}}


def test_what_a_killed_change_left_is_removed_by_the_next(sample_file: Path, clock: Clock) -> None:
    left = sample_file.with_name(".sample.json.ab12_cd3")
    others = sample_file.with_name(".sample.json.notes"), sample_file.with_name(".other.json.ab12")
    for path in (left, *others):
        path.write_text("{", "utf-8")

    with TinyFile(sample_file, clock).transaction():
        pass

    assert not left.exists()
    assert all(path.exists() for path in others)


def test_the_second_first_use_takes_what_the_first_has_put(
    sample_file: Path, tmp_path: Path, clock: Clock
) -> None:
    copy = tmp_path / "copy.json"
    install(sample_file, copy, is_first=True)
    file = TinyFile(copy, clock)
    with file.transaction():
        file.put("log", 1, {"by": "the first"})

    install(sample_file, copy, is_first=True)

    assert dict(TinyFile(copy, clock).rows("log")) == {1: {"by": "the first"}}
