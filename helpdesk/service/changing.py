"""Changing something in one transaction with the row that tells of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final, TypeVar

from helpdesk.domain.actions import AnyAction
from helpdesk.domain.agents import Agent
from helpdesk.domain.audit import DISOWNED, LogRow, Result
from helpdesk.domain.cases import Case
from helpdesk.domain.decisions import Decision, Weight
from helpdesk.domain.errors import BadInput, Disowned, NeedsMore, NotFound, Refused, Unsettled
from helpdesk.domain.operations import Answered, Operation
from helpdesk.domain.policies import factor_of, hands_off
from helpdesk.domain.text import clean
from helpdesk.service.feeding import Feeding
from helpdesk.service.ground import look
from helpdesk.service.once import Wish, ended, given
from helpdesk.service.still import still

T = TypeVar("T")

Told = Callable[[Case, datetime, dict[str, Any]], Awaitable[T]]
"""Changes something about a caller; fills in what the row of the log tells of it."""

ENDS: Final = (Refused, NeedsMore, NotFound, BadInput, Unsettled)
"""Errors that are an answer, and recorded as such; whatever else fails may be tried again."""


class Changing(Feeding):
    """The part of a local desk that every change goes through."""

    async def withdraw(self, key: str) -> Operation:
        """Take a write of this agent's back if it was not carried out; give what became of it."""
        self._once.check_rest(key)
        async with self._changing, self._recorder.transaction(joins=True):
            return await self._once.withdraw(key)

    @property
    def _is_quick(self) -> bool:
        """Whether a change waits for nothing but the store: then others may become durable too."""
        return self._view.connector.takes_part and self._ticketing is None

    async def _telling(self, user: str, act: str, tell: Told[Any], asked: Wish) -> Answered:
        """Change something about a caller in one transaction with the row that tells of it."""
        with self._once.running(asked), still():
            if not self._view.connector.takes_part:  # it may take long, and nobody waits for it
                await self._view.whole(await self._view.anybody(user))
            async with self._changing, self._recorder.transaction(joins=self._is_quick):
                await self._view.refresh()
                before = await self._once.before(asked)
                return before if before is not None else await self._told(user, act, tell, asked)

    async def _told(self, user: str, act: str, tell: Told[Any], asked: Wish) -> Answered:
        await self._read_ahead(user)
        case = await self._view.whole(await self._view.anybody(user))
        self._look(case)

        async def do(told: dict[str, Any]) -> Any:
            self._check_hands(act, case)
            return await tell(case, self._view.clock(), told)

        return await self._concluded(case.user.id, act, do, asked)

    async def _read_ahead(self, user: str) -> None:
        """Read at once, inside a transaction, what the case of a user is made of."""
        async with self._lulls() as lull:
            await lull.ahead(user, account=self.agent.account)

    def _check_hands(self, act: str, case: Case) -> None:
        """Raise `Refused` where the agent keeps their hands off this user."""
        why, instead = hands_off(self.agent, case.user)
        if why:
            refused = Weight.REFUSED
            raise Refused(Decision(act=act, weight=refused, why=why, instead=instead))

    async def _concluded(
        self, user: str, act: str, do: Callable[[dict[str, Any]], Awaitable[Any]], asked: Wish
    ) -> Answered:
        """Do something inside a transaction, with the row that tells of it; give the answer."""
        told: dict[str, Any] = {"says": "", "result": Result.DONE}
        try:
            reply = given(await do(told), told["says"])
        except ENDS as error:
            reply = ended(error)
            result = Result.FAILED if isinstance(error, Unsettled) else Result.REFUSED
            told |= {"says": told["says"] or str(error), "result": result}
            act = DISOWNED if isinstance(error, Disowned) else act
        told["says"] = clean(told["says"])
        row = await self._record(act=act, user=user, **told)
        await self._once.keep(asked, reply, row.result, row.seq)
        return reply

    def _look(self, case: Case) -> None:
        """Ask what the change rests on; to who may not see the case the policy says why."""
        look(case if self.agent.account in {None, case.user.account} else None)

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
