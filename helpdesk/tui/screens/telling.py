"""Why it keeps asking: the verdict beside the case, what the caller says to it, the drift meter.

case, desk.why ─▶ verdict ─▶ q: ask ─▶ said ─▶ desk.why with what was said ─▶ verdict
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final, NamedTuple

from textual import work
from textual.reactive import var
from textual.worker import Worker, WorkerState

from helpdesk.domain.cases import Case
from helpdesk.domain.diagnosis.verdicts import CallerSaid, Verdict
from helpdesk.domain.errors import HelpdeskError
from helpdesk.tui import dialogs
from helpdesk.tui.keys import KEYS
from helpdesk.tui.screens.acting import ActingPlace

PATIENCE_S: Final = 10.0
POLL_S: Final = 0.02
"""Seconds a key that was typed ahead waits for its verdict, and between two looks."""

TOGETHER_S: Final = 0.04
"""Seconds a case waits for its verdict, so that both are drawn at once; then it comes alone."""

PAGE: Final = 96
"""Cells of a line of the page that holds the whole verdict, where the window is wide enough."""

IN_VERDICT: Final = frozenset(
    key.key for key in KEYS if key.act or key.does in {"ask", "copy", "drift"}
)
"""Keys that a verdict names."""


class Asked(NamedTuple):
    """A verdict that is asked for: on whom, with which replies, and where it will be."""

    user: str
    said: tuple[CallerSaid, ...]
    verdict: asyncio.Task[Verdict]


class TellingPlace(ActingPlace):
    """A place that says why.

    Attributes:
        verdict: The verdict on the case's user; None while it is asked for.
        said: What the caller said to the questions; forgotten when another user is opened.
        why_fault: The sentence that says why no verdict came; empty where nothing is wrong.
    """

    verdict: var[Verdict | None] = var(None)
    said: var[tuple[CallerSaid, ...]] = var(())
    why_fault: var[str] = var("")

    _weighed: Asked | None = None

    async def case_and_why(self, user: str) -> tuple[Case, Asked]:
        """Give a case with its verdict, which is awaited for a moment; both are drawn at once.

        Raises:
            HelpdeskError: The case did not come.
        """
        shown = self.current_case()
        said = self.said if shown is not None and shown.user.id == user else ()
        weighing = asyncio.ensure_future(self.desk.why(user, said))
        weighing.add_done_callback(_heard)
        try:
            case = await self.desk.case(user)
            await asyncio.wait({weighing}, timeout=TOGETHER_S)
        except BaseException:
            weighing.cancel()
            raise
        return case, Asked(user, said, weighing)

    def watch_case(self, old: Case | None, case: Case | None) -> None:
        """Ask why for every new case; a reply of the last caller is none of the next one's."""
        if case is None:
            return
        is_other = old is None or old.user.id != case.user.id
        said = () if is_other else self.said
        asked = self._weighed
        weighing = asked.verdict if asked and asked[:2] == (case.user.id, said) else None
        verdict = _told(weighing)
        if is_other:
            self.verdict, self.said = verdict, ()
        if verdict is None:
            self.ask_why(case.user.id, weighing)
        else:
            self.workers.cancel_group(self, "why")
            self.verdict, self.why_fault = verdict, ""

    @work(exclusive=True, group="why", exit_on_error=False)
    async def ask_why(self, user: str, asked: asyncio.Task[Verdict] | None = None) -> None:
        """Ask for the verdict and show it, unless another user or another reply came meanwhile.

        With *asked* it is on its way already.
        """
        said = self.said
        fault = ""
        verdict = None
        try:
            verdict = await (asked or self.desk.why(user, said))
        except HelpdeskError as error:
            fault = str(error)
        case = self.current_case()
        if case is not None and case.user.id == user and said == self.said:
            self.verdict, self.why_fault = verdict, fault

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say of a verdict that did not come that it never will; the app tells the fault."""
        if event.state is WorkerState.ERROR and event.worker.group == "why":
            self.verdict, self.why_fault = None, "The verdict could not be made."

    async def settled_verdict(self) -> tuple[Case, Verdict] | None:
        """Give case and verdict of the user the agent means, once both are there.

        None, and say so, where there is no user or no verdict comes.
        """
        case = await self.settled_case()
        if case is None:
            self.app.notify("Choose a user first.", markup=False)
            return None
        for _ in range(int(PATIENCE_S / POLL_S)):
            now = self.current_case()
            if now is None or now.user.id != case.user.id:
                return None
            if self.verdict is not None:
                return now, self.verdict
            if self.why_fault:
                break
            await asyncio.sleep(POLL_S)
        self.app.notify("There is no verdict yet.", markup=False)
        return None

    def action_ask(self) -> None:
        """Ask the caller the verdict's question, or take replies back."""
        self.ask_by(self.put_question)

    @work(group="asking", exit_on_error=False)
    async def put_question(self) -> None:
        """Open the question, and ask why anew with what was said to it."""
        settled = await self.settled_verdict()
        if settled is None:
            return
        case, verdict = settled
        if verdict.ask is None and not self.said:
            self.app.notify("There is nothing to ask: the log alone decides.", markup=False)
            return
        says = await self.hear(verdict.ask.pair) if verdict.ask else ""
        dialog = dialogs.AskDialog(case, verdict, self.said, says=says)
        said: tuple[CallerSaid, ...] | None = await self.app.push_screen_wait(dialog)
        now = self.current_case()
        if said is not None and now is not None and now.user.id == case.user.id:
            self.said = said
            self.ask_why(case.user.id)

    async def hear(self, pair: str) -> str:
        """Give the caller's own words, where they are known: nowhere but in a rehearsal."""
        del pair
        return ""

    def action_drift(self) -> None:
        """Open the drift meter."""
        self.ask_by(self.measure_drift)

    @work(group="asking", exit_on_error=False)
    async def measure_drift(self) -> None:
        """Measure until the agent has enough, then look at the case anew."""
        case = await self.settled_case()
        if case is None:
            self.app.notify("Choose a user first.", markup=False)
            return
        if not dialogs.authenticators(case):
            says = "There is no active authenticator app whose clock could be measured."
            self.app.notify(says, title=case.user.id, markup=False)
            return
        measure = partial(self.desk.drift, case.user.id)
        await self.app.push_screen_wait(dialogs.DriftDialog(case, self.clock(), measure))
        self.look_again(case.user.id)

    def look_again(self, user: str) -> None:
        """Ask anew for the case of a user who may have changed."""
        raise NotImplementedError

    def action_more(self) -> None:
        """Show all of the verdict, however little of it there was room for."""
        self.ask_by(self.read_more)

    @work(group="asking", exit_on_error=False)
    async def read_more(self) -> None:
        """Open the whole verdict; go on with the key that was pressed in it."""
        if await self.settled_verdict() is None:
            return
        from helpdesk.tui.widgets.why import Why  # noqa: PLC0415  (there is a case, and it is)

        page = self.query_one(Why).whole(min(PAGE, self.size.width - 18))
        does = await self.app.push_screen_wait(dialogs.MoreDialog("Why", page, IN_VERDICT))
        if does:
            self.call_later(self.run_action, does)

    @work(group="asking", exit_on_error=False)
    async def action_copy(self) -> None:
        """Copy what to say to the customer."""
        settled = await self.settled_verdict()
        if settled is None:
            return
        _, verdict = settled
        if verdict.say:
            self.copy(verdict.say)
        else:
            self.app.notify("There is no reply to copy.", markup=False)


def _told(weighing: asyncio.Task[Verdict] | None) -> Verdict | None:
    """Return the verdict that was asked for, where it came."""
    if weighing is None or not weighing.done() or weighing.cancelled():
        return None
    return None if weighing.exception() else weighing.result()


def _heard(weighing: asyncio.Task[Verdict]) -> None:
    """Take note of how it ended: a fault is told by who awaits it, and nobody may."""
    if not weighing.cancelled():
        weighing.exception()
