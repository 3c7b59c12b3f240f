"""A screen is painted once for all that belongs together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rich.segment import Segment
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.strip import Strip

from helpdesk.service.local import LocalDesk
from helpdesk.tui import painting
from helpdesk.tui.widgets.drawn import Drawn
from helpdesk.tui.widgets.scroll import Scroll
from tests.tui.console import console, painted

Demo = Callable[..., LocalDesk]


async def test_what_is_typed_and_whom_it_finds_come_in_one_frame(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(painting, "LONGEST_S", 60.0)  # however slow the machine
    async with console(demo()) as agent:
        await agent.press("/")
        await agent.settles()

        with painted(agent) as frames:
            await agent.type("maya")
            await agent.sees("maya")

        typed = [frame for frame in frames if "maya" in frame.splitlines()[2]]
        assert "3 found" in typed[0]


async def test_keys_struck_in_one_go_are_one_frame(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(painting, "LONGEST_S", 60.0)
    async with console(demo()) as agent:
        before = agent.text

        with painted(agent) as frames:
            for _ in range(6):
                agent.app.post_message(events.Key("down", None))
            await agent.until(lambda: bool(frames), "a frame")

        row = next(line for line in frames[0].splitlines() if "▌" in line)
        assert row.split("│")[1][2:] in before.splitlines()[frames[0].splitlines().index(row)]
        assert frames[0].splitlines().index(row) == 6 + next(
            y for y, line in enumerate(before.splitlines()) if "▌" in line
        )


class Lines(Drawn):
    """As many lines as it is told."""

    count = 40

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self.count

    def draw_line(self, y: int) -> Strip:
        return self.finished([Segment(f"line {y}")])


class Growing(App[None]):
    """What scrolls; counts its frames."""

    DEFAULT_CSS = "Lines { height: auto; }"

    frames = 0

    def compose(self) -> ComposeResult:
        with Scroll():
            yield Lines()

    def _display(self, screen: Any, renderable: Any) -> None:
        self.frames += renderable is not None
        super()._display(screen, renderable)


async def test_a_bar_that_grows_shorter_is_painted_with_what_it_stands_beside() -> None:
    app = Growing()
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.pause(0.1)
        before = app.frames

        lines = app.query_one(Lines)
        lines.count = 400
        lines.refresh(layout=True)
        await pilot.pause(0.1)

        assert app.query_one(Scroll).vertical_scrollbar.window_virtual_size == 400
        assert app.frames == before + 1
