"""A demo on a stage: the model answer played key by key, alike each time, told to its presenter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from helpdesk.domain.training.scoring import score
from helpdesk.service.rehearsing import Stage
from helpdesk.staging import open_stage, scenario_files
from helpdesk.stores.prompts import Prompts
from helpdesk.tui.demo.app import DemoApp
from helpdesk.tui.demo.filming import filmed
from helpdesk.tui.demo.hand import AT_ONCE
from helpdesk.tui.demo.notes import NotesApp
from helpdesk.tui.film.cast import recorded
from helpdesk.tui.film.strip import drawn
from helpdesk.tui.screens.stage import StageScreen
from tests.factories import CARDS
from tests.training.stage import bundled
from tests.tui.console import Console

SLOW_SIZE = pytest.param((200, 60), marks=pytest.mark.slow)


@asynccontextmanager
async def demo(
    place: Path, name: str, *, size: tuple[int, int] = (80, 24), prompts: Prompts | None = None
) -> AsyncIterator[tuple[Console, DemoApp, Stage]]:
    """Open a demo whose hand is as fast as the console."""
    world = place / "world"
    world.mkdir()
    stage = open_stage(bundled(name), CARDS, world, lambda line: None)
    app = DemoApp(stage, pace=AT_ONCE, tell=prompts.tell if prompts else None)
    async with app.run_test(size=size, notifications=True) as pilot:
        console = Console(pilot)
        await console.sees("On the line", "NEXT")
        yield console, app, stage
    await stage.aclose()


async def played(console: Console, app: DemoApp, steps: int) -> None:
    """Wait until so many steps were played."""
    await console.until(lambda: app.played == steps and not app.is_busy, f"step {steps}")


async def test_each_press_of_the_presenters_key_plays_one_step_with_the_real_dialogs(
    tmp_path: Path,
) -> None:
    async with demo(tmp_path, "it-lived-five-minutes") as (console, app, stage):
        await console.press("f8")
        await played(console, app, 1)
        await console.sees("the code had expired", "2/4 Send code")

        await console.press("f8")
        await played(console, app, 2)
        await console.sees("● LIVE", "Send code: A code went to", "3/4 Tell the customer")

        assert [line.act for line in stage.lines if hasattr(line, "act")] == ["send-code"]


async def filmed_in(place: Path) -> tuple[str, str, bytes]:
    """A strip, a cast and the record of one short run, with a proof."""
    place.mkdir()
    told = bundled("truly-a-lost-phone")
    _, prove, *_, end = told.scenario.model
    model = (prove, end)
    told = replace(told, scenario=replace(told.scenario, model=model))
    stage = open_stage(told, CARDS, place, lambda line: None)
    film = await filmed(stage)
    await stage.aclose()
    return drawn(film.looks), recorded(film.frames, film.seconds), stage.record


async def test_a_run_is_alike_every_time_in_frames_and_record_and_shows_no_secret(
    tmp_path: Path,
) -> None:
    first = await filmed_in(tmp_path / "first")

    second = await filmed_in(tmp_path / "second")

    assert first == second
    strip, cast, record = first
    assert '"result":"right"' in record.decode()
    assert "Whether the caller is proven" in strip
    assert "I read it to you. ••••••" in strip
    assert "I read it to you. ••••••" in cast


async def test_the_same_key_again_begins_from_the_exact_start(tmp_path: Path) -> None:
    async with demo(tmp_path, "it-lived-five-minutes") as (console, app, _):
        before = (tmp_path / "world" / "world.json").read_bytes()
        await console.press("f8")
        await played(console, app, 1)

        await console.press("f7")

        await console.until(lambda: app.is_again, "the end")
    again = tmp_path / "again"
    again.mkdir()
    open_stage(bundled("it-lived-five-minutes"), CARDS, again, lambda line: None).close()
    assert (again / "world.json").read_bytes() == before


@pytest.mark.parametrize("size", [(60, 20), (80, 24), SLOW_SIZE], ids=str)
async def test_at_every_size_each_view_is_whole_and_says_what_is_next(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with demo(tmp_path, "it-lived-five-minutes", size=size) as (console, app, _):
        await console.press("f8")
        await played(console, app, 1)
        await app.settle()
        for shown in ("Codes", "May I", "Caller", "Why"):
            assert "F8 next step" in console.lines[-1]
            assert "TRAINING" in console.lines[0]
            assert "support" in console.lines[0] or size[0] < 80
            await console.press("f5")
            await console.sees(shown, "NEXT", "Send code")


async def test_while_the_hand_plays_only_the_presenters_own_keys_are_heard(tmp_path: Path) -> None:
    async with demo(tmp_path, "it-lived-five-minutes") as (console, app, _):
        app.is_busy = True
        await console.press("u", "2", "f5")

        assert isinstance(app.screen, StageScreen)
        assert app.screen.view == "why"
        app.is_busy = False
        await console.press("2")
        await console.sees("Rounds")
        await console.press("f8")
        await played(console, app, 1)
        assert isinstance(app.screen, StageScreen)


async def test_the_notes_follow_a_demo_begun_before_or_after_them_and_begun_anew(
    tmp_path: Path,
) -> None:
    prompts = Prompts(tmp_path / "class")
    notes = NotesApp(prompts.read)
    async with notes.run_test(size=(100, 40)) as pilot:
        aside = Console(pilot)
        await aside.sees("Waiting for a demo")
        async with demo(tmp_path, "the-director-has-no-time", prompts=prompts) as (_, app, _):
            await aside.sees("NEXT Open the case", "is not who they say", "The usual mistake")
            assert (tmp_path / "class" / ".demo.json").stat().st_mode & 0o777 == 0o600
            await app.play_next()
            await aside.sees("1 of 6 played", "NEXT Ask the caller the question that decides")
            late = Prompts(tmp_path / "class").read()
            assert late is not None
            assert late.done == 1
        (tmp_path / "world").rename(tmp_path / "before")
        async with demo(tmp_path, "it-lived-five-minutes", prompts=prompts):
            await aside.sees("It lived five minutes", "0 of 4 played")
        prompts.end()
        await aside.sees("Waiting for a demo")


@pytest.mark.parametrize("data", [b"", b"{", b'{"pid":1}', b"\xff" * 99, b'{"pid":-1}'])
def test_notes_that_cannot_be_read_are_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / ".demo.json").write_bytes(data)

    assert Prompts(tmp_path).read() is None


@pytest.mark.slow
@pytest.mark.parametrize("name", [path.stem for path in scenario_files()])
async def test_the_hand_gets_full_marks_in_every_scenario(tmp_path: Path, name: str) -> None:
    async with demo(tmp_path, name) as (_, app, stage):
        while await app.play_next():
            pass

        assert app.is_over, app.stuck
        assert score(stage.record).total == 100
