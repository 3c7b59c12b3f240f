"""The case bundle at the console: one key writes what the ticket needs, masked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace
from textual import work

from helpdesk.domain.actions import Note
from helpdesk.domain.cases import Case
from helpdesk.domain.errors import HelpdeskError
from helpdesk.tui.screens.proving import ticket_of
from helpdesk.tui.screens.telling import TellingPlace


class BundlingPlace(TellingPlace):
    """A place that writes bundles."""

    def action_bundle(self) -> None:
        """Write the bundle of the user into the directory the console was started in."""
        self.ask_by(self.write_bundle)

    @work(group="bundle", exit_on_error=False)
    async def write_bundle(self) -> None:
        """Write the bundle; where a ticket system keeps a ticket of the user, offer it to that."""
        from helpdesk.service.bundles import write_bundle  # noqa: PLC0415  (seldom asked for)

        case = await self.settled_case()
        if case is None:
            self.app.notify("Choose a user first.", markup=False)
            return
        try:
            bundle = await self.desk.bundle(case.user.id, self.said)
            files = await asyncio.to_thread(write_bundle, bundle)
            self._tell_of(case.user.id, files)
            if any(ticket.system for ticket in case.open_tickets):
                await self._put_on_ticket(case)
        except HelpdeskError as error:
            self.tell(error)

    async def _put_on_ticket(self, case: Case) -> None:
        """Offer the bundle to a ticket, as a comment."""
        far = [ticket for ticket in case.open_tickets if ticket.system]
        said = "\n".join(f"{one.ask}={one.reply}" for one in self.said)
        number = ticket_of(replace(case, tickets=tuple(far)), self.desk.agent.id)
        action = Note(user=case.user.id, ticket=number, bundle=True, said=said)
        weighed = await self.desk.weigh(action)
        if weighed.decision.is_refused:
            self.app.notify(weighed.decision.why, title=case.user.id, markup=False)
            return
        await self._ask(action, weighed, case, title="Put on the ticket")

    def _tell_of(self, user: str, files: Sequence[Path]) -> None:
        first = [file.name for file in files]
        names = f"{', '.join(first[:-1])} and {first[-1]}"
        says = f"Written to {names}, in {files[0].parent}. Addresses and numbers are masked."
        self.app.notify(says, title=user, timeout=12, markup=False)
