"""Measuring by how much a phone's clock is off, by codes that are read out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from helpdesk.domain.decisions import Decision, Weight
from helpdesk.domain.diagnosis.drift import Drift, is_code
from helpdesk.domain.errors import BadInput, HelpdeskError
from helpdesk.domain.limits import SPAN
from helpdesk.domain.operations import Answered
from helpdesk.domain.text import clean
from helpdesk.domain.users import Factor, User
from helpdesk.service.apart import Apart
from helpdesk.service.diagnosing import may_measure
from helpdesk.service.ground import is_looked_at
from helpdesk.service.once import Wish, again, ended, given, wish
from helpdesk.service.replies import error_of, result_of, said

MEASURED: Final = Decision(act="drift", weight=Weight.ALLOWED)
"""By which a phone's clock was measured."""


class Measuring(Apart):
    """The part of a local desk that measures clocks."""

    async def drift(self, user: str, factor: str, codes: Sequence[str], *, key: str = "") -> Drift:
        """Measure by how much a phone's clock is off; the try is recorded, the codes are not."""
        if not codes or not all(is_code(code) for code in codes):
            raise BadInput("A code has six digits: read it out again. No try was used up.")
        asked = wish(key, "drift", user=user, factor=factor)
        with self._once.running(asked):
            answer = await self._measured(user, factor, codes, asked)
        return again(answer, Drift)

    async def _measured(
        self, user: str, factor: str, codes: Sequence[str], asked: Wish
    ) -> Answered:
        async def weigh(found: User) -> Answered | tuple[User, Factor]:
            return await self._weighed_drift(found, factor, asked)

        if not self.is_elsewhere:
            async with self._changing, self._recorder.transaction():
                await self._view.refresh()
                before = await self._once.before(asked)
                begun = before or await weigh(await self._view.user(user))
                if isinstance(begun, Answered):
                    return begun
                drift = await self._measure(*begun, codes)
                return await self._note_drift(begun[0].id, factor, drift, MEASURED, asked)
        found = await self._begin_question(user, "drift", asked, weigh, self._view.user)
        if isinstance(found, Answered):
            return found
        hold, (person, chosen) = found

        async def conclude(drift: Drift | None, error: HelpdeskError | None) -> Answered | None:
            if drift is None:
                return None
            return await self._note_drift(hold.user, factor, drift, MEASURED, asked)

        return await self._end_question(hold, self._measure(person, chosen, codes), conclude)

    async def _weighed_drift(
        self, found: User, factor: str, asked: Wish
    ) -> Answered | tuple[User, Factor]:
        """Give what to measure by, or the answer that it may not be, which is recorded."""
        now = self._view.clock()
        if is_looked_at():
            self._look(await self._view.whole(found))
        rows = await self._view.store.rows(user=found.id, acts=("drift",), since=now - SPAN)
        lacks = (await self._view.connector.supports(found)).lacks
        decision, chosen = may_measure(self.agent, found, factor, rows, now, lacks)
        if chosen is not None:
            return found, chosen
        return await self._note_drift(found.id, factor, None, decision, asked)

    async def _measure(self, found: User, chosen: Factor, codes: Sequence[str]) -> Drift:
        now, others_s = self._view.clock(), await self._diagnosing.offsets(found)
        return await self._view.connector.drift(found, chosen, codes, now, others_s)

    async def _note_drift(
        self, user: str, factor: str, drift: Drift | None, decision: Decision, asked: Wish
    ) -> Answered:
        """Record what was measured, or the *decision* by which it was not."""
        reply = given(drift, drift.says) if drift else ended(error_of(decision))
        row = await self._record(
            act="drift",
            user=user,
            factor=clean(factor),
            says=drift.says if drift else said(decision),
            result=result_of(decision),
        )
        await self._once.keep(asked, reply, row.result, row.seq)
        return reply
