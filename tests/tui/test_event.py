"""The original of an event is one key away, and so is the one before it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from helpdesk.assets import DEMO
from helpdesk.domain.errors import Unreachable
from helpdesk.domain.originals import Original
from helpdesk.service.local import LocalDesk
from helpdesk.tui.dialogs.event import EventDialog
from tests.tui.console import Console, console, desk_on

MAYA = "u1"
SIZES = ((80, 24), (130, 34), (200, 60))
ROW = {
    "uuid": "0b5ee6f8-9f4c",
    "actor": {"alternateId": "maya.okafor@northwind.example", "displayName": "Maya Okafor"},
    "debugData": {"passcode": "918273", "say\x1b[2J": "[bold]\u202e" + "long " * 60},
    "target": [{"n": n, "type": "AuthenticatorEnrollment"} for n in range(20)],
}


@pytest.fixture
def told(tmp_path: Path) -> LocalDesk:
    """A desk at which the newest event of Maya was told by a provider."""
    tables: dict[str, Any] = json.loads(DEMO.read_text("utf-8"))
    timeline = next(one for one in tables["timelines"].values() if one["user"] == MAYA)
    max(timeline["events"], key=lambda event: str(event["at"]))["raw"] = ROW
    file = tmp_path / "told.json"
    file.write_text(json.dumps(tables), "utf-8")
    return desk_on(file)


async def opened(agent: Console) -> EventDialog:
    """Open the newest event of Maya."""
    await agent.has_case(MAYA)
    await agent.press("E")
    await agent.until(lambda: isinstance(agent.app.screen, EventDialog), "the dialog")
    dialog = agent.app.screen
    assert isinstance(dialog, EventDialog)
    return dialog


@pytest.mark.parametrize("size", SIZES)
async def test_the_original_of_the_newest_event_is_one_key_away(
    told: LocalDesk, size: tuple[int, int]
) -> None:
    async with console(told, size=size) as agent:
        if size[0] < 100:
            await agent.press("enter")
        await opened(agent)

        await agent.sees("0b5ee6f8-9f4c", "personal data is masked", '"uuid":')
        await agent.press("end")

        await agent.sees("AuthenticatorEnrollment")
        assert "918273" not in agent.text
        assert "maya.okafor@" not in agent.text


async def test_arrows_go_to_the_event_before_and_back(told: LocalDesk) -> None:
    async with console(told) as agent:
        await opened(agent)
        await agent.sees("1 of ", "0b5ee6f8-9f4c")

        await agent.press("left")

        await agent.sees("2 of ", "has no other form")
        await agent.press("right", "right")
        await agent.sees("1 of ", "0b5ee6f8-9f4c")
        await agent.press("escape")
        await agent.stands_on_desk()


async def test_a_clicked_line_shows_its_event(told: LocalDesk) -> None:
    async with console(told, size=(200, 60)) as agent:
        await agent.has_case(MAYA)
        case = await told.case(MAYA)
        third = sorted(case.timeline, key=lambda one: one.at)[-3]

        await agent.click(f"{third.at:%H:%M:%S}")

        await agent.sees(f"{third.at:%d %b %Y %H:%M:%S} UTC", "provider")


async def test_what_was_revealed_is_revealed_there_too(told: LocalDesk) -> None:
    async with console(told) as agent:
        await agent.has_case(MAYA)
        await agent.press("x")
        await agent.sees("maya.okafor@northwind.example")

        await opened(agent)

        await agent.sees('"alternateId": "maya.okafor@northwind.example"')
        assert "918273" not in agent.text


async def test_an_answer_that_comes_late_is_not_shown_for_another_event(told: LocalDesk) -> None:
    async with console(told) as agent:
        await agent.has_case(MAYA)
        case = await told.case(MAYA)
        asked: list[str] = []

        async def ask(event: str) -> Original:
            asked.append(event)
            if len(asked) == 2:
                raise Unreachable("Northern does not answer.")
            await agent.pilot.pause(0.05)
            found = await told.original(MAYA, event)
            return replace(found, provider="Late" if len(asked) == 2 else "Northern")

        given: Callable[[str], Awaitable[Original]] = ask
        agent.app.push_screen(EventDialog(case, 0, given))
        await agent.until(lambda: len(asked) == 1, "the first question")
        await agent.press("left")

        await agent.sees("Northern does not answer.")
        await agent.settles()
        assert "0b5ee6f8" not in agent.text
