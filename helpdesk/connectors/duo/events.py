"""Duo's authentication log (v2) as our timeline: one record is an asking and what became of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Final

from msgspec.structs import replace

from helpdesk.connectors.raw import beside, epoch, inner, moment, number, text
from helpdesk.domain.text import clean, mask
from helpdesk.domain.timeline import (
    Answer,
    AnyEvent,
    Challenge,
    Delivery,
    FactorChange,
    Lock,
    Other,
    Password,
    Report,
    Send,
    Session,
)

Raw = dict[str, Any]

FACTORS: Final = (
    (r"push", "push"),
    (r"phone_call|call", "voice"),
    (r"sms", "sms"),
    (r"passcode|token|otp", "totp"),
    (r"webauthn|u2f|security_key|touch", "passkey"),
)
"""Duo's words for a factor, the first that fits wins, and ours."""

REASONS: Final = {
    "invalid_passcode": "wrong",
    "user_mistake": "declined",
    "user_marked_fraud": "declined",
    "anomalous_push": "declined",
    "user_cancelled": "cancelled",
    "no_response": "timeout",
    "locked_out": "locked",
}
"""Why it was denied: Duo's word and ours."""

UNASKED: Final = frozenset(
    {"remembered_device", "trusted_network", "trusted_location", "bypass_user", "allowed_by_policy"}
)
"""Reasons by which somebody was let in and nothing was asked."""

UNSENT: Final = re.compile(r"no_activated_duo_mobile|no_duo_mobile|invalid_device|no_phone")
POLICY: Final = re.compile(r"restricted|anonymous_ip|policy|not_in_permitted|out_of_date|deny_")
SAME_PAGE: Final = timedelta(minutes=3)
"""A code typed this soon after a wrong one is the next try at one page; our own measure."""

SPOKEN: Final = frozenset({"push", "sms", "voice"})


def timeline_of(raws: Iterable[Any]) -> tuple[AnyEvent, ...]:
    """Give what the log tells of a user, oldest first, each record once, by its `txid`.

    A record says when it ended, not when it was asked; one without a time is left out.
    """
    dated = [(at, raw) for raw in raws if isinstance(raw, dict) and (at := _at(raw)) is not None]
    told: list[AnyEvent] = []
    seen: set[str] = set()
    before: Answer | None = None
    for at, raw in sorted(dated, key=itemgetter(0)):
        name = text(raw, "txid")
        if name and name in seen:
            continue
        seen.add(name)
        new = _events(raw, at, name)
        new = beside(_joined(new, before), raw)
        before = next((event for event in new if isinstance(event, Answer)), None)
        told += new
    return tuple(told)


def _joined(new: list[AnyEvent], before: Answer | None) -> list[AnyEvent]:
    """Take a code that was typed again at the same page for another answer to one asking."""
    asked = next((event for event in new if isinstance(event, Challenge)), None)
    if (
        asked is None
        or before is None
        or (asked.factor, before.reason) != ("totp", "wrong")
        or (asked.ip, asked.browser) != (before.ip, before.browser)
        or asked.at - before.at > SAME_PAGE
    ):
        return new
    kept = [event for event in new if event is not asked]
    return [
        replace(event, challenge=before.challenge) if isinstance(event, Answer | Session) else event
        for event in kept
    ]


def _at(raw: Raw) -> datetime | None:
    return moment(raw, "isotimestamp") or epoch(number(raw, "timestamp"))


def _events(raw: Raw, at: datetime, name: str) -> list[AnyEvent]:
    result, reason = text(raw, "result").lower(), text(raw, "reason").lower()
    where = _where(raw)
    if text(raw, "event_type").lower() == "enrollment":
        return [FactorChange(at=at, id=name or None, change="enrolled", by="user", ip=where["ip"])]
    if not result:
        return [_other(raw, at, name)]
    if result == "success" and reason in UNASKED:
        return [
            Password(at=at, id=_id(name, "password"), ok=True, extra={"inferred": True}, **where),
            Session(
                at=at, id=name or None, state="created", ip=where["ip"], browser=where["browser"]
            ),
        ]
    if reason == "deny_unenrolled_user":
        return [FactorChange(at=at, id=name or None, change="must-enrol", by="system")]
    if POLICY.search(reason) and result != "success":
        cause = clean(f"policy: {reason.replace('_', ' ')}", limit=200)
        return [Lock(at=at, id=name or None, since=at, until=at, cause=cause)]
    return _asked(raw, at, name)


