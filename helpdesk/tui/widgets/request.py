"""A request to turn MFA off, as the account manager weighs it."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content
from textual.reactive import reactive

from helpdesk.domain.cases import Case
from helpdesk.tui.render.proving import request_entries
from helpdesk.tui.render.values import hanging
from helpdesk.tui.widgets.parts import Part

BRIEF, SHORT = 1, 4
"""Entries shown where lines are few: who asked; with the proof, the card and the loss."""

TALL = 44
"""Lines of the window from which all of it is shown."""


class Request(Part):
    """Shows who asked, how they were proven, what the card says and what is lost; else nothing."""

    title = " Asked to turn MFA off "

    now: reactive[datetime | None] = reactive(None)

    def watch_case(self, case: Case | None) -> None:
        """Take no room where nothing of the kind is asked."""
        self.display = bool(case and request_entries(case, self.card(case), case.at))

    def content(self, case: Case, width: int) -> Content:
        """One entry a question; the first of them where lines are few."""
        entries = request_entries(case, self.card(case), max(self.now or case.at, case.at))
        few = BRIEF if self.is_low else SHORT
        is_tall = self.screen.size.height >= TALL
        return hanging(entries if is_tall else entries[:few], width)
