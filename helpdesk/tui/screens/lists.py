"""The places that are one list: loops, challenges, log."""

from __future__ import annotations

from textual import on
from textual.containers import Vertical
from textual.reactive import var
from textual.widget import Widget

from helpdesk.assets import asset
from helpdesk.domain.audit import LogRow
from helpdesk.domain.feed import Changes
from helpdesk.domain.limits import Alarm
from helpdesk.domain.search import ChallengeRow, LoopRow, Page, Query
from helpdesk.tui.keys import Where, bindings
from helpdesk.tui.render.rows import CHALLENGES, LOG, LOOPS
from helpdesk.tui.screens.crowd import CrowdPlace
from helpdesk.tui.screens.verifying import VerifyingPlace
from helpdesk.tui.widgets.alarms import AlarmLines
from helpdesk.tui.widgets.chrome import Open
from helpdesk.tui.widgets.finder import Finder
from helpdesk.tui.widgets.rowlist import RowList
from helpdesk.tui.widgets.verifying import VerifyLine


class LoopsScreen(CrowdPlace[LoopRow]):
    """The login-loop reports, the worst first; Enter opens the case."""

    CSS_PATH = asset("styles/loops.tcss")
    WHERE = Where.LOOPS
    TITLE_WORDS = "the loop reports"
    BINDINGS = bindings(Where.LOOPS)

    def make_finder(self) -> Finder[LoopRow]:
        """Give the list of reports."""
        finder = Finder(
            LOOPS,
            lambda row: row.report.id,
            self.scene,
            placeholder="who, account, number or ticket; product:partner",
            has_head=True,
        )
        finder.title, finder.one = "open reports", "open report"
        finder.rows.empty_says = "No open loop reports."
        return finder

    async def ask(self, query: Query, offset: int, limit: int) -> Page[LoopRow]:
        """Give a window of the reports."""
        return await self.desk.loops(query, offset=offset, limit=limit)

    @on(RowList.Chosen)
    def _chosen(self, message: RowList.Chosen[LoopRow]) -> None:
        self.post_message(Open(message.row.report.user))


class ChallengesScreen(CrowdPlace[ChallengeRow]):
    """Recent challenges of everybody, newest first; Enter opens the case."""

    CSS_PATH = asset("styles/challenges.tcss")
    WHERE = Where.CHALLENGES
    TITLE_WORDS = "the challenges"
    BINDINGS = bindings(Where.CHALLENGES)

    def make_finder(self) -> Finder[ChallengeRow]:
        """Give the list of challenges."""
        finder = Finder(
            CHALLENGES,
            lambda row: f"{row.line.user} {row.line.challenge}",
            self.scene,
            placeholder="who, account, number or ticket; product:lead state:locked",
            has_head=True,
        )
        finder.title = "in 24 h"
        finder.rows.empty_says = "No challenges in the last 24 hours."
        return finder

    async def ask(self, query: Query, offset: int, limit: int) -> Page[ChallengeRow]:
        """Give a window of the challenges."""
        return await self.desk.challenges(query, offset=offset, limit=limit)

    @on(RowList.Chosen)
    def _chosen(self, message: RowList.Chosen[ChallengeRow]) -> None:
        self.post_message(Open(message.row.line.user))


class LogScreen(VerifyingPlace):
    """Alarms on top, then who did what to whom, newest first; Enter opens the case.

    Attributes:
        alarms: What concerns this agent, newest first.
    """

    alarms: var[tuple[Alarm, ...]] = var(())

    CSS_PATH = asset("styles/log.tcss")
    WHERE = Where.LOG
    TITLE_WORDS = "the log"
    BINDINGS = bindings(Where.LOG)

    def make_finder(self) -> Finder[LogRow]:
        """Give the list of log rows."""
        finder = Finder(
            LOG,
            lambda row: str(row.seq),
            self.scene,
            placeholder="agent, act, user, ticket, reason or result",
            has_head=True,
        )
        finder.title, finder.one = "entries", "entry"
        finder.rows.empty_says = "Nothing has been done yet."
        return finder

    def body(self) -> Widget:
        """The alarms, how far the verifying is, then the list."""
        return Vertical(AlarmLines(), VerifyLine(), self.finder)

    def heed_alarms(self, alarms: tuple[Alarm, ...]) -> None:
        """Show the alarms, and how many there are."""
        super().heed_alarms(alarms)
        self.alarms = alarms

    def watch_alarms(self, alarms: tuple[Alarm, ...]) -> None:
        """Show the lines, and no line where there is no alarm."""
        for shown in self.query(AlarmLines):
            shown.show(alarms, self.scene())

    def action_alarm(self) -> None:
        """Open the user of the newest alarm that is about one."""
        user = next((one.user for one in self.alarms if one.user), "")
        if user:
            self.post_message(Open(user))
        else:
            self.app.notify("There is no alarm about a user.", markup=False)

    def is_about(self, found: Changes) -> bool:
        """Whether what changed may be in this list: every change is in the log."""
        return True

    async def ask(self, query: Query, offset: int, limit: int) -> Page[LogRow]:
        """Give a window of the log."""
        return await self.desk.log(query, offset=offset, limit=limit)

    @on(RowList.Chosen)
    def _chosen(self, message: RowList.Chosen[LogRow]) -> None:
        self.post_message(Open(message.row.user))
