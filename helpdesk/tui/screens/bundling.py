"""The case bundle at the console: one key writes what the ticket needs, masked."""

from __future__ import annotations

import asyncio

from textual import work

from helpdesk.domain.errors import HelpdeskError
from helpdesk.service.bundles import write_bundle
from helpdesk.tui.screens.telling import TellingPlace


class BundlingPlace(TellingPlace):
    """A place that writes bundles."""

    @work(group="bundle", exit_on_error=False)
    async def action_bundle(self) -> None:
        """Write the bundle of the user into the directory the console was started in."""
        case = await self.settled_case()
        if case is None:
            self.app.notify("Choose a user first.", markup=False)
            return
        try:
            bundle = await self.desk.bundle(case.user.id, self.said)
            files = await asyncio.to_thread(write_bundle, bundle)
        except HelpdeskError as error:
            self.tell(error)
            return
        first = [file.name for file in files]
        names = f"{', '.join(first[:-1])} and {first[-1]}"
        says = f"Written to {names}, in {files[0].parent}. Addresses and numbers are masked."
        self.app.notify(says, title=case.user.id, timeout=12, markup=False)
