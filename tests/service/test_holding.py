from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from helpdesk.domain.actions import Flag, ResetAll, ResetFactor
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.audit import Result
from helpdesk.domain.cases import Outcome
from helpdesk.domain.errors import NotFound, Refused
from helpdesk.domain.holds import Ending, Hold
from helpdesk.domain.limits import reached
from helpdesk.domain.proofs import Method
from helpdesk.domain.search import Query
from helpdesk.domain.users import FactorState
from helpdesk.service.local import LocalDesk
from helpdesk.stores.base import R
from helpdesk.stores.tiny import TinyStore
from tests.conftest import NOW, Clock
from tests.proving import agreed, prove

RESET = ResetFactor(user="u2", factor="u2-f2", reason="new phone", ticket="4822")


@pytest.fixture
def at(desk_as: Callable[..., LocalDesk]) -> Callable[[str], LocalDesk]:
    """Open a desk at which resets wait ten minutes."""
    return lambda who: desk_as(who, hold_minutes=10)


async def hold(desk: LocalDesk) -> Outcome:
    """Prove the caller and ask for the reset, which then waits."""
    await prove(desk, "u2", Method.CODE, "4822", "u2-f1")
    return await desk.perform(RESET)


def states(case: object) -> list[FactorState]:
    return [factor.state for factor in case.user.factors]  # type: ignore[attr-defined]


async def test_what_somebody_asked_for_who_signed_in_elsewhere_is_carried_out_as_theirs(
    desk_as: Callable[..., LocalDesk], clock: Clock
) -> None:
    noor = Agent(id="sub-4711", name="Noor", role=Role.SUPPORT, login="noor@desk.example")
    desk = desk_as("", agent=noor, hold_minutes=10)
    await hold(desk)
    shown = await desk.holds()
    clock.go_on(minutes=10)

    await desk_as("lee", hold_minutes=10).carry_out_due()

    rows = (await desk.log(Query(words=("reset-factor",)))).rows
    assert [(row.agent, row.role) for row in rows] == [("sub-4711", Role.SUPPORT)] * 2
    assert [one.by for one in shown] == [None]


async def test_a_reset_waits_and_is_then_carried_out(
    at: Callable[[str], LocalDesk], clock: Clock
) -> None:
    desk = at("dana")
    held = await hold(desk)
    waiting = await desk.holds()
    clock.go_on(minutes=9)
    early = await desk.carry_out_due()
    clock.go_on(minutes=1)
    ended = await at("lee").carry_out_due()

    assert "undone" in held.says
    assert states(held.case) == [FactorState.ACTIVE, FactorState.ACTIVE]
    assert [hold.due_at for hold in waiting] == [NOW + timedelta(minutes=10)]
    assert (early, ended) == (0, 1)
    assert states(await desk.case("u2")) == [FactorState.ACTIVE, FactorState.REMOVED]
    rows = (await desk.log(Query(words=("reset-factor",)))).rows
    assert [row.result for row in rows] == [Result.DONE, Result.HELD]
    assert rows[0].says.startswith("Held from 09:00")
    assert await desk.holds() == ()


async def test_until_then_it_can_be_undone(at: Callable[[str], LocalDesk], clock: Clock) -> None:
    desk = at("dana")
    await hold(desk)
    waiting = (await desk.holds())[0]

    undone = await at("lee").undo(waiting.id)
    clock.go_on(minutes=11)

    assert undone.ending is Ending.UNDONE
    assert await desk.carry_out_due() == 0
    assert states(await desk.case("u2")) == [FactorState.ACTIVE, FactorState.ACTIVE]
    with pytest.raises(NotFound, match="done already"):
        await desk.undo(waiting.id)


async def test_what_is_undone_while_its_time_is_looked_for_is_not_carried_out(
    at: Callable[[str], LocalDesk], desk_as: Callable[..., LocalDesk], clock: Clock
) -> None:
    found, undone = asyncio.Event(), asyncio.Event()

    class Slow(TinyStore):
        """Takes its time over what waits."""

        async def select(self, kind: type[R], **of: Any) -> Sequence[R]:
            rows = await super().select(kind, **of)
            if kind is Hold and not found.is_set():
                found.set()
                await undone.wait()
            return rows

    desk, other = at("dana"), at("lee")
    await hold(desk)
    waiting = (await desk.holds())[0]
    clock.go_on(minutes=10)

    carrying = asyncio.create_task(desk_as("dana", store=Slow, hold_minutes=10).carry_out_due())
    await found.wait()
    await other.undo(waiting.id)
    undone.set()
    await carrying

    assert states(await desk.case("u2")) == [FactorState.ACTIVE, FactorState.ACTIVE]
    rows = (await desk.log(Query(words=("reset-factor",)))).rows
    assert [row.result for row in rows if row.act == "reset-factor"] == [Result.HELD]


async def test_an_auditor_undoes_nothing(at: Callable[[str], LocalDesk]) -> None:
    await hold(at("dana"))
    waiting = (await at("dana").holds())[0]

    with pytest.raises(Refused, match="changes nothing"):
        await at("ari").undo(waiting.id)

    assert len(await at("dana").holds()) == 1


