"""Weighing: from the lines of fifty causes to one ranking with calibrated chances.

lines ─▶ score of each cause ─▶ hostile first ─▶ pairs the log cannot tell ─▶ chances
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set

from msgspec import Struct

from helpdesk.domain.diagnosis import (
    by_design,
    clocks,
    delivery,
    doors,
    elsewhere,
    hostile,
    locks,
    memory,
    phones,
    refusal,
    session,
    several,
    unsent,
)
from helpdesk.domain.diagnosis.catalog import CAUSES, Cause, Scene
from helpdesk.domain.diagnosis.facts import Facts
from helpdesk.domain.diagnosis.hearing import caller_lines, meaning, volunteered
from helpdesk.domain.diagnosis.pairs import Pair
from helpdesk.domain.diagnosis.questions import PAIRS
from helpdesk.domain.diagnosis.verdicts import (
    CallerSaid,
    Evidence,
    Heard,
    RankedCause,
    Strength,
)
from helpdesk.domain.products import Product
from helpdesk.domain.tickets import Complaint

GROUPS = (
    by_design, memory, several, delivery, phones, unsent, refusal, elsewhere, clocks, locks,
    session, doors, hostile,
)  # fmt: skip
"""The modules that hold the causes; to import them is to enter them."""

TEMPERATURE = 0.8
"""Divides every score: found on labelled cases so that of ten verdicts at 0.9 nine are right."""

MOST = 0.985
"""The most that a log can prove: rows lack, clocks are off, and labels are wrong now and then."""

BACKGROUND = 0.5
"""The score of *something that is not among the fifty*."""

HOSTILE_FLOOR = 4.0
"""From this score on a hostile cause goes before any harmless one."""

HOSTILE_DOUBT = 2.0
"""What a hostile cause below the floor loses: nobody is called an attacker on a hint."""

HOSTILE_LEAD = 1.2
"""By how much it then leads."""

CLOSE = 3.5
"""Two causes of a pair nearer than this are not told apart where the deciding fact is lacking."""

ALWAYS_OPEN = frozenset({"A2/F1", "B1/B3", "C5/C2", "D4/D4b", "D4/D5", "D8/F1", "E1/D3", "E1/E2"})
"""Pairs whose other half stays possible however well the first fits, while the fact is lacking."""

FIRST = {"E1/E2": "E1/D3"}
"""By pair: the one to be settled before it, as a code is first taken or refused, then lost."""

SHOWN = 8
"""Causes in a verdict."""

COMPLAINTS: dict[Complaint, dict[str, float]] = {
    Complaint.KEEPS_ASKING: {"A": 1.0, "B": 1.0, "E": 0.3, "C": -1.0, "D": -1.0},
    Complaint.NO_CODE: {"C": 1.2, "A": -1.5, "B": -1.0, "D": -1.2, "E": -1.0},
    Complaint.CODE_REFUSED: {"D": 1.2, "C13": 2.0, "B7": 1.5, "E5": 1.0, "A": -1.5, "C": -1.0},
    Complaint.LOOP: {"E": 1.2, "B": 0.5, "C": -1.0, "D": -0.5, "A": -0.5},
    Complaint.LOCKED: {"D9": 1.5, "D10": 1.5, "E5": 1.5, "A": -1.5, "B": -1.0, "C": -1.0},
    Complaint.LOST_FACTOR: {"C8": 1.0, "F3": 1.0, "E5": 0.5, "E4": 0.5, "A": -4.0, "B": -2.0},
    Complaint.UNASKED_CODES: {"F1": 1.5, "F2": 1.5, "A": -1.0, "C": -1.0, "D": -1.0, "E": -1.0},
    Complaint.TURN_OFF: {"A": 1.0, "B": 0.5, "F3": 0.5},
}
"""What a complaint makes likelier, by cause or by group: a hint, never a proof."""

NOT_IN_PRODUCT = -2.0
"""Against a cause that the product's card does not know the factor or the rule for."""


class Weighed(Struct, frozen=True, kw_only=True):
    """The ranking and what was learnt on the way.

    Attributes:
        chances: By cause id, the likeliest first.
        pair: The pair that the log cannot tell apart, or None.
    """

    ranked: tuple[RankedCause, ...]
    chances: Mapping[str, float]
    pair: Pair | None
    heard: tuple[Heard, ...]


def weigh(scene: Scene, answers: Sequence[CallerSaid]) -> Weighed:
    """Return the causes ranked, the hostile ones first where they are likely enough."""
    lines = {cause_id: one.find(scene) for cause_id, one in CAUSES.items()}
    heard = _hear(scene.facts, answers, lines)
    scores = {
        cause_id: _score(CAUSES[cause_id], scene.facts, found)
        for cause_id, found in lines.items()
        if found and any(line.weight > 0 for line in found)
    }
    _doubt_hints(scores)
    _hostile_first(scores)
    answered = {said.ask for said in heard if said.reply}
    pair = None if not scores else _undecided(scene.facts, scores, answered)
    chances = _chances(scores)
    ranked = tuple(_ranked(cause_id, p, lines[cause_id]) for cause_id, p in chances.items())
    return Weighed(ranked=ranked[:SHOWN], chances=chances, pair=pair, heard=heard)


