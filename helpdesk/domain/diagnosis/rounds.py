"""Rounds: each asking for a code with all that belongs to it, their loops, and what differs.

asked ─▶ accepted ─▶ asked again ─▶ accepted ─▶ asked again      a loop of two rounds
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec import Struct

from helpdesk.domain.timeline import (
    Answer,
    Challenge,
    Delivery,
    Fetch,
    Password,
    Resend,
    Send,
    Session,
)
from helpdesk.domain.users import At

ARRIVED = frozenset({"delivered"})
REFUSED_BY_MAIL = frozenset({"bounced", "suppressed"})
LOOP_GAP = timedelta(minutes=3)
"""Asked again this soon after a good answer counts as the same loop; our own measure."""


@dataclass(slots=True, eq=False)
class Sent:
    """One send and what became of it.

    Attributes:
        is_accepted_final: Whether *accepted* is the last that this log says of any message.
        skew_s: Seconds by which the clock that stamped the deliveries is ahead.
    """

    event: Send
    deliveries: list[Delivery] = field(default_factory=list)
    fetches: list[Fetch] = field(default_factory=list)
    is_accepted_final: bool = True
    skew_s: float = 0.0

    @property
    def states(self) -> frozenset[str]:
        """The delivery states that were seen."""
        return frozenset(delivery.state for delivery in self.deliveries)

    @property
    def arrived(self) -> Delivery | None:
        """The delivery that says it arrived.

        *Accepted* counts as its last word where it is the receiving server's (a code of 2xx), or
        where this log never says *delivered* for the channel.
        """
        for delivery in self.deliveries:
            if delivery.state == "delivered":
                return delivery
        last = self.deliveries[-1] if self.deliveries else None
        if last is not None and last.state == "accepted":
            is_final = self.is_accepted_final or (last.code or "").startswith("2")
            return last if is_final else None
        return None

    @property
    def delay_s(self) -> float | None:
        """Seconds from sent to arrived; None where no row says so."""
        at = self.arrived_at
        return None if at is None else (at - self.event.at).total_seconds()

    @property
    def arrived_at(self) -> datetime | None:
        """When it arrived, by the clock of the other rows; None where no row says so."""
        arrived = self.arrived
        return None if arrived is None else arrived.at - timedelta(seconds=self.skew_s)

    @property
    def trouble(self) -> Delivery | None:
        """The delivery row that says it did not arrive, or None."""
        return next(
            (d for d in self.deliveries if d.state in {"bounced", "suppressed", "failed"}), None
        )


@dataclass(slots=True, eq=False)
class Round:
    """One challenge with its sends, answers and sessions, each oldest first.

    What is often asked for is settled once all is there.

    Attributes:
        asked: The challenge's own event; None where its row is missing.
        rule: Why it asked.
        trust: What the browser brought along.
        ip: The address it was asked from.
        browser: The browser's opaque id.
    """

    id: str
    at: datetime
    asks: list[Challenge] = field(default_factory=list)
    sends: list[Sent] = field(default_factory=list)
    resends: list[Resend] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    password: Password | None = None
    is_accepted: bool = False
    ended_at: datetime | None = None
    asked: Challenge | None = None
    rule: str | None = None
    trust: str | None = None
    ip: str | None = None
    browser: str | None = None

    def settle(self) -> None:
        """Take the outcome from the answers, and what is often asked for, once all are there."""
        if len(self.sends) > 1:
            self.sends.sort(key=lambda sent: sent.event.at)
        self.ip, self.browser = self.told("ip"), self.told("browser")
        if self.asks:
            self.asked = asked = self.asks[0]
            self.rule, self.trust = asked.rule, asked.trust
        good = next((answer for answer in self.answers if answer.ok), None)
        self.is_accepted = good is not None
        self.ended_at = good.at if good else (self.answers[-1].at if self.answers else None)

    def told(self, name: str) -> str | None:
        """What the rows that are there by now say of a trait: challenges, password, answers."""
        value: str | None
        for asked in self.asks:
            value = getattr(asked, name)
            if value:
                return value
        value = getattr(self.password, name, None) if self.password else None
        if not value and name in {"ip", "browser"}:
            value = next((getattr(a, name) for a in self.answers if getattr(a, name)), None)
        return value or None

    @property
    def asker_ip(self) -> str | None:
        """The address of the challenge or its password; never one from which only a code came."""
        rows = (*self.asks, self.password)
        return next((row.ip for row in rows if row and row.ip), None)

    @property
    def agent(self) -> str | None:
        """The user agent."""
        return self.told("agent")

    @property
    def place(self) -> str | None:
        """The place the address stands for."""
        return self.told("place")

    @property
    def network(self) -> str | None:
        """What kind of network the address belongs to."""
        return self.told("network")

    @property
    def door(self) -> str | None:
        """The page that asked."""
        return self.told("door")

    @property
    def factor(self) -> str | None:
        """The factor kind: what was asked for, else what was sent."""
        asked = self.asked.factor if self.asked else None
        return asked or (self.sends[-1].event.channel if self.sends else None)

    @property
    def good(self) -> Answer | None:
        """The accepted answer, or None."""
        return next((answer for answer in self.answers if answer.ok), None)

    @property
    def is_unanswered(self) -> bool:
        """Whether nobody typed or pressed anything; that time ran out is no answer."""
        return all(answer.reason == "timeout" for answer in self.answers)

    @property
    def refusals(self) -> list[Answer]:
        """The answers that were not accepted."""
        return [answer for answer in self.answers if not answer.ok]

    def session(self, *states: str) -> Session | None:
        """The first session row in one of these states, or None."""
        return next((s for s in self.sessions if s.state in states), None)


class LoopRound(Struct, frozen=True, kw_only=True):
    """One turn of a loop, to be drawn.

    Attributes:
        accepted_at: None where the log shows no good answer for it.
        session: What became of the session: `created`, `returned`, `missing`, or empty.
        again_s: Seconds until it asked again; None for the last.
    """

    challenge: str
    asked_at: At
    accepted_at: At | None = None
    session: str = ""
    again_s: float | None = None


class Difference(Struct, frozen=True, kw_only=True):
    """One trait in which this attempt differs from the last good one.

    Attributes:
        what: `address`, `network`, `browser`, `trust`, `sent to`, `place` or `program`.
    """

    what: str
    was: str
    is_now: str


def loops(rounds: Sequence[Round]) -> list[tuple[Round, Round]]:
    """Return the pairs (accepted round, round asked soon after it) by the same browser."""
    found = []
    for before, after in pairwise(rounds):
        if not before.is_accepted or before.ended_at is None:
            continue
        gap = after.at - before.ended_at
        same = not (before.browser and after.browser) or before.browser == after.browser
        if same and timedelta(seconds=-5) <= gap <= LOOP_GAP and after.rule != "export":
            found.append((before, after))
    return found


def loop_rounds(rounds: Sequence[Round]) -> tuple[LoopRound, ...]:
    """Return the turns of the newest loop, oldest first; empty where nothing loops."""
    pairs = loops(rounds)
    if not pairs:
        return ()
    chain = [pairs[-1][1], pairs[-1][0]]
    for before, after in reversed(pairs[:-1]):
        if after is not chain[-1]:
            break
        chain.append(before)
    turns = list(reversed(chain))
    return tuple(
        LoopRound(
            challenge=one.id,
            asked_at=one.at,
            accepted_at=one.ended_at if one.is_accepted else None,
            session=one.sessions[-1].state if one.sessions else "",
            again_s=(turns[n + 1].at - (one.ended_at or one.at)).total_seconds()
            if n + 1 < len(turns)
            else None,
        )
        for n, one in enumerate(turns)
    )


_TRAITS = (
    ("address", "ip"),
    ("network", "network"),
    ("place", "place"),
    ("browser", "browser"),
    ("program", "agent"),
    ("trust", "trust"),
)


def differences(rounds: Sequence[Round]) -> tuple[Difference, ...]:
    """Return how the newest round differs from the last good one before it.

    Empty where there is no good one, or nothing differs.
    """
    if not rounds:
        return ()
    latest = rounds[-1]
    good = next((one for one in reversed(rounds[:-1]) if one.is_accepted), None)
    if good is None:
        return ()
    found = [
        Difference(what=what, was=was, is_now=now)
        for what, name in _TRAITS
        if (was := getattr(good, name)) and (now := getattr(latest, name)) and was != now
    ]
    was_to = next((s.event.to for s in good.sends if s.event.to), None)
    now_to = next((s.event.to for s in latest.sends if s.event.to), None)
    if was_to and now_to and was_to != now_to:
        found.append(Difference(what="sent to", was=was_to, is_now=now_to))
    return tuple(found)
