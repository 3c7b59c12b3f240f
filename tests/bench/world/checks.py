"""How the server checks a code: the true reason, before any vocabulary."""

from __future__ import annotations

from tests.bench.world.records import Asked, Code, Record
from tests.bench.world.things import STEP, generated


def refused_code(asked: Asked, code: Code | None, now: float, newest_only: bool) -> str | None:
    """Why a code that was sent is refused for a challenge, or None where it is good."""
    if code is None or (code.asked and code.asked.record.account != asked.record.account):
        return "wrong"
    if code.asked is not asked:
        before = code.asked
        same = before and before.browser is asked.browser and before.tab == asked.tab
        return "superseded" if same and newest_only and not code.used else "foreign"
    if code.used:
        return "reused"
    if asked.done:
        return "foreign"
    if newest_only and code is not asked.codes[-1]:
        return "superseded"
    return "expired" if now > code.expires_at else None


def refused_number(record: Record, text: str, here: int) -> tuple[str | None, float | None]:
    """Why a generated number is refused at the server's step *here*, and by how many seconds."""
    for offset in sorted(range(-40, 41), key=abs):
        if generated(record.secret, here + offset) == text:
            if abs(offset) > 1:
                return "drift", float(offset * STEP)
            if here + offset in record.used_steps:
                return "reused", None
            record.used_steps.add(here + offset)
            return None, None
    return "wrong", None
