"""The virtual list: it asks for windows, whatever the length, and holds only some."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from textual import events, on
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from helpdesk.domain.search import Page
from helpdesk.tui.render.rows import Cell, Column, Scene
from helpdesk.tui.render.values import ago
from helpdesk.tui.themes import THEMES
from helpdesk.tui.widgets.rowlist import KEPT, RowList

MILLION = 1_000_000
BEGUN = datetime(2026, 5, 4, tzinfo=UTC)


def age(row: int, scene: Scene) -> str:
    """Say of the fourth row alone how long ago it was."""
    return ago(BEGUN - timedelta(minutes=3), scene.now) if row == 3 else ""


class Million(App[None]):
    """A list of a million numbers that answers what the list asks for."""

    def __init__(self) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "dark"
        self.asked: list[tuple[int, int]] = []
        self.rested: list[int] = []
        self.now = BEGUN
        columns: tuple[Column[int], ...] = (
            Column(title="Number", cell=lambda row, scene: Cell(f"row {row:,}")),
            Column(title="Age", width=10, cell=lambda row, scene: Cell(age(row, scene))),
        )
        self.rows: RowList[int] = RowList(columns, str, lambda: Scene({}, self.now))

    def compose(self) -> ComposeResult:
        yield self.rows

    def on_mount(self) -> None:
        self.rows.focus()
        self.rows.show(self.page(0, 100))

    def page(self, offset: int, limit: int) -> Page[int]:
        rows = range(offset, min(MILLION, offset + limit))
        return Page(total=MILLION, offset=offset, rows=tuple(rows))

    @on(RowList.Wanted)
    def answer(self, message: RowList.Wanted) -> None:
        self.asked.append((message.offset, message.limit))
        self.rows.fill(self.page(message.offset, message.limit))

    @on(RowList.Rested)
    def note(self, message: RowList.Rested[int]) -> None:
        self.rested.append(message.row)

    def lines(self) -> list[str]:
        return [strip.text for strip in self.screen._compositor.render_strips()]


async def test_the_end_of_a_million_rows_is_one_key_and_one_small_window_away() -> None:
    app = Million()
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.press("end")
        for _ in range(5):
            await pilot.pause(0.02)

        assert "row 999,999" in app.lines()[-1]
        assert app.rested[-1] == MILLION - 1
        assert len(app.asked) == 1
        assert app.asked[0][1] <= 100


async def test_what_lies_beyond_is_asked_for_at_rest_and_only_where_keys_move_the_cursor() -> None:
    app = Million()
    async with app.run_test(size=(40, 20)) as pilot:
        app.set_focus(None)
        app.rows.show(app.page(0, app.rows.seen))
        await pilot.pause(0.1)
        before = [*app.asked]

        app.rows.focus()
        await pilot.pause(0.1)

        assert before == []
        assert app.asked == [(20, 40)]
        assert app.rows._rows == dict(enumerate(range(60)))


async def test_what_is_asked_anew_is_what_was_asked_for_until_more_was_needed() -> None:
    app = Million()
    async with app.run_test(size=(40, 20)) as pilot:
        app.set_focus(None)
        app.rows.show(app.page(0, app.rows.seen))
        await pilot.pause(0.1)
        at_first = app.rows.held

        app.rows.focus()
        await pilot.pause(0.1)

        assert (at_first, app.rows.held) == ((0, app.rows.seen), app.rows.window)


async def test_pages_and_single_steps_keep_the_cursor_in_sight() -> None:
    app = Million()
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.press("pagedown", "pagedown", "up")
        await pilot.pause()

        assert app.rows.cursor == 37
        assert any(line.startswith("▌row 37") for line in app.lines())


async def test_walking_through_all_keeps_only_some_rows() -> None:
    app = Million()
    async with app.run_test(size=(40, 20)) as pilot:
        for _ in range(300):
            app.rows.action_page(1)
            app.rows.render_line(19)
            await pilot.pause(0)

        assert len(app.rows._rows) <= KEPT + 200


async def test_a_list_asked_anew_keeps_the_cursor_on_its_row() -> None:
    app = Million()
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.press("down", "down")
        await pilot.pause()

        app.rows.show(Page(total=4, offset=0, rows=(9, 0, 1, 2)), keep=True)

        assert app.rows.current == 2


async def test_the_wheel_rolls_the_window_and_leaves_the_cursor() -> None:
    app = Million()
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot._post_mouse_events([events.MouseScrollDown], offset=(5, 5))
        await pilot.pause()

        assert "row 3" in app.lines()[0]
        assert app.rows.cursor == 0


async def _begun(app: Million, pilot: Pilot[None]) -> None:
    """Wait until the list has said where it begins, and forget that."""
    while not app.rested:
        await pilot.pause(0.01)
    app.rested.clear()


async def test_a_list_asked_anew_stays_where_the_wheel_rolled_it_and_pulls_nobody() -> None:
    app = Million()
    async with app.run_test(size=(40, 20)) as pilot:
        await _begun(app, pilot)
        for _ in range(40):
            await pilot._post_mouse_events([events.MouseScrollDown], offset=(5, 5))
        await pilot.pause()
        offset, limit = app.rows.held

        rows = tuple(range(offset, offset + limit))
        app.rows.show(Page(total=1_000_000, offset=offset, rows=rows), keep=True)
        await pilot.pause()

        assert "row 120" in app.lines()[0]
        assert (app.rows.cursor, app.rows.current, app.rested) == (0, 0, [])


async def test_an_empty_list_says_so() -> None:
    app = Million()
    async with app.run_test(size=(40, 20)) as pilot:
        app.rows.empty_says = "Nobody found."
        app.rows.show(Page(total=0, offset=0, rows=()))
        await pilot.press("down", "enter", "end")
        await pilot.pause()

        assert "Nobody found." in app.lines()[0]


async def test_a_held_key_comes_to_rest_once_where_it_ends() -> None:
    app = Million()
    async with app.run_test(size=(40, 20)) as pilot:
        await _begun(app, pilot)

        for _ in range(7):
            app.rows.action_move(1)
        was_moving = app.rows.is_moving
        while app.rows.is_moving or not app.rested:
            await pilot.pause(0.01)

        assert was_moving
        assert app.rested == [7]


async def test_of_a_list_that_stays_as_it_was_nothing_is_drawn_anew() -> None:
    app = Million()
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.pause()
        drawn = app.lines()

        app.rows.show(app.page(0, 100), keep=True)

        assert not app.rows._repaint_regions
        assert app.lines() == drawn


@pytest.mark.parametrize("is_answered_anew", [False, True])
async def test_as_time_goes_by_only_the_lines_that_tell_of_it_are_painted(
    monkeypatch: pytest.MonkeyPatch, *, is_answered_anew: bool
) -> None:
    app = Million()
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.pause(0.1)
        if is_answered_anew:
            app.rows.show(app.page(0, 100), keep=True)
            await pilot.pause(0.1)
        painted: list[Region] = []
        refresh = app.rows.refresh

        def noted(*regions: Region) -> RowList[int]:
            painted.extend(regions)
            return refresh(*regions)

        monkeypatch.setattr(app.rows, "refresh", noted)

        for _ in range(12):
            app.now += timedelta(seconds=10)
            app.rows.grow_older()
            await pilot.pause()

        assert "5 min ago" in app.lines()[3]
        assert painted == [Region(0, 3, 40, 1)] * 2  # 4 min ago, then 5


async def test_of_a_new_answer_the_lines_that_differ_are_drawn_in_one_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = Million()
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.pause()
        asked: list[tuple[Region, ...]] = []
        monkeypatch.setattr(app.rows, "refresh", lambda *regions: asked.append(regions))
        same, other = app.page(0, 100).rows, app.page(500, 100).rows
        rows = (*same[:3], other[0], same[4], *other[1:])

        app.rows.show(Page(total=MILLION, offset=0, rows=rows), keep=True)

        assert asked == [tuple(Region(0, y, 40, 1) for y in (3, *range(5, 20)))]


async def test_a_line_drawn_once_is_no_longer_than_the_list_after_it_shrank() -> None:
    app = Million()
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.pause()

        await pilot.resize_terminal(30, 12)
        await pilot.pause()

        assert {strip.cell_length for strip in app.rows.render_lines(app.rows.size.region)} == {30}


@pytest.mark.parametrize("width", [20, 80])
async def test_a_mark_in_the_last_cell_shows_how_far_down_the_window_is(width: int) -> None:
    app = Million()
    async with app.run_test(size=(width, 20)) as pilot:
        seen = {}
        for by in ("home", "end"):
            await pilot.press(by)
            for _ in range(5):
                await pilot.pause(0.02)
            seen[by] = app.lines()

    assert [at for at, line in enumerate(seen["home"]) if line[-1] == "▐"] == [0]
    assert [at for at, line in enumerate(seen["end"]) if line[-1] == "▐"] == [19]
    assert {len(line) for lines in seen.values() for line in lines} == {width}


async def test_the_mark_costs_no_letter_of_a_column_and_moves_none() -> None:
    app = Million()
    app.rows._columns = (Column(title="", width=18, cell=lambda row, scene: Cell("x" * 18)),) * 2
    async with app.run_test(size=(1 + 18 + 1 + 18 + 1, 20)) as pilot:
        await pilot.pause()
        with_mark = app.lines()[0]
        app.rows.show(Page(total=1, offset=0, rows=(0,)))
        await pilot.pause()

        assert with_mark == "▌" + "x" * 18 + " " + "x" * 18 + "▐"
        assert app.lines()[0] == with_mark.replace("▐", " ")


async def test_rows_that_did_not_come_yet_have_the_mark_beside_them_too() -> None:
    app = Million()
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.pause()
        app.rows.show(Page(total=40, offset=0, rows=()))

        drawn = [app.rows.render_line(y).text for y in range(20)]

        assert drawn == [" …" + " " * 37 + "▐"] * 10 + [" …" + " " * 38] * 10
