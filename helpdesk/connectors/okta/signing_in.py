"""Signing in: the policy asks, the password fits, an answer is taken, a session begins."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from msgspec import structs

from helpdesk.connectors.okta.rows import Row
from helpdesk.connectors.okta.telling import Telling, Told, cause_of, other
from helpdesk.domain.text import clean
from helpdesk.domain.timeline import Answer, Lock, Password, Session

REFUSALS: Final = (
    (r"REPLAY", "reused"),
    (r"TIME_WINDOW_EXCEEDED", "expired"),
    (r"DECLIN|REJECT|DENY|DENIED", "declined"),
    (r"TIMEOUT|TIMED_OUT", "timeout"),
    (r"EXPIRED", "expired"),
    (r"LOCK|RATE_LIMIT|TOO_MANY", "locked"),
    (r"INVALID|INCORRECT|WRONG|VERIFICATION_ERROR|FAILED", "wrong"),
)
"""Okta's words for a refusal, the first that fits wins, and ours."""

UPGRADE: Final = "app-too-old"
"""The app must be updated before it can answer; the user declined nothing."""


def policy(telling: Telling, row: Row, at: datetime) -> None:
    """The sign-on policy let in, asked for more, or refused."""
    if row.result == "CHALLENGE":
        one = telling.asked(row, at)
        if one:
            telling.again(row, at, one)
        else:
            telling.ask(row, at, None, is_told=True)
    elif row.result in {"DENY", "FAILURE"}:
        denied(telling, row, at)
    else:
        other(telling, row, at)


def denied(telling: Telling, row: Row, at: datetime) -> None:
    """A policy refused the sign-in: no lock is in force, yet nobody gets in this way."""
    telling.add(Lock(at=at, id=row.id or None, since=at, until=at, cause=cause_of(row, "policy")))


def session_start(telling: Telling, row: Row, at: datetime) -> None:
    """Somebody is in, or the password was refused; without an outcome nobody knows."""
    if not row.result:
        other(telling, row, at)
        return
    if not row.is_good:
        telling.add(_password(row, at, is_ok=False))
        return
    telling.needed_no_more(row, at)
    telling.lifted(at)
    telling.add(_session(row, at, "created", telling.challenge_of(row)))


def _password(row: Row, at: datetime, *, is_ok: bool) -> Password:
    return Password(at=at, id=row.id or None, ok=is_ok, **row.where)


def _session(row: Row, at: datetime, state: str, challenge: str | None = None) -> Session:
    return Session(
        at=at,
        id=row.id or None,
        state=state,
        challenge=challenge,
        browser=row.browser,
        ip=row.ip,
    )


def mfa(telling: Telling, row: Row, at: datetime) -> None:
    """An answer to an asking; the password comes here too, and is no second proof."""
    if not row.result:
        other(telling, row, at)
        return
    if row.factor == "password":
        telling.add(_password(row, at, is_ok=row.is_good))
        if row.is_good:
            telling.passed_first(row, at)
        return
    answer(telling, row, at, row.factor, is_ok=row.is_good, reason=refusal(row))


def answer(
    telling: Telling, row: Row, at: datetime, factor: str | None, *, is_ok: bool, reason: str | None
) -> None:
    """Tell of an answer to an asking, which it is the first sign of where no event told of it."""
    one = telling.asked(row, at) or telling.ask(row, at, factor, is_told=False)
    telling.keep(row, at, one, factor)
    one.is_done = is_ok
    telling.add(
        Answer(
            at=at,
            id=row.id or None,
            challenge=one.id,
            ok=is_ok,
            reason=None if is_ok else reason,
            ip=row.ip,
            browser=row.browser,
        )
    )


def refusal(row: Row) -> str | None:
    """Why an answer was refused, in our word; None where Okta says nothing we know."""
    if "DENY" in row.debug("pushOnlyResponseType").upper():
        return "declined"
    if "INVALID" in row.debug("pushWithNumberChallengeResponseType").upper():
        return "wrong"
    said = re.sub(r"[\s-]+", "_", row.reason.upper())
    found = next((ours for pattern, ours in REFUSALS if re.search(pattern, said)), None)
    if row.factor == "totp" and "TIME_WINDOW_EXCEEDED" in said:
        return "drift"
    is_push = row.factor == "push"
    return "timeout" if is_push and found == "expired" else found


def push_denied(telling: Telling, row: Row, at: datetime) -> None:
    """Tell that a push was declined."""
    answer(telling, row, at, "push", is_ok=False, reason="declined")


def push_too_old(telling: Telling, row: Row, at: datetime) -> None:
    """Tell that the app is too old to answer."""
    answer(telling, row, at, "push", is_ok=False, reason=UPGRADE)


def ended(cause: str) -> Told:
    """Give what tells that a session ended, and why where Okta does not say."""

    def tell(telling: Telling, row: Row, at: datetime) -> None:
        why = row.debug("terminationReason") or row.reason or cause
        event = _session(row, at, "ended")
        telling.add(structs.replace(event, cause=clean(why, limit=200) or None))

    return tell


def sso(telling: Telling, row: Row, at: datetime) -> None:
    """An app was opened with the session: so the browser did bring it back."""
    if row.is_good:
        telling.add(_session(row, at, "returned", telling.challenge_of(row)))
    else:
        other(telling, row, at)
