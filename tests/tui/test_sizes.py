"""Every size from the least to the largest: the essential is there, and nothing breaks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.cells import cell_len

from helpdesk.service.local import LocalDesk
from tests.tui.console import Console, console

Demo = Callable[..., LocalDesk]
SIZES = [(60, 15), (80, 24), (99, 30), (100, 30), (119, 30), (130, 34), (200, 60), (300, 100)]


async def open_maya(agent: Console) -> None:
    """Open a case with everything in it."""
    await agent.find("okafor", "u1")
    await agent.settles()


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_who_codes_and_may_i_are_in_sight_at_every_size(
    demo: Demo, size: tuple[int, int]
) -> None:
    async with console(demo(), size=size) as agent:
        await open_maya(agent)

        await agent.sees("Maya Okafor", "Northwind Travel", "#4821", "LIVE", "May I")
        may_i = agent.flat.partition("May I")[2].replace(" ", "")
        for key in "srRoOamuezZptwnkKfx":
            assert any(f"{key}{glyph}" in may_i for glyph in "✓✗–"), key
        assert all(cell_len(line) == size[0] for line in agent.lines)
        assert len(agent.lines) == size[1]


async def test_a_reason_of_more_than_a_line_goes_on_beneath_its_first_word(demo: Demo) -> None:
    async with console(demo(), size=(200, 60)) as agent:
        await open_maya(agent)

        first = next(at for at, line in enumerate(agent.lines) if "✗ r R  Only" in line)
        above, below = agent.lines[first : first + 2]

        assert below.index("Priya Shah.") == above.index("Only an administrator")


@pytest.mark.parametrize("size", [(59, 15), (60, 14), (20, 5), (1, 1)], ids=str)
async def test_below_the_least_size_one_line_says_so(demo: Demo, size: tuple[int, int]) -> None:
    async with console(demo(), size=(80, 24)) as agent:
        await agent.pilot.resize_terminal(*size)
        await agent.settles()
        assert "Maya" not in agent.text
        if size[0] >= 20:
            assert "too small" in agent.flat

        await agent.pilot.resize_terminal(130, 34)
        await agent.sees("Maya Okafor")


async def test_a_dialog_below_the_least_size_cannot_be_confirmed_unseen(demo: Demo) -> None:
    async with console(demo(), size=(80, 24)) as agent:
        await open_maya(agent)
        await agent.press("e")
        await agent.sees("Open sessions")
        await agent.pilot.resize_terminal(50, 12)
        await agent.sees("too small")

        await agent.press("tab", "enter", "enter")
        await agent.pilot.resize_terminal(80, 24)
        await agent.settles()

        assert "Ended" not in agent.text


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (130, 34)], ids=str)
@pytest.mark.parametrize(
    ("keys", "buttons"),
    [
        ("s", ("Cancel", "Send code")),
        ("R", ("Close", "Route", "Copy")),
        ("i", ("Close",)),
        ("c", ("Close",)),
        ("?", ("Close",)),
        ("f", ("Cancel", "Flag")),
    ],
)
async def test_the_buttons_of_every_dialog_are_in_sight(
    demo: Demo, size: tuple[int, int], keys: str, buttons: tuple[str, ...]
) -> None:
    async with console(demo(), size=size) as agent:
        await open_maya(agent)

        await agent.press(keys)

        await agent.sees(*buttons)


async def test_a_narrow_window_gives_the_case_the_lists_place_and_back(demo: Demo) -> None:
    async with console(demo(), size=(80, 24)) as agent:
        await agent.sees("in your queue")
        await agent.press("enter")
        await agent.loses("in your queue")
        await agent.sees("May I")

        await agent.press("escape")
        await agent.sees("in your queue")
        assert agent.focused == "rows"


async def test_what_does_not_fit_can_be_scrolled_by_keys(demo: Demo) -> None:
    async with console(demo(), size=(80, 24)) as agent:
        await open_maya(agent)
        assert "It keeps asking me for a code" not in agent.text

        for _ in range(12):
            if "It keeps asking me for a code" not in agent.text:
                await agent.press("]")
        await agent.sees("It keeps asking me for a code")


async def test_resizing_again_and_again_breaks_nothing(demo: Demo) -> None:
    async with console(demo()) as agent:
        await open_maya(agent)
        for size in [(1, 1), (300, 100), (60, 15), (59, 40), (200, 15), (99, 24), (101, 24)]:
            await agent.pilot.resize_terminal(*size)
            await agent.pilot.pause()

        await agent.pilot.resize_terminal(130, 34)
        await agent.sees("Maya Okafor", "May I")
