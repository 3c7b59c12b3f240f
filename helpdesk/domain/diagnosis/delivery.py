"""Group C: the code does not come."""

from __future__ import annotations

import re
from datetime import timedelta

from helpdesk.domain.diagnosis import session
from helpdesk.domain.diagnosis.catalog import DECISIVE, FAIR, HINT, STRONG, Lines, Scene, cause
from helpdesk.domain.diagnosis.facts import Answer, FactorChange, Facts, Password, Resend
from helpdesk.domain.diagnosis.rounds import Round, Sent
from helpdesk.domain.diagnosis.verdicts import Evidence, Source
from helpdesk.domain.users import FactorState, MfaState

CARRIER = {
    "30003": "the phone cannot be reached",
    "30005": "the number is unknown",
    "30006": "the number is a landline",
    "30007": "the carrier filtered it",
    "30008": "the carrier gives no reason",
    "21610": "the user has opted out by STOP",
}
"""Carriers' codes for a message that cannot arrive."""

LATE_S = 60.0
"""A delivery slower than this counts as late: half of the two minutes one is told to wait."""

THROTTLED = frozenset({"429", "60203"})
PHONE = frozenset({"sms", "voice"})


def silent_sends(facts: Facts) -> list[tuple[Round, Sent]]:
    """The last send of each recent round that nobody answered."""
    return [(one, one.sends[-1]) for one in facts.silent if one.sends]


def recent_sends(facts: Facts) -> list[Sent]:
    """Codes sent within the last day, oldest first."""
    return [sent for one in facts.recent for sent in one.sends]


def is_same_address(masked: str, full: str) -> bool | None:
    """Whether a masked destination can be this address or number; None where one cannot tell."""
    masked, full = masked.casefold().strip(), full.casefold().strip()
    if not masked or not full:
        return None
    if "@" not in masked and "@" not in full:
        tail = re.search(r"(\d+)\D*$", masked)
        return None if tail is None else re.sub(r"\D", "", full).endswith(tail.group(1)[-4:])
    if "@" not in masked or "@" not in full:
        return False
    parts = re.split(r"[•*…·]+|\.{3,}", masked)
    pattern = ".*".join(re.escape(part) for part in parts)
    return re.fullmatch(pattern, full) is not None


def login_matches(facts: Facts, sent: Sent) -> bool | None:
    """Whether a code went to where the user logs in with; None where the log cannot tell."""
    user, to = facts.user, sent.event.to
    if sent.event.channel == "email":
        if to:
            return is_same_address(to, user.login) if "@" in user.login else None
        if user.notification_address and "@" in user.login:
            return user.notification_address.casefold() == user.login.casefold()
        return None
    if to and user.mobile:
        return is_same_address(to, user.mobile)
    return None


def _answered_before(facts: Facts, sent: Sent) -> Round | None:
    """A good round whose code went to the same destination."""
    return next(
        (
            one
            for one in reversed(facts.accepted)
            for other in one.sends
            if other.event.to and other.event.to == sent.event.to
        ),
        None,
    )


def untold(facts: Facts, *kinds: str) -> Round | None:
    """The newest silent round of these factor kinds in a log that holds no sends at all."""
    if facts.tells_send_rows:
        return None
    rounds = [one for one in facts.silent if one.factor in kinds and one.asks]
    return rounds[-1] if rounds else None


NO_SENDS = "nobody answered; the log holds no sends"


def _is_unheard(facts: Facts, lines: Lines) -> list[tuple[Round, Sent]]:
    """Silent sends that nothing else explains; where there are none it speaks against."""
    pairs = [
        (one, sent)
        for one, sent in silent_sends(facts)
        if sent.trouble is None and sent.event.channel != "push"
    ]
    if pairs and session.blind_loop(facts, Lines(facts)):
        lines.add(-HINT, "it asked again too soon for one who waits", pairs[-1][1].event)
    if pairs and facts.last and facts.last.refusals:
        lines.add(-FAIR, "codes of today were typed in", facts.last.refusals[-1])
    return pairs


