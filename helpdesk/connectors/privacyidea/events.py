"""privacyIDEA's sign-in log and audit as our timeline: table-driven, never at a loss for a row.

sign-in log ─▶ asked, sent, answered, refused, locked      rows of one asking share a transaction
audit       ─▶ enrolled, removed, changed, reset           what became of the tokens, and by whom

What neither says is not made up: whether a message arrived, which page asked, what the browser
brought along. It answers yes or no and keeps no session. What this desk itself asked and checked is
told apart by its name in the row, so that no proof of a caller passes for a sign-in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from helpdesk.connectors.privacyidea.changes import changes_of
from helpdesk.connectors.privacyidea.reading import http_date
from helpdesk.connectors.raw import inner, moment, rows, text
from helpdesk.domain.originals import ROW
from helpdesk.domain.text import clean, mask
from helpdesk.domain.timeline import (
    Answer,
    AnyEvent,
    Challenge,
    Delivery,
    Lock,
    Other,
    Password,
    Report,
    Send,
)
from helpdesk.domain.users import Factor, FactorKind, FactorState

OURS: Final = "helpdesk/"
"""What the desk calls itself when it asks; the log keeps it as `client_label`."""


class Known(Struct, frozen=True, kw_only=True):
    """What the rows alone do not say.

    Attributes:
        factors: The user's factors by serial, those that are still there.
        ends: By transaction, when an open challenge ends.
        desk: The login of the desk's own account.
        ahead: How far the server's own clock reads ahead of UTC, for rows without a zone.
    """

    factors: Mapping[str, Factor]
    ends: Mapping[str, datetime]
    desk: str
    ahead: timedelta = timedelta(0)


def timeline_of(
    logged: Iterable[Any], audited: Iterable[Any], known: Known
) -> tuple[AnyEvent, ...]:
    """Return what happened to one user, oldest first, each row once.

    Args:
        logged: Rows of `/authenticationlog/`, in any order.
        audited: Rows of `/audit/` about tokens of this user, in any order.
        known: What else is known.
    """
    events: list[AnyEvent] = []
    asked: set[str] = set()
    for row in _once(logged, "id"):
        at = moment(row, "timestamp")
        if at is not None:
            events += _told(row, at, known, asked)
    events += changes_of(_once(audited, "number"), known.desk, known.ahead)
    return tuple(sorted(events, key=lambda event: event.at))


def ends_of(challenges: Iterable[Any]) -> dict[str, datetime]:
    """Return when open challenges end, by transaction; their `data` is never looked at."""
    found = {text(raw, "transaction_id"): http_date(raw, "expiration") for raw in challenges}
    return {name: at for name, at in found.items() if name and at is not None}


def _once(raws: Iterable[Any], key: str) -> list[dict[str, Any]]:
    """Return rows oldest first, as their numbers grow, each once."""
    found = {text(row, key): row for row in rows({"": [*raws]}, "")}
    return sorted(found.values(), key=lambda row: (len(text(row, key)), text(row, key)))


def _told(row: dict[str, Any], at: datetime, known: Known, asked: set[str]) -> list[AnyEvent]:
    """Return what one row of the sign-in log tells."""
    if text(row, "client_label").startswith(OURS):
        return _by_desk(row, at, known)
    return EVENTS.get(text(row, "event_type"), _other)(row, at, known, asked)


def _by_desk(row: dict[str, Any], at: datetime, known: Known) -> list[AnyEvent]:
    """What this desk asked for or checked itself: a message that went out, but no sign-in."""
    if text(row, "event_type") == "CHALLENGE_TRIGGERED":
        return [*_sends(row, at, known, challenge=None)]
    if text(row, "event_type") == "CHALLENGE_DECLINED_UNKNOWN_TRIGGER":
        return [_report(row, at)]
    return [other("desk-check", row, at)]


def _triggered(row: dict[str, Any], at: datetime, known: Known, asked: set[str]) -> list[AnyEvent]:
    """It asked for a code; where it got that far itself, the password was right."""
    name = _transaction(row)
    first = _asked(row, at, known, asked)
    password = [_password(row, at, ok=True)] if _is_sign_in(row) and first else []
    return [*password, *first, *_sends(row, at, known, challenge=name)]


def _trigger_failed(
    row: dict[str, Any], at: datetime, known: Known, asked: set[str]
) -> list[AnyEvent]:
    """It meant to ask for a code and could not send it."""
    found: list[AnyEvent] = [*_asked(row, at, known, asked)]
    for send in _sends(row, at, known, challenge=_transaction(row)):
        says = "privacyIDEA could not send it"
        found += [send, Delivery(at=at, send=send.send, state="failed", detail=says)]
    return found


def _let_in(row: dict[str, Any], at: datetime, known: Known, asked: set[str]) -> list[AnyEvent]:
    password = [] if text(row, "transaction_id") else [_password(row, at, ok=True)]
    return [*password, *_asked(row, at, known, asked), _answer(row, at, ok=True, reason=None)]


def _refused(row: dict[str, Any], at: datetime, known: Known, asked: set[str]) -> list[AnyEvent]:
    reasons = _reasons(row)
    reason = next((ours for theirs, ours in REASONS.items() if theirs in reasons), "wrong")
    password = [] if text(row, "transaction_id") else [_password(row, at, ok=True)]
    found: list[AnyEvent] = [
        *password,
        *_asked(row, at, known, asked),
        _answer(row, at, ok=False, reason=reason),
    ]
    if "TOKEN_FAILCOUNT_EXCEEDED" in reasons:
        cause = "too many wrong answers; until somebody resets the count"
        found.append(Lock(at=at, id=_name(row, "lock"), since=at, cause=cause))
    return found


def _declined(row: dict[str, Any], at: datetime, known: Known, asked: set[str]) -> list[AnyEvent]:
    return [*_asked(row, at, known, asked), _answer(row, at, ok=False, reason="declined")]


def _not_me(row: dict[str, Any], at: datetime, known: Known, asked: set[str]) -> list[AnyEvent]:
    return [*_declined(row, at, known, asked), _report(row, at)]


def _wrong_password(
    row: dict[str, Any], at: datetime, known: Known, asked: set[str]
) -> list[AnyEvent]:
    return [_password(row, at, ok=False)]


def _locked(row: dict[str, Any], at: datetime, known: Known, asked: set[str]) -> list[AnyEvent]:
    until = http_date(row, "other_info", "lock_expires_at")
    cause = "locked by a rule or by an administrator"
    return [Lock(at=at, id=_name(row, "lock"), since=at, until=until, cause=cause)]


def _other(row: dict[str, Any], at: datetime, known: Known, asked: set[str]) -> list[AnyEvent]:
    kind = text(row, "event_type") or "unknown"
    return [other(clean(kind.lower().replace("_", "-"), limit=60), row, at)]


Telling = Callable[[dict[str, Any], datetime, Known, set[str]], list[AnyEvent]]

EVENTS: Final[Mapping[str, Telling]] = {
    "CHALLENGE_TRIGGERED": _triggered,
    "CHALLENGE_CONTINUED": _triggered,
    "CHALLENGE_TRIGGER_FAIL": _trigger_failed,
    "LOGIN_SUCCESS": _let_in,
    "MFA_FAIL": _refused,
    "TOKEN_ONLY_FAIL": _refused,
    "CHALLENGE_ANSWERED_FAIL": _refused,
    "CHALLENGE_DECLINED": _declined,
    "CHALLENGE_DECLINED_UNKNOWN_TRIGGER": _not_me,
    "PASSWORD_FAIL": _wrong_password,
    "PIN_FAIL": _wrong_password,
    "USER_LOCKED": _locked,
}
"""What each kind of row tells; the others are shown as they came."""

REASONS: Final = {
    "TOKEN_FAILCOUNT_EXCEEDED": "locked",
    "CHALLENGE_EXPIRED": "expired",
    "CHALLENGE_UNKNOWN_TRANSACTION": "foreign",
    "CHALLENGE_DECLINED_ON_DEVICE": "declined",
    "CHALLENGE_WRONG_RESPONSE": "wrong",
    "WRONG_OTP": "wrong",
}
"""Its reasons in our words, the one that says most first; it does not tell a used code from a wrong
one."""


def other(kind: str, row: Mapping[str, Any], at: datetime) -> Other:
    """Return a row that is no event of ours, shown as it came."""
    name = _name(row, kind)
    return Other(
        at=at, kind=kind, id=name, raw={ROW: dict(row), "kind": kind, "at": _stamp(at), "id": name}
    )


def _asked(row: dict[str, Any], at: datetime, known: Known, asked: set[str]) -> list[AnyEvent]:
    """The asking that a row belongs to, where no row before told of it."""
    name = _transaction(row)
    if name in asked:
        return []
    asked.add(name)
    kinds = dict.fromkeys(f.kind.value for f in _factors(row, known))
    return [
        Challenge(
            at=at,
            id=_name(row, "asked"),
            challenge=name,
            factor=next(iter(kinds), None),
            ip=text(row, "source_ip") or None,
            agent=text(row, "client_label") or None,
            door=text(row, "endpoint") or None,
            extra=_extra(row),
        )
    ]


def _sends(row: dict[str, Any], at: datetime, known: Known, *, challenge: str | None) -> list[Send]:
    """The messages that left for an asking: one for each factor that is sent to."""
    ends_at = known.ends.get(text(row, "transaction_id"))
    return [
        Send(
            at=at,
            id=_name(row, f"sent-{factor.id}"),
            send=_name(row, f"sent-{factor.id}"),
            challenge=challenge,
            channel=factor.kind.value,
            to=mask(factor.to) if factor.to else None,
            purpose="code",
            expires_at=ends_at,
            extra=_extra(row),
        )
        for factor in _factors(row, known)
        if factor.kind.is_sent
    ]


def _factors(row: dict[str, Any], known: Known) -> list[Factor]:
    """The factors a row names; of those that are gone the serial still tells the kind."""
    found = []
    for serial in filter(None, (part.strip() for part in text(row, "serial").split(","))):
        kind = next((k for head, k in HEADS.items() if serial.startswith(head)), None)
        if serial in known.factors:
            found.append(known.factors[serial])
        elif kind is not None:
            found.append(Factor(id=serial, kind=kind, state=FactorState.REMOVED))
    return found


HEADS: Final = {
    "PIEM": FactorKind.EMAIL,
    "PISM": FactorKind.SMS,
    "PIPU": FactorKind.PUSH,
    "PIPK": FactorKind.PASSKEY,
    "WAN": FactorKind.PASSKEY,
    "TOTP": FactorKind.TOTP,
    "OATH": FactorKind.TOTP,
}
"""What the serials that privacyIDEA makes begin with."""


def _password(row: dict[str, Any], at: datetime, *, ok: bool) -> Password:
    return Password(
        at=at,
        id=_name(row, "password"),
        ok=ok,
        ip=text(row, "source_ip") or None,
        agent=text(row, "client_label") or None,
        door=text(row, "endpoint") or None,
        extra=_extra(row),
    )


def _answer(row: dict[str, Any], at: datetime, *, ok: bool, reason: str | None) -> Answer:
    return Answer(
        at=at,
        id=_name(row, "answer"),
        challenge=_transaction(row),
        ok=ok,
        reason=reason,
        ip=text(row, "source_ip") or None,
        extra=_extra(row),
    )


def _report(row: dict[str, Any], at: datetime) -> Report:
    return Report(at=at, id=_name(row, "report"), what="not-me", factor="push", extra=_extra(row))


def _extra(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as it came, for whoever wants to see it."""
    return {ROW: dict(row)}


def _reasons(row: dict[str, Any]) -> set[str]:
    found = inner(row, "reasons")
    return {word for word in found if isinstance(word, str)} if isinstance(found, list) else set()


def _transaction(row: dict[str, Any]) -> str:
    return text(row, "transaction_id") or f"attempt-{text(row, 'attempt_id') or text(row, 'id')}"


def _is_sign_in(row: dict[str, Any]) -> bool:
    """Whether it looked at the password itself, rather than an application that then asked it."""
    return text(row, "endpoint") in {"/validate/check", "/auth"}


def _name(row: Mapping[str, Any], what: str) -> str:
    number = text(row, "id") or text(row, "number")
    return f"{'log' if text(row, 'id') else 'audit'}-{number}-{what}"


def _stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
