"""Hands that know nothing, for a short while; and what they once broke."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from textual import events
from textual.command import CommandList
from textual.geometry import Size
from textual.widgets import Button

from helpdesk.domain.actions import Note
from helpdesk.tui.dialogs.guarded import Guarded
from helpdesk.tui.dialogs.pages import PageDialog, RefusedDialog
from helpdesk.tui.palette import Palette
from tests.reliability.keys import Walk, Wrong, row
from tests.tui.console import console, demo_desk

MAYA = "u1"


@pytest.fixture
def _hears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guarded, "guard_s", 0.0)


def test_random_keys_break_nothing_and_change_nothing_unasked() -> None:
    found = row(1, is_quick=True)

    assert found.failures == ()
    assert found.tried >= 100


@pytest.mark.slow
def test_many_random_keys_break_nothing_and_change_nothing_unasked() -> None:
    assert row(2, is_quick=False).failures == ()


async def test_an_act_that_no_dialog_asked_for_is_noticed(tmp_path: Path) -> None:
    walk = Walk(1, 0, tmp_path)
    async with AsyncExitStack() as stack:
        app = await walk.opened(stack)
        await stack.enter_async_context(app.run_test())
        await walk.holds(app)

        await walk.before.desk.perform(Note(user=MAYA, ticket="4821", text="by nobody"))

        with pytest.raises(Wrong, match="row 1, note of u1, was asked for by no dialog"):
            await walk.holds(app)


@pytest.mark.usefixtures("_hears")
async def test_a_window_of_one_column_and_back_leaves_the_focus_in_the_dialog(
    tmp_path: Path,
) -> None:
    async with console(demo_desk(tmp_path)) as agent:
        await agent.find("okafor", MAYA)
        await agent.press("c")
        await agent.until(lambda: agent.focused == "body", "the card")
        for size in ((1, 1), (130, 34)):
            agent.app.post_message(events.Resize(Size(*size), Size(*size)))
            await agent.settles()

        assert agent.focused == "body"


@pytest.mark.usefixtures("_hears")
async def test_keys_in_a_window_in_which_nothing_is_shown_break_nothing(tmp_path: Path) -> None:
    async with console(demo_desk(tmp_path)) as agent:
        await agent.find("okafor", MAYA)
        await agent.pilot.resize_terminal(1, 1)

        await agent.press("E")
        await agent.settles()

        assert agent.app.is_running


async def test_enter_struck_twice_in_the_palette_closes_only_it(tmp_path: Path) -> None:
    async with console(demo_desk(tmp_path)) as agent:
        await agent.press("ctrl+p")
        await agent.until(lambda: isinstance(agent.app.screen, Palette), "the palette")
        palette = agent.app.screen

        palette.dismiss()
        palette.dismiss()
        await agent.settles()

        assert agent.app.is_running
        assert len(agent.app.screen_stack) == 1


@pytest.mark.usefixtures("_hears")
async def test_a_button_pressed_twice_in_one_go_closes_only_its_dialog(tmp_path: Path) -> None:
    async with console(demo_desk(tmp_path)) as agent:
        await agent.find("okafor", MAYA)
        await agent.press("R")
        await agent.until(lambda: isinstance(agent.app.screen, RefusedDialog), "the refusal")
        button = agent.app.screen.query_one("#cancel", Button)

        button.press()
        button.press()
        await agent.stands_on_desk()
        await agent.settles()

        assert agent.app.is_running
        assert len(agent.app.screen_stack) == 1


async def test_a_key_that_comes_back_from_below_is_not_heard_by_a_dialog_that_opened_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Guarded, "guard_s", 600.0)
    async with console(demo_desk(tmp_path)) as agent:
        await agent.find("okafor", MAYA)
        await agent.press("R")
        await agent.until(lambda: isinstance(agent.app.screen, RefusedDialog), "the refusal")
        dialog = agent.app.screen
        key = events.Key("escape", None)
        key._set_forwarded()

        agent.app.post_message(key)
        await agent.settles()

        assert agent.app.screen is dialog


@pytest.mark.usefixtures("_hears")
async def test_a_dialog_answered_beneath_another_leaves_that_open_and_closes_after_it(
    tmp_path: Path,
) -> None:
    async with console(demo_desk(tmp_path)) as agent:
        answers: list[object] = []
        beneath, above = PageDialog("Beneath", []), PageDialog("Above", [])
        await agent.app.push_screen(beneath, answers.append)
        await agent.app.push_screen(above, answers.append)

        beneath.dismiss()
        beneath.dismiss()
        await agent.settles()

        assert agent.app.screen is above
        assert not answers
        await agent.press("escape")
        await agent.stands_on_desk()
        assert answers == [None, None]


async def test_a_page_of_a_palette_that_is_not_laid_out_breaks_nothing(tmp_path: Path) -> None:
    async with console(demo_desk(tmp_path)) as agent:
        await agent.press("ctrl+p")
        await agent.until(lambda: isinstance(agent.app.screen, Palette), "the palette")
        await agent.settles()
        palette = agent.app.screen
        assert isinstance(palette, Palette)
        found = palette.query_one(CommandList)
        found.highlighted = 0
        found._index_to_line.clear()

        palette._action_command_list("page_down")

        assert agent.app.is_running


async def test_a_place_that_opens_a_dialog_while_the_console_closes_breaks_nothing(
    tmp_path: Path,
) -> None:
    desk = demo_desk(tmp_path)

    async def open_late() -> None:
        while app.is_running:
            await asyncio.sleep(0)
        await app.push_screen_wait(PageDialog("Late", []))

    async with console(desk) as agent:
        app = agent.app
        late = app.screen.run_worker(open_late(), exit_on_error=False)
        await agent.settles()

    assert late.is_cancelled
    await desk.aclose()
