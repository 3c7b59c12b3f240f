"""Frames of the console as pictures for slides: a strip in one SVG, and a cast for asciinema."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import Static

from helpdesk.tui.film.cast import recorded
from helpdesk.tui.film.frames import Frame, Look, Run, taken
from helpdesk.tui.film.strip import drawn, moving

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<script>&"\x1b[31m\x07\x9b]\u4f60\u597d'


class Small(App[None]):
    """Two lines, of which the second is a secret."""

    def compose(self) -> ComposeResult:
        """The lines."""
        yield Static(Content.assemble("plain ", ("bold", "bold #ff0000 on #0000ff")))
        yield Static(Content("the code is 123 456"), id="secret")


def frame_of(text: str, caption: str = "", cells: int = 20) -> Frame:
    """A frame of one line of one look."""
    return Frame(cells, 1, ((Run(text, 0, cells, Look()),),), caption)


async def test_a_frame_is_what_the_app_shows_with_its_looks_and_without_what_is_hidden() -> None:
    app = Small()
    async with app.run_test(size=(30, 4)):
        frame = taken(app, "Both", hidden=[app.query_one("#secret").region])

    bold = next(run for run in frame.lines[0] if run.look.is_bold)
    assert (bold.text, bold.column, bold.cells) == ("bold", 6, 4)
    assert (bold.look.ink, bold.look.ground) == ((255, 0, 0), (0, 0, 255))
    assert frame.text.splitlines()[:2] == ["plain bold", "••• •••• •• ••• •••"]
    assert all(sum(run.cells for run in line) == 30 for line in frame.lines)


def test_a_strip_has_all_frames_in_order_with_captions_and_nothing_from_elsewhere() -> None:
    frames = [frame_of(f"frame {n}", f"Caption {n}") for n in range(1, 6)]

    svg = drawn(frames, title="A run", columns=3)

    root = ElementTree.fromstring(svg)
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert words[0] == "A run"
    assert [word for word in words if word and word.startswith("frame")] == [
        f"frame {n}" for n in range(1, 6)
    ]
    assert "5  Caption 5" in words
    assert len({box.get("x") for box in root.iter(f"{SVG}svg") if box is not root}) == 3
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert svg == drawn(frames, title="A run", columns=3)


def test_a_film_shows_one_frame_at_a_time_for_its_seconds_and_the_last_where_nothing_moves() -> (
    None
):
    frames = [frame_of("the same", f"Caption {n}") for n in range(3)]

    svg = moving(frames, [1.0, 2.0, 1.0], title="A call")

    root = ElementTree.fromstring(svg)
    style = root.findtext(f"{SVG}style") or ""
    films = [part.get("class") for part in root.iter(f"{SVG}g") if part.get("class")]
    used = [part.get("href") for part in root.iter(f"{SVG}use")]
    assert films == ["m m0", "m m1", "m m2"]
    assert "@keyframes m1{0%{visibility:hidden}25.000%{visibility:visible}75.000%" in style
    assert ".m{visibility:hidden}.m2{visibility:visible}" in style
    assert len(used) > len(set(used))
    assert svg.count("the same") == 1
    assert "<script" not in svg
    assert svg == moving(frames, [1.0, 2.0, 1.0], title="A call")


def test_hostile_text_is_text_in_a_strip_and_in_a_cast() -> None:
    frame = frame_of("kept", HOSTILE)

    svg = drawn([frame], title=HOSTILE)
    cast = recorded([frame], [1.0], title=HOSTILE)

    found = [text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert any('<script>&"' in word and "\u4f60\u597d" in word for word in found)
    assert "\x1b" not in svg
    head, *_, mark, _ = map(json.loads, cast.splitlines())
    assert all("\x1b" not in says and "\x07" not in says for says in (head["title"], mark[2]))


def test_a_cast_draws_each_frame_at_its_time_and_of_a_later_one_only_what_differs() -> None:
    same = (Run("the same", 0, 8, Look()),)
    first = Frame(8, 2, (same, (Run("before  ", 0, 8, Look()),)), "One")
    second = Frame(8, 2, (same, (Run("after   ", 0, 8, Look(is_bold=True)),)))

    head, *rows = [json.loads(line) for line in recorded([first, second], [1.5, 2]).splitlines()]

    assert (head["version"], head["width"], head["height"]) == (2, 8, 2)
    assert [(at, kind) for at, kind, _ in rows] == [
        (0, "o"), (0, "m"), (1.5, "o"), (3.5, "o"),
    ]  # fmt: skip
    assert rows[0][2].count("\x1b[2J") == 1
    assert "the same" in rows[0][2]
    assert "the same" not in rows[2][2]
    assert "\x1b[2;1H\x1b[0;1;" in rows[2][2]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: drawn([]),
        lambda: recorded([frame_of("x")], []),
        lambda: moving([frame_of("x")], []),
    ],
)
def test_nothing_is_drawn_of_no_frames(draw: object) -> None:
    with pytest.raises(ValueError, match="at the least"):
        draw()  # type: ignore[operator]
