"""The least that Textual can show."""

from __future__ import annotations

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Static


class Hello(App[None]):
    """One line, and the key that quits."""

    def compose(self) -> ComposeResult:
        yield Static("READY")

    def on_key(self, event: events.Key) -> None:
        if event.key == "ctrl+q":
            self.exit()


if __name__ == "__main__":
    Hello().run()
