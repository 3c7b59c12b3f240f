"""The policy: may this agent do this, to this user, in this product, now? Always with the reason.

    decide ─▶ is it the agent themselves?           refused
           ─▶ is the role one that changes nothing? refused
           ─▶ is it another's account?              refused
           ─▶ desk acts (note, ticket, flag …)      by the desk's own table
           ─▶ does this kind of user have MFA?      refused where not (S1.29)
           ─▶ was it done already, in vain?         refused: the vendor's support (S4.17)
           ─▶ who may, by the product's card?       refused: why, and what instead
           ─▶ can the provider do it at all?        refused: in the provider's own words
           ─▶ does it apply to what is there?       refused: nothing is locked, nothing is sent …
           ─▶ what does it still need?              reason, ticket, factor, wait …

The product decides, so nothing here names one. Silence in a source never opens a dangerous door:
an act that a card does not list is refused, and an act that rests on the desk's own rule says so
(`documented` is False).
"""

from __future__ import annotations

import re
from datetime import datetime

from helpdesk.domain.actions import (
    ACTIONS,
    Action,
    AnyAction,
    CloseTicket,
    Flag,
    Note,
    Reveal,
    Route,
    TakeTicket,
    TemporaryPass,
)
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.cases import Case
from helpdesk.domain.decisions import Decision, Weight
from helpdesk.domain.fitting import factor_of, fitting_factors, why_unfit
from helpdesk.domain.lacks import lack_of
from helpdesk.domain.needs import desk_needs, is_address, is_mobile, needs_of
from helpdesk.domain.products import Act, Product
from helpdesk.domain.text import NOT_DOCUMENTED, clean
from helpdesk.domain.timeline import Answer, FactorChange, Password, Reset, Session
from helpdesk.domain.users import MfaState, User

__all__ = (
    "DESK_ACTS", "decide", "decide_all", "factor_of", "fitting_factors", "is_address", "is_mobile",
    "is_still_out_after_reset", "named",
)  # fmt: skip

DESK_ACTS: dict[type[Action], frozenset[Role]] = {
    Route: frozenset(set(Role) - {Role.AUDITOR}),
    Note: frozenset(set(Role) - {Role.AUDITOR}),
    Flag: frozenset(set(Role) - {Role.AUDITOR}),
    Reveal: frozenset(set(Role) - {Role.AUDITOR}),
    TakeTicket: frozenset({Role.SUPPORT, Role.ACCOUNT_MANAGER, Role.LEAD, Role.TRAINER}),
    CloseTicket: frozenset({Role.SUPPORT, Role.ACCOUNT_MANAGER, Role.LEAD, Role.TRAINER}),
}
"""Acts that are the desk's own, whatever the product: who may do them."""


def decide(agent: Agent, action: AnyAction, card: Product, case: Case, now: datetime) -> Decision:
    """Return whether *agent* may do *action* at *now*; if not, why, and what to do instead."""
    for question in (_hands_off, _desk_act, _without_mfa, _again, _who, _lacks, _applies):
        answer = question(agent, action, card, case, now)
        if answer is not None:
            return answer
    act = card.acts[action.name]
    needs = needs_of(action, card, case, now)
    return Decision(
        act=action.name,
        weight=Weight.NEEDS if needs else Weight.ALLOWED,
        why=""
        if act.documented
        else f"Who may do this is {NOT_DOCUMENTED}; the desk's own rule allows it.",
        instead=act.first,
        needs=needs,
        rules=act.rules,
        source=card.source.file,
        documented=act.documented,
        route=act.route,
    )


def decide_all(agent: Agent, card: Product, case: Case, now: datetime) -> tuple[Decision, ...]:
    """Return the answer to every act, before reason, ticket or factor have been given."""
    return tuple(
        decide(agent, kind(user=case.user.id), card, case, now) for kind in ACTIONS.values()
    )


def named(text: str, case: Case) -> str:
    """Return a card's sentence with this account's names put in.

    The places are `{administrators}`, `{manager}`, `{account}` and `{user}`.
    """
    return _PLACE.sub(lambda place: _name(place[1], case), text) if "{" in text else text


def _name(place: str, case: Case) -> str:
    match place:
        case "administrators":
            others = [one.name for one in case.administrators if one.id != case.user.id]
            return " or ".join(map(clean, others)) or "an administrator (nobody is on record)"
        case "manager":
            manager = case.manager
            return clean(manager.name) if manager else "the account manager (nobody is on record)"
        case "account":
            return clean(case.account.name)
    return clean(case.user.name)


_PLACE = re.compile(r"\{(administrators|manager|account|user)\}")


def _refused(action: AnyAction, why: str, instead: str = "", **more: object) -> Decision:
    return Decision(act=action.name, weight=Weight.REFUSED, why=why, instead=instead, **more)  # type: ignore[arg-type]


