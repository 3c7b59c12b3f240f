"""A desk elsewhere that goes on working here while the line is down.

questions ─▶ `Reading`: at once from this machine, marked, then live
changes   ─▶ `Outbox`: kept, then sent once; what may wait waits, the rest is refused with why
contact   ─▶ `Line`: live · as of 10:42 · read only after 15 min · nobody left after 8 h
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol, TypeVar

from msgspec.structs import replace

from helpdesk.domain.actions import AnyAction, Reveal
from helpdesk.domain.approvals import Approval
from helpdesk.domain.cases import Case, Outcome, Preview, Weighed
from helpdesk.domain.decisions import Decision, Weight
from helpdesk.domain.diagnosis.drift import Drift
from helpdesk.domain.erasing import Erased
from helpdesk.domain.errors import NeedsMore, OfProvider, Refused, Unknown, Unreachable
from helpdesk.domain.feed import Changes, Freshness
from helpdesk.domain.holds import Hold
from helpdesk.domain.offline import (
    SETTLED_AFTER,
    SKEW_STOPS,
    URGENT_FOR,
    Late,
    State,
    Wish,
    banner,
    bound,
    facts,
    late_of,
    refused_when_down,
    skewed,
    why_never,
)
from helpdesk.domain.policies import decide
from helpdesk.domain.proofs import Asking, Method, Proof
from helpdesk.domain.signing import AskSignIn
from helpdesk.service.desk import Desk
from helpdesk.service.line import Line
from helpdesk.service.outbox import Outbox, wish_of
from helpdesk.service.reading import Reading
from helpdesk.service.working_set import WorkingSet
from helpdesk.stores.boot import boot, since_boot
from helpdesk.stores.replica import Mark, Replica

T = TypeVar("T")

LEAVE_S: Final = 2.0
"""Seconds that leaving the seat is waited for; it goes on to its end where that takes longer."""


class Seat(Protocol):
    """An agent's place at a desk elsewhere."""

    async def leave(self) -> None:
        """Sign the agent out; nothing is raised, whatever is not reached."""
        ...

    async def take(self) -> None:
        """Let the agent sign in anew, or raise `HelpdeskError`: then nobody is signed in."""
        ...


