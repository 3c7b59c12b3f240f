"""What the desks of one gateway share: one truth, one queue of looks, what was found already."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from helpdesk.assets import DEMO
from helpdesk.config import Config
from helpdesk.domain.actions import Note
from helpdesk.domain.errors import Unreachable
from helpdesk.domain.search import parse
from helpdesk.hosting import SqlDesks, Wanted, desks_at
from helpdesk.service.local import LocalDesk

LOOKS = parse("look", [])


@pytest.fixture
def desks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlDesks]:
    """The desks of a gateway on the demo."""
    monkeypatch.setenv("HELPDESK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HELPDESK_CONFIG_DIR", str(tmp_path / "config"))
    store = f"sqlite:///{tmp_path}/desk.db"
    with closing(desks_at(Wanted(store=store, imported=DEMO), Config())) as opened:
        yield opened


def two(desks: SqlDesks) -> tuple[LocalDesk, LocalDesk]:
    """The desks of two agents who see everybody."""
    first, second, *_ = (agent for agent in desks.agents if agent.account is None)
    desks._keeping._rest_s = 60  # nothing is written before a test says so
    one, other = desks.desk(first), desks.desk(second)
    assert isinstance(one, LocalDesk)
    assert isinstance(other, LocalDesk)
    return one, other


def run(work: Callable[[LocalDesk, LocalDesk], Awaitable[None]], desks: SqlDesks) -> None:
    """Work at two desks, in a loop."""

    async def at_both() -> None:
        await work(*two(desks))

    asyncio.run(at_both())


def test_looks_of_several_agents_are_written_in_one_transaction(desks: SqlDesks) -> None:
    async def work(one: LocalDesk, other: LocalDesk) -> None:
        before = await one._view.store.refresh()
        for desk in (one, other, one):
            await desk.case("u1")

        await other.settle()

        looks = (await one.log(LOOKS)).rows
        assert sorted(row.agent for row in looks) == sorted((one.agent.id, other.agent.id))
        checkpoint = 1
        assert await one._view.store.refresh() - before <= 1 + checkpoint

    run(work, desks)


def test_a_look_that_says_nothing_new_writes_nothing(desks: SqlDesks) -> None:
    async def work(one: LocalDesk, other: LocalDesk) -> None:
        await one.perform(Note(user="u1", text="called"))
        await other.case("u1")
        await other.settle()
        before = await one._view.store.refresh()

        await one.case("u1")
        await other.case("u1")
        await other.settle()

        assert await one._view.store.refresh() == before

    run(work, desks)


def test_each_agent_is_told_of_their_own_looks_that_wait(
    desks: SqlDesks, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(one: LocalDesk, other: LocalDesk) -> None:
        await one.case("u1")
        with monkeypatch.context() as broken:
            broken.setattr(desks._database, "_begin", _refused)
            with pytest.raises(Unreachable):
                await other.settle()
        said = one.alarm, other.alarm
        await one.settle()

        assert said[0].startswith("1 case you opened is not in the log yet: ")
        assert said[1] == ""
        assert one.alarm == ""

    run(work, desks)


def _refused(**_: bool) -> None:
    raise Unreachable("The disk is full.")


def test_what_one_agent_found_another_is_given(desks: SqlDesks) -> None:
    async def work(one: LocalDesk, other: LocalDesk) -> None:
        found = await one.why("u1")
        ticket = next(t for t in (await one.case("u1")).tickets if t.is_open)
        await one.perform(Note(user="u1", text="called again", ticket=ticket.id))

        assert await other.why("u1") is found

    run(work, desks)


def test_a_timeline_is_read_anew_only_when_it_grew(desks: SqlDesks) -> None:
    async def work(one: LocalDesk, other: LocalDesk) -> None:
        connector = one._view.connector
        before = await connector.timelines(["u1", "u2"])
        async with one._view.store.transaction():
            user = (await connector.people(["u1"]))["u1"]
            await connector.end_sessions(user, one._view.clock())
        after = await connector.timelines(["u1", "u2"])

        assert len(after["u1"]) == len(before["u1"]) + 1
        assert after["u2"] is before["u2"]

    run(work, desks)
