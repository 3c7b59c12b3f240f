"""Messages: a code or a push leaves, and what the carrier says became of it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from helpdesk.connectors.okta.rows import Row
from helpdesk.connectors.okta.signing_in import answer, refusal
from helpdesk.connectors.okta.telling import Telling, Told, cause_of, other, second_id
from helpdesk.connectors.raw import text
from helpdesk.domain.text import clean, mask
from helpdesk.domain.timeline import Delivery, Fetch, Lock, Resend, Send

STATES: Final = (
    (r"suppress|drop", "suppressed"),
    (r"bounce", "bounced"),
    (r"defer|delay|queue", "deferred"),
    (r"fail|undeliver|reject|invalid|block", "failed"),
    (r"deliver|complete|success", "delivered"),
)
"""A carrier's words for what became of a message, the first that fits wins, and ours."""


def sending(channel: str, *keys: str) -> Told:
    """A code or a push left for the user, or Okta did not let it."""

    def tell(telling: Telling, row: Row, at: datetime) -> None:
        is_ours = telling.who(row) == "agent"  # it proves a caller, or is sent once more
        if row.is_by_another(telling.user) and not is_ours:
            other(telling, row, at)
            return
        asked = None
        if not is_ours:
            one = telling.asked(row, at) or telling.ask(row, at, channel, is_told=False)
            telling.keep(row, at, one, channel)
            asked = one.id
        name = telling.sent(row, at, channel, *(row.debug(key) for key in keys))
        life = row.seconds("tokenLifetime")
        telling.add(
            Send(
                at=at,
                id=row.id or None,
                send=name,
                challenge=asked,
                channel=channel,
                to=_destination(row, channel),
                purpose="code",
                expires_at=at + timedelta(seconds=life) if life and life < 90_000 else None,
            )
        )
        if row.result in {"DENY", "FAILURE"}:
            detail = cause_of(row, "Okta did not send it")
            failed = second_id(row, "denied")
            telling.add(Delivery(at=at, id=failed, send=name, state="failed", detail=detail))

    return tell


def _destination(row: Row, channel: str) -> str | None:
    """Where it went, masked.

    A user's own row names the login, which need not be where the message went.
    """
    if channel == "push":
        return None
    others = (t for t in row.targets if "User" not in text(t, "type"))
    named = (row.debug("phoneNumber"), *(text(t, "alternateId") for t in others))
    sign = "@" if channel == "email" else ""
    found = next((n for n in named if n and (sign in n if sign else _is_number(n))), "")
    return mask(clean(found, limit=100)) if found else None


def _is_number(words: str) -> bool:
    return "@" not in words and sum(c.isdigit() for c in words) >= 4


def carried(channel: str, key: str, says: str) -> Told:
    """What the carrier says became of a send."""

    def tell(telling: Telling, row: Row, at: datetime) -> None:
        words = row.debug(says) or row.reason
        send = telling.send_of(channel, row.debug(key))
        if send is None:
            other(telling, row, at)
            return
        detail = clean(words, limit=200) or None
        state = _state(row, words)
        telling.add(Delivery(at=at, id=row.id or None, send=send, state=state, detail=detail))

    return tell


def _state(row: Row, words: str) -> str:
    said = f"{words} {row.reason} {row.result}".casefold()
    for pattern, state in STATES:
        if re.search(pattern, said):
            return state
    return "accepted"


def redeemed(telling: Telling, row: Row, at: datetime) -> None:
    """The link or code of a mail was used."""
    send = telling.send_of("email")
    if row.is_good:
        if "link" in row.debug("action") + row.debug("verification") and send:
            fetch = Fetch(at=at, id=row.id or None, send=send, ip=row.ip, agent=row.agent)
            telling.add(fetch)
            return
        other(telling, row, at)
        return
    answer(telling, row, at, "email", is_ok=False, reason=refusal(row) or "wrong")


def limited(telling: Telling, row: Row, at: datetime) -> None:
    """A limit was reached: on codes tried it shuts them out, on codes asked for none is sent."""
    about = f"{row.debug('operationRateLimitType')} {row.debug('operationRateLimitSubtype')}"
    wait_s = row.seconds("operationRateLimitSecondsToReset")
    if "otp_verification" in about:
        until = at + timedelta(seconds=min(wait_s, 86_400)) if wait_s and wait_s > 0 else at
        cause = "too many codes tried"
        telling.add(Lock(at=at, id=row.id or None, since=at, until=until, cause=cause))
        return
    one = telling.asked(row, at)
    if one is None or not re.search("sms|call|voice|email|phone", about):
        other(telling, row, at)
        return
    telling.keep(row, at, one, None)
    telling.add(
        Resend(
            at=at, id=row.id or None, challenge=one.id, allowed=False, retry_after_s=wait_s or None
        )
    )
