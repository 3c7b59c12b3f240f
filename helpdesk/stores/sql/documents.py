"""People, timelines and what else a provider keeps, as the demo's provider asks for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar, cast

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam, delete, func, insert, select
from sqlalchemy import update as change

from helpdesk.domain import entries
from helpdesk.domain.alike import shape
from helpdesk.domain.entries import Entry
from helpdesk.domain.errors import BadFile
from helpdesk.domain.shifting import STILL
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.domain.users import Account, FactorState, MfaState, User
from helpdesk.stores.sql.connections import changes
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.lull import OF_PEOPLE, What
from helpdesk.stores.sql.prepared import SEVERAL, Prepared
from helpdesk.stores.sql.schema import EPOCH, LOCKED_HEAT, documents, events, records, users

S = TypeVar("S")

MILLISECOND: Final = timedelta(milliseconds=1)
MOST_ROUNDS: Final = 4_095
"""More rounds of a loop are not told apart."""

# Statements that are asked all the time are put together once.
_NAMES: Final[BindParameter[Any]] = bindparam(SEVERAL, expanding=True)

PEOPLE: Final = Prepared(
    select(users.c.id, users.c.key, users.c.body).where(users.c.id.in_(_NAMES))
)

NAMED: Final = Prepared(
    select(documents.c.name, documents.c.key, documents.c.body).where(
        documents.c.kind == bindparam("kind"), documents.c.name.in_(_NAMES)
    )
)

TIMELINES: Final = Prepared(
    select(users.c.id, events.c.body)
    .join_from(users, events, users.c.key == events.c.user, isouter=True)
    .where(users.c.id.in_(_NAMES))
    .order_by(events.c.user, events.c.n)
)

OPEN: Final = Prepared(
    select(records.c.kind, records.c.body)
    .where(
        records.c.user == bindparam("user"),
        records.c.kind.in_(("tickets", "loops")),
        records.c.is_open,
    )
    .order_by(records.c.n)
)
"""The open tickets and loops of a user."""

FOLDED: Final = Prepared(select(users).where(users.c.id == bindparam("user")))

FOLD: Final = Prepared(change(users).where(users.c.id == bindparam("whose")))

KEY: Final = Prepared(select(users.c.key).where(users.c.id == bindparam("user")))

BODY: Final = Prepared(select(users.c.body).where(users.c.key == bindparam("key")))

END: Final = Prepared(select(func.max(events.c.n)).where(events.c.user == bindparam("key")))

ADD: Final = Prepared(insert(events))

_end: Final = events.alias("end")

LAST: Final = Prepared(
    select(users.c.id, events.c.n, events.c.body)
    .join_from(
        users,
        events,
        (users.c.key == events.c.user)
        & (
            events.c.n
            == select(func.max(_end.c.n)).where(_end.c.user == users.c.key).scalar_subquery()
        ),
        isouter=True,
    )
    .where(users.c.id.in_(_NAMES))
)
"""The end of each of several timelines; of an empty one, nothing."""


class SqlDocuments:
    """Documents of a database, table by table; blocking, so used from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.name = database.name

    def generation(self, *_: str) -> int:
        """Give a number that grows whenever anything may have been changed."""
        with self._database.connection() as connection:
            return changes(connection)

    def named(self, table: str, names: Sequence[str]) -> Mapping[str, tuple[int, Any]]:
        """Give key and document of those of these names that are known."""
        if not names:
            return {}
        wanted = PEOPLE if table == "users" else NAMED
        with self._database.connection() as connection:
            found = wanted.rows(connection, {"kind": table, SEVERAL: [*set(names)]})
        return {name: (key, msgspec.json.decode(body)) for name, key, body in found}

    def marks(self, names: Sequence[str]) -> Mapping[str, object]:
        """Give, of those of these users that are known, what changes when their timeline does.

        Events are only ever added: how many there are, and the last.
        """
        with self._database.connection() as connection:
            found = LAST.rows(connection, {SEVERAL: [*set(names)]})
            return {user: (n, body) for user, n, body in found}

    def key_of(self, table: str, name: str) -> int | None:
        """Give the key of the document that calls itself *name*; None where none does."""
        wanted = select(documents.c.key).where(documents.c.kind == table, documents.c.name == name)
        with self._database.connection() as connection:
            if table == "users":
                key: int | None = KEY.first(connection, {"user": name})
                return key
            return connection.execute(wanted).scalar()

    def row(self, table: str, key: int) -> dict[str, Any] | None:
        """Give one document, or None."""
        wanted = select(documents.c.body).where(documents.c.kind == table, documents.c.key == key)
        with self._database.connection() as connection:
            if table == "users":
                body = BODY.first(connection, {"key": key})
            else:
                body = connection.execute(wanted).scalar()
        return None if body is None else msgspec.json.decode(body, type=dict[str, Any])

    def of(self, table: str, user: str) -> list[tuple[int, dict[str, Any]]]:
        """Give the documents of a table that are about a user, with their keys."""
        wanted = select(documents.c.key, documents.c.body).where(
            documents.c.kind == table, documents.c.user == user
        )
        with self._database.connection() as connection:
            found = connection.execute(wanted.order_by(documents.c.key)).all()
        return [(key, msgspec.json.decode(body, type=dict[str, Any])) for key, body in found]

    def free_key(self, table: str) -> int:
        """Give a key that no document of a table has."""
        wanted = select(func.max(documents.c.key)).where(documents.c.kind == table)
        with self._database.connection() as connection:
            return (connection.execute(wanted).scalar() or 0) + 1

    def put(self, table: str, key: int, document: Mapping[str, Any]) -> None:
        """Write one document whole; only inside a transaction."""
        with self._database.connection() as connection:
            if table == "users":
                fold(connection, msgspec.convert(document, User))
            else:
                put_document(connection, table, key, document)

    def drop(self, table: str, beyond: int) -> None:
        """Take out the documents with a greater key; only inside a transaction."""
        with self._database.connection() as connection:
            old = (documents.c.kind == table) & (documents.c.key > beyond)
            connection.execute(delete(documents).where(old))

    def events(self, names: Sequence[str]) -> Mapping[str, tuple[bytes, timedelta]]:
        """Give the timelines of those of these users that are known, oldest event first, raw."""
        found: dict[str, list[bytes]] = {}
        with self._database.connection() as connection:
            for user, body in TIMELINES.rows(connection, {SEVERAL: [*set(names)]}):
                found.setdefault(user, []).extend([body] if body else [])
        return {user: (b"[" + b",".join(bodies) + b"]", STILL) for user, bodies in found.items()}

    def extend(self, key: int, _: str, more: Sequence[Any]) -> None:
        """Add events to the end of a timeline; only inside a transaction."""
        with self._database.connection() as connection:
            begin = END.first(connection, {"key": key})
            first = 0 if begin is None else begin + 1
            for n, one in enumerate(more, first):
                ADD.run(connection, {"user": key, "n": n, "body": msgspec.json.encode(one)})

    def decoded(self, table: str, key: int, row: Any, kind: type[S]) -> S:
        """Return a document as a value.

        Raises:
            BadFile: It is not of that form; the error names table, record and field.
        """
        try:
            return msgspec.convert(row, kind)
        except msgspec.ValidationError as error:
            raise BadFile(self.name, f"{table}.{key}", str(error)) from error

    async def step(self, step: Callable[..., S], *arguments: Any) -> S:
        """Take a blocking step of the transaction under way to its end, cancelled or not."""
        self._database.people_change()
        return await self._database.ask(step, *arguments, writes=OF_PEOPLE)

    async def read(
        self, step: Callable[..., S], *arguments: Any, is_long: bool = False, of: str = ""
    ) -> S:
        """Take a step that only reads; in a lull, each once, whatever it is *of*."""
        if step == self.generation:
            return cast(S, await self._database.people())
        if is_long:
            return await self._database.ask(step, *arguments, is_long=True, writes=())
        return await self._database.once(step_of(step.__name__, *arguments), step, *arguments)


