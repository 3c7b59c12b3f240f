"""Strangers: how foreign an attempt looks beside what the user was let in with."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from helpdesk.domain.diagnosis.facts import Answer, FactorChange, Facts, Password, Report, once
from helpdesk.domain.diagnosis.rounds import Round
from helpdesk.domain.tickets import Complaint

DAY = timedelta(hours=24)
MOVES = ("number-changed", "address-changed")
"""Changes that lead codes elsewhere."""

FAR = 2.5
"""From here on an attempt looks foreign in more than its address."""


class Attempt(Protocol):
    """What tells of where somebody came from: a round, a password, an entry."""

    @property
    def at(self) -> datetime:
        """When."""
        ...

    @property
    def ip(self) -> str | None:
        """From which address."""
        ...

    @property
    def place(self) -> str | None:
        """From which place."""
        ...

    @property
    def network(self) -> str | None:
        """From which kind of network."""
        ...


def strangeness(facts: Facts, one: Attempt, before: datetime | None = None) -> float:
    """How foreign an attempt looks beside what this user was let in with; 0 where it does not."""
    score = 0.0
    for trait, weight in (("ip", 1.0), ("browser", 1.5), ("place", 1.5), ("agent", 0.5)):
        if facts.is_strange(trait, getattr(one, trait), before):
            score += weight
        elif trait in {"browser", "ip"} and facts.is_own(trait, getattr(one, trait), before):
            score -= 2.0 if trait == "browser" else 1.0
    if one.network == "hosting":
        score += 1.5
    if getattr(one, "trust", None) == "good":
        score -= 2.0
    if not facts.own["ip"] and one.network in {"hosting", "vpn"}:
        score += 1.0
    return max(score, 0.0)


@once
def strange_rounds(facts: Facts) -> list[Round]:
    """Rounds of the last day that nobody passed and that look foreign.

    Whoever typed a code that was really sent reads the user's messages, and is no stranger here.
    """
    enough = 1.0 if facts.complaint is Complaint.UNASKED_CODES or alarms(facts) else 2.0
    return [
        one
        for one in facts.recent
        if not one.is_accepted
        and not _holds_code(facts, one)
        and is_from_elsewhere(facts, one)
        and strangeness(facts, one) + (1.0 if own_beside(facts, one) else 0.0) >= enough
        and strangeness(facts, one) > 0
    ]


def is_from_elsewhere(facts: Facts, one: Attempt, before: datetime | None = None) -> bool:
    """Whether an attempt came from another network or place; a new device alone is none.

    Where the log says nothing of networks and places, it may have.
    """
    if facts.is_own("ip", one.ip, before) or facts.is_beside_own(one.ip, one.at):
        return False
    if facts.is_strange("ip", one.ip, before) or facts.is_strange("place", one.place, before):
        return True
    if one.network in {"hosting", "vpn"}:
        return True
    is_told = facts.complaint is Complaint.UNASKED_CODES or bool(alarms(facts))
    return is_told and not (one.ip or one.place or one.network)


def _holds_code(facts: Facts, one: Round) -> bool:
    if one.browser:
        return one.browser in facts.code_holders
    return one.ip is not None and one.ip in facts.code_holders


@once
def alarms(facts: Facts) -> list[Report]:
    """Reports of the last two days that say: this was not me."""
    return [r for r in facts.since(Report, timedelta(days=2)) if r.what in {"not-me", "suspicious"}]


def where(one: Attempt) -> str:
    """Return from where an attempt came, as far as the log says."""
    parts = [one.place or "", one.network or "", one.ip or ""]
    return ", ".join(part for part in parts if part) or "unknown"


def own_beside(facts: Facts, strange: Round) -> bool:
    """Whether the user's own browser or address was at work elsewhere within hours."""
    for trait in ("browser", "ip"):
        mine = getattr(strange, trait)
        if mine:
            return any(
                getattr(one, trait) not in {None, mine}
                and facts.is_own(trait, getattr(one, trait))
                and abs(one.at - strange.at) <= timedelta(hours=6)
                for one in facts.visits
            )
    return False


def moves_of(facts: Facts, span: timedelta = DAY) -> list[FactorChange]:
    """Return the newest changes of number or address, oldest first."""
    return [c for c in facts.since(FactorChange, span) if c.change in MOVES][-12:]


@once
def foreign_failures(facts: Facts) -> list[Answer | Password]:
    """Failures of the last day from addresses that are not the user's, oldest first."""
    found: list[Answer | Password] = [
        p for p in facts.since(Password) if not p.ok and _is_foreign(facts, p)
    ]
    for one in facts.recent:
        if one.is_accepted or strangeness(facts, one) < 1.0:
            continue
        found += one.refusals
    found.sort(key=lambda event: event.at)
    return found


def _is_foreign(facts: Facts, password: Password) -> bool:
    return strangeness(facts, password) >= 1.0 and not facts.is_beside_own(password.ip, password.at)


def moved_by_a_stranger(facts: Facts, at: datetime) -> bool:
    """Whether number or address were changed, in the day before, from a never-seen address.

    Any call after that counts, whatever it asks for: a code would go to the stranger.
    """
    moves = [c for c in moves_of(facts) if c.at <= at + timedelta(minutes=5)]
    return (
        bool(moves)
        and not any(one.is_accepted and one.at > moves[-1].at for one in facts.recent)
        and facts.is_strange("ip", moves[-1].ip, moves[-1].at)
        and not facts.is_beside_own(moves[-1].ip, moves[-1].at)
        and not went_on_as_before(facts, moves[-1])
    )


def went_on_as_before(facts: Facts, move: FactorChange) -> bool:
    """Whether the user's own browser or address logged in well after a change, and no other did."""
    after: list[Round | Password] = [
        one for one in facts.rounds if one.is_accepted and one.at > move.at
    ]
    after += [password for password in facts.trusted_logins if password.at > move.at]
    return bool(after) and all(
        facts.is_own("browser", one.browser, move.at)
        or (one.browser is None and facts.is_own("ip", one.ip, move.at))
        for one in after
    )


def is_alarmed(facts: Facts) -> bool:
    """Whether the user says that somebody else is at it."""
    return facts.complaint is Complaint.UNASKED_CODES or bool(alarms(facts))


def entered(facts: Facts) -> list[Round]:
    """Rounds of the last day that were passed and look foreign beside what was known before."""
    enough = 1.0 if is_alarmed(facts) else FAR
    return [
        one
        for one in facts.recent
        if one.is_accepted
        and is_from_elsewhere(facts, one, one.at)
        and strangeness(facts, one, one.at) >= enough
    ]


@once
def foreign_entries(facts: Facts) -> list[Password]:
    """Right passwords of the last day from a foreign place, after which nobody was let in."""
    vouched = {id(password) for password in facts.trusted_logins}
    asked = {id(one.password) for one in facts.recent if one.password}
    return [
        p
        for p in facts.since(Password)
        if p.ok and id(p) not in vouched | asked and _is_foreign(facts, p)
    ]
