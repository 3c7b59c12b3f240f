"""The outbox: every write is kept before it is sent, and sent once; what is unknown is asked."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from helpdesk.domain.actions import AnyAction
from helpdesk.domain.audit import Result
from helpdesk.domain.cases import Case, Outcome
from helpdesk.domain.errors import (
    BadFile,
    BadInput,
    HelpdeskError,
    NotFound,
    OfProvider,
    Stale,
    StillRunning,
    Unauthorised,
    Unknown,
    Unreachable,
    Unsettled,
)
from helpdesk.domain.offline import SETTLED_AFTER, Late, State, Wish, facts, late_of
from helpdesk.domain.operations import KEPT_FOR, Operation
from helpdesk.service.desk import Desk
from helpdesk.service.line import Line
from helpdesk.stores.replica import Replica

T = TypeVar("T")

DONE: Final = frozenset({Result.DONE, Result.HELD})

AT_ONCE: Final = 6
"""How many wishes are asked for or sent side by side; those of one user never are."""

LOOKS: Final = 5
"""How often a wish whose case changes meanwhile is looked at anew before it waits for a while."""


class Outbox:
    """The writes of one agent to a desk elsewhere.

    Attributes:
        wishes: All of them as last read.
        settled_after: So long after it was sent, a write the desk does not know never came.
        is_locked: Whether no words about anybody may be kept now.
    """

    def __init__(
        self,
        remote: Desk,
        replica: Replica,
        line: Line,
        clock: Callable[[], datetime],
        *,
        settled_after: timedelta = SETTLED_AFTER,
    ) -> None:
        self._remote, self._replica, self._line, self._clock = remote, replica, line, clock
        self._console = secrets.token_hex(6)
        self._under_way: set[str] = set()
        self._tending = asyncio.Lock()
        self.settled_after = settled_after
        self.is_locked = False
        self.wishes: tuple[Wish, ...] = ()

    async def refresh(self) -> None:
        """Read the wishes, and tell where they are not as they were."""
        agent = self._remote.agent.id
        found = tuple(one for one in await self._replica.wishes() if one.agent == agent)
        if found != self.wishes:
            self.wishes = found
            self._line.bump()

    async def send(self, wish: Wish, write: Callable[[], Awaitable[T]]) -> T:
        """Send a write that somebody waits for; it is kept first, under its key.

        Raises:
            Unknown: The answer was lost; it is kept, asked for later and not sent anew.
            Unreachable: The desk did not have it: nothing was done, nothing is kept.
            HelpdeskError: What the desk answered.
        """
        await self._ask_before(wish)
        sent = replace(wish, state=State.SENT, by=self._console, sent_at=self._clock())
        with self._in_hand(wish.key):
            await self._put(sent)
            try:
                answer = await self._line.ask(write())
            except OfProvider:  # the desk knows what became of it, and says it
                await _if_it_can_be(self._drop(wish.key))
                raise
            except (Unknown, StillRunning) as error:
                await _if_it_can_be(self._lose(sent))
                raise Unknown(_lost(sent), wish.key) from error
            except HelpdeskError:
                await _if_it_can_be(self._drop(wish.key))
                raise
            except BaseException:
                await asyncio.shield(self._lose(sent))
                raise
            await _if_it_can_be(self._drop(wish.key))
        return answer

    async def queue(self, wish: Wish) -> None:
        """Keep a wish until the desk is reached."""
        await self._put(replace(wish, state=State.QUEUED))

    async def tend(self, keep: Callable[[Case], None]) -> None:
        """Bring every wish as far as it goes now; *keep* is given the cases that come by.

        First what waited too long expires; then what is unknown is asked for; then what waits is
        sent, once, if what it rests on is as it was.
        """
        async with self._tending:
            await self.refresh()
            try:
                await self._expire()
                await self._ask_all()
                await self._send_all(keep)
            except (Unreachable, Unauthorised):
                pass  # the next round goes on
            finally:
                await self.refresh()

    async def decide(self, key: str, *, goes_on: bool) -> None:
        """Send a wish in conflict all the same, or let go of a wish."""
        await self.refresh()
        wish = next((one for one in self.wishes if one.key == key), None)
        if wish is None:
            raise NotFound("This wish is not there any more.")
        if goes_on and wish.state is State.CONFLICT:
            again = replace(wish, state=State.QUEUED, seen=wish.found, found=(), says="")
            await self._put(again)
            return
        is_old = wish.sent_at is not None and self._clock() - wish.sent_at >= KEPT_FOR
        if wish.state is State.SENT or (wish.state is State.UNKNOWN and not is_old):
            raise BadInput("It is not known yet whether this was done: it cannot be let go of.")
        await self._drop(key)

    # One wish

    async def _ask_before(self, wish: Wish) -> None:
        """Ask what became of the same act on the same user, before it is sent another time."""
        for one in self.wishes:
            is_open = one.state in {State.SENT, State.UNKNOWN} and one.key not in self._under_way
            if is_open and (one.title, one.user) == (wish.title, wish.user):
                await self._ask(one)
                await self.refresh()
                if any(now.key == one.key and now.is_waiting for now in self.wishes):
                    raise Unknown(_lost(one), one.key)

    async def _ask_all(self) -> None:
        await _side_by_side(
            self._ask(wish)
            for wish in self.wishes
            if wish.state in {State.SENT, State.UNKNOWN} and wish.key not in self._under_way
        )
        await self.refresh()

    async def _ask(self, wish: Wish) -> None:
        """Ask the desk what became of a write; where it never came, a queued one waits again."""
        now = self._clock()
        sent_at = wish.sent_at or wish.at
        try:
            kept = await self._line.ask(self._remote.operation(wish.key))
        except StillRunning:
            return
        except NotFound:
            if now - sent_at < self.settled_after:
                await self._lose(wish)
            elif now - sent_at >= KEPT_FOR:
                says = "The desk does not tell after seven days. Look at the log."
                await self._put(replace(wish, state=State.UNKNOWN, says=says))
            elif wish.action is not None and not wish.is_late(now):
                await self._put(replace(wish, state=State.QUEUED, by="", sent_at=None))
            else:
                await self._take_back(wish)
            return
        await self._settle(wish, kept)

    async def _take_back(self, wish: Wish) -> None:
        """Have the desk never carry out what it does not know, and only then say it was not done.

        It may be under way still at a gateway that was not asked, or be carried out by one that is
        begun anew.
        """
        try:
            kept = await self._line.ask(self._remote.withdraw(wish.key))
        except StillRunning:
            return
        except NotFound:  # a desk of another version, which cannot take anything back
            await self._lose(wish)
            return
        if kept.is_withdrawn:
            says = "The desk never had it: nothing was done."
            await self._put(wish.ended(State.LOST, says, self._clock()))
        else:
            await self._settle(wish, kept)

    async def _settle(self, wish: Wish, kept: Operation) -> None:
        """Say what became of a wish that the desk knows."""
        says = kept.answered.says
        if kept.answered.was_once:
            says = f"{says} What it showed once is not shown again."
        state = State.DONE if kept.result in DONE else State.REFUSED
        await self._put(wish.ended(state, says, self._clock()))

    async def _expire(self) -> None:
        now = self._clock()
        for wish in self.wishes:
            if wish.state in {State.QUEUED, State.CONFLICT} and wish.is_late(now):
                says = "The desk was not reached in time: it was NOT done. Look whether it must be."
                await self._put(wish.ended(State.EXPIRED, says, now))
        await self.refresh()

    async def _send_all(self, keep: Callable[[Case], None]) -> None:
        queued = [one for one in self.wishes if one.state is State.QUEUED]
        for is_urgent in (True, False):  # whoever is unprotected does not wait for notes
            some = [one for one in queued if (one.late is Late.URGENT) is is_urgent]
            some.sort(key=lambda one: (one.user, one.at))
            users = groupby(some, key=lambda one: one.user)
            await _side_by_side(
                self._send_for(user, wishes, keep)
                for user, wishes in [(user, list(group)) for user, group in users]
            )

    async def _send_for(self, user: str, wishes: list[Wish], keep: Callable[[Case], None]) -> None:
        """Send what waits for one user, in the order in which it was wished."""
        for wish in await self._undisputed(user, wishes):
            await self._send_queued(wish, keep)

    async def _undisputed(self, user: str, wishes: list[Wish]) -> list[Wish]:
        """Give those of one user's wishes whose ground is as it was; mark the others.

        They are held against one case, seen before the first is sent: what the first one changes is
        no news to the second.
        """
        if not any(one.seen for one in wishes):
            return wishes
        try:
            case = await self._line.ask(self._remote.case(user))
        except NotFound as error:
            for one in wishes:
                await self._put(one.ended(State.REFUSED, str(error), self._clock()))
            return []
        return [one for one in wishes if not await self._is_disputed(one, case)]

    async def _is_disputed(self, wish: Wish, case: Case) -> bool:
        """Hold a wish against the case as it is; mark it where its ground is another."""
        found = facts(wish.action, case) if wish.action else ()
        if found == wish.seen:
            return False
        says = "It is not as it was when this was wished."
        conflict = replace(wish, state=State.CONFLICT, found=found, says=says, by="", sent_at=None)
        await self._put(conflict)
        return True

    async def _send_queued(self, wish: Wish, keep: Callable[[Case], None]) -> None:
        taken = await self._replica.claim(wish.key, self._console, self._clock())
        if taken is None or taken.action is None:
            return  # another console has it in hand
        with self._in_hand(taken.key):
            try:
                outcome = await self._told(taken, taken.action)
            except Unsettled as error:
                await self._put(taken.ended(State.REFUSED, str(error), self._clock()))
            except (Unknown, StillRunning):
                await self._lose(taken)
            except (Unreachable, Stale, Unauthorised) as error:
                await self._put(replace(taken, state=State.QUEUED, by="", sent_at=None))
                if not isinstance(error, Stale):
                    raise
            except HelpdeskError as error:
                await self._put(taken.ended(State.REFUSED, str(error), self._clock()))
            except BaseException:
                await asyncio.shield(self._lose(taken))
                raise
            else:
                await self._put(taken.ended(State.DONE, outcome.says, self._clock()))
                keep(outcome.case)

    async def _told(self, wish: Wish, action: AnyAction) -> Outcome:
        """Send a queued wish; where the case changed in a way that is no matter, look and go on."""
        for _ in range(LOOKS):
            try:
                return await self._line.ask(self._remote.perform(action, key=wish.key))
            except Stale:
                # Wishes of this console may have changed the case, and colleagues write notes:
                # what counts was held against the case before the first of them was sent.
                await self._line.ask(self._remote.case(wish.user))
        raise Stale("The case changes too often: it is tried again soon.")

    async def _lose(self, wish: Wish) -> None:
        await self._put(replace(wish, state=State.UNKNOWN, says=_lost(wish), by=""))

    @contextlib.contextmanager
    def _in_hand(self, key: str) -> Iterator[None]:
        self._under_way.add(key)
        try:
            yield
        finally:
            self._under_way.discard(key)

    async def _put(self, wish: Wish) -> None:
        await self._replica.put(wish.bare() if self.is_locked else wish)
        await self.refresh()

    async def _drop(self, key: str) -> None:
        await self._replica.drop(key)
        await self.refresh()


async def _if_it_can_be(written: Coroutine[Any, Any, None]) -> None:
    """Write down how a write ended, if this machine can.

    If not, the write itself ended all the same: what was sent is kept, and asked for later.
    """
    with contextlib.suppress(Unreachable, BadFile):
        await written


async def _side_by_side(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do several things, some at a time, each to its end.

    Raises:
        Unreachable: One of them was not reached; the others were tried all the same.
    """
    free = asyncio.Semaphore(AT_ONCE)

    async def one(work: Coroutine[Any, Any, None]) -> None:
        async with free:
            await work

    ended = await asyncio.gather(*map(one, list(works)), return_exceptions=True)
    for error in ended:
        if isinstance(error, BaseException):
            raise error


def wish_of(action: AnyAction, key: str, agent: str, now: datetime) -> Wish:
    """Return the wish for an act; of acts that are never queued no words are kept."""
    return Wish(
        key=key,
        agent=agent,
        title=action.title,
        user=action.user,
        at=now,
        state=State.SENT,
        late=late_of(action),
    )


def _lost(wish: Wish) -> str:
    """The sentence on a write whose answer was lost."""
    return (
        f"The line broke before the desk answered: it is not known whether {wish.title} "
        "was done. The desk is asked; do not do it again before it has said so."
    )
