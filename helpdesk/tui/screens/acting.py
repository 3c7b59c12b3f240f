"""From a key to a change: weigh, ask, perform, show.

act ─▶ desk.weigh ─▶ refused ──▶ why, instead, steps ──▶ route
                  └▶ dialog ───▶ desk.perform ──▶ new case, sentence ──▶ handover
                        ▲             │
                        └── needs more, not as it should be
"""

from __future__ import annotations

import asyncio
import secrets
from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from textual import work

from helpdesk.domain.actions import (
    ACTIONS,
    AnyAction,
    EnrolTotp,
    Reveal,
    Risk,
    TakeTicket,
    TurnOnMfa,
)
from helpdesk.domain.approvals import action_of
from helpdesk.domain.cases import Case, Outcome, Weighed
from helpdesk.domain.errors import HelpdeskError, NeedsMore, Unknown, Unreachable
from helpdesk.domain.users import MfaState
from helpdesk.tui import dialogs
from helpdesk.tui.keys import key_of
from helpdesk.tui.screens.proving import ProvingPlace, ticket_of
from helpdesk.tui.widgets.chrome import HeaderLine

if TYPE_CHECKING:
    from helpdesk.tui.dialogs.fields import Field

TOLD_S = 8.0
"""Seconds the sentence of an act is shown."""


