"""How many keys the two commonest errands take, counted by pressing them."""

from __future__ import annotations

from collections.abc import Callable

from helpdesk.domain.search import Query
from helpdesk.domain.timeline import Send
from helpdesk.service.local import LocalDesk
from tests.tui.console import console

INES = "u4"


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


async def test_all_factors_are_reset_with_reason_and_ticket_in_sixteen_keys(
    demo: Callable[..., LocalDesk],
) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.find("ines carvalho", INES)

        await agent.press("R")
        await agent.sees("Reset all factors", "Reason")
        await agent.press("1", "shift+tab", "4", "8", "2", "4")
        await agent.confirm()
        await agent.sees("2 factors are reset")

    last = (await desk.log(Query(), limit=1)).rows[0]
    assert (last.act, last.reason, last.ticket) == ("reset-all", "Phone lost or stolen", "4824")
    assert not (await desk.case(INES)).user.live_factors
    assert agent.strokes <= 16
