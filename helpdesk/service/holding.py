"""Acts that wait some minutes, so that they can be undone."""

from __future__ import annotations

import contextlib
import secrets
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from helpdesk.domain.actions import AnyAction
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.approvals import Approval, payload_of
from helpdesk.domain.audit import UNDO, LogRow, Result
from helpdesk.domain.cases import Case
from helpdesk.domain.decisions import Decision
from helpdesk.domain.errors import BrokeOff, HelpdeskError, NotFound, Unsettled
from helpdesk.domain.holds import HELD_ACTS, Ending, Hold
from helpdesk.domain.policies import decide
from helpdesk.domain.products import Product
from helpdesk.domain.text import clean
from helpdesk.service.beginning import Beginning
from helpdesk.service.once import again, wish
from helpdesk.service.replies import result_of, said
from helpdesk.service.steps import STEPS, Done, Parts
from helpdesk.service.still import still


class _Again(Struct, frozen=True, kw_only=True):
    """A held act as it was weighed anew."""

    hold: Hold
    action: AnyAction
    parts: Parts
    decision: Decision


class Holding(Beginning):
    """The part of a local desk that lets resets wait.

    Args:
        hold: For how long; zero for not at all.
    """

    def __init__(self, *, hold: timedelta = timedelta(0), **parts: Any) -> None:
        super().__init__(**parts)
        self._hold = hold

    async def holds(self) -> tuple[Hold, ...]:
        """Give the acts that wait to be carried out, the next one first."""
        await self._now()
        waiting = await self._view.store.select(Hold, only_open=True)
        mine = await self._view.entries([hold.user for hold in waiting])
        found = [
            replace(hold, by=None)
            for hold in waiting
            if hold.user in mine and hold.ending is Ending.WAITS
        ]
        return tuple(sorted(found, key=lambda hold: hold.due_at))

    async def undo(self, hold: str, *, key: str = "") -> Hold:
        """Undo an act that waits; recorded."""
        asked = wish(key, "undo", hold=hold)
        await self._now()
        seen = await self._view.store.get(Hold, hold)
        if seen is None or await self._view.entry(seen.user) is None:
            raise NotFound(_gone(hold))
        if seen.ending is not Ending.WAITS and not key:
            raise NotFound(_gone(hold))

        async def end(_: Case, now: datetime, told: dict[str, Any]) -> Hold:
            # Between the look and the lock another console may have carried it out.
            found = await self._view.store.get(Hold, hold) or seen
            if found.ending is not Ending.WAITS:
                raise NotFound(_gone(hold))
            told |= {"says": f"Undone: {found.act}, {found.id}.", "idempotency": found.id}
            return replace(await self._ended(found, Ending.UNDONE, now), by=None)

        return again(await self._telling(seen.user, UNDO, end, asked), Hold)

    async def carry_out_due(self) -> int:
        """Carry out what has waited long enough, weighed anew; give how many ended."""
        now = await self._now()
        if self.agent.role is Role.AUDITOR:
            return 0
        await self._settle_all_lost()
        await self._view.reckon(now)
        waiting = await self._view.store.select(Hold, only_open=True)
        due = [hold for hold in waiting if self._is_due(hold, now)]
        for hold in due:
            await self._end(hold)
        return len(due)

    def _is_due(self, hold: Hold, now: datetime) -> bool:
        """Whether its time has come: whoever sets the clock neither hastens nor delays it."""
        return hold.is_due(self._view.ages.reckoned(hold.id, now))

    async def _end(self, hold: Hold) -> None:
        """Carry out one held act, weighed anew; what cannot be, ends refused with the reason."""
        asked = hold.by or next(
            (a for a in self._view.store.agents if a.id == hold.agent), self.agent
        )
        begun: _Again | None = None
        try:
            with still():
                seen = await self._acts() if self.is_elsewhere else {}
                if self.is_elsewhere:  # what it rests on is asked before the pen is held
                    with contextlib.suppress(HelpdeskError, msgspec.MsgspecError):
                        await self._held_again(hold, asked)
                begun = await self._end_alone(hold, asked, seen)
            if begun is not None:
                await self._end_begun(begun, asked)
        finally:
            self._let_go(begun.hold if begun is not None else None)

    async def _end_alone(self, hold: Hold, asked: Agent, seen: dict[str, Ending]) -> _Again | None:
        """Weigh a held act under the pen; give it where a provider elsewhere is to carry it out."""
        view = self._view
        async with self._changing, self._recorder.transaction():
            await view.refresh()
            fresh = await view.store.get(Hold, hold.id) or hold
            now = view.clock()
            if not self._is_due(fresh, now):
                return None  # another console was quicker, or somebody undid it
            if self.is_elsewhere and not await self._alone(fresh.user, seen):
                return None  # it is its turn when the other act has ended
            try:
                again = await self._held_again(fresh, asked)
                if again.decision.is_allowed and self.is_elsewhere:
                    return replace(again, hold=await self._begin(fresh))
                done = None
                if again.decision.is_allowed:
                    done = await STEPS[type(again.action)](again.action, again.parts)
            except (HelpdeskError, msgspec.MsgspecError) as error:
                await self._end_failed(fresh, asked, error)
                return None
            await self._end_recorded(again, asked, done)
        return None

    async def _end_begun(self, begun: _Again, asked: Agent) -> None:
        """Let the provider carry out a held act, and record what became of it."""
        try:
            done = await STEPS[type(begun.action)](begun.action, begun.parts)
        except HelpdeskError as error:
            async with self._changing, self._recorder.transaction():
                row = await self._end_failed(begun.hold, asked, error)
                if isinstance(error, BrokeOff):  # of what was done in part everybody is told
                    parts = begun.parts
                    await self._telling_all.tell(begun.action, parts.card, parts.case.user, row.seq)
            return
        async with self._changing, self._recorder.transaction():
            await self._end_recorded(begun, asked, done)

    async def _end_failed(self, hold: Hold, asked: Agent, error: Exception) -> LogRow:
        is_unknown = isinstance(error, Unsettled)
        ending = Ending.UNKNOWN if is_unknown else Ending.REFUSED
        await self._ended(hold, ending, self._view.clock())
        says = str(error) if is_unknown else f"It could not be carried out: {error}"
        told = {"act": hold.act, "user": hold.user, "says": clean(says)}
        return await self._record(result=Result.FAILED, idempotency=hold.id, by=asked, **told)

    async def _end_recorded(self, again: _Again, asked: Agent, done: Done | None) -> None:
        hold, view = again.hold, self._view
        await self._ended(hold, Ending.DONE if done else Ending.REFUSED, view.clock())
        says = f"Held from {hold.at:%H:%M}. {done.says if done else said(again.decision)}"
        row = await self._record_action(
            again.action, hold.user, says, result_of(again.decision), hold=hold.id, by=asked
        )
        if done:
            user = await view.anybody(hold.user)
            await self._telling_all.tell(again.action, view.card(user), user, row.seq)

    async def _ended(self, hold: Hold, ending: Ending, now: datetime) -> Hold:
        """Keep how a held act ended, with it and with the request it rests on."""
        store = self._view.store
        ended = replace(hold, ending=ending, ended_at=now)
        await store.keep(ended)
        agreed = await store.get(Approval, hold.approval)
        if agreed is not None:
            await store.keep(replace(agreed, ending=ending))
        return ended

    async def _held_again(self, hold: Hold, asked: Agent) -> _Again:
        """Weigh a held act anew."""
        view, action = self._view, msgspec.json.decode(hold.payload, type=AnyAction)
        user, now = await view.anybody(hold.user), view.clock()
        card, case = view.card(user), await view.whole(user)
        parts = self._parts(card, case, asked, now, hold.id)
        decision = decide(asked, action, card, case, now)
        return _Again(hold=hold, action=action, parts=parts, decision=decision)

    def holds_back(self, action: AnyAction) -> bool:
        """Whether an act waits at this desk before it is carried out."""
        return bool(self._hold) and action.name in HELD_ACTS

    def _parts(self, card: Product, case: Case, agent: Agent, now: datetime, key: str) -> Parts:
        """Return what a step works with at this desk."""
        return Parts(
            connector=self._view.connector,
            store=self._view.store,
            card=card,
            case=case,
            agent=agent,
            now=now,
            tickets=self._tickets,
            bundle=partial(self._bundle, case),
            key=key,
        )

    async def _carry_out(self, action: AnyAction, parts: Parts, agreed: Approval | None) -> Done:
        """Do it, or, where resets wait at this desk, hold it."""
        if not self.holds_back(action):
            return await STEPS[type(action)](action, parts)
        hold = Hold(
            id=f"h{secrets.token_hex(3)}",
            act=action.name,
            user=parts.case.user.id,
            payload=payload_of(action),
            agent=self.agent.id,
            by=self.agent,
            at=parts.now,
            due_at=parts.now + self._hold,
            approval=agreed.id if agreed else "",
        )
        await parts.store.keep(hold)
        self._is_due(hold, parts.now)
        says = f"Held until {hold.due_at:%H:%M}: until then it can be undone ({hold.id})."
        return Done(says=says, held=hold.id)


def _gone(hold: str) -> str:
    return f"Nothing that waits is called {clean(hold)}: it may be done already."