@cause("C1", "the code goes to another mailbox or phone", prior=0.2, needs="email sms voice")
def other_mailbox(scene: Scene) -> list[Evidence]:
    """It was sent to an address that is not the one the user logs in with."""
    facts, lines = scene.facts, Lines(scene.facts)
    pairs = _is_unheard(facts, lines)
    if not pairs:
        blind = untold(facts, "email")
        if blind:
            lines.add(FAIR - 0.5, NO_SENDS, blind.asked)
        return lines.found if blind else []
    one, sent = pairs[-1]
    same = login_matches(facts, sent)
    if same is True:
        lines.add(-STRONG, "it went to the user's own address", sent.event)
        return lines.found
    if same is False:
        says = f"it went to {sent.event.to or 'the notification address'}, not to the login address"
        lines.add(DECISIVE if sent.event.channel == "email" else STRONG, says, sent.event)
        known = _answered_before(facts, sent)
        if known:
            lines.add(-FAIR, "codes sent there were used before", known.good)
        if sent.delay_s is not None and sent.delay_s < LATE_S:
            lines.add(HINT, "it was delivered there", sent.arrived)
    elif sent.event.channel == "email":
        lines.add(FAIR, "nobody answered; the log does not say where it went", sent.event)
    if any(s.states & {"deferred"} for _, s in pairs):
        lines.add(-FAIR, "the mail was deferred", sent.event)
    return lines.found


@cause("C2", "spam, junk or quarantine", prior=0.4, needs="email")
def spam(scene: Scene) -> list[Evidence]:
    """It arrived at the right address in time, and nobody typed it."""
    facts, lines = scene.facts, Lines(scene.facts)
    pairs = [pair for pair in _is_unheard(facts, lines) if pair[1].event.channel == "email"]
    if not pairs:
        blind = untold(facts, "email")
        if blind:
            lines.add(FAIR, NO_SENDS, blind.asked)
        return lines.found if blind or _no_challenge(facts, lines) else []
    one, sent = pairs[-1]
    delay = sent.delay_s
    if delay is not None and delay < LATE_S:
        lines.add(STRONG, "delivered in time, and never typed", sent.event, sent.arrived)
    elif delay is None and not sent.states & {"deferred", "queued"}:
        lines.add(FAIR + 0.3, "sent, and never typed; the log holds no delivery", sent.event)
    else:
        lines.add(-FAIR, "it was late or did not arrive", sent.event)
    same = login_matches(facts, sent)
    if same is True:
        lines.add(HINT, "it went to the login address", sent.event)
    elif same is False:
        lines.add(-FAIR - HINT, "it went to another address than the login", sent.event)
    return lines.found


def _no_challenge(facts: Facts, lines: Lines) -> bool:
    """Whether there is nothing at all today, which a mail in the junk folder could look like."""
    has_any = bool(facts.recent) or bool(facts.since(Password))
    if not has_any and facts.events:
        lines.add(HINT, "nothing of today is in the log")
    return not has_any and bool(facts.events)


@cause("C3", "the message is delayed", prior=0.3, needs="email sms voice")
def delayed(scene: Scene) -> list[Evidence]:
    """The mail server put it off, or it took minutes to arrive."""
    facts, lines = scene.facts, Lines(scene.facts)
    sends = recent_sends(facts)
    put_off = [s for s in sends if "deferred" in s.states]
    late = [s for s in sends if s.delay_s is not None and s.delay_s >= LATE_S]
    if put_off and not any(s.trouble for s in put_off):
        rows = [d for s in put_off for d in s.deliveries if d.state == "deferred"]
        lines.add(STRONG + HINT, "the receiving server put it off", *rows[-3:])
    if late:
        seconds = late[-1].delay_s or 0
        weight = STRONG + HINT if seconds >= 120 else FAIR + HINT
        says = f"it took {seconds / 60:.0f} min {seconds % 60:.0f} s to arrive"
        lines.add(weight, says, late[-1].event, late[-1].arrived)
    pairs = _is_unheard(facts, Lines(facts))
    if not lines.found and pairs:
        _maybe_late(facts, pairs, lines)
    blind = untold(facts, "email", "sms", "voice")
    if blind:
        lines.add(FAIR, NO_SENDS, blind.asked)
    if (
        lines.found
        and sends
        and sends[-1].delay_s is not None
        and sends[-1].delay_s < 30
        and not late
    ):
        lines.add(-FAIR, "the newest one arrived at once", sends[-1].arrived)
    return lines.found


def _maybe_late(facts: Facts, pairs: list[tuple[Round, Sent]], lines: Lines) -> None:
    sent = pairs[-1][1]
    if sent.delay_s is not None:
        return
    age = max(facts.now, facts.anchor) - sent.event.at
    if sent.deliveries and sent.deliveries[-1].state in {"queued", "accepted"}:
        says = f"it was {sent.deliveries[-1].state} and has not arrived yet"
        lines.add(STRONG - HINT / 2, says, sent.event, sent.deliveries[-1])
    elif not facts.tells_delivery:
        lines.add(FAIR, "sent, and not typed yet; the log holds no delivery", sent.event)
    else:
        lines.add(FAIR, "sent, and no delivery is noted yet", sent.event)
    if age < timedelta(minutes=3):
        lines.add(HINT, "it was sent only minutes ago", sent.event)


