"""Proof of the caller: evidence that the desk itself has seen, never a box that an agent ticks.

    asked ──▶ answered rightly within ten minutes ──▶ proof ──▶ used by one act, or ten minutes old:
    gone
      └──▶ three wrong answers, or ten minutes: gone

A proof is bound to user, agent and ticket, and is used once. Questions about a person's life are no
method here:
what a caller knows, a thief has read (NIST SP 800-63B-4, 3.1.1.2; OWASP ASVS 5.0, 6.4.2).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from helpdesk.domain.actions import AnyAction, ChangeAddress, ChangeMobile, ResetAll
from helpdesk.domain.fitting import factor_of
from helpdesk.domain.lacks import lack_of
from helpdesk.domain.text import clean, mask
from helpdesk.domain.timeline import FactorChange
from helpdesk.domain.users import At, Factor, FactorKind, FactorState

if TYPE_CHECKING:
    from helpdesk.domain.cases import Case

PROOF_LIFE = timedelta(minutes=10)
"""How long a proof may be used.

An out-of-band secret dies after ten minutes (NIST SP 800-63B-4).
"""

FRESH_CHANGE = timedelta(hours=72)
"""How long a changed number, address or factor proves nothing: our own measure."""

TRIES = 3
"""Wrong answers after which one must ask anew."""


class Method(StrEnum):
    """How a caller is proven."""

    CODE = "code"
    """A code sent to a factor on record, read back; the desk checks it, the agent never sees it."""
    PUSH = "push"
    """A push to a device on record, confirmed there."""
    TOTP = "totp"
    """The number the authenticator shows, read out."""
    CALL_BACK = "call-back"
    """The desk calls the number on record."""
    ADMINISTRATOR = "administrator"
    """An administrator of the account vouches, reached on the desk's own initiative."""
    IN_PERSON = "in-person"
    """Seen in person or by video, with a document."""

    @property
    def words(self) -> str:
        """The method as one reads it."""
        return _WORDS[self]

    @property
    def has_pair(self) -> bool:
        """Whether something reaches the caller, and with it their half of the word pair."""
        return self not in {Method.TOTP, Method.IN_PERSON}


_WORDS = {
    Method.CODE: "a code read back",
    Method.PUSH: "a push confirmed",
    Method.TOTP: "the authenticator's number",
    Method.CALL_BACK: "a call back to the number on record",
    Method.ADMINISTRATOR: "an administrator who vouches",
    Method.IN_PERSON: "seen in person or by video",
}


class Grade(StrEnum):
    """How much a proof weighs."""

    STRONG = "strong"
    WEAK = "weak"
    """E-mail: no out-of-band authenticator (NIST SP 800-63B-4, 3.1.3.1)."""


