"""Group C, of codes that were never sent, not at that moment, or were none."""

from __future__ import annotations

from datetime import timedelta

from helpdesk.domain.diagnosis import lost
from helpdesk.domain.diagnosis.catalog import DECISIVE, FAIR, HINT, STRONG, Lines, Scene, cause
from helpdesk.domain.diagnosis.delivery import PHONE, THROTTLED, recent_sends
from helpdesk.domain.diagnosis.doors import is_other_door
from helpdesk.domain.diagnosis.facts import Answer, Facts, Password, Resend, Session
from helpdesk.domain.diagnosis.strangers import FAR, strangeness
from helpdesk.domain.diagnosis.verdicts import Evidence
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.users import FactorState, MfaState


@cause("C10", "asked for codes too often", needs="email sms voice push")
def throttled(scene: Scene) -> list[Evidence]:
    """The product holds back further codes for a while."""
    facts, lines = scene.facts, Lines(scene.facts)
    refused = [r for r in facts.since(Resend) if r.allowed is False or (r.retry_after_s or 0) > 0]
    if refused:
        lines.add(DECISIVE - HINT, "another code was refused for now", *refused[-3:])
    coded = [d for s in recent_sends(facts) for d in s.deliveries if (d.code or "") in THROTTLED]
    if coded:
        lines.add(DECISIVE, f"the sender's limit was met ({coded[-1].code})", *coded[-2:])
    unheard = [
        one
        for one in facts.recent
        if facts.tells_send_rows
        and not one.is_accepted
        and len(one.resends) >= 2
        and len(one.sends) <= 1
    ]
    if unheard and not refused:
        lines.add(STRONG, "asked for more codes, and none was sent", *unheard[-1].resends)
    wished = [r for one in facts.silent for r in one.resends]
    if not lines.found and len(wished) >= 3:
        lines.add(HINT + 0.5, f"{len(wished)} codes were asked for", *wished[-3:])
    if lines.found and facts.last and facts.last.is_accepted:
        lines.add(-FAIR, "a later challenge was passed", facts.last.good)
    return lines.found


@cause("C11", "no code was ever asked for", prior=0.0)
def never_asked(scene: Scene) -> list[Evidence]:
    """The password step failed, or stopped short, so no challenge was made."""
    facts, lines = scene.facts, Lines(scene.facts)
    passwords = facts.since(Password)
    last_asked = facts.recent[-1].at if facts.recent else None
    failed = [p for p in passwords if not p.ok and (last_asked is None or p.at > last_asked)]
    good = [p for p in passwords if p.ok and (not failed or p.at > failed[-1].at)]
    if failed and not good:
        weight = (
            DECISIVE
            if last_asked is None or failed[-1].at - last_asked > timedelta(minutes=10)
            else STRONG
        )
        lines.add(weight, "the password was refused, and no challenge was made", *failed[-3:])
    elif passwords and last_asked is None and good and not _got_in(facts, passwords[-1]):
        lines.add(FAIR + HINT, "a password was taken, and no challenge was made", passwords[-1])
    elif facts.events and (facts.is_stale or not (passwords or facts.recent)):
        lines.add(FAIR, "no challenge of today is in the log")
    if lines.found and (good or not failed) and _waits_for_none(facts):
        lines.add(-STRONG, "what is complained of is no code that was waited for")
    if failed and all(strangeness(facts, p, p.at) >= FAR for p in failed):
        lines.add(-STRONG, "these tries came from a foreign place", *failed[-3:])
    if lines.found and facts.active_lock:
        lines.add(-FAIR, "a lock is in force", facts.active_lock)
    if lines.found and is_other_door(facts):
        lines.add(-STRONG, "the page is another product's", passwords[-1] if passwords else None)
    doors = {p.door for p in passwords if p.door}
    if lines.found and len(doors) > 1 and failed:
        lines.add(HINT, "the first password was taken, the second was not", *failed[-1:])
    return lines.found


def _waits_for_none(facts: Facts) -> bool:
    others = {Complaint.TURN_OFF, Complaint.KEEPS_ASKING, Complaint.UNASKED_CODES}
    return lost.is_told(facts) or facts.complaint in others


