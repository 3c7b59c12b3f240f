"""Challenges: each time a product asked somebody for a code, and how it went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from helpdesk.domain.timeline import Answer, AnyEvent, Challenge, Delivery, Send, by_type
from helpdesk.domain.users import At

OPEN_FOR = timedelta(minutes=30)
"""How long an unanswered challenge counts as waiting rather than given up.

Our own measure, no product names one.
"""


class ChallengeState(StrEnum):
    """How far it came."""

    ASKED = "asked"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    REFUSED = "refused"
    PASSED = "passed"
    LEFT = "left"
    """Never answered."""


class ChallengeLine(Struct, frozen=True, kw_only=True, gc=False):
    """One challenge of one user, with what followed.

    Attributes:
        rule: Why it asked, in the case format's word; empty where the log is silent.
        reason: Why the last answer was refused.
    """

    user: str
    challenge: str
    at: At
    rule: str
    factor: str
    state: ChallengeState
    sends: int
    channel: str = ""
    to: str = ""
    reason: str = ""
    ip: str = ""
    ended_at: At | None = None


def challenge_lines(
    user: str, timeline: Sequence[AnyEvent], now: datetime
) -> Iterator[ChallengeLine]:
    """Give the challenges of one timeline, oldest first."""
    # Parted once: looked through for every challenge, a long timeline would take minutes.
    told = by_type(timeline)
    sends: dict[str | None, list[Send]] = {}
    answers: dict[str, list[Answer]] = {}
    delivered: dict[str, list[Delivery]] = {}
    for send in told.get(Send, ()):
        sends.setdefault(send.challenge, []).append(send)
    for answer in told.get(Answer, ()):
        answers.setdefault(answer.challenge, []).append(answer)
    for delivery in told.get(Delivery, ()):
        delivered.setdefault(delivery.send, []).append(delivery)
    for one in told.get(Challenge, ()):
        name = one.challenge
        yield _line(user, one, sends.get(name, []), answers.get(name, []), delivered, now)


def _line(
    user: str,
    asked: Challenge,
    sends: list[Send],
    answers: list[Answer],
    delivered: Mapping[str, list[Delivery]],
    now: datetime,
) -> ChallengeLine:
    last = sends[-1] if sends else None
    arrivals = delivered.get(last.send, []) if last else []
    state, ended_at = _state(asked, sends, answers, arrivals, now)
    is_refused = state is ChallengeState.REFUSED
    return ChallengeLine(
        user=user,
        challenge=asked.challenge,
        at=asked.at,
        rule=asked.rule or "",
        factor=asked.factor or (last.channel if last else ""),
        state=state,
        sends=len(sends),
        channel=last.channel if last else "",
        to=(last.to or "") if last else "",
        reason=answers[-1].reason or "" if is_refused else "",
        ip=asked.ip or "",
        ended_at=ended_at,
    )


def _state(
    asked: Challenge,
    sends: list[Send],
    answers: list[Answer],
    arrivals: list[Delivery],
    now: datetime,
) -> tuple[ChallengeState, datetime | None]:
    if answers:
        last = answers[-1]
        return (ChallengeState.PASSED if last.ok else ChallengeState.REFUSED), last.at
    if now - asked.at > OPEN_FOR:
        return ChallengeState.LEFT, None
    if not sends:
        return ChallengeState.ASKED, None
    words = {delivery.state for delivery in arrivals}
    if words & {"bounced", "suppressed", "failed"}:
        return ChallengeState.UNDELIVERED, None
    return (ChallengeState.DELIVERED if "delivered" in words else ChallengeState.SENT), None
