"""A fixture file into an empty database, document by document, its times moved into the present.

documents ─▶ rows, thousands at once ─▶ who waits (tickets, loops) ─▶ indexes ─▶ done
   every batch is kept together with how far it is: who is interrupted goes on from there
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, delete, insert, select, update

from helpdesk.domain import entries
from helpdesk.domain.agents import Agent
from helpdesk.domain.chain import Noted, stored_row
from helpdesk.domain.errors import BadFile, BadInput
from helpdesk.domain.operations import Operation
from helpdesk.domain.shifting import moved
from helpdesk.domain.text import clean, counted
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.domain.users import Account, User
from helpdesk.stores.base import TABLES
from helpdesk.stores.form import FORMAT
from helpdesk.stores.sql.bulk import Bulk, Rejected, bulk
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.documents import SqlDocuments, document_row, user_row
from helpdesk.stores.sql.log import log_row
from helpdesk.stores.sql.records import record_row
from helpdesk.stores.sql.schema import checkpoints, documents, events, log, pen, records, users
from helpdesk.stores.tinyfile import shift_of

T = TypeVar("T")

AT_ONCE: Final = 2_000
"""Documents, or people, that are kept together."""

KINDS: Final = {name: kind for kind, name in TABLES.items() if kind is not Operation}
"""The tables of records. Kept answers stay behind: nobody here will ask for them."""

BEFORE: Final = {"accounts": "users", "users": "log"}
"""Which table has to come before which: the later one is written with what is in the first."""


class Source(Struct, frozen=True, kw_only=True):
    """A file that is imported.

    Attributes:
        name: As the person gave it.
        mark: Another for another file: by it an import that broke off is known again.
        documents: (table, key, document) in the order of the file; a table's name comes first with
            an empty key, as `fixture.scan` reads them.
    """

    name: str
    mark: str
    documents: Iterable[tuple[str, str, Any]]


class Progress(Struct, kw_only=True):
    """How far an import is.

    Attributes:
        shift: How far its times are moved.
        documents: How many were read; also the place of a record among its kind.
        bound: How many rows of the log are bound to one another.
        ticket: The highest number of a ticket.
        people: How many users there are; of whom *expected* are announced, 0 where none are.
        is_read: Whether all were read; then *folded* is the last user looked at once more, and
            *later* are the statements that make the indexes.
    """

    file: str
    mark: str
    shift: timedelta = timedelta()
    documents: int = 0
    bound: int = 0
    ticket: int = 1000
    people: int = 0
    expected: int = 0
    is_read: bool = False
    folded: str = ""
    later: list[str] = []


def is_empty(database: Database) -> bool:
    """Return whether nobody is in a database yet; blocking."""
    with database.connection() as connection:
        return connection.execute(select(users.c.key).limit(1)).first() is None


def is_invented(database: Database) -> bool:
    """Return whether its people are invented, as the file they came from said; blocking."""
    return "seed" in (SqlDocuments(database).row("meta", 1) or {})


def unfinished(database: Database) -> Progress | None:
    """Return how far an import is that broke off; None where none did; blocking."""
    row = SqlDocuments(database).row(_MARK, 1)
    return None if row is None else msgspec.convert(row, Progress)


def import_fixture(
    database: Database,
    source: Source,
    clock: Callable[[], datetime],
    tell: Callable[[str], None] = lambda _: None,
    *,
    at_once: int = AT_ONCE,
) -> int:
    """Copy a fixture into a database that holds nobody yet; give how many users that are; blocking.

    An import of the same file that broke off goes on where it was; of another file, what it left
    is taken out first. *tell* hears how far it is, often. So many documents are kept *at_once*.

    Raises:
        BadInput: There is somebody in it already, or somebody imports into it now.
        BadFile: The file is none of a desk, or damaged; it names the place.
    """
    left = unfinished(database)
    if left is None and not is_empty(database):
        raise BadInput(
            f"{database.name} holds people already: import into an empty one, or leave the import "
            "out to go on with these."
        )
    with bulk(database) as filling:
        if left is not None and left.mark != source.mark:
            tell(f"{clean(left.file)} was not imported whole, and this is another file: from anew")
            _clear(filling)
            left = Progress(file=source.name, mark=source.mark, later=left.later)
        importing = _Importing(filling, source, clock, tell, left, at_once)
        importing.read()
        importing.fold()
        importing.index()
        return importing.finished()


_MARK: Final = "importing"


class _Importing:
    """One import; `so_far` is what is kept of it."""

    def __init__(
        self,
        filling: Bulk,
        source: Source,
        clock: Callable[[], datetime],
        tell: Callable[[str], None],
        left: Progress | None,
        at_once: int,
    ) -> None:
        self._filling, self._source, self._tell, self._clock = filling, source, tell, clock
        self.so_far = left or Progress(file=source.name, mark=source.mark)
        self._at_once = at_once
        self._rows: dict[Any, list[dict[str, Any]]] = {}
        self._began, self._place = "", ""
        self._named = lru_cache(20_000)(self._name)
        self._account = lru_cache(20_000)(self._account_of)
        self._take = {
            "meta": self._meta, "agents": self._agents, "accounts": self._accounts,
            "users": self._users, "timelines": self._timelines, "secrets": self._secrets,
            "log": self._log, "checkpoints": self._checkpoints,
        }  # fmt: skip

    def read(self) -> None:
        """Read every document that was not read yet."""
        if self.so_far.is_read:
            return
        if not self.so_far.documents:
            taken = self._filling.bare(users)
            self.so_far.later = [*taken, *(one for one in self.so_far.later if one not in taken)]
        seen: list[str] = []
        for number, (table, key, document) in enumerate(self._announced(seen)):
            if number < self.so_far.documents:
                continue
            self._place = f"{table}.{key}"
            self._began = self._began or self._place
            row = moved(document, self.so_far.shift) if table != "meta" else document
            self._take.get(table, self._other)(table, int(key), row)
            self.so_far.documents += 1
            if self.so_far.documents % self._at_once == 0:
                self._keep()
                self._say(table)
        if "meta" not in seen:
            raise BadFile(self._source.name, "meta.1.format", f"is no desk's file ({FORMAT}).")
        self.so_far.is_read = True
        self._keep()

    def fold(self) -> None:
        """Write anew whoever has an open ticket or loop: they were read after the people."""
        connection = self._filling.connection
        waits = (records.c.kind.in_(("tickets", "loops"))) & records.c.is_open
        while True:
            more = select(records.c.user).where(waits, records.c.user > self.so_far.folded)
            names = connection.execute(
                more.distinct().order_by(records.c.user).limit(self._at_once)
            ).scalars()
            if not (some := [*names]):
                return
            self._fold(some)
            self.so_far.folded = some[-1]
            self._tell(f"who waits: up to {clean(some[-1])}")
            self._keep()

    def index(self) -> None:
        """Make the indexes, one after the other."""
        while self.so_far.later:
            self._tell(f"indexes: {len(self.so_far.later)} to go")
            self._filling.connection.exec_driver_sql(self.so_far.later.pop(0))
            self._keep()

    def finished(self) -> int:
        """Take away what was kept of it; give how many users there are."""
        connection = self._filling.connection
        self._filling.plan()
        connection.execute(delete(documents).where(documents.c.kind == _MARK))
        number = {"changes": pen.c.changes + 1, "ticket": self.so_far.ticket}
        connection.execute(update(pen).values(number))
        return self.so_far.people

    def _announced(self, seen: list[str]) -> Iterator[tuple[str, str, Any]]:
        """The documents; *seen* takes the tables as they begin."""
        for table, key, document in self._source.documents:
            if key:
                yield table, key, document
                continue
            if not seen and table != "meta":
                raise BadFile(self._source.name, clean(table), "stands before the table meta.")
            late = next((first for first, then in BEFORE.items() if then == table), None)
            if late and late not in seen and document is None:
                self._wait_for(table, late)
            seen.append(table)

    def _wait_for(self, table: str, first: str) -> None:
        says = f"stands before {first}, or without; it is read after it."
        raise BadFile(self._source.name, clean(table), says)

    def _keep(self) -> None:
        """Keep what was read, and how far that is, in one transaction."""
        try:
            for table, rows in self._rows.items():
                self._filling.add(table, rows)
        except Rejected as error:
            says = f"cannot be kept: {clean(str(error), limit=200)}"
            place = f"{self._began} to {self._place}"
            raise BadFile(self._source.name, place, says) from error
        self._rows, self._began = {}, ""
        connection = self._filling.connection
        connection.execute(delete(documents).where(documents.c.kind == _MARK))
        mark = document_row(_MARK, 1, msgspec.to_builtins(self.so_far))
        connection.execute(insert(documents).values(**mark))
        self._filling.commit()

    def _say(self, table: str) -> None:
        far = self.so_far
        users = counted(far.expected or far.people, "user")
        of = f"{far.people:,} of " if far.expected else ""
        self._tell(f"{clean(table)}: {counted(far.documents, 'document')}, {of}{users}")

    def _decoded(self, kind: type[T], row: Any) -> T:
        try:
            return msgspec.convert(row, kind)
        except msgspec.ValidationError as error:
            says, _, path = str(error).partition(" - at `$")
            place = f"{self._place}{path.rstrip('`')}"
            raise BadFile(self._source.name, place, clean(says)) from error

    def _put(self, table: Any, row: dict[str, Any]) -> None:
        self._rows.setdefault(table, []).append(row)

    # One method a table.

    def _meta(self, table: str, key: int, row: dict[str, Any]) -> None:
        if row.get("format") != FORMAT:
            says = f"is not a desk's file ({FORMAT} is expected)."
            raise BadFile(self._source.name, "meta.1.format", says)
        self.so_far.shift = shift_of(row, self._clock(), self._source.name)
        expected = row.get("users", 0)
        self.so_far.expected = expected if isinstance(expected, int) else 0
        self._put(documents, document_row(table, key, moved(row, self.so_far.shift)))

    def _agents(self, table: str, key: int, row: dict[str, Any]) -> None:
        self._decoded(Agent, row)
        self._put(documents, document_row(table, key, row))

    def _accounts(self, table: str, key: int, row: dict[str, Any]) -> None:
        self._decoded(Account, row)
        self._put(documents, document_row(table, key, row))

    def _secrets(self, table: str, key: int, row: dict[str, Any]) -> None:
        self._put(documents, document_row(table, key, row))

    def _users(self, table: str, key: int, row: dict[str, Any]) -> None:
        if self._rows.get(documents):
            self._keep()  # accounts that the next lines ask for
        user = self._decoded(User, row)
        account = self._account(user.account)
        known = {account.id: account} if account else {}
        entry = entries.build([user], known, (), ())[user.id]
        self._put(users, {"key": key, **user_row(entry)})
        self.so_far.people += 1

    def _timelines(self, table: str, key: int, row: dict[str, Any]) -> None:
        found = row.get("events", ())
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise BadFile(self._source.name, f"{self._place}.events", "is not a list of events.")
        for n, event in enumerate(found):
            self._put(events, {"user": key, "n": n, "body": msgspec.json.encode(event)})

    def _log(self, table: str, key: int, document: dict[str, Any]) -> None:
        if self._rows.get(users):
            self._keep()
        try:
            row, entry = stored_row(document)
        except msgspec.MsgspecError as error:
            raise BadFile(self._source.name, self._place, f"is no row: {error}") from error
        place = self.so_far.bound if entry else None
        self.so_far.bound += entry is not None
        body = msgspec.json.encode(entry or row)
        self._put(log, log_row(row, self._named(row.user), body, place))

    def _checkpoints(self, table: str, key: int, row: dict[str, Any]) -> None:
        noted = self._decoded(Noted, row)
        number = self.so_far.documents
        self._put(checkpoints, {"n": number, "note": noted.note, "made": noted.made})

    def _other(self, table: str, key: int, row: dict[str, Any]) -> None:
        """A record, or what the desk does not know and leaves behind."""
        if table not in KINDS:
            return
        record = self._decoded(KINDS[table], row)
        self._put(records, {**record_row(record), "n": self.so_far.documents})
        if isinstance(record, Ticket) and record.id.isascii() and record.id.isdigit():
            self.so_far.ticket = max(self.so_far.ticket, int(record.id))

    def _fold(self, names: Sequence[str]) -> None:
        connection = self._filling.connection
        found = connection.execute(select(users.c.key, users.c.body).where(users.c.id.in_(names)))
        people = {key: msgspec.json.decode(body, type=User) for key, body in found}
        theirs = select(records.c.kind, records.c.body).where(
            records.c.user.in_(names), records.c.is_open
        )
        open_ones = connection.execute(theirs).all()
        built = entries.build(
            people.values(),
            {a.id: a for u in people.values() if (a := self._account(u.account))},
            [msgspec.json.decode(one, type=Ticket) for kind, one in open_ones if kind == "tickets"],
            [
                msgspec.json.decode(one, type=LoopReport)
                for kind, one in open_ones
                if kind == "loops"
            ],
        )
        rows = [{"of": key, **user_row(built[user.id])} for key, user in people.items()]
        if rows:
            which = update(users).where(users.c.key == bindparam("of"))
            values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "of"}
            connection.execute(which.values(values), rows)

    def _name(self, user: str) -> str:
        wanted = select(users.c.name).where(users.c.id == user)
        return self._filling.connection.execute(wanted).scalar() or ""

    def _account_of(self, name: str) -> Account | None:
        wanted = select(documents.c.body).where(
            documents.c.kind == "accounts", documents.c.name == name
        )
        body = self._filling.connection.execute(wanted).scalar()
        return msgspec.json.decode(body, type=Account) if body else None


def _clear(filling: Bulk) -> None:
    """Take out what an import left that broke off."""
    for table in (users, events, records, documents, log, checkpoints):
        filling.connection.execute(delete(table))
    filling.commit()
