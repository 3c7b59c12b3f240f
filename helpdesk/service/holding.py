"""Acts that wait some minutes, so that they can be undone."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from helpdesk.domain.actions import AnyAction
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.approvals import Approval, payload_of
from helpdesk.domain.audit import UNDO, Result
from helpdesk.domain.cases import Case
from helpdesk.domain.decisions import Decision
from helpdesk.domain.errors import HelpdeskError, NotFound
from helpdesk.domain.holds import HELD_ACTS, Ending, Hold
from helpdesk.domain.policies import decide
from helpdesk.domain.products import Product
from helpdesk.domain.text import clean
from helpdesk.service.changing import Changing
from helpdesk.service.once import again, wish
from helpdesk.service.replies import result_of, said
from helpdesk.service.steps import STEPS, Done, Parts


class Holding(Changing):
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
        found = [replace(hold, by=None) for hold in waiting if hold.user in mine]
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
        waiting = await self._view.store.select(Hold, only_open=True)
        due = [hold for hold in waiting if hold.is_due(now)]
        for hold in due:
            await self._end(hold)
        return len(due)

    async def _end(self, hold: Hold) -> None:
        """Carry out one held act, weighed anew; what cannot be, ends refused with the reason."""
        view = self._view
        async with self._changing, self._recorder.transaction():
            await view.refresh()
            fresh = await view.store.get(Hold, hold.id) or hold
            now = view.clock()
            if not fresh.is_due(now):
                return  # another console was quicker, or somebody undid it
            asked = hold.by or next(
                (a for a in view.store.agents if a.id == hold.agent), self.agent
            )
            try:
                action, done, decision = await self._held_again(hold, asked, now)
            except (HelpdeskError, msgspec.MsgspecError) as error:
                await self._ended(fresh, Ending.REFUSED, now)
                says = f"It could not be carried out: {error}"
                told = {"act": hold.act, "user": hold.user, "says": clean(says)}
                await self._record(result=Result.FAILED, idempotency=hold.id, by=asked, **told)
                return
            await self._ended(fresh, Ending.DONE if done else Ending.REFUSED, now)
            says = f"Held from {hold.at:%H:%M}. {done.says if done else said(decision)}"
            row = await self._record_action(
                action, hold.user, says, result_of(decision), hold=hold.id, by=asked
            )
            if done:
                user = await view.anybody(hold.user)
                await self._telling_all.tell(action, view.card(user), user, row.seq)

    async def _ended(self, hold: Hold, ending: Ending, now: datetime) -> Hold:
        """Keep how a held act ended, with it and with the request it rests on."""
        store = self._view.store
        ended = replace(hold, ending=ending, ended_at=now)
        await store.keep(ended)
        agreed = await store.get(Approval, hold.approval)
        if agreed is not None:
            await store.keep(replace(agreed, ending=ending))
        return ended

    async def _held_again(
        self, hold: Hold, asked: Agent, now: datetime
    ) -> tuple[AnyAction, Done | None, Decision]:
        view, action = self._view, msgspec.json.decode(hold.payload, type=AnyAction)
        user = await view.anybody(hold.user)
        card, case = view.card(user), await view.whole(user)
        decision = decide(asked, action, card, case, now)
        done = None
        if decision.is_allowed:
            parts = self._parts(card, case, asked, now, hold.id)
            done = await STEPS[type(action)](action, parts)
        return action, done, decision

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
        if not self._hold or action.name not in HELD_ACTS:
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
        says = f"Held until {hold.due_at:%H:%M}: until then it can be undone ({hold.id})."
        return Done(says=says, held=hold.id)


def _gone(hold: str) -> str:
    return f"Nothing that waits is called {clean(hold)}: it may be done already."
