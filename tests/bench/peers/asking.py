"""The least list that asks a server at every letter: `python -m tests.bench.peers.asking URL`."""

from __future__ import annotations

import gc
import sys

import httpx
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tests.bench.peers.made import WIDTHS


class Found(Widget, can_focus=True):
    """Rows that were answered last, and on the first line what was typed."""

    def __init__(self) -> None:
        super().__init__()
        self.typed = ""
        self._rows: list[tuple[str, ...]] = [("READY",)]

    def show(self, rows: list[tuple[str, ...]]) -> None:
        """Draw other rows."""
        self._rows = rows
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        return [self._strip(y).crop(crop.x, crop.right) for y in crop.line_range]

    def _strip(self, y: int) -> Strip:
        if y > len(self._rows):
            return Strip.blank(self.size.width)
        row = self._rows[y - 1] if y else (f"{self.typed} found",)
        cells = (cell[:w].ljust(w) for cell, w in zip(row, WIDTHS, strict=False))
        text = " ".join(cells)[: self.size.width].ljust(self.size.width)
        return Strip([Segment(text, Style())], self.size.width)


class Asking(App[None]):
    """One list; a letter asks, Escape clears."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url, self._line = url, httpx.AsyncClient(trust_env=False)
        self.animation_level = "none"

    def compose(self) -> ComposeResult:
        yield Found()

    def on_ready(self) -> None:
        self.query_one(Found).focus()
        gc.collect()
        gc.freeze()

    async def on_key(self, event: events.Key) -> None:
        found = self.query_one(Found)
        found.typed = "" if event.key == "escape" else found.typed + (event.character or "")
        answer = await self._line.get(f"{self._url}/find", params={"word": found.typed})
        found.show([tuple(row) for row in answer.json()])


if __name__ == "__main__":
    Asking(sys.argv[1]).run()
