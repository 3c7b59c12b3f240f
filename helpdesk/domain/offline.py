"""What may be done while the desk cannot be reached, and what becomes of it.

wish ─▶ sent ─▶ answered            done · refused, and told at once
 │       └────▶ answer lost ─▶ unknown ─▶ asked by its key ─▶ done · refused
 │                                                        └─▶ the desk never had it ─▶ lost
 └─ line down ─▶ queued ─▶ line back ─▶ is it still so? ─▶ sent, once, with its key
                    │                       └─▶ conflict ─▶ the agent decides
                    └─▶ too late ─▶ expired
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from helpdesk.domain.actions import (
    ACTIONS,
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
from helpdesk.domain.cases import Case
from helpdesk.domain.decisions import Decision, Weight
from helpdesk.domain.feed import Freshness
from helpdesk.domain.fitting import fitting_factors
from helpdesk.domain.products import Product
from helpdesk.domain.text import clean, counted
from helpdesk.domain.tickets import Ticket
from helpdesk.domain.users import At

READ_ONLY_AFTER: Final = timedelta(minutes=15)
"""Without contact for so long, what one sees is too old to change anything by."""

PURGED_AFTER: Final = timedelta(hours=8)
"""Without contact for so long, nothing about anybody stays on this machine."""

SILENT_AFTER: Final = timedelta(minutes=1)
"""Without an answer for so long, a desk that was reached the last time counts as not reached."""

URGENT_FOR: Final = timedelta(minutes=10)
"""How long a protecting act waits for the line; later it protects nobody and surprises somebody."""

SETTLED_AFTER: Final = timedelta(minutes=1)
"""So long after it was sent a write is not on its way any more: what has no answer never came."""

SKEW_TOLD: Final = timedelta(seconds=30)
"""From here on it is said that this machine's clock and the desk's differ."""

SKEW_STOPS: Final = timedelta(minutes=5)
"""From here on nothing is changed: neither what expires nor what is recorded could be trusted."""


NEVER_REACHED: Final = "never reached"


class Late(StrEnum):
    """What becomes of a wish when the desk cannot be reached."""

    QUEUED = "queued"
    """It is kept, and sent once when the line is back."""
    URGENT = "urgent"
    """It is kept for ten minutes, which every screen says loudly, and then it expires."""
    NEVER = "never"
    """It is done now or not at all."""


WHEN_DOWN: Final[dict[type[AnyAction], tuple[Late, str]]] = {
    Note: (Late.QUEUED, "A note is as true later."),
    TakeTicket: (Late.QUEUED, "Who has a ticket can be settled later."),
    CloseTicket: (Late.QUEUED, "A ticket can be closed later."),
    Flag: (Late.QUEUED, "A warning is better late than never."),
    SuspendFactor: (Late.URGENT, "To protect late is better than never, but not hours late."),
    EndSessions: (Late.URGENT, "To protect late is better than never, but not hours late."),
    SendCode: (Late.NEVER, "A code that comes late is a code nobody asked for."),
    ResetFactor: (Late.NEVER, "The caller's proof is ten minutes old at most."),
    ResetAll: (Late.NEVER, "The caller's proof is ten minutes old at most."),
    TurnOffMfa: (Late.NEVER, "The caller's proof is ten minutes old at most."),
    TurnOnMfa: (Late.NEVER, "A message goes out, and the customer must be there to read it."),
    ChangeAddress: (Late.NEVER, "The caller's proof is ten minutes old at most."),
    ChangeMobile: (Late.NEVER, "The caller's proof is ten minutes old at most."),
    Unlock: (Late.NEVER, "Whoever is locked out by then may be somebody else."),
    ResumeFactor: (Late.NEVER, "It opens a way in, by what was known earlier."),
    TemporaryPass: (Late.NEVER, "A pass is read out while the caller is on the line."),
    EnrolTotp: (Late.NEVER, "A key is shown while the caller is on the line."),
    Route: (Late.NEVER, "Where to send them is the desk's answer, and needs the desk."),
    Reveal: (Late.NEVER, "What is masked here is not on this machine."),
}
"""What becomes of each act when the line is down, and why."""

WRITES_WHEN_DOWN: Final[dict[str, str]] = {
    "ask_proof": "The caller would be asked when they are gone.",
    "answer_proof": "What a caller reads out is checked by the desk, at once.",
    "approve": "Who agrees must see what is so now.",
    "undo": "By then it is done.",
    "drift": "A code is true for half a minute.",
    "erase_log": "What is erased is said by the desk that keeps it.",
    "accept_log": "Whether a log is accepted is said by the desk that keeps it.",
}
"""The other writes of a desk, none of which is ever queued, and why."""


class State(StrEnum):
    """Where a wish is on its way."""

    QUEUED = "queued"
    SENT = "sent"
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """It was sent and the answer was lost: done or not, nobody here can say yet."""
    EXPIRED = "expired"
    CONFLICT = "conflict"
    """What it rests on is not as it was seen: it was not sent, the agent decides."""
    LOST = "lost"
    """It was sent and never came: the desk says that nothing was done."""


WAITING: Final = frozenset({State.QUEUED, State.SENT, State.UNKNOWN, State.CONFLICT})
"""States of a wish whose end is open."""

TO_DECIDE: Final = frozenset({State.CONFLICT, State.REFUSED, State.EXPIRED, State.LOST})
"""States that an agent must have read, or decide on."""


class Fact(Struct, frozen=True, kw_only=True):
    """Something a wish rests on, as one reads it: `#4821 is` with `open, nobody's`."""

    what: str
    value: str


class Wish(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change an agent asked for, on its way to the desk.

    Attributes:
        key: The idempotency key it is sent with, now and ever.
        agent: Who wished it.
        title: What was wished, in the words of the screen.
        at: When it was wished.
        says: What became of it, as a sentence.
        late: What becomes of it without the line.
        action: The act itself, while it waits to be sent; nothing that is never queued is kept.
        seen: What it rests on, as the agent saw it; `seen_at` says when that was so.
        found: The same as it was found when the line was back; only of a conflict.
        by: Which console has it in hand.
    """

    key: str
    agent: str
    title: str
    user: str
    at: At
    state: State
    says: str = ""
    late: Late = Late.NEVER
    action: AnyAction | None = None
    seen: tuple[Fact, ...] = ()
    seen_at: At | None = None
    found: tuple[Fact, ...] = ()
    by: str = ""
    sent_at: At | None = None
    expires_at: At | None = None
    ended_at: At | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether its end is open."""
        return self.state in WAITING

    @property
    def is_urgent(self) -> bool:
        """Whether somebody is unprotected while it waits."""
        return self.late is Late.URGENT and self.state in {State.QUEUED, State.CONFLICT}

    def is_late(self, now: datetime) -> bool:
        """Whether it waited too long to be sent at all."""
        return self.expires_at is not None and now >= self.expires_at

    def bare(self) -> Wish:
        """Return it without words and facts about anybody; what was not sent will not be."""
        if self.state in {State.QUEUED, State.CONFLICT}:
            says = "It was never sent: what waits is let go after 8 h, or when all is forgotten."
            return replace(self, state=State.EXPIRED, says=says, action=None, seen=(), found=())
        return replace(self, action=None, seen=(), found=())

    def ended(self, state: State, says: str, now: datetime) -> Wish:
        """Return it at its end: what it was for is not kept any longer."""
        return replace(
            self, state=state, says=says, ended_at=now, action=None, seen=(), found=(), by=""
        )


def late_of(action: AnyAction) -> Late:
    """Return what becomes of an act when the line is down."""
    return WHEN_DOWN[type(action)][0]


def why_never(act: str) -> str:
    """Return why an act, or another write, is not queued; empty where it is."""
    kind = ACTIONS.get(act)
    if kind is None:
        return WRITES_WHEN_DOWN.get(act, "")
    late, why = WHEN_DOWN[kind]
    return why if late is Late.NEVER else ""


def refused_when_down(act: str) -> Decision:
    """Return the answer to a wish that is never queued, while the line is down."""
    title = ACTIONS[act].title if act in ACTIONS else act
    return Decision(
        act=act,
        weight=Weight.REFUSED,
        why=f"The desk cannot be reached, and {title} is never left for later. {why_never(act)}",
        instead="Try again when the line is back, or ask a colleague whose line is up.",
    )


def bound(action: AnyAction, card: Product, case: Case, agent: str) -> AnyAction:
    """Return an act that names what it is about, so that later it cannot mean something else.

    What an act leaves out the desk chooses: the only ticket, the only factor. Hours later there may
    be another one.
    """
    match action:
        case SuspendFactor(factor=""):
            fits = fitting_factors(action, card, case)
            return replace(action, factor=fits[0].id) if len(fits) == 1 else action
        case TakeTicket(ticket="", subject=""):
            free = [one for one in case.open_tickets if one.agent in {None, agent}]
            return replace(action, ticket=free[0].id) if free else action
        case CloseTicket(ticket="") if case.open_tickets:
            return replace(action, ticket=case.open_tickets[0].id)
        case Note(ticket="") if len(case.open_tickets) == 1:
            return replace(action, ticket=case.open_tickets[0].id)
    return action


def facts(action: AnyAction, case: Case) -> tuple[Fact, ...]:
    """Return what an act rests on, in a case: while it stays the same, late is as good as now.

    A note rests on nothing, nor does the end of all sessions.
    """
    match action:
        case TakeTicket(ticket="") | CloseTicket(ticket=""):
            there = ", ".join(f"#{one.id}" for one in case.open_tickets)
            return (Fact(what="open tickets", value=there or "none"),)
        case TakeTicket(ticket=name) | CloseTicket(ticket=name):
            return _ticket_facts(name.lstrip("#"), case, notes=isinstance(action, CloseTicket))
        case Flag():
            flagged = clean(case.user.flagged) or "no"
            return (Fact(what="flagged", value=flagged),)
        case SuspendFactor(factor=name):
            factor = case.user.factor(name)
            state = factor.state.value if factor else "not there"
            return (Fact(what=f"factor {clean(name)}", value=state),)
    return ()


def _ticket_facts(name: str, case: Case, *, notes: bool) -> tuple[Fact, ...]:
    ticket = next((one for one in case.tickets if one.id == name), None)
    shown = (
        ("state", _state(ticket)),
        ("whose", clean(ticket.agent or "nobody's") if ticket else "–"),
        *((("notes", str(len(ticket.notes) if ticket else 0)),) if notes else ()),
    )
    return tuple(Fact(what=f"#{clean(name)} {what}", value=value) for what, value in shown)


def _state(ticket: Ticket | None) -> str:
    if ticket is None:
        return "not there"
    return "open" if ticket.is_open else f"closed at {ticket.closed_at:%H:%M}"


def freshness(
    contact: datetime | None,
    now: datetime,
    *,
    is_up: bool,
    shown: datetime | None = None,
    age: timedelta | None = None,
) -> Freshness:
    """Return how old what one sees is.

    Args:
        contact: When the desk was last reached; None for never.
        now: The present.
        is_up: Whether it was reached by the last try.
        shown: When what is on the screen was true, where that is not now.
        age: How long ago the contact was; None for what the clock says, which may be set back.
    """
    at = shown or contact
    if is_up:
        says = f"as of {_clock(at, now)}, asking" if shown and at else ""
        return Freshness(at=shown, is_live=True, says=says)
    if contact is None or at is None:
        return Freshness(is_live=False, says=NEVER_REACHED, is_read_only=True)
    is_old = (now - contact if age is None else age) >= READ_ONLY_AFTER
    more = "read only" if is_old else "not live"
    return Freshness(
        at=at, is_live=False, says=f"as of {_clock(at, now)}, {more}", is_read_only=is_old
    )


def age(contact: datetime, now: datetime, at_least: timedelta) -> timedelta:
    """Return how long ago a contact was, by the clock or by what is known for sure.

    Where the clock was set back so far that the contact lies ahead, nobody can say how long ago it
    was: then it is as old as can be.

    Args:
        contact: When the desk was last reached, by this machine's clock of then.
        now: The present by its clock of now.
        at_least: How long ago it was by a clock that cannot be set.
    """
    if contact - now > SKEW_STOPS:
        return max(PURGED_AFTER, at_least)
    return max(now - contact, at_least)


def _clock(at: datetime, now: datetime) -> str:
    """A time of day in UTC, as all times of the screens, with the day where it is not today."""
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%a %H:%M}"


def skewed(skew: timedelta) -> str:
    """Return the sentence on clocks that differ, *skew* being ours less the desk's; or none."""
    size = abs(skew)
    if size <= SKEW_TOLD:
        return ""
    seconds = int(size.total_seconds())
    length = f"{seconds // 60} min" if seconds >= 120 else f"{seconds} s"
    way = "ahead of" if skew > timedelta(0) else "behind"
    stops = " Nothing can be changed until it is set." if size > SKEW_STOPS else ""
    return f"This machine's clock is {length} {way} the desk's.{stops}"


