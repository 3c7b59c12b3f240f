"""A rehearsal at the console: the caller speaks, one asks, acts, hangs up and is marked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from textual.widgets import Input

from helpdesk.domain.training.recording import Did
from helpdesk.domain.training.scenario import BEGINS, Step
from helpdesk.domain.training.scoring import score
from helpdesk.fixture.training import Told
from helpdesk.service.rehearsing import Stage
from helpdesk.staging import open_stage
from helpdesk.tui.dialogs.guarded import Guarded
from helpdesk.tui.training import SPEEDS, TrainingApp
from tests.factories import CARDS
from tests.training.stage import Played, bundled
from tests.tui.console import Console, hears_now


@asynccontextmanager
async def rehearsal(
    place: Path, name: str, *, size: tuple[int, int] = (130, 34), theme: str = "dark"
) -> AsyncIterator[tuple[Console, TrainingApp, Stage]]:
    """Open a scenario, with the person's case in sight and the time standing still."""
    stage = open_stage(bundled(name), CARDS, place, lambda line: None)
    app = TrainingApp(stage, theme=theme)
    async with app.run_test(size=size, notifications=True) as pilot:
        console = Console(pilot)
        await console.sees("On the line")
        await console.until(lambda: bool(stage.lines), "the first words")
        await pilot.press("f3")
        await pilot.press("enter")
        await console.has_case("t1")
        yield console, app, stage
    await stage.aclose()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(80, 24), (130, 34), (200, 60)])
async def test_the_caller_is_heard_beside_the_desk_and_the_header_says_training(
    tmp_path: Path, size: tuple[int, int], theme: str
) -> None:
    async with rehearsal(tmp_path, "every-morning", size=size, theme=theme) as (console, app, _):
        await console.sees("TRAINING", "On the line: Freya Hargreaves", "it does not know me")

        assert app.get_css_variables()["demo"] == app.get_css_variables()["train"]
        assert "DEMO" not in console.flat
        assert "May I" in console.flat


async def test_a_call_played_to_its_end_is_marked_from_its_record(tmp_path: Path) -> None:
    async with rehearsal(tmp_path, "every-morning") as (console, app, stage):
        await console.press("q")
        await console.sees("“No, only after I close the browser. In the evening, that is.”")
        await console.press("1")
        await console.stands_on_desk()
        await console.until(lambda: "heard" in str(stage.lines).lower(), "what was put down")
        await console.press("f2")
        await console.type("You clear cookies on closing")
        await console.press("enter")
        await console.sees("you You clear cookies on closing")
        await console.press("f6")
        await console.sees("Hang up: what was it?")
        number = next(line for line in console.lines if "○ B1 " in line).split("○")[0].split()[-1]
        await console.press(number, "enter", "enter")
        await console.sees("Every morning: 100 of 100", "B1 was the cause.", "put down B1/B3")

    assert app.score is not None
    assert app.score == score(stage.record)
    assert app.score.total == 100
    assert not app.is_again


async def test_the_time_stands_still_runs_and_runs_faster(tmp_path: Path) -> None:
    async with rehearsal(tmp_path, "the-director-has-no-time") as (console, _, stage):
        await console.sees("standing still")
        before = stage.now
        await console.pilot.pause(0.6)

        assert stage.now == before

        await console.press("f3", "f4", "f4", "f4", "f4", "f4")
        await console.sees("×60", "You are costing us a contract!")


async def test_what_is_copied_for_the_customer_is_said_to_them(tmp_path: Path) -> None:
    async with rehearsal(tmp_path, "the-second-mail") as (console, _, stage):
        await console.press("y")
        await console.until(lambda: "Told" in str(stage.lines), "the words")
        await console.sees("you Use only the newest")


async def test_over_again_is_asked_for_twice(tmp_path: Path) -> None:
    async with rehearsal(tmp_path, "the-second-mail") as (console, app, _):
        await console.press("f7")
        await console.sees("Press F7 again")
        assert not app.is_again

        await console.press("f7")
        await console.until(lambda: app.is_again, "the end")


