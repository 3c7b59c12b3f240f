"""What every line passes before it is drawn: no control, no link, no colour where none is wished.

The last of several guards before the terminal; and what keeps columns in their places there.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")

_LEFTWARDS = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
"""Letters, and their marks, of scripts that are read from right to left: Hebrew, Arabic, …

Also as they are written at one place of a word, and those of scripts of old and of few.
"""

_LOOKS = "(?:\x1b\\[[0-9;:]*m)*"
_BETWEEN = f"{_LOOKS}(?:[ .'\u2019\u200c\u200d-]{_LOOKS})?"
_NAME = re.compile(f"{_LEFTWARDS}(?:{_BETWEEN}{_LEFTWARDS})*")
"""A name of such letters, whatever its looks; two blanks or a frame end it."""

_VOWELLED = "[\u0900-\u0dff\u0f00-\u109f\u1700-\u1cff\ua800-\uabff\U00011000-\U00011fff]"
"""Letters of scripts whose vowels beside a letter take a cell here and none there: Devanagari, …"""

_CODES = re.compile("\x1b\\[[0-9;:?]*[A-Za-z]")
_FLOW = re.compile(r"\x1b\[\d+;(\d+)H((?:[^\x1b\n]|\x1b(?!\[\d+;\d+H))*)")
"""What is drawn from a place on, to the end of the line or the next place; and that column."""

_UNSURE = re.compile(f"{_VOWELLED}(?:[^\x1b ]| (?! ))*(?:  +)?")
"""From such a letter to the end of the gap after it, or of its look: that gap takes the odds."""

_MARK = "\u200e"
_MARKED = f"(?<={_LEFTWARDS}){_MARK}"


class NoControls(LineFilter):
    """Puts a picture in the place of every control character that is about to be drawn.

    The last of several guards: links are taken out too, since their address is sent raw.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return *segments* with the same widths and nothing that commands a terminal."""
        return [
            segment
            if segment.text.isprintable() and not (segment.style and segment.style.link)
            else Segment(_CONTROLS.sub(_picture, segment.text), _unlinked(segment.style))
            for segment in segments
        ]


class Colourless(LineFilter):
    """Takes all colour away; what stood out by its ground stands out reversed.

    Args:
        dark: Whether the theme is a dark one.
    """

    def __init__(self, *, dark: bool) -> None:
        super().__init__()
        self._dark = dark

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return *segments* in the terminal's own two colours."""
        return [
            Segment(text, style and _plain(style, self._dark), control)
            for text, style, control in segments
        ]


def in_order(drawn: str) -> str:
    """Return what is drawn, with a left-to-right mark after each name that is read leftwards.

    A terminal that orders text would draw the number in the next column before the name. A mark is
    of no width, and comes last of all, so that nothing counts it or cuts it off. One from outside
    does not come here: `clean` has made it visible.
    """
    return _NAME.sub(f"\\g<0>{_MARK}", drawn)


def in_place(drawn: str) -> str:
    """Return a frame that says anew in which column it goes on after letters of unsure width.

    Terminals differ by a cell a vowel from what the columns were counted by: what follows would
    stand beside its place, and be left there by the next frame, which draws only what is other.
    """
    if not re.search(_VOWELLED, drawn):
        return drawn
    return _FLOW.sub(_placed, drawn)


def _placed(flow: re.Match[str]) -> str:
    column, line = int(flow[1]), flow[2]

    def sure(run: re.Match[str]) -> str:
        before = _CODES.sub("", line[: run.end()])
        return f"{run[0]}\x1b[{column + cell_len(before)}G"

    return flow[0][: -len(line) or None] + _UNSURE.sub(sure, line)


def unmarked(text: str) -> str:
    """Return *text*, copied off the screen, without the marks `in_order` put there."""
    return re.sub(_MARKED, "", text) if _MARK in text else text


def _picture(control: re.Match[str]) -> str:
    code = ord(control[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else "\ufffd"


def _unlinked(style: Style | None) -> Style | None:
    return style.update_link(None) if style and style.link else style


@lru_cache(2048)
def _plain(style: Style, dark: bool) -> Style:
    """Return *style* without its colours, reversed where its ground is far from the theme's."""
    colour = style.color if style.reverse else style.bgcolor
    light = None if colour is None else Color.from_rich_color(colour).brightness
    stands_out = bool(style.reverse) if light is None else (light > 0.33 if dark else light < 0.6)
    return style.without_color + Style(reverse=stands_out)
