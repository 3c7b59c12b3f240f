"""Asking a provider elsewhere something about a user, with the pen put down while it answers.

weighed ─▶ noted as begun ─▶ the pen is put down ─▶ the provider answers ─▶ recorded, the note ends

As with acts: one at a time of a user, and what a console leaves behind that dies is found so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

from msgspec import Struct

from helpdesk.domain.cases import Case
from helpdesk.domain.errors import HelpdeskError, Unsettled
from helpdesk.domain.holds import Ending, Hold
from helpdesk.domain.operations import Answered
from helpdesk.domain.users import User
from helpdesk.service.beginning import Beginning
from helpdesk.service.changing import ENDS
from helpdesk.service.once import Wish
from helpdesk.service.still import still

W = TypeVar("W")
R = TypeVar("R")


class Question(Struct, Generic[W, R], frozen=True, kw_only=True):
    """What a provider is asked, in three parts.

    Attributes:
        weigh: Gives what to ask, or raises why not; under the pen.
        put: Asks the provider; without the pen.
        tell: Keeps what came, and fills in what the row of the log tells; under the pen again.
    """

    weigh: Callable[[Case, datetime], Awaitable[W]]
    put: Callable[[Case, W, datetime], Awaitable[R]]
    tell: Callable[[W, R, datetime, dict[str, Any]], Awaitable[Any]]

    async def all(self, case: Case, now: datetime, told: dict[str, Any]) -> Any:
        """Give what it comes to, where the provider takes part in the store's transaction."""
        wished = await self.weigh(case, now)
        return await self.tell(wished, await self.put(case, wished, now), now, told)


class Apart(Beginning):
    """The part of a local desk that lets providers answer without the pen."""

    async def _putting(
        self, user: str, act: str, question: Question[Any, Any], asked: Wish
    ) -> Answered:
        """Weigh, ask and record; give what was answered, now or under this key before."""
        if not self.is_elsewhere:
            return await self._telling(user, act, question.all, asked)

        async def weigh(found: User) -> Answered | tuple[Case, Any, datetime]:
            case, now = await self._view.whole(found), self._view.clock()
            self._look(case)
            try:
                self._check_hands(act, case)
                return case, await question.weigh(case, now), now
            except ENDS as error:
                return await self._concluded(found.id, act, _raising(error), asked)

        with self._once.running(asked):
            begun = await self._begin_question(user, act, asked, weigh, self._view.anybody)
            if isinstance(begun, Answered):
                return begun
            hold, (case, wished, now) = begun

            async def conclude(came: Any, error: HelpdeskError | None) -> Answered | None:
                if error is not None and not isinstance(error, ENDS):
                    return None  # it may be asked again, as if it had not been

                async def tell(told: dict[str, Any]) -> Any:
                    if error is not None:
                        raise error
                    return await question.tell(wished, came, now, told)

                return await self._concluded(hold.user, act, tell, asked)

            return await self._end_question(hold, question.put(case, wished, now), conclude)

    async def _begin_question(
        self,
        name: str,
        act: str,
        asked: Wish,
        weigh: Callable[[User], Awaitable[Answered | W]],
        find: Callable[[str], Awaitable[User]],
    ) -> Answered | tuple[Hold, W]:
        """Weigh under the pen, alone with the user; what is then asked only begins there."""
        while True:
            with still():
                seen = await self._acts()
                await self._view.whole(await find(name))  # asked before the pen is held
                async with self._changing, self._recorder.transaction():
                    await self._view.refresh()
                    before = await self._once.before(asked)
                    if before is not None:
                        return before
                    user = await find(name)
                    if await self._alone(user.id, seen):
                        found = await weigh(user)
                        if isinstance(found, Answered):
                            return found
                        return await self._note_begun(act, user.id, asked), found
            await self._wait(user.id)

    async def _end_question(
        self,
        hold: Hold,
        put: Awaitable[R],
        conclude: Callable[[R | None, HelpdeskError | None], Awaitable[Answered | None]],
    ) -> Answered:
        """Let the provider answer, and record what came of it.

        *conclude* is given what came or why nothing did; where it gives nothing, that is raised.
        """
        came: R | None = None
        failed: HelpdeskError | None = None
        try:
            try:
                came = await put
            except HelpdeskError as error:
                failed = error
            async with self._changing, self._recorder.transaction(joins=True):
                await self._view.store.refresh()
                reply = await conclude(came, failed)
                await self._note_ended(hold, _ending(failed))
        finally:
            self._let_go(hold)
        if reply is None:
            raise failed or AssertionError("what came is always told")
        return reply


def _raising(error: HelpdeskError) -> Callable[[dict[str, Any]], Awaitable[Any]]:
    async def tell(told: dict[str, Any]) -> Any:
        raise error

    return tell


def _ending(error: HelpdeskError | None) -> Ending:
    if error is None:
        return Ending.DONE
    return Ending.UNKNOWN if isinstance(error, Unsettled) else Ending.REFUSED
