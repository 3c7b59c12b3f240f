"""A screen is painted once for all that belongs together."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from msgspec.structs import replace
from rich.segment import Segment
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.strip import Strip

from helpdesk.domain.cases import Case
from helpdesk.service.local import LocalDesk
from helpdesk.tui import painting
from helpdesk.tui.screens.desk import DeskScreen
from helpdesk.tui.terminal import SafeApp
from helpdesk.tui.widgets.drawn import Drawn
from helpdesk.tui.widgets.scroll import Scroll
from tests.tui.console import Console, console

Demo = Callable[..., LocalDesk]


@contextmanager
def written(agent: Console) -> Iterator[list[str]]:
    """Give what each frame from here on writes to the terminal, without its colours."""
    frames: list[str] = []
    display = agent.app._display

    def keep(screen: Any, renderable: Any) -> None:
        display(screen, renderable)
        if renderable is not None:
            text = renderable.render_segments(agent.app.console)
            frames.append(re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text))

    agent.app._display = keep  # type: ignore[method-assign]
    try:
        yield frames
    finally:
        agent.app._display = display  # type: ignore[method-assign]


@pytest.mark.parametrize("most_s", [0.0, 60.0], ids=["slow", "fast"])
async def test_what_is_typed_and_whom_it_finds_come_in_one_frame(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, most_s: float
) -> None:
    monkeypatch.setattr(painting, "LONGEST_S", most_s)  # on a machine so slow, or so fast
    async with console(demo()) as agent:
        await agent.press("/")
        await agent.settles()

        with written(agent) as frames:
            await agent.type("w")
            await agent.until(lambda: "found" in "".join(frames), "an answer")

        assert "found" in frames[0]
        assert "Ewan Whitfield" in frames[0]


async def test_keys_struck_in_one_go_are_one_frame(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(painting, "LONGEST_S", 60.0)
    async with console(demo()) as agent:
        with written(agent) as frames:
            for _ in range(7):
                agent.app.post_message(events.Key("down", None))
            await agent.until(lambda: bool(frames), "a frame")

        assert "▌· Đặng Thùy" in frames[0]


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


async def _renamed(agent: Console) -> tuple[DeskScreen, Case]:
    """Open a case; give where it stands, and the same of one who is now called Tove Nyborg."""
    await agent.press("down")
    await agent.settles()
    place = agent.app.screen
    assert isinstance(place, DeskScreen)
    assert place.case is not None
    return place, replace(place.case, user=replace(place.case.user, name="Tove Nyborg"))


async def test_a_key_is_drawn_before_a_case_is_laid_out_and_the_case_after_it(demo: Demo) -> None:
    async with console(demo()) as agent:
        place, renamed = await _renamed(agent)

        with written(agent) as frames:
            place.case = renamed
            agent.app.post_message(events.Key("down", None))
            await agent.until(lambda: "Tove Nyborg" in "".join(frames), "the case")

        assert "▌" in frames[0]
        assert "Tove Nyborg" not in frames[0]


async def test_a_terminal_has_its_turn_before_the_case_after_a_key_is_asked_for(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = demo()
    async with console(desk) as agent:
        seen: list[str] = []
        choose: Any = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
        select, case = choose.select, desk.case

        def waiting(patience_s: float | None = None) -> Any:
            seen.append("busy" if patience_s == 0 else "rest")
            return select(patience_s)

        async def asked(user: str) -> Case:
            seen.append("asked")
            return await case(user)

        monkeypatch.setattr(desk, "case", asked)
        monkeypatch.setattr(choose, "select", waiting)
        with written(agent) as frames:
            agent.app.post_message(events.Key("down", None))
            while not frames:
                await asyncio.sleep(0)
            seen.clear()
            while "asked" not in seen:
                await asyncio.sleep(0.2)

        assert "rest" in seen[: seen.index("asked")]


async def test_a_case_is_drawn_though_keys_keep_coming(demo: Demo) -> None:
    async with console(demo()) as agent:
        place, renamed = await _renamed(agent)
        assert isinstance(agent.app, SafeApp)

        with written(agent) as frames:
            agent.app.has_key = True  # and it is never heard
            place.case = renamed
            await agent.until(lambda: bool(frames), "the case")

        assert "Tove Nyborg" in frames[0]


async def test_where_all_is_to_be_drawn_the_list_does_not_come_before_the_rest(demo: Demo) -> None:
    async with console(demo()) as agent:
        place = agent.app.screen
        assert isinstance(place, DeskScreen)

        with written(agent) as frames:
            place._compositor._dirty_regions.add(place.size.region)  # as where it comes into sight
            place.finder.refresh(layout=True)
            place.finder.rows.refresh()
            await agent.until(lambda: bool(frames), "a frame")

        assert "Maya Okafor" in frames[0]
        assert "DEMO DATA" in frames[0]
