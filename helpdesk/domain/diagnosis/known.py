"""What is known of a user: the addresses, browsers and places with which they were let in."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Set
from datetime import datetime, timedelta
from functools import cached_property
from operator import attrgetter

from helpdesk.domain.diagnosis.bystanders import Beside
from helpdesk.domain.diagnosis.log import Log
from helpdesk.domain.diagnosis.rounds import Round
from helpdesk.domain.products import Product
from helpdesk.domain.text import NOT_DOCUMENTED
from helpdesk.domain.timeline import Challenge, Password, Session
from helpdesk.domain.users import User

HALF_A_DAY = timedelta(hours=12)
"""A browser younger than this vouches for no address: a stranger who got in has one too."""

SLACK, SOON = timedelta(seconds=5), timedelta(minutes=3)
"""What a login led to may be noted so much before it, and so long after it."""


class Known(Log):
    """A log with its rounds, and what they tell of the user.

    Attributes:
        rounds: Oldest first.
    """

    card: Product
    user: User
    others: Beside
    rounds: list[Round]
    _starts: list[datetime]

    @cached_property
    def own(self) -> dict[str, dict[str, datetime]]:
        """What the user has been let in with: kind of trait → value → since when."""
        known: dict[str, dict[str, datetime]] = {
            "ip": {}, "browser": {}, "place": {}, "agent": {},
        }  # fmt: skip
        passed = [(one, one.ended_at) for one in self.rounds if one.is_accepted and one.ended_at]
        for trait, values in known.items():
            told = attrgetter(trait)
            for one, at in passed:
                value = told(one)
                if value:
                    values.setdefault(value, at)
            first = {told(p): p.at for p in reversed(self.trusted_logins)}
            for value, at in first.items():
                if value and values.get(value, at) >= at:
                    values[value] = at
        return known

    @cached_property
    def trusted_logins(self) -> list[Password]:
        """Good passwords after which nothing was asked, oldest first."""
        good = [p for p in self.every(Password) if p.ok and not self._asked_after(p.at)]
        seen: set[str] = set()
        kept = []
        for password in good:
            source = {v for v in (password.ip, password.browser) if v}
            is_new = bool(source) and not seen & source
            if (is_new and self._is_guessed(password)) or not self._is_let_in(password, is_new):
                continue
            seen |= source
            kept.append(password)
        return kept

    def _is_let_in(self, password: Password, is_new: bool) -> bool:
        """Whether a session followed, where one must: its row may lack, but not from a new source.

        A product that asks at every login lets nobody in without an answer.
        """
        if not self.asks_always and not (is_new and self._tells_quiet_sessions):
            return True
        made = self.between(Session, password.at, password.at + SOON)
        return any(s.state in {"created", "returned"} for s in made)

    @cached_property
    def _tells_quiet_sessions(self) -> bool:
        """Whether this log holds sessions of logins that were not asked."""
        return any(session.challenge is None for session in self.every(Session))

    @cached_property
    def asks_always(self) -> bool:
        """Whether the card says that every login asks, and knows no other rule (S1.3, S4.12)."""
        return {asked.rule for asked in self.card.asked} <= {"every-login"} and not any(
            NOT_DOCUMENTED in asked.when for asked in self.card.asked
        )

    def _is_guessed(self, password: Password) -> bool:
        """Whether a good password from a new source came after failures from the same one.

        Nobody vouches for themselves: whoever guesses until it fits is not known for it.
        """
        start = password.at - timedelta(hours=1)
        tried = any(
            (p.browser and p.browser == password.browser) or (p.ip and p.ip == password.ip)
            for p in self.between(Password, start, password.at)
            if not p.ok
        )
        if not tried:
            return False
        source = {password.ip, password.browser} - {None}
        return not any(
            one.is_accepted and one.at < start and source & {one.browser, one.ip}
            for one in self.rounds
        )

    def _asked_after(self, at: datetime) -> bool:
        start = bisect_left(self._starts, at - SLACK)
        return start < len(self._starts) and self._starts[start] <= at + SOON

    @cached_property
    def company(self) -> dict[str, list[datetime]]:
        """By address: when the user's own browser, known for half a day, was at it."""
        found: dict[str, list[datetime]] = {}
        both: list[Challenge | Password] = [*self.every(Challenge), *self.every(Password)]
        for event in both:
            if event.ip and self.is_own("browser", event.browser, event.at - HALF_A_DAY):
                found.setdefault(event.ip, []).append(event.at)
        return found

    def is_beside_own(self, ip: str | None, at: datetime) -> bool:
        """Whether the user's own browser was at an address within some hours of a moment."""
        span = timedelta(hours=6)
        return any(abs(at - seen) <= span for seen in self.company.get(ip or "", ()))

    def is_own(self, trait: str, value: str | None, before: datetime | None = None) -> bool:
        """Whether the user was let in with this address, browser … (before a moment)."""
        since = self.own[trait].get(value or "")
        return since is not None and (before is None or since < before)

    def is_strange(self, trait: str, value: str | None, before: datetime | None = None) -> bool:
        """Whether a value is given, others are known, and this one is not among them."""
        if not value or value in self.shared.get(trait, ()):
            return False
        known = self.own[trait]
        if before is not None:
            return any(since < before for since in known.values()) and not self.is_own(
                trait, value, before
            )
        return bool(known) and value not in known

    @cached_property
    def shared(self) -> Mapping[str, Set[str]]:
        """Addresses and browsers with which colleagues of the account were let in."""
        colleagues = self.others.of_account(self.user.account)
        return {
            trait: frozenset().union(*(one.traits[trait] for one in colleagues))
            for trait in ("ip", "browser")
        }

    def is_colleague(self, trait: str, value: str | None) -> bool:
        """Whether somebody else of the account was let in with this address or browser."""
        return value is not None and value in self.shared.get(trait, ())
