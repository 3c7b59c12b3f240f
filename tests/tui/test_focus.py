"""The focus: never where nobody sees it, whatever the size and whatever was open in between."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from helpdesk.service.local import LocalDesk
from helpdesk.tui.screens.desk import DeskScreen
from tests.tui.console import Console, console

Demo = Callable[..., LocalDesk]
MAYA = "u1"


def typed(agent: Console) -> str:
    """Give what stands in the search line of the desk."""
    screen = agent.app.screen_stack[0]
    assert isinstance(screen, DeskScreen)
    return screen.finder.search.value


@pytest.mark.parametrize("key", ["c", "s"])
async def test_after_a_window_grew_and_shrank_an_acts_key_is_still_one(
    demo: Demo, key: str
) -> None:
    async with console(demo()) as agent:
        await agent.has_case(MAYA)
        await agent.press("tab")
        await agent.pilot.resize_terminal(80, 24)
        await agent.settles()
        await agent.press("c")
        await agent.sees("Close")
        await agent.press("escape")
        await agent.stands_on_desk()
        await agent.pilot.resize_terminal(130, 34)
        await agent.settles()

        await agent.press(key)

        await agent.sees("Cancel" if key == "s" else "Close")
        assert (typed(agent), agent.case_user) == ("", MAYA)


async def test_the_case_opened_from_another_place_stays_in_the_least_window(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.press("3")
        await agent.sees("in 24 h")
        await agent.press("down", "down", "enter")
        await agent.sees("May I")
        user = agent.case_user
        await agent.pilot.resize_terminal(60, 15)
        await agent.settles()
        await agent.press("c")
        await agent.sees("Close")
        await agent.press("escape")
        await agent.stands_on_desk()

        await agent.press("c")

        await agent.sees("Close")
        assert (typed(agent), agent.case_user) == ("", user)


async def test_the_focus_in_the_case_keeps_the_case_when_the_window_gets_narrow(
    demo: Demo,
) -> None:
    async with console(demo()) as agent:
        await agent.has_case(MAYA)
        await agent.press("tab")
        assert agent.focused == "history"

        await agent.pilot.resize_terminal(80, 24)

        await agent.loses("in your queue")
        await agent.sees("Maya Okafor", "May I")
        await agent.until(lambda: agent.focused == "middle", "the focus on what scrolls")


async def test_what_is_being_typed_stays_a_search_when_the_window_gets_narrow(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.has_case(MAYA)
        await agent.press("enter", "/")
        await agent.type("lind")
        await agent.pilot.resize_terminal(80, 24)
        await agent.settles()

        await agent.type("qv")

        await agent.sees("lindqv", "found")


@pytest.mark.parametrize("size", [(1, 1), (59, 14), (60, 15), (80, 24)], ids=str)
async def test_no_way_through_the_sizes_leads_into_the_search(
    demo: Demo, size: tuple[int, int]
) -> None:
    async with console(demo()) as agent:
        await agent.has_case(MAYA)
        await agent.press("enter")
        for there in (size, (130, 34), size, (100, 30)):
            await agent.pilot.resize_terminal(*there)
            await agent.settles()

            assert agent.focused != "search"
        await agent.until(lambda: agent.focused in {"rows", "middle"}, "a focus that is seen")
        assert agent.case_user == MAYA


async def test_where_nobody_is_found_nobody_can_be_acted_on(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.has_case(MAYA)

        await agent.press("/")
        await agent.type("zzzqqq")

        await agent.sees("0 found", "Choose a user on the left")
        assert agent.case_user == ""


@pytest.mark.parametrize("size", [(130, 34), (80, 24)], ids=str)
async def test_where_the_case_that_has_the_focus_goes_the_list_takes_it(
    demo: Demo, size: tuple[int, int]
) -> None:
    async with console(demo(), size=size) as agent:
        await agent.has_case(MAYA)
        await agent.press("enter", "tab")
        await agent.until(lambda: agent.focused in {"middle", "history"}, "the focus in the case")
        desk = agent.app.screen
        assert isinstance(desk, DeskScreen)

        desk.finder.search.value = "zzzqqq"

        await agent.sees("0 found", "Nobody found")
        await agent.until(lambda: agent.focused == "rows", "the focus on the list")