def step_of(name: str, *arguments: Any) -> What:
    """Return what a step of this name is known by in a lull."""
    asked = (tuple(one) if isinstance(one, list) else one for one in arguments)
    return "step", name, *asked


def put_document(connection: Connection, table: str, key: int, document: Mapping[str, Any]) -> None:
    """Write one document, new or instead of the old one."""
    old = (documents.c.kind == table) & (documents.c.key == key)
    connection.execute(delete(documents).where(old))
    row = document_row(table, key, document)
    connection.execute(insert(documents).values(**row))


def document_row(table: str, key: int, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document as a row of its table."""
    return {
        "kind": table,
        "key": key,
        "name": str(document.get("id", "")),
        "user": str(document.get("user", "")),
        "body": msgspec.json.encode(document),
    }


def fold(connection: Connection, user: User) -> None:
    """Write a user as the search sees them, after they, their tickets or their loops changed."""
    found = OPEN.rows(connection, {"user": user.id})
    account = NAMED.rows(connection, {"kind": "accounts", SEVERAL: [user.account]})
    entry = entries.build(
        [user],
        {user.account: msgspec.json.decode(account[0][2], type=Account)} if account else {},
        [msgspec.json.decode(body, type=Ticket) for kind, body in found if kind == "tickets"],
        [msgspec.json.decode(body, type=LoopReport) for kind, body in found if kind == "loops"],
    )[user.id]
    row = user_row(entry)
    for before in FOLDED.rows(connection, {"user": user.id}):
        kept = zip(users.c.keys(), before, strict=True)
        # An index of what is written is written too, and most of a user is as it was.
        new = {name: row[name] for name, value in kept if name in row and row[name] != value}
        if new:
            FOLD.run(connection, new | {"whose": user.id})


def user_row(entry: Entry) -> dict[str, Any]:
    """Return a user as a row, but for its key."""
    user, ticket = entry.user, entry.ticket
    states = {factor.state for factor in user.live_factors}
    is_locked = any(factor.state is FactorState.LOCKED for factor in user.factors)
    is_pending = user.mfa is MfaState.PENDING or FactorState.PENDING in states
    # As `UserState` puts them, but for a lock that ends: that is seen when it is asked for.
    holds = (
        is_locked,
        bool(user.flagged),
        entry.rounds > 0,
        is_pending,
        FactorState.SUSPENDED in states,
        user.mfa is MfaState.OFF,
        user.mfa is MfaState.NONE,
    )
    return {
        "id": user.id,
        "account": user.account,
        "account_name": entry.account,
        "product": user.product,
        "login": user.login.casefold(),
        "name": entry.blob.partition("\n")[0],
        "blob": entry.blob,
        "numbers": entry.numbers,
        "words": " ".join(sorted(set(re.findall(r"[^\W_]+", entry.blob)))),
        "body": msgspec.json.encode(user),
        "seen": user.seen_at,
        "mfa": user.mfa.value,
        "off_until": user.mfa_off_until if user.mfa is MfaState.OFF else None,
        "locked_until": user.locked_until,
        "is_locked": is_locked,
        "is_flagged": bool(user.flagged),
        "is_pending": is_pending,
        "is_suspended": FactorState.SUSPENDED in states,
        "kinds": "".join(f",{kind}," for kind in sorted({f.kind for f in user.live_factors})),
        "rounds": entry.rounds,
        "ticket": msgspec.json.encode(ticket) if ticket else None,
        "ticket_agent": ticket.agent if ticket else None,
        "ticket_at": ticket.opened_at if ticket else None,
        "ticket_complaint": ticket.complaint if ticket else None,
        "is_on_phone": bool(ticket and ticket.on_phone),
        "rank": holds.index(True) if any(holds) else len(holds),
        "heat": heat_of(entry, is_locked=is_locked),
        "name_shape": shape(user.name),
        "login_shape": shape(user.login),
    }


def heat_of(entry: Entry, *, is_locked: bool) -> int:
    """Return how urgent a user is as one number, the smallest first, in the order of `heat`.

    From the highest bit: not on the phone (61), how few rounds of a loop (49 to 60), not locked
    (48), since when the ticket waits, in milliseconds since 1970 (0 to 47; all ones without one).
    """
    ticket = entry.ticket
    since = (ticket.opened_at - EPOCH) // MILLISECOND if ticket else LOCKED_HEAT - 1
    few = MOST_ROUNDS - min(entry.rounds, MOST_ROUNDS)
    calm = not (ticket and ticket.on_phone)
    return (calm << 61) + (few << 49) + (not is_locked) * LOCKED_HEAT + since
