"""The policy: may this agent do this, to this user, in this product, now? Always with the reason.

    decide ─▶ is it the agent themselves?           refused
           ─▶ is the role one that changes nothing? refused
           ─▶ is it another's account?              refused
           ─▶ desk acts (note, ticket, flag …)      by the desk's own table
           ─▶ does this kind of user have MFA?      refused where not (S1.29)
           ─▶ was it done already, in vain?         refused: the vendor's support (S4.17)
           ─▶ who may, by the product's card?       refused: why, and what instead
           ─▶ does it apply to what is there?       refused: nothing is locked, nothing is sent …
           ─▶ what does it still need?              reason, ticket, factor, wait …

The product decides, so nothing here names one. Silence in a source never opens a dangerous door:
an act that a card
does not list is refused, and an act that rests on the desk's own rule says so (`documented` is
False).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from helpdesk.domain.actions import (
    ACTIONS,
    Action,
    AnyAction,
    ChangeAddress,
    ChangeMobile,
    CloseTicket,
    EnrolTotp,
    FactorAction,
    Flag,
    Note,
    Reveal,
    Risk,
    Route,
    SendCode,
    TakeTicket,
    TurnOnMfa,
)
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.cases import Case
from helpdesk.domain.decisions import Decision, Need, Weight
from helpdesk.domain.products import Act, Product
from helpdesk.domain.text import NOT_DOCUMENTED, clean, digits
from helpdesk.domain.timeline import Answer, FactorChange, Password, Reset, Session
from helpdesk.domain.users import Factor, FactorKind, FactorState, MfaState

DESK_ACTS: dict[type[Action], frozenset[Role]] = {
    Route: frozenset(set(Role) - {Role.AUDITOR}),
    Note: frozenset(set(Role) - {Role.AUDITOR}),
    Flag: frozenset(set(Role) - {Role.AUDITOR}),
    Reveal: frozenset(set(Role) - {Role.AUDITOR}),
    TakeTicket: frozenset({Role.SUPPORT, Role.ACCOUNT_MANAGER, Role.LEAD, Role.TRAINER}),
    CloseTicket: frozenset({Role.SUPPORT, Role.ACCOUNT_MANAGER, Role.LEAD, Role.TRAINER}),
}
"""Acts that are the desk's own, whatever the product: who may do them."""

MOBILE = re.compile(r"^\+[1-9][0-9]{7,14}$")
"""A number with its country, as E.164 writes it.

What *a valid mobile number* (S3.10) means here.
"""

ADDRESS = re.compile(
    r"^[^@\s,;<>\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+$"
)
"""A mail address one can write to; no display name, no list."""


NOTHING_SENT = "Nothing is ever sent for an authenticator app: the code is made on the phone."


def decide(agent: Agent, action: AnyAction, card: Product, case: Case, now: datetime) -> Decision:
    """Return whether *agent* may do *action* at *now*; if not, why, and what to do instead."""
    for question in (_self, _reader, _foreign, _desk_act, _without_mfa, _again, _who, _applies):
        answer = question(agent, action, card, case, now)
        if answer is not None:
            return answer
    act = card.acts[action.name]
    needs = _needs(action, card, case, now)
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


def fitting_factors(action: AnyAction, card: Product, case: Case) -> tuple[Factor, ...]:
    """Return the factors an action can be about, the likeliest first.

    The one the last challenge asked for.
    """
    fits = _FITS.get(action.name, _none_fits)
    last = next((line.factor for line in reversed(case.challenges) if line.factor), "")
    found = [
        f
        for f in case.user.factors
        if fits(f) and (card.factor(f.kind) or action.name != "send-code")
    ]
    return tuple(sorted(found, key=lambda factor: last not in {factor.id, factor.kind.value}))


def factor_of(action: AnyAction) -> str:
    """Return the factor an action names, or an empty text."""
    return action.factor if isinstance(action, FactorAction) else ""


def named(text: str, case: Case) -> str:
    """Return a card's sentence with this account's names put in.

    The places are `{administrators}`, `{manager}`, `{account}` and `{user}`.
    """
    administrators = [
        clean(person.name) for person in case.administrators if person.id != case.user.id
    ]
    names = {
        "administrators": " or ".join(administrators) or "an administrator (nobody is on record)",
        "manager": clean(case.manager.name)
        if case.manager
        else "the account manager (nobody is on record)",
        "account": clean(case.account.name),
        "user": clean(case.user.name),
    }
    return _PLACE.sub(lambda place: names[place.group(1)], text)


_PLACE = re.compile(r"\{(administrators|manager|account|user)\}")


