"""Asking for verdicts: who else is looked at, and what was found already."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from helpdesk.domain.agents import Agent
from helpdesk.domain.audit import LogRow
from helpdesk.domain.decisions import Decision, Need, Weight
from helpdesk.domain.diagnosis import diagnose, fleet
from helpdesk.domain.diagnosis.drift import TRIES, TRIES_IN
from helpdesk.domain.diagnosis.fleet import HORIZON, FleetFindings
from helpdesk.domain.diagnosis.verdicts import CallerSaid, RankedCause, Verdict
from helpdesk.domain.lacks import Lack, lack_of
from helpdesk.domain.policies import hands_off
from helpdesk.domain.tickets import Ticket
from helpdesk.domain.timeline import Answer, AnyEvent
from helpdesk.domain.users import Factor, FactorKind, FactorState, User
from helpdesk.service.view import View

STALE = timedelta(seconds=30)
"""How long a verdict nobody answered anything to may be given again."""

LISTED = timedelta(minutes=10)
"""How old the cause in a list may be, of a user who did nothing since."""

LIST_S = 5.0
"""How long a list may take to find causes."""

CROWD = 200
"""A crowd of more than so many is looked at anew only now and then: one more does not change it."""

CROWD_AGE = timedelta(seconds=10)
"""How now and then."""

Other = tuple[User, Sequence[AnyEvent]]


class Kept(Struct, frozen=True):
    """A verdict as it was found, when, and on what: the user and the open ticket as they were."""

    at: datetime
    user: User
    ticket: Ticket | None
    generation: int
    verdict: Verdict


class Found:
    """What was found already; desks of several agents on the same people share it."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Kept] = {}
        self.crowd: list[Other] = []
        self.crowd_at: datetime | None = None
        self.crowd_generation = -1


class Diagnosing:
    """Verdicts on the users of a view."""

    def __init__(self, view: View, found: Found | None = None) -> None:
        self._view, self._found = view, found or Found()

    async def of(self, user: User, said: Sequence[CallerSaid] = ()) -> Verdict:
        """Give the verdict on one user, with what the caller said."""
        view, now = self._view, self._view.clock()
        generation = view.generation  # of what is looked at, not of what there is when it is found
        tickets = await view.store.select(Ticket, user=user.id, only_open=True)
        ticket = next(iter(tickets), None)
        kept = self._found.verdicts.get(user.id)
        if not said and kept and now - kept.at < STALE and self._holds(kept, user, ticket):
            return kept.verdict
        verdict = await asyncio.to_thread(
            diagnose,
            view.card(user),
            user,
            await view.connector.timeline(user.id),
            now,
            complaint=ticket.complaint if ticket else None,
            others=await self.others(user),
            answers=said,
            account_products=await self._products(user),
            cards=view.cards.values(),
        )
        if not said:
            self._found.verdicts[user.id] = Kept(now, user, ticket, generation, verdict)
        return verdict

    async def tops(self, users: Sequence[User]) -> dict[str, RankedCause | None]:
        """Give the likeliest cause of each, as long as a list may take; those left out have none.

        The next list takes up where this one ended: what was found is kept.
        """
        ends = time.monotonic() + LIST_S
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

    def _holds(self, kept: Kept, user: User, ticket: Ticket | None) -> bool:
        """Whether a verdict still holds: of a small crowd also only while nobody else changed."""
        is_same = kept.generation == self._view.generation
        return is_same or (
            len(self._found.crowd) > CROWD and kept.user == user and kept.ticket == ticket
        )

    async def fleet(self) -> FleetFindings:
        """Give what many users share in these minutes."""
        now = self._view.clock()
        return await asyncio.to_thread(fleet, await self._recent(), now)

    async def others(self, user: User) -> list[Other]:
        """Give the other users of the product who did something in these hours.

        With their timelines.
        """
        return [
            (other, timeline)
            for other, timeline in await self._recent()
            if other.id != user.id and other.product == user.product
        ]

    async def offsets(self, user: User) -> list[float]:
        """Give the clock offsets that others of the product were seen with, in seconds."""
        since = self._view.clock() - HORIZON
        return [
            event.drift_s
            for _, timeline in await self.others(user)
            for event in timeline
            if isinstance(event, Answer) and event.drift_s is not None and event.at >= since
        ]

    async def _recent(self) -> list[Other]:
        found, now = self._found, self._view.clock()
        generation = self._view.generation
        is_young = found.crowd_at is not None and now - found.crowd_at < CROWD_AGE
        if found.crowd_generation == generation or (is_young and len(found.crowd) > CROWD):
            return found.crowd
        # A crowd is looked for among everybody, also by an agent who may see one account only.
        seen = await self._view.directory.seen(now - HORIZON)
        timelines = await self._view.connector.timelines([entry.user.id for entry in seen])
        found.crowd = [(entry.user, timelines[entry.user.id]) for entry in seen]
        found.crowd_at, found.crowd_generation = now, generation
        return found.crowd

    async def _products(self, user: User) -> list[str]:
        return sorted(
            {entry.user.product for entry in await self._view.directory.named(user.login)}
        )


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
