"""What the drift meter says: a word, a sentence, and a ruler on which the phone's clock stands."""

from __future__ import annotations

from typing import Final

from textual.content import Content

from helpdesk.domain.diagnosis.drift import FAR_STEPS, STEP_S, Drift, DriftState
from helpdesk.tui.render.values import BAD, GOOD, LABEL, QUIET, STRONG, WARN, Entry, entry, show

LOOKS: Final = {
    DriftState.RIGHT: ("✓ right", GOOD),
    DriftState.USED: ("◔ used already", WARN),
    DriftState.SECOND_CODE: ("? a second code", WARN),
    DriftState.DRIFTED: ("▲ clock is off", WARN),
    DriftState.SERVER: ("■ our clock", BAD),
    DriftState.NO_MATCH: ("✗ no match", BAD),
    DriftState.MALFORMED: ("? not a code", WARN),
}
"""A glyph, a word and a look for each reading."""

WHAT_NOW: Final = {
    DriftState.RIGHT: "If it is refused all the same, the cause is another one.",
    DriftState.USED: "A code counts once. The clock is right.",
    DriftState.DRIFTED: "A reset will not help. The next code after that will do.",
    DriftState.SERVER: "Pass it on as an outage.",
    DriftState.NO_MATCH: "The entry must be made anew: a reset by whoever may.",
}
"""What follows from a reading."""

REACH_MIN: Final = FAR_STEPS * STEP_S // 60
"""Minutes either side of now that the ruler shows."""


def reading(drift: Drift, waits_s: float) -> list[Entry]:
    """Return a reading in words, with the wait that is left and the ruler where it has a place."""
    word, look = LOOKS[drift.state]
    found = [entry("reading", Content.assemble((word, look)))]
    if drift.state is DriftState.USED:
        left = (
            f"Wait {waits_s:.0f} s for the next one." if waits_s > 0 else "The next one is there."
        )
        found.append(entry("", show(f"That code was used already. {left}")))
    else:
        found.append(entry("", show(drift.says)))
    if drift.state in WHAT_NOW:
        found.append(entry("", show(WHAT_NOW[drift.state], QUIET)))
    if drift.offset_s is not None and drift.state is not DriftState.USED:
        found.append(entry("phone", ruler(drift.offset_s, look)))
    return found


def ruler(offset_s: int, look: str) -> Content:
    """Return a ruler from slow to fast: `┼` is our time, `◆` the phone's."""
    marks = ["─"] * (2 * FAR_STEPS + 1)
    marks[FAR_STEPS] = "┼"
    at = FAR_STEPS + max(-FAR_STEPS, min(FAR_STEPS, round(offset_s / STEP_S)))
    left, right = "".join(marks[:at]), "".join(marks[at + 1 :])
    told = "in step" if not offset_s else f"{abs(offset_s)} s {'fast' if offset_s > 0 else 'slow'}"
    return Content.assemble(
        (f"−{REACH_MIN} min ", LABEL),
        (left, QUIET), ("◆", look), (right, QUIET),
        (f" +{REACH_MIN} min", LABEL), "   ", (told, STRONG),
    )  # fmt: skip
