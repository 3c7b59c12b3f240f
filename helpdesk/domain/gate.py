"""The gate.

May this agent do this now, to this caller? Asked by the screen, and asked again where it is carried
out.

    who may, in this product? ─▶ will it help? ─▶ is the caller proven? ─▶ reason and ticket
        ─▶ a second person? ─▶ limits ─▶ hold

The first refusal ends it; needs are gathered, so that the agent sees at once all that is missing.
Nothing here reads
a clock or a file: whoever skips the screen meets the same answer at the desk.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from helpdesk.domain.actions import AnyAction, EnrolTotp, Risk, TurnOffMfa
from helpdesk.domain.agents import Agent
from helpdesk.domain.approvals import Approval, granted_for
from helpdesk.domain.audit import LogRow
from helpdesk.domain.cases import Case
from helpdesk.domain.decisions import Decision, Need, Weight
from helpdesk.domain.diagnosis.vain import vain
from helpdesk.domain.diagnosis.verdicts import Strength, Verdict
from helpdesk.domain.limits import BREAKER, is_breaker_open, reached
from helpdesk.domain.policies import decide
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import Method, Proof, Sufficiency, sufficiency
from helpdesk.domain.users import FactorKind, FactorState


class Standing(Struct, frozen=True, kw_only=True):
    """What the desk knows beside the case when it weighs an act.

    Attributes:
        log: The rows of the log that the limits are counted in, oldest first.
        colleagues: Logins of the agents of this desk: acts on them take a second person.
    """

    verdict: Verdict | None = None
    proofs: tuple[Proof, ...] = ()
    approvals: tuple[Approval, ...] = ()
    log: Sequence[LogRow] = ()
    colleagues: frozenset[str] = frozenset()


class Answer(Struct, frozen=True, kw_only=True):
    """The gate's decision, and what the act would use up.

    Attributes:
        second: Why a second person is needed; empty where none is.
    """

    decision: Decision
    proofs: tuple[Proof, ...] = ()
    approval: Approval | None = None
    second: str = ""


def weigh(
    agent: Agent,
    action: AnyAction,
    card: Product,
    case: Case,
    standing: Standing,
    now: datetime,
) -> Answer:
    """Return whether *agent* may do *action* at *now*, with everything that is still missing."""
    decision = decide(agent, action, card, case, now)
    if decision.is_refused:
        return Answer(decision=decision)
    granted = granted_for(action, agent.id, standing.approvals, now)
    why, instead = _in_vain(action, standing.verdict)
    if why:
        return Answer(
            decision=replace(decision, weight=Weight.REFUSED, needs=(), why=why, instead=instead)
        )
    needs = list(decision.needs)
    proven = Sufficiency()
    if finishes(action, case):
        proven = Sufficiency(used=_begun_with(action, standing))
    elif action.risk is Risk.HIGH:
        proven = _proven(agent, action, case, standing, granted, now)
        if proven.lacks:
            needs.insert(0, Need(what="proof", says=proven.lacks))
    second = why_second(action, card, case, standing, proven, now)
    approval = granted if second else None
    if second and approval is None:
        needs.append(Need(what="second-person", says=f"A second person must agree: {second}."))
    if not finishes(action, case):
        needs.extend(reached(action.name, agent.id, case.user.id, standing.log, now))
    weight = Weight.NEEDS if needs else Weight.ALLOWED
    decision = replace(decision, weight=weight, needs=tuple(needs))
    return Answer(decision=decision, proofs=proven.used, approval=approval, second=second)


def _proven(
    agent: Agent,
    action: AnyAction,
    case: Case,
    standing: Standing,
    granted: Approval | None,
    now: datetime,
) -> Sufficiency:
    """Whether the caller is proven: now, or when the second person was asked, whom they outlive."""
    if granted is None:
        return sufficiency(action, case, agent.id, standing.proofs, now)
    theirs = tuple(
        replace(proof, used_at=None) for proof in standing.proofs if proof.id in granted.proofs
    )
    return sufficiency(action, case, agent.id, theirs, granted.asked_at)


def _begun_with(action: AnyAction, standing: Standing) -> tuple[Proof, ...]:
    """The proofs used up when what is finished now was begun: both rows of the log name them."""
    begun = [p for p in standing.proofs if (p.user, p.used_for) == (action.user, action.name)]
    last = max((p.used_at for p in begun if p.used_at is not None), default=None)
    return tuple(p for p in begun if p.used_at == last) if last else ()


def finishes(action: AnyAction, case: Case) -> bool:
    """Whether an act only ends what was begun with a proof: the first code of a new authenticator.

    Whoever reads it out holds the key that was handed over; a second proof would say no more.
    """
    return (
        isinstance(action, EnrolTotp)
        and bool(action.code)
        and any(
            factor.kind is FactorKind.TOTP and factor.state is FactorState.PENDING
            for factor in case.user.factors
        )
    )


def _in_vain(action: AnyAction, verdict: Verdict | None) -> tuple[str, str]:
    """Return why an act is stopped as being of no use, and what to do instead; empty if not."""
    top = verdict.top if verdict else None
    if top is None or top.strength is Strength.WEAK or action.name not in vain(top.id).stops:
        return "", ""
    from helpdesk.domain.diagnosis.acts import act_says  # noqa: PLC0415  (after the first frame)

    why = vain(top.id).why
    return f"{why[:1].upper()}{why[1:]} ({top.id}, {top.title}).", act_says(top.id)


def why_second(
    action: AnyAction,
    card: Product,
    case: Case,
    standing: Standing,
    proven: Sufficiency,
    now: datetime,
) -> str:
    """Return why an act takes a second person; empty where one agent is enough."""
    if action.risk is not Risk.HIGH or finishes(action, case):
        return ""
    role = card.role(case.user.role)
    is_privileged = (role is not None and role.administers) or case.user.id in {
        person.id for person in case.administrators
    }
    top = standing.verdict.top if standing.verdict else None
    reasons = (
        (is_privileged, "the user administers others"),
        (isinstance(action, TurnOffMfa), "it turns the second proof off"),
        (case.user.login.casefold() in standing.colleagues, "the user is an agent of this desk"),
        (proven.is_weak and not proven.lacks, "the caller was proven by e-mail only"),
        (
            not proven.lacks and any(p.method is Method.IN_PERSON for p in proven.used),
            "one agent alone has seen the caller",
        ),
        (top is not None and top.id in {"F3", "F4"}, "the caller may be the attacker"),
        (bool(case.user.flagged), "the user is flagged as suspicious"),
        (is_breaker_open(action.name, standing.log, now), BREAKER.says),
    )
    return next((why for holds, why in reasons if holds), "")
