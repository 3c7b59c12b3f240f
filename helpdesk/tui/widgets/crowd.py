"""What hits many users at once, a line each."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from helpdesk.domain.diagnosis.fleet import FleetFindings
from helpdesk.tui.keys import KEYS
from helpdesk.tui.render.rows import Scene
from helpdesk.tui.render.values import Entry
from helpdesk.tui.render.verdict import fleet_line, fleet_lines
from helpdesk.tui.widgets.chrome import Pressed

MORE = next(key for key in KEYS if key.does == "more")


class Crowd(Widget):
    """Shows `findings`, one line each; says `Pressed` when one is clicked.

    Attributes:
        findings: What many users share now; without any the widget takes no room.
    """

    findings: reactive[FleetFindings] = reactive(FleetFindings(), layout=True)

    def __init__(self, scene: Callable[[], Scene]) -> None:
        super().__init__(id="crowd")
        self._scene = scene
        self.display = False

    def watch_findings(self, findings: FleetFindings) -> None:
        """Take room only where there is something to say."""
        self.display = bool(findings.findings)

    def render(self) -> Content:
        """One line a finding, cut where it is longer than the line."""
        return fleet_lines(self.findings, self._scene(), self.content_size.width, MORE.key)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Give a line a finding."""
        return len(self.findings.findings)

    def whole(self) -> list[Entry]:
        """Give every finding with all its words."""
        found: list[Entry] = []
        for one in self.findings.findings:
            found += [Entry(Content(""), fleet_line(one, self._scene())), Entry(*[Content("")] * 2)]
        return found[:-1]

    def on_click(self, event: events.Click) -> None:
        """Wish for all the words."""
        event.stop()
        self.post_message(Pressed(MORE))
