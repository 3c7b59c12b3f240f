"""Group C, of telephones: texts, numbers and pushes that do not come through."""

from __future__ import annotations

from datetime import timedelta

from helpdesk.domain.diagnosis.catalog import DECISIVE, FAIR, HINT, STRONG, Lines, Scene, cause
from helpdesk.domain.diagnosis.delivery import (
    CARRIER,
    NO_SENDS,
    PHONE,
    THROTTLED,
    coded,
    login_matches,
    no_number,
    recent_sends,
    silent_sends,
    unheard,
    untold,
)
from helpdesk.domain.diagnosis.facts import Facts
from helpdesk.domain.diagnosis.rounds import Round
from helpdesk.domain.diagnosis.verdicts import Evidence


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
        if bad and no_number(bad[-1].detail):
            lines.add(HINT, "it was not delivered", *bad)
            break
        if bad and bad[-1].code not in THROTTLED:
            lines.add(STRONG, f"the carrier did not deliver it{coded(bad[-1].code)}", *bad)
            break
    pairs = [pair for pair in unheard(facts, Lines(facts)) if pair[1].event.channel in PHONE]
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
    said = [d for s in recent_sends(facts) for d in s.deliveries if no_number(d.detail)]
    if said:
        lines.add(DECISIVE, f"the sender says: {said[-1].detail}", said[-1])
    elif not user.mobile and any(s.trouble and not s.event.to for s in recent_sends(facts)):
        lines.add(FAIR, "it went nowhere, and there is no number on record")
    _changed_number(facts, asked, lines)
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


def _changed_number(facts: Facts, asked: list[Round], lines: Lines) -> None:
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


@cause("C8", "the push does not reach the app", needs="push")
def push_lost(scene: Scene) -> list[Evidence]:
    """A push was sent, nothing came back: no app, or its notices are off."""
    facts, lines = scene.facts, Lines(scene.facts)
    pushes = [one for one in facts.silent if one.factor == "push"]
    timed_out = [
        one
        for one in facts.recent
        if one.factor == "push" and any(a.reason == "timeout" for a in one.refusals)
    ]
    if not pushes and not timed_out:
        return []
    pushes = pushes or timed_out
    states = {state for one in pushes for sent in one.sends for state in sent.states}
    if "delivered" in states:
        lines.add(
            FAIR, "the push was delivered, and nobody answered", *(r.asked for r in pushes[-3:])
        )
    else:
        says = "a push was sent, nothing came back"
        lines.add(STRONG + HINT, says, *(r.asked for r in pushes[-3:]))
    failed = [s.trouble for one in pushes for s in one.sends if s.trouble]
    if failed:
        lines.add(HINT, "the push service could not deliver it", *failed)
    good = [r for r in facts.recent if r.factor == "push" and r.is_accepted]
    if good and pushes[-1].at - good[-1].at <= timedelta(hours=1):
        lines.add(-STRONG, "a push was answered shortly before", good[-1].good)
    if len(pushes) >= 5:
        lines.add(-HINT, f"{len(pushes)} pushes are many for one who waits", pushes[-1].asked)
    return lines.found
