"""The console says at once that the log is not the one it saw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from helpdesk.domain.actions import Note
from helpdesk.service.local import LocalDesk
from tests.tui.console import console, demo_desk


async def test_a_log_put_back_from_an_older_copy_is_said(
    demo: Callable[..., LocalDesk], tmp_path: Path
) -> None:
    desk = demo()
    file = tmp_path / "demo.json"
    older = file.read_bytes()
    await desk.perform(Note(user="u1", text="called"))
    file.write_bytes(older)

    again = demo_desk(tmp_path)
    await again.watch()

    async with console(again) as agent:
        await agent.until(lambda: "rows were cut off" in " ".join(agent.text.split()), "the alarm")


async def test_a_sound_log_says_nothing(demo: Callable[..., LocalDesk]) -> None:
    desk = demo()
    await desk.perform(Note(user="u1", text="called"))
    await desk.watch()

    async with console(desk) as agent:
        assert "rows were" not in agent.text
