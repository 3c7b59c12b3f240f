"""What each act does at the provider and in our record.

One short function an act, no policy and no screen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from helpdesk.connectors.base import Connector
from helpdesk.domain.actions import (
    AnyAction,
    ChangeAddress,
    ChangeMobile,
    CloseTicket,
    EndSessions,
    EnrolTotp,
    Flag,
    Note,
    ResetAll,
    ResetFactor,
    ResumeFactor,
    Reveal,
    Route,
    SendCode,
    SuspendFactor,
    TakeTicket,
    TemporaryPass,
    TurnOffMfa,
    TurnOnMfa,
    Unlock,
)
from helpdesk.domain.agents import Agent
from helpdesk.domain.bundle import Bundle
from helpdesk.domain.bundle_text import bundle_text
from helpdesk.domain.cases import Case, Handover
from helpdesk.domain.diagnosis.verdicts import CallerSaid
from helpdesk.domain.errors import BadInput
from helpdesk.domain.needs import last_day
from helpdesk.domain.policies import fitting_factors, named
from helpdesk.domain.previews import LOST_LIFE_S, PASS_LIFE_S, factor_line, lifts_bounce
from helpdesk.domain.products import Product
from helpdesk.domain.text import NOT_DOCUMENTED, clean, mask
from helpdesk.domain.tickets import Ticket
from helpdesk.domain.users import Factor
from helpdesk.service.ticketing import Tickets
from helpdesk.stores.base import Store

BUNDLED = "The case bundle."
"""What stands beside a case for the bundle that went to its ticket."""


class Parts(Struct, frozen=True, kw_only=True):
    """What a step works with; the case is whole, not masked.

    Attributes:
        tickets: Where the tickets are kept, which is told of an act before our record is.
        bundle: Makes the case bundle, with what the caller said.
        key: The act's idempotency key; empty where none was given.
    """

    connector: Connector
    store: Store
    card: Product
    case: Case
    agent: Agent
    now: datetime
    tickets: Tickets
    bundle: Callable[[Sequence[CallerSaid]], Awaitable[Bundle]]
    key: str = ""


class Done(Struct, frozen=True, kw_only=True):
    """What a step says when it is done; `says` goes into the log and never holds a secret.

    Attributes:
        held: Id of the hold, where the act waits instead of being done.
    """

    says: str
    handover: Handover | None = None
    held: str = ""


async def send_code(action: SendCode, parts: Parts) -> Done:
    """Send a code; say which one counts now, and for how long."""
    factor = _factor(action, parts)
    await parts.connector.send_code(parts.case.user, factor, parts.card, parts.now)
    life_s = parts.card.codes.life_s.value
    life = f"it lives {life_s // 60} min" if life_s else f"its life is {NOT_DOCUMENTED}"
    line = factor_line(factor, parts.card).partition(",")[0]
    says = f"A code went to {line} at {parts.now:%H:%M}; use only this one, {life}."
    if lifts_bounce(factor, parts.case):
        says += " Mail had come back: the provider was asked to send to the address again."
    return Done(says=says)


async def reset_factor(action: ResetFactor, parts: Parts) -> Done:
    """Remove one factor."""
    factor = _factor(action, parts)
    await parts.connector.reset(parts.case.user, (factor,), parts.now)
    return Done(says=f"Reset: {factor_line(factor, parts.card).partition(',')[0]}.")


async def reset_all(action: ResetAll, parts: Parts) -> Done:
    """Remove all factors."""
    factors = parts.case.user.live_factors
    await parts.connector.reset(parts.case.user, factors, parts.now)
    count = f"{len(factors)} factors are" if len(factors) > 1 else "The one factor is"
    return Done(says=f"{count} reset; the customer chooses a method at the next login.")


async def turn_off_mfa(action: TurnOffMfa, parts: Parts) -> Done:
    """Turn MFA off."""
    until = last_day(action.until, parts.now)
    await parts.connector.turn_off(parts.case.user, parts.now, until)
    days = f" Until {action.until}; then it is in your queue again." if until else ""
    return Done(says=f"MFA is off: the password alone lets in.{days}")


async def turn_on_mfa(action: TurnOnMfa, parts: Parts) -> Done:
    """Put the number on record and confirm it, or, as a step of its own, save."""
    if action.save:
        await parts.connector.turn_on(parts.case.user, parts.now)
        return Done(says="Saved: MFA is on.")
    mobile = action.mobile or parts.case.user.mobile or ""
    await parts.connector.change_mobile(parts.case.user, mobile, parts.now)
    await parts.connector.send_confirmation(parts.case.user, mobile, parts.now)
    return Done(
        says=f"An SMS went to {mask(mobile)} to confirm the number. MFA is on once it is saved."
    )


async def change_address(action: ChangeAddress, parts: Parts) -> Done:
    """Change the notification address."""
    await parts.connector.change_address(parts.case.user, action.address, parts.now)
    return Done(says=f"Codes go to {mask(action.address)} from now on.")


async def change_mobile(action: ChangeMobile, parts: Parts) -> Done:
    """Change the mobile number and send the SMS that confirms it."""
    await parts.connector.change_mobile(parts.case.user, action.mobile, parts.now)
    await parts.connector.send_confirmation(parts.case.user, action.mobile, parts.now)
    return Done(says=f"The number is {mask(action.mobile)} now; an SMS went there to confirm it.")


async def unlock(action: Unlock, parts: Parts) -> Done:
    """Lift the lock."""
    await parts.connector.unlock(parts.case.user, parts.now)
    return Done(says="Unlocked; the count of failures is clear.")


async def end_sessions(action: EndSessions, parts: Parts) -> Done:
    """End sessions and forget browsers."""
    user = parts.case.user
    await parts.connector.end_sessions(user, parts.now)
    return Done(
        says=f"Open sessions ended: {user.sessions}; "
        f"remembered browsers forgotten: {user.remembered}."
    )


async def suspend_factor(action: SuspendFactor, parts: Parts) -> Done:
    """Suspend a factor."""
    factor = _factor(action, parts)
    await parts.connector.suspend(parts.case.user, factor, parts.now)
    return Done(says=f"Suspended: {factor_line(factor, parts.card).partition(',')[0]}.")


async def resume_factor(action: ResumeFactor, parts: Parts) -> Done:
    """Resume a factor."""
    factor = _factor(action, parts)
    await parts.connector.resume(parts.case.user, factor, parts.now)
    return Done(says=f"Resumed: {factor_line(factor, parts.card).partition(',')[0]}.")


async def temporary_pass(action: TemporaryPass, parts: Parts) -> Done:
    """Make a pass and hand it over once."""
    if action.lost:
        return await _replace_lost(action, parts)
    until = parts.now + timedelta(seconds=PASS_LIFE_S)
    secret = await parts.connector.make_pass(parts.case.user, parts.now, until)
    handover = Handover(
        title="Temporary pass",
        secret=secret,
        says="Read it out once. It lets in one time and is kept nowhere.",
        until=until,
    )
    return Done(says=f"A temporary pass was made; it ends at {until:%H:%M}.", handover=handover)


async def _replace_lost(action: TemporaryPass, parts: Parts) -> Done:
    """Switch a lost factor off, and hand over once what stands in for it."""
    user, until = parts.case.user, parts.now + timedelta(seconds=LOST_LIFE_S)
    fits = fitting_factors(action, parts.card, parts.case)
    factor = next(one for one in fits if one.id == action.lost)
    secret = await parts.connector.replace_lost(user, factor, parts.now, until)
    line = factor_line(factor, parts.card).partition(",")[0]
    handover = Handover(
        title="Password for a lost factor",
        secret=secret,
        says="Read it out once. It lets in until then and is kept nowhere.",
        until=until,
    )
    says = f"Disabled: {line}. A password takes its place until {until:%Y-%m-%d %H:%M} UTC."
    return Done(says=says, handover=handover)


async def enrol_totp(action: EnrolTotp, parts: Parts) -> Done:
    """Begin an enrolment, or check its first code."""
    user = parts.case.user
    if action.code:
        if not await parts.connector.confirm_totp(user, action.code.replace(" ", ""), parts.now):
            raise BadInput(
                "That code does not fit the new entry. Wait for the next one and try again."
            )
        return Done(says="The first code fits: the authenticator is active.")
    key, uri = await parts.connector.begin_totp(user, parts.card.name, parts.now)
    handover = Handover(
        title="Authenticator key",
        secret=key,
        says="The customer scans the picture or types the key, then reads out the first code.",
        uri=uri,
    )
    return Done(says="A new authenticator waits for its first code.", handover=handover)


async def route(action: Route, parts: Parts) -> Done:
    """Say who may, and how one reaches them."""
    way = parts.card.route(action.to) or parts.card.routes[0]
    to, how = named(way.to, parts.case), named(way.how, parts.case)
    return Done(says=f"Handed to {to}: {how} Say: {named(way.say, parts.case)}")


async def note(action: Note, parts: Parts) -> Done:
    """Write a note; it goes on the ticket too, where one is named or only one is open."""
    if action.bundle:
        return await _comment_bundle(action, parts)
    text = clean(action.text or action.reason)
    ticket = _ticket(action, parts)
    if ticket is not None:
        await parts.tickets.noted(ticket, text, parts.agent.id, parts.key)
        await parts.store.keep(replace(ticket, notes=(*ticket.notes, text)))
    return Done(says=text)


async def _comment_bundle(action: Note, parts: Parts) -> Done:
    """Put the case bundle on the ticket that a system keeps, as a comment."""
    far = [one for one in parts.case.open_tickets if one.system]
    ticket = next(one for one in far if action.ticket.lstrip("#") in {"", one.id})
    said = [CallerSaid(ask=a, reply=r) for a, _, r in map(_parted, action.said.splitlines()) if r]
    text = bundle_text(await parts.bundle(said))
    await parts.tickets.noted(ticket, text, parts.agent.id, parts.key)
    await parts.store.keep(replace(ticket, notes=(*ticket.notes, BUNDLED)))
    return Done(says=f"The case bundle is on ticket #{ticket.id} as a comment, masked.")


def _parted(line: str) -> tuple[str, str, str]:
    return line.partition("=")


async def take_ticket(action: TakeTicket, parts: Parts) -> Done:
    """Take a ticket that nobody has, or open one for somebody who just called."""
    free = [ticket for ticket in parts.case.open_tickets if ticket.agent is None]
    mine = [one for one in parts.case.open_tickets if one.agent == parts.agent.id]
    if mine and not (action.ticket or action.subject):
        return Done(says=f"Ticket #{mine[0].id} is yours already.")
    ticket = _ticket(action, parts) or (free[0] if free and not action.subject else None)
    if ticket is None:
        ticket = Ticket(
            id="",
            user=parts.case.user.id,
            subject=clean(action.subject or "Called the desk"),
            opened_at=parts.now,
            on_phone=True,
        )
        ticket = await parts.tickets.opened(ticket, parts.case.user)
    await parts.tickets.taken(ticket, parts.agent.id)
    await parts.store.keep(replace(ticket, agent=parts.agent.id))
    is_new = ticket.opened_at == parts.now
    return Done(says=f"Ticket #{ticket.id} is {'opened and ' if is_new else ''}yours.")


async def close_ticket(action: CloseTicket, parts: Parts) -> Done:
    """Close a ticket."""
    ticket = _ticket(action, parts) or parts.case.open_tickets[0]
    await parts.tickets.closed(ticket, parts.agent.id, action.reason)
    await parts.store.keep(replace(ticket, closed_at=parts.now, on_phone=False))
    return Done(says=f"Ticket #{ticket.id} is closed.")


async def flag(action: Flag, parts: Parts) -> Done:
    """Mark the user as suspicious."""
    await parts.connector.flag(parts.case.user, clean(action.reason), parts.now)
    return Done(says="Flagged as suspicious; everybody at the desk sees it.")


async def reveal(action: Reveal, parts: Parts) -> Done:
    """Show what is masked; the record is the point."""
    return Done(says="Personal data was shown.")


def _factor(action: Any, parts: Parts) -> Factor:
    """The factor an action is about.

    The policy has made sure there is exactly one, or that it is named.
    """
    fits = fitting_factors(action, parts.card, parts.case)
    return next(factor for factor in fits if action.factor in {"", factor.id})


def _ticket(action: AnyAction, parts: Parts) -> Ticket | None:
    """The ticket an action names, or the only open one; None where there is neither."""
    wanted = action.ticket.lstrip("#")
    found = parts.case.open_tickets
    if wanted:
        return next((ticket for ticket in found if ticket.id == wanted), None)
    return found[0] if len(found) == 1 and not isinstance(action, TakeTicket) else None


STEPS: dict[type[AnyAction], Callable[[Any, Parts], Awaitable[Done]]] = {
    SendCode: send_code,
    ResetFactor: reset_factor,
    ResetAll: reset_all,
    TurnOffMfa: turn_off_mfa,
    TurnOnMfa: turn_on_mfa,
    ChangeAddress: change_address,
    ChangeMobile: change_mobile,
    Unlock: unlock,
    EndSessions: end_sessions,
    SuspendFactor: suspend_factor,
    ResumeFactor: resume_factor,
    TemporaryPass: temporary_pass,
    EnrolTotp: enrol_totp,
    Route: route,
    Note: note,
    TakeTicket: take_ticket,
    CloseTicket: close_ticket,
    Flag: flag,
    Reveal: reveal,
}
"""Each act and the step that carries it out."""
