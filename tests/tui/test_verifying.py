"""The log is verified beside everything else: a bar, a key that cancels, and what was found."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from helpdesk.domain.actions import Note
from helpdesk.domain.inspection import Inspecting, Inspection
from helpdesk.service import recording
from helpdesk.service.local import LocalDesk
from helpdesk.tui.render.verifying import found_line, found_page
from tests.tui.console import NOW, Slow, console

Demo = Callable[..., LocalDesk]


@pytest.fixture
def row_by_row(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a part of an inspection be one row."""
    monkeypatch.setattr(recording, "ROWS", 1)
    monkeypatch.setattr(recording, "PART_S", 0.0)
    monkeypatch.setattr(recording, "NOTES", 1)
    return iter(())


class Holding(Slow):
    """A desk that looks at one more part of its log each time the gate `part` is opened."""

    async def inspect_log(
        self, checkpoint: str = "", key: str = "", so_far: str = ""
    ) -> Inspecting:
        """Give a part, once it may."""
        if so_far:
            await self._pass("part")
        return await self._desk.inspect_log(checkpoint, key, so_far)


@pytest.fixture
async def held(demo: Demo) -> Holding:
    """A desk that did three things, and whose verifying waits after its first part."""
    desk = demo()
    for number in range(3):
        await desk.perform(Note(user="u1", text=f"call {number}"))
    found = Holding(desk)
    found.gates["part"] = asyncio.Event()
    return found


@pytest.mark.usefixtures("row_by_row")
async def test_it_says_how_far_it_is_hears_other_keys_and_says_what_it_found(
    held: Holding,
) -> None:
    async with console(held) as dana:  # type: ignore[arg-type]
        await dana.press("5")
        await dana.press("v")
        await dana.sees("Verifying █", "░ 1 of", "rows Esc cancels")
        await dana.press("/")
        await dana.type("call")
        await dana.sees("Verifying █", "0 entries")
        held.gates["part"].set()
        await dana.sees("rows verified at 14:05: nothing is broken. M shows all")
        await dana.press("escape", "escape", "M")
        await dana.sees("The log, verified", "rows are bound to one another")


@pytest.mark.usefixtures("row_by_row")
async def test_escape_cancels_it_and_says_how_far_it_came(held: Holding) -> None:
    async with console(held) as dana:  # type: ignore[arg-type]
        await dana.press("5")
        await dana.press("v")
        await dana.sees("░ 1 of")
        await dana.press("escape")
        await dana.sees("Cancelled after 1 of", "nothing is said of the log")
        await dana.press("M")
        await dana.sees("The log was not verified yet: press v.")
        held.gates["part"].set()
        await dana.press("v")
        await dana.sees("nothing is broken")


def test_what_is_broken_is_told_in_the_line_and_all_of_it_on_the_page() -> None:
    broken = ("Row 3: it was changed.", "Row 4: [bold]\x1b[2J")
    found = Inspection(rows=9, is_sound=False, broken=broken, proven=("It has rows.",))

    line, page = found_line(found, NOW, NOW).plain, found_page(found)

    assert line == "▲ The log is not what it was at 14:05   M shows all   Row 3: it was changed."
    assert [entry.head.plain.strip() for entry in page] == ["broken", "", "proven"]
    assert "\x1b" not in page[1].body.plain