@cause("C4", "the mail bounced or the address is suppressed", needs="email")
def bounced(scene: Scene) -> list[Evidence]:
    """The receiving server refused the mail, or we no longer send to that address."""
    facts, lines = scene.facts, Lines(scene.facts)
    rows = [
        d
        for s in recent_sends(facts)
        for d in s.deliveries
        if d.state in {"bounced", "suppressed"}
        or (d.state == "failed" and s.event.channel == "email" and (d.code or "").startswith("5"))
    ]
    if rows:
        says = f"the mail {rows[-1].state}{_code(rows[-1].code)}"
        lines.add(DECISIVE, says, *rows[-3:])
    return lines.found


def _code(code: str | None) -> str:
    return f" ({code})" if code else ""


@cause("C5", "our sender or its queue failed", prior=-0.3)
def sender_failed(scene: Scene) -> list[Evidence]:
    """Nothing arrives for many users in the same minutes."""
    facts, lines = scene.facts, Lines(scene.facts)
    if "C5" in scene.crowd.shared and (facts.silent or any(s.trouble for s in recent_sends(facts))):
        lines.note(DECISIVE + FAIR, scene.crowd.shared["C5"], Source.FLEET)
    for sent in recent_sends(facts)[-5:]:
        gave_up = [d for d in sent.deliveries if "abandon" in (d.detail or "").casefold()]
        if gave_up:
            lines.add(STRONG, "our queue gave up on it", *gave_up)
            break
        failed = [d for d in sent.deliveries if d.state == "failed" and d.code not in CARRIER]
        if failed and _no_number(failed[-1].detail):
            break
        if (
            failed
            and failed[-1].code not in THROTTLED
            and not (failed[-1].code or "").startswith("5")
        ):
            lines.add(FAIR + HINT, "our side failed to hand it over", *failed)
            break
        stuck = [d for d in sent.deliveries if d.state == "queued"]
        if stuck and len(sent.deliveries) == len(stuck):
            lines.add(FAIR, "it never left our queue", *stuck)
            break
    is_mute = any(not sent.deliveries for _, sent in silent_sends(facts))
    if not lines.found and facts.tells_delivery and is_mute:
        lines.add(HINT, "no delivery is noted for it, though others are")
    if lines.found and "C5" in scene.crowd.clears:
        lines.note(-FAIR, "other users got their codes meanwhile", Source.FLEET)
    return lines.found


@cause("C6", "the SMS cannot be delivered", needs="sms voice")
def sms_undeliverable(scene: Scene) -> list[Evidence]:
    """The carrier says why it cannot arrive."""
    facts, lines = scene.facts, Lines(scene.facts)
    for sent in reversed(recent_sends(facts)):
        if sent.event.channel not in PHONE:
            continue
        bad = [d for d in sent.deliveries if d.state in {"failed", "bounced", "suppressed"}]
        known = [d for d in sent.deliveries if (d.code or "") in CARRIER]
        if known:
            says = f"the carrier's code {known[-1].code}: {CARRIER[known[-1].code or '']}"
            lines.add(DECISIVE + HINT, says, *known)
            break
        if bad and _no_number(bad[-1].detail):
            lines.add(HINT, "it was not delivered", *bad)
            break
        if bad and bad[-1].code not in THROTTLED:
            lines.add(STRONG, f"the carrier did not deliver it{_code(bad[-1].code)}", *bad)
            break
    pairs = [pair for pair in _is_unheard(facts, Lines(facts)) if pair[1].event.channel in PHONE]
    blind = untold(facts, "sms", "voice")
    if blind:
        lines.add(FAIR - 0.3, NO_SENDS, blind.asked)
    if not lines.found and pairs:
        weight = FAIR if pairs[-1][1].arrived else FAIR - 0.3
        lines.add(
            weight, "nobody typed it; a carrier's *delivered* can be untrue", pairs[-1][1].event
        )
    return lines.found