def _asked(raw: Raw, at: datetime, name: str) -> list[AnyEvent]:
    """An asking and its answer."""
    result, reason = text(raw, "result").lower(), text(raw, "reason").lower()
    where, factor = _where(raw), _factor(raw)
    challenge = name or at.isoformat()
    asked = Challenge(
        at=at,
        id=_id(name, "asked"),
        challenge=challenge,
        factor=factor,
        rule=_rule(raw),
        extra={"inferred": True},
        **where,
    )
    told: list[AnyEvent] = [asked]
    if factor in SPOKEN:
        told += _sent(raw, at, challenge, factor, reason)
    if not UNSENT.search(reason):
        is_ok = result == "success"
        told.append(
            Answer(
                at=at,
                id=name or None,
                challenge=challenge,
                ok=is_ok,
                reason=None if is_ok else REASONS.get(reason),
                ip=where["ip"],
                browser=where["browser"],
            )
        )
    if result == "success":
        session = _id(name, "session")
        made = Session(at=at, id=session, state="created", challenge=challenge, ip=where["ip"])
        told.append(made)
    if result == "fraud" or reason == "user_marked_fraud":
        told.append(Report(at=at, id=_id(name, "report"), what="not-me", factor=factor))
    elif reason == "anomalous_push":
        told.append(Report(at=at, id=_id(name, "report"), what="suspicious", factor=factor))
    if reason == "locked_out":
        told.append(Lock(at=at, id=_id(name, "lock"), since=at, cause="too many failures"))
    return told


def _sent(raw: Raw, at: datetime, challenge: str, channel: str, reason: str) -> list[AnyEvent]:
    name = text(raw, "txid")
    to = text(raw, "auth_device", "name")
    send = Send(
        at=at,
        id=_id(name, "sent"),
        send=f"{challenge}-sent",
        challenge=challenge,
        channel=channel,
        to=mask(clean(to, limit=100)) if to else None,
        purpose="code",
    )
    if not UNSENT.search(reason):
        return [send]
    detail = clean(reason.replace("_", " "), limit=100)
    failed = Delivery(at=at, id=_id(name, "failed"), send=send.send, state="failed", detail=detail)
    return [send, failed]


def _where(raw: Raw) -> dict[str, Any]:
    device = inner(raw, "access_device")
    place = (text(device, "location", "city"), text(device, "location", "country"))
    browser = " ".join(p for p in (text(device, "browser"), text(device, "browser_version")) if p)
    system = text(device, "os")
    return {
        "ip": text(device, "ip") or None,
        "place": ", ".join(part for part in place if part) or None,
        "browser": text(device, "epkey") or None,
        "agent": f"{browser} ({system})" if browser and system else browser or None,
        "door": text(raw, "application", "name") or None,
    }


def _factor(raw: Raw) -> str | None:
    said = text(raw, "factor").lower()
    return next((ours for pattern, ours in FACTORS if re.search(pattern, said)), said or None)


def _rule(raw: Raw) -> str | None:
    """Why more was asked, as far as Duo's trust assessment says."""
    found = inner(raw, "adaptive_trust_assessments")
    for one in found.values() if isinstance(found, dict) else ():
        if text(one, "trust_level").upper() == "LOW":
            said = text(one, "reason").lower()
            if re.search(r"location|country|travel", said):
                return "new-place"
            return "new-device" if "device" in said else "risk"
    return None


def _other(raw: Raw, at: datetime, name: str) -> Other:
    kind = clean(text(raw, "event_type"), limit=100) or "an event without a name"
    told = {"at": at.isoformat(), "kind": kind, "id": name, "reason": text(raw, "reason")}
    kept = {key: clean(value, limit=200) for key, value in told.items() if value}
    return Other(at=at, kind=kind, id=name or None, raw=kept)


def _id(name: str, word: str) -> str | None:
    return f"{name}-{word}" if name else None
