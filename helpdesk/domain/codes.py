"""The code clock: which of several sent codes is the live one, and for how long.

    send ──▶ LIVE ──▶ used        answered well
              │  ├──▶ expired     past the life the card or the send itself gives
              │  ├──▶ void        a newer one was sent, and the card says that this kills it
              │  └──▶ older       a newer one was sent, and the source is silent about what that
              means
              └──▶ undelivered    bounced, suppressed or failed

A life that neither the send nor the card names stays unknown: `expires_at` is None and the screen
says *not documented*.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from operator import attrgetter

from msgspec import Struct

from helpdesk.domain.products import Product
from helpdesk.domain.timeline import Answer, AnyEvent, Delivery, Send, by_type
from helpdesk.domain.users import At

SHOWN = timedelta(hours=24)
"""How far back sends are looked at."""

_by_at = attrgetter("at")


def has_bounced(timeline: Sequence[AnyEvent]) -> bool:
    """Whether mail to a user came back, or was held back, and none arrived since."""
    sends = [event for event in timeline if isinstance(event, Send)]
    mails = {event.send for event in sends if event.channel == "email"}
    ends = [
        event.state
        for event in timeline
        if isinstance(event, Delivery) and event.send in mails and event.state in _ENDS
    ]
    return bool(ends) and ends[-1] != "delivered"


_ENDS = frozenset({"delivered", "bounced", "suppressed"})


class CodeState(StrEnum):
    """What has become of a code."""

    LIVE = "live"
    VOID = "void"
    OLDER = "older"
    EXPIRED = "expired"
    USED = "used"
    UNDELIVERED = "undelivered"


class Code(Struct, frozen=True, kw_only=True):
    """One send with a code in it.

    Attributes:
        why: In words, why it is no longer live, or what is not documented about it.
    """

    send: str
    challenge: str | None
    channel: str
    to: str
    at: At
    state: CodeState
    delivered_at: At | None = None
    expires_at: At | None = None
    why: str = ""


class CodeClock(Struct, frozen=True, kw_only=True):
    """All codes of a user that matter now, oldest first.

    Attributes:
        next_send_at: From when another one may be sent; None where nothing holds it back.
        life_s: The card's life of a code in seconds; None where it is not documented.
        wait_s: The card's wait between sends in seconds; None where it is not documented.
        voids: Whether sending now voids the live one; None where the source is silent.
    """

    codes: tuple[Code, ...] = ()
    next_send_at: At | None = None
    life_s: int | None = None
    wait_s: int | None = None
    voids: bool | None = None

    @property
    def live(self) -> Code | None:
        """The code that counts now, or None."""
        return next((code for code in reversed(self.codes) if code.state is CodeState.LIVE), None)


def code_clock(card: Product, timeline: Sequence[AnyEvent], now: datetime) -> CodeClock:
    """Return which code is live at *now*, and when the next may be sent.

    The timeline's events are oldest first.
    """
    first = bisect_left(timeline, now - SHOWN, key=_by_at)
    recent = by_type(timeline[first : bisect_right(timeline, now, first, key=_by_at)])
    sends = [send for send in recent.get(Send, ()) if (send.purpose or "code") == "code"]
    answers: dict[str | None, list[Answer]] = {}
    for answer in recent.get(Answer, ()):
        for name in {answer.challenge, answer.send}:
            answers.setdefault(name, []).append(answer)
    deliveries = {event.send: event for event in recent.get(Delivery, ())}
    codes = tuple(
        _code(
            card,
            send,
            next((other for other in islice(sends, n, None) if _same_errand(other, send)), None),
            [*answers.get(send.send, ()), *answers.get(send.challenge, ())],
            deliveries.get(send.send),
            now,
        )
        for n, send in enumerate(sends, 1)
    )
    wait_s = card.codes.resend_wait_s.value
    next_send_at = sends[-1].at + timedelta(seconds=wait_s) if sends and wait_s else None
    return CodeClock(
        codes=codes,
        next_send_at=next_send_at if next_send_at and next_send_at > now else None,
        life_s=card.codes.life_s.value,
        wait_s=wait_s,
        voids=card.codes.newest_only.value,
    )


def expiry(card: Product, send: Send) -> datetime | None:
    """When a send's code dies.

    What the send says, else the card's life, else None (not documented).
    """
    if send.expires_at is not None:
        return send.expires_at
    life_s = card.codes.life_s.value
    return None if life_s is None else send.at + timedelta(seconds=life_s)


def _code(
    card: Product,
    send: Send,
    newer: Send | None,
    answers: list[Answer],
    delivery: Delivery | None,
    now: datetime,
) -> Code:
    expires_at = expiry(card, send)
    state, why = _state(card, send, newer, answers, delivery, now)
    return Code(
        send=send.send,
        challenge=send.challenge,
        channel=send.channel,
        to=send.to or "",
        at=send.at,
        state=state,
        delivered_at=delivery.at if delivery and delivery.state == "delivered" else None,
        expires_at=expires_at,
        why=why,
    )


def _state(
    card: Product,
    send: Send,
    newer: Send | None,
    answers: list[Answer],
    delivery: Delivery | None,
    now: datetime,
) -> tuple[CodeState, str]:
    expires_at = expiry(card, send)
    if any(_answers(answer, send, newer) for answer in answers if answer.ok):
        return CodeState.USED, "answered well"
    refused = {answer.reason for answer in answers if answer.send == send.send and not answer.ok}
    if "reused" in refused:
        return CodeState.USED, "refused as used already"
    if "superseded" in refused:
        return CodeState.VOID, "refused as superseded"
    if "expired" in refused:
        return CodeState.EXPIRED, "refused as expired"
    if expires_at is not None and expires_at <= now:
        return CodeState.EXPIRED, "its time is over"
    if delivery is not None and delivery.state in {"bounced", "suppressed", "failed"}:
        return (
            CodeState.UNDELIVERED,
            f"{delivery.state}{f' ({delivery.code})' if delivery.code else ''}",
        )
    if newer is not None:
        if card.codes.newest_only.value:
            return CodeState.VOID, "a newer one was sent"
        return (
            CodeState.OLDER,
            "a newer one was sent; whether that voids this one is not documented",
        )
    return CodeState.LIVE, "" if expires_at is not None else "its life is not documented"


def _same_errand(one: Send, other: Send) -> bool:
    """Whether the later of two sends may stand in for the earlier.

    The same challenge, a challenge that is not known, or the same channel: the customer sees two
    messages of one kind and cannot tell them apart.
    """
    return (
        one.challenge == other.challenge
        or one.challenge is None
        or other.challenge is None
        or one.channel == other.channel
    )


def _answers(answer: Answer, send: Send, newer: Send | None) -> bool:
    """Whether a good answer used this send's code.

    It names the send, or names its challenge and nothing newer was out.
    """
    if answer.send is not None:
        return answer.send == send.send
    return (
        answer.challenge == send.challenge
        and answer.at >= send.at
        and (newer is None or answer.at < newer.at)
    )
