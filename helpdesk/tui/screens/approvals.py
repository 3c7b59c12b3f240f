"""The requests for a second person: what waits for this agent, and what became of their own."""

from __future__ import annotations

from functools import partial

from textual import on, work

from helpdesk.assets import asset
from helpdesk.domain.approvals import Approval, action_of, ticket_in
from helpdesk.domain.cases import Case, Outcome
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.search import Page, Query, matches
from helpdesk.domain.text import digits, folded
from helpdesk.tui import dialogs
from helpdesk.tui.keys import Where, bindings
from helpdesk.tui.render.approvals import APPROVALS, ApprovalRow, rows_of
from helpdesk.tui.screens.acting import ActingPlace
from helpdesk.tui.screens.finding import FindingPlace
from helpdesk.tui.widgets.finder import Finder
from helpdesk.tui.widgets.rowlist import RowList


class ApprovalsScreen(ActingPlace, FindingPlace[ApprovalRow]):
    """What waits for this agent as the second person, then their own requests; Enter opens one."""

    CSS_PATH = asset("styles/approvals.tcss")
    WHERE = Where.APPROVALS
    TITLE_WORDS = "the approvals"
    BINDINGS = bindings(Where.APPROVALS)

    def make_finder(self) -> Finder[ApprovalRow]:
        """Give the list of requests."""
        finder = Finder(
            APPROVALS,
            lambda row: row.approval.id,
            self.scene,
            placeholder="agent, act, user, request or why",
            has_head=True,
        )
        second = "for a second person, of the last day"
        finder.title, finder.one = f"requests {second}", f"request {second}"
        finder.rows.empty_says = "Nobody waits for a second person."
        return finder

    async def ask(self, query: Query, offset: int, limit: int) -> Page[ApprovalRow]:
        """Give a window of the requests."""
        rows = rows_of(await self.desk.approvals(), self.desk.agent, self.clock())
        found = [row for row in rows if _is_found(row.approval, query)]
        return Page(total=len(found), offset=offset, rows=tuple(found[offset : offset + limit]))

    def current_case(self) -> Case | None:
        """Give none: acts begin at the desk."""
        return None

    async def settled_case(self) -> Case | None:
        """Give none: acts begin at the desk."""
        return None

    def take(self, outcome: Outcome) -> None:
        """Show what became of the request that was carried out."""
        self.search(keep=True)
        self.count_waiting()

    def look_again(self, user: str) -> None:
        """Ask anew for the list."""
        self.search(keep=True)

    def heed(self, approvals: tuple[Approval, ...]) -> None:
        """Show requests that came or were answered meanwhile."""
        super().heed(approvals)
        self.search(keep=True)

    @on(RowList.Chosen)
    def _chosen(self, message: RowList.Chosen[ApprovalRow]) -> None:
        self.ask_by(partial(self.open_request, message.row.approval))

    @work(group="acts", exit_on_error=False)
    async def open_request(self, approval: Approval) -> None:
        """Show a request; answer it, or carry out what was agreed to."""
        try:
            chosen = await self.show_request(approval)
            if chosen is None:
                return
            if chosen.choice is dialogs.Choice.CARRY_OUT:
                case = await self.desk.case(approval.user)
                await self.carry_out(action_of(approval), case)
            else:
                await self.answer_request(approval, chosen)
        except HelpdeskError as error:
            self.tell(error)
        self.search(keep=True)


def _is_found(approval: Approval, query: Query) -> bool:
    parts = (
        approval.id, approval.act, approval.user, approval.requester, approval.approver,
        approval.why, approval.says, ticket_in(approval),
    )  # fmt: skip
    return matches("\n".join(map(folded, parts)), digits(parts[-1]), query.words)
