"""The desk on this machine: weigh, carry out, record, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from helpdesk.domain.actions import AnyAction, Reveal
from helpdesk.domain.audit import LogRow, Result
from helpdesk.domain.cases import Outcome
from helpdesk.domain.decisions import Decision
from helpdesk.domain.diagnosis.drift import Drift
from helpdesk.domain.errors import HelpdeskError, NeedsMore, NotFound, Refused
from helpdesk.domain.policies import decide, factor_of
from helpdesk.domain.text import clean
from helpdesk.service.diagnosing import may_measure
from helpdesk.service.questions import Questions
from helpdesk.service.steps import STEPS, Done, Parts


class LocalDesk(Questions):
    """A `Desk` on a connector and a store of this process."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self._changing = asyncio.Lock()

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
            decision = decide(self.agent, action, card, case, now)
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
                done = await STEPS[type(action)](action, parts)
            says = done.says if done else _said(decision)
            await self._record_action(action, user.id, says, _result(decision))
        return done, decision

    async def _record_failure(self, action: AnyAction, error: HelpdeskError) -> None:
        """Keep that an act failed, after its transaction was dropped; the failure comes first."""
        try:
            async with self._view.store.transaction():
                await self._view.refresh()
                await self._record_action(action, action.user, str(error), Result.FAILED)
        except HelpdeskError:
            return  # the file cannot be written at all; the first error says so

    async def _record_action(self, action: AnyAction, user: str, says: str, result: Result) -> None:
        await self._record(
            act=action.name,
            user=user,
            says=clean(says),
            result=result,
            reason=clean(action.reason),
            ticket=clean(action.ticket.lstrip("#")),
            factor=clean(factor_of(action)),
        )

    async def _record(self, **row: Any) -> None:
        store = self._view.store
        seq = max((row.seq for row in store.log), default=0) + 1
        at, agent = self._view.clock(), self.agent
        await store.record(LogRow(seq=seq, at=at, agent=agent.id, role=agent.role, **row))


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
