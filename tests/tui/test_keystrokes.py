"""How many keys the commonest errands take, counted by pressing them; the desk is as it is."""

from __future__ import annotations

from collections.abc import Callable

from helpdesk.domain.search import Query
from helpdesk.domain.timeline import Send
from helpdesk.service.local import LocalDesk
from tests.tui.console import console
from tests.tui.test_proving import code_of, way_of

INES, IMOGEN = "u4", "u84"


async def test_a_code_is_resent_to_the_right_factor_of_a_searched_user_in_twelve_keys(
    demo: Callable[..., LocalDesk],
) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.find("ines carvalho", INES)

        await agent.press("s")
        await agent.sees("Which factor")
        number = next(line for line in agent.lines if "○ Text message" in line)
        await agent.press(number.partition(" ○ ")[0][-1])
        await agent.loses("Say which factor")
        await agent.press("tab", "enter")
        await agent.sees("A code went to")

    sends = [event for event in (await desk.case(INES)).timeline if isinstance(event, Send)]
    assert sends[-1].channel == "sms"
    assert agent.strokes <= 12


async def test_all_factors_are_reset_with_two_proofs_reason_and_ticket_in_twenty_four_keys(
    demo: Callable[..., LocalDesk],
) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.find("imogen.ng", IMOGEN)

        await agent.press("R")
        await agent.sees("Reset all factors", "over two different channels")
        await agent.press("1", "v")
        for way, says in (("a push confirmed", "Type the number of a way"),
                          ("a call back", "once more, over another channel")):  # fmt: skip
            await agent.sees(says, "Verify the caller")
            await agent.press(way_of(agent, way))
            await agent.sees("3 tries left")
            await agent.type(await code_of(desk, IMOGEN))
            await agent.press("enter")
        await agent.sees("PROVEN by a push confirmed and a call back")
        await agent.press("enter")
        await agent.loses("Prove the caller")
        await agent.press("4", "8", "4", "1")
        await agent.loses("Type the last four")
        await agent.confirm()
        await agent.sees("2 factors are reset")

    last = (await desk.log(Query(), limit=1)).rows[0]
    assert (last.act, last.reason, last.ticket) == ("reset-all", "Phone lost or stolen", "4841")
    assert not (await desk.case(IMOGEN)).user.live_factors
    assert agent.strokes <= 24
