"""Group C: the code does not come."""

from __future__ import annotations

import re
from datetime import timedelta

from helpdesk.domain.diagnosis import lost, session
from helpdesk.domain.diagnosis.catalog import DECISIVE, FAIR, HINT, STRONG, Lines, Scene, cause
from helpdesk.domain.diagnosis.facts import Facts, Password, once
from helpdesk.domain.diagnosis.rounds import Round, Sent
from helpdesk.domain.diagnosis.verdicts import Evidence, Source
from helpdesk.domain.tickets import Complaint

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
"""Codes by which a sender says: too many."""

PHONE = frozenset({"sms", "voice"})


@once
def silent_sends(facts: Facts) -> list[tuple[Round, Sent]]:
    """The last send of each recent round that nobody answered."""
    return [(one, one.sends[-1]) for one in facts.silent if one.sends]


@once
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


ELSEWHERE = "it went to another address than the login"
NO_SENDS = "nobody answered; the log holds no sends"


def unheard(facts: Facts, lines: Lines) -> list[tuple[Round, Sent]]:
    """Silent sends that nothing else explains; where there are none it speaks against."""
    pairs, found = _unheard(facts)
    lines.found += found
    return pairs


@once
def _unheard(facts: Facts) -> tuple[list[tuple[Round, Sent]], list[Evidence]]:
    lines = Lines(facts)
    pairs = [
        (one, sent)
        for one, sent in silent_sends(facts)
        if sent.trouble is None and sent.event.channel != "push"
    ]
    if pairs and session.blind_loop(facts, Lines(facts)):
        lines.add(-HINT, "it asked again too soon for one who waits", pairs[-1][1].event)
    if pairs and facts.unclaimed:
        lines.add(-FAIR, "from a never-seen address, and nobody says that a code is missing")
    if pairs and facts.last and facts.last.refusals:
        lines.add(-FAIR, "codes of today were typed in", facts.last.refusals[-1])
    return pairs, lines.found


@cause("C1", "the code goes to another mailbox or phone", prior=0.2, needs="email sms voice")
def other_mailbox(scene: Scene) -> list[Evidence]:
    """It was sent to an address that is not the one the user logs in with."""
    facts, lines = scene.facts, Lines(scene.facts)
    pairs = unheard(facts, lines)
    if not pairs:
        blind = untold(facts, "email")
        if blind:
            lines.add(FAIR - 0.5, NO_SENDS, blind.asked)
        return lines.found if blind else []
    sent = pairs[-1][1]
    same = login_matches(facts, sent)
    if same is True:
        lines.add(-STRONG, "it went to the user's own address", sent.event)
        return lines.found
    if same is False:
        says = f"it went to {sent.event.to or 'the notification address'}, not to the login address"
        is_told = sent.event.channel == "email" and sent.delay_s is not None
        weight = DECISIVE if is_told else STRONG if sent.event.to else FAIR + 0.5
        lines.add(weight, says, sent.event)
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
    pairs = [pair for pair in unheard(facts, lines) if pair[1].event.channel == "email"]
    if not pairs:
        blind = untold(facts, "email")
        if blind:
            lines.add(FAIR, NO_SENDS, blind.asked)
        return lines.found if blind or _no_challenge(facts, lines) else []
    sent = pairs[-1][1]
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
        lines.add(-(FAIR if sent.event.to else 0) - HINT, ELSEWHERE, sent.event)
    return lines.found


def _no_challenge(facts: Facts, lines: Lines) -> bool:
    """Whether there is nothing at all today, which a mail in the junk folder could look like."""
    has_any = bool(facts.recent) or bool(facts.since(Password))
    idle = lost.is_told(facts) or facts.complaint in {Complaint.TURN_OFF, Complaint.KEEPS_ASKING}
    is_blank = bool(facts.events) and (facts.is_stale or not (has_any or idle))
    if is_blank:
        lines.add(HINT, "nothing of today is in the log")
    return is_blank


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
    pairs = unheard(facts, Lines(facts))
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
        weight = STRONG - HINT / 2 if age < timedelta(minutes=5) else FAIR + HINT
        lines.add(weight, says, sent.event, sent.deliveries[-1])
    elif not facts.tells_delivery:
        lines.add(FAIR, "sent, and not typed yet; the log holds no delivery", sent.event)
    else:
        lines.add(FAIR, "sent, and no delivery is noted yet", sent.event)
    if sent.event.to and login_matches(facts, sent) is False:
        lines.add(-HINT, ELSEWHERE, sent.event)
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
        says = f"the mail {rows[-1].state}{coded(rows[-1].code)}"
        lines.add(DECISIVE, says, *rows[-3:])
    return lines.found


def coded(code: str | None) -> str:
    """Return a carrier's or server's code in brackets, or nothing."""
    return f" ({code})" if code else ""


@cause("C5", "our sender or its queue failed", prior=-0.3)
def sender_failed(scene: Scene) -> list[Evidence]:
    """Nothing arrives for many users in the same minutes."""
    facts, lines = scene.facts, Lines(scene.facts)
    if "C5" in scene.crowd.shared and (facts.silent or any(s.trouble for s in recent_sends(facts))):
        lines.note(DECISIVE + FAIR, scene.crowd.shared["C5"], Source.FLEET)
    elif "C5" in scene.crowd.echoes:
        lines.note(FAIR + HINT, scene.crowd.echoes["C5"], Source.FLEET)
    for sent in recent_sends(facts)[-5:]:
        gave_up = [d for d in sent.deliveries if "abandon" in (d.detail or "").casefold()]
        if gave_up:
            lines.add(STRONG, "our queue gave up on it", *gave_up)
            break
        failed = [d for d in sent.deliveries if d.state == "failed" and d.code not in CARRIER]
        if failed and no_number(failed[-1].detail):
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
    if not lines.found:
        _nothing_heard(facts, lines)
    if lines.found and "C5" in scene.crowd.clears:
        lines.note(-FAIR, "other users got their codes meanwhile", Source.FLEET)
    return lines.found


def _nothing_heard(facts: Facts, lines: Lines) -> None:
    """Note that no delivery is in the log, which an outage could look like."""
    is_mute = any(not sent.deliveries for _, sent in silent_sends(facts))
    if is_mute and facts.tells_delivery:
        lines.add(HINT, "no delivery is noted for it, though others are")
    elif (is_mute or untold(facts, "email", "sms", "voice")) and "C5" not in facts.compared:
        lines.add(FAIR - 0.3, "nobody answered; the log holds no deliveries")


def no_number(detail: str | None) -> bool:
    """Whether a detail says that there is no number to send to."""
    said = (detail or "").casefold()
    return bool(
        re.search("(no|missing|without|empty|invalid) .*number|number .*(missing|empty)", said)
    )


@cause("C9", "the mail program does not fetch", prior=-0.6, needs="email")
def not_fetching(scene: Scene) -> list[Evidence]:
    """It was delivered, and other mail is late as well: only the caller can tell."""
    facts, lines = scene.facts, Lines(scene.facts)
    pairs = [pair for pair in unheard(facts, lines) if pair[1].event.channel == "email"]
    arrived = [sent for _, sent in pairs if sent.delay_s is not None and sent.delay_s < LATE_S]
    if not arrived:
        return []
    lines.add(FAIR + HINT, "delivered in time, and never typed", arrived[-1].arrived)
    if login_matches(facts, arrived[-1]) is False:
        lines.add(-FAIR, ELSEWHERE, arrived[-1].event)
    return lines.found
