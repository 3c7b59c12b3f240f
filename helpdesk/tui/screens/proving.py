"""From a place to the caller and to a colleague: proving, asking a second person, going on after.

v, or an act that needs proof ─▶ verify ─▶ back to the act
an act that needs a colleague ─▶ filed ─▶ they agree ─▶ the same act, in one key
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual import work
from textual.worker import Worker, get_current_worker

from helpdesk.domain.actions import ACTIONS, AnyAction
from helpdesk.domain.approvals import Approval, action_of, why_not_approve
from helpdesk.domain.cases import Case, Handover
from helpdesk.domain.decisions import Need
from helpdesk.domain.errors import HelpdeskError, NeedsMore
from helpdesk.domain.fitting import factor_of
from helpdesk.domain.proofs import Asking, Proof, Way
from helpdesk.service.desk import Desk
from helpdesk.tui import dialogs
from helpdesk.tui.keys import key_of
from helpdesk.tui.screens.place import Clock, Place

if TYPE_CHECKING:
    from helpdesk.tui.dialogs.approving import Chosen


class ProvingPlace(Place):
    """A place in which callers are proven and colleagues asked."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        super().__init__(desk, clock)
        self._askers: set[Worker[Any]] = set()

    @property
    def is_asking(self) -> bool:
        """Whether something asks the agent, or is about to: then no other key begins to."""
        return any(not asker.is_finished for asker in self._askers)

    def ask_by(self, begin: Callable[[], Worker[None]]) -> None:
        """Begin what asks the agent, unless something does already; its end ends the asking."""
        if not self.is_asking:
            self._askers = {begin()}

    def asks(self, *, is_so: bool) -> None:
        """Say that what is being carried out here asks the agent, or does not any more."""
        (self._askers.add if is_so else self._askers.discard)(get_current_worker())

    @abstractmethod
    def current_case(self) -> Case | None:
        """Give the case that is shown."""

    @abstractmethod
    async def settled_case(self) -> Case | None:
        """Give the case to act on, once it is there; None where there is none."""

    @abstractmethod
    def look_again(self, user: str) -> None:
        """Ask anew for the case of a user who may have changed."""

    def action_verify(self) -> None:
        """Prove the caller, before or without an act."""
        self.ask_by(self._verify)

    @work(group="proving", exit_on_error=False)
    async def _verify(self) -> None:
        try:
            case = await self.settled_case()
            if case is None:
                self.app.notify("Choose a user first.", markup=False)
                return
            if not case.open_tickets and not await self.open_ticket(case, "Proving the caller"):
                return
            case = await self.desk.case(case.user.id)
            await self.prove(case, ticket_of(case, self.desk.agent.id))
        except HelpdeskError as error:
            self.tell(error)

    @abstractmethod
    async def open_ticket(self, case: Case, title: str) -> bool:
        """Offer to open a ticket that is needed and not there; say whether it was opened."""

    async def prove(self, case: Case, ticket: str, action: AnyAction | None = None) -> bool:
        """Open the dialog that proves the caller, for an act or for none; say whether it did."""
        user = case.user.id

        async def ways() -> tuple[Way, ...]:
            name = action.name if action else ""
            return await self.desk.ways(user, name, factor=factor_of(action) if action else "")

        async def ask(way: Way) -> Asking:
            return await self.desk.ask_proof(user, way.method, channel=way.channel, ticket=ticket)

        async def answer(asking: Asking, told: str) -> Proof:
            return await self.desk.answer_proof(user, told, asking=asking.id)

        async def lacks() -> str:
            if action is None:
                return ""
            needs = (await self.desk.weigh(action)).decision.needs
            return next((need.says for need in needs if need.what == "proof"), "")

        async def phone(whose: str) -> tuple[Handover, ...]:
            return await self.desk.phone(whose)

        caller = dialogs.Caller(
            case=case,
            ticket=ticket,
            wish=action.title if action else "",
            ways=ways,
            ask=ask,
            answer=answer,
            lacks=lacks,
            clock=self.clock,
            phone=phone if self.desk.is_demo else None,
        )
        is_proven: bool | None = await self.app.push_screen_wait(dialogs.VerifyDialog(caller))
        self.look_again(user)
        return bool(is_proven)

    async def filed(self, action: AnyAction, case: Case, error: NeedsMore) -> bool:
        """Say that a colleague is asked, where that is all an act lacks; say whether it was so."""
        need = asked_colleague(error)
        if need is None:
            return False
        dialog = dialogs.FiledDialog(action, need, case, key_of(action.name))
        await self.app.push_screen_wait(dialog)
        self.look_again(case.user.id)
        self.count_waiting()
        return True

    async def request_of(self, user: str, act: str) -> Approval | None:
        """Give this agent's own request for an act that holds or still waits; None for none."""
        now = self.clock()
        mine = [
            one
            for one in await self.desk.approvals()
            if (one.requester, one.user, one.act) == (self.desk.agent.id, user, act)
        ]
        holding = [one for one in mine if one.holds(now)]
        waiting = [one for one in mine if one.is_open(now)]
        return next(iter([*holding, *waiting]), None)

    async def show_request(self, approval: Approval, *, can_begin: bool = False) -> Chosen | None:
        """Show a request exactly as it would be carried out; give what was chosen."""
        case = await self.desk.case(approval.user)
        weighed = await self.desk.weigh(action_of(approval))
        now = self.clock()
        others = await self.desk.approvals()
        approval = next((one for one in others if one.id == approval.id), approval)
        agent = self.desk.agent
        dialog = dialogs.ApprovalDialog(
            approval,
            case,
            self.desk.cards.get(case.user.product),
            weighed.preview,
            now,
            is_mine=approval.requester == agent.id,
            why_not=why_not_approve(agent, approval, others, now),
            can_begin=can_begin,
        )
        chosen: Chosen | None = await self.app.push_screen_wait(dialog)
        return chosen

    async def answer_request(self, approval: Approval, chosen: Chosen) -> None:
        """Give a colleague the answer that was chosen."""
        is_granted = chosen.choice is dialogs.Choice.AGREE
        decided = await self.desk.approve(approval.id, is_granted=is_granted, says=chosen.says)
        title = ACTIONS[decided.act].title
        self.app.notify(
            f"{'Agreed to' if is_granted else 'Refused'}: {title}. {decided.requester} is told.",
            title=decided.user,
            markup=False,
        )
        self.count_waiting()


def asked_colleague(error: NeedsMore) -> Need | None:
    """Return the need of a second person where it is the only one and a request is filed."""
    needs = error.decision.needs
    is_alone = [need.what for need in needs] == ["second-person"]
    return needs[0] if is_alone and needs[0].choices else None


def ticket_of(case: Case, agent: str) -> str:
    """Return the ticket the agent most likely means: their own, else the newest; empty for none."""
    tickets = case.open_tickets
    mine = next((ticket.id for ticket in tickets if ticket.agent == agent), "")
    return mine or (tickets[0].id if tickets else "")