def _got_in(facts: Facts, password: Password) -> bool:
    """Whether a session followed a password, so that not being asked was right."""
    made = facts.between(Session, password.at, password.at + timedelta(minutes=3))
    return any(session.state in {"created", "returned"} for session in made) or (
        not facts.tells_sessions and facts.complaint is not Complaint.NO_CODE
    )


@cause("C12", "waiting for a code that is made on the phone", needs="totp")
def waits_for_app(scene: Scene) -> list[Evidence]:
    """An authenticator code is wanted, and nothing is ever sent for it."""
    facts, lines = scene.facts, Lines(scene.facts)
    waiting = [one for one in facts.silent if one.factor == "totp" and not one.sends]
    if not waiting:
        kinds = {f.kind.value for f in facts.user.live_factors}
        blank = [one for one in facts.silent if one.factor is None and not one.sends]
        if blank and kinds == {"totp"}:
            lines.add(STRONG, "nothing was sent, and the only factor is an app", blank[-1].asked)
        return lines.found
    lines.add(
        DECISIVE - HINT,
        "an authenticator code is asked for; nothing is sent for it",
        *(r.asked for r in waiting[-3:]),
    )
    wished = [r for one in waiting for r in one.resends]
    if wished:
        lines.add(HINT + 0.5, "another code was asked for, though none is sent", *wished)
    return lines.found


@cause("C13", "the message confirmed the number, it was no login code", needs="sms voice")
def confirmation_taken(scene: Scene) -> list[Evidence]:
    """After a number was changed, its confirmation was typed as a login code."""
    facts, lines = scene.facts, Lines(scene.facts)
    changes = facts.changes("number-changed", span=timedelta(hours=24))
    own = {sent.event.send for sent in facts.confirmations}
    for answer in facts.since(Answer):
        if answer.ok:
            continue
        since = [c for c in changes if timedelta(0) <= answer.at - c.at <= timedelta(hours=2)]
        if answer.send in own:
            lines.add(DECISIVE, "the code typed was the one that confirmed the number", answer)
        elif since and answer.reason == "foreign":
            lines.add(
                STRONG + HINT,
                "typed after the number was changed; it fits no challenge",
                since[-1],
                answer,
            )
        elif since and (answer.reason in {"wrong", None}) and not answer.send:
            lines.add(
                STRONG,
                "the number had just been changed, and the code fits nothing",
                since[-1],
                answer,
            )
        if lines.found:
            break
    if lines.found and facts.confirmations:
        lines.add(HINT, "a message to confirm the number was sent", facts.confirmations[-1].event)
    return lines.found


@cause("C14", "the second proof was never saved", needs="sms voice")
def never_saved(scene: Scene) -> list[Evidence]:
    """The number is confirmed, and nothing was turned on after it."""
    facts, lines = scene.facts, Lines(scene.facts)
    confirmed = facts.changes("number-confirmed")
    if not confirmed:
        if facts.user.mfa is MfaState.PENDING:
            lines.add(STRONG, "the second proof waits to be saved")
        return lines.found
    after = [
        c
        for c in facts.changes("enrolled", "turned-on")
        if c.at >= confirmed[-1].at - timedelta(minutes=1)
    ]
    asked = [one for one in facts.rounds if one.at > confirmed[-1].at]
    before = [one for one in facts.rounds if one.at <= confirmed[-1].at and one.is_accepted]
    if after or asked:
        return []
    lines.add(
        STRONG + HINT, "the number was confirmed, and nothing was saved after it", confirmed[-1]
    )
    if before or facts.changes("enrolled", "turned-on"):
        lines.add(-FAIR, "it had been on before", (before[-1].good if before else None))
    pending = [f for f in facts.user.factors if f.state is FactorState.PENDING]
    active = [
        f for f in facts.user.factors if f.state is FactorState.ACTIVE and f.kind.value in PHONE
    ]
    if active and not pending:
        lines.add(-STRONG - FAIR, "the factor is active", confirmed[-1])
    if pending or facts.user.mfa is MfaState.PENDING:
        lines.add(HINT + 0.5, "the factor is still pending")
    return lines.found
