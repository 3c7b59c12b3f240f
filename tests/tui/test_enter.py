"""Where Enter and digits go in a dialog: on to the act, and never to what throws work away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from helpdesk.service.local import LocalDesk
from helpdesk.tui.dialogs.act import ActDialog
from tests.tui.console import console

Demo = Callable[..., LocalDesk]
MAYA, INES = "u1", "u4"


async def test_enter_in_the_last_line_of_an_act_goes_to_its_button_and_not_to_cancel(
    demo: Demo,
) -> None:
    desk = demo()
    ticket = (await desk.case(INES)).open_tickets[0].id.lstrip("#")
    async with console(desk) as agent:
        await agent.find("ines carvalho", INES)
        await agent.press("R")
        await agent.sees("Reset all factors", "Reason")
        await agent.press("1")
        await agent.pilot.click("#field-word")
        await agent.type(ticket[-4:])

        await agent.press("enter")

        await agent.until(lambda: agent.focused == "do", "the focus on the act")
        assert isinstance(agent.app.screen, ActDialog)


async def test_enter_in_the_last_line_stays_while_something_is_missing(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.find("ines carvalho", INES)
        await agent.press("R")
        await agent.sees("Reset all factors", "Reason")
        await agent.pilot.click("#field-word")
        await agent.type("0000")

        await agent.press("enter", "enter")

        assert isinstance(agent.app.screen, ActDialog)
        assert agent.focused == "field-word"


async def test_ctrl_c_says_in_plain_words_how_one_quits(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.has_case(MAYA)

        await agent.press("ctrl+c")

        await agent.sees("Press Ctrl+Q to quit.")
        assert "[b]" not in agent.text


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (130, 34)], ids=str)
async def test_a_need_of_several_lines_pushes_no_button_out_of_sight(
    demo: Demo, size: tuple[int, int]
) -> None:
    async with console(demo(), size=size) as agent:
        await agent.find("ines carvalho", INES)
        await agent.press("r")
        await agent.sees("needs Say which factor")
        await agent.press("1")
        await agent.settles()

        await agent.sees("needs Give the reason", "did not help", "Cancel", "Reset one factor")
        assert agent.app.screen.query_one("#buttons").region.height == 1


async def test_the_first_code_of_an_app_goes_into_its_field_and_is_not_lost_silently(
    demo: Demo,
) -> None:
    desk = demo()
    ticket = (await desk.case(INES)).open_tickets[0].id.lstrip("#")
    async with console(desk, size=(200, 60)) as agent:
        await agent.find("ines carvalho", INES)
        await agent.press("t")
        await agent.sees("Enrol authenticator", "Reason")
        await agent.press("1")
        await agent.pilot.click("#field-word")
        await agent.type(ticket[-4:])
        await agent.press_button("Enrol authenticator")
        await agent.sees("It is shown once")
        assert "Enrol authenticator:" not in agent.flat
        await agent.press("enter")
        await agent.sees("Type the first code")

        await agent.type("12")

        assert agent.focused == "field-code"
        await agent.sees("12")
        await agent.press("enter", "escape")
        await agent.sees("The new app is not enrolled")
