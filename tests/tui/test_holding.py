"""A held reset is counted down, undone by one key, and else carried out by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from helpdesk.domain.actions import ResetFactor
from helpdesk.domain.proofs import Method
from helpdesk.domain.search import Query
from helpdesk.service.local import LocalDesk
from tests.conftest import Clock
from tests.proving import prove
from tests.tui.console import NOW, console

Demo = Callable[..., LocalDesk]
IMOGEN = "u84"
RESET = ResetFactor(user=IMOGEN, factor="f2", reason="phone lost", ticket="4841")


async def hold(desk: LocalDesk) -> None:
    """Prove the caller and ask for the reset, which then waits."""
    await prove(desk, IMOGEN, Method.CALL_BACK, "4841")
    await desk.perform(RESET)


async def test_a_held_reset_is_counted_down_and_undone_by_one_key(demo: Demo) -> None:
    desk = demo(hold=timedelta(minutes=5))
    await hold(desk)
    async with console(desk) as agent:
        await agent.find("imogen.ng", IMOGEN)
        await agent.sees("HELD: Reset one factor in 5:00 U undoes it")
        await agent.press("U")
        await agent.sees("Undone: Reset one factor")
        await agent.loses("HELD:")

    assert len((await desk.case(IMOGEN)).user.live_factors) == 2
    assert "undo" in [row.act for row in (await desk.log(Query())).rows]


async def test_a_held_reset_is_carried_out_while_the_console_is_open(demo: Demo) -> None:
    clock = Clock()
    clock.now = NOW
    desk = demo(hold=timedelta(minutes=5), clock=clock)
    await hold(desk)
    async with console(desk, clock=clock) as agent:
        await agent.find("imogen.ng", IMOGEN)
        await agent.sees("HELD: Reset one factor in 5:00")

        clock.go_on(minutes=5)
        agent.app.look_for_approvals()  # type: ignore[attr-defined]

        await agent.loses("HELD:")
        await agent.sees("watch: not in yet since 14:10")

    assert len((await desk.case(IMOGEN)).user.live_factors) == 1


async def test_undoing_where_nothing_waits_says_so(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.find("imogen.ng", IMOGEN)
        await agent.press("U")

        await agent.sees("Nothing waits for this user")
