"""Places with a list: the search, the window of rows, and what happens when one is chosen."""

from __future__ import annotations

from abc import abstractmethod
from typing import Generic, TypeVar

from textual import on, work
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import Worker, WorkerState

from helpdesk.domain.errors import BadInput, HelpdeskError
from helpdesk.domain.feed import Changes
from helpdesk.domain.search import Page, Query, parse
from helpdesk.service.desk import Desk
from helpdesk.tui.screens.place import Clock, Place, is_log_only
from helpdesk.tui.widgets.finder import UNLOADED, Finder
from helpdesk.tui.widgets.rowlist import RowList

T = TypeVar("T")


class FindingPlace(Place, Generic[T]):
    """A place with a finder.

    A later answer to an earlier search is dropped: reads are exclusive, and compared before shown.
    """

    def __init__(self, desk: Desk, clock: Clock) -> None:
        super().__init__(desk, clock)
        self.typed = ""
        self.query_asked = Query()
        self._shown: Query | None = None
        self._is_new = False
        self.finder = self.make_finder()
        self._products = tuple((card.id, card.names) for card in desk.cards.values())

    @abstractmethod
    def make_finder(self) -> Finder[T]:
        """Give the search and list of this place."""

    @abstractmethod
    async def ask(self, query: Query, offset: int, limit: int) -> Page[T]:
        """Give a window of the answer to a search."""

    def body(self) -> Widget:
        """Give the finder alone."""
        return self.finder

    def standing(self) -> Widget | None:
        """Give the list."""
        return self.finder.rows

    def grow_older(self) -> None:
        """Let the list say how long ago something was by now, where nothing lies on it."""
        if self.is_current:
            self.finder.rows.grow_older()

    def answering(self) -> set[Widget]:
        """Give the search, how many it found, and the list."""
        return {self.finder, self.finder.search, self.finder.rows}

    def on_mount(self) -> None:
        """Stand on the list and ask for its beginning."""
        self.finder.rows.focus()
        self.search()
        self._is_new = True

    def on_screen_resume(self) -> None:
        """Ask anew: other places may have changed what is here; but not for what was just asked."""
        super().on_screen_resume()
        if self.is_mounted and not self._is_new:
            self.search(keep=True)
        self._is_new = False

    @on(Finder.Asked)
    def _asked(self, message: Finder.Asked) -> None:
        message.stop()
        self.typed = message.text
        self.search()

    @on(RowList.Wanted)
    def _wanted(self, message: RowList.Wanted) -> None:
        message.stop()
        if self.query_asked == self._shown:
            self.fetch(message.offset, message.limit)
        else:  # rows of the search that is awaited are none of this list
            self.finder.rows.forget_asking()

    def read_query(self) -> Query | None:
        """Return what the search line asks for; None, and say why, where it cannot be read."""
        try:
            return parse(self.typed, self._products)
        except BadInput as error:
            self.finder.refuse(str(error))
            return None

    @work(exclusive=True, group="search", exit_on_error=False)
    async def search(self, *, keep: bool = False) -> None:
        """Ask for the beginning of the list, or with *keep* for what is in sight.

        Of another search than the one that is shown nothing is in sight yet.
        """
        query = self.read_query()
        if query is None:
            return
        self.query_asked = query
        self.finder.is_busy = True
        kept = keep and query == self._shown
        offset, limit = self.finder.rows.held if kept else (0, self.finder.rows.seen)
        try:
            page = await self.ask(query, offset, limit)
        except HelpdeskError as error:
            self.finder.fail(str(error))
            return
        finally:
            self.finder.is_busy = False
        self._shown = query
        self.finder.show(page, keep=kept)
        self.listed(kept=kept)

    def heed_changes(self, found: Changes) -> None:
        """Ask again for the rows in sight, unless an answer to what was typed is on its way."""
        super().heed_changes(found)
        is_asking = self.finder.is_busy or self.finder.is_awaited
        if self.is_current and not is_asking and self.is_about(found):
            self.search(keep=True)

    def is_about(self, found: Changes) -> bool:
        """Whether what changed may be in this list."""
        return not is_log_only(found)

    def listed(self, *, kept: bool) -> None:
        """Hear that the list was shown: anew, or *kept* where it stood."""

    @work(exclusive=True, group="window", exit_on_error=False)
    async def fetch(self, offset: int, limit: int) -> None:
        """Ask for more rows of the list that is shown."""
        query = self.query_asked
        try:
            page = await self.ask(query, offset, limit)
        except HelpdeskError as error:
            if query is self.query_asked:
                self.finder.fail(str(error))
            return
        if query is self.query_asked:
            self.finder.rows.fill(page)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say of a list that did not come that it could not be loaded; the app tells the fault."""
        if event.state is WorkerState.ERROR and event.worker.group in {"search", "window"}:
            self.finder.fail(UNLOADED)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the key of find to the search line once one types there."""
        if action == "find" and isinstance(self.focused, Input):
            return False
        return super().check_action(action, parameters)

    def action_find(self) -> None:
        """Stand on the search line, from this very key on."""
        self.set_focus(self.finder.search)

    def action_again(self) -> None:
        """Ask the desk again."""
        self.search(keep=True)
        self.count_waiting()

    def action_back(self) -> None:
        """Clear the search; where it is clear, stand on the list."""
        if self.finder.search.value:
            self.finder.search.value = ""
        self.finder.rows.focus()
