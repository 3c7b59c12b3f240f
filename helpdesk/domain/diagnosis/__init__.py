"""The diagnosis: why a user is asked again and again, from the card, the user and the timeline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from helpdesk.domain.diagnosis.acts import STOP, act_for, act_says, no_use
from helpdesk.domain.diagnosis.catalog import CAUSES, Scene
from helpdesk.domain.diagnosis.facts import Call, Facts
from helpdesk.domain.diagnosis.fleet import FleetFindings, crowd_of, fleet
from helpdesk.domain.diagnosis.hostile import WISHES
from helpdesk.domain.diagnosis.questions import PAIRS, Pair
from helpdesk.domain.diagnosis.verdicts import (
    CallerSaid,
    Evidence,
    NoUse,
    Question,
    RankedCause,
    Reply,
    Strength,
    Verdict,
)
from helpdesk.domain.diagnosis.weigh import Weighed, weigh
from helpdesk.domain.diagnosis.words import say
from helpdesk.domain.products import Product
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.timeline import AnyEvent, Send
from helpdesk.domain.users import User

__all__ = [
    "CAUSES", "STOP", "CallerSaid", "Evidence", "FleetFindings", "NoUse", "Question",
    "RankedCause", "Reply", "Strength", "Verdict", "diagnose", "fleet",
]  # fmt: skip


def diagnose(  # noqa: PLR0913
    card: Product,
    user: User,
    timeline: Sequence[AnyEvent],
    now: datetime,
    *,
    complaint: Complaint | None = None,
    others: Sequence[tuple[User, Sequence[AnyEvent]]] = (),
    answers: Sequence[CallerSaid] = (),
    account_products: Sequence[str] = (),
    cards: Iterable[Product] = (),
) -> Verdict:
    """Return why it keeps asking, with what to ask, to say and to do.

    Never raises for a timeline that could be decoded; its events may come in any order and twice.
    *others* are other users with their timelines of the same hours, *answers* what the caller said
    to earlier questions, *account_products* the ids of the products that the account has (empty
    where it is not known), *cards* the other products, by whose names a wrong door is known.
    """
    colleagues = [
        events for other, events in others if other.account and other.account == user.account
    ]
    facts = Facts(card, user, timeline, now, complaint, account_products, cards, colleagues)
    crowd = crowd_of(user, facts.events, others, now)
    facts.compared = crowd.clears | crowd.shared.keys() | crowd.echoes.keys()
    facts.others_sends = frozenset(
        event.send for _, events in others for event in events if isinstance(event, Send)
    )
    scene = Scene(facts, crowd)
    weighed = weigh(scene, answers)
    top = weighed.ranked[0] if weighed.ranked else None
    question, cannot = _question(facts, weighed)
    shared = next(
        (f"{crowd.shared[one.id]} ({one.id})" for one in weighed.ranked if one.id in crowd.shared),
        "",
    )
    return Verdict(
        causes=weighed.ranked,
        ask=question,
        cannot_tell=cannot,
        say=say(top.id, facts) if top else "",
        act=act_for(facts, weighed.chances, is_open=weighed.pair is not None),
        act_says=act_says(top.id) if top else "",
        will_not_help=no_use(weighed.chances),
        nothing_is_broken=top is not None and top.group == "A",
        is_hostile=top is not None and top.group == "F",
        also_others=shared,
        heard=weighed.heard,
    )


def _question(facts: Facts, weighed: Weighed) -> tuple[Question | None, str]:
    pair = weighed.pair
    is_attacker = bool(weighed.ranked) and weighed.ranked[0].id == "F3"
    if is_attacker or (pair is None and _is_lost_phone(facts, weighed)):
        pair = PAIRS["F3/lost phone"]
    if pair is None:
        return None, ""
    return pair.question(facts), _cannot_tell(facts, pair)


def _is_lost_phone(facts: Facts, weighed: Weighed) -> bool:
    """Whether a lost telephone is reported and nothing surer was found."""
    told = {said.ask for said in weighed.heard}
    is_sure = weighed.ranked and weighed.ranked[0].p >= 0.8 and weighed.ranked[0].group != "A"
    wishes = [call for call in facts.since(Call) if call.asks in WISHES]
    return (
        (facts.complaint is Complaint.LOST_FACTOR or bool(wishes))
        and not is_sure
        and PAIRS["F3/lost phone"].id not in told
    )


def _cannot_tell(facts: Facts, pair: Pair) -> str:
    first, second = pair.ends
    return f"cannot tell {first} from {second}, because the log has no {pair.lacks(facts)}"
