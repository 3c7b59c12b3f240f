from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from helpdesk.domain.actions import ResetAll, ResetFactor
from helpdesk.domain.audit import Result
from helpdesk.domain.errors import NotFound, Refused
from helpdesk.domain.holds import Ending
from helpdesk.domain.limits import reached
from helpdesk.domain.search import Query
from helpdesk.domain.users import FactorState
from helpdesk.service.local import LocalDesk
from tests.conftest import NOW, Clock

RESET = ResetFactor(user="u2", factor="u2-f2", reason="new phone", ticket="4822")


@pytest.fixture
def at(desk_as: Callable[..., LocalDesk]) -> Callable[[str], LocalDesk]:
    """Open a desk at which resets wait ten minutes."""
    return lambda who: desk_as(who, hold_minutes=10)


def states(case: object) -> list[FactorState]:
    return [factor.state for factor in case.user.factors]  # type: ignore[attr-defined]


async def test_a_reset_waits_and_is_then_carried_out(
    at: Callable[[str], LocalDesk], clock: Clock
) -> None:
    desk = at("dana")
    held = await desk.perform(RESET)
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
    await desk.perform(RESET)
    hold = (await desk.holds())[0]

    undone = await at("lee").undo(hold.id)
    clock.go_on(minutes=11)

    assert undone.ending is Ending.UNDONE
    assert await desk.carry_out_due() == 0
    assert states(await desk.case("u2")) == [FactorState.ACTIVE, FactorState.ACTIVE]
    with pytest.raises(NotFound, match="done already"):
        await desk.undo(hold.id)


async def test_an_auditor_undoes_nothing(at: Callable[[str], LocalDesk]) -> None:
    await at("dana").perform(RESET)
    hold = (await at("dana").holds())[0]

    with pytest.raises(Refused, match="changes nothing"):
        await at("ari").undo(hold.id)

    assert len(await at("dana").holds()) == 1


async def test_what_no_longer_fits_is_refused_when_its_time_comes(
    at: Callable[[str], LocalDesk], desk_as: Callable[..., LocalDesk], clock: Clock
) -> None:
    desk = at("dana")
    await desk.perform(RESET)
    await desk_as("dana").perform(ResetAll(user="u2", reason="lost", ticket="4822"))
    clock.go_on(minutes=10)

    assert await desk.carry_out_due() == 1

    row = (await desk.log(Query(words=("reset-factor",)))).rows[0]
    assert row.result is Result.REFUSED


async def test_nobody_is_told_of_what_was_undone(
    at: Callable[[str], LocalDesk], clock: Clock
) -> None:
    desk = at("dana")
    await desk.perform(RESET)
    await desk.undo((await desk.holds())[0].id)
    clock.go_on(minutes=11)
    await desk.carry_out_due()

    assert (await desk.tray("u2")).total == 0


async def test_undo_comes_too_late_for_what_another_console_did(
    at: Callable[[str], LocalDesk], clock: Clock
) -> None:
    desk, other = at("dana"), at("lee")
    await desk.perform(RESET)
    hold = (await desk.holds())[0]
    clock.go_on(minutes=10)
    stale = desk.holds()  # asked before, answered after
    await other.carry_out_due()
    assert await stale == ()

    with pytest.raises(NotFound, match="done already"):
        await desk.undo(hold.id)

    assert states(await desk.case("u2")) == [FactorState.ACTIVE, FactorState.REMOVED]


async def test_a_hold_that_cannot_be_read_ends_and_shuts_nobody_out(
    at: Callable[[str], LocalDesk], sample_file: Path, clock: Clock
) -> None:
    desk = at("dana")
    await desk.perform(RESET)
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
    await at("dana").perform(RESET)
    clock.go_on(minutes=10)

    assert await at("ari").carry_out_due() == 0


async def test_what_was_held_counts_once_toward_the_limits(
    desk_as: Callable[..., LocalDesk], clock: Clock
) -> None:
    desk = desk_as("dana", hold_minutes=10)
    await desk.perform(RESET)
    clock.go_on(minutes=10)
    await desk.carry_out_due()
    rows = tuple(reversed((await desk.log(Query())).rows))

    needs = reached("reset-factor", "dana", "u2", rows, clock.now)
    agents = reached("temporary-pass", "dana", "u7", rows * 4, clock.now)

    assert [need.what for need in needs] == ["limit"]
    assert agents == (), "four times the same held act is one act"
