"""The desk on this machine: weigh, carry out, record, in one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from helpdesk.domain.actions import ACTIONS, AnyAction, FactorAction, Reveal, TemporaryPass
from helpdesk.domain.approvals import Approval, payload_of
from helpdesk.domain.audit import Result
from helpdesk.domain.cases import Case, Handover, Outcome
from helpdesk.domain.decisions import Decision, Weight
from helpdesk.domain.errors import (
    BadInput,
    BrokeOff,
    Conflict,
    HelpdeskError,
    NotFound,
    Refused,
    Unknown,
    Unsettled,
)
from helpdesk.domain.gate import Answer, Standing
from helpdesk.domain.gate import weigh as gate
from helpdesk.domain.holds import Ending, Hold
from helpdesk.domain.operations import Answered
from helpdesk.domain.policies import factor_of
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import Asking, Method, Proof, Way, ways
from helpdesk.domain.signing import AskSignIn
from helpdesk.domain.text import clean
from helpdesk.domain.users import User
from helpdesk.service.apart import Question
from helpdesk.service.beginning import AT_PROVIDER, bare
from helpdesk.service.holding import Holding
from helpdesk.service.measuring import Measuring
from helpdesk.service.once import Wish, again, ended, wish
from helpdesk.service.proving import Proving
from helpdesk.service.replies import answered, repeated, result_of, said
from helpdesk.service.steps import STEPS, Done, Parts
from helpdesk.service.still import still

AS_BEFORE: Final = (
    "The case is shown as it was before, for it cannot be read just now: look at it again."
)
"""What is said of an act that is done, after which the case cannot be read."""


class Begun(Struct, frozen=True, kw_only=True):
    """An act that was weighed and allowed.

    Attributes:
        hold: The note that it began; None where it takes part in the store's transaction.
    """

    parts: Parts
    answer: Answer
    decision: Decision
    hold: Hold | None = None


class CarriedOut(Struct, frozen=True, kw_only=True):
    """An act that is done and recorded, and the case that it was weighed by."""

    done: Done
    before: Case


class LocalDesk(Measuring, Holding):
    """A `Desk` on a connector and a store of this process.

    Attributes:
        is_gated: Whether callers must be proven and the dangerous acts take a second person.
    """

    def __init__(self, *, is_gated: bool = True, **parts: Any) -> None:
        super().__init__(**parts)
        self.is_gated = is_gated
        self._proving = Proving(self.agent, self._view, self._diagnosing)

    def prompt_with(self, ask: AskSignIn | None) -> None:
        """Do nothing: at a desk of this machine nobody signs in."""

    async def perform(self, action: AnyAction, *, key: str = "") -> Outcome:
        """Weigh an action, carry it out, record it, and give the new case."""
        asked = wish(key, "perform", **msgspec.to_builtins(action))
        with self._once.running(asked):
            found = await self._change(action, asked)
        done = found.done if isinstance(found, CarriedOut) else repeated(found)
        # What was masked is shown with the row that says so, not again without one.
        is_masked = not (isinstance(action, Reveal) and isinstance(found, CarriedOut))
        says = done.says
        try:
            async with self._lulls() as lull:
                await self._view.refresh()
                await lull.ahead(action.user, account=self.agent.account)
                case = await self._shown(action.user, is_masked=is_masked)
        except HelpdeskError:
            if not isinstance(found, CarriedOut):
                raise
            # It is done: that nobody can be asked how it is now must not say the contrary.
            case = self._decided(found.before, Standing(), is_masked=is_masked)
            says = f"{says} {AS_BEFORE}"
        return Outcome(case=case, says=says, handover=done.handover)

    async def ways(self, user: str, act: str = "", *, factor: str = "") -> tuple[Way, ...]:
        """Give the ways of proving a caller now; those that rule themselves out say why."""
        async with self._lulls() as lull:
            now = await self._now()
            await lull.ahead(user, account=self.agent.account)
            found = await self._view.user(user)
            action: AnyAction | None = ACTIONS[act](user=found.id) if act in ACTIONS else None
            if isinstance(action, FactorAction):
                action = replace(action, factor=factor)
            elif isinstance(action, TemporaryPass):
                action = replace(action, lost=factor)
            return ways(await self._view.whole(found), action, now)

    async def ask_proof(
        self, user: str, method: Method, *, channel: str = "", ticket: str = "", key: str = ""
    ) -> Asking:
        """Ask the caller over a channel on record; recorded, without what was asked for."""

        async def weigh(case: Case, now: datetime) -> Asking:
            return await self._proving.asking(case, method, channel, ticket, now)

        async def tell(asking: Asking, number: str, now: datetime, told: dict[str, Any]) -> Asking:
            told |= {"says": f"Asked by {asking.method.words}.", "ticket": asking.ticket}
            return await self._proving.asked(asking, number)

        question = Question(weigh=weigh, put=self._proving.ask, tell=tell)
        asked = wish(key, "ask_proof", user=user, method=method, channel=channel, ticket=ticket)
        return again(await self._putting(user, "prove", question, asked), Asking)

    async def answer_proof(
        self, user: str, answer: str, *, asking: str = "", key: str = ""
    ) -> Proof:
        """Check what the caller read back; right, and the caller is proven for ten minutes."""

        async def weigh(case: Case, now: datetime) -> Asking:
            return await self._proving.waiting(case.user, asking, now)

        async def put(case: Case, waits: Asking, now: datetime) -> bool:
            return await self._proving.check(case, waits, answer, now)

        async def tell(waits: Asking, came: bool, now: datetime, told: dict[str, Any]) -> Proof:
            proof = await self._proving.answered(waits, now, is_right=came)
            if proof is None:
                told["says"] = "A wrong answer."
                raise BadInput("That is not right. After three wrong answers one must ask anew.")
            told["says"] = f"Proven by {proof.method.words}."
            return proof

        question = Question(weigh=weigh, put=put, tell=tell)
        asked = wish(key, "answer_proof", user=user, asking=asking)
        return again(await self._putting(user, "prove", question, asked), Proof)

    async def approvals(self) -> tuple[Approval, ...]:
        """Give the requests for a second person of the last day, newest first."""
        now = await self._now()
        recent = await self._view.store.select(Approval, since=now - timedelta(days=1))
        mine = await self._view.entries([one.user for one in recent])
        return tuple(one for one in reversed(recent) if one.user in mine)

    async def approve(
        self, approval: str, *, is_granted: bool, says: str = "", key: str = ""
    ) -> Approval:
        """Answer a request as the second person; recorded, a refusal too."""
        asked = wish(key, "approve", approval=approval, is_granted=is_granted, says=says)
        found = next((a for a in await self.approvals() if a.id == approval), None)
        if found is None:
            async with self._changing:
                before = await self._once.before(asked)
            if before is not None:
                return again(before, Approval)
            raise NotFound(f"There is no request {clean(approval)} of the last day.")

        async def decide(_: Case, now: datetime, told: dict[str, Any]) -> Approval:
            decided = await self._proving.decide(
                found.id, is_granted=is_granted, says=says, now=now
            )
            word = "Agreed to" if is_granted else "Refused"
            told["says"] = f"{word} {found.act}, request {found.id}."
            return decided

        return again(await self._telling(found.user, "approve", decide, asked), Approval)

    async def phone(self, user: str) -> tuple[Handover, ...]:
        """Give what the devices of a person of the fixture show now, so that one plays both sides.

        Raises:
            Refused: The desk is not a demo: nobody sees what customers' devices show.
        """
        if not self.is_demo:
            why = "Only on demo data can one look at the customer's telephone."
            raise Refused(Decision(act="phone", weight=Weight.REFUSED, why=why))
        now = await self._now()
        found = await self._view.user(user)
        waiting = await self._view.store.select(Asking, only_open=True)
        askings = [a for a in waiting if a.is_open(now) and _reaches(a, found)]
        return tuple(await self._view.connector.shown(found, askings, now))

    async def _standing(self, user: User) -> Standing:
        return await self._proving.standing(user) if self.is_gated else Standing()

    def _weighed(
        self, action: AnyAction, card: Product, case: Case, standing: Standing, now: datetime
    ) -> Answer:
        if not self.is_gated:
            return super()._weighed(action, card, case, standing, now)
        return gate(self.agent, action, card, case, standing, now)

    async def _now(self) -> Any:
        """Bring the view up to date; while a change is under way only the change reads the file."""
        if not self._changing.locked() or self._view.mark is None:
            await self._view.refresh()
        await self._take_in_tickets()
        return self._view.clock()

    async def _change(self, action: AnyAction, asked: Wish) -> CarriedOut | Answered:
        """Weigh, carry out, record; a failure is recorded too.

        Give what was done now; else why not, or what the key had answered before.
        """
        begun: Begun | None = None
        try:
            before = await self._once.before(asked)
            if before is not None:
                return before
            await self._freshen(action.ticket)
            found = await self._weighed_alone(action, asked)
            if not isinstance(found, Begun):
                return found
            begun = found
            done = await STEPS[type(action)](action, begun.parts)
            await self._keep_done(action, asked, begun, done)
        except HelpdeskError as error:
            is_told = not isinstance(error, NotFound | Conflict | Unknown)
            if begun is not None or is_told or isinstance(error, Unsettled):
                await self._record_failure(action, error, asked, begun)
            raise
        finally:
            self._let_go(begun.hold if begun is not None else None)
        return CarriedOut(done=done, before=begun.parts.case)

    async def _keep_done(self, action: AnyAction, asked: Wish, begun: Begun, done: Done) -> None:
        """Record what a provider has done.

        Raises:
            Unsettled: It cannot be recorded, which undoes nothing at the provider.
        """
        try:
            async with self._changing, self._recorder.transaction(joins=True):
                await self._view.store.refresh()
                await self._recorded(action, asked, begun, done)
        except HelpdeskError as error:
            says = f"The provider did this, but the desk could not record it: {error}"
            raise Unsettled(f"{says} Look at the user before it is done again.") from error

    async def _weighed_alone(self, action: AnyAction, asked: Wish) -> CarriedOut | Answered | Begun:
        """Weigh under the pen; what a provider elsewhere is to do only begins there.

        It is asked before the pen is held, and anew where another act on the user came between.
        """
        is_part = not self.is_elsewhere or action.name not in AT_PROVIDER
        while True:
            with still():
                seen = {} if is_part else await self._acts()
                if self.is_elsewhere:
                    await self._ask_ahead(action)
                async with self._changing, self._recorder.transaction(joins=self._is_quick):
                    await self._view.refresh()
                    before = await self._once.before(asked)
                    if before is not None:
                        return before
                    await self._read_ahead(action.user)
                    user = await self._view.anybody(action.user)
                    if is_part or await self._alone(user.id, seen):
                        return await self._weigh_now(action, asked, user, is_part=is_part)
            await self._wait(user.id)

    async def _ask_ahead(self, action: AnyAction) -> None:
        """Ask the provider all that weighing the act will ask."""
        view = self._view
        await view.refresh()
        user = await view.anybody(action.user)
        case, standing = await view.whole(user), await self._standing(user)
        self._weighed(action, view.card(user), case, standing, view.clock())

    async def _weigh_now(
        self, action: AnyAction, asked: Wish, user: User, *, is_part: bool
    ) -> CarriedOut | Answered | Begun:
        """Weigh inside a transaction: refuse, or carry out, or begin what takes no part in it."""
        view, now = self._view, self._view.clock()
        card, case = view.card(user), await view.whole(user)
        self._look(case)
        if factor_of(action) and user.factor(factor_of(action)) is None:
            raise NotFound(_no_factor(factor_of(action), user))
        answer = self._weighed(action, card, case, await self._standing(user), now)
        decision = await self._filed(answer, action, case, now)
        parts = self._parts(card, case, self.agent, now, asked.key)
        if not decision.is_allowed:
            row = await self._record_action(action, user.id, said(decision), result_of(decision))
            reply = answered(None, decision)
            await self._once.keep(asked, reply, row.result, row.seq)
            return reply
        begun = Begun(parts=parts, answer=answer, decision=decision)
        if not is_part and not self.holds_back(action):
            kept = payload_of(bare(action))
            hold = await self._note_begun(action.name, user.id, asked, kept)
            return replace(begun, hold=hold)
        done = await self._carry_out(action, parts, answer.approval)
        await self._recorded(action, asked, begun, done)
        return CarriedOut(done=done, before=case)

    async def _recorded(self, action: AnyAction, asked: Wish, begun: Begun, done: Done) -> None:
        """Record, inside a transaction, what was done, with all that goes with it."""
        answer, user, now = begun.answer, begun.parts.case.user, self._view.clock()
        await self._proving.use_up(answer, action, now, is_held=bool(done.held))
        result = Result.HELD if done.held else Result.DONE
        used = ",".join(proof.id for proof in answer.proofs)
        row = await self._record_action(
            action, user.id, done.says, result, proof=used, hold=done.held
        )
        if not done.held:
            await self._telling_all.tell(action, begun.parts.card, user, row.seq)
        await self._once.keep(asked, answered(done, begun.decision), row.result, row.seq)
        await self._note_ended(begun.hold, Ending.DONE)

    async def _filed(
        self, answer: Answer, action: AnyAction, case: Case, now: datetime
    ) -> Decision:
        """Ask for the second person as soon as nothing else is missing."""
        needs = answer.decision.needs
        if [need.what for need in needs] != ["second-person"]:
            return answer.decision
        approval = await self._proving.file(action, case, answer, now)
        says = f"{needs[0].says} Request {approval.id} waits for a colleague, for an hour."
        need = replace(needs[0], says=says, choices=(approval.id,))
        return replace(answer.decision, needs=(need,))

    async def _record_failure(
        self, action: AnyAction, error: HelpdeskError, asked: Wish, begun: Begun | None
    ) -> None:
        """Keep that an act failed, after its transaction was dropped; the failure comes first.

        What was wrong with the wish is its answer, and so is that nobody knows whether it is done;
        what could not be reached may be tried again. Of what was done in part everybody is told.
        """
        try:
            async with self._changing, self._recorder.transaction(joins=True):
                await self._view.store.refresh()
                says = error.whole if isinstance(error, BrokeOff) else str(error)
                row = await self._record_action(action, action.user, says, Result.FAILED)
                if isinstance(error, BadInput | Unsettled):
                    await self._once.keep(asked, ended(error), row.result, row.seq)
                if begun is not None:
                    is_unknown = isinstance(error, Unsettled)
                    ending = Ending.UNKNOWN if is_unknown else Ending.REFUSED
                    await self._note_ended(begun.hold, ending)
                if begun is not None and isinstance(error, BrokeOff):
                    parts = begun.parts
                    await self._telling_all.tell(action, parts.card, parts.case.user, row.seq)
        except HelpdeskError:
            return  # the file cannot be written at all; the first error says so


def _no_factor(factor: str, user: User) -> str:
    there = ", ".join(clean(one.id) for one in user.live_factors) or "none"
    return f"This user has no factor {clean(factor)}; there is {there}."


def _reaches(asking: Asking, person: User) -> bool:
    """Whether what was asked shows on this person's devices.

    The caller's, or the one's who vouches.
    """
    kind, _, other = asking.channel.partition(":")
    return person.id == (other if kind == "administrator" else asking.user)
