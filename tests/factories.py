"""Users, accounts, agents, events and cases for tests, each with sensible values of its own.

Times are minutes before `NOW`, so that a test reads like a log.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from helpdesk.domain.actions import ACTIONS, AnyAction
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.cases import Case, Person
from helpdesk.domain.challenges import challenge_lines
from helpdesk.domain.codes import code_clock
from helpdesk.domain.decisions import Decision
from helpdesk.domain.events import decode_event
from helpdesk.domain.exports import ExportRow
from helpdesk.domain.policies import decide
from helpdesk.domain.products import Product
from helpdesk.domain.tickets import Ticket
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.users import Account, Factor, FactorKind, FactorState, User
from helpdesk.products import load_cards
from helpdesk.service.desk import Desk
from helpdesk.service.inspecting import exported

NOW = datetime(2026, 5, 4, 14, 5, tzinfo=UTC)
"""The moment every test case is looked at."""

CARDS = load_cards()
"""The five cards, by id."""

MAIL = "mfa@northwind.example"
MOBILE = "+447700900321"
FIRST_FACTOR = {
    "activecampaign": FactorKind.EMAIL,
    "partner-portal": FactorKind.EMAIL,
    "constant-contact": FactorKind.SMS,
    "sms-2fa": FactorKind.SMS,
    "lead-gen-crm": FactorKind.SMS,
}
"""The factor a user has when a test does not say."""

ROLE = {"partner-portal": "agency-member", "sms-2fa": "managed-user", "lead-gen-crm": "salesperson"}
"""What a user is when a test does not say; `user` elsewhere."""


def ago(minutes: float) -> datetime:
    """Return the moment that many minutes before `NOW`."""
    return NOW - timedelta(minutes=minutes)


def event(kind: str, minutes: float, **keys: Any) -> AnyEvent:
    """Return an event of the case format, so many minutes before `NOW`.

    `from_` stands for the key `from`.
    """
    raw = {key.rstrip("_"): value for key, value in keys.items()}
    return decode_event({"kind": kind, "at": ago(minutes).isoformat(), **raw})


def factor(
    kind: FactorKind | str, factor_id: str = "f1", state: str = "active", **keys: Any
) -> Factor:
    """Return a factor with a destination that suits its kind."""
    kind = FactorKind(kind)
    to = {"email": MAIL, "sms": MOBILE, "voice": MOBILE, "push": "Pixel 8"}.get(kind)
    given: dict[str, Any] = {"to": to}
    return Factor(id=factor_id, kind=kind, state=FactorState(state), **given | keys)


def user(product: str = "lead-gen-crm", **keys: Any) -> User:
    """Return a user of a product with one active factor."""
    given: dict[str, Any] = {
        "id": "u1",
        "name": "Maya Okafor",
        "login": "maya.okafor@northwind.example",
        "account": "a1",
        "product": product,
        "role": ROLE.get(product, "user"),
        "notification_address": MAIL,
        "mobile": MOBILE,
        "factors": (factor(FIRST_FACTOR.get(product, FactorKind.SMS)),),
    }
    return User(**given | keys)


def account(product: str = "lead-gen-crm", **keys: Any) -> Account:
    """Return an account with one administrator and one account manager."""
    given: dict[str, Any] = {
        "id": "a1",
        "name": "Northwind Travel",
        "product": product,
        "manager": "g-manager",
    }
    given["administrators"] = ("u9",)
    return Account(**given | keys)


def agent(role: Role | str = Role.SUPPORT, **keys: Any) -> Agent:
    """Return an agent in a role."""
    given: dict[str, Any] = {"id": f"g-{role}", "name": "Dana Whitfield", "role": Role(role)}
    return Agent(**given | keys)


def ticket(ticket_id: str = "4821", minutes: float = 14, **keys: Any) -> Ticket:
    """Return an open ticket of the user `u1`."""
    given: dict[str, Any] = {"user": "u1", "subject": "It keeps asking"}
    return Ticket(id=ticket_id, opened_at=ago(minutes), **given | keys)


def case(who: User | str = "lead-gen-crm", *timeline: AnyEvent, **keys: Any) -> Case:
    """Return the case of a user, or of a plain user of a product, and what its events make of it.

    One open ticket, Priya Shah for an administrator and Ines Duarte for an account manager.
    """
    person = user(who) if isinstance(who, str) else who
    events = tuple(sorted(timeline, key=lambda e: e.at))
    given: dict[str, Any] = {
        "at": NOW,
        "user": person,
        "account": account(person.product),
        "administrators": (Person(id="u9", name="Priya Shah"),),
        "manager": Agent(id="g-manager", name="Ines Duarte", role=Role.ACCOUNT_MANAGER),
        "timeline": events,
        "codes": code_clock(CARDS[person.product], events, NOW),
        "challenges": tuple(challenge_lines(person.id, events, NOW)),
        "tickets": (ticket(),),
    }
    return Case(**given | keys)


def action(act: str, **keys: Any) -> AnyAction:
    """Return an action on the user `u1` by its name on the command line."""
    return ACTIONS[act](**{"user": "u1"} | keys)


def weigh(
    role: Role | str, act: str, of: Case | str, card: Product | None = None, **keys: Any
) -> Decision:
    """Return the policy's answer to an agent of a role, about a case or a product's plain user."""
    it = case(of) if isinstance(of, str) else of
    card = card or CARDS[it.user.product]
    return decide(agent(role), action(act, **keys), card, it, NOW)


async def everything(desk: Desk, *, is_clear: bool = False) -> list[ExportRow]:
    """Give all rows of a desk's log, taken away."""
    return [row async for rows in exported(desk, is_clear=is_clear) for row in rows]
