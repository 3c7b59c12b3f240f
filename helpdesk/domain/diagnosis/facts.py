"""The timeline prepared once for the causes: rounds, sends, answers, and what is known of a user.

    password ─▶ challenge ─▶ send ─▶ delivery ─▶ answer ─▶ session
               └──────────────── one round ──────────────┘

Everything is indexed in one pass, so that fifty causes may ask without walking the log again.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from operator import attrgetter
from typing import Any, TypeVar

from helpdesk.domain.diagnosis.rounds import Round, Sent, loops
from helpdesk.domain.products import Product
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.timeline import (
    Answer,
    AnyEvent,
    Call,
    Challenge,
    Delivery,
    Export,
    FactorChange,
    Fetch,
    Lock,
    Other,
    Password,
    Redirect,
    Report,
    Resend,
    Reset,
    Send,
    Session,
)
from helpdesk.domain.users import User

RECENT = timedelta(hours=24)
"""How far back the trouble itself is looked for, from the newest event."""

LONG = timedelta(days=60)
"""How far back habits are looked for: which browser, which network, how often it asked."""

SITTING = timedelta(minutes=30)
"""A pause longer than this ends a sitting; our own measure."""

E = TypeVar("E")
_by_at = attrgetter("at")


class Facts:
    """One user's timeline, indexed.

    Attributes:
        events: Oldest first, each once.
        rounds: Oldest first.
        anchor: The moment the trouble is seen from: the newest event.
        compared: Causes that other users' logs speak for or against.
    """

    def __init__(
        self,
        card: Product,
        user: User,
        timeline: Sequence[AnyEvent],
        now: datetime,
        complaint: Complaint | None = None,
        account_products: Sequence[str] = (),
        cards: Iterable[Product] = (),
        colleagues: Iterable[Sequence[AnyEvent]] = (),
    ) -> None:
        self.card, self.user, self.now, self.complaint = card, user, now, complaint
        self.account_products = tuple(account_products)
        self._cards = tuple(cards)
        self._shared = _traits(colleagues)
        self.compared: frozenset[str] = frozenset()
        self.events = tidy(timeline)
        self.anchor = self.events[-1].at if self.events else now
        self._by_type: dict[type[Any], list[Any]] = {}
        for event in self.events:
            self._by_type.setdefault(type(event), []).append(event)
        self.rounds, self.confirmations = _rounds(self)
        self._starts = [one.at for one in self.rounds]

    def every(self, kind: type[E]) -> list[E]:
        """All events of a kind, oldest first."""
        return self._by_type.get(kind, [])

    def since(self, kind: type[E], span: timedelta = RECENT) -> list[E]:
        """Events of a kind within *span* of the newest event, oldest first."""
        events = self.every(kind)
        return events[bisect_left(events, self.anchor - span, key=_by_at) :]

    def between(self, kind: type[E], start: datetime, end: datetime) -> list[E]:
        """Events of a kind from *start* to *end*, both included."""
        events = self.every(kind)
        return events[
            bisect_left(events, start, key=_by_at) : bisect_right(events, end, key=_by_at)
        ]

    @cached_property
    def _index(self) -> dict[int, int]:
        return {id(event): number for number, event in enumerate(self.events)}

    def refs(self, *events: AnyEvent | None) -> tuple[str, ...]:
        """How a line of evidence names these events; what is None is left out."""
        return tuple(
            dict.fromkeys(
                event.id or f"#{self._index.get(id(event), 0)}"
                for event in events
                if event is not None
            )
        )

    @cached_property
    def recent(self) -> list[Round]:
        """Rounds of the last day before the newest event, oldest first, at most 60."""
        return self.rounds[bisect_left(self._starts, self.anchor - RECENT) :][-60:]

    @cached_property
    def habit(self) -> list[Round]:
        """Rounds of the last 60 days, oldest first, at most 120."""
        return self.rounds[bisect_left(self._starts, self.anchor - LONG) :][-120:]

    @cached_property
    def last(self) -> Round | None:
        """The newest round."""
        return self.rounds[-1] if self.rounds else None

    @cached_property
    def silent(self) -> list[Round]:
        """Recent rounds that nobody answered and that no later good round of the day made good."""
        good = [one.ended_at for one in self.recent if one.is_accepted and one.ended_at]
        last_good = max(good, default=None)
        return [
            one
            for one in self.recent
            if not one.answers and (last_good is None or one.at > last_good)
        ]

    @cached_property
    def unanswered(self) -> list[Round]:
        """All recent rounds without an answer."""
        return [one for one in self.recent if not one.answers]

    @cached_property
    def accepted(self) -> list[Round]:
        """Accepted rounds of the last 60 days."""
        return [one for one in self.habit if one.is_accepted]

    @cached_property
    def last_good_at(self) -> datetime | None:
        """When somebody last got in with an accepted answer or without being asked."""
        times = [one.ended_at for one in self.rounds[-200:] if one.is_accepted and one.ended_at]
        return max(times, default=None)

    @cached_property
    def own(self) -> dict[str, dict[str, datetime]]:
        """What the user has been let in with: kind of trait → value → since when."""
        known: dict[str, dict[str, datetime]] = {
            "ip": {}, "browser": {}, "place": {}, "agent": {},
        }  # fmt: skip
        for one in self.rounds:
            if one.is_accepted and one.ended_at:
                for trait, values in known.items():
                    value = getattr(one, trait)
                    if value:
                        values.setdefault(value, one.ended_at)
        for password in self.trusted_logins:
            for trait, values in known.items():
                value = getattr(password, trait)
                if value and values.get(value, password.at) >= password.at:
                    values[value] = password.at
        return known

    @cached_property
    def trusted_logins(self) -> list[Password]:
        """Good passwords after which nothing was asked, oldest first."""
        return [p for p in self.every(Password) if p.ok and not self._asked_after(p.at)]

    @cached_property
    def visits(self) -> list[Password | Challenge]:
        """Passwords and challenges of the last day, oldest first."""
        both: list[Password | Challenge] = [*self.since(Password), *self.since(Challenge)]
        return sorted(both, key=_by_at)

    @cached_property
    def spans(self) -> dict[str, tuple[datetime, datetime]]:
        """By browser id: when it was first and last seen."""
        found: dict[str, tuple[datetime, datetime]] = {}
        both: list[Challenge | Password] = [*self.every(Challenge), *self.every(Password)]
        for event in both:
            if event.browser:
                low, high = found.get(event.browser, (event.at, event.at))
                found[event.browser] = min(low, event.at), max(high, event.at)
        return found

    @cached_property
    def lost_session(self) -> AnyEvent | None:
        """What says that a passed login still did not let the user in, or None."""
        last = next((one for one in reversed(self.recent) if one.is_accepted), None)
        if last is None or last is not self.last or last.ended_at is None:
            return None
        circles = [r for r in self.since(Redirect) if r.count >= 3 and r.at >= last.at]
        missing = [s for s in last.sessions if s.state == "missing"]
        return circles[0] if circles else missing[0] if missing else None

    def _asked_after(self, at: datetime) -> bool:
        start = bisect_left(self._starts, at - timedelta(seconds=5))
        return start < len(self._starts) and self._starts[start] <= at + timedelta(minutes=3)

    def is_own(self, trait: str, value: str | None, before: datetime | None = None) -> bool:
        """Whether the user was let in with this address, browser … (before a moment)."""
        since = self.own[trait].get(value or "")
        return since is not None and (before is None or since < before)

    def is_strange(self, trait: str, value: str | None, before: datetime | None = None) -> bool:
        """Whether a value is given, others are known, and this one is not among them."""
        if not value or value in self._shared.get(trait, ()):
            return False
        known = self.own[trait]
        if before is not None:
            return any(since < before for since in known.values()) and not self.is_own(
                trait, value, before
            )
        return bool(known) and value not in known

    @cached_property
    def tells_sends(self) -> bool:
        """Whether this log says of answers whose code was typed."""
        return any(answer.send for answer in self.every(Answer))

    @cached_property
    def tells_send_rows(self) -> bool:
        """Whether this log holds sends at all."""
        return bool(self.every(Send))

    @cached_property
    def sent_to(self) -> dict[str, Round]:
        """By send id: the round that it belongs to."""
        return {sent.event.send: one for one in self.rounds[-300:] for sent in one.sends}

    @cached_property
    def code_holders(self) -> frozenset[str]:
        """Browsers and addresses from which a code that was really sent was typed."""
        sent = {s.event.send for one in self.recent for s in one.sends}
        told = {"expired", "superseded", "reused", "drift", "locked"}
        typed = [a for a in self.since(Answer) if a.ok or a.send in sent or a.reason in told]
        return frozenset(v for a in typed for v in (a.browser, a.ip) if v)

    @cached_property
    def tells_reasons(self) -> bool:
        """Whether this log has more than one word for a refusal."""
        words = {a.reason for a in self.every(Answer) if not a.ok and a.reason}
        return bool(words - {"wrong"})

    @cached_property
    def tells_delivery(self) -> bool:
        """Whether this log holds deliveries."""
        return bool(self.every(Delivery))

    @cached_property
    def tells_browsers(self) -> bool:
        """Whether recent rounds name the browser."""
        return any(one.browser for one in self.habit)

    @cached_property
    def tells_sessions(self) -> bool:
        """Whether this log holds sessions."""
        return bool(self.every(Session))

    @cached_property
    def asks_always(self) -> bool:
        """Whether the card knows no other rule than asking at every login (S1.3, S4.12)."""
        return {asked.rule for asked in self.card.asked} <= {"every-login"}

    @cached_property
    def loops(self) -> list[tuple[Round, Round]]:
        """Pairs of rounds of the last day: passed, and asked again at once."""
        return loops(self.recent)

    @cached_property
    def active_lock(self) -> Lock | None:
        """The newest lock that is in force now, or was at the newest event."""
        moment = min(self.now, self.anchor) if self.events else self.now
        return next(
            (
                lock
                for lock in reversed(self.since(Lock, timedelta(days=14)))
                if lock.until is None or lock.until > moment
            ),
            None,
        )

    @cached_property
    def blocked_by(self) -> str:
        """The cause of a lock that a fraud or risk block made; empty where there is none."""
        for lock in reversed(self.since(Lock, timedelta(days=14))):
            said = (lock.cause or "").casefold()
            if re.search("fraud|risk|policy|not.me|suspicious|block", said):
                return said
        return ""

    @cached_property
    def in_vain(self) -> Reset | None:
        """The newest good reset of two weeks after which nobody got in, or None."""
        resets = [r for r in self.since(Reset, timedelta(days=14)) if r.ok]
        if not resets or (self.last_good_at and self.last_good_at > resets[-1].at):
            return None
        return resets[-1]

    @cached_property
    def must_enrol(self) -> FactorChange | None:
        """The newest demand to enrol that was not met, or None."""
        demanded = self.changes("must-enrol")
        done = self.changes("enrolled")
        open_ = [d for d in demanded if not any(c.at >= d.at for c in done)]
        return open_[-1] if open_ else None

    @cached_property
    def last_refused(self) -> bool:
        """Whether the newest answer of the day was refused."""
        answers = self.since(Answer)
        return bool(answers) and not answers[-1].ok

    @cached_property
    def is_in_now(self) -> bool:
        """Whether the newest round was passed."""
        return self.last is not None and self.last.is_accepted

    @cached_property
    def half_level(self) -> Session | None:
        """The newest session of the day that stayed at the first level, or None."""
        sessions = [s for s in self.every(Session)[-50:] if s.level is not None]
        half = [s for s in sessions if re.search(r"(^|\D)1$", str(s.level))]
        if not half or half[-1] is not sessions[-1] or self.anchor - half[-1].at > RECENT:
            return None
        usual = len(half) == len(sessions) > 2 and not self.since(Redirect)
        return None if usual else half[-1]

    @cached_property
    def door_words(self) -> tuple[frozenset[str], dict[str, frozenset[str]]]:
        """The words that name this product, and for each other product those that name only it."""
        own = _name_words(self.card)
        return own, {
            other.id: _name_words(other) - own for other in self._cards if other.id != self.card.id
        }

    def changes(self, *names: str, span: timedelta = LONG) -> list[FactorChange]:
        """Changes of factors of these names within *span*, oldest first."""
        return [change for change in self.since(FactorChange, span) if change.change in names]


def tidy(timeline: Sequence[AnyEvent]) -> list[AnyEvent]:
    """Return the events oldest first, each once: same id, or same in every word."""
    events = list(timeline)
    if any(events[i].at > events[i + 1].at for i in range(len(events) - 1)):
        events.sort(key=_by_at)
    seen: set[str] = set()
    kept: list[AnyEvent] = []
    start = 0
    for event in events:
        if event.id is not None:
            if event.id in seen:
                continue
            seen.add(event.id)
        elif event in kept[start:]:
            continue
        kept.append(event)
        while kept[start].at < event.at:
            start += 1
        start = max(start, len(kept) - 32)
    return kept


def _rounds(facts: Facts) -> tuple[list[Round], list[Sent]]:
    """Group what belongs to one challenge, and keep confirmations of numbers aside."""
    rounds: dict[str, Round] = {}

    def of(challenge: str, at: datetime) -> Round:
        if challenge not in rounds:
            rounds[challenge] = Round(challenge, at)
        return rounds[challenge]

    for asked in facts.every(Challenge):
        of(asked.challenge, asked.at).asks.append(asked)
    for resend in facts.every(Resend):
        of(resend.challenge, resend.at).resends.append(resend)
    ordered = sorted(rounds.values(), key=_by_at)
    sents, floating, confirmations = _sents(facts, of)
    for answer in facts.every(Answer):
        of(answer.challenge, answer.at).answers.append(answer)
    if len(rounds) != len(ordered):
        ordered = sorted(rounds.values(), key=_by_at)
    starts = [one.at for one in ordered]
    for sent in floating:
        owner = _before(ordered, starts, sent.event.at, timedelta(minutes=10))
        if owner is None:
            owner = rounds.setdefault(f"\0{sent.event.send}", Round("", sent.event.at))
        owner.sends.append(sent)
    _link(facts, sents, ordered)
    ordered = sorted(rounds.values(), key=_by_at)
    for one in ordered:
        one.settle()
    _attach(facts, ordered)
    return ordered, confirmations


def _sents(facts: Facts, of: Any) -> tuple[dict[str, Sent], list[Sent], list[Sent]]:
    sents: dict[str, Sent] = {}
    floating: list[Sent] = []
    confirmations: list[Sent] = []
    for send in facts.every(Send):
        sent = sents.setdefault(send.send, Sent(send))
        if sent.event is not send:
            continue
        if send.purpose in {"confirmation", "enrolment"}:
            confirmations.append(sent)
        elif send.challenge is None:
            floating.append(sent)
        else:
            of(send.challenge, send.at).sends.append(sent)
    return sents, floating, confirmations


def _link(facts: Facts, sents: dict[str, Sent], ordered: list[Round]) -> None:
    for delivery in facts.every(Delivery):
        if delivery.send in sents:
            sents[delivery.send].deliveries.append(delivery)
    told = {s.event.channel for s in sents.values() if "delivered" in s.states}
    for sent in sents.values():
        sent.is_accepted_final = sent.event.channel not in told
    for fetch in facts.every(Fetch):
        if fetch.send in sents:
            sents[fetch.send].fetches.append(fetch)
    passwords = facts.every(Password)
    times = [password.at for password in passwords]
    for one in ordered:
        upto = bisect_right(times, one.at + timedelta(seconds=5))
        for password in reversed(passwords[max(0, upto - 4) : upto]):
            near = one.at - password.at <= timedelta(minutes=10)
            same_ip = not (password.ip and one.ip) or password.ip == one.ip
            if password.ok and near and same_ip:
                one.password = password
                break


def _attach(facts: Facts, ordered: list[Round]) -> None:
    """Give each session to the round that made it: by its challenge, else the last good one."""
    by_id = {one.id: one for one in ordered if one.id}
    good = sorted((one for one in ordered if one.is_accepted), key=lambda one: one.ended_at)  # type: ignore[arg-type,return-value]
    ends = [one.ended_at for one in good]
    for session in facts.every(Session):
        if session.challenge in by_id:
            by_id[session.challenge or ""].sessions.append(session)
            continue
        upto = bisect_right(ends, session.at + timedelta(seconds=2))  # type: ignore[type-var]
        for one in reversed(good[max(0, upto - 3) : upto]):
            same = not (session.browser and one.browser) or session.browser == one.browser
            if same and session.at - (one.ended_at or one.at) <= timedelta(minutes=10):
                one.sessions.append(session)
                break


def _before(
    ordered: list[Round], starts: list[datetime], at: datetime, span: timedelta
) -> Round | None:
    upto = bisect_right(starts, at + timedelta(seconds=5))
    if upto and at - starts[upto - 1] <= span:
        return ordered[upto - 1]
    return None


def _traits(timelines: Iterable[Sequence[AnyEvent]]) -> dict[str, set[str]]:
    """Addresses and browsers with which colleagues of the account were let in."""
    found: dict[str, set[str]] = {"ip": set(), "browser": set()}
    for timeline in timelines:
        for event in timeline:
            if isinstance(event, Session | Answer) and getattr(event, "ok", True):
                for trait, values in found.items():
                    value = getattr(event, trait)
                    if value:
                        values.add(value)
    return found


_COMMON = frozenset(
    {
        "the", "and", "for", "login", "app", "www", "com", "example", "https", "http", "code",
        "codes", "product", "platform", "two", "factor", "mail", "verify", "auth",
        "authenticator", "user", "users",
    }
)  # fmt: skip


def _name_words(card: Product) -> frozenset[str]:
    names = [
        name.casefold().replace("e-mail", "email") for name in (card.id, card.name, card.short)
    ]
    found = {word for name in names for word in re.findall(r"[a-z]{3,}", name.casefold())}
    squeezed = {re.sub(r"[^a-z]", "", name.casefold()) for name in names}
    return frozenset(found | {word for word in squeezed if len(word) > 5}) - _COMMON


__all__ = [
    "LONG",
    "RECENT",
    "SITTING",
    "Answer",
    "Call",
    "Challenge",
    "Delivery",
    "Export",
    "FactorChange",
    "Facts",
    "Fetch",
    "Lock",
    "Other",
    "Password",
    "Redirect",
    "Report",
    "Resend",
    "Reset",
    "Send",
    "Session",
    "tidy",

]  # fmt: skip
