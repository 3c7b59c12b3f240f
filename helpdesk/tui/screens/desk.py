"""The desk: find the person on the left, see the case on the right, act by key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from textual import events, on, work
from textual.reactive import var
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from helpdesk.assets import asset
from helpdesk.domain.agents import Role
from helpdesk.domain.cases import Case, Outcome, masked
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.feed import Changes, Kind
from helpdesk.domain.holds import Hold
from helpdesk.domain.proofs import PROOF_LIFE
from helpdesk.domain.search import Page, Query, Sort, UserRow
from helpdesk.service.desk import Desk
from helpdesk.tui import dialogs
from helpdesk.tui.keys import Where, bindings
from helpdesk.tui.render.rows import USERS
from helpdesk.tui.screens.finding import FindingPlace
from helpdesk.tui.screens.holding import HoldingPlace
from helpdesk.tui.screens.place import Clock
from helpdesk.tui.widgets.case_panel import CasePanel
from helpdesk.tui.widgets.chrome import KeyFooter
from helpdesk.tui.widgets.drawn import Beside
from helpdesk.tui.widgets.finder import Finder
from helpdesk.tui.widgets.rowlist import RowList

if TYPE_CHECKING:
    from helpdesk.tui.widgets.parts import Unproven, Wish
    from helpdesk.tui.widgets.timeline import Timeline

PATIENCE_S, POLL_S = 10.0, 0.02
"""Seconds an act that was typed ahead waits for its case, and between two looks."""

AGED: Final = timedelta(minutes=1)
"""So long a case stands as it was drawn where nothing counts down: it tells how old things are."""


def counts_down(case: Case, shown: datetime, holds: tuple[Hold, ...] = ()) -> bool:
    """Whether a code, a wait, a lock, a proof or a held act still ran when *shown* was drawn."""
    live, lock = case.codes.live, case.user.lock_ends_at
    proofs = [p.at + PROOF_LIFE for p in case.proofs if p.used_at is None]
    due = [hold.due_at for hold in holds if hold.user == case.user.id]
    ends = (live.expires_at if live else None, case.codes.next_send_at, lock, *proofs, *due)
    return any(end is not None and end > shown for end in ends)


class DeskScreen(HoldingPlace, FindingPlace[UserRow]):
    """Search and queue beside the case.

    Attributes:
        case: The case that is shown; assigned here only, handed down by binding.
        now: The time, second by second, for what counts down.
    """

    CSS_PATH = asset("styles/desk.tcss")
    WHERE = Where.DESK
    TITLE_WORDS = "the desk"
    BINDINGS = bindings(Where.DESK)

    case: var[Case | None] = var(None)
    now: var[datetime | None] = var(None)

    def __init__(self, desk: Desk, clock: Clock) -> None:
        super().__init__(desk, clock)
        self._looked_at = ""
        self._rested_on = ""
        self._missed = ""

    def make_finder(self) -> Finder[UserRow]:
        """Give the list of users."""
        finder = Finder(
            USERS,
            lambda row: row.id,
            self.scene,
            placeholder="name, login, number, ticket",
        )
        finder.rows.empty_says = "Nobody found."
        return finder

    def body(self) -> Widget:
        """List beside case."""
        panel = CasePanel(self.desk.cards).data_bind(
            DeskScreen.case,
            DeskScreen.now,
            DeskScreen.verdict,
            DeskScreen.said,
            DeskScreen.why_fault,
            DeskScreen.holds,
        )
        return Beside(self.finder, panel, id="desk")

    def standing(self) -> Widget | None:
        """Give the case where the list gave way to it, else the list."""
        is_alone = self.has_class("-narrow") and self.has_class("-case-open")
        return self.query_one(CasePanel).scrolls if is_alone else self.finder.rows

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout; where one gives way to the other, what has the focus stays."""
        has_it = self.focused
        if has_it is not None:
            if has_it is self.finder.search:
                self.set_class(False, "-case-open")  # what is being typed must not become acts
            elif has_it is not self.finder.rows:
                self.set_class(True, "-case-open")
        super().on_resize(event)
        is_alone = self.has_class("-narrow") and self.has_class("-case-open")
        self.query_one(KeyFooter).goes_back = is_alone
        for panel in self.query(CasePanel):
            panel.give_scrolling(is_one=self.has_class("-slim"))

    def on_mount(self) -> None:
        """Begin the clock that counts codes down."""
        super().on_mount()
        self.now = self.clock()
        self.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        # While nothing counts down only ages are drawn: an idle console writes next to nothing.
        case = self.case
        if not self.is_current or case is None:
            return
        now, shown = self.clock(), max(self.now or case.at, case.at)
        if counts_down(case, shown, self.holds) or now - shown >= AGED:
            self.now = now

    async def ask(self, query: Query, offset: int, limit: int) -> Page[UserRow]:
        """Give the queue while nothing is asked for, else those found."""
        is_queue = query.is_empty and query.sort is None
        self.finder.title = "in your queue" if is_queue else "found"
        if self.desk.agent.role is Role.ACCOUNT_MANAGER and is_queue:
            self.finder.title = "to turn off"
        if is_queue:
            return await self.desk.queue(offset=offset, limit=limit)
        return await self.desk.find(query, offset=offset, limit=limit)

    def go_on(self) -> None:
        """Make the parts of the case as well, for the first of them to come."""
        super().go_on()
        self.furnish()

    @work(group="furnish", exit_on_error=False)
    async def furnish(self) -> None:
        """Make the parts of the case; what shows one takes the focus where nothing else can."""
        for panel in self.query(CasePanel):
            await panel.furnished()
        self.keep_focus()

    @on(RowList.Rested)
    def _rested(self, message: RowList.Rested[UserRow]) -> None:
        self._rested_on = self._looked_at = message.row.id
        self.finder.rows.is_apart = False
        if self.case is None or self.case.user.id != message.row.id:
            self.open_case(message.row.id)

    @on(RowList.Chosen)
    def _chosen(self, message: RowList.Chosen[UserRow]) -> None:
        self._rested_on = message.row.id
        self.finder.rows.is_apart = False
        self._look_at(message.row.id)
        self.show_case(is_open=True)

    def _look_at(self, user: str) -> None:
        self._looked_at = user
        self.open_case(user)

    @property
    def is_between(self) -> bool:
        """Whether the agent has moved on to a user whose case is not there yet."""
        rows = self.finder.rows
        has_moved = rows.total > 0 and (not rows.current or rows.current.id != self._rested_on)
        shown = self.case.user.id if self.case else ""
        is_asked = bool(self._looked_at) and self._looked_at != shown
        return has_moved or rows.is_moving or is_asked or self.finder.is_awaited

    async def settled_case(self) -> Case | None:
        """Give the case the agent means, once it is there: an act typed ahead waits for it.

        None where the search it waited for was not answered: who is shown is not meant.
        """
        is_searching = self.finder.is_awaited
        for _ in range(int(PATIENCE_S / POLL_S)):
            if not self.is_between:
                return None if is_searching and self.finder.fault else self.case
            await asyncio.sleep(POLL_S)
        return None

    def listed(self, *, kept: bool) -> None:
        """Take the row a list asked anew came to lie on for where the cursor rested."""
        rows = self.finder.rows
        if kept and rows.current is not None and not rows.is_moving:
            rows.stay_on(self._looked_at)
            self._rested_on = rows.current.id
        is_asked = self.is_asking and not self.is_current  # in a dialog: it keeps whom it is about
        if not kept and self.finder.rows.total == 0 and not is_asked:
            self._looked_at, self.case = "", None  # who was shown is not who was searched for
            self.show_case(is_open=False)

    def open_user(self, user: str) -> None:
        """Open the case of a user chosen elsewhere, and stand on them where the list has them."""
        rows = self.finder.rows
        rows.stand_on(user)
        self._rested_on = rows.current.id if rows.current else ""
        self._look_at(user)
        self.show_case(is_open=True)

    def show_case(self, *, is_open: bool) -> None:
        """Let the list give way to the case, or come back, where there is room for one of them."""
        self.set_class(is_open, "-case-open")
        self.query_one(KeyFooter).goes_back = is_open and self.has_class("-narrow")
        if is_open and self.has_class("-narrow"):
            self.call_after_refresh(self.keep_focus)

    @work(exclusive=True, group="case", exit_on_error=False)
    async def open_case(self, user: str) -> None:
        """Ask for a case and show it, unless the agent has gone on to another user meanwhile."""
        try:
            case, asked = await self.case_and_why(user)
            await self.query_one(CasePanel).furnished()
        except HelpdeskError as error:
            self.tell(error)
            self._let_go()
            return
        if self._looked_at != user:
            asked.verdict.cancel()
            return
        self._weighed = asked
        self.case, self._missed = case, ""
        self._weighed = None

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Show nobody where a case did not come; the app tells the fault."""
        if event.state is WorkerState.ERROR and event.worker.group == "case":
            self._let_go()

    def _let_go(self) -> None:
        """Show nobody rather than somebody else than the agent looks at: acts are for who is shown.

        A case that is shown already and only did not come anew stays.
        """
        shown = self.case.user.id if self.case else ""
        if self._looked_at != shown:
            self._missed, self._looked_at, self.case = self._looked_at, "", None
            self.show_case(is_open=False)

    def watch_case(self, old: Case | None, case: Case | None) -> None:
        """Let what is shown now have the focus."""
        super().watch_case(old, case)
        self.call_after_refresh(self.keep_focus)

    def current_case(self) -> Case | None:
        """Give the case that is shown."""
        return self.case

    def take(self, outcome: Outcome) -> None:
        """Show the new case if its user is still the one looked at, and the row anew."""
        if self.case is not None and self.case.user.id == outcome.case.user.id:
            is_revealed = self.case.is_masked and not outcome.case.is_masked
            self.case = outcome.case
            if is_revealed:  # what was revealed stands in the case, which the list may hide
                self.show_case(is_open=True)
        self.search(keep=True)
        self.count_waiting()

    def on_wish(self, message: Wish) -> None:
        """Begin the act that was clicked."""
        self.action_act(message.act)

    def on_unproven(self, message: Unproven) -> None:
        """Prove the caller, who was clicked."""
        del message
        self.action_verify()

    def heed_changes(self, found: Changes) -> None:
        """Ask again for list and case; a case that is revealed stays as it was revealed."""
        super().heed_changes(found)
        case = self.case
        if case is None and self._missed == self._rested_on != "":
            self._look_at(self._missed)  # what did not come before may come now
        if case is None or not case.is_masked or not self.is_current or self.is_between:
            return
        mine = {one.id for one in found.changes if one.kind is Kind.USER}
        if not found.changes or case.user.id in mine:
            self.look_again(case.user.id)

    def _with_case(self, do: Callable[[Case], object]) -> None:
        """Do something with the case the agent means, once it is there."""
        self.ask_by(partial(self.do_with_case, do))

    @work(group="asking", exit_on_error=False)
    async def do_with_case(self, do: Callable[[Case], object]) -> None:
        """Wait for the case as an act does: what is read or copied of another one misleads."""
        case = await self.settled_case()
        if case is None:
            self.app.notify("Choose a user first.", markup=False)
        else:
            do(case)

    def action_reasons(self) -> None:
        """Show every act with its reason; begin the one chosen there."""
        self._with_case(
            lambda case: self.app.push_screen(
                dialogs.ReasonsDialog(case), lambda act: self.action_act(act) if act else None
            )
        )

    def action_card(self) -> None:
        """Show the product's card."""
        self._with_case(self._show_card)

    def _show_card(self, case: Case) -> None:
        from helpdesk.tui.render.manual import card_page  # noqa: PLC0415  (seldom asked for)

        card = self.desk.cards.get(case.user.product)
        if card is not None:
            self.app.push_screen(dialogs.PageDialog(card.name, card_page(card)))

    def action_event(self) -> None:
        """Show the event on the topmost line of the timeline that is in sight."""
        from helpdesk.tui.widgets.timeline import Timeline  # noqa: PLC0415  (of the parts)

        self._with_case(lambda case: self._show_event(case, self.query_one(Timeline).topmost))

    def on_timeline_chosen(self, message: Timeline.Chosen) -> None:
        """Show the event that was clicked, of the case that is shown."""
        if self.case is not None:
            self._show_event(self.case, message.place)

    def _show_event(self, case: Case, place: int) -> None:
        ask = partial(self.desk.original, case.user.id, is_clear=not case.is_masked)
        if case.timeline:
            self.app.push_screen(dialogs.EventDialog(case, place, ask))
        else:
            self.app.notify("Nothing is on record of this user.", markup=False)

    def look_again(self, user: str) -> None:
        """Ask anew for the case of a user, if it is still the one looked at."""
        if self._looked_at == user:
            self.open_case(user)

    def action_copy_case(self) -> None:
        """Copy the case in a few lines, masked even while it is revealed."""
        self._with_case(self._copy_case)

    def _copy_case(self, case: Case) -> None:
        from helpdesk.tui.render.case import summary_lines  # noqa: PLC0415  (of the parts)

        shown = case if case.is_masked else masked(case)
        card = self.desk.cards.get(case.user.product)
        self.copy(summary_lines(shown, card, self.clock()))

    def action_sort(self) -> None:
        """Put the next order into the search line, where it can be seen and changed."""
        words = [word for word in self.typed.split() if not word.startswith("sort:")]
        orders = list(Sort)
        now = self.query_asked.sort
        following = orders[(orders.index(now) + 1) % len(orders)] if now else Sort.NAME
        self.finder.search.value = " ".join([*words, f"sort:{following.value}"])

    def action_without(self) -> None:
        """Put the search for those without MFA into its line, where it can be seen and changed."""
        self.set_class(False, "-case-open")
        self.finder.search.value = "state:off"
        self.call_after_refresh(self.keep_focus)

    def action_roll(self, by: int) -> None:
        """Scroll the case."""
        self.query_one(CasePanel).roll(by)

    def action_again(self) -> None:
        """Ask for list and case again."""
        super().action_again()
        user = self.case.user.id if self.case is not None else self._missed
        if user:
            self._look_at(user)

    def action_find(self) -> None:
        """Bring the list back and stand on the search line."""
        self.show_case(is_open=False)
        super().action_find()

    def action_back(self) -> None:
        """From the case back to the list where it gave way; else clear the search."""
        if self.has_class("-case-open") and self.has_class("-narrow"):
            self.show_case(is_open=False)
            self.finder.rows.focus()
            return
        super().action_back()
