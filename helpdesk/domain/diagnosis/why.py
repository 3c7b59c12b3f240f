"""Why a user is asked again and again, from the card, the user and the timeline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from helpdesk.domain.diagnosis import lost
from helpdesk.domain.diagnosis.acts import act_for, act_says, no_use
from helpdesk.domain.diagnosis.beside import crowd_of
from helpdesk.domain.diagnosis.bystanders import Beside, Bystanders, Told
from helpdesk.domain.diagnosis.catalog import Scene
from helpdesk.domain.diagnosis.claims import is_over, then
from helpdesk.domain.diagnosis.facts import Call, FactorChange, Facts
from helpdesk.domain.diagnosis.hostile import WISHES
from helpdesk.domain.diagnosis.pairs import Pair
from helpdesk.domain.diagnosis.questions import PAIRS
from helpdesk.domain.diagnosis.strangers import MOVES, moved_by_a_stranger, went_on_as_before
from helpdesk.domain.diagnosis.verdicts import (
    CallerSaid,
    NoUse,
    Question,
    RankedCause,
    Verdict,
)
from helpdesk.domain.diagnosis.weigh import Weighed, weigh
from helpdesk.domain.diagnosis.words import say
from helpdesk.domain.products import Product
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.users import User

UNSURE = 0.4
"""Below this chance nothing is claimed: of the verdicts there, most were wrong."""

DO_NOT_KNOW = (
    "I cannot see from here what is wrong. What does the page say, word for word?",
    "The log does not say why. Ask what they see, and when it began.",
)
"""To the customer, and to the agent, where no cause is likely."""

TURN_OFF = "turn-off-mfa"
HOLD = "Number or address were changed from a never-seen address: hold all changes, and call back."

NO_BOX = PAIRS["C11/C2"]
CALL_BACK = PAIRS["F3/lost phone"]
"""The question that only a call back answers."""


def diagnose(  # noqa: PLR0913
    card: Product,
    user: User,
    timeline: Sequence[AnyEvent],
    now: datetime,
    *,
    complaint: Complaint | None = None,
    others: Beside | Sequence[Told] = (),
    answers: Sequence[CallerSaid] = (),
    account_products: Sequence[str] = (),
    cards: Iterable[Product] = (),
) -> Verdict:
    """Return why it keeps asking, with what to ask, to say and to do.

    Never raises for a timeline that could be decoded; its events may come in any order and twice.
    *others* are other users with their timelines of the same hours, as `Beside` where several are
    judged beside the same. *answers* are what the caller said to earlier questions,
    *account_products* the ids of the products that the account has (empty where it is not known),
    *cards* the other products, by whose names a wrong door is known.
    """
    beside = others if isinstance(others, Beside) else Beside(Bystanders(others))
    facts = Facts(card, user, timeline, now, complaint, account_products, cards, beside)
    crowd = crowd_of(user, facts.events, beside, now)
    facts.compared = crowd.clears | crowd.shared.keys() | (crowd.echoes.keys() - {"E2"})
    scene = Scene(facts, crowd)
    weighed = weigh(scene, answers)
    top = weighed.ranked[0] if weighed.ranked else None
    question, cannot = _question(facts, weighed)
    shared = next(
        (f"{crowd.shared[one.id]} ({one.id})" for one in weighed.ranked if one.id in crowd.shared),
        "",
    )
    words, then = _words(facts, weighed)
    return Verdict(
        causes=weighed.ranked,
        ask=question,
        cannot_tell=cannot,
        say=words,
        act=act_for(facts, weighed.chances, is_open=weighed.pair is not None),
        act_says=then,
        will_not_help=_no_use(facts, weighed),
        nothing_is_broken=_is_as_meant(facts, top),
        is_hostile=top is not None and top.group == "F",
        also_others=shared,
        heard=weighed.heard,
    )


def _words(facts: Facts, weighed: Weighed) -> tuple[str, str]:
    """What to tell the customer, and what the agent is told."""
    top = weighed.ranked[0] if weighed.ranked else None
    if lost.is_all(facts, top):
        reached = any(h.ask == CALL_BACK.id and h.reply == "reached" for h in weighed.heard)
        return lost.say(facts, is_reached=reached), lost.act_says(facts)
    if top is not None and top.group == "F":
        return say(top.id, facts), then(top.id, facts) or act_says(top.id)
    if moved_by_a_stranger(facts, facts.now):
        return lost.call_back(facts), HOLD
    if top is None:
        return "", ""
    if top.p < UNSURE and weighed.pair is None:
        way = lost.way_of(facts, Complaint.TURN_OFF, TURN_OFF)
        is_wish = facts.complaint is Complaint.TURN_OFF and bool(way)
        return (way, lost.instead(facts, TURN_OFF)) if is_wish else DO_NOT_KNOW
    return say(top.id, facts), then(top.id, facts) or act_says(top.id)


def _no_use(facts: Facts, weighed: Weighed) -> tuple[NoUse, ...]:
    """The acts of no use; a new code is of use where the late one has died."""
    found = no_use(weighed.chances)
    if weighed.ranked and weighed.ranked[0].id == "C3" and is_over(facts):
        return tuple(one for one in found if one.act != "send-code")
    return found


def _is_as_meant(facts: Facts, top: RankedCause | None) -> bool:
    return top is not None and top.group == "A" and top.p >= UNSURE and not lost.is_told(facts)


def _question(facts: Facts, weighed: Weighed) -> tuple[Question | None, str]:
    top = weighed.ranked[0] if weighed.ranked else None
    pair = weighed.pair
    if top is not None and top.id == "F3":
        pair = CALL_BACK
    elif lost.is_all(facts, top) or (pair in (None, NO_BOX) and _is_wished(facts, top)):
        pair = None if CALL_BACK.id in {said.ask for said in weighed.heard} else CALL_BACK
    if pair is None:
        return None, ""
    return pair.question(facts), _cannot_tell(facts, pair)


def _is_wished(facts: Facts, top: RankedCause | None) -> bool:
    """Whether a change is asked for by a caller, and nothing sure was found."""
    is_sure = top is not None and top.p >= 0.8 and top.group != "A"
    wishes = [call for call in facts.since(Call) if call.asks in WISHES]
    moved = [c for c in facts.since(FactorChange) if c.change in MOVES and not c.ip]
    fresh = bool(facts.since(Call)) and bool(moved) and not went_on_as_before(facts, moved[-1])
    if moved_by_a_stranger(facts, facts.now):
        return True
    return (facts.complaint is Complaint.LOST_FACTOR or bool(wishes) or fresh) and not is_sure


def _cannot_tell(facts: Facts, pair: Pair) -> str:
    first, second = pair.ends
    return f"cannot tell {first} from {second}, because the log has no {pair.lacks(facts)}"
