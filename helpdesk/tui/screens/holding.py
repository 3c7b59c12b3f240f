"""Acts that wait a while before they are carried out: shown, counted down, undone by one key."""

from __future__ import annotations

from textual import work
from textual.reactive import var

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.holds import Hold
from helpdesk.tui.screens.bundling import BundlingPlace


class HoldingPlace(BundlingPlace):
    """A place that shows what waits for the user looked at.

    Attributes:
        holds: What waits at the whole desk, the next one first.
    """

    holds: var[tuple[Hold, ...]] = var(())

    def heed_holds(self, holds: tuple[Hold, ...]) -> None:
        """Take in what waits; where something of this user ended meanwhile, ask for the case."""
        ended = {hold.user for hold in self.holds} - {hold.user for hold in holds}
        self.holds = holds
        case = self.current_case()
        if case is not None and case.user.id in ended:
            self.look_again(case.user.id)

    @work(group="undo", exit_on_error=False)
    async def action_undo(self) -> None:
        """Undo what waits for this user: the harmless direction, so one key is enough."""
        case = await self.settled_case()
        try:
            user = case.user.id if case is not None else ""
            waiting = [hold for hold in await self.desk.holds() if hold.user == user]
            if not waiting:
                self.app.notify("Nothing waits for this user that could be undone.", markup=False)
                return
            undone = await self.desk.undo(waiting[0].id)
            self.heed_holds(await self.desk.holds())
        except HelpdeskError as error:
            self.tell(error)
            return
        title = ACTIONS[undone.act].title
        self.app.notify(f"Undone: {title}.", title=undone.user, markup=False)
        self.look_again(undone.user)
