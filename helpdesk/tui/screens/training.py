"""The desk of a rehearsal: the real one, with the caller beside it, or below where it is narrow."""

from __future__ import annotations

from textual.containers import Horizontal
from textual.geometry import Size
from textual.widget import Widget

from helpdesk.service.rehearsal import Rehearsal
from helpdesk.tui.screens.desk import DeskScreen
from helpdesk.tui.screens.place import Clock
from helpdesk.tui.widgets.caller import CallerPanel

BESIDE = 158
"""Columns from which the caller stands beside the desk, and not below it."""

WIDTH, HEIGHT, LESS = 42, 9, 7
"""Columns of the caller beside the desk, lines below it, and lines where there are few."""

FEW = 30
"""Lines below which there are few."""

KEYS = (("F2", "Say"), ("F3", "Stop"), ("F4", "Faster"), ("F6", "Hang up"), ("F7", "Over again"))


class RehearsalScreen(DeskScreen):
    """The desk with somebody on the line."""

    def __init__(self, play: Rehearsal, clock: Clock) -> None:
        super().__init__(play.front, clock)
        self.play = play

    def body(self) -> Widget:
        """List, case and caller."""
        return Horizontal(super().body(), CallerPanel(self.play.scenario, KEYS), id="rehearsal")

    def room(self, size: Size) -> Size:
        """Give what the caller leaves of the window."""
        is_beside = size.width >= BESIDE
        height = LESS if size.height < FEW else HEIGHT
        self.set_class(is_beside, "-beside")
        self.set_class(size.height < FEW, "-few")
        return (
            Size(size.width - WIDTH, size.height)
            if is_beside
            else Size(size.width, size.height - height)
        )

    async def hear(self, pair: str) -> str:
        """Give the caller's own words to a question of the verdict."""
        return await self.play.ask(pair)

    def copy(self, text: str) -> None:
        """Copy a text; the words for the customer are said to them as well."""
        super().copy(text)
        if self.verdict is not None and text == self.verdict.say:
            self.play.tell(text)