class OfflineDesk(Reading):
    """A `Desk` on a desk elsewhere and a replica of what this agent works with.

    Args:
        remote: The desk itself; it raises `Unreachable` where it was not reached, and `Unknown`
            where a write may have been.
        replica: What this machine keeps of it.
        clock: Gives the present.
        skew: Gives this machine's clock less the desk's, as its last answer told it.
        settled_after: So long after it was sent a write that the desk does not know never came.
        elapsed: Gives seconds that nobody can set back, the same in all processes since a start.
        seat: The agent's place there; None where it cannot be left.
    """

    def __init__(
        self,
        remote: Desk,
        replica: Replica,
        clock: Callable[[], datetime],
        *,
        skew: Callable[[], timedelta] = timedelta,
        settled_after: timedelta = SETTLED_AFTER,
        elapsed: Callable[[], float] = since_boot,
        seat: Seat | None = None,
    ) -> None:
        line = Line(clock, elapsed, self._came_back, self._note_contact)
        super().__init__(remote, line, WorkingSet(replica), clock)
        self._replica, self._skew, self._seat = replica, skew, seat
        self._outbox = Outbox(remote, replica, line, clock, settled_after=settled_after)

    async def open(self) -> None:
        """Take up where this machine was; what is too old is let go of.

        Raises:
            Unreachable, BadFile: The replica cannot be read.
        """
        mark = await self._replica.mark()
        is_same = bool(mark.boot) and mark.boot == boot()
        self._line.resume(mark.contact_at, mark.boot_s if is_same else None)
        await self.let_go_if_old()
        await self._outbox.refresh()

    @property
    def freshness(self) -> Freshness:
        """How old what one sees is."""
        return self._line.freshness

    @property
    def wishes(self) -> tuple[Wish, ...]:
        """All wishes of this agent, as last read; ended ones too."""
        return self._outbox.wishes

    @property
    def banner(self) -> tuple[str, bool]:
        """The line to show when not all is well, and whether it is loud; empty for none."""
        return banner(self.wishes, self.freshness, skewed(self._skew()), self._clock())

    def prompt_with(self, ask: AskSignIn | None) -> None:
        """Let *ask* ask the agent, in the loop that runs now, where a new sign-in is needed."""
        self._remote.prompt_with(ask)

    async def weigh(self, action: AnyAction) -> Weighed:
        """Give the policy's answer; by the case that is here where the desk is not reached."""
        try:
            return await self._line.ask(self._remote.weigh(action))
        except Unreachable:
            return await self._weigh_here(action)

    async def perform(self, action: AnyAction, *, key: str = "") -> Outcome:
        """Carry out an act at the desk, once; what may wait waits where the desk is not reached.

        Raises:
            Unknown: The answer was lost; the desk is asked for it, the act is not sent anew.
            Unreachable: The desk was not reached: nothing was done, and nothing waits.
        """
        self._check_clock(action.name)
        wish = wish_of(action, key or _key(), self.agent.id, self._clock())
        if wish.late is Late.QUEUED and self._line.is_up is False:
            return await self._queue(action, wish)
        try:
            outcome = await self._outbox.send(
                wish, lambda: self._remote.perform(action, key=wish.key)
            )
        except (Unknown, OfProvider):
            raise
        except Unreachable as error:
            if wish.late is Late.NEVER:
                raise Unreachable(f"{error} Nothing was done. {why_never(action.name)}") from error
            return await self._queue(action, wish)
        if not isinstance(action, Reveal):
            self.keep(partial(self._case, outcome.case))
        return outcome

    async def drift(self, user: str, factor: str, codes: Sequence[str], *, key: str = "") -> Drift:
        """Measure by how much a phone's clock is off."""
        key = key or _key()
        return await self._now_or_never(
            "drift", "Drift", user, key, lambda: self._remote.drift(user, factor, codes, key=key)
        )

    async def ask_proof(
        self, user: str, method: Method, *, channel: str = "", ticket: str = "", key: str = ""
    ) -> Asking:
        """Ask the caller over a channel on record."""
        key = key or _key()
        return await self._now_or_never(
            "ask_proof",
            f"Proof by {method.words}",
            user,
            key,
            lambda: self._remote.ask_proof(user, method, channel=channel, ticket=ticket, key=key),
        )

    async def answer_proof(
        self, user: str, answer: str, *, asking: str = "", key: str = ""
    ) -> Proof:
        """Check what the caller read back."""
        key = key or _key()
        return await self._now_or_never(
            "answer_proof",
            "Answer to a proof",
            user,
            key,
            lambda: self._remote.answer_proof(user, answer, asking=asking, key=key),
        )

    async def approve(
        self, approval: str, *, is_granted: bool, says: str = "", key: str = ""
    ) -> Approval:
        """Answer a request as the second person."""
        key = key or _key()
        return await self._now_or_never(
            "approve",
            f"{'Agree to' if is_granted else 'Refuse'} request {approval}",
            "",
            key,
            lambda: self._remote.approve(approval, is_granted=is_granted, says=says, key=key),
        )

    async def undo(self, hold: str, *, key: str = "") -> Hold:
        """Undo an act that waits."""
        key = key or _key()
        return await self._now_or_never(
            "undo", f"Undo {hold}", "", key, lambda: self._remote.undo(hold, key=key)
        )

    async def erase_log(self, before: datetime, *, key: str = "") -> Erased:
        """Part old rows from their personal data."""
        key = key or _key()
        return await self._now_or_never(
            "erase_log", "Erase", "", key, lambda: self._remote.erase_log(before, key=key)
        )

    async def accept_log(self, reason: str, *, key: str = "") -> str:
        """Accept a log that was put back on purpose."""
        key = key or _key()
        return await self._now_or_never(
            "accept_log",
            "Accept the log",
            "",
            key,
            lambda: self._remote.accept_log(reason, key=key),
        )

    async def carry_out_due(self) -> int:
        """Let the desk carry out what has waited long enough, and tend to what waits here."""
        try:
            return await self._line.ask(self._remote.carry_out_due())
        finally:
            await self.tend()

    # What waits

    async def tend(self) -> None:
        """Ask what became of what is unknown, and send what waits, where the desk is reached."""
        await self.let_go_if_old()
        if abs(self._skew()) <= SKEW_STOPS:
            await self._outbox.tend(lambda case: self.keep(partial(self._case, case)))

    async def decide(self, key: str, *, goes_on: bool) -> None:
        """Send a wish in conflict all the same, or let go of a wish."""
        await self._outbox.decide(key, goes_on=goes_on)
        self.soon(self.tend())

    async def forget(self) -> None:
        """Let go of all this machine keeps of the desk's users, whether the desk answers or not."""
        await self.stop()
        await self._purge()

    async def lock(self) -> None:
        """Let go of all this machine keeps of the desk's users, at once, and leave the seat."""
        self._is_locked = self._outbox.is_locked = True
        await self.forget()
        if self._seat is not None:
            leaving = asyncio.ensure_future(self._seat.leave())
            await asyncio.wait({leaving}, timeout=LEAVE_S)

    async def unlock(self) -> None:
        """Let the agent sign in anew, and go on with the desk.

        Raises:
            HelpdeskError: They did not, or somebody else did; all stays locked.
        """
        if self._seat is not None:
            await self._seat.take()
        self._is_locked = self._outbox.is_locked = False
        self._line.bump()

    # What is brought over

    async def mark(self) -> Mark:
        """Give how far the working set is."""
        return await self._replica.mark()

    async def note(self, **changed: object) -> None:
        """Note how far the working set is."""
        await self._replica.note(**changed)

    async def let_go(self, names: Sequence[str]) -> None:
        """Let go of answers of users who are there no more."""
        if names:
            await self._replica.let_go(*names)

    async def desk_changes(self, after: str) -> Changes:
        """Give what changed at the desk alone, by its own cursor."""
        return await self._line.ask(self._remote.changes(after))

    # Within

    async def _now_or_never(
        self, name: str, title: str, user: str, key: str, write: Callable[[], Awaitable[T]]
    ) -> T:
        """Send a write that is never queued."""
        self._check_clock(name)
        now = self._clock()
        wish = Wish(key=key, agent=self.agent.id, title=title, user=user, at=now, state=State.SENT)
        try:
            return await self._outbox.send(wish, write)
        except (Unknown, OfProvider):
            raise
        except Unreachable as error:
            raise Unreachable(f"{error} Nothing was done. {why_never(name)}") from error

    async def _queue(self, action: AnyAction, wish: Wish) -> Outcome:
        """Keep an act until the desk is reached, as the policy allows it by what is known here."""
        if self._line.is_read_only:
            as_of = self._line.freshness_when_down.says
            raise Unreachable(
                f"The desk cannot be reached ({as_of}), so nothing was done and nothing waits: "
                "call somebody whose line is up."
            )
        case = await self._case_here(action.user)
        decision = self._decided(action, case)
        if decision.is_refused:
            raise Refused(decision)
        if not decision.is_allowed:
            raise NeedsMore(decision)
        card = self.cards[case.user.product]
        act = bound(action, card, case, self.agent.id)
        is_urgent = wish.late is Late.URGENT
        kept = replace(
            wish,
            action=act,
            seen=facts(act, case),
            seen_at=case.at,
            expires_at=wish.at + URGENT_FOR if is_urgent else None,
        )
        await self._outbox.queue(kept)
        says = "NOT DONE YET: it is tried for 10 min. Call somebody whose line is up."
        return Outcome(
            case=case, says=says if is_urgent else "Queued: it is sent when the line is back."
        )

    async def _weigh_here(self, action: AnyAction) -> Weighed:
        if late_of(action) is Late.NEVER or self._line.is_read_only:
            return Weighed(decision=refused_when_down(action.name), preview=Preview())
        case = await self._case_here(action.user)
        then = "It waits on this machine and is sent when the line is back."
        return Weighed(decision=self._decided(action, case), preview=Preview(then=then))

    def _decided(self, action: AnyAction, case: Case) -> Decision:
        return decide(self.agent, action, self.cards[case.user.product], case, self._clock())

    async def _case_here(self, user: str) -> Case:
        shown = await self._known.case(user)
        if shown is None:
            raise Unreachable("The desk cannot be reached, and this user's case is not here.")
        return shown.value

    def _check_clock(self, act: str) -> None:
        """Raise `Refused` where this machine's clock is too far off for anything to be changed."""
        skew = self._skew()
        if abs(skew) > SKEW_STOPS:
            instead = "Set the clock of this machine."
            raise Refused(
                Decision(act=act, weight=Weight.REFUSED, why=skewed(skew), instead=instead)
            )

    async def let_go_if_old(self) -> None:
        """Let go of all users where the desk was not reached for too long."""
        if self._line.is_to_be_purged:
            await self._purge()

    async def _purge(self) -> None:
        await self._replica.purge()
        await self._replica.note(contact_at=None, cursor="", steps=())
        await self._outbox.refresh()
        self._late.clear()
        self._line.shown.clear()
        self._line.forget()

    def _came_back(self) -> None:
        self.soon(self.tend())

    def _note_contact(self, now: datetime, elapsed_s: float) -> None:
        self.soon(self._replica.note(contact_at=now, boot=boot(), boot_s=elapsed_s))


def _key() -> str:
    return secrets.token_urlsafe(18)
