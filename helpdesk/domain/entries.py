"""Everybody as the search sees them: folded once, with the state each is in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from msgspec import Struct

from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.search import Query, Sort, UserRow, UserState, matches
from helpdesk.domain.text import digits, folded, mask_mail
from helpdesk.domain.tickets import Complaint, LoopReport, Ticket
from helpdesk.domain.users import Account, FactorKind, FactorState, MfaState, User

_CALLED: Final = frozenset({FactorKind.SMS, FactorKind.VOICE})


class Entry(Struct, frozen=True, kw_only=True):
    """One user as the search sees them.

    Attributes:
        blob: Everything that is searched in, folded, parted by newlines.
        numbers: The digits of telephone numbers and tickets.
    """

    user: User
    account: str
    blob: str
    numbers: str
    rounds: int
    ticket: Ticket | None


class Request(Protocol):
    """What of a ticket says in whose queue it is, and where."""

    @property
    def agent(self) -> str | None:
        """Id of the agent who has it."""
        ...

    @property
    def complaint(self) -> Complaint | None:
        """What the customer says is wrong."""
        ...

    @property
    def on_phone(self) -> bool:
        """Whether the customer waits on the line."""
        ...

    @property
    def opened_at(self) -> datetime:
        """When it was opened."""
        ...


class Open(Struct):
    """What is open of one user.

    Attributes:
        rounds: Of the worst open loop report; 0 for none.
    """

    tickets: list[Ticket] = []
    rounds: int = 0

    @property
    def ticket(self) -> Ticket | None:
        """The newest ticket, or None."""
        return max(self.tickets, key=lambda ticket: ticket.opened_at, default=None)


def open_of(tickets: Iterable[Ticket], loops: Iterable[LoopReport]) -> dict[str, Open]:
    """Return what is open, by user; nobody of whom nothing is."""
    found: dict[str, Open] = {}
    for ticket in tickets:
        if ticket.is_open:
            found.setdefault(ticket.user, Open()).tickets.append(ticket)
    for report in loops:
        if report.closed_at is None:
            of = found.setdefault(report.user, Open())
            of.rounds = max(report.rounds, of.rounds)
    return found


def build(
    users: Iterable[User],
    accounts: Mapping[str, Account],
    tickets: Iterable[Ticket],
    loops: Iterable[LoopReport],
) -> dict[str, Entry]:
    """Return the entries of all users by id, in the order of *users*."""
    return built(users, accounts, open_of(tickets, loops))


def built(
    users: Iterable[User], accounts: Mapping[str, Account], open_: Mapping[str, Open]
) -> dict[str, Entry]:
    """Return the entries of users by id, in their order, with what is open of each."""
    return {
        user.id: _entry(user, accounts.get(user.account), open_.get(user.id, Open()))
        for user in users
    }


class Said(NamedTuple):
    """What is searched in of one user, folded, without what is open of them.

    Attributes:
        blob: Name, id, account and mail addresses, parted by newlines; the name comes first.
        numbers: The digits of telephone numbers, parted by newlines.
    """

    blob: str
    numbers: str


def said_of(user: User, account: str) -> Said:
    """Return what is searched in of a user; *account* is the name of theirs."""
    phones = [user.mobile or "", *(f.to or "" for f in user.factors if f.kind in _CALLED)]
    mails = [user.login, user.notification_address or ""]
    return Said(
        blob="\n".join([folded(text) for text in (user.name, user.id, account, *mails)]),
        numbers="\n".join(map(digits, phones)),
    )


def entry_of(user: User, account: str, said: Said, open_: Open) -> Entry:
    """Return the entry of a user; *account* is the name of theirs."""
    numbers = [ticket.id for ticket in open_.tickets]
    return Entry(
        user=user,
        account=account,
        blob="\n".join((said.blob, *map(folded, numbers))),
        numbers="\n".join((said.numbers, *map(digits, numbers))),
        rounds=open_.rounds,
        ticket=open_.ticket,
    )


def _entry(user: User, account: Account | None, open_: Open) -> Entry:
    name = account.name if account else user.account
    return entry_of(user, name, said_of(user, name), open_)


def states_of(entry: Entry, now: datetime) -> list[UserState]:
    """Return all that holds of a user, the most urgent first; `ok` where nothing else does."""
    return states_among(entry.user, entry.rounds, now)


def states_among(user: User, rounds: int, now: datetime) -> list[UserState]:
    """Return all that holds of a user with so many rounds of a loop, the most urgent first."""
    states = {factor.state for factor in user.live_factors}
    found = (
        (user.is_locked(now), UserState.LOCKED),
        (bool(user.flagged), UserState.FLAGGED),
        (rounds > 0, UserState.LOOP),
        (user.mfa is MfaState.PENDING or FactorState.PENDING in states, UserState.PENDING),
        (FactorState.SUSPENDED in states, UserState.SUSPENDED),
        (user.mfa is MfaState.OFF, UserState.OFF),
        (user.mfa is MfaState.NONE, UserState.NONE),
    )
    return [state for holds, state in found if holds] or [UserState.OK]


def state_of(entry: Entry, now: datetime) -> UserState:
    """Return a user's state in one word, the most urgent that holds."""
    return states_of(entry, now)[0]