class Proof(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One proof of one caller.

    Attributes:
        channel: What it went over: a factor's id, `mobile`, `administrator:u6`, `in-person`.
            Two proofs over one
            channel count once.
        used_at: When an act used it up; None while it may be used.
        used_for: That act's name.
    """

    id: str
    user: str
    agent: str
    ticket: str
    method: Method
    grade: Grade
    channel: str
    at: At
    used_at: At | None = None
    used_for: str = ""

    def is_fresh(self, now: datetime) -> bool:
        """Whether it may still be used at *now*."""
        return self.used_at is None and self.at <= now < self.at + PROOF_LIFE


class Asking(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A proof that was asked for and is not answered yet.

    What must be answered is nowhere kept: whoever checks it makes it anew.

    Attributes:
        words: A pair for both sides: the agent reads the first, the customer answers with the
            second.
        wrong: Wrong answers so far.
        closed_at: When it was answered rightly, or given up.
    """

    id: str
    user: str
    agent: str
    ticket: str
    method: Method
    grade: Grade
    channel: str
    at: At
    words: tuple[str, str] = ("", "")
    wrong: int = 0
    closed_at: At | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether it may still be answered at *now*."""
        return self.closed_at is None and self.wrong < TRIES and now < self.at + PROOF_LIFE


class Way(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One way in which this caller could be proven now.

    Attributes:
        to: Where it goes, masked.
        not_for: Why it proves nothing for the act at hand; empty where it does.
    """

    method: Method
    channel: str
    grade: Grade
    to: str = ""
    not_for: str = ""


def ways(case: Case, action: AnyAction | None, now: datetime) -> tuple[Way, ...]:
    """Return all ways of proving this caller, the strong ones first.

    For *action* with those it rules out marked.
    """
    found = [
        _factor_way(factor)
        for factor in case.user.factors
        if factor.state is FactorState.ACTIVE and factor.kind.is_told
    ]
    if case.user.mobile:
        found.append(
            Way(
                method=Method.CALL_BACK,
                channel="mobile",
                grade=Grade.STRONG,
                to=clean(mask(case.user.mobile)),
            )
        )
    found += [
        Way(
            method=Method.ADMINISTRATOR,
            channel=f"administrator:{person.id}",
            grade=Grade.STRONG,
            to=clean(person.name),
        )
        for person in case.administrators
        if person.id != case.user.id
    ]
    found.append(Way(method=Method.IN_PERSON, channel="in-person", grade=Grade.STRONG))
    marked = [_marked(way, case, action, now) for way in found]
    return tuple(sorted(marked, key=lambda way: (bool(way.not_for), way.grade is Grade.WEAK)))


def _factor_way(factor: Factor) -> Way:
    method = {FactorKind.PUSH: Method.PUSH, FactorKind.TOTP: Method.TOTP}.get(
        factor.kind, Method.CODE
    )
    grade = Grade.WEAK if factor.kind is FactorKind.EMAIL else Grade.STRONG
    return Way(
        method=method,
        channel=factor.id,
        grade=grade,
        to=clean(mask(factor.to or factor.kind.words)),
    )


def _marked(way: Way, case: Case, action: AnyAction | None, now: datetime) -> Way:
    why = why_not(way.method, way.channel, case, action, now)
    return Way(method=way.method, channel=way.channel, grade=way.grade, to=way.to, not_for=why)


def why_not(
    method: Method, channel: str, case: Case, action: AnyAction | None, now: datetime
) -> str:
    """Return why a way proves nothing, for any act or for this one; empty where it does.

    Never by what the provider cannot do, over what is being changed, or over what changed in the
    last 72 hours.
    """
    destination = _destination(channel, case)
    lack = lack_of(case.lacks, f"prove:{method.value}")
    if lack is not None:
        return f"not possible with this provider ({lack.why.rstrip('.')})"
    if is_fresh_change(channel, case, now):
        return "it was changed in the last 72 hours"
    if action is None:
        return ""
    if factor_of(action) == channel:
        return "it is the very factor that is being changed"
    if isinstance(action, ChangeMobile) and (
        channel == "mobile" or destination == (case.user.mobile or "-")
    ):
        return "it is the very number that is being changed"
    if isinstance(action, ChangeAddress) and destination == (case.user.notification_address or "-"):
        return "it is the very mailbox that is being changed"
    return ""


def _destination(channel: str, case: Case) -> str:
    if channel == "mobile":
        return case.user.mobile or ""
    factor = case.user.factor(channel)
    return (factor.to or "") if factor else ""


def is_fresh_change(channel: str, case: Case, now: datetime) -> bool:
    """Whether a channel was enrolled or changed in the last 72 hours.

    A change in the timeline that names no factor counts against every channel of its kind: number
    changes against
    SMS, calls and the call back, address changes against mail.
    """
    factor = case.user.factor(channel)
    if factor and factor.since and now - factor.since < FRESH_CHANGE:
        return True
    for event in case.timeline:
        if isinstance(event, FactorChange) and timedelta(0) <= now - event.at < FRESH_CHANGE:
            if event.factor is not None and event.factor == channel and event.change != "suspended":
                return True
            if event.change.startswith("number") and (
                channel == "mobile" or _is_kind(factor, "sms", "voice")
            ):
                return True
            if event.change == "address-changed" and _is_kind(factor, "email"):
                return True
    return False


def _is_kind(factor: Factor | None, *kinds: str) -> bool:
    return factor is not None and factor.kind.value in kinds


class Sufficiency(Struct, frozen=True, kw_only=True):
    """Whether the proofs at hand are enough for an act.

    Attributes:
        lacks: What is still to be proven, in a sentence; empty where they are enough.
        is_weak: Enough only together with a second person.
        used: The proofs that the act would use up.
    """

    lacks: str = ""
    is_weak: bool = False
    used: tuple[Proof, ...] = ()


def sufficiency(
    action: AnyAction, case: Case, agent: str, proofs: tuple[Proof, ...], now: datetime
) -> Sufficiency:
    """Return whether fresh proofs of this caller, by this agent, on this ticket.

    Are enough for *action*.

    A reset of everything takes two over different channels; anything else takes one, and a weak one
    takes a second
    person as well.
    """
    ticket = action.ticket.lstrip("#")
    mine = [
        proof
        for proof in proofs
        if proof.is_fresh(now)
        and (proof.user, proof.agent, proof.ticket) == (case.user.id, agent, ticket)
        and not why_not(proof.method, proof.channel, case, action, now)
    ]
    by_channel = {
        (_destination(p.channel, case) or p.channel): p for p in sorted(mine, key=_weak_first)
    }
    found = sorted(by_channel.values(), key=_weak_first, reverse=True)
    wanted = 2 if isinstance(action, ResetAll) else 1
    if len(found) < wanted:
        return Sufficiency(lacks=_lacks(len(found), wanted), used=tuple(found))
    used = tuple(found[:wanted])
    return Sufficiency(is_weak=any(p.grade is Grade.WEAK for p in used), used=used)


def _weak_first(proof: Proof) -> bool:
    return proof.grade is Grade.STRONG


def _lacks(have: int, wanted: int) -> str:
    if wanted == 1:
        return "Prove the caller first."
    if have:
        return "Prove the caller once more, over another channel: a reset of everything takes two."
    return "Prove the caller first, over two different channels: this resets everything."
