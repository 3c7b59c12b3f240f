"""What a dialog asks for: one field a need, with the commonest answers ready to be chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from helpdesk.domain.actions import (
    AnyAction,
    Note,
    Route,
    TakeTicket,
    TemporaryPass,
    TurnOffMfa,
    TurnOnMfa,
)
from helpdesk.domain.cases import Case
from helpdesk.domain.decisions import Decision
from helpdesk.domain.lacks import lack_of
from helpdesk.domain.policies import fitting_factors, named
from helpdesk.domain.previews import factor_line
from helpdesk.domain.products import Product
from helpdesk.domain.text import clean

LOST: Final = (
    "Phone lost or stolen",
    "New phone, the old one is gone",
    "Authenticator app deleted",
    "Number no longer in use",
    "Codes do not arrive or do not fit",
)
REASONS: Final[dict[str, tuple[str, ...]]] = {
    "reset-factor": LOST,
    "reset-all": LOST,
    "enrol-totp": LOST,
    "temporary-pass": ("Phone out of reach today", *LOST[:2], "Codes do not arrive"),
    "turn-off-mfa": (
        "Asked for in writing by the account's owner",
        "Agreed with the account manager",
        "The number cannot receive SMS",
    ),
    "change-address": (
        "Person left, mailbox is closed",
        "Mailbox no longer exists",
        "Codes should go to a shared mailbox",
    ),
    "change-mobile": ("New number", "Number belongs to somebody who left", "Typing mistake"),
    "resume-factor": ("Phone was found", "Suspended by mistake"),
    "flag": (
        "Codes that nobody asked for",
        "Caller could not answer the questions",
        "Login from a place nobody knows",
        "Somebody else answers the calls",
    ),
}
"""The commonest reasons of each act that asks for one."""

LIMITS: Final = {
    "mobile": 40,
    "address": 254,
    "code": 12,
    "text": 1_000,
    "reason": 500,
    "subject": 200,
    "until": 10,
}
"""Characters each field takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing a dialog asks for.

    Attributes:
        name: The action's field.
        options: Pairs of (value, what is shown), to be chosen by number.
        value: What is there from the start.
        takes_words: Whether something else than the options may be typed.
        required: The sentence said while it is empty; empty where it may stay so.
    """

    name: str
    label: str
    options: tuple[tuple[str, str], ...] = ()
    value: str = ""
    hint: str = ""
    takes_words: bool = False
    required: str = ""


UNTIL: Final = Field(
    name="until",
    label="Until which day; its manager is reminded then",
    hint="year-month-day, or nothing",
    takes_words=True,
)
"""The end of an exception, which a request to turn off may have."""


OUT_OF_REACH: Final = "Nothing is lost: it is only out of reach today"


def fields_for(
    action: AnyAction, decision: Decision, case: Case, card: Product
) -> tuple[Field, ...]:
    """Return what is still to be asked for an action, in the order of the decision's needs."""
    asked = [_of_need(need.what, action, case, card) for need in decision.needs]
    found = (*_own(action, decision, case, card), *asked, _lost(action, case, card))
    return tuple(field for field in found if field)


def _of_need(what: str, action: AnyAction, case: Case, card: Product) -> Field | None:
    match what:
        case "factor":
            fits = fitting_factors(action, card, case)
            options = tuple((factor.id, factor_line(factor, card)) for factor in fits)
            return Field(name="factor", label="Which factor", options=options)
        case "reason":
            reasons = REASONS.get(action.name, ())
            return Field(
                name="reason",
                label="Reason",
                options=tuple((reason, reason) for reason in reasons),
                hint="or in your own words" if reasons else "in your own words",
                takes_words=True,
            )
        case "mobile":
            return Field(
                name="mobile", label="Mobile number", hint="+44 20 7946 0018", takes_words=True
            )
        case "address":
            return Field(
                name="address", label="New address", hint="name@company.example", takes_words=True
            )
        case "text":
            return Field(name="text", label="Note", takes_words=True, required="Write the note.")
    return None


def _own(action: AnyAction, decision: Decision, case: Case, card: Product) -> tuple[Field, ...]:
    """Return fields that are not needs of the policy: which way, which ticket, which number."""
    match action:
        case Route() if len(card.routes) > 1:
            options = tuple((route.id, named(route.to, case)) for route in card.routes)
            wanted = action.to or decision.route or card.routes[0].id
            return (Field(name="to", label="To whom", options=options, value=wanted),)
        case TurnOnMfa(save=False) if case.user.mobile and not _needs(decision, "mobile"):
            hint = f"empty keeps {clean(case.user.mobile)}"
            return (Field(name="mobile", label="Mobile number", hint=hint, takes_words=True),)
        case TakeTicket() if not _free(case):
            return (
                Field(
                    name="subject",
                    label="New ticket about",
                    hint="what the customer says",
                    takes_words=True,
                    required="Say what the ticket is about.",
                ),
            )
    is_bundle = isinstance(action, Note) and action.bundle
    tickets = tuple(t for t in case.open_tickets if t.system or not is_bundle)
    found: tuple[Field, ...] = ()
    if len(tickets) > 1 and (action.name != "note" or is_bundle):
        options = tuple((t.id, f"#{t.id} {t.subject}") for t in tickets)
        found = (Field(name="ticket", label="Ticket", options=options, value=action.ticket),)
    return (*found, UNTIL) if isinstance(action, TurnOffMfa) else found


def _needs(decision: Decision, what: str) -> bool:
    return any(need.what == what for need in decision.needs)


def _lost(action: AnyAction, case: Case, card: Product) -> Field | None:
    """Return the choice of the factor that is lost, where the provider can replace one."""
    fits = fitting_factors(action, card, case) if isinstance(action, TemporaryPass) else ()
    if not fits or lack_of(case.lacks, "lost-factor") is not None:
        return None
    options = (("", OUT_OF_REACH), *((factor.id, factor_line(factor, card)) for factor in fits))
    return Field(name="lost", label="What is lost", options=options)


def _free(case: Case) -> bool:
    return any(ticket.agent is None for ticket in case.open_tickets)


def filled(fields: tuple[Field, ...], given: AnyAction) -> tuple[Field, ...]:
    """Return *fields* with what *given* holds; a code that was read out counts once only."""
    return tuple(
        field if field.name == "code" else replace(field, value=str(getattr(given, field.name)))
        for field in fields
    )


def first_code() -> tuple[Field, ...]:
    """Return the one field of an enrolment's second step."""
    says = "Type the first code the customer reads out."
    return (Field(name="code", label="First code", hint="123456", takes_words=True, required=says),)
