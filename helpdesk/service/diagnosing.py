"""Asking for verdicts: who else is looked at, and what was found already."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from helpdesk.domain import diagnosis
from helpdesk.domain.agents import Agent
from helpdesk.domain.audit import LogRow
from helpdesk.domain.decisions import Decision, Need, Weight
from helpdesk.domain.diagnosis.bystanders import Bystanders, Told
from helpdesk.domain.diagnosis.drift import TRIES, TRIES_IN
from helpdesk.domain.diagnosis.fleet import HORIZON, FleetFindings, fleet
from helpdesk.domain.diagnosis.verdicts import CallerSaid, RankedCause, Verdict
from helpdesk.domain.entries import Entry
from helpdesk.domain.lacks import Lack, lack_of
from helpdesk.domain.policies import hands_off
from helpdesk.domain.tickets import Complaint, LoopReport, Ticket
from helpdesk.domain.timeline import Answer, AnyEvent
from helpdesk.domain.users import Factor, FactorKind, FactorState, User
from helpdesk.service.view import View

STALE = timedelta(seconds=30)
"""How long a verdict nobody answered anything to may be given again."""

LISTED = timedelta(minutes=10)
"""How old the cause in a list may be, of a user who did nothing since."""

LIST_S = 2.0
"""How long a list may take to find causes."""

HEAD = 200
"""So many of the worst of a list are looked at before any of it is shown."""

MORE, MORE_S = 100, 0.1
"""So many more of a longer one are looked at each time, in so long at most."""

CROWD = 200
"""A crowd of more than so many is looked at anew only now and then: one more does not change it."""

CROWD_AGE = timedelta(seconds=10)
"""How now and then."""

CROWD_LASTS = timedelta(minutes=1)
"""So long a crowd is as it was found where nobody of it changed."""

NOBODY = Bystanders(())

QUICK_S = 0.003
"""In so much of a processor a verdict is found about as soon as a thread is there for it."""

SHORT = 200
"""So many events are looked at so quickly."""

MOST = 2_000
"""Verdicts that are kept: those found last."""

MOST_EVENTS = 50_000
"""Events on which these were found: they are kept with them, and some people have thousands."""


class Listing(Protocol):
    """A list of open loops: those of users *first*, then the worst, of these the newest."""

    async def __call__(
        self, *, first: Collection[str], offset: int, limit: int
    ) -> tuple[int, Sequence[tuple[LoopReport, Entry]]]:
        """Give how many there are, and a window of them, with whose they are."""
        ...


class Kept(Struct, frozen=True):
    """A verdict as it was found, when, and on what."""

    at: datetime
    user: User
    complaint: Complaint | None
    timeline: Sequence[AnyEvent]
    crowd: int
    verdict: Verdict

    def is_of(
        self,
        user: User,
        complaint: Complaint | None,
        timeline: Sequence[AnyEvent],
        crowd: Crowd,
    ) -> bool:
        """Whether it was found on the same: in a small crowd also only while none there changed."""
        is_same = self.user == user and self.complaint == complaint and self.timeline == timeline
        return is_same and (self.crowd == crowd.number or crowd.is_large)


class Crowd(Struct, frozen=True):
    """Whoever did something with one product in these hours, with their timelines.

    Attributes:
        number: Another for another crowd.
        look: Which look round it is of.
        is_large: Whether so many were seen, of any product, that one more changes nothing.
    """

    number: int = 0
    look: int = 0
    people: Bystanders = NOBODY
    is_large: bool = False


class Found:
    """What was found already; desks of several agents on the same people share it.

    Attributes:
        seen: Whoever did something in these hours, as of a moment and a mark.
        looks: How often that was looked for.
        events: How many events the verdicts that are kept were found on.
        crowds: Those of them by product, each read when it is first asked for.
        hostile: Of whom the last verdict was hostile.
        reached: Up to where a long list was looked at.
        quick: By product those beside whom a verdict was found in a moment.
    """

    def __init__(self) -> None:
        self.verdicts: dict[str, Kept] = {}
        self.events = 0
        self.hostile: dict[str, None] = {}
        self.reached = 0
        self.seen: Sequence[User] = ()
        self.seen_at: datetime | None = None
        self.seen_mark: object = None
        self.looks = 0
        self.crowds: dict[str, Crowd] = {}
        self.quick: dict[str, Bystanders] = {}
        self.turn = asyncio.Lock()

    def keep(self, kept: Kept) -> None:
        """Keep a verdict instead of the one before, and as many as are kept."""
        self._forget(kept.user.id)
        self.verdicts[kept.user.id] = kept
        self.events += len(kept.timeline)
        while len(self.verdicts) > MOST or (self.events > MOST_EVENTS and len(self.verdicts) > 1):
            self._forget(next(iter(self.verdicts)))
        self.hostile.pop(kept.user.id, None)
        if kept.verdict.top is not None and kept.verdict.top.group == "F":
            self.hostile[kept.user.id] = None
        if len(self.hostile) > MOST:
            self.hostile.pop(next(iter(self.hostile)))

    def _forget(self, user: str) -> None:
        """Let the verdict on a user go, where there is one."""
        if user in self.verdicts:
            self.events -= len(self.verdicts.pop(user).timeline)


class Diagnosing:
    """Verdicts on the users of a view."""

    def __init__(self, view: View, found: Found | None = None) -> None:
        self._view, self._found = view, found or Found()

    async def of(self, user: User, said: Sequence[CallerSaid] = ()) -> Verdict:
        """Give the verdict on one user, with what the caller said."""
        view, now = self._view, self._view.clock()
        tickets = await view.store.select(Ticket, user=user.id, only_open=True)
        complaint = next((ticket.complaint for ticket in tickets), None)
        timeline, crowd = await view.timeline(user.id), await self._recent(user.product)
        kept = self._found.verdicts.get(user.id)
        is_kept = kept and kept.is_of(user, complaint, timeline, crowd)
        if kept and is_kept and not said and now - kept.at < STALE:
            return kept.verdict
        card, products = view.card(user), await self._products(user)

        def judge() -> Verdict:
            return diagnosis.diagnose(
                card,
                user,
                timeline,
                now,
                complaint=complaint,
                others=crowd.people.beside(user),
                answers=said,
                account_products=products,
                cards=view.cards.values(),
            )

        is_quick = len(timeline) <= SHORT and self._found.quick.get(user.product) is crowd.people
        # The diagnosis too is loaded in the thread, the first time.
        verdict = judge() if is_quick else await asyncio.to_thread(self._timed, crowd, user, judge)
        if not said:
            self._found.keep(Kept(now, user, complaint, timeline, crowd.number, verdict))
        return verdict

    def _timed(self, crowd: Crowd, user: User, judge: Callable[[], Verdict]) -> Verdict:
        """Find a verdict, and take note whether those beside the user were worked out by now."""
        began = time.thread_time()
        verdict = judge()
        if time.thread_time() - began < QUICK_S:
            self._found.quick[user.product] = crowd.people
        return verdict

    async def listed(
        self, listing: Listing, offset: int, limit: int
    ) -> tuple[int, Sequence[tuple[LoopReport, Entry]], dict[str, RankedCause | None]]:
        """Give a window of a list of loops with the likeliest cause of each, hostile ones first.

        The worst of the list are looked at for it, and some more each time it is asked for: where
        it is long, a hostile one further down stands first once it was looked at.
        """
        if offset or limit > 1:  # whoever asks for no more wants to know how many there are
            total, found = await listing(first=(), offset=0, limit=HEAD)
            await self.tops(_users(found), LIST_S)
            if total > len(found):
                more = await listing(first=(), offset=self._next(total), limit=MORE)
                await self.tops(_users(more[1]), MORE_S)
        total, found = await listing(first=self._found.hostile, offset=offset, limit=limit)
        return total, found, await self.tops(_users(found), LIST_S)

    def _next(self, total: int) -> int:
        """Where a long list is looked at further, beyond its head."""
        found = self._found
        found.reached = found.reached + MORE if HEAD <= found.reached + MORE < total else HEAD
        return found.reached

    async def tops(self, users: Sequence[User], seconds: float) -> dict[str, RankedCause | None]:
        """Give the likeliest cause of each; those that were not found in so long have none.

        The next list takes up where this one ended: what was found is kept.
        """
        ends = time.monotonic() + seconds
        found: dict[str, RankedCause | None] = {}
        for user in users:
            kept = self._found.verdicts.get(user.id)
            if kept and kept.user == user and self._view.clock() - kept.at < LISTED:
                found[user.id] = kept.verdict.top
            elif time.monotonic() < ends:
                found[user.id] = (await self.of(user)).top
            else:
                found[user.id] = None
        return found

    async def fleet(self) -> FleetFindings:
        """Give what many users share in these minutes."""
        now = self._view.clock()
        crowds = [await self._recent(product) for product in sorted(await self._products_seen())]
        pairs = [pair for each in crowds for pair in each.people.pairs]
        return await asyncio.to_thread(fleet, pairs, now)

    async def others(self, user: User) -> list[Told]:
        """Give the other users of the product who did something in these hours.

        With their timelines.
        """
        return (await self._recent(user.product)).people.beside(user).pairs

    async def offsets(self, user: User) -> list[float]:
        """Give the clock offsets that others of the product were seen with, in seconds."""
        since = self._view.clock() - HORIZON
        return [
            event.drift_s
            for _, timeline in await self.others(user)
            for event in timeline
            if isinstance(event, Answer) and event.drift_s is not None and event.at >= since
        ]

    async def _recent(self, product: str) -> Crowd:
        """Whoever did something with a product in these hours, with their timelines."""
        if not self._is_known(product):
            async with self._found.turn:
                if not self._is_known(product):
                    await self._look_round(product)
        return self._found.crowds[product]

    async def _products_seen(self) -> set[str]:
        """The products with which anybody did something in these hours."""
        if not self._is_seen():
            async with self._found.turn:
                await self._see()
        return {user.product for user in self._found.seen}

    def _is_known(self, product: str) -> bool:
        crowd = self._found.crowds.get(product)
        return crowd is not None and crowd.look == self._found.looks and self._is_seen()

    def _is_seen(self) -> bool:
        found, now = self._found, self._view.clock()
        age = timedelta.max if found.seen_at is None else now - found.seen_at
        is_same = found.seen_mark == self._mark and age < CROWD_LASTS
        return is_same or (age < CROWD_AGE and len(found.seen) > CROWD)

    @property
    def _mark(self) -> object:
        """Another whenever a crowd may be; a provider elsewhere may not say when people change."""
        mark = self._view.mark
        return mark[0] if mark is not None and self._view.connector.takes_part else mark

    async def _see(self) -> None:
        """Look who did something, unless that is known."""
        if self._is_seen():
            return
        found, now, mark = self._found, self._view.clock(), self._mark
        found.seen_at = now  # whoever asks while it is looked for is given the one before
        # A crowd is looked for among everybody, also by an agent who may see one account only.
        seen = await self._view.directory.seen(now - HORIZON)
        found.seen, found.seen_mark = [entry.user for entry in seen], mark
        found.looks += 1

    async def _look_round(self, product: str) -> None:
        """Read what those of one product did; what others did is read when it is asked for."""
        await self._see()
        found = self._found
        look, people = found.looks, [user for user in found.seen if user.product == product]
        timelines = await self._view.connector.timelines([user.id for user in people])
        pairs: list[Told] = [(user, timelines[user.id]) for user in people]
        before = found.crowds.get(product, Crowd())
        number = before.number + (pairs != before.people.pairs)
        is_large = len(found.seen) > CROWD
        bystanders = Bystanders(pairs, before.people)
        found.crowds[product] = Crowd(number, look, bystanders, is_large)

    async def _products(self, user: User) -> list[str]:
        return sorted(
            {entry.user.product for entry in await self._view.directory.named(user.login)}
        )


def _users(found: Sequence[tuple[LoopReport, Entry]]) -> list[User]:
    return [entry.user for _, entry in found]


def may_measure(
    agent: Agent,
    user: User,
    factor: str,
    log: Sequence[LogRow],
    now: datetime,
    lacks: Sequence[Lack] = (),
) -> tuple[Decision, Factor | None]:
    """Return whether a phone's clock may be measured now, and the authenticator to measure by."""
    fits = [
        f
        for f in user.factors
        if f.kind is FactorKind.TOTP
        and f.state in {FactorState.ACTIVE, FactorState.LOCKED}
        and factor in {"", f.id}
    ]
    lack = lack_of(lacks, "drift")
    if lack is not None:
        return _refused(lack.says, lack.instead), None
    tries = [r.at for r in log if r.act == "drift" and r.user == user.id and now - r.at < TRIES_IN]
    decision = _may_measure(agent, user, fits, tries, now)
    return decision, fits[0] if decision.is_allowed else None


def _may_measure(
    agent: Agent, user: User, fits: list[Factor], tries: list[datetime], now: datetime
) -> Decision:
    why, instead = hands_off(agent, user)
    if why:
        return _refused(why, instead)
    if not fits:
        return _refused("There is no active authenticator whose clock could be measured.")
    if len(tries) >= TRIES:
        seconds = (min(tries[-TRIES:]) + TRIES_IN - now).total_seconds()
        says = f"{TRIES} tries in a quarter of an hour are enough; the next in {seconds:.0f} s."
        needs = (Need(what="wait", says=says, seconds=seconds),)
        return Decision(act="drift", weight=Weight.NEEDS, needs=needs)
    if len(fits) > 1:
        choices = tuple(f.id for f in fits)
        needs = (Need(what="factor", says="Say which authenticator.", choices=choices),)
        return Decision(act="drift", weight=Weight.NEEDS, needs=needs)
    return Decision(act="drift", weight=Weight.ALLOWED)


def _refused(why: str, instead: str = "") -> Decision:
    return Decision(act="drift", weight=Weight.REFUSED, why=why, instead=instead)
