"""The desk on this machine: weigh, carry out, record, in one transaction."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from helpdesk.domain.actions import ACTIONS, AnyAction, FactorAction, Reveal
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.approvals import Approval, payload_of
from helpdesk.domain.audit import LogRow, Result
from helpdesk.domain.cases import Case, Handover, Outcome
from helpdesk.domain.decisions import Decision, Weight
from helpdesk.domain.diagnosis.drift import Drift, is_code
from helpdesk.domain.errors import BadInput, HelpdeskError, NeedsMore, NotFound, Refused
from helpdesk.domain.gate import Answer
from helpdesk.domain.gate import weigh as gate
from helpdesk.domain.holds import HELD_ACTS, Ending, Hold
from helpdesk.domain.limits import Alarm, alarms
from helpdesk.domain.policies import decide, factor_of, hands_off
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import Asking, Method, Proof, Way, ways
from helpdesk.domain.text import clean
from helpdesk.domain.users import User
from helpdesk.service.diagnosing import may_measure
from helpdesk.service.logbook import Logbook
from helpdesk.service.proving import Proving
from helpdesk.service.steps import STEPS, Done, Parts


class LocalDesk(Logbook):
    """A `Desk` on a connector and a store of this process.

    Attributes:
        is_gated: Whether callers must be proven and the dangerous acts take a second person.
    """

    def __init__(
        self, *, is_gated: bool = False, hold: timedelta = timedelta(0), **parts: Any
    ) -> None:
        super().__init__(**parts)
        self.is_gated, self._hold = is_gated, hold
        self._proving = Proving(self.agent, self._view, self._diagnosing)

    async def perform(self, action: AnyAction) -> Outcome:
        """Weigh an action, carry it out, record it, and give the new case."""
        async with self._changing:
            try:
                done, decision = await self._change(action)
            except NotFound:
                raise
            except HelpdeskError as error:
                await self._record_failure(action, error)
                raise
        if done is None:
            raise _error(decision)
        await self._view.refresh()
        case = await self._shown(action.user, is_masked=not isinstance(action, Reveal))
        return Outcome(case=case, says=done.says, handover=done.handover)

    async def drift(self, user: str, factor: str, codes: Sequence[str]) -> Drift:
        """Measure by how much a phone's clock is off; the try is recorded, the codes are not."""
        drift = None
        if not codes or not all(is_code(code) for code in codes):
            raise BadInput("A code has six digits: read it out again. No try was used up.")
        async with self._changing, self._view.store.transaction():
            await self._view.refresh()
            found, now = self._view.user(user), self._view.clock()
            decision, chosen = may_measure(self.agent, found, factor, self._view.store.log, now)
            if chosen is not None:
                others_s = await self._diagnosing.offsets(found)
                drift = await self._view.connector.drift(found, chosen, codes, now, others_s)
            await self._record(
                act="drift",
                user=found.id,
                factor=clean(factor),
                says=drift.says if drift else _said(decision),
                result=_result(decision),
            )
        if drift is None:
            raise _error(decision)
        return drift

    async def ways(self, user: str, act: str = "", *, factor: str = "") -> tuple[Way, ...]:
        """Give the ways of proving a caller now; those that rule themselves out say why."""
        now = await self._now()
        found = self._view.user(user)
        action: AnyAction | None = ACTIONS[act](user=found.id) if act in ACTIONS else None
        if isinstance(action, FactorAction):
            action = replace(action, factor=factor)
        return ways(await self._view.whole(found), action, now)

    async def ask_proof(
        self, user: str, method: Method, *, channel: str = "", ticket: str = ""
    ) -> Asking:
        """Ask the caller over a channel on record; recorded, without what was asked for."""
        async with self._telling(user, "prove") as (case, now, told):
            asking = await self._proving.ask(case, method, channel, ticket, now)
            told["says"] = f"Asked by {asking.method.words}."
            told["ticket"] = asking.ticket
        return asking

    async def answer_proof(self, user: str, answer: str, *, asking: str = "") -> Proof:
        """Check what the caller read back; right, and the caller is proven for ten minutes."""
        async with self._telling(user, "prove") as (case, now, told):
            proof = await self._proving.answer(case, asking, answer, now)
            told["says"] = f"Proven by {proof.method.words}." if proof else "A wrong answer."
            told["result"] = Result.DONE if proof else Result.REFUSED
        if proof is None:
            raise BadInput("That is not right. After three wrong answers one must ask anew.")
        return proof

    async def approvals(self) -> tuple[Approval, ...]:
        """Give the requests for a second person of the last day, newest first."""
        now = await self._now()
        recent = [
            one
            for one in self._view.store.approvals
            if now - one.asked_at < timedelta(days=1) and one.user in self._view.entries
        ]
        return tuple(reversed(recent))

    async def approve(self, approval: str, *, is_granted: bool, says: str = "") -> Approval:
        """Answer a request as the second person; recorded, a refusal too."""
        found = next((a for a in await self.approvals() if a.id == approval), None)
        if found is None:
            raise NotFound(f"There is no request {clean(approval)} of the last day.")
        async with self._telling(found.user, "approve") as (_, now, told):
            told["says"] = (
                f"{'Agreed to' if is_granted else 'Refused'} {found.act}, request {found.id}."
            )
            return await self._proving.decide(found.id, is_granted=is_granted, says=says, now=now)

    async def phone(self, user: str) -> tuple[Handover, ...]:
        """Give what the devices of a person of the fixture show now, so that one plays both sides.

        Raises:
            Refused: The desk is not a demo: nobody sees what customers' devices show.
        """
        if not self.is_demo:
            why = "Only on demo data can one look at the customer's telephone."
            raise Refused(Decision(act="phone", weight=Weight.REFUSED, why=why))
        now = await self._now()
        found = self._view.user(user)
        askings = [a for a in self._view.store.askings if a.is_open(now) and _reaches(a, found)]
        return tuple(await self._view.connector.shown(found, askings, now))

    @asynccontextmanager
    async def _telling(
        self, user: str, act: str
    ) -> AsyncIterator[tuple[Case, datetime, dict[str, Any]]]:
        """Change something about a caller in one transaction with the row that tells of it."""
        told: dict[str, Any] = {"says": "", "result": Result.DONE}
        stopped: HelpdeskError | None = None
        async with self._changing, self._view.store.transaction():
            await self._view.refresh()
            case = await self._view.whole(self._view.anybody(user))
            why, instead = hands_off(self.agent, case.user)
            try:
                if why:
                    refused = Weight.REFUSED
                    raise Refused(Decision(act=act, weight=refused, why=why, instead=instead))
                yield case, self._view.clock(), told
            except (Refused, NeedsMore, NotFound, BadInput) as error:
                stopped = error
                told |= {"says": str(error), "result": Result.REFUSED}
            told["says"] = clean(told["says"])
            await self._record(act=act, user=case.user.id, **told)
        if stopped is not None:
            raise stopped

    async def _weighed(self, action: AnyAction, card: Product, case: Case, now: datetime) -> Answer:
        if not self.is_gated:
            return Answer(decision=decide(self.agent, action, card, case, now))
        standing = await self._proving.standing(case.user)
        return gate(self.agent, action, card, case, standing, now)

    async def _now(self) -> Any:
        """Bring the view up to date; while a change is under way only the change reads the file."""
        if not self._changing.locked() or not self._view.entries:
            await self._view.refresh()
        return self._view.clock()

    async def _change(self, action: AnyAction) -> tuple[Done | None, Decision]:
        """Weigh anew under the lock, carry out, record: all of it in one transaction."""
        view = self._view
        async with view.store.transaction():
            await view.refresh()
            user, now = view.anybody(action.user), view.clock()
            card, case = view.card(user), await view.whole(user)
            if factor_of(action) and user.factor(factor_of(action)) is None:
                raise NotFound(_no_factor(factor_of(action), user))
            answer = await self._weighed(action, card, case, now)
            decision = await self._filed(answer, action, case, now)
            done = None
            if decision.is_allowed:
                parts = Parts(
                    connector=view.connector,
                    store=view.store,
                    card=card,
                    case=case,
                    agent=self.agent,
                    now=now,
                )
                done = await self._carry_out(action, parts)
                await self._proving.use_up(answer, action, now)
            says = done.says if done else _said(decision)
            result = Result.HELD if done and done.held else _result(decision)
            used = ",".join(proof.id for proof in answer.proofs) if done else ""
            hold = done.held if done else ""
            row = await self._record_action(action, user.id, says, result, proof=used, hold=hold)
            if done and not done.held:
                await self._telling_all.tell(action, card, user, row.seq)
        return done, decision

    async def _carry_out(self, action: AnyAction, parts: Parts) -> Done:
        """Do it, or, where resets wait at this desk, hold it."""
        if not self._hold or action.name not in HELD_ACTS:
            return await STEPS[type(action)](action, parts)
        hold = Hold(
            id=f"h{secrets.token_hex(3)}",
            act=action.name,
            user=parts.case.user.id,
            payload=payload_of(action),
            agent=self.agent.id,
            at=parts.now,
            due_at=parts.now + self._hold,
        )
        await parts.store.keep(hold)
        says = f"Held until {hold.due_at:%H:%M}: until then it can be undone ({hold.id})."
        return Done(says=says, held=hold.id)

    async def alarms(self) -> tuple[Alarm, ...]:
        """Give what in the log of the last day a lead should look at, newest first."""
        now = await self._now()
        found = alarms(self._view.store.log, now)
        mine = self._view.entries
        return tuple(one for one in found if self.agent.account is None or one.user in mine)

    async def holds(self) -> tuple[Hold, ...]:
        """Give the acts that wait to be carried out, the next one first."""
        await self._now()
        waiting = [
            hold
            for hold in self._view.store.holds
            if hold.ending is Ending.WAITS and hold.user in self._view.entries
        ]
        return tuple(sorted(waiting, key=lambda hold: hold.due_at))

    async def undo(self, hold: str) -> Hold:
        """Undo an act that waits; recorded."""
        seen = next((one for one in await self.holds() if one.id == hold), None)
        if seen is None:
            raise NotFound(_gone(hold))
        async with self._telling(seen.user, "undo") as (_, now, told):
            # Between the look and the lock another console may have carried it out.
            found = next((one for one in self._view.store.holds if one.id == hold), seen)
            if found.ending is not Ending.WAITS:
                raise NotFound(_gone(hold))
            told["says"] = f"Undone: {found.act}, {found.id}."
            found = replace(found, ending=Ending.UNDONE, ended_at=now)
            await self._view.store.keep(found)
        return found

    async def carry_out_due(self) -> int:
        """Carry out what has waited long enough, weighed anew; give how many ended."""
        now = await self._now()
        if self.agent.role is Role.AUDITOR:
            return 0
        due = [hold for hold in self._view.store.holds if hold.is_due(now)]
        for hold in due:
            await self._end(hold)
        return len(due)

    async def _end(self, hold: Hold) -> None:
        """Carry out one held act, weighed anew; what cannot be, ends refused with the reason."""
        view = self._view
        async with self._changing, view.store.transaction():
            await view.refresh()
            fresh = next((one for one in view.store.holds if one.id == hold.id), hold)
            now = view.clock()
            if not fresh.is_due(now):
                return  # another console was quicker, or somebody undid it
            asked = next((a for a in view.store.agents if a.id == hold.agent), self.agent)
            try:
                action, done, decision = await self._held_again(hold, asked, now)
            except (HelpdeskError, msgspec.MsgspecError) as error:
                ended = replace(fresh, ending=Ending.REFUSED, ended_at=now)
                await view.store.keep(ended)
                says = f"It could not be carried out: {error}"
                told = {"act": hold.act, "user": hold.user, "says": clean(says)}
                await self._record(result=Result.FAILED, idempotency=hold.id, by=asked, **told)
                return
            ending = Ending.DONE if done else Ending.REFUSED
            await view.store.keep(replace(fresh, ending=ending, ended_at=now))
            says = f"Held from {hold.at:%H:%M}. {done.says if done else _said(decision)}"
            row = await self._record_action(
                action, hold.user, says, _result(decision), hold=hold.id, by=asked
            )
            if done:
                user = view.anybody(hold.user)
                await self._telling_all.tell(action, view.card(user), user, row.seq)

    async def _held_again(
        self, hold: Hold, asked: Agent, now: datetime
    ) -> tuple[AnyAction, Done | None, Decision]:
        view, action = self._view, msgspec.json.decode(hold.payload, type=AnyAction)
        user = view.anybody(hold.user)
        card, case = view.card(user), await view.whole(user)
        decision = decide(asked, action, card, case, now)
        done = None
        if decision.is_allowed:
            parts = Parts(
                connector=view.connector,
                store=view.store,
                card=card,
                case=case,
                agent=asked,
                now=now,
            )
            done = await STEPS[type(action)](action, parts)
        return action, done, decision

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

    async def _record_failure(self, action: AnyAction, error: HelpdeskError) -> None:
        """Keep that an act failed, after its transaction was dropped; the failure comes first."""
        try:
            async with self._view.store.transaction():
                await self._view.refresh()
                await self._record_action(action, action.user, str(error), Result.FAILED)
        except HelpdeskError:
            return  # the file cannot be written at all; the first error says so

    async def _record_action(
        self,
        action: AnyAction,
        user: str,
        says: str,
        result: Result,
        *,
        proof: str = "",
        hold: str = "",
        by: Agent | None = None,
    ) -> LogRow:
        return await self._record(
            act=action.name,
            user=user,
            says=clean(says),
            result=result,
            reason=clean(action.reason),
            ticket=clean(action.ticket.lstrip("#")),
            factor=clean(factor_of(action)),
            proof=proof,
            idempotency=hold,
            by=by,
        )

    async def _record(self, **row: Any) -> LogRow:
        self._keeping.wake()
        return await self._recorder.record(**row)


def _no_factor(factor: str, user: User) -> str:
    there = ", ".join(clean(one.id) for one in user.live_factors) or "none"
    return f"This user has no factor {clean(factor)}; there is {there}."


def _gone(hold: str) -> str:
    return f"Nothing that waits is called {clean(hold)}: it may be done already."


def _reaches(asking: Asking, person: User) -> bool:
    """Whether what was asked shows on this person's devices.

    The caller's, or the one's who vouches.
    """
    kind, _, other = asking.channel.partition(":")
    return person.id == (other if kind == "administrator" else asking.user)


def _error(decision: Decision) -> HelpdeskError:
    return Refused(decision) if decision.is_refused else NeedsMore(decision)


def _result(decision: Decision) -> Result:
    if decision.is_allowed:
        return Result.DONE
    return Result.REFUSED if decision.is_refused else Result.NEEDS


def _said(decision: Decision) -> str:
    if decision.is_refused:
        return decision.why
    return " ".join(need.says for need in decision.needs)
