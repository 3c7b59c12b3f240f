"""Places whose list has on top what hits many users at once, before anybody blames one of them."""

from __future__ import annotations

from typing import TypeVar

from textual import work
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import var
from textual.widget import Widget
from textual.widgets import Static

from helpdesk.domain.diagnosis.fleet import FleetFindings
from helpdesk.domain.errors import HelpdeskError
from helpdesk.tui.render.verdict import fleet_lines
from helpdesk.tui.screens.finding import FindingPlace

T = TypeVar("T")


class CrowdPlace(FindingPlace[T]):
    """A list below one line for each thing that many users share.

    Attributes:
        findings: What many users share now; asked for whenever the list is.
    """

    findings: var[FleetFindings] = var(FleetFindings())

    def body(self) -> Widget:
        """The lines, then the list."""
        lines = Static(Content(""), id="crowd", markup=False)
        lines.display = False
        return Vertical(lines, self.finder)

    def on_screen_resume(self) -> None:
        """Ask for the list, and for what many share."""
        super().on_screen_resume()
        self.ask_fleet()

    def action_again(self) -> None:
        """Ask for both again."""
        super().action_again()
        self.ask_fleet()

    @work(exclusive=True, group="fleet", exit_on_error=False)
    async def ask_fleet(self) -> None:
        """Ask what many users share; the list itself says where the desk cannot be reached."""
        try:
            self.findings = await self.desk.fleet()
        except HelpdeskError:
            self.findings = FleetFindings()

    def watch_findings(self, findings: FleetFindings) -> None:
        """Show one line a finding, and no line where there is none."""
        for lines in self.query("#crowd").results(Static):
            lines.update(fleet_lines(findings, self.scene()))
            lines.display = bool(findings.findings)