def _refused(action: AnyAction, why: str, instead: str = "", **more: object) -> Decision:
    return Decision(act=action.name, weight=Weight.REFUSED, why=why, instead=instead, **more)  # type: ignore[arg-type]


def _self(
    agent: Agent, action: AnyAction, card: Product, case: Case, now: datetime
) -> Decision | None:
    is_self = agent.id == case.user.id or (
        agent.login and agent.login.casefold() == case.user.login.casefold()
    )
    if not is_self:
        return None
    return _refused(
        action,
        "This is your own user, and nobody acts on themselves.",
        "Ask a colleague to take the ticket.",
    )


def _reader(
    agent: Agent, action: AnyAction, card: Product, case: Case, now: datetime
) -> Decision | None:
    if agent.role is not Role.AUDITOR:
        return None
    return _refused(
        action, "An auditor reads and changes nothing.", "Ask a support agent or a lead."
    )


def _foreign(
    agent: Agent, action: AnyAction, card: Product, case: Case, now: datetime
) -> Decision | None:
    if agent.account in {None, case.account.id}:
        return None
    return _refused(
        action,
        f"You administer another account, not {clean(case.account.name)}.",
        named("Its own administrators may: {administrators}.", case),
    )


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
    needs = _desk_needs(action, card, case)
    return Decision(act=action.name, weight=Weight.NEEDS if needs else Weight.ALLOWED, needs=needs)


def _desk_needs(action: AnyAction, card: Product, case: Case) -> tuple[Need, ...]:
    match action:
        case Note(text="") if not action.reason:
            return (Need(what="text", says="Write the note."),)
        case Flag(reason=""):
            return (Need(what="reason", says="Say what looks wrong."),)
        case Route(to=to) if to and card.route(to) is None:
            return (
                Need(
                    what="to",
                    says=f"There is no such way: {clean(to)}.",
                    choices=tuple(r.id for r in card.routes),
                ),
            )
        case CloseTicket() | TakeTicket() if action.ticket:
            return _ticket_needs(action.ticket, case)
        case CloseTicket() if len(case.open_tickets) > 1:
            choices = tuple(ticket.id for ticket in case.open_tickets)
            return (Need(what="ticket", says="Say which ticket.", choices=choices),)
    return ()


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
    why = _UNFIT[action.name](action, card, case, now) if action.name in _UNFIT else ""
    if not why and action.name in _FITS and not fitting_factors(action, card, case):
        why = _NO_FACTOR[action.name]
    if not why and factor_of(action):
        why = _unfit_factor(action, card, case)
    return (
        _refused(action, why, rules=card.acts[action.name].rules, source=card.source.file)
        if why
        else None
    )


def _unfit_factor(action: AnyAction, card: Product, case: Case) -> str:
    wanted = factor_of(action)
    if any(factor.id == wanted for factor in fitting_factors(action, card, case)):
        return ""
    factor = case.user.factor(wanted)
    if factor is None:
        have = ", ".join(clean(f.id) for f in case.user.live_factors) or "none"
        return f"This user has no factor {clean(wanted)}; there is {have}."
    if action.name == "send-code" and not factor.kind.is_sent:
        return f"{NOTHING_SENT} Open the app and read it there."
    return f"{action.title} does not fit a factor that is {factor.state.value}."


def _needs(action: AnyAction, card: Product, case: Case, now: datetime) -> tuple[Need, ...]:
    needs: list[Need] = []
    if action.name in _FITS and not factor_of(action):
        fits = fitting_factors(action, card, case)
        if len(fits) > 1:
            needs.append(
                Need(
                    what="factor",
                    says="Say which factor.",
                    choices=tuple(factor.id for factor in fits),
                )
            )
    needs.extend(_own_needs(action, case))
    if (
        isinstance(action, SendCode)
        and case.codes.next_send_at is not None
        and case.codes.next_send_at > now
    ):
        seconds = (case.codes.next_send_at - now).total_seconds()
        says = f"Wait {seconds:.0f} s before the next code; the last may still be on its way."
        needs.append(Need(what="wait", says=says, seconds=seconds))
    if action.risk is Risk.HIGH:
        if not action.reason.strip():
            first = card.acts[action.name].first
            needs.append(Need(what="reason", says=f"Give the reason. {first}".strip()))
        needs.extend(_ticket_needs(action.ticket, case))
    return tuple(needs)


def _ticket_needs(ticket: str, case: Case) -> tuple[Need, ...]:
    choices = tuple(t.id for t in case.open_tickets)
    if ticket and ticket.lstrip("#") in {choice.lstrip("#") for choice in choices}:
        return ()
    if not choices:
        says = "This user has no open ticket: open one first with take-ticket."
    elif ticket:
        there = ", ".join(map(clean, choices))
        says = f"Ticket {clean(ticket)} is not an open ticket of this user; there is {there}."
    else:
        says = f"Give the ticket: {', '.join(map(clean, choices))}."
    return (Need(what="ticket", says=says, choices=choices),)


