"""The newest attempt beside the last good one, above the timeline."""

from __future__ import annotations

from textual.content import Content

from helpdesk.domain.cases import Case
from helpdesk.domain.diagnosis.attempts import Attempts, attempts
from helpdesk.tui.render.latest import latest
from helpdesk.tui.widgets.parts import Part


class Latest(Part):
    """Shows in what the newest attempt differs, and the loop it is part of."""

    _of: Case | None = None
    _attempts = Attempts()

    def content(self, case: Case, width: int) -> Content:
        """Give the difference and the loop; they are looked for once a case."""
        card = self.card(case)
        if self._of is not case and card is not None:
            self._of, self._attempts = case, attempts(card, case.user, case.timeline, case.at)
        return latest(self._attempts, case.at, width) if card else Content("")
