"""A way in that was opened, and who came first through it.

reset, pass, MFA off, enrolled by the desk ──▶ first entry ──▶ from a known place: over
                                                    └──▶ from nowhere known: a stranger's
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from helpdesk.domain.diagnosis.facts import (
    FactorChange,
    Facts,
    Other,
    Password,
    Reset,
    Session,
    once,
)
from helpdesk.domain.diagnosis.rounds import Round
from helpdesk.domain.diagnosis.strangers import is_from_elsewhere, strangeness
from helpdesk.domain.limits import WATCHED
from helpdesk.domain.timeline import AnyEvent

SAME_VISIT = timedelta(minutes=10)
"""Rows nearer than this may tell of one entry."""

BY_DESK = frozenset({"agent", "administrator", "system", None})
"""Who enrols or turns off for somebody else; what a user does alone opens nothing for others."""

WORDS = {"turned-off": "MFA was turned off", "enrolled": "a factor was enrolled by the desk"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Somebody came in, or set up a way of their own.

    Attributes:
        is_proof: Whether it took a second proof, or made one; else the password was enough.
        events: The rows that tell of it, the first first.
    """

    at: datetime
    ip: str | None = None
    browser: str | None = None
    place: str | None = None
    network: str | None = None
    agent: str | None = None
    trust: str | None = None
    is_proof: bool = False
    events: tuple[AnyEvent | None, ...] = ()

    @property
    def is_told(self) -> bool:
        """Whether the log says anything of where it came from."""
        return bool(self.ip or self.place or self.network)


@dataclass(frozen=True, slots=True)
class Stranger:
    """The first entry after a way in was opened, where it looks like nobody who is known."""

    opened: AnyEvent
    says: str
    entry: Entry
    strangeness: float


@once
def first_strangers(facts: Facts) -> list[Stranger]:
    """Return the first entries of the last week that came from nowhere known, oldest first."""
    found: list[Stranger] = []
    openings = _openings(facts)
    entries = _entries(facts) if openings else []
    for opened, says in openings:
        first = _first(facts, entries, opened)
        if first is None or _is_vouched_for(facts, first, entries, opened.at):
            continue
        if found and found[-1].entry == first:
            found.pop()  # opened twice before anybody came: what was opened last counts
        score = strangeness(facts, first, opened.at)
        found.append(Stranger(opened=opened, says=says, entry=first, strangeness=score))
    return found


def _openings(facts: Facts) -> list[tuple[AnyEvent, str]]:
    """What opened a way in during the last week, oldest first."""
    found: list[tuple[AnyEvent, str]] = [
        (one, "factors were reset") for one in facts.since(Reset, WATCHED) if one.ok
    ]
    found += [
        (one, WORDS[one.change])
        for one in facts.since(FactorChange, WATCHED)
        if one.change in WORDS and one.by in BY_DESK
    ]
    found += [
        (one, "a temporary pass was made")
        for one in facts.since(Other, WATCHED)
        if one.kind == "pass"
    ]
    return sorted(found, key=lambda pair: pair[0].at)


def _first(facts: Facts, entries: list[Entry], opened: AnyEvent) -> Entry | None:
    """The first entry after an opening, where it is a stranger's.

    A remembered browser of the user's own needs no new way in: it does not end the wait.
    """
    is_off = isinstance(opened, FactorChange) and opened.change == "turned-off"
    for entry in entries:
        if not opened.at < entry.at <= opened.at + WATCHED:
            continue
        if entry.is_told and _is_unknown(facts, entry, opened.at):
            return entry
        if (entry.is_proof or is_off) and not _is_told_soon(entry, entries):
            return None
    return None


def _is_told_soon(entry: Entry, entries: list[Entry]) -> bool:
    """Whether the log says nothing of where an entry came from, but a later row of it does."""
    if entry.is_told:
        return False
    return any(one.is_told and timedelta(0) <= one.at - entry.at <= SAME_VISIT for one in entries)


def _is_unknown(facts: Facts, entry: Entry, before: datetime) -> bool:
    """Whether an entry came from no place, address or browser that was known before."""
    if facts.is_own("browser", entry.browser, before):
        return False
    is_near = facts.is_own("place", entry.place, before)
    if is_near and entry.network not in {"hosting", "vpn"}:
        return False
    return is_from_elsewhere(facts, entry, before) and strangeness(facts, entry, before) > 0


def _is_vouched_for(facts: Facts, first: Entry, entries: list[Entry], before: datetime) -> bool:
    """Whether the same browser came from the user's own address later, or the other way round."""
    return any(
        entry.at > first.at
        and (
            (entry.browser == first.browser and facts.is_own("ip", entry.ip, before))
            or (entry.ip == first.ip and facts.is_own("browser", entry.browser, before))
        )
        for entry in entries
        if entry.ip and entry.browser
    )


def _entries(facts: Facts) -> list[Entry]:
    """All entries of the last week, oldest first."""
    since = facts.anchor - WATCHED
    found = [_of_round(one) for one in facts.rounds if one.is_accepted and one.at >= since]
    asked = {id(one.password) for one in facts.rounds if one.password}
    asked |= {id(session) for one in facts.rounds for session in one.sessions}
    found += [
        _of_row(one, is_proof=False)
        for one in facts.since(Password, WATCHED)
        if one.ok and id(one) not in asked and _led_in(facts, one)
    ]
    found += [
        _of_row(one, is_proof=True)
        for one in facts.since(FactorChange, WATCHED)
        if one.change == "enrolled" and one.by == "user"
    ]
    found += [
        _of_row(one, is_proof=False)
        for one in facts.since(Session, WATCHED)
        if one.state == "created" and id(one) not in asked and not _has_password(facts, one)
    ]
    return sorted(found, key=lambda entry: entry.at)


def _of_round(one: Round) -> Entry:
    return Entry(
        at=one.ended_at or one.at,
        ip=one.ip,
        browser=one.browser,
        place=one.place,
        network=one.network,
        agent=one.agent,
        trust=one.trust,
        is_proof=True,
        events=(one.good, one.asked),
    )


def _of_row(row: Password | FactorChange | Session, *, is_proof: bool) -> Entry:
    told = {
        trait: getattr(row, trait, None) for trait in ("ip", "browser", "place", "network", "agent")
    }
    return Entry(at=row.at, is_proof=is_proof, events=(row,), **told)


def _led_in(facts: Facts, password: Password) -> bool:
    """Whether a session followed a password after which nothing was asked.

    Where the log holds no sessions it did, unless the product always asks.
    """
    made = facts.between(Session, password.at, password.at + timedelta(minutes=3))
    if any(one.state in {"created", "returned"} for one in made):
        return True
    return not facts.tells_sessions and not facts.asks_always


def _has_password(facts: Facts, session: Session) -> bool:
    start = session.at - timedelta(minutes=3)
    return any(one.ok for one in facts.between(Password, start, session.at))