async def test_without_a_line_the_real_offline_desk_goes_on_and_sends_what_waits(
    tmp_path: Path,
) -> None:
    async with rehearsal(tmp_path, "between-two-tunnels") as (console, _, stage):
        await console.press("f3", "f4", "f4", "f4", "f4", "f4")
        await console.sees("The line to the desk is down.")
        await console.press("f3", "f")
        await console.sees("It waits on this machine and is sent when the line is back.")
        hears_now(console.app.screen)
        await console.type("Pushes nobody asked for")
        await console.confirm()
        await console.sees("not live", "waits")
        await console.press("f3")
        await console.sees("The line to the desk is back.")

        def acts() -> list[tuple[str, str]]:
            return [(one.act, one.result) for one in stage.lines if isinstance(one, Did)]

        await console.until(lambda: len(acts()) > 1, "the act at the desk")
        assert acts() == [("flag", "queued"), ("flag", "done")]


class Hand:
    """What drives the clock of a play where a test wants it to go on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def by_keys(place: Path, told: Told, speed: int, strides: int) -> bytes:
    """Play a call's model answer by keys, at a speed, going from act to act in some strides."""
    place.mkdir()
    hand, lines = Hand(), list[bytes]()
    stage = open_stage(told, CARDS, place, lines.append)
    app = TrainingApp(stage, theme="dark", hand=hand)
    async with app.run_test(size=(130, 34), notifications=True) as pilot:
        console = Console(pilot)
        await console.sees("On the line")
        await console.has_case("t1")
        await console.press(*["f4"] * SPEEDS.index(speed))
        for step in told.scenario.model:
            # In the middle of the second, so that no rounding makes another one of it.
            until = BEGINS + step.at.delta + timedelta(seconds=0.5)
            stride = (until - stage.now) / strides
            for stop in [until - stride * left for left in range(strides - 1, -1, -1)]:
                hand.now += (stop - stage.now).total_seconds() / speed
                app._tick()
                near = stop - timedelta(milliseconds=1)
                await console.until(lambda near=near: stage.now >= near, "the moment")  # type: ignore[misc]
            await _step(console, step)
        await console.sees("100 of 100")
    await stage.aclose()
    return b"".join(lines)


async def _step(console: Console, step: Step) -> None:
    """Do with keys what a step of a model answer says."""
    before = len(console.app.play.lines)  # type: ignore[attr-defined]
    if step.say:
        await console.press("f2")
        await console.until(lambda: isinstance(console.app.focused, Input), "the line")
        await console.type(step.say)
        await console.press("enter")
    elif step.act:
        assert step.act == "send-code"
        await console.press("s")
        await console.sees("Cancel")
        hears_now(console.app.screen)
        await console.press("tab")
        await console.until(lambda: console.focused == "do", "the focus on the act")
        await console.press("enter")
        await console.stands_on_desk()
    else:
        await console.press("f6")
        await console.sees("Hang up: what was it?")
        if isinstance(console.app.screen, Guarded):
            hears_now(console.app.screen)
        line = next(line for line in console.lines if f"○ {step.end} " in line)
        await console.press(line.split("○")[0].split()[-1], "enter", "enter")
    lines = console.app.play  # type: ignore[attr-defined]
    await console.until(lambda: len(lines.lines) > before, f"the record of {step}")
    await console.settles()


async def test_keys_at_the_console_give_the_same_record_at_any_speed(tmp_path: Path) -> None:
    told = bundled("it-lived-five-minutes")

    slow = await by_keys(tmp_path / "1", told, speed=1, strides=2)
    fast = await by_keys(tmp_path / "60", told, speed=60, strides=1)
    steps = await asyncio.to_thread(lambda: Played(tmp_path / "steps", told, told.scenario.model))

    assert slow == fast
    assert score(slow).total == 100
    # Besides the keystrokes, it is what the same steps give without a console.
    *without_end, end = slow.splitlines()
    assert without_end == steps.record.splitlines()[:-1]
    assert b'"what":"ended"' in end
