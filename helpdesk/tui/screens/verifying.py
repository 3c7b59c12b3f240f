"""The place whose list can be verified, beside everything else one does there."""

from __future__ import annotations

import asyncio

from textual import work
from textual.worker import Worker

from helpdesk.domain.audit import LogRow
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.inspection import Inspection
from helpdesk.domain.text import counted
from helpdesk.service.inspecting import Pace, inspected
from helpdesk.tui import dialogs
from helpdesk.tui.render.verifying import found_line, found_page, stopped_line
from helpdesk.tui.screens.finding import FindingPlace
from helpdesk.tui.widgets.verifying import VerifyLine


class VerifyingPlace(FindingPlace[LogRow]):
    """A list of the log, and a line that says how far its verifying is."""

    _verifying: Worker[None] | None = None
    _found: Inspection | None = None

    @property
    def is_verifying(self) -> bool:
        """Whether the log is being verified."""
        return self._verifying is not None and self._verifying.is_running

    def action_verify(self) -> None:
        """Verify the log, unless that is under way."""
        if not self.is_verifying:
            self._verifying = self.verify()

    def action_back(self) -> None:
        """Cancel the verifying; where there is none, go back."""
        if self._verifying is not None and self.is_verifying:
            self._verifying.cancel()
        else:
            super().action_back()

    def action_more(self) -> None:
        """Show all that the verifying found."""
        if self._found is not None:
            self.app.push_screen(dialogs.PageDialog("The log, verified", found_page(self._found)))
        else:
            self.app.notify("The log was not verified yet: press v.", markup=False)

    @work(group="verify", exit_on_error=False)
    async def verify(self) -> None:
        """Verify all of the log, and say how far that is; every other key goes on being heard."""
        line, pace, far = self.query_one(VerifyLine), Pace(), "nothing"

        def heed(done: int, of: int) -> None:
            nonlocal far
            far = f"{done:,} of {counted(of, 'row')}"
            line.far = done, of, pace.words(done, of)

        line.far, self._found = (0, 1, "begins"), None
        try:
            self._found = await inspected(self.desk, heed=heed)
            line.says = found_line(self._found, self.clock(), self.clock())
        except asyncio.CancelledError:
            line.says = stopped_line(f"Cancelled after {far}; nothing is said of the log.")
            raise
        except HelpdeskError as error:
            line.says = stopped_line(f"The log was not verified: {error}")
        finally:
            line.far = None
