"""Okta's System Log as our timeline: pure, table-driven, and never at a loss for a poor event.

asked (policy, or the first sign of it) ─▶ sent ─▶ delivered ─▶ answered ─▶ session

Events of one sign-in share a session id or a transaction id. What the log leaves open is not made
up: no event says which code was typed, which rule of a policy asked, or how a phone's clock runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from operator import itemgetter
from typing import Any, Final

from helpdesk.connectors.okta import changes, messages, signing_in
from helpdesk.connectors.okta.rows import Row
from helpdesk.connectors.okta.telling import Telling, Told, other
from helpdesk.connectors.raw import beside
from helpdesk.domain.timeline import Answer, AnyEvent

BLAND: Final = frozenset({"wrong", None})
"""Refusals that do not say why."""


def timeline_of(raws: Iterable[Any], user: str, desk: str = "") -> tuple[AnyEvent, ...]:
    """Give what the System Log tells of a user, oldest first, each event once.

    An event's id is its uuid, with a word behind it where one row tells of two things. A kind that
    has no word of ours is an `Other`; the row is beside each event as it came. A row without a time
    is left out. *desk* is the id by which the log names whoever this desk is: what it did, agents
    did.
    """
    telling = Telling(user, desk)
    found = [Row(raw) for raw in raws if isinstance(raw, dict)]
    dated = [(row.at, row) for row in found if row.at is not None]
    seen: set[str] = set()
    for at, row in sorted(dated, key=itemgetter(0)):
        if row.id and row.id in seen:
            continue
        seen.add(row.id)
        place = len(telling.events)
        EVENTS.get(row.kind, other)(telling, row, at)
        new = [event for event in telling.events[place:] if event is not None]
        telling.events[place:] = beside(new, row.raw)
    told = [event for event in telling.events if event is not None]
    return tuple(sorted(_once(told), key=lambda event: event.at))


def _once(events: list[AnyEvent]) -> list[AnyEvent]:
    """Leave out the lesser of two rows about one refused try, as Okta writes for some factors."""
    kept: list[AnyEvent] = []
    for event in events:
        before = kept[-1] if kept else None
        if (
            isinstance(event, Answer)
            and isinstance(before, Answer)
            and not (event.ok or before.ok)
            and event.challenge == before.challenge
            and event.at - before.at <= timedelta(seconds=2)
            and (event.reason == before.reason or {event.reason, before.reason} & BLAND)
        ):
            kept[-1] = before if event.reason in BLAND else event
            continue
        kept.append(event)
    return kept


EVENTS: Final[Mapping[str, Told]] = {
    "policy.evaluate_sign_on": signing_in.policy,
    "application.policy.sign_on.deny_access": signing_in.denied,
    "user.session.start": signing_in.session_start,
    "user.session.end": signing_in.ended("signed out"),
    "user.session.expire": signing_in.ended("it ran out"),
    "user.session.clear": signing_in.ended("ended by an administrator"),
    "user.authentication.auth_via_mfa": signing_in.mfa,
    "user.authentication.sso": signing_in.sso,
    "user.mfa.okta_verify.deny_push": signing_in.push_denied,
    "user.mfa.okta_verify.deny_push_upgrade_needed": signing_in.push_too_old,
    "system.email.send_factor_verify_message": messages.sending(
        "email", "emailRequestId", "requestId"
    ),
    "system.sms.send_factor_verify_message": messages.sending("sms", "transactionId"),
    "system.voice.send_mfa_challenge_call": messages.sending("voice", "transactionId"),
    "system.push.send_factor_verify_push": messages.sending("push"),
    "system.email.delivery": messages.carried("email", "emailRequestId", "providerMessage"),
    "system.sms.receive_status": messages.carried("sms", "transactionId", "providerStatus"),
    "system.voice.receive_status": messages.carried("voice", "transactionId", "providerStatus"),
    "system.email.challenge_factor_redeemed": messages.redeemed,
    "system.operation.rate_limit.violation": messages.limited,
    "user.mfa.factor.activate": changes.change("enrolled"),
    "user.mfa.factor.deactivate": changes.removed,
    "user.mfa.factor.suspend": changes.change("suspended"),
    "user.mfa.factor.unsuspend": changes.change("resumed"),
    "user.mfa.factor.update": changes.factor_update,
    "user.mfa.factor.reset_all": changes.reset_all,
    "user.account.update_primary_email": changes.change("address-changed"),
    "user.account.update_profile": changes.profile,
    "user.account.lock": changes.locked,
    "user.account.lock.limit": changes.locked,
    "user.account.unlock": changes.unlocked,
    "user.account.unlock_by_admin": changes.unlocked,
    "user.account.report_suspicious_activity_by_enduser": changes.reported,
}
"""What is told of each event type; all others are shown by their own name and judged by nobody."""
