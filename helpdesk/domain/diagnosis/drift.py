"""The drift meter: by how much a phone's clock is off, told from one or two codes.

    code ─▶ near a step of now ─▶ right            far from now ─▶ needs a second code
                   └─▶ step already used                 └─▶ both at one offset ─▶ drifted

The secret stays with whoever gives `code_at`; only the offset comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

STEP_S: Final = 30
"""RFC 6238, section 4.1: the default time step."""

NEAR_STEPS: Final = 1
"""Steps either side of now that one code alone may speak for."""

FAR_STEPS: Final = 14
"""Steps either side of now that are searched: 29 of a million codes match by chance, 0.003 %."""

DIGITS: Final = 6

TRIES: Final = 5
"""How often one user's phone may be measured within `TRIES_IN`: fewer than guessing would need."""

TRIES_IN: Final = timedelta(minutes=15)

CodeAt = Callable[[int], str]
"""Gives the code of a step: seconds since 1970 divided by 30."""


class DriftState(StrEnum):
    """What a code says of a phone's clock."""

    RIGHT = "right"
    USED = "used"
    SECOND_CODE = "second-code"
    DRIFTED = "drifted"
    SERVER = "server"
    NO_MATCH = "no-match"
    MALFORMED = "malformed"


class Drift(Struct, frozen=True, kw_only=True):
    """What the meter says.

    Attributes:
        offset_s: How far the phone is ahead (positive) or behind; None where nothing matched or
            nothing may be said yet.
        wait_s: Seconds until the next code, where the step was used already.
        chance: How likely a wrong code would have matched as well, 0 to 1.
    """

    state: DriftState
    says: str
    offset_s: int | None = None
    wait_s: int | None = None
    chance: float = 0.0


def is_code(told: str) -> bool:
    """Whether what was read out has the form of a code: six to eight digits, spaces aside."""
    bare = "".join(told.split())
    return bare.isascii() and bare.isdigit() and DIGITS <= len(bare) <= 8


def measure(
    codes: Sequence[str],
    code_at: CodeAt,
    now: datetime,
    *,
    used_step: int | None = None,
    others_s: Sequence[float] = (),
    pause_s: float = STEP_S,
) -> Drift:
    """Return what one code, or two in a row, say of the phone's clock.

    Args:
        codes: As read out, the older first; only the last two are looked at.
        code_at: Gives the code of a step.
        now: When the last code was read out.
        used_step: The step that was accepted last, or None.
        others_s: Offsets of other users measured in the same minutes.
        pause_s: Seconds between the two codes, at most one step more or less is allowed for.
    """
    spoken = ["".join(c for c in code if c.isascii() and c.isdigit()) for code in codes[-2:]]
    if not spoken or any(len(code) < DIGITS or len(code) > 8 for code in spoken):
        return Drift(state=DriftState.MALFORMED, says="A code has six digits: read it out again.")
    step = int(now.timestamp()) // STEP_S
    offsets = _offsets(spoken[-1], code_at, step)
    near = [offset for offset in offsets if abs(offset) <= NEAR_STEPS]
    if near:
        return _near(near[0], step, used_step, now)
    chance = (2 * FAR_STEPS + 1) / 10 ** len(spoken[-1])
    if len(spoken) < 2:
        if not offsets:
            return _no_match(chance)
        says = "It fits a moment far from now. Wait for the next code and read that out as well."
        return Drift(state=DriftState.SECOND_CODE, says=says, chance=chance)
    pause = max(1, round(pause_s / STEP_S))
    first = _offsets(spoken[0], code_at, step - pause)
    both = [o for o in offsets if any(abs(o - other) <= 1 for other in first)]
    return _far(both[0], chance, others_s) if both else _no_match(chance)


def _offsets(code: str, code_at: CodeAt, step: int) -> list[int]:
    """Steps from *step* at which the code fits, the nearest first."""
    order = sorted(range(-FAR_STEPS, FAR_STEPS + 1), key=lambda offset: (abs(offset), offset))
    return [offset for offset in order if step + offset >= 0 and code_at(step + offset) == code]


def _near(offset: int, step: int, used_step: int | None, now: datetime) -> Drift:
    chance = (2 * NEAR_STEPS + 1) / 10**DIGITS
    if used_step is not None and step + offset <= used_step:
        wait = max(1, (used_step + 1 - offset) * STEP_S - int(now.timestamp()))
        says = f"That code was used already. Wait {wait} s for the next one."
        return Drift(state=DriftState.USED, says=says, offset_s=0, wait_s=wait, chance=chance)
    says = "The code is right, and so is the phone's clock."
    return Drift(state=DriftState.RIGHT, says=says, offset_s=offset * STEP_S, chance=chance)


def _far(offset: int, chance: float, others_s: Sequence[float]) -> Drift:
    seconds = offset * STEP_S
    alike = [other for other in others_s if abs(other - seconds) <= STEP_S]
    both = chance * 3 / 10**DIGITS
    if len(alike) >= 2:
        says = f"{len(alike)} other users have the same offset: it is our clock. Reset nobody."
        return Drift(state=DriftState.SERVER, says=says, offset_s=seconds, chance=both)
    way = "fast" if seconds > 0 else "slow"
    says = f"The phone is {abs(seconds)} s {way}; the secret is right. Set its time to automatic."
    return Drift(state=DriftState.DRIFTED, says=says, offset_s=seconds, chance=both)


def _no_match(chance: float) -> Drift:
    says = "It fits no moment near now: an old entry in the app, or another account's."
    return Drift(state=DriftState.NO_MATCH, says=says, chance=chance)
