"""System Log rows in Okta's own shape, so that a test reads like a log."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from tests.factories import NOW

USER = "00uMayaOkafor0001d6"
ADMIN = "00uHelpDeskAdmin01d6"
OFFICE, HOTEL, HOME, THIEF = "192.0.2.7", "198.51.100.9", "192.0.2.99", "203.0.113.66"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0"
DAY = 24 * 60.0

Row = dict[str, Any]

LOGIN = "maya@agency.example"


def log(
    minutes: float,
    kind: str,
    result: str = "SUCCESS",
    reason: str | None = None,
    *,
    session: str = "unknown",
    ip: str | None = OFFICE,
    browser: str | None = "dt1",
    agent: str = FIREFOX,
    city: str | None = "Leeds",
    actor: str = USER,
    target: list[Row] | None = None,
    proxy: bool = False,
    **debug: Any,
) -> Row:
    """One row so many minutes before `NOW`, with the nulls that a real one has."""
    at = NOW - timedelta(minutes=minutes)
    name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{minutes}{kind}{result}{session}{ip}{debug}"))
    geo: Row = {"city": city, "state": None, "country": "United Kingdom", "postalCode": "10013"}
    geo["geolocation"] = {"lat": 53.8, "lon": -1.5}
    data = {"requestId": name[:8], "requestUri": "/idp/idx/identify", "dtHash": browser, **debug}
    return {
        "actor": {
            "id": actor,
            "type": "User",
            "alternateId": LOGIN if actor == USER else "desk@agency.example",
            "displayName": "Maya Okafor" if actor == USER else "Help Desk",
            "detailEntry": None,
        },
        "client": {
            "userAgent": {"rawUserAgent": agent, "os": "Linux", "browser": "FIREFOX"},
            "zone": "null",
            "device": "Computer",
            "id": None,
            "ipAddress": ip,
            "geographicalContext": geo if city else None,
        },
        "authenticationContext": {
            "authenticationProvider": None,
            "credentialProvider": None,
            "credentialType": None,
            "issuer": None,
            "interface": None,
            "authenticationStep": 0,
            "externalSessionId": session,
        },
        "displayMessage": kind,
        "eventType": kind,
        "outcome": {"result": result, "reason": reason},
        "published": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "securityContext": {
            "asNumber": 64500,
            "asOrg": "example",
            "isp": "example",
            "domain": None,
            "isProxy": proxy,
        },
        "severity": "INFO",
        "debugContext": {"debugData": data},
        "legacyEventType": None,
        "transaction": {"type": "WEB", "id": f"t{name[:6]}", "detail": {}},
        "uuid": name,
        "version": "0",
        "request": {"ipChain": [{"ip": ip, "geographicalContext": geo, "version": "V4"}]},
        "target": target if target is not None else [person()],
    }


def person(user: str = USER) -> Row:
    """The user as a target."""
    return {
        "id": user,
        "type": "User",
        "alternateId": LOGIN,
        "displayName": "Maya Okafor",
        "detailEntry": None,
    }


def behaviours(*seen: str) -> str:
    """The behaviours as debug data writes them: a Java map, as text."""
    known = ("New Geo-Location", "New Device", "New IP", "New State", "New Country", "Velocity")
    told = (f"{name}={'POSITIVE' if name in seen else 'NEGATIVE'}" for name in known)
    return "{" + ", ".join(told) + "}"


SENDS = {
    "sms": "system.sms.send_factor_verify_message",
    "voice": "system.voice.send_mfa_challenge_call",
    "email": "system.email.send_factor_verify_message",
    "push": "system.push.send_factor_verify_push",
}
WORDS = {
    "sms": "SMS_FACTOR",
    "voice": "CALL_FACTOR",
    "email": "EMAIL_FACTOR",
    "push": "OKTA_VERIFY_PUSH",
    "totp": "OKTA_SOFT_TOKEN",
}


def password(minutes: float, session: str, *, ok: bool = True, **where: Any) -> Row:
    """A password that was right, or was not."""
    result, reason = ("SUCCESS", None) if ok else ("FAILURE", "INVALID_CREDENTIALS")
    return log(
        minutes, "user.authentication.auth_via_mfa", result, reason, session=session,
        factor="PASSWORD_AS_FACTOR", **where,
    )  # fmt: skip


def asked(
    minutes: float, session: str, factor: str = "sms", *, new: tuple[str, ...] = (), **where: Any
) -> Iterator[Row]:
    """A password, the policy's asking, and the message for a factor that is sent."""
    yield log(
        minutes, "policy.evaluate_sign_on", "CHALLENGE",
        "Sign-on policy evaluation resulted in CHALLENGE",
        session=session, behaviors=behaviours(*new), **where,
    )  # fmt: skip
    yield password(minutes - 0.1, session, **where)
    if factor in SENDS:
        yield send(minutes - 0.2, session, factor, **where)


def send(minutes: float, session: str, factor: str, result: str = "SUCCESS", **where: Any) -> Row:
    """A message that left."""
    extra: Row = {"transactionId": f"carrier-{session}-{minutes}"} if factor != "email" else {}
    if factor in {"sms", "voice"}:
        extra["phoneNumber"] = "+447700900321"
    reason = "Blocked by the toll fraud protection" if result == "DENY" else None
    return log(minutes, SENDS[factor], result, reason, session=session, **extra, **where)


def answered(
    minutes: float,
    session: str,
    factor: str = "sms",
    result: str = "SUCCESS",
    reason: str | None = None,
    **where: Any,
) -> Row:
    """A code that was typed, or a push that was answered."""
    return log(
        minutes, "user.authentication.auth_via_mfa", result, reason, session=session,
        factor=WORDS[factor], **where,
    )  # fmt: skip


def refused(minutes: float, session: str, factor: str = "sms", **where: Any) -> Row:
    """A code that was not taken."""
    return answered(minutes, session, factor, "FAILURE", "INVALID_CREDENTIALS", **where)


def started(minutes: float, session: str, **where: Any) -> Row:
    """A session that began."""
    return log(minutes, "user.session.start", session=session, **where)


def opened(minutes: float, session: str, **where: Any) -> Row:
    """An app that was opened with the session."""
    return log(minutes, "user.authentication.sso", session=session, **where)


def passed(minutes: float, session: str, factor: str = "sms", **where: Any) -> Iterator[Row]:
    """A whole good login."""
    new = where.pop("new", ())
    yield from asked(minutes, session, factor, new=new, **where)
    yield answered(minutes - 0.6, session, factor, **where)
    yield started(minutes - 0.61, session, **where)
    yield opened(minutes - 0.7, session, **where)


def unasked(minutes: float, session: str, **where: Any) -> Iterator[Row]:
    """A login at which only the password was asked."""
    yield log(minutes, "policy.evaluate_sign_on", "CHALLENGE", session=session, **where)
    yield password(minutes - 0.1, session, **where)
    yield log(minutes - 0.11, "policy.evaluate_sign_on", "ALLOW", session=session, **where)
    yield started(minutes - 0.12, session, **where)
    yield opened(minutes - 0.2, session, **where)


def settled(factor: str = "sms", **where: Any) -> Iterator[Row]:
    """Three days of quiet logins."""
    for day in (2, 3, 4):
        yield from passed(day * DAY, f"old{day}", factor, **where)


def quiet(**where: Any) -> Iterator[Row]:
    """Three days of logins at which nothing was asked."""
    for day in (2, 3, 4):
        yield from unasked(day * DAY, f"old{day}", **where)
