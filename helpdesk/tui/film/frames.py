"""One frame of the console as a value: its cells with their colours, and what stands below it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.app import App
from textual.geometry import Region
from textual.strip import Strip

UNFIT: Final = re.compile("[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, and control characters that a terminal would obey."""

HIDDEN: Final = "•"
"""What stands in a frame for a letter or digit that nobody is to read."""

DARK, LIGHT = (16, 20, 27), (221, 227, 236)
"""Ground and ink where a cell names none."""

FADE: Final = 0.5
"""How far faint ink goes towards its ground."""

Ink = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """How cells look: ink and ground as red, green and blue from 0 to 255."""

    ink: Ink = LIGHT
    ground: Ink = DARK
    is_bold: bool = False
    is_italic: bool = False
    is_underlined: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one look in one line, which begins in a column from 0 and takes so many cells."""

    text: str
    column: int
    cells: int
    look: Look


@dataclass(frozen=True, slots=True)
class Frame:
    """What a console of *width* × *height* cells shows, line by line from the top.

    Attributes:
        caption: What happens in it, in a sentence or less.
    """

    width: int
    height: int
    lines: tuple[tuple[Run, ...], ...]
    caption: str = ""

    @property
    def text(self) -> str:
        """What can be read in it, one line a line."""
        return "\n".join("".join(run.text for run in line).rstrip() for line in self.lines)


def harmless(text: str) -> str:
    """Return text without what XML cannot hold and what a terminal would obey."""
    return UNFIT.sub("\ufffd", text)


def taken(app: App[Any], caption: str = "", *, hidden: Collection[Region] = ()) -> Frame:
    """Return what an app shows now.

    Args:
        app: It runs, with a terminal or without.
        caption: What happens in the frame.
        hidden: Places whose letters and digits are not to be read.
    """
    compositor = app.screen._compositor
    update = compositor.render_update(full=True, screen_stack=app._background_screens)
    rows = update.strips if isinstance(update, LayoutUpdate) else []  # asked for in full it is one
    width, height = app.size
    lines = tuple(_line(Strip.join(list(row)), y, hidden) for y, row in enumerate(rows))
    return Frame(width, height, lines, caption)


def _line(row: Iterable[Segment], y: int, hidden: Collection[Region]) -> tuple[Run, ...]:
    """The runs of one line, neighbours of one look joined."""
    runs: list[Run] = []
    column = 0
    for text, style, control in row:
        if control or not text:
            continue
        look, cells = _look(style), cell_len(text)
        shown = _masked(harmless(text), column, y, hidden)
        if runs and runs[-1].look == look:
            last = runs.pop()
            runs.append(Run(last.text + shown, last.column, last.cells + cells, look))
        else:
            runs.append(Run(shown, column, cells, look))
        column += cells
    return tuple(runs)


def _masked(text: str, column: int, y: int, hidden: Collection[Region]) -> str:
    """The text with dots for what stands in a hidden place, as many as it takes cells."""
    shown, x = "", column
    for letter in text:
        cells = cell_len(letter)
        is_hidden = any(place.contains(x, y) for place in hidden)
        is_read = not letter.isspace() and not "\u2500" <= letter <= "\u257f"
        shown += HIDDEN * cells if is_hidden and is_read else letter
        x += cells
    return shown


def _look(style: Style | None) -> Look:
    if style is None:
        return Look()
    ink, ground = _ink(style.color, LIGHT), _ink(style.bgcolor, DARK)
    if style.reverse:
        ink, ground = ground, ink
    if style.dim:
        red, green, blue = (round(i + (g - i) * FADE) for i, g in zip(ink, ground, strict=True))
        ink = red, green, blue
    return Look(ink, ground, bool(style.bold), bool(style.italic), bool(style.underline))


def _ink(color: Color | None, otherwise: Ink) -> Ink:
    if color is None or color.is_default:
        return otherwise
    found = color.get_truecolor()
    return found.red, found.green, found.blue
