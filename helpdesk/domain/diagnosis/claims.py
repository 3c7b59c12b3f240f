"""What the log does not bear is not said: other words for a cause where the usual claim too much.

A cause may be likely though the row is missing that its sentence speaks of. Then this sentence is
said, which claims less, or another that fits what has happened since.
"""

from __future__ import annotations

from collections.abc import Callable

from helpdesk.domain.codes import expiry
from helpdesk.domain.diagnosis.delivery import LATE_S, PHONE, recent_sends
from helpdesk.domain.diagnosis.facts import Facts, Lock, Password
from helpdesk.domain.diagnosis.refusal import refusals
from helpdesk.domain.diagnosis.rounds import Sent
from helpdesk.domain.diagnosis.strangers import MOVES
from helpdesk.domain.diagnosis.verdicts import clock


def _came_late(facts: Facts) -> Sent | None:
    """The newest message, where it was late and has come by now."""
    sends = recent_sends(facts)
    newest = sends[-1] if sends else None
    if newest is None or newest.delay_s is None or newest.delay_s < LATE_S:
        return None
    return newest


def is_over(facts: Facts) -> bool:
    """Whether the newest message came late and its code has died since."""
    newest = _came_late(facts)
    end = expiry(facts.card, newest.event) if newest else None
    return end is not None and end < facts.now


def _late(facts: Facts) -> str:
    newest = _came_late(facts)
    if newest is None or newest.arrived_at is None:
        return ""
    came = f"The message came late, at {clock(newest.arrived_at)}."
    if is_over(facts):
        return f"{came} Its code has run out by now.\nAsk for one more, and wait for that one."
    return f"{came} Please look for it now,\nand use no older one."


def _loop(facts: Facts) -> str:
    if any(one.is_accepted for one in facts.recent):
        return ""
    return "It keeps asking you again. What does the page say after you enter the code?"


def _junk(facts: Facts) -> str:
    if recent_sends(facts):
        return ""
    return "The message may be with you already. Please look in spam, junk and quarantine."


def _unfetched(facts: Facts) -> str:
    if any(sent.arrived for sent in recent_sends(facts)):
        return ""
    return "Your mail program may not have fetched the message yet. Open webmail and look there."


def _text(facts: Facts) -> str:
    sends = [sent for sent in recent_sends(facts) if sent.event.channel in PHONE]
    if any(sent.trouble for sent in sends):
        return ""
    return "The text may not have reached your phone. Is it on, and can it take texts?"


def _no_code_now(facts: Facts) -> str:
    if facts.is_stale or not (bool(facts.recent) or bool(facts.since(Password))):
        return "I see no try of yours here today. A code comes only after the right password."
    if not recent_sends(facts):
        return ""
    return "For your last try no code was sent: it comes only after the right password."


def _maybe_locked(facts: Facts) -> str:
    named = any(r.answer.reason == "locked" for r in refusals(facts))
    if named or facts.every(Lock) or facts.user.is_locked(facts.now):
        return ""
    return "You may be locked out; then even the right code fails. Please stop trying for now."


def _number_before(facts: Facts) -> str:
    if not [c for c in facts.changes(*MOVES) if (facts.anchor - c.at).days < 7]:
        return ""
    return "For your safety I will call you back on the number we had on record before."


OTHERWISE: dict[str, Callable[[Facts], str]] = {
    "C2": _junk,
    "C3": _late,
    "C6": _text,
    "C9": _unfetched,
    "C11": _no_code_now,
    "D9": _maybe_locked,
    "E1": _loop,
    "F3": _number_before,
}
"""By cause: the words that the log bears, or empty where it bears the usual ones."""


def otherwise(cause_id: str, facts: Facts) -> str:
    """Return what to say instead of the usual words; empty where they are true of the log."""
    find = OTHERWISE.get(cause_id)
    return find(facts) if find else ""


def then(cause_id: str, facts: Facts) -> str:
    """Return what the agent is told instead of the usual; empty where that fits."""
    if cause_id == "C3" and _came_late(facts):
        return "It has come. Show when, and whether its code still lives."
    if cause_id == "E1" and not facts.card.landing.value:
        return "Have them start anew and open the page they want; the card names none."
    if cause_id == "F3" and _number_before(facts):
        return "Stop. Call back on the number of record before the change; take a second person."
    return ""
