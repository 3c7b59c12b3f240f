"""Keycloak's user events as our timeline: poor in what was asked, plain in what was refused.

A sign-in's events share `code_id`. No event says that a second proof was asked for: it is known
only where one was refused, by the credential that was chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from msgspec.structs import replace

from helpdesk.connectors.raw import beside, epoch, number, text
from helpdesk.domain.text import clean
from helpdesk.domain.timeline import (
    Answer,
    AnyEvent,
    Challenge,
    Delivery,
    FactorChange,
    Lock,
    Other,
    Password,
    Send,
    Session,
)

Raw = dict[str, Any]
LOCKED: Final = frozenset({"user_temporarily_disabled", "user_disabled"})
PASSWORDLESS: Final = "webauthn-passwordless"
SECOND: Final = ("otp", "webauthn", PASSWORDLESS)
"""Types of credentials whose changes are told as a factor's."""

LOST: Final = frozenset({"cookie_not_found", "session_expired"})
"""Errors that say that the browser did not bring the sign-in's cookie back."""


class _Telling:
    """The timeline as far as it is told."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.asked: dict[str, bool] = {}
        self.lock: int | None = None

    def add(self, event: AnyEvent) -> int:
        """Add an event; give its place."""
        self.events.append(event)
        return len(self.events) - 1

    def lifted(self, at: datetime) -> None:
        """Let the lock end that is in force."""
        if self.lock is not None:
            event = self.events[self.lock]
            if isinstance(event, Lock):
                self.events[self.lock] = replace(event, until=at)
            self.lock = None


Tell = Callable[[_Telling, Raw, datetime], None]


def timeline_of(raws: Iterable[Any]) -> tuple[AnyEvent, ...]:
    """Give what the events tell of a user, oldest first, each once.

    An id is the event's own, with a word behind it where one tells of two things; a type without a
    word of ours is an `Other`; an event without a time is left out. The row is beside each.
    """
    telling = _Telling()
    dated = [(at, raw) for raw in raws if isinstance(raw, dict) and (at := _at(raw)) is not None]
    seen: set[str] = set()
    for at, raw in sorted(dated, key=itemgetter(0)):
        name = text(raw, "id")
        if name and name in seen:
            continue
        seen.add(name)
        place = len(telling.events)
        EVENTS.get(text(raw, "type"), _other)(telling, raw, at)
        telling.events[place:] = beside(telling.events[place:], raw)
    return tuple(sorted(telling.events, key=lambda event: event.at))


def _at(raw: Raw) -> datetime | None:
    ms = number(raw, "time")
    return None if ms is None else epoch(ms / 1000)


def _id(raw: Raw, word: str = "") -> str | None:
    name = text(raw, "id")
    return (f"{name}-{word}" if word else name) if name else None


def _ip(raw: Raw) -> str | None:
    return text(raw, "ipAddress") or None


def _door(raw: Raw) -> str | None:
    return text(raw, "details", "redirect_uri") or None


def _code_id(raw: Raw, at: datetime) -> str:
    return text(raw, "details", "code_id") or _id(raw) or at.isoformat()


def _other(telling: _Telling, raw: Raw, at: datetime) -> None:
    kind = clean(text(raw, "type"), limit=100).lower() or "an event without a name"
    told = {"at": at.isoformat(), "kind": kind, "id": text(raw, "id"), "error": text(raw, "error")}
    kept = {key: clean(value, limit=200) for key, value in told.items() if value}
    telling.add(Other(at=at, kind=kind, id=_id(raw), raw=kept))


def _is_second(raw: Raw) -> bool:
    """Whether an event is about the second proof: a credential was chosen that is no password."""
    kind = text(raw, "details", "credential_type")
    return kind not in {"", "password"} or bool(text(raw, "details", "selected_credential_id"))


def _is_passkey(raw: Raw) -> bool:
    return text(raw, "details", "credential_type").startswith("webauthn")


def _ask(telling: _Telling, raw: Raw, at: datetime) -> str:
    """Tell of an asking that an answer is the first sign of; give its id."""
    name = _code_id(raw, at)
    if name not in telling.asked:
        if text(raw, "details", "credential_type") != PASSWORDLESS:
            telling.add(_password(raw, at, is_ok=True, word="password"))
        telling.add(
            Challenge(
                at=at,
                id=_id(raw, "asked"),
                challenge=name,
                factor="passkey" if _is_passkey(raw) else "totp",
                ip=_ip(raw),
                door=_door(raw),
                extra={"inferred": True},
            )
        )
        telling.asked[name] = True
    return name


def _password(raw: Raw, at: datetime, *, is_ok: bool, word: str = "") -> Password:
    return Password(at=at, id=_id(raw, word), ok=is_ok, ip=_ip(raw), door=_door(raw))


def _login(telling: _Telling, raw: Raw, at: datetime) -> None:
    telling.lifted(at)
    name = _code_id(raw, at)
    if _is_second(raw) or name in telling.asked:
        name = _ask(telling, raw, at)
        answer = Answer(at=at, id=_id(raw, "answer"), challenge=name, ok=True, ip=_ip(raw))
        telling.add(answer)
    else:
        telling.add(_password(raw, at, is_ok=True, word="password"))
    telling.add(Session(at=at, id=_id(raw), state="created", challenge=name, ip=_ip(raw)))


def _login_error(telling: _Telling, raw: Raw, at: datetime) -> None:
    error = text(raw, "error")
    if error in LOCKED:
        if telling.lock is None:
            cause = clean(error.replace("_", " "), limit=100)
            telling.lock = telling.add(Lock(at=at, id=_id(raw, "lock"), since=at, cause=cause))
        _refused(telling, raw, at, "locked")
    elif error in LOST:
        telling.add(Session(at=at, id=_id(raw), state="missing", ip=_ip(raw), cause=error))
    elif error == "invalid_user_credentials":
        _refused(telling, raw, at, "wrong")
    elif error == "expired_code" and _is_second(raw):
        _refused(telling, raw, at, "expired")
    else:
        _other(telling, raw, at)


def _refused(telling: _Telling, raw: Raw, at: datetime, reason: str) -> None:
    if not _is_second(raw):
        telling.add(_password(raw, at, is_ok=False))
        return
    name = _ask(telling, raw, at)
    telling.add(Answer(at=at, id=_id(raw), challenge=name, ok=False, reason=reason, ip=_ip(raw)))


def _locked(telling: _Telling, raw: Raw, at: datetime) -> None:
    cause = clean(text(raw, "details", "reason") or "too many failures", limit=200)
    telling.lock = telling.add(Lock(at=at, id=_id(raw), since=at, cause=cause))


def _ended(telling: _Telling, raw: Raw, at: datetime) -> None:
    cause = clean(text(raw, "error").replace("_", " "), limit=100) or "signed out"
    telling.add(Session(at=at, id=_id(raw), state="ended", ip=_ip(raw), cause=cause))


def _changed(change: str, *kinds: str) -> Tell:
    """Give what tells that a factor or address was changed, of credentials of these types only."""

    def tell(telling: _Telling, raw: Raw, at: datetime) -> None:
        if kinds and text(raw, "details", "credential_type") not in kinds:
            _other(telling, raw, at)
            return
        named = text(raw, "details", "credential_id") or None
        telling.add(
            FactorChange(at=at, id=_id(raw), change=change, factor=named, by="user", ip=_ip(raw))
        )

    return tell


def _mailed(telling: _Telling, raw: Raw, at: datetime) -> None:
    """A mail with a link left: it confirms or sets up, and lets nobody in."""
    name = _id(raw) or f"mail-{at.isoformat()}"
    telling.add(Send(at=at, id=_id(raw), send=name, channel="email", purpose="confirmation"))
    if text(raw, "error"):
        detail = clean(text(raw, "error").replace("_", " "), limit=100)
        failed = Delivery(at=at, id=_id(raw, "failed"), send=name, state="failed", detail=detail)
        telling.add(failed)


EVENTS: Final[Mapping[str, Tell]] = {
    "LOGIN": _login,
    "LOGIN_ERROR": _login_error,
    "LOGOUT": _ended,
    "REFRESH_TOKEN_ERROR": _ended,
    "USER_DISABLED_BY_TEMPORARY_LOCKOUT": _locked,
    "USER_DISABLED_BY_PERMANENT_LOCKOUT": _locked,
    "UPDATE_TOTP": _changed("enrolled"),
    "REMOVE_TOTP": _changed("removed"),
    "UPDATE_CREDENTIAL": _changed("enrolled", *SECOND),
    "REMOVE_CREDENTIAL": _changed("removed", *SECOND),
    "UPDATE_EMAIL": _changed("address-changed"),
    "SEND_VERIFY_EMAIL": _mailed,
    "SEND_VERIFY_EMAIL_ERROR": _mailed,
    "EXECUTE_ACTIONS": _mailed,
    "EXECUTE_ACTIONS_ERROR": _mailed,
}
"""What is told of each type; all others are shown by their own name and judged by nobody."""
