"""Okta's users, factors and enrolments as ours, whatever of them is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from helpdesk.connectors.raw import inner, moment, rows, text
from helpdesk.domain.text import clean
from helpdesk.domain.timeline import LAST
from helpdesk.domain.users import Account, Factor, FactorKind, FactorState, User, VoiceWay

KINDS: Final[Mapping[str, FactorKind]] = {
    "sms": FactorKind.SMS,
    "call": FactorKind.VOICE,
    "email": FactorKind.EMAIL,
    "push": FactorKind.PUSH,
    "token:software:totp": FactorKind.TOTP,
    "token:hotp": FactorKind.TOTP,
    "token:hardware": FactorKind.TOTP,
    "token": FactorKind.TOTP,
    "webauthn": FactorKind.PASSKEY,
}
"""Okta's factor types that the desk knows; questions and the older keys are not among them, nor is
`signed_nonce`, the key of Okta Verify's app, which comes and goes with the app's push."""

STATES: Final[Mapping[str, FactorState]] = {
    "ACTIVE": FactorState.ACTIVE,
    "ENROLLED": FactorState.ACTIVE,
    "PENDING_ACTIVATION": FactorState.PENDING,
    "INACTIVE": FactorState.SUSPENDED,
    "DISABLED": FactorState.SUSPENDED,
    "EXPIRED": FactorState.SUSPENDED,
}
"""Okta's words for where a factor is in its life; NOT_SETUP is none."""

ENROLMENTS: Final[Mapping[str, FactorKind]] = {
    "phone_number": FactorKind.SMS,
    "okta_email": FactorKind.EMAIL,
    "okta_verify": FactorKind.PUSH,
    "google_otp": FactorKind.TOTP,
    "custom_otp": FactorKind.TOTP,
    "webauthn": FactorKind.PASSKEY,
}
"""By an authenticator's key: the kind of its enrolment."""

ENROLMENT: Final = "enrolment-"
"""What the id of a factor begins with that only the list of enrolments knows."""

APPS: Final = {"GOOGLE": "Google Authenticator", "OKTA": "Okta Verify"}
"""By provider: the app that makes the codes."""


def factors_of(listed: Sequence[Any], enrolled: Sequence[Any]) -> tuple[Factor, ...]:
    """Give the factors of both lists: of one kind, the list of enrolments adds none.

    The list of factors leaves out what the policy hides from this desk's network; the list of
    enrolments masks numbers and knows no factor ids.
    """
    found = [factor for raw in listed if (factor := _factor(raw)) is not None]
    kinds = {factor.kind for factor in found}
    if FactorKind.VOICE in kinds:
        kinds.add(FactorKind.SMS)
    found += [
        factor
        for raw in enrolled
        if (factor := _enrolment(raw)) is not None and factor.kind not in kinds
    ]
    return tuple({factor.id: factor for factor in found}.values())


def _factor(raw: Any) -> Factor | None:
    kind, state = KINDS.get(text(raw, "factorType")), STATES.get(text(raw, "status"))
    name = text(raw, "id")
    if kind is None or not name:
        return None
    if text(raw, "status") == "NOT_SETUP":
        return None
    return Factor(
        id=name,
        kind=kind,
        state=state or FactorState.ACTIVE,
        since=moment(raw, "created"),
        to=_destination(raw, kind),
        voice=VoiceWay.HEAR_CODE if kind is FactorKind.VOICE else None,
    )


def _destination(raw: Any, kind: FactorKind) -> str | None:
    profile = inner(raw, "profile")
    if kind is FactorKind.TOTP:
        return APPS.get(text(raw, "provider"), clean(text(raw, "provider"), limit=60)) or None
    names = {
        "email": ("email",),
        "push": ("name", "credentialId"),
        "passkey": ("authenticatorName",),
    }
    wanted = names.get(kind.value, ("phoneNumber",))
    return next((found for name in wanted if (found := text(profile, name))), None)


def _enrolment(raw: Any) -> Factor | None:
    kind = ENROLMENTS.get(text(raw, "key"))
    if kind is None or not text(raw, "id"):
        return None
    return Factor(
        id=f"{ENROLMENT}{text(raw, 'id')}",
        kind=kind,
        state=STATES.get(text(raw, "status"), FactorState.ACTIVE),
        since=moment(raw, "created"),
        to=_destination(raw, kind),
    )


def user_of(
    raw: Any, name: str, products: Mapping[str, str], factors: tuple[Factor, ...] = ()
) -> User | None:
    """Give the user of one object; None where it has no id, or is of none of these products.

    Okta counts no open sessions and no remembered browsers, and a lock has no end that it tells:
    it is written as one that does not end.
    """
    found = text(raw, "id")
    product = product_of(raw, products)
    if not found or product is None:
        return None
    profile = inner(raw, "profile")
    login, mail = text(profile, "login"), text(profile, "email")
    full = " ".join(p for p in (text(profile, "firstName"), text(profile, "lastName")) if p)
    mobile = text(profile, "mobilePhone") or text(profile, "primaryPhone")
    is_locked = text(raw, "status") == "LOCKED_OUT" or bool(rows(raw, "_embedded", "blocks"))
    return User(
        id=f"{name}:{found}",
        name=clean(full or text(profile, "displayName") or login or found, limit=200),
        login=clean(login or mail or found, limit=200),
        account=account_id(name, raw),
        product=product,
        role=clean(text(profile, "userType") or "user", limit=60),
        notification_address=mail if mail and mail.casefold() != login.casefold() else None,
        mobile=mobile or None,
        factors=factors,
        locked_until=LAST if is_locked else None,
        seen_at=moment(raw, "lastLogin"),
    )


def product_of(raw: Any, products: Mapping[str, str]) -> str | None:
    """Give the product of a user: by the organisation they name, else that of all others."""
    organization = text(raw, "profile", "organization")
    return products.get(organization) or products.get("")


def account_id(name: str, raw: Any) -> str:
    """Give the id of the account that a user belongs to: their organisation, by its name."""
    return f"{name}:{clean(text(raw, 'profile', 'organization'), limit=100) or '-'}"


def account_of(account: str, name: str, products: Mapping[str, str], host: str) -> Account | None:
    """Give the account of an id; None where it is another provider's, or of no product."""
    own, _, words = account.partition(":")
    product = products.get(words) or products.get("")
    if own != name or not words or product is None:
        return None
    return Account(id=account, name=words if words != "-" else host, product=product)