class ActingPlace(ProvingPlace):
    """A place whose agent acts on one user. Changes are never exclusive: none cancels another."""

    @abstractmethod
    def take(self, outcome: Outcome) -> None:
        """Show what an act gave back, if its user is still the one looked at."""

    def action_act(self, name: str) -> None:
        """Begin an act by its name."""
        self.ask_by(partial(self.begin, name))

    @work(group="acts", exit_on_error=False)
    async def begin(self, name: str) -> None:
        """Carry an act from the wish to its end, on the user the agent has moved to."""
        try:
            case = await self.settled_case()
            if case is None:
                self.app.notify("Choose a user first.", markup=False)
                return
            await self._act(case, name)
        except HelpdeskError as error:
            self.tell(error)

    async def _act(self, case: Case, name: str, **given: Any) -> None:
        action = _prefilled(name, case, self.desk.agent.id, given)
        if action.risk is Risk.HIGH and not await self._goes_on(case, name):
            return
        weighed = await self.desk.weigh(action)
        if weighed.decision.is_refused:
            await self._refused(case, weighed)
            return
        if _is_instant(action, case):
            await self._perform(action)
            return
        answer = await self._ask(action, weighed, case)
        if answer is not None:
            await self._follow(answer, case)

    async def _follow(self, answer: AnyAction, case: Case) -> None:
        """Go on to the second step of an act that has one."""
        if isinstance(answer, EnrolTotp):
            await self._first_code(answer, case)
        elif isinstance(answer, TurnOnMfa) and not answer.save:
            await self._save(answer, case)

    async def _goes_on(self, case: Case, name: str) -> bool:
        """Show this agent's own request for an act, if any; say whether the act begins anew."""
        try:
            request = await self.request_of(case.user.id, name)
        except Unreachable:
            return True  # weighing says what may be done without the desk, and why not
        if request is None:
            return True
        chosen = await self.show_request(request, can_begin=True)
        if chosen is not None and chosen.choice is dialogs.Choice.CARRY_OUT:
            await self.carry_out(action_of(request), case)
        return chosen is not None and chosen.choice is dialogs.Choice.ANEW

    async def carry_out(self, action: AnyAction, case: Case) -> None:
        """Do what a colleague agreed to, with the very same words."""
        await self._perform(action)
        await self._follow(action, case)

    async def _refused(self, case: Case, weighed: Weighed) -> None:
        from helpdesk.tui.render.weighing import refusal_text  # noqa: PLC0415  (the dialog needs it)

        decision = weighed.decision
        card = self.desk.cards.get(case.user.product)
        dialog = dialogs.RefusedDialog(
            case,
            decision,
            can_route=decision.route is not None,
            copy=lambda: self.copy(refusal_text(case, decision, card)),
        )
        if await self.app.push_screen_wait(dialog) == "route":
            await self._act(case, "route", to=decision.route or "")

    async def _ask(
        self,
        action: AnyAction,
        weighed: Weighed,
        case: Case,
        *,
        fields: tuple[Field, ...] = (),
        title: str = "",
        asks_word: bool = True,
    ) -> AnyAction | None:
        """Ask until the act is done or the agent gives up; give the action that was done."""
        says = ""
        given: AnyAction | None = None
        key = minted()
        while True:
            if _lacks_ticket(weighed) and not await self.open_ticket(case, action.title):
                return None
            if _lacks_ticket(weighed):
                case = await self.desk.case(case.user.id)
                action = replace(action, ticket=ticket_of(case, self.desk.agent.id))
                given = given and replace(given, ticket=action.ticket)
                weighed = await self.desk.weigh(action)
            card = self.desk.cards[case.user.product]
            shown = fields or dialogs.fields_for(action, weighed.decision, case, card)
            dialog = dialogs.ActDialog(
                action,
                weighed if given is None else await self.desk.weigh(given),
                case,
                shown if given is None else dialogs.filled(shown, given),
                self.desk.weigh,
                title=title,
                says=says,
                asks_word=asks_word,
            )
            dialog.clock = self.clock
            dialog.prove = partial(self._prove_for, case)
            self.asks(is_so=True)
            answer: AnyAction | None = await self.app.push_screen_wait(dialog)
            if answer is None:
                return None
            # Of another wish the key is another: that of the first one stands for the first one.
            key = key if given in {None, answer} else minted()
            try:
                await self._perform(answer, key)
            except NeedsMore as error:
                if await self.filed(answer, case, error):
                    return None
                says = str(error)
            except HelpdeskError as error:
                says = _offered_again(error)
            else:
                return answer
            given = answer  # what was typed is not typed again
            weighed = await self.desk.weigh(answer if fields else action)

    async def _prove_for(self, case: Case, action: AnyAction) -> None:
        """Prove the caller for an act that is being asked for."""
        await self.prove(case, action.ticket, action)

    async def open_ticket(self, case: Case, title: str) -> bool:
        """Offer to open the ticket that something needs and the user does not have."""
        ticket = TakeTicket(user=case.user.id)
        weighed = await self.desk.weigh(ticket)
        if weighed.decision.is_refused:
            await self._refused(case, weighed)
            return False
        card = self.desk.cards[case.user.product]
        says = f"{title} needs a ticket, and this user has none open. Open one first."
        fields = dialogs.fields_for(ticket, weighed.decision, case, card)
        dialog = dialogs.ActDialog(
            ticket, weighed, case, fields, self.desk.weigh, title="Open a ticket", says=says
        )
        answer: AnyAction | None = await self.app.push_screen_wait(dialog)
        if answer is None:
            return False
        await self._perform(answer)
        return True

    async def _perform(self, action: AnyAction, key: str = "") -> None:
        """Carry out, under its key; the change goes on even if this screen does not."""
        self.asks(is_so=False)  # another act may begin while this one is under way
        header = self.query_one(HeaderLine)
        header.busy += 1
        try:
            change = asyncio.ensure_future(self.desk.perform(action, key=key or minted()))
            outcome = await asyncio.shield(change)
        finally:
            header.busy -= 1
        self.take(outcome)
        if outcome.handover is not None:  # the sentence comes after: it would lie on the picture
            await self.app.push_screen_wait(dialogs.HandoverDialog(outcome.handover, self.clock()))
        self.app.notify(
            f"{action.title}: {outcome.says}",
            title=outcome.case.user.id,
            timeout=TOLD_S,
            markup=False,
        )

    async def _first_code(self, begun: AnyAction, case: Case) -> None:
        """The second step of an enrolment: its first code."""
        action = EnrolTotp(user=begun.user, reason=begun.reason, ticket=begun.ticket)
        # Without any code it would be weighed as another enrolment, which takes another proof.
        weighed = await self.desk.weigh(replace(action, code="000000"))
        given = await self._ask(
            action, weighed, case, fields=dialogs.first_code(), title="First code", asks_word=False
        )
        if given is None:
            says = (
                "The new app is not enrolled: its first code was not given. "
                f"Press {key_of(action.name)} to begin anew, with a new key."
            )
            self.app.notify(
                says, title=case.user.id, severity="warning", timeout=TOLD_S, markup=False
            )

    async def _save(self, begun: TurnOnMfa, case: Case) -> None:
        """The second step of turning on: Save, once the customer has the SMS."""
        action = replace(begun, mobile="", save=True)
        weighed = await self.desk.weigh(action)
        await self._ask(action, weighed, case, title="Save")

    def copy(self, text: str) -> None:
        """Put a text on the clipboard, because the agent asked."""
        self.app.copy_to_clipboard(text)
        self.app.notify("Copied.", timeout=3, markup=False)


def minted() -> str:
    """Return a new idempotency key."""
    return secrets.token_urlsafe(18)


def _offered_again(error: HelpdeskError) -> str:
    """Return what an act that was not done is offered again with.

    What may have been done is not offered again before one knows: that is raised.
    """
    if isinstance(error, Unknown):
        raise error
    return str(error)


def _prefilled(name: str, case: Case, agent: str, given: dict[str, Any]) -> AnyAction:
    """Return the action with the ticket the agent most likely means."""
    kind = ACTIONS[name]
    ticket = "" if kind is TakeTicket else ticket_of(case, agent)
    action = kind(user=case.user.id, ticket=ticket, **given)
    if isinstance(action, TurnOnMfa) and case.user.mfa is MfaState.PENDING and case.user.mobile:
        return replace(action, save=True)
    return action


def _is_instant(action: AnyAction, case: Case) -> bool:
    """Whether there is nothing to ask and nothing that could go wrong by doing it."""
    if isinstance(action, TakeTicket):
        return sum(ticket.agent is None for ticket in case.open_tickets) == 1
    return isinstance(action, Reveal)


def _lacks_ticket(weighed: Weighed) -> bool:
    return any(n.what == "ticket" and not n.choices for n in weighed.decision.needs)
