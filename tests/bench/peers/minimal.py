"""The least list on the Line API: `python -m tests.bench.peers.minimal ROWS`."""

from __future__ import annotations

import gc
import sys
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tests.bench.peers.made import WIDTHS, made


class Rows(Widget, can_focus=True):
    """Rows that are made when they are drawn."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "to(1)"),
        Binding("up", "to(-1)"),
        Binding("pagedown", "page(1)"),
        Binding("pageup", "page(-1)"),
        Binding("home", "first"),
        Binding("end", "last"),
    ]

    def __init__(self, total: int) -> None:
        super().__init__()
        self._total, self._cursor, self._top = total, 0, 0
        self._plain, self._under = Style(), Style(color="black", bgcolor="cyan")

    def render_lines(self, crop: Region) -> list[Strip]:
        return [self._strip(y).crop(crop.x, crop.right) for y in crop.line_range]

    def _strip(self, y: int) -> Strip:
        at = self._top + y
        if at >= self._total:
            return Strip.blank(self.size.width)
        mark = "▌" if at == self._cursor else " "
        cells = (cell[:w].ljust(w) for cell, w in zip(made(at), WIDTHS, strict=True))
        text = (mark + " ".join(cells))[: self.size.width].ljust(self.size.width)
        style = self._under if at == self._cursor else self._plain
        return Strip([Segment(text, style)], self.size.width)

    def _go(self, cursor: int) -> None:
        old, self._cursor = self._cursor, max(0, min(cursor, self._total - 1))
        height = self.size.height
        top = max(self._cursor - height + 1, min(self._top, self._cursor))
        if top != self._top:
            self._top = top
            self.refresh()
            return
        for at in (old, self._cursor):
            self.refresh(Region(0, at - top, self.size.width, 1))

    def action_to(self, by: int) -> None:
        self._go(self._cursor + by)

    def action_page(self, by: int) -> None:
        self._go(self._cursor + by * (self.size.height - 1))

    def action_first(self) -> None:
        self._go(0)

    def action_last(self) -> None:
        self._go(self._total - 1)


class Minimal(App[None]):
    """One list."""

    def __init__(self, total: int) -> None:
        super().__init__()
        self._total = total
        self.animation_level = "none"

    def compose(self) -> ComposeResult:
        yield Rows(self._total)

    def on_ready(self) -> None:
        self.query_one(Rows).focus()
        gc.collect()
        gc.freeze()

    def on_key(self, event: events.Key) -> None:
        if event.key == "ctrl+q":
            self.exit()


if __name__ == "__main__":
    Minimal(int(sys.argv[1])).run()
