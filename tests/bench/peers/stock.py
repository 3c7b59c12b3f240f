"""Textual's own table with the same rows: `python -m tests.bench.peers.stock ROWS`."""

from __future__ import annotations

import sys

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import DataTable

from tests.bench.peers.made import COLUMNS, made


class Stock(App[None]):
    """One table; its cursor is a row."""

    def __init__(self, total: int) -> None:
        super().__init__()
        self._total = total
        self.animation_level = "none"

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        table: DataTable[str] = self.query_one(DataTable)
        table.add_columns(*COLUMNS)
        table.add_rows(made(number) for number in range(self._total))
        table.focus()

    def on_key(self, event: events.Key) -> None:
        if event.key == "ctrl+q":
            self.exit()


if __name__ == "__main__":
    Stock(int(sys.argv[1])).run()
