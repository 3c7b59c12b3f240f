"""The line above the log that says how far its verifying is, and what came of it."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from helpdesk.tui.render.verifying import progress_line


class VerifyLine(Widget):
    """Shows one line, or none.

    Attributes:
        far: How many rows are verified, of how many, and that in words; None while none are.
        says: What stands there else; empty for nothing.
    """

    far: reactive[tuple[int, int, str] | None] = reactive(None)
    says: reactive[Content] = reactive(Content(""))

    def __init__(self) -> None:
        super().__init__(id="verifying")
        self.display = False

    def watch_far(self) -> None:
        """Take room only where there is something to say."""
        self.display = self.far is not None or bool(self.says.plain)

    def watch_says(self) -> None:
        """Take room only where there is something to say."""
        self.watch_far()

    def render(self) -> Content:
        """How far it is, else what came of it."""
        if self.far is None:
            return self.says
        return progress_line(*self.far, self.content_size.width)