async def test_what_no_longer_fits_is_refused_when_its_time_comes(
    at: Callable[[str], LocalDesk], desk_as: Callable[..., LocalDesk], clock: Clock
) -> None:
    desk = at("dana")
    await hold(desk)
    await desk_as("dana", is_gated=False).perform(ResetAll(user="u2", reason="lost", ticket="4822"))
    clock.go_on(minutes=10)

    assert await desk.carry_out_due() == 1

    row = (await desk.log(Query(words=("reset-factor",)))).rows[0]
    assert row.result is Result.REFUSED


async def test_everybody_is_told_when_it_is_carried_out_and_nobody_before(
    at: Callable[[str], LocalDesk], clock: Clock
) -> None:
    desk = at("dana")
    held = await hold(desk)
    before = (await desk.tray("u2")).rows
    clock.go_on(minutes=10)
    await desk.carry_out_due()

    told = (await desk.tray("u2")).rows
    done = (await desk.log(Query(words=("reset-factor",)))).rows[0]
    assert held.says.startswith("Held until 09:10")
    assert before == ()
    assert {(row.seq, row.at) for row in told} == {(done.seq, clock.now)}


@pytest.mark.parametrize(
    ("then", "ending"), [("waits", Ending.WAITS), ("undo", Ending.UNDONE), ("due", Ending.DONE)]
)
async def test_a_request_says_what_became_of_what_was_held(
    at: Callable[[str], LocalDesk], clock: Clock, then: str, ending: Ending
) -> None:
    desk, lead = at("dana"), at("lee")
    await desk.perform(Flag(user="u2", reason="did not know the mailbox"))
    await prove(desk, "u2", Method.CODE, "4822", "u2-f1")
    await agreed(desk, RESET, lead)
    await desk.perform(RESET)

    if then == "undo":
        await lead.undo((await lead.holds())[0].id)
    elif then == "due":
        clock.go_on(minutes=10)
        await lead.carry_out_due()

    request = (await desk.approvals())[0]
    assert (request.is_granted, request.ending) == (True, ending)
    assert (FactorState.REMOVED in states(await desk.case("u2"))) is (then == "due")


async def test_nobody_is_told_of_what_was_undone(
    at: Callable[[str], LocalDesk], clock: Clock
) -> None:
    desk = at("dana")
    await hold(desk)
    await desk.undo((await desk.holds())[0].id)
    clock.go_on(minutes=11)
    await desk.carry_out_due()

    assert (await desk.tray("u2")).total == 0


async def test_undo_comes_too_late_for_what_another_console_did(
    at: Callable[[str], LocalDesk], clock: Clock
) -> None:
    desk, other = at("dana"), at("lee")
    await hold(desk)
    waiting = (await desk.holds())[0]
    clock.go_on(minutes=10)
    stale = desk.holds()  # asked before, answered after
    await other.carry_out_due()
    assert await stale == ()

    with pytest.raises(NotFound, match="done already"):
        await desk.undo(waiting.id)

    assert states(await desk.case("u2")) == [FactorState.ACTIVE, FactorState.REMOVED]


async def test_a_hold_that_cannot_be_read_ends_and_shuts_nobody_out(
    at: Callable[[str], LocalDesk], sample_file: Path, clock: Clock
) -> None:
    desk = at("dana")
    await hold(desk)
    text = sample_file.read_text("utf-8").replace(
        '\\"act\\":\\"reset-factor\\"', '\\"act\\":\\"fly\\"'
    )
    sample_file.write_text(text, "utf-8")
    clock.go_on(minutes=10)

    ended = await at("lee").carry_out_due()

    assert ended == 1
    row = (await desk.log(Query(words=("reset-factor",)))).rows[0]
    assert (row.result, row.agent) == (Result.FAILED, "dana")
    assert await desk.holds() == ()


async def test_an_auditors_console_carries_nothing_out(
    at: Callable[[str], LocalDesk], clock: Clock
) -> None:
    await hold(at("dana"))
    clock.go_on(minutes=10)

    assert await at("ari").carry_out_due() == 0


async def test_what_was_held_counts_once_toward_the_limits(
    desk_as: Callable[..., LocalDesk], clock: Clock
) -> None:
    desk = desk_as("dana", hold_minutes=10)
    await hold(desk)
    clock.go_on(minutes=10)
    await desk.carry_out_due()
    rows = tuple(reversed((await desk.log(Query())).rows))

    needs = reached("reset-factor", "dana", "u2", rows, clock.now)
    agents = reached("temporary-pass", "dana", "u7", rows * 4, clock.now)

    assert [need.what for need in needs] == ["limit"]
    assert agents == (), "four times the same held act is one act"


async def test_what_came_to_nothing_counts_toward_no_limit(
    desk_as: Callable[..., LocalDesk], clock: Clock
) -> None:
    desk = desk_as("dana", hold_minutes=10)
    await hold(desk)
    held = await desk.holds()
    before = tuple(reversed((await desk.log(Query())).rows))
    await desk.undo(held[0].id)
    after = tuple(reversed((await desk.log(Query())).rows))

    assert [n.what for n in reached("reset-factor", "dana", "u2", before, clock.now)] == ["limit"]
    assert reached("reset-factor", "dana", "u2", after, clock.now) == ()
    again = await hold(desk)
    assert again.says.startswith("Held until")
