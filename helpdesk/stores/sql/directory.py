"""Everybody in a database, found by SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    column,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    table,
    true,
)

from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.audit import LOOK, LogRow
from helpdesk.domain.chain import stored_row
from helpdesk.domain.entries import Entry
from helpdesk.domain.search import Query, Sort, UserState, is_beginning
from helpdesk.domain.text import digits
from helpdesk.domain.tickets import Complaint, Ticket
from helpdesk.domain.users import MfaState, User
from helpdesk.stores.base import SEEN
from helpdesk.stores.sql.database import Database, changes
from helpdesk.stores.sql.schema import log, users

TRIGRAM: Final = 3
"""From so many letters on the index of the search helps; SQLite's knows no shorter ones."""

FOUND: Final = table("found", column("rowid"))
"""SQLite's index of all parts of three letters."""

BEGUN: Final = table("begun", column("rowid"))
"""SQLite's index of the beginnings of words."""

COUNTED: Final = 10_000
"""So many are counted; whoever finds more looks closer anyway."""

COLUMNS: Final = (
    users.c.body,
    users.c.account_name,
    users.c.blob,
    users.c.numbers,
    users.c.rounds,
    users.c.ticket,
)
"""What an `Entry` is made of."""


class SqlDirectory:
    """The people of a `Database`, as `Directory` asks for them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def refresh(self) -> int:
        """Give how many changes there were."""
        return await self._database.ask(self._changes)

    async def entries(self, names: Sequence[str]) -> Mapping[str, Entry]:
        """Give the entries of these users by id; whoever is not known is left out."""
        if not names:
            return {}
        wanted = select(*COLUMNS).where(users.c.id.in_(set(names)))
        found = await self._found(wanted)
        return {entry.user.id: entry for entry in found}

    async def named(self, login: str) -> Sequence[Entry]:
        """Give the users of this login, whatever its case."""
        return await self._found(select(*COLUMNS).where(users.c.login == login.casefold()))

    async def find(
        self, query: Query, now: datetime, *, account: str | None, offset: int, limit: int
    ) -> tuple[int, Sequence[Entry]]:
        """Give how many users match, up to `COUNTED`, and a window of them in the query's order."""
        holds = and_(*self._conditions(query, now), _of(account))
        if query.sort is Sort.SEEN:
            holds = and_(holds, users.c.seen.is_not(None))
        order = _order(query, now)
        return await self._database.ask(self._window, holds, order, offset, limit)

    async def queue(
        self, agent: Agent, now: datetime, *, offset: int, limit: int
    ) -> tuple[int, Sequence[Entry]]:
        """Give how many users an agent should look at, and a window of them, the hottest first."""
        free = or_(users.c.ticket_agent.is_(None), users.c.ticket_agent == agent.id)
        holds: ColumnElement[bool] = and_(users.c.ticket_at.is_not(None), free)
        if agent.role is Role.ACCOUNT_MANAGER:
            asked = users.c.ticket_complaint == Complaint.TURN_OFF.value
            holds = or_(and_(holds, asked), users.c.off_until <= now)
        mine = case((users.c.ticket_agent == agent.id, 0), else_=1)
        order = (mine, *_heat(now), users.c.key)
        return await self._database.ask(
            self._window, and_(holds, _of(agent.account)), order, offset, limit
        )

    async def seen(
        self, since: datetime, *, account: str | None = None, limit: int = SEEN
    ) -> Sequence[Entry]:
        """Give the users who did something since a moment, those seen last, at most *limit*."""
        last = (
            select(users.c.key)
            .where(users.c.seen >= since, _of(account))
            .order_by(users.c.seen.desc())
            .limit(limit)
        )
        wanted = select(*COLUMNS).where(users.c.key.in_(last.scalar_subquery()))
        return await self._found(wanted.order_by(users.c.key))

    async def logged(
        self, query: Query, *, account: str | None, offset: int, limit: int
    ) -> tuple[int, Sequence[LogRow]]:
        """Give how many rows of the log match, and a window of them, newest first."""
        holds = [_contains(log.c.blob, word) for word in query.words]
        if LOOK not in query.words:
            holds.append(log.c.act != LOOK)
        if query.product or account is not None:
            theirs = select(users.c.id).where(_of(account))
            if query.product:
                theirs = theirs.where(users.c.product.in_(query.product))
            holds.append(log.c.user.in_(theirs.scalar_subquery()))
        return await self._database.ask(self._log_window, and_(true(), *holds), offset, limit)

    def _changes(self) -> int:
        with self._database.connection() as connection:
            return changes(connection)

    async def _found(self, wanted: Select[Any]) -> list[Entry]:
        return await self._database.ask(self._all, wanted)

    def _all(self, wanted: Select[Any]) -> list[Entry]:
        with self._database.connection() as connection:
            return [_entry(*row) for row in connection.execute(wanted)]

    def _window(
        self, holds: ColumnElement[bool], order: Sequence[Any], offset: int, limit: int
    ) -> tuple[int, Sequence[Entry]]:
        wanted = select(*COLUMNS).where(holds).order_by(*order).offset(offset).limit(limit)
        some = select(users.c.key).where(holds).limit(COUNTED).subquery()
        with self._database.connection() as connection:
            total = connection.execute(select(func.count()).select_from(some))
            return total.scalar_one(), [_entry(*row) for row in connection.execute(wanted)]

    def _log_window(
        self, holds: ColumnElement[bool], offset: int, limit: int
    ) -> tuple[int, Sequence[LogRow]]:
        wanted = select(log.c.body).where(holds).order_by(log.c.seq.desc())
        with self._database.connection() as connection:
            total = connection.execute(select(func.count()).select_from(log).where(holds))
            bodies = connection.execute(wanted.offset(offset).limit(limit)).scalars()
            rows = [stored_row(msgspec.json.decode(body))[0] for body in bodies]
            return total.scalar_one(), rows

    def _conditions(self, query: Query, now: datetime) -> list[ColumnElement[bool]]:
        holds: list[ColumnElement[bool]] = [true()]
        if query.product:
            holds.append(users.c.product.in_(query.product))
        if query.loop is not None:
            holds.append(users.c.rounds > 0 if query.loop else users.c.rounds == 0)
        if query.ticket is not None:
            has_one = users.c.ticket_at.is_not(None)
            holds.append(has_one if query.ticket else not_(has_one))
        if query.channel is not None:
            holds.append(_contains(users.c.kinds, f",{query.channel.value},"))
        if query.state is not None:
            holds.append(_state(query.state, now))
        return [*holds, *(self._word(word) for word in query.words)]

    def _word(self, word: str) -> ColumnElement[bool]:
        """Whether a word is in a user's text or, where it is a number, in their numbers."""
        text, number = word.lstrip("#"), digits(word)
        if is_beginning(text):
            return self._begun(text)
        holds = self._in("blob", users.c.blob, text)
        if len(number) >= TRIGRAM and all(c in "+0123456789-./()" for c in word):
            holds = or_(holds, self._in("numbers", users.c.numbers, number))
        return holds

    def _begun(self, text: str) -> ColumnElement[bool]:
        """Whether a word of a user's text begins so; letters and digits only."""
        if not self._database.is_sqlite:
            words = func.to_tsvector(literal_column("'simple'"), users.c.words)
            return words.op("@@")(func.to_tsquery(literal_column("'simple'"), f"{text}:*"))
        matching: Select[Any] = select(BEGUN.c.rowid).where(
            literal_column("begun").op("MATCH")(literal(f'"{text}"*'))
        )
        return users.c.key.in_(matching.scalar_subquery())

    def _in(self, name: str, column: ColumnElement[str], text: str) -> ColumnElement[bool]:
        if not self._database.is_sqlite or len(text) < TRIGRAM:
            return _contains(column, text)
        quoted = '"' + text.replace('"', '""') + '"'
        matching: Select[Any] = select(FOUND.c.rowid).where(
            literal_column("found").op("MATCH")(literal(f"{name} : {quoted}"))
        )
        return users.c.key.in_(matching.scalar_subquery())


