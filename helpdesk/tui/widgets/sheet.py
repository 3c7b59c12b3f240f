"""Entries with a head and a text that is broken beside it, never below it."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from helpdesk.tui.render.values import Entry, hanging


class Sheet(Widget):
    """Shows entries below each other; says `Picked` when one that stands for an act is clicked."""

    class Picked(Message):
        """An entry was clicked."""

        def __init__(self, act: str) -> None:
            super().__init__()
            self.act = act

    def __init__(
        self,
        entries: Sequence[Entry] = (),
        *,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
    ) -> None:
        super().__init__(id=id, classes="sheet")
        self._entries = tuple(entries)
        self._shown: tuple[int, Content] | None = None

    def update(self, entries: Sequence[Entry]) -> None:
        """Show other entries."""
        self._entries, self._shown = tuple(entries), None
        self.refresh(layout=True)

    def render(self) -> Content:
        """All entries at the width there is."""
        return self._at(self.content_size.width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Give as many lines as the entries take at a width."""
        return self._at(width).plain.count("\n") + 1 if self._entries else 0

    def _at(self, width: int) -> Content:
        """Break the entries at a width, once: it is asked for by each layout and by the frame."""
        if self._shown is None or self._shown[0] != width:
            self._shown = width, hanging(self._entries, width)
        return self._shown[1]

    def on_click(self, event: events.Click) -> None:
        """Tell which act was clicked."""
        act = event.style.meta.get("act")
        if isinstance(act, str):
            self.post_message(self.Picked(act))
