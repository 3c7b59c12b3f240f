"""Places whose list has on top what hits many users at once, before anybody blames one of them."""

from __future__ import annotations

from typing import TypeVar

from textual import work
from textual.containers import Vertical
from textual.reactive import var
from textual.widget import Widget

from helpdesk.domain.diagnosis.fleet import FleetFindings
from helpdesk.domain.errors import HelpdeskError
from helpdesk.tui import dialogs
from helpdesk.tui.screens.finding import FindingPlace
from helpdesk.tui.widgets.crowd import Crowd

T = TypeVar("T")


class CrowdPlace(FindingPlace[T]):
    """A list below one line for each thing that many users share.

    Attributes:
        findings: What many users share now; asked for whenever the list is.
    """

    findings: var[FleetFindings] = var(FleetFindings())

    def body(self) -> Widget:
        """The lines, then the list."""
        return Vertical(Crowd(self.scene), self.finder)

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
        for crowd in self.query(Crowd):
            crowd.findings = findings

    def action_more(self) -> None:
        """Show all words of what hits many users."""
        page = self.query_one(Crowd).whole()
        if page:
            self.app.push_screen(dialogs.PageDialog("What hits many users at once", page))
        else:
            self.app.notify("Nothing hits many users at once.", markup=False)
