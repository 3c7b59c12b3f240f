"""The line of a rehearsal, which breaks on cue, and the real offline desk that stands before it.

    trainee ─▶ `FrontDesk` (queue, conflicts, replay) ─▶ `CutLine` ─▶ the desk of the rehearsal

It is the very part that agents work with at a desk elsewhere; the line alone is played.
"""

from __future__ import annotations

import asyncio
import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from helpdesk.domain.actions import AnyAction
from helpdesk.domain.cases import Outcome
from helpdesk.domain.errors import HelpdeskError, NeedsMore, Refused, Unreachable
from helpdesk.domain.offline import State, Wish
from helpdesk.domain.training.scenario import BEGINS
from helpdesk.service.desk import Desk
from helpdesk.service.offline import OfflineDesk
from helpdesk.stores.replica import Replica

if TYPE_CHECKING:
    from helpdesk.service.rehearsed import RehearsedDesk
    from helpdesk.service.rehearsing import Stage

DOWN: Final = "The line to the desk is down."


class CutLine:
    """A desk at the far end of a line: as the desk itself, and `Unreachable` while it is cut."""

    def __init__(self, desk: RehearsedDesk) -> None:
        self._desk = desk
        self._cut = asyncio.Event()

    @property
    def is_cut(self) -> bool:
        """Whether nobody is reached."""
        return self._cut.is_set()

    def cut(self, *, is_cut: bool) -> None:
        """Cut the line, or mend it; who waits for news of the desk hears that it is cut."""
        (self._cut.set if is_cut else self._cut.clear)()

    async def changed(self, after: str) -> str:
        """Wait until something changed at the desk."""
        self._must_reach()
        heard = asyncio.ensure_future(self._desk.changed(after))
        broken = asyncio.ensure_future(self._cut.wait())
        try:
            await asyncio.wait({heard, broken}, return_when=asyncio.FIRST_COMPLETED)
            self._must_reach()
            return heard.result()
        finally:
            heard.cancel()
            broken.cancel()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._desk, name)
        return partial(self._over, found) if inspect.iscoroutinefunction(found) else found

    async def _over(self, ask: Any, *given: Any, **more: Any) -> Any:
        self._must_reach()
        return await ask(*given, **more)

    def _must_reach(self) -> None:
        if self.is_cut:
            raise Unreachable(DOWN)


class FrontDesk(OfflineDesk):
    """The real offline desk before the desk of a rehearsal; what waits and what fails is recorded.

    Args:
        stage: What is played; its clock alone moves this desk's.
        replica: What it keeps, in the world of the play.
    """

    def __init__(self, stage: Stage, replica: Replica) -> None:
        self.stage, self.line_to = stage, CutLine(stage.desk)
        super().__init__(
            cast("Desk", self.line_to),
            replica,
            stage.clock,
            elapsed=self._elapsed,
        )
        self._in_conflict: set[str] = set()

    def _elapsed(self) -> float:
        return (self.stage.now - BEGINS).total_seconds()

    async def perform(self, action: AnyAction, *, key: str = "") -> Outcome:
        """Carry an act out, or let it wait; what becomes of it without a line is recorded."""
        try:
            return await super().perform(action, key=key)
        except (Unreachable, Refused, NeedsMore) as error:
            if self.line_to.is_cut:  # else the desk itself has recorded it
                await self.stage.note_failure(action.name, error)
            raise

    async def _queue(self, action: AnyAction, wish: Wish) -> Outcome:
        outcome = await super()._queue(action, wish)
        self.stage.note_queued(action.name)
        return outcome

    @property
    def is_cut(self) -> bool:
        """Whether the desk is not reached."""
        return self.line_to.is_cut

    async def cut(self, *, is_cut: bool) -> None:
        """Cut the line, or mend it and send at once what waits; what is in conflict is recorded."""
        if is_cut:
            await self.changes()  # the last that is heard of the desk, at this moment of the play
            await self.settle()  # what was seen so far is on this machine
            self.line_to.cut(is_cut=True)
            return
        self.line_to.cut(is_cut=False)
        await self.tend()
        for wish in self.wishes:
            if wish.state is State.CONFLICT and wish.key not in self._in_conflict:
                self._in_conflict.add(wish.key)
                act = wish.action.name if wish.action else ""
                await self.stage.note_failure(act, HelpdeskError(wish.says))