@cause("C7", "the number is missing, mistyped or changed", needs="sms voice")
def number_wrong(scene: Scene) -> list[Evidence]:
    """There is no number, or it was changed and never confirmed since the last good login."""
    facts, lines = scene.facts, Lines(scene.facts)
    user = facts.user
    asked = [one for one in facts.silent if (one.factor or "") in PHONE]
    if untold(facts, "sms", "voice"):
        lines.add(HINT + 0.5, NO_SENDS, asked[-1].asked)
    no_send = [one for one in asked if not one.sends]
    if asked and no_send and not user.mobile and facts.tells_send_rows:
        lines.add(FAIR, "there is no number, and nothing was sent", no_send[-1].asked)
    if asked and no_send and not user.mobile:
        lines.add(STRONG + HINT, "there is no number to send to", no_send[-1].asked)
    said = [d for s in recent_sends(facts) for d in s.deliveries if _no_number(d.detail)]
    if said:
        lines.add(DECISIVE, f"the sender says: {said[-1].detail}", said[-1])
    elif not user.mobile and any(s.trouble and not s.event.to for s in recent_sends(facts)):
        lines.add(FAIR, "it went nowhere, and there is no number on record")
    changes = facts.changes("number-changed")
    if changes and asked:
        change = changes[-1]
        done = [c for c in facts.changes("number-confirmed") if c.at >= change.at]
        newer = facts.last_good_at is None or change.at > facts.last_good_at
        if not done and newer:
            lines.add(STRONG + HINT, "the number was changed and never confirmed", change)
        elif newer:
            lines.add(FAIR + HINT, "the number was changed after the last good login", change)
        if newer and facts.is_strange("ip", change.ip, change.at):
            lines.add(-FAIR, "the change came from an unknown address", change)
    pairs = [pair for pair in silent_sends(facts) if pair[1].event.channel in PHONE]
    if pairs and login_matches(facts, pairs[-1][1]) is False:
        lines.add(
            STRONG,
            f"it went to {pairs[-1][1].event.to}, not to the number on record",
            pairs[-1][1].event,
        )
    elif pairs and not lines.found and not pairs[-1][1].trouble:
        lines.add(HINT + 0.5, "nobody typed it; is the number still theirs?", pairs[-1][1].event)
    return lines.found


def _no_number(detail: str | None) -> bool:
    said = (detail or "").casefold()
    return bool(
        re.search("(no|missing|without|empty|invalid) .*number|number .*(missing|empty)", said)
    )


@cause("C8", "the push does not reach the app", needs="push")
def push_lost(scene: Scene) -> list[Evidence]:
    """A push was sent, nothing came back: no app, or its notices are off."""
    facts, lines = scene.facts, Lines(scene.facts)
    pushes = [one for one in facts.silent if one.factor == "push"]
    timed_out = [
        one for one in facts.recent
        if one.factor == "push" and not one.is_accepted and any(a.reason == "timeout" for a in one.answers)
    ]  # fmt: skip
    if not pushes and not timed_out:
        return []
    pushes = pushes or timed_out
    states = {state for one in pushes for sent in one.sends for state in sent.states}
    if "delivered" in states:
        lines.add(
            FAIR, "the push was delivered, and nobody answered", *(r.asked for r in pushes[-3:])
        )
    else:
        lines.add(
            STRONG + HINT, "a push was sent, nothing came back", *(r.asked for r in pushes[-3:])
        )
    failed = [s.trouble for one in pushes for s in one.sends if s.trouble]
    if failed:
        lines.add(HINT, "the push service could not deliver it", *failed)
    if len(pushes) >= 5:
        lines.add(-HINT, f"{len(pushes)} pushes are many for one who waits", pushes[-1].asked)
    return lines.found


@cause("C9", "the mail program does not fetch", prior=-0.6, needs="email")
def not_fetching(scene: Scene) -> list[Evidence]:
    """It was delivered, and other mail is late as well: only the caller can tell."""
    facts, lines = scene.facts, Lines(scene.facts)
    pairs = [pair for pair in _is_unheard(facts, lines) if pair[1].event.channel == "email"]
    arrived = [sent for _, sent in pairs if sent.delay_s is not None and sent.delay_s < LATE_S]
    if not arrived:
        return []
    lines.add(FAIR + HINT, "delivered in time, and never typed", arrived[-1].arrived)
    if login_matches(facts, arrived[-1]) is False:
        lines.add(-FAIR, "it went to another address than the login", arrived[-1].event)
    return lines.found


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
    elif passwords and last_asked is None and good:
        lines.add(FAIR + HINT, "a password was taken, and no challenge was made", passwords[-1])
    elif not passwords and not facts.recent and facts.events:
        lines.add(FAIR, "no challenge of today is in the log")
    if lines.found and facts.active_lock:
        lines.add(-FAIR, "a lock is in force", facts.active_lock)
    if lines.found and session.is_other_door(facts):
        lines.add(-STRONG, "the page is another product's", passwords[-1] if passwords else None)
    doors = {p.door for p in passwords if p.door}
    if lines.found and len(doors) > 1 and failed:
        lines.add(HINT, "the first password was taken, the second was not", *failed[-1:])
    return lines.found


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
    if pending or facts.user.mfa is MfaState.PENDING:
        lines.add(HINT + 0.5, "the factor is still pending")
    return lines.found


__all__ = ["FactorChange", "is_same_address", "login_matches"]