def row_of(entry: Entry, now: datetime) -> UserRow:
    """Return the line of a list that stands for a user; the login is masked."""
    user = entry.user
    return UserRow(
        id=user.id,
        name=user.name,
        product=user.product,
        account=entry.account,
        login=mask_mail(user.login),
        state=state_of(entry, now),
        rounds=entry.rounds,
        ticket=entry.ticket,
        seen_at=user.seen_at,
        off_since=user.mfa_since if user.mfa is MfaState.OFF else None,
        off_until=user.mfa_off_until,
    )


def is_due(user: User, now: datetime) -> bool:
    """Whether MFA was turned off until a day that has come."""
    return user.mfa is MfaState.OFF and user.mfa_off_until is not None and user.mfa_off_until <= now


def is_found(entry: Entry, query: Query, now: datetime) -> bool:
    """Whether a user is what the query asks for."""
    return (
        (not query.product or entry.user.product in query.product)
        and (query.loop is None or query.loop is (entry.rounds > 0))
        and (query.ticket is None or query.ticket is (entry.ticket is not None))
        and (query.channel is None or any(f.kind is query.channel for f in entry.user.live_factors))
        and (query.state is None or query.state in states_of(entry, now))
        and matches(entry.blob, entry.numbers, query.words)
    )


def ordered(
    entries: Sequence[Entry], query: Query, now: datetime, most: int | None = None
) -> Sequence[Entry]:
    """Return the first entries, *most* or more, in the order the query asks for; else all.

    Without an order, names that begin with a word first.
    """
    match query.sort:
        case None:
            return _beginning_first(entries, query, most) if query.words else entries
        case Sort.NAME:
            return sorted(entries, key=lambda e: folded(e.user.name))
        case Sort.PRODUCT:
            return sorted(entries, key=lambda e: (e.user.product, folded(e.user.name)))
        case Sort.STATE:
            rank = {state: number for number, state in enumerate(UserState)}
            return sorted(entries, key=lambda e: (rank[state_of(e, now)], folded(e.user.name)))
        case Sort.SEEN:
            seen = [e for e in entries if e.user.seen_at]
            return sorted(seen, key=lambda e: str(e.user.seen_at), reverse=True)
        case Sort.HEAT:
            return sorted(entries, key=lambda e: heat(e, now))


def heat(entry: Entry, now: datetime) -> tuple[object, ...]:
    """Return how urgent a user is, the smallest first."""
    return heat_of(entry.ticket, entry.rounds, now, is_locked=entry.user.is_locked(now))


def heat_of(
    ticket: Request | None, rounds: int, now: datetime, *, is_locked: bool
) -> tuple[object, ...]:
    """Return how urgent it is, the smallest first.

    On the phone, looping, locked, then the oldest ticket.
    """
    return (
        not (ticket and ticket.on_phone),
        -rounds,
        not is_locked,
        ticket.opened_at if ticket else now,
    )


def is_for(agent: Agent, entry: Entry, now: datetime) -> bool:
    """Whether a user is in an agent's queue.

    An account manager's holds the turn-off requests, and those whose day without MFA is over.
    """
    if agent.role is Role.ACCOUNT_MANAGER and is_due(entry.user, now):
        return True
    return entry.ticket is not None and waits_for(agent, entry.ticket)


def waits_for(agent: Agent, ticket: Request) -> bool:
    """Whether an open ticket is in an agent's queue: their own, or nobody's."""
    if ticket.agent not in {None, agent.id}:
        return False
    return agent.role is not Role.ACCOUNT_MANAGER or ticket.complaint is Complaint.TURN_OFF


def waiting(agent: Agent, entry: Entry, now: datetime) -> tuple[object, ...]:
    """Return the order of an agent's queue: their own tickets first, then by heat."""
    return waiting_of(agent, entry.ticket, heat(entry, now))


def waiting_of(
    agent: Agent, ticket: Request | None, heat: tuple[object, ...]
) -> tuple[object, ...]:
    """Return the order of an agent's queue, by what is so urgent: their own tickets first."""
    return (not (ticket and ticket.agent == agent.id), *heat)


def _beginning_first(entries: Sequence[Entry], query: Query, most: int | None) -> Sequence[Entry]:
    """Those whose names begin with a word, then the others, until there are enough."""
    first: list[Entry] = []
    others: list[Entry] = []
    for entry in entries:
        (first if _begins(entry, query) else others).append(entry)
        if most is not None and len(first) >= most:
            break
    return [*first, *others]


def _begins(entry: Entry, query: Query) -> bool:
    words = entry.blob.partition("\n")[0].split()
    return all(any(name.startswith(word) for name in words) for word in query.words)
