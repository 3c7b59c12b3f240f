"""All that the case of one user is made of, read by one question before each part is asked for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from sqlalchemy import text

from helpdesk.domain.approvals import Approval
from helpdesk.domain.cases import DOUBLES
from helpdesk.domain.entries import Entry
from helpdesk.domain.notices import Notice
from helpdesk.domain.proofs import Proof
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.domain.users import Account
from helpdesk.stores.base import TABLES
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.directory import entry_of
from helpdesk.stores.sql.documents import step_of
from helpdesk.stores.sql.log import row_of, rows_of
from helpdesk.stores.sql.lull import What, alike, entries_of, named
from helpdesk.stores.sql.prepared import Prepared
from helpdesk.stores.sql.records import records_of
from helpdesk.stores.sql.turning import turn_after

T = TypeVar("T")

KINDS: Final[tuple[type[Any], ...]] = (Ticket, LoopReport, Approval, Proof, Notice)
"""The records of a user that their case is made of."""

ALL: Final = Prepared(
    text(f"""
WITH who AS (SELECT * FROM users WHERE id = :user)
SELECT 'user' AS part, blob AS a, account_name AS b, numbers AS c, rounds AS m, "key" AS n,
       body, ticket
FROM who
UNION ALL
SELECT 'login', u.blob, u.account_name, u.numbers, u.rounds, u."key", u.body, u.ticket
FROM users u WHERE u.login = (SELECT login FROM who)
UNION ALL
SELECT * FROM (
  SELECT 'alike', u.blob, u.account_name, u.numbers, u.rounds, u."key", u.body, u.ticket
  FROM (SELECT "key" AS k FROM users WHERE name_shape = (SELECT name_shape FROM who)
        UNION
        SELECT "key" AS k FROM users WHERE login_shape = (SELECT login_shape FROM who)) same
  JOIN users u ON u."key" = same.k
  WHERE u.id <> :user AND (CAST(:account AS TEXT) IS NULL OR u.account = :account)
  ORDER BY u."key" LIMIT {DOUBLES}) others
UNION ALL
SELECT * FROM (
  SELECT 'mark', '', '', '', 0, e.n, e.body, CAST(NULL AS BYTEA)
  FROM events e WHERE e."user" = (SELECT "key" FROM who) ORDER BY e.n DESC LIMIT 1) last
UNION ALL
SELECT 'account', d.name, '', '', 0, d."key", d.body, CAST(NULL AS BYTEA)
FROM documents d WHERE d.kind = 'accounts' AND d.name = (SELECT account FROM who)
UNION ALL
SELECT 'row', act, '', '', 0, seq, body, CAST(NULL AS BYTEA) FROM log WHERE "user" = :user
UNION ALL
SELECT 'record', kind, '', '', CASE WHEN is_open THEN 1 ELSE 0 END, n, body, CAST(NULL AS BYTEA)
FROM records WHERE kind IN ({", ".join(f"'{TABLES[kind]}'" for kind in KINDS)}) AND "user" = :user
""")  # noqa: S608  (our own names)
)
"""Every part in the same columns; `n` is what each part is in the order of."""


class _Row(NamedTuple):
    """A row of any part."""

    part: str
    a: str
    b: str
    c: str
    m: int
    n: int
    body: bytes
    ticket: bytes | None

    def entry(self) -> Entry:
        return entry_of(self.body, self.b, self.a, self.c, self.m, self.ticket)


class Reading:
    """One question's lull in a database, as `stores.base.Lull`; one is in it while one asks."""

    __slots__ = ("_asking", "_database", "_lull")

    def __init__(self, database: Database) -> None:
        self._database, self._asking = database, database.lull()

    async def __aenter__(self) -> Reading:
        """Begin the question."""
        self._lull = await self._asking.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        """End it."""
        await self._asking.__aexit__(*error)

    def answer(self, what: Hashable, now: datetime) -> Any:
        """Give the answer to a question, if it still holds; else None."""
        return self._lull.answer(what, now)

    def answered(self, what: Hashable, now: datetime, found: T, until: datetime | None = None) -> T:
        """Take note of an answer, and give it."""
        return self._lull.answered(what, now, found, until)

    async def still(self, now: datetime) -> datetime:
        """Give until when time itself changes no list of people."""
        return await turn_after(self._database, self._lull, now)

    async def ahead(self, user: str, *, account: str | None) -> None:
        """Read at once all that the case of a user is made of, for an agent of an account."""
        await self._database.once(("ahead", user, account), self._read, user, account)

    def _read(self, user: str, account: str | None) -> bool:
        with self._database.connection() as connection:
            found = ALL.rows(connection, {"user": user, "account": account})
        try:
            for what, value in _parts([_Row(*row) for row in found], user, account):
                self._lull.keep(what, value)
        except msgspec.DecodeError:  # whoever asks for that part says where
            return False
        return True


def reading(database: Database) -> Callable[[], Reading]:
    """Return what begins a question to a database."""
    return partial(Reading, database)


def _parts(
    rows: Sequence[_Row], user: str, account: str | None
) -> list[tuple[What, Sequence[Any] | dict[str, Any]]]:
    """Return what is known of a user, each by what it will be asked for."""
    of: dict[str, list[_Row]] = {}
    for row in sorted(rows, key=lambda row: row.n):
        of.setdefault(row.part, []).append(row)
    if "user" not in of:
        return []
    entry = of["user"][0].entry()
    mark = (of["mark"][0].n, of["mark"][0].body) if "mark" in of else (None, None)
    found: list[tuple[What, Any]] = [
        (entries_of((user,)), (entry,)),
        (named(entry.user.login.casefold()), tuple(row.entry() for row in of["login"])),
        (
            alike(entry.user, account, DOUBLES),
            tuple(row.entry() for row in of.get("alike", ())),
        ),
        (step_of("marks", [user]), {user: mark}),
        (rows_of(user), tuple(row_of(row.body) for row in of.get("row", ()))),
    ]
    for row in of.get("account", ()):
        one = {row.a: msgspec.json.decode(row.body, type=Account)}
        found.append((step_of("_values", "accounts", [row.a], Account), one))
    for kind in KINDS:
        theirs = [
            (row.m, msgspec.json.decode(row.body, type=kind))
            for row in of.get("record", ())
            if row.a == TABLES[kind]
        ]
        open_ = tuple(one for is_open, one in theirs if is_open)
        found += [
            (records_of(kind, user), tuple(one for _, one in theirs)),
            (records_of(kind, user, only_open=True), open_),
        ]
    return found
