"""What to do about a cause: the act that mends it, or none, and the acts that would be of no use.

Caution goes first. No reset is advised where one would not help or could harm; no new code where
the last is still on its way or a lock refuses every code; no act that the product's card gives
nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from helpdesk.domain.diagnosis.facts import Facts
from helpdesk.domain.diagnosis.vain import RESETS, vain
from helpdesk.domain.diagnosis.verdicts import NoUse
from helpdesk.domain.products import Product

STOP: Final = "stop"

FIRST_ACT: dict[str, tuple[str, ...]] = {
    "B4": ("end-sessions",),
    "B8": ("route",),
    "C4": ("route",),
    "C5": ("route",),
    "D1": ("send-code",),
    "D4b": ("route",),
    "D5": ("reset-factor", "route"),
    "D9": ("unlock", "route"),
    "D10": ("unlock", "route"),
    "E2": ("route",),
    "E3": ("end-sessions",),
    "E5": ("route",),
    "E6": ("route",),
}
"""By cause: the acts that mend it, the first that the card gives somebody; the rest need none."""

SAYS: dict[str, str] = {
    "A": "Show the rule that asked.",
    "B": "The browser forgets: no act of the desk mends that.",
    "A2": "Make sure that it was they.",
    "A5": "Make sure that they meant to export.",
    "A6": "Name the policy, and pass it to its owner.",
    "B4": "End the old sessions, so that one login stays.",
    "B5": "Note it: the address keeps changing.",
    "B6": "Have them try another network.",
    "B7": "Have them close all tabs and start from one.",
    "B8": "Pass it to the product team with the page's address.",
    "C1": "Show where it went. Another address needs proof of the caller.",
    "C2": "Spam and quarantine first; a second code only after that.",
    "C3": "Show the clock and wait. A new code may void the one on its way.",
    "C4": "The address must come off the suppression list: pass it on.",
    "C5": "Report the outage and stop sending more codes.",
    "C6": "Go by the carrier's code. After STOP the user texts START.",
    "C7": "Confirm the last two digits. A change goes through whoever the product says.",
    "C8": "Have them open the app. A reset only by whoever may.",
    "C9": "Have them look in webmail.",
    "C10": "Show the countdown; send nothing before it ends.",
    "C11": "Help with the password, not with the second proof.",
    "C12": "Have them open the app: nothing is ever sent.",
    "C13": "That message only confirmed the number.",
    "C14": "They tick the box, confirm the number, and save.",
    "D1": "Send a new code and read out when it ends.",
    "D2": "Show which code is live; send no other.",
    "D3": "Have them type it again, or paste it.",
    "D4": "Measure the drift; the phone's time must be automatic.",
    "D4b": "Pass it on as an outage; reset nobody.",
    "D5": "The old entry goes; a reset only by whoever may.",
    "D6": "Wait for the next number.",
    "D7": "Show both challenges and ask who else is logging in.",
    "D8": "Advise typing the code; the filter's owner can except our mail.",
    "D9": "Unlock if the product lets you; no code works before that.",
    "D10": "Clear the count of failures.",
    "E1": "Give them the page to open directly.",
    "E2": "Pass it to the product team; the site's cookies must go.",
    "E3": "End the sessions, so that the login starts anew.",
    "E4": "Send the article on setting up a method.",
    "E5": "Pass them on to the vendor's support. No second reset.",
    "E6": "Show the way to the right product.",
    "F": "Stop: hostile until shown otherwise. Call back on the number of record.",
    "F1": "Stop. End the sessions and flag the user; no reset.",
    "F2": "Stop. Hold every change to this account.",
    "F3": "Stop. Call back on the number of record, and take a second person.",
    "F4": "Stop. Freeze the account and pass it on.",
}
"""What the agent is told beside the act, by cause or by group."""

NEEDS_P: dict[str, float] = {"send-code": 0.8, "reset-factor": 0.85, "unlock": 0.5}
"""How sure the first cause must be before its act is advised; half otherwise does."""

FORBID_P = 0.04
"""From this chance on, a cause with which an act would do harm holds it back."""


def act_for(facts: Facts, chances: Mapping[str, float], *, is_open: bool = False) -> str | None:
    """Return the act that mends the likeliest cause without harm to the others, or None.

    While a question is open (*is_open*) nothing is reset.
    """
    if not chances:
        return None
    top = next(iter(chances))
    if top.startswith("F"):
        return STOP
    for name in FIRST_ACT.get(top, ()):
        if is_open and name in RESETS:
            continue
        if is_given(facts.card, name) and _is_safe(facts, name, chances):
            return name
    return None


def _is_safe(facts: Facts, name: str, chances: Mapping[str, float]) -> bool:
    top = next(iter(chances))
    if chances[top] < NEEDS_P.get(name, 0.3):
        return False
    if any(p >= FORBID_P and name in vain(cause).harms for cause, p in chances.items()):
        return False
    if name == "send-code":
        newest = next((r.sends[-1] for r in reversed(facts.recent) if r.sends), None)
        prompt = newest is not None and newest.delay_s is not None and newest.delay_s < 60
        return prompt and facts.active_lock is None
    return True


def is_given(card: Product, name: str) -> bool:
    """Whether anybody at a desk may do an act for this product; routes are the desk's own."""
    if name == "route":
        return bool(card.routes)
    act = card.acts.get(name)
    return act is not None and bool(act.who)


def act_says(cause_id: str) -> str:
    """What the agent is told to do about a cause."""
    return SAYS.get(cause_id) or SAYS.get(cause_id[0], "")


def no_use(chances: Mapping[str, float]) -> tuple[NoUse, ...]:
    """Return the acts that would be of no use for the likely causes, the likeliest cause first."""
    found: dict[str, NoUse] = {}
    for cause_id, p in list(chances.items())[:3]:
        if p < 0.15:
            continue
        against = vain(cause_id)
        for name in against.no_use:
            found.setdefault(name, NoUse(act=name, why=f"{against.why} ({cause_id})"))
    return tuple(found.values())
