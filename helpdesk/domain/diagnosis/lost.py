"""A lost telephone or mailbox: none of the fifty causes, and yet a case with words of its own."""

from __future__ import annotations

import re

from helpdesk.domain.diagnosis.facts import Call, Facts, Password
from helpdesk.domain.diagnosis.strangers import MOVES
from helpdesk.domain.diagnosis.verdicts import RankedCause
from helpdesk.domain.text import clean
from helpdesk.domain.tickets import Complaint

CALL_BACK = "For your safety I call you back first, on the number we have on record."
CALL_BEFORE = "For your safety I call you back first, on the number we had on record before."
"""Said before anything else, until the caller has been reached there."""

SILENCE = frozenset({"C1", "C2", "C3", "C6", "C7", "C8", "C9", "C11", "C12"})
"""Causes that a log shows by a code that nobody typed, as nobody does without the telephone."""


def is_told(facts: Facts) -> bool:
    """Whether the contact is about a lost telephone or mailbox: by complaint, or by the call."""
    if facts.complaint is not None:
        return facts.complaint is Complaint.LOST_FACTOR
    return any(call.asks == "reset" for call in facts.since(Call))


def is_all(facts: Facts, top: RankedCause | None) -> bool:
    """Whether a loss is reported and the log holds nothing that would explain it better."""
    if not is_told(facts):
        return False
    if top is None or top.group in "AB":
        return True
    passwords = facts.since(Password)
    if top.id == "C11" and passwords and not passwords[-1].ok:
        return False
    troubled = [s.trouble for one in facts.recent for s in one.sends if s.trouble]
    return top.id in SILENCE and not troubled


def say(facts: Facts, *, is_reached: bool) -> str:
    """Return what to tell the customer: first the call back, then the way this product has."""
    way = way_of(facts, Complaint.LOST_FACTOR, "reset-all")
    first = call_back(facts)
    return way if is_reached else f"{first}\n{way}" if way else first


def call_back(facts: Facts) -> str:
    """Return the words for calling back: on the number before any change of the last week."""
    moved = [c for c in facts.changes(*MOVES) if (facts.anchor - c.at).days < 7]
    return CALL_BEFORE if moved else CALL_BACK


def way_of(facts: Facts, complaint: Complaint, name: str) -> str:
    """Return the card's advice for a complaint, else the first sentence of an act's route."""
    told = [a.steps[0] for a in facts.card.advice if a.complaint is complaint]
    act = facts.card.acts.get(name)
    route = facts.card.route(act.route) if act else None
    words = told[0] if told else route.say.split(". ")[0].rstrip(".") + "." if route else ""
    return clean(re.sub(r"[:,]? ?\{\w+\},?", "", words), limit=160)


def act_says(facts: Facts) -> str:
    """Return what the agent is told: whom to reach, and whose the reset is."""
    return clean(f"Call back on the number of record. {instead(facts, 'reset-all')}", limit=200)


def instead(facts: Facts, name: str) -> str:
    """Return what the card has the agent do instead of an act, without names it does not know."""
    act = facts.card.acts.get(name)
    ready = re.sub(r"\{\w+\}", "an administrator of the account", act.instead) if act else ""
    return clean(ready, limit=200)
