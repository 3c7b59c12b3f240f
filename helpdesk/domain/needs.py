"""What an allowed act still lacks: reason, ticket, factor, time, a number, an address."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from helpdesk.domain.actions import (
    AnyAction,
    ChangeAddress,
    ChangeMobile,
    CloseTicket,
    EnrolTotp,
    FactorAction,
    Flag,
    Note,
    Risk,
    Route,
    SendCode,
    TakeTicket,
    TurnOffMfa,
    TurnOnMfa,
)
from helpdesk.domain.cases import Case
from helpdesk.domain.decisions import Need
from helpdesk.domain.fitting import fitting_factors
from helpdesk.domain.products import Product
from helpdesk.domain.text import clean, counted, digits
from helpdesk.domain.users import MfaState

MOBILE = re.compile(r"^\+[1-9][0-9]{7,14}$")
"""A number with its country, as E.164 writes it.

What *a valid mobile number* (S3.10) means here.
"""

ADDRESS = re.compile(
    r"^[^@\s,;<>\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+$"
)
"""A mail address one can write to; no display name, no list."""


def desk_needs(action: AnyAction, card: Product, case: Case) -> tuple[Need, ...]:
    """Return what an act of the desk's own still lacks."""
    match action:
        case Note(bundle=True):
            return _kept_elsewhere(action.ticket, case)
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
            return ticket_needs(action.ticket, case)
        case CloseTicket() if len(case.open_tickets) > 1:
            choices = tuple(ticket.id for ticket in case.open_tickets)
            return (Need(what="ticket", says="Say which ticket.", choices=choices),)
    return ()


def needs_of(action: AnyAction, card: Product, case: Case, now: datetime) -> tuple[Need, ...]:
    """Return what an act that the card allows still lacks, in the order it is asked for."""
    needs: list[Need] = []
    if isinstance(action, FactorAction) and not action.factor:
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
        needs.extend(ticket_needs(action.ticket, case))
    return tuple(needs)


def ticket_needs(ticket: str, case: Case) -> tuple[Need, ...]:
    """Return what a ticket number that was given or left out still lacks."""
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


def _kept_elsewhere(ticket: str, case: Case) -> tuple[Need, ...]:
    """Return what the case bundle lacks to become a comment: one ticket that a system keeps."""
    far = tuple(one for one in case.open_tickets if one.system)
    if not ticket and len(far) == 1:
        return ()
    if not far:
        says = "No open ticket of this user is kept in a ticket system: write the bundle to a file."
        return (Need(what="ticket", says=says),)
    return ticket_needs(ticket, replace(case, tickets=far))


def _own_needs(action: AnyAction, case: Case) -> list[Need]:
    match action:
        case ChangeAddress(address=address) if not is_address(address):
            says = (
                "Give the new address."
                if not address
                else f"{clean(address)} is not one mail address."
            )
            return [Need(what="address", says=says)]
        case TurnOffMfa(until=until) if until and last_day(until, case.at) is None:
            says = f"{clean(until)} is no day of the coming year: say it as YYYY-MM-DD."
            return [Need(what="until", says=says)]
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


def last_day(until: str, now: datetime) -> datetime | None:
    """Return the end of the day that `TurnOffMfa.until` names.

    Or None for none of the coming year.
    """
    try:
        day = datetime.strptime(until, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return day + timedelta(days=1) if now < day < now + timedelta(days=366) else None


def is_mobile(number: str) -> bool:
    """Whether *number* is a full mobile number with its country, spaces and dashes aside."""
    return bool(MOBILE.fullmatch(re.sub(r"[\s().-]", "", number)))


def is_address(address: str) -> bool:
    """Whether *address* is one mail address with nothing invisible in it."""
    return bool(ADDRESS.fullmatch(address)) and clean(address) == address


def _mobile_says(mobile: str) -> str:
    if not mobile:
        return "Give a valid mobile number first, with its country: +44 …"
    length = counted(len(digits(mobile)), "digit")
    return f"A number of {length} is not a mobile number with its country (+44 …)."
