"""What privacyIDEA answers about people, as our users and factors.

locked out: `failcount` has reached `maxfail`, whatever `locked` says · revoked: gone for good
switched off: not `active` · waits: the phone of a push is not registered, or our first code is due
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from helpdesk.connectors.raw import bounded, inner, moment, number, text
from helpdesk.domain.text import clean
from helpdesk.domain.users import Factor, FactorKind, FactorState, MfaState, User

KINDS: Final = {
    "email": FactorKind.EMAIL,
    "sms": FactorKind.SMS,
    "totp": FactorKind.TOTP,
    "hotp": FactorKind.TOTP,
    "push": FactorKind.PUSH,
    "webauthn": FactorKind.PASSKEY,
    "passkey": FactorKind.PASSKEY,
}
"""Types of tokens that are factors here."""

PASSES: Final = frozenset({"registration", "pw"})
"""Types of tokens that are temporary ways in."""

MARK: Final = "helpdesk"
"""The key of a token's info in which the desk notes that it waits for its first code."""

HIDDEN: Final = "private_key_server,public_key_server"
"""Info of tokens that is not asked for: keys, a kilobyte or two each."""


def user_of(
    raw: Any, tokens: Iterable[Any], *, connector: str, product: str, lock: Any = None
) -> User:
    """Return a user with their factors.

    Args:
        raw: One row of `/user/`.
        tokens: Rows of `/token/`, theirs.
        connector: What ids begin with.
        product: What product they are of.
        lock: What `/conditionalaccess/lock/user` gives; None where there is none.
    """
    login, realm = text(raw, "username"), text(raw, "realm")
    mine = [*tokens]
    factors = tuple(f for f in (factor_of(one, raw) for one in mine) if f is not None)
    names = (text(raw, "givenname"), text(raw, "surname"))
    used = [f.used_at for f in factors if f.used_at]
    is_asked = any(f.state is not FactorState.REMOVED for f in factors) or others_of(mine)
    return User(
        id=user_id(connector, login, realm),
        name=clean(" ".join(filter(None, names)) or login, limit=200),
        login=f"{login}@{realm}",
        account=f"{connector}:{realm}",
        product=product,
        role="user",
        notification_address=text(raw, "email") or None,
        mobile=text(raw, "mobile") or text(raw, "phone") or None,
        mfa=MfaState.ON if is_asked else MfaState.OFF,
        factors=factors,
        locked_until=_lock_end(lock),
        seen_at=max(used, default=None),
    )


def user_id(connector: str, login: str, realm: str) -> str:
    """Return the id of a user at this desk: `north:alice@corp`."""
    return f"{connector}:{login}@{realm}"


def parts_of(user: str) -> tuple[str, str]:
    """Return login and realm of a user by id."""
    login, _, realm = user.partition(":")[2].rpartition("@")
    return login, realm


def factor_of(raw: Any, person: Any = None) -> Factor | None:
    """Return a token as a factor; None where it is none that a desk can show.

    A token without an address of its own sends to that of *person*.
    """
    kind = KINDS.get(text(raw, "tokentype").lower())
    serial = text(raw, "serial")
    if kind is None or not serial:
        return None
    return Factor(
        id=serial,
        kind=kind,
        state=_state(raw),
        since=moment(raw, "info", "assignment_date") or moment(raw, "info", "creation_date"),
        to=_destination(raw, kind, person) or None,
        failures=int(number(raw, "failcount") or 0),
        used_at=_used_at(raw),
    )


def others_of(tokens: Iterable[Any]) -> tuple[str, ...]:
    """Return the types of tokens that are ways in, but none that a desk shows, as paper lists."""
    found = {text(raw, "tokentype").lower() for raw in tokens if inner(raw, "revoked") is not True}
    return tuple(sorted(clean(kind, limit=40) for kind in found - {*KINDS, *PASSES, ""}))


def is_dynamic(raw: Any) -> bool:
    """Whether a token takes its address from the user's record each time it sends."""
    return "True" in {text(raw, "info", "dynamic_email"), text(raw, "info", "dynamic_phone")}


def http_date(raw: Any, *path: str) -> datetime | None:
    """Return a moment that is written as in a header: `Sat, 21 Nov 2026 17:56:48 GMT`."""
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return bounded(parsedate_to_datetime(text(raw, *path)))
    return None


def gone_first(tokens: Sequence[Factor]) -> Sequence[Factor]:
    """Return factors in the order in which they are removed: those that let nobody in last."""
    return sorted(tokens, key=lambda factor: factor.state is not FactorState.ACTIVE)


def _state(raw: Any) -> FactorState:
    failures, most = number(raw, "failcount") or 0, number(raw, "maxfail") or 0
    if inner(raw, "revoked") is True:
        return FactorState.REMOVED
    waits = text(raw, "rollout_state") in {"clientwait", "pending", "verify"}
    if waits or text(raw, "info", MARK) == "pending":
        return FactorState.PENDING
    if inner(raw, "active") is False:
        return FactorState.SUSPENDED
    if most and failures >= most:
        return FactorState.LOCKED
    return FactorState.ACTIVE


def _destination(raw: Any, kind: FactorKind, person: Any) -> str:
    if kind is FactorKind.EMAIL:
        return clean(text(raw, "info", "email") or text(person, "email"), limit=254)
    if kind is FactorKind.SMS:
        return clean(text(raw, "info", "phone") or text(person, "mobile"), limit=80)
    return clean(text(raw, "description") or text(raw, "info", "name"), limit=80)


def _used_at(raw: Any) -> datetime | None:
    """When a token let somebody in last; `2026-11-21 17:51:49.162702+0000`."""
    words = text(raw, "info", "last_auth")
    with contextlib.suppress(ValueError):
        found = datetime.fromisoformat(words)
        return bounded(found) if found.tzinfo else moment(raw, "info", "last_auth")
    return None


def _lock_end(lock: Any) -> datetime | None:
    if not isinstance(lock, dict):
        return None
    if inner(lock, "permanent") is True:
        return datetime.fromisoformat("2199-01-01T00:00:00+00:00")
    return http_date(lock, "lock_expires_at")
