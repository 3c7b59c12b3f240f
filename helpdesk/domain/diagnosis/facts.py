"""The timeline prepared once for the causes: rounds, sends, answers, and what is known of a user.

    password ─▶ challenge ─▶ send ─▶ delivery ─▶ answer ─▶ session
               └──────────────── one round ──────────────┘

Everything is indexed in one pass, so that fifty causes may ask without walking the log again.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property

from helpdesk.domain.diagnosis.bystanders import Beside, Bystanders
from helpdesk.domain.diagnosis.gather import rounds_of
from helpdesk.domain.diagnosis.known import Known
from helpdesk.domain.diagnosis.log import LONG, RECENT, SITTING, by_at, once, tidy
from helpdesk.domain.diagnosis.rounds import Round, loops
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


class Facts(Known):
    """One user's timeline, indexed.

    Attributes:
        events: Oldest first, each once.
        rounds: Oldest first.
        anchor: The moment the trouble is seen from: the newest event.
        cards: The other products that are known.
        others: Other users and what happened to them in the same hours.
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
        others: Beside | None = None,
    ) -> None:
        self.card, self.user, self.now, self.complaint = card, user, now, complaint
        self.account_products = tuple(account_products)
        self.cards = tuple(cards)
        self.others = Beside(Bystanders(())) if others is None else others
        self.compared: frozenset[str] = frozenset()
        super().__init__(timeline, now)
        self.rounds, self.confirmations = rounds_of(self, now)
        self._starts = [one.at for one in self.rounds]

    @cached_property
    def others_sends(self) -> frozenset[str]:
        """Ids of the codes that were sent to others; few cases ask for them, and they are many."""
        return frozenset(
            event.send for one in self.others for event in one.told if isinstance(event, Send)
        )

    @cached_property
    def others_ips(self) -> frozenset[str]:
        """Addresses from which others gave their passwords."""
        return frozenset(
            event.ip
            for one in self.others
            for event in one.told
            if isinstance(event, Password) and event.ip
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
            if one.is_unanswered and (last_good is None or one.at > last_good)
        ]

    @cached_property
    def unanswered(self) -> list[Round]:
        """All recent rounds without an answer."""
        return [one for one in self.recent if one.is_unanswered]

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
    def visits(self) -> list[Password | Challenge]:
        """Passwords and challenges of the last day, oldest first."""
        both: list[Password | Challenge] = [*self.since(Password), *self.since(Challenge)]
        return sorted(both, key=by_at)

    @cached_property
    def spans(self) -> dict[str, tuple[datetime, datetime]]:
        """By browser id: when it was first and last seen."""
        found: dict[str, tuple[datetime, datetime]] = {}
        kinds: tuple[type[Challenge | Password], ...] = (Challenge, Password)
        for events in map(self.every, kinds):
            last = {event.browser: event.at for event in events}
            first = {event.browser: event.at for event in reversed(events)}
            for browser, high in last.items():
                if browser:
                    before = found.get(browser, (first[browser], high))
                    found[browser] = min(before[0], first[browser]), max(before[1], high)
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

    @cached_property
    def unclaimed(self) -> Round | None:
        """The newest round, where nobody answers it and nobody says they wait for its code.

        It came after the right password, from a never-seen address, and the log names no browser:
        the user on a journey, or somebody else.
        """
        one = self.last
        if one is None or not one.is_unanswered or one.browser or self.complaint is not None:
            return None
        is_new = self.is_strange("ip", one.ip, one.at)
        return one if is_new and one.password and self.anchor - one.at <= RECENT else None

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

    def lock_at(self, moment: datetime) -> Lock | None:
        """The lock that was in force at a moment, or None."""
        return next(
            (
                lock
                for lock in reversed(self.every(Lock))
                if lock.since <= moment + timedelta(seconds=2)
                and (lock.until is None or lock.until > moment)
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
    def is_coarse(self) -> bool:
        """Whether this log keeps whole minutes only."""
        return len(self.events) > 3 and all(event.at.second == 0 for event in self.events[-20:])

    @property
    def is_stale(self) -> bool:
        """Whether the customer is in trouble now, and the log ends half a day ago."""
        at_it = {Complaint.NO_CODE, Complaint.CODE_REFUSED, Complaint.LOOP, Complaint.LOCKED}
        if self.complaint not in at_it:
            return False
        tried = [event.at for event in (*self.since(Password)[-1:], *self.since(Answer)[-1:])]
        tried += [one.at for one in self.recent[-1:]]
        return not tried or self.now - max(tried) > timedelta(hours=12)

    @cached_property
    def half_level(self) -> Session | None:
        """The newest session of the day that stayed at the first level, or None."""
        sessions = [s for s in self.every(Session)[-50:] if s.level is not None]
        half = [s for s in sessions if re.search(r"(^|\D)1$", str(s.level))]
        if not half or half[-1] is not sessions[-1] or self.anchor - half[-1].at > RECENT:
            return None
        usual = len(half) == len(sessions) > 2 and not self.since(Redirect)
        return None if usual else half[-1]

    def changes(self, *names: str, span: timedelta = LONG) -> list[FactorChange]:
        """Changes of factors of these names within *span*, oldest first."""
        return [change for change in self.since(FactorChange, span) if change.change in names]


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
    "by_at",
    "once",
    "tidy",
]  # fmt: skip
