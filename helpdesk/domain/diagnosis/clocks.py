"""Group D, of app codes: clocks that are off, old entries, and the same code twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from helpdesk.domain.diagnosis.catalog import DECISIVE, FAIR, HINT, STRONG, Lines, Scene, cause
from helpdesk.domain.diagnosis.facts import Answer
from helpdesk.domain.diagnosis.refusal import BLAND, refusals, solved, totp_refusals
from helpdesk.domain.diagnosis.verdicts import Evidence, Source

TOTP_WINDOW_S = 30.0
"""A code of the step before or after is taken by most; RFC 6238 recommends one step."""

SAME_OFFSET_S = 15.0
"""Two measured offsets closer than this are one: half a step of 30 s."""


def drifts(answers: Sequence[Answer]) -> list[float]:
    """The offsets in seconds beyond the window that these answers measured, oldest first."""
    return [a.drift_s for a in answers if a.drift_s is not None and abs(a.drift_s) > TOTP_WINDOW_S]


@cause("D4", "the phone's clock is off", prior=0.2, needs="totp")
def clock_drift(scene: Scene) -> list[Evidence]:
    """The code fits a step outside the window, by the same offset twice."""
    facts, lines = scene.facts, Lines(scene.facts)
    answers = [r.answer for r in totp_refusals(facts)]
    if not answers:
        return []
    offsets = drifts(answers)
    named = [a for a in answers if a.reason == "drift"]
    if len(offsets) > 1 and abs(offsets[-1] - offsets[-2]) <= SAME_OFFSET_S:
        lines.add(DECISIVE, f"two codes with one offset, {offsets[-1]:+.0f} s", *answers[-2:])
    elif offsets or named:
        offset = f", {offsets[-1]:+.0f} s" if offsets else ""
        lines.add(STRONG + HINT, f"the code fits another moment{offset}", (named or answers)[-1])
    elif all(a.reason in BLAND for a in answers[-2:]):
        lines.add(
            FAIR + (0.3 if len(answers) > 1 else 0),
            "app codes refused; no offset was measured",
            *answers[-3:],
        )
        _not_drift(scene, lines)
    if "D4b" in scene.crowd.shared:
        lines.note(-DECISIVE, "many users have the same offset", Source.FLEET)
    elif "D4b" in scene.crowd.echoes:
        lines.note(-FAIR, scene.crowd.echoes["D4b"], Source.FLEET)
    return lines.found


def _not_drift(scene: Scene, lines: Lines) -> None:
    refusal = totp_refusals(scene.facts)[-1]
    if solved(scene.facts, refusal):
        lines.add(-FAIR, "the next code was good", refusal.answer)


@cause("D4b", "our server's clock is off", prior=-0.4, needs="totp")
def server_clock(scene: Scene) -> list[Evidence]:
    """Many users have the same offset in the same minutes."""
    facts, lines = scene.facts, Lines(scene.facts)
    answers = [r.answer for r in totp_refusals(facts)]
    if answers and "D4b" in scene.crowd.shared:
        lines.note(DECISIVE + FAIR, scene.crowd.shared["D4b"], Source.FLEET)
    elif answers and "D4b" in scene.crowd.echoes:
        lines.note(DECISIVE + HINT, scene.crowd.echoes["D4b"], Source.FLEET)
    elif drifts(answers) or any(a.reason == "drift" for a in answers):
        lines.add(HINT, "the offset could be ours", answers[-1])
        if "D4b" in scene.crowd.clears:
            lines.note(-FAIR, "other users have no such offset", Source.FLEET)
    return lines.found


@cause("D5", "an old entry in the app", prior=0.0, needs="totp")
def old_entry(scene: Scene) -> list[Evidence]:
    """It fits at no offset, and the factor was enrolled anew lately."""
    facts, lines = scene.facts, Lines(scene.facts)
    bland = [r for r in totp_refusals(facts) if r.answer.reason in BLAND and not r.answer.drift_s]
    if not bland:
        return []
    answers = [r.answer for r in bland]
    first = answers[0].at
    enrolled = [
        c
        for c in facts.changes("enrolled")
        if c.factor in {"totp", None} and c.at <= answers[-1].at
    ]
    known = {f.id: f.kind.value for f in facts.user.factors}
    enrolled += [c for c in facts.changes("enrolled") if known.get(c.factor or "") == "totp"]
    since = [f.since for f in facts.user.live_factors if f.kind.value == "totp" and f.since]
    if enrolled and first - enrolled[-1].at < timedelta(days=14):
        lines.add(STRONG, "the app was enrolled anew lately", enrolled[-1])
    elif any(timedelta(0) <= first - at < timedelta(days=14) for at in since):
        lines.add(FAIR, "the factor is only days old")
    weight = FAIR + (0.3 if len(answers) > 1 else -HINT)
    lines.add(weight, "app codes fit no moment that was tried", *answers[-3:])
    if facts.last_good_at and enrolled and facts.last_good_at > enrolled[-1].at:
        lines.add(-HINT, "it worked after that enrolment", enrolled[-1])
    if any(solved(facts, r) for r in bland):
        lines.add(-FAIR - HINT, "the next code was good", answers[-1])
    return lines.found


@cause("D6", "the same app code twice", prior=0.0, needs="totp")
def reused(scene: Scene) -> list[Evidence]:
    """A code that was accepted already."""
    facts, lines = scene.facts, Lines(scene.facts)
    for refusal in reversed(refusals(facts)):
        answer = refusal.answer
        is_app = refusal.round.factor in {"totp", None} and not refusal.out
        if answer.reason == "reused":
            weight = DECISIVE if is_app else FAIR
            lines.add(weight, "refused as used already", answer)
            break
        if is_app and answer.reason in BLAND and refusal.round.factor == "totp":
            good = [
                a
                for a in facts.between(Answer, answer.at - timedelta(seconds=65), answer.at)
                if a.ok
            ]
            if good:
                lines.add(STRONG, "a code was accepted less than a step before", good[-1], answer)
                break
    return lines.found
