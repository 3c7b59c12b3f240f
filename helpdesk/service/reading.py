"""The questions this machine can answer too: at once from here, then as the desk has it.

asked ─┬─▶ the desk, within a moment ─────────────▶ given, and remembered
       └─▶ not yet, or not reached ─▶ from here ──▶ given, marked with its time
              └─▶ the desk's answer comes late ───▶ remembered; the screen is told to ask again
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from helpdesk.domain.cases import Case
from helpdesk.domain.decisions import Decision
from helpdesk.domain.diagnosis.verdicts import CallerSaid, Verdict
from helpdesk.domain.errors import CursorTooOld, HelpdeskError, Unreachable
from helpdesk.domain.feed import Changes
from helpdesk.domain.offline import refused_when_down, why_never
from helpdesk.domain.search import LoopRow, Page, Query, TicketRow, UserRow
from helpdesk.service.desk import Desk
from helpdesk.service.line import Line
from helpdesk.service.relaying import Relaying
from helpdesk.service.working_set import Shown, WorkingSet

T = TypeVar("T")

PATIENCE_S: Final = 0.3
"""Seconds the desk has to answer before what is here is shown meanwhile."""

RETRY_S: Final = 2.0
"""Seconds between two tries to hear from a desk that is not reached."""

LATE: Final = timedelta(seconds=5)
"""For so long an answer that came late answers the same question when it is asked again."""

Remember = Callable[[Any], Coroutine[Any, Any, None]]


class Reading(Relaying):
    """The half of an offline desk that remembers what it was shown.

    Attributes:
        patience_s: Seconds the desk has to answer before what is here is shown.
        is_live_only: Whether only the desk's own answers count, and are written down before they
            are given: for who brings over what is not here yet.
        asks_after_s: Seconds that the first question waits where what is here is shown meanwhile.
    """

    def __init__(
        self, remote: Desk, line: Line, known: WorkingSet, clock: Callable[[], datetime]
    ) -> None:
        super().__init__(remote, line)
        self._known, self._clock = known, clock
        self._asked: dict[str, asyncio.Task[Any]] = {}
        self._late: dict[str, tuple[Any, datetime]] = {}
        self._came, self._told = asyncio.Event(), dict[str, str]()
        self._chores: set[asyncio.Task[Any]] = set()
        self._is_locked, self.asks_after_s = False, 0.0
        self.patience_s = PATIENCE_S
        self.is_live_only = False

    async def find(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[UserRow]:
        """Give the users that match; meanwhile those of them that are here."""
        asked = f"find {query} {offset} {limit}"
        return await self._answer(
            "rows",
            asked,
            lambda: self._remote.find(query, offset=offset, limit=limit),
            lambda: self._known.find(query, offset, limit, self._clock()),
        )

    async def queue(self, *, offset: int = 0, limit: int = 100) -> Page[UserRow]:
        """Give the users this agent should look at."""
        return await self._answer(
            "rows",
            f"queue {offset} {limit}",
            lambda: self._remote.queue(offset=offset, limit=limit),
            lambda: self._known.queue(offset, limit),
            self._page("queue", offset),
        )

    async def loops(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[LoopRow]:
        """Give open login-loop reports of everybody that matches."""
        # Of no row there is nothing to remember: it was asked for its total.
        is_whole = query.is_empty and limit > 1
        return await self._answer(
            "loops",
            f"loops {query} {offset} {limit}",
            lambda: self._remote.loops(query, offset=offset, limit=limit),
            lambda: self._known.loops(query, offset, limit),
            self._page("loops", offset) if is_whole else None,
        )

    async def tickets(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[TicketRow]:
        """Give open tickets of everybody that matches."""
        return await self._answer(
            "tickets",
            f"tickets {query} {offset} {limit}",
            lambda: self._remote.tickets(query, offset=offset, limit=limit),
            lambda: self._known.tickets(query, offset, limit),
            self._page("tickets", offset) if query.is_empty else None,
        )

    async def case(self, user: str) -> Case:
        """Give everything about one user; meanwhile as it was last seen here."""
        return await self._answer(
            "case",
            f"case {user}",
            lambda: self._remote.case(user),
            lambda: self._case_shown(user),
            self._case,
        )

    async def why(self, user: str, said: Sequence[CallerSaid] = ()) -> Verdict:
        """Give the verdict on one user; what the caller said only the desk can weigh."""
        if said:
            return await self._line.ask(self._remote.why(user, said))
        return await self._answer(
            "why",
            f"why {user}",
            lambda: self._remote.why(user),
            lambda: self._known.why(user),
            lambda found: self._known.remember(f"why {user}", found, self._clock()),
        )

    async def came_late(self) -> None:
        """Wait until an answer came after another was given meanwhile: it is to be asked for.

        To the same question again, of each kind, only the first one counts.
        """
        await self._came.wait()
        self._came.clear()

    async def changes(self, after: str = "", *, limit: int = 500) -> Changes:
        """Give what changed at the desk after a cursor; nothing where it may be anything here."""
        here, _, there = after.rpartition("|")
        turn = self._line.turn
        found = await self._line.ask(self._remote.changes(there, limit=limit))
        told = found.changes if here in {"", str(turn)} else ()
        return replace(found, cursor=f"{turn}|{found.cursor}", changes=told)

    async def changed(self, after: str) -> str:
        """Wait until something changed at the desk or in what this machine shows of it."""
        here, _, there = after.rpartition("|")
        turn = int(here) if here.isdecimal() else self._line.turn
        while True:
            waits = asyncio.ensure_future(self._line.turned(turn))
            heard = asyncio.ensure_future(self._line.ask(self._remote.changed(there)))
            try:
                await asyncio.wait({waits, heard}, return_when=asyncio.FIRST_COMPLETED)
                if heard.done():
                    there = heard.result()
                    return f"{self._line.turn}|{there}"
                return f"{waits.result()}|{there}"
            except CursorTooOld:
                return f"{self._line.turn}|"
            except Unreachable:
                with contextlib.suppress(TimeoutError):
                    turned = await asyncio.wait_for(asyncio.shield(waits), RETRY_S)
                    return f"{turned}|{there}"
            finally:
                for each in (waits, heard):
                    each.cancel()

    @contextlib.contextmanager
    def gathering(self) -> Iterator[None]:
        """Let what is remembered inside be written with the next mark, both or none."""
        self._known.is_gathering = True
        try:
            yield
        finally:
            self._known.is_gathering = False

    async def settle(self) -> None:
        """Write down all that was remembered; what the desk writes down is its own."""
        await asyncio.gather(*self._chores, return_exceptions=True)
        try:
            await self._line.ask(self._remote.settle())
        except Unreachable:
            return  # it settles by itself when it is there

    async def stop(self) -> None:
        """Break off what is done beside what is asked: nothing more is remembered of it."""
        under_way = [*self._asked.values(), *self._chores]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def soon(self, chore: Coroutine[Any, Any, Any]) -> None:
        """Do something beside what is asked; where it fails nothing that was asked does."""
        task = asyncio.get_running_loop().create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    def keep(self, writing: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Write down something about somebody beside what is asked, unless all is locked."""
        if not self._is_locked:
            self.soon(writing())

    async def _answer(
        self,
        kind: str,
        asked: str,
        ask: Callable[[], Awaitable[T]],
        known: Callable[[], Awaitable[Shown[T] | None]],
        remember: Remember | None = None,
    ) -> T:
        """Give the desk's answer if it comes in a moment, else the one that is here."""
        if self.is_live_only:
            live = await self._line.ask(ask())
            if remember is not None and not self._is_locked:
                await remember(live)
            return live
        came = self._late.pop(asked, None)
        if came is not None and abs(self._clock() - came[1]) <= LATE:
            self._line.shown.pop(kind, None)
            late: T = came[0]
            return late
        before = self._asked.pop(kind, None)
        if before is not None:
            before.cancel()  # a later question of this kind is the one that counts
        after_s, self.asks_after_s = self.asks_after_s, 0.0
        shown = await known() if after_s else None
        soon = ask() if shown is None else _soon(ask, after_s)
        task = asyncio.ensure_future(self._line.ask(soon))
        try:
            if shown is None:
                patience_s = 0.0 if self._line.is_up is None else self.patience_s
                await asyncio.wait({task}, timeout=patience_s)
                if not task.done() or isinstance(_error(task), Unreachable):
                    shown = await known()
            if shown is None or (task.done() and _error(task) is None):
                answer = await task
                self._line.shown.pop(kind, None)
                if remember is not None:
                    self.keep(partial(remember, answer))
                return answer
        except asyncio.CancelledError:
            task.cancel()
            raise
        self._line.shown[kind] = shown.at
        self._asked[kind] = task
        task.add_done_callback(lambda done: self._came_late(kind, asked, done, shown, remember))
        return shown.value

    def _came_late(
        self,
        kind: str,
        asked: str,
        task: asyncio.Task[Any],
        shown: Shown[Any],
        remember: Remember | None,
    ) -> None:
        """Remember an answer that came after another was given, and have it asked for again."""
        if self._asked.get(kind) is task:
            del self._asked[kind]
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, Unreachable) or (
            error is not None and not isinstance(error, HelpdeskError)
        ):
            return
        self._line.shown.pop(kind, None)
        if error is None:
            answer = task.result()
            self._late[asked] = (answer, self._clock())
            while len(self._late) > 8:
                del self._late[next(iter(self._late))]
            if remember is not None:
                self.keep(partial(remember, answer))
        # What differs must be shown; what does not must lose its mark.
        if self._told.get(kind) != asked:
            self._told[kind] = asked
            self._came.set()
        self._line.bump()

    def _page(self, name: str, offset: int) -> Remember | None:
        if offset:
            return None
        return lambda page: self._known.remember_page(name, page, self._clock())

    async def _case_shown(self, user: str) -> Shown[Case] | None:
        """Give a case as it was last seen; what cannot wait is refused while the line is down."""
        shown = await self._known.case(user)
        if shown is None or self._line.is_up is not False:
            return shown
        case = shown.value
        return replace(shown, value=replace(case, decisions=tuple(map(_when_down, case.decisions))))

    async def _case(self, case: Case) -> None:
        await self._known.remember(f"case {case.user.id}", case, self._clock())


def _when_down(decision: Decision) -> Decision:
    """Return the answer to an act while the line is down: what is never queued is refused."""
    is_never = why_never(decision.act) and not decision.is_refused
    return refused_when_down(decision.act) if is_never else decision


async def _soon(ask: Callable[[], Awaitable[T]], after_s: float) -> T:
    await asyncio.sleep(after_s)
    return await ask()


def _error(task: asyncio.Task[Any]) -> BaseException | None:
    return task.exception() if task.done() and not task.cancelled() else None