def banner(wishes: Iterable[Wish], fresh: Freshness, skew: str, now: datetime) -> tuple[str, bool]:
    """Return the one line that every screen shows when not all is well, and whether it is loud.

    What leaves somebody unprotected comes first, then what waits for a decision.
    """
    found = list(wishes)
    urgent = [one for one in found if one.is_urgent]
    if urgent:
        first = min(urgent, key=lambda one: one.expires_at or now)
        until = f"; tried until {_clock(first.expires_at, now)}" if first.expires_at else ""
        more = f" and {len(urgent) - 1} more" if len(urgent) > 1 else ""
        says = f"NOT DONE YET: {first.title} on {clean(first.user)}{more}"
        return f"{says}{until}. Call a colleague.", True
    if skew:
        return skew, True
    parts = _counted(found)
    if parts:
        return f"{', '.join(parts)}.", True
    queued = sum(one.state is State.QUEUED for one in found)
    if not queued and not fresh.is_read_only:
        return "", False
    waits = f"{counted(queued, 'waits', 'wait')} to be sent." if queued else ""
    since = "yet" if fresh.says == NEVER_REACHED else "for 15 min"
    stops = f"Not reached {since}: nothing can be changed." if fresh.is_read_only else ""
    return " ".join(filter(None, (stops, waits))), fresh.is_read_only


def _counted(wishes: list[Wish]) -> list[str]:
    words = {
        State.UNKNOWN: "not known whether done",
        State.CONFLICT: "in conflict",
        State.LOST: "not done",
        State.REFUSED: "refused",
        State.EXPIRED: "expired",
    }
    counts = {state: sum(one.state is state for one in wishes) for state in words}
    return [f"{count} {words[state]}" for state, count in counts.items() if count]