def _hear(
    facts: Facts, answers: Sequence[CallerSaid], lines: dict[str, list[Evidence]]
) -> tuple[Heard, ...]:
    heard = []
    for said in answers:
        one = meaning(said, facts)
        heard.append(Heard(ask=said.ask, said=said.reply, reply=one.id if one else ""))
        for told in (one, volunteered(said)):
            for cause_id, line in caller_lines(told, said).items() if told else ():
                lines.setdefault(cause_id, []).append(line)
    return tuple(heard)


def _score(cause: Cause, facts: Facts, found: Sequence[Evidence]) -> float:
    hint = COMPLAINTS.get(facts.complaint, {}) if facts.complaint else {}
    bias = hint.get(cause.id, hint.get(cause.id[0], 0.0))
    fits = 0.0 if occurs(cause, facts.card) else NOT_IN_PRODUCT
    return cause.prior + bias + fits + sum(line.weight for line in found)


def occurs(cause: Cause, card: Product) -> bool:
    """Whether a product has a factor and a rule with which a cause can occur."""
    has_factor = not cause.needs or any(f.kind.value in cause.needs for f in card.factors)
    has_rule = not cause.rules or any(a.rule in cause.rules for a in card.asked)
    return has_factor and has_rule


def _undecided(facts: Facts, scores: dict[str, float], answered: Set[str]) -> Pair | None:
    """The pair of the likeliest cause that the log cannot tell; its other half is moved up."""
    top = max(scores, key=lambda cause_id: scores[cause_id])
    best: tuple[float, Pair, str] | None = None
    for pair in PAIRS.values():
        if top not in pair.ends or not pair.ask(facts) or not pair.lacks(facts):
            continue
        partner = pair.ends[0] if pair.ends[1] == top else pair.ends[1]
        first = PAIRS.get(FIRST.get(pair.id, ""))
        if pair.id in answered or (first and first.id not in answered and first.lacks(facts)):
            continue
        gap = scores[top] - scores.get(partner, -math.inf)
        is_open = gap <= CLOSE or pair.id in ALWAYS_OPEN
        if is_open and (best is None or gap < best[0]):
            best = gap, pair, partner
    if best is None:
        return None
    second = sorted([*scores.values(), BACKGROUND], reverse=True)[1]
    scores[best[2]] = max(scores.get(best[2], -math.inf), min(second + 0.05, scores[top] - 0.05))
    return best[1]


def _doubt_hints(scores: dict[str, float]) -> None:
    """Put hostile causes that rest on hints behind the harmless ones; alone they say nothing."""
    harmless = max((s for cause_id, s in scores.items() if cause_id[0] != "F"), default=None)
    for cause_id in [one for one in scores if one[0] == "F" and scores[one] < HOSTILE_FLOOR]:
        if harmless is None:
            del scores[cause_id]
        else:
            scores[cause_id] = min(scores[cause_id] - HOSTILE_DOUBT, harmless - 0.5)


def _hostile_first(scores: dict[str, float]) -> None:
    """Lift hostile causes that are likely enough above every harmless one."""
    harmless = max((s for cause_id, s in scores.items() if cause_id[0] != "F"), default=0.0)
    for cause_id in [one for one in scores if one[0] == "F" and scores[one] >= HOSTILE_FLOOR]:
        lead = HOSTILE_LEAD + (scores[cause_id] - HOSTILE_FLOOR) / 4
        scores[cause_id] = max(scores[cause_id], harmless + lead)


def _chances(scores: Mapping[str, float]) -> dict[str, float]:
    order = sorted(scores, key=lambda cause_id: -scores[cause_id])
    if not order:
        return {}
    top = max(scores[order[0]], BACKGROUND)
    odds = {cause_id: math.exp((scores[cause_id] - top) / TEMPERATURE) for cause_id in order}
    whole = sum(odds.values()) + math.exp((BACKGROUND - top) / TEMPERATURE)
    return {cause_id: calibrated(odd / whole) for cause_id, odd in odds.items()}


def calibrated(share: float) -> float:
    """Return the chance that a share of the weight has stood for on labelled cases."""
    return round(share * MOST, 4)


def _ranked(cause_id: str, p: float, lines: Sequence[Evidence]) -> RankedCause:
    strength = Strength.CERTAIN if p >= 0.95 else Strength.STRONG if p >= 0.6 else Strength.WEAK
    return RankedCause(
        id=cause_id,
        title=CAUSES[cause_id].title,
        p=p,
        strength=strength,
        evidence=tuple(sorted((x for x in lines if x.weight > 0), key=lambda x: -x.weight)),
        against=tuple(sorted((x for x in lines if x.weight <= 0), key=lambda x: x.weight)),
    )