def _own_needs(action: AnyAction, case: Case) -> list[Need]:
    match action:
        case ChangeAddress(address=address) if not is_address(address):
            says = (
                "Give the new address."
                if not address
                else f"{clean(address)} is not one mail address."
            )
            return [Need(what="address", says=says)]
        case ChangeMobile(mobile=mobile) if not is_mobile(mobile):
            return [Need(what="mobile", says=_mobile_says(mobile))]
        case TurnOnMfa(save=True) if action.mobile or case.user.mfa is not MfaState.PENDING:
            says = "Confirm the number first: the SMS goes out without save; save is its own step."
            return [Need(what="confirmation", says=says)]
        case TurnOnMfa(mobile=mobile) if not is_mobile(mobile or case.user.mobile or ""):
            return [Need(what="mobile", says=_mobile_says(mobile))]
        case EnrolTotp(code=code) if code and not re.fullmatch(r"[0-9]{6}", code.replace(" ", "")):
            return [Need(what="code", says="The first code has six digits, as the app shows it.")]
    return []


def is_mobile(number: str) -> bool:
    """Whether *number* is a full mobile number with its country, spaces and dashes aside."""
    return bool(MOBILE.fullmatch(re.sub(r"[\s().-]", "", number)))


def is_address(address: str) -> bool:
    """Whether *address* is one mail address with nothing invisible in it."""
    return bool(ADDRESS.fullmatch(address)) and clean(address) == address


def _mobile_says(mobile: str) -> str:
    if not mobile:
        return "Give a valid mobile number first, with its country: +44 …"
    return (
        f"A number of {len(digits(mobile))} digits is not a mobile number with its country (+44 …)."
    )


def _unfit_send(action: AnyAction, card: Product, case: Case, now: datetime) -> str:
    if not card.asked_while(case.user.mfa):
        return "MFA is not on for this user, so no code is asked for."
    if case.user.is_locked(now):
        return "The user is locked: a code would be refused. Unlock first."
    return ""


def _unfit_turn_on(action: AnyAction, card: Product, case: Case, now: datetime) -> str:
    if case.user.mfa is MfaState.ON:
        return "MFA is on already."
    return ""


def _unfit_turn_off(action: AnyAction, card: Product, case: Case, now: datetime) -> str:
    if case.user.mfa in {MfaState.OFF, MfaState.PENDING}:
        return "MFA is off already."
    return ""


def _unfit_unlock(action: AnyAction, card: Product, case: Case, now: datetime) -> str:
    has_failures = any(factor.failures for factor in case.user.factors)
    return "" if case.user.is_locked(now) or has_failures else "Nothing is locked."


def _unfit_reset_all(action: AnyAction, card: Product, case: Case, now: datetime) -> str:
    return (
        ""
        if case.user.live_factors
        else "There is no factor to reset: the user enrols at the next login."
    )


def _unfit_enrol(action: AnyAction, card: Product, case: Case, now: datetime) -> str:
    is_pending = any(
        f.kind is FactorKind.TOTP and f.state is FactorState.PENDING for f in case.user.factors
    )
    if isinstance(action, EnrolTotp) and action.code and not is_pending:
        return "No enrolment is waiting for its first code: begin anew without one."
    return ""


def _none_fits(factor: Factor) -> bool:
    return False


Unfit = Callable[[AnyAction, Product, Case, datetime], str]

_UNFIT: dict[str, Unfit] = {
    "send-code": _unfit_send,
    "turn-on-mfa": _unfit_turn_on,
    "turn-off-mfa": _unfit_turn_off,
    "unlock": _unfit_unlock,
    "reset-all": _unfit_reset_all,
    "enrol-totp": _unfit_enrol,
}
"""By act: why it does not apply to what is there; empty where it does."""

_FITS: dict[str, Callable[[Factor], bool]] = {
    "send-code": lambda f: f.kind.is_sent and f.state in {FactorState.ACTIVE, FactorState.PENDING},
    "reset-factor": lambda f: f.state is not FactorState.REMOVED,
    "suspend-factor": lambda f: f.state is FactorState.ACTIVE,
    "resume-factor": lambda f: f.state is FactorState.SUSPENDED,
}
"""By act: which factors it can be about."""

_NO_FACTOR = {
    "send-code": f"No active factor takes a sent code. {NOTHING_SENT}",
    "reset-factor": "There is no factor to reset: the user enrols at the next login.",
    "suspend-factor": "No factor is active.",
    "resume-factor": "No factor is suspended.",
}