def _entry(
    body: bytes, account: str, blob: str, numbers: str, rounds: int, ticket: bytes | None
) -> Entry:
    return Entry(
        user=msgspec.json.decode(body, type=User),
        account=account,
        blob=blob,
        numbers=numbers,
        rounds=rounds,
        ticket=msgspec.json.decode(ticket, type=Ticket) if ticket else None,
    )


def _contains(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    return column.contains(text, autoescape=True)


def _of(account: str | None) -> ColumnElement[bool]:
    return true() if account is None else users.c.account == account


def _locked(now: datetime) -> ColumnElement[bool]:
    return or_(users.c.is_locked, func.coalesce(users.c.locked_until > now, False))


def _states(now: datetime) -> dict[UserState, ColumnElement[bool]]:
    return {
        UserState.LOCKED: _locked(now),
        UserState.FLAGGED: users.c.is_flagged,
        UserState.LOOP: users.c.rounds > 0,
        UserState.PENDING: users.c.is_pending,
        UserState.SUSPENDED: users.c.is_suspended,
        UserState.OFF: users.c.mfa == MfaState.OFF.value,
        UserState.NONE: users.c.mfa == MfaState.NONE.value,
    }


def _state(state: UserState, now: datetime) -> ColumnElement[bool]:
    states = _states(now)
    return states[state] if state in states else not_(or_(*states.values()))


def _heat(now: datetime) -> tuple[Any, ...]:
    """How urgent a user is, the smallest first, as `entries.heat`."""
    return (
        case((users.c.is_on_phone, 0), else_=1),
        users.c.rounds.desc(),
        case((_locked(now), 0), else_=1),
        func.coalesce(users.c.ticket_at, literal(now, users.c.ticket_at.type)),
    )


def _order(query: Query, now: datetime) -> Sequence[Any]:
    match query.sort:
        case None:
            longer = [word for word in query.words if not is_beginning(word)]
            begins = and_(true(), *(_begins(word) for word in longer))
            first = (case((begins, 0), else_=1),) if longer else ()
            return (*first, users.c.key)
        case Sort.NAME:
            return (users.c.name, users.c.key)
        case Sort.PRODUCT:
            return (users.c.product, users.c.name, users.c.key)
        case Sort.STATE:
            states = [*_states(now).items()]
            ranks = [(holds, rank) for rank, (_, holds) in enumerate(states)]
            return (case(*ranks, else_=len(ranks)), users.c.name, users.c.key)
        case Sort.SEEN:
            return (users.c.seen.desc(), users.c.key)
        case Sort.HEAT:
            return (*_heat(now), users.c.key)


def _begins(word: str) -> ColumnElement[bool]:
    name = users.c.name
    return or_(name.startswith(word, autoescape=True), name.contains(f" {word}", autoescape=True))