def hands_off(agent: Agent, user: User) -> tuple[str, str]:
    """Return why an agent keeps their hands off a user, whatever the act, and what instead.

    Both empty where they need not: it is not their own user, they do not only read, and they do
    not administer another account.
    """
    login = agent.login.casefold()
    if agent.id == user.id or (login and login == user.login.casefold()):
        return "This is your own user, and nobody acts on themselves.", ASK_A_COLLEAGUE
    if agent.role is Role.AUDITOR:
        return "An auditor reads and changes nothing.", "Ask a support agent or a lead."
    if agent.account not in {None, user.account}:
        return "You administer another account.", ITS_OWN
    return "", ""


ITS_OWN = "Its own administrators may."
ASK_A_COLLEAGUE = "Ask a colleague to take the ticket."


def _hands_off(
    agent: Agent, action: AnyAction, card: Product, case: Case, now: datetime
) -> Decision | None:
    why, instead = hands_off(agent, case.user)
    if instead == ITS_OWN:
        why = f"You administer another account, not {clean(case.account.name)}."
        instead = named("Its own administrators may: {administrators}.", case)
    return _refused(action, why, instead) if why else None


def _desk_act(
    agent: Agent, action: AnyAction, card: Product, case: Case, now: datetime
) -> Decision | None:
    roles = DESK_ACTS.get(type(action))
    if roles is None:
        return None
    if agent.role not in roles:
        return _refused(
            action, f"{action.title} is not for a {agent.role.words}.", "Ask a support agent."
        )
    if isinstance(action, CloseTicket) and not case.open_tickets:
        return _refused(action, "This user has no open ticket.")
    needs = desk_needs(action, card, case)
    return Decision(act=action.name, weight=Weight.NEEDS if needs else Weight.ALLOWED, needs=needs)


def _without_mfa(
    agent: Agent, action: AnyAction, card: Product, case: Case, now: datetime
) -> Decision | None:
    role = card.role(case.user.role)
    if case.user.mfa is not MfaState.NONE and (role is None or role.has_mfa):
        return None
    name = role.name if role and not role.has_mfa else clean(case.user.name)
    return _refused(
        action,
        f"{name} has no MFA in {card.name}, so there is nothing to change.",
        "If a code is asked for, it is another product's: ask which page asks.",
        rules=role.rules if role else (),
        source=card.source.file,
    )


def _who(
    agent: Agent, action: AnyAction, card: Product, case: Case, now: datetime
) -> Decision | None:
    act = card.acts.get(action.name)
    if act is None:
        route = card.routes[0] if card.routes else None
        return _refused(
            action,
            f"{action.title}: {NOT_DOCUMENTED} for {card.name}.",
            named(f"Ask {route.to}: {route.how}", case) if route else "",
            source=card.source.file,
            documented=False,
            route=route.id if route else None,
        )
    if agent.role not in act.who:
        return _by_card(action, act, card, case)
    return None


def _lacks(
    agent: Agent, action: AnyAction, card: Product, case: Case, now: datetime
) -> Decision | None:
    lack = lack_of(case.lacks, action.name)
    if lack is None and isinstance(action, TemporaryPass) and action.lost:
        lack = lack_of(case.lacks, "lost-factor")
    return None if lack is None else _refused(action, lack.says, lack.instead)


def _by_card(
    action: AnyAction,
    act: Act,
    card: Product,
    case: Case,
    route_id: str | None = None,
    why: str = "",
) -> Decision:
    route = card.route(route_id or act.route)
    instead = [named(act.instead, case)] if act.instead and not route_id else []
    if route is not None:
        instead.append(named(f"{route.to}: {route.how}", case))
        instead.extend(
            f"{number}. {named(step, case)}" for number, step in enumerate(route.steps, 1)
        )
    return _refused(
        action,
        why or named(act.why, case),
        " ".join(instead),
        rules=tuple(dict.fromkeys(act.rules + (route.rules if route else ()))),
        source=card.source.file,
        documented=act.documented,
        route=route.id if route else None,
    )


def _again(
    agent: Agent, action: AnyAction, card: Product, case: Case, now: datetime
) -> Decision | None:
    act = card.acts.get(action.name)
    if act is None or act.again is None or not is_still_out_after_reset(case):
        return None
    why = "A reset was done and the user still cannot log in: a second one will not help."
    return _by_card(action, act, card, case, act.again, why)


def is_still_out_after_reset(case: Case) -> bool:
    """Whether factors were reset, somebody tried to log in since, and nobody got in."""
    resets = [event.at for event in case.timeline if isinstance(event, Reset) and event.ok]
    if not resets:
        return False
    since = [event for event in case.timeline if event.at > resets[-1]]
    tried = any(isinstance(e, Password | Answer) for e in since)
    entered = any(
        (isinstance(e, Answer) and e.ok) or (isinstance(e, Session) and e.state == "created")
        for e in since
    )
    enrolled = any(isinstance(e, FactorChange) and e.change == "enrolled" for e in since)
    return tried and not entered and not enrolled


def _applies(
    agent: Agent, action: AnyAction, card: Product, case: Case, now: datetime
) -> Decision | None:
    why = why_unfit(action, card, case, now)
    if not why:
        return None
    return _refused(action, why, rules=card.acts[action.name].rules, source=card.source.file)
