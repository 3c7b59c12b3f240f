"""One TinyDB file that several consoles share, whose times follow the present.

The time in the file is the fixture's own: `meta.now` is its present, `meta.at` the wall-clock
moment that was, and every time is moved by the difference on the way in and out, so that a demo is
always fresh. Bound rows of the log are the exception: what happened, happened when it did. The
record of a desk whose people are elsewhere (`meta.is_real`) is never moved.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from helpdesk.domain.errors import BadFile
from helpdesk.domain.learning import learn
from helpdesk.domain.shifting import moment, moved, shifted, stamp
from helpdesk.domain.users import User
from helpdesk.stores.atomic import AtomicStorage, Signature
from helpdesk.stores.everybody import Everybody, everybody
from helpdesk.stores.listed import Listed
from helpdesk.stores.names import Named, Names
from helpdesk.stores.people import People
from helpdesk.stores.remade import Remade
from helpdesk.stores.shelf import Handle, Shelf, Tell
from helpdesk.stores.standing import TABLES, Lying, R, Standing, keep_standing, kept_standing
from helpdesk.stores.whole import whole

if TYPE_CHECKING:
    from tinydb import TinyDB

LEFT_ALONE: Final = timedelta(hours=12)
"""After this long untouched, a fixture is picked up as if no time had passed since."""

GIVEN: Final = 4_096
"""So many answers are kept that hold until their table is changed."""

S = TypeVar("S")

_EMPTY: Final[Mapping[str, Any]] = {}


class TinyFile:
    """Documents of one TinyDB file, table by table, with their times moved into the present.

    Blocking: call it from a thread, never from the event loop.

    Args:
        path: That of the file.
        clock: Gives the present.
        kept: The directory where it is kept what was made of a long file; None keeps nothing.
        tell: Hears how far a long file is read that is read for the first time.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], datetime],
        kept: Path | None = None,
        tell: Tell | None = None,
    ) -> None:
        self._storage = AtomicStorage(str(path), kept=kept, tell=tell)
        self._clock = clock
        self._shift: timedelta | None = None
        self._signature: Signature | None = None
        self._generation = 0
        self._written: Counter[str] = Counter()
        self._touched: set[str] = set()
        self._counting = threading.Lock()
        self._made: dict[str, Remade[Any]] = {}
        self._named: dict[str, Names] = {}
        self._given: dict[Hashable, Any] = {}
        self._everybody: Everybody | None = None
        self._gathering = threading.Lock()
        self._standing: tuple[Handle, Standing | None] | None = None
        self.name = str(path)
        learn((_Timeline, Named))

    @cached_property
    def _db(self) -> TinyDB:
        """The file as TinyDB has it, which nobody waits for who only looks."""
        from tinydb import TinyDB  # noqa: PLC0415

        return TinyDB(storage=lambda: self._storage)

    @property
    def is_changing(self) -> bool:
        """Whether a transaction of this process is under way."""
        return self._storage.is_changing

    def generation(self, *tables: str) -> int:
        """Give a number that grows whenever the file was changed, by us or by somebody else.

        With *tables*: whenever one of them may have been. What somebody else changed may be any;
        of our own changes we know which.
        """
        with self._counting:
            signature = self._storage.signature()
            if signature != self._signature:
                self._signature = signature
                self._generation += 1
            return self._generation + sum(self._written[each] for each in tables or self._written)

    @property
    def others(self) -> int:
        """How often others had changed the file when its generation was last asked for."""
        return self._generation

    def rows(self, table: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Give all documents of a table with their ids, in the order of the file."""
        shift = self._moved_by()
        for document in self._db.table(table, cache_size=0):
            yield document.doc_id, moved(document, shift)

    def values(self, table: str, kind: type[S]) -> tuple[S, ...]:
        """Give all documents of a table as values, in the order of the file.

        Raises:
            BadFile: One is not of that form; the error names table, record and field.
        """
        return self.made(table, self._remade(table, kind))

    def listed(self, table: str, kind: type[R], before: Listed[R]) -> Listed[R]:
        """Give the records of a table: of a long file they are read when they are asked for.

        Raises:
            BadFile: One is not of that form; the error names table, record and field.
        """
        documents, by = self._storage.read().get(table, _EMPTY), self._moved_by()
        remade = self._remade(table, kind)
        if table in TABLES and isinstance(documents, Shelf) and (lies := self._lies(documents)):
            return Lying(documents, lies, by, remade, before)
        return Listed(remade.values(documents, by), before)

    def _lies(self, shelf: Shelf) -> Standing | None:
        """What is kept of the tickets and loops of a file; of one file always the same."""
        if self._standing is None or self._standing[0] is not shelf.handle:
            self._standing = shelf.handle, kept_standing(self._storage.kept, shelf.handle)
        return self._standing[1]

    def keep_standing(self, people: People) -> None:
        """Keep what tickets and loops are found by, where all of them lie in a long file."""
        keep_standing(self._storage.kept, self._storage.durable(), people, self.plain)

    def _remade(self, table: str, kind: type[S]) -> Remade[S]:
        if table not in self._made:
            decode = msgspec.json.Decoder(kind).decode

            def make(key: str, body: Any, by: timedelta) -> S:
                if isinstance(body, bytes):
                    return shifted(self._told(table, key, decode, body), by)
                return shifted(self.decoded(table, key, body, kind), by)

            self._made[table] = Remade(make)
        return self._made[table]

    def made(self, table: str, known: Remade[S]) -> tuple[S, ...]:
        """Give what is made of each document of a table, in the order of the file."""
        return known.values(self._storage.read().get(table, _EMPTY), self._moved_by())

    def names(self, table: str) -> Names:
        """Give what the documents of a table call themselves, also those just put."""
        documents, known = self._storage.read().get(table, _EMPTY), self._named.get(table)
        if known is None or known.documents is not documents:
            known = self._named[table] = Names(documents, known)
        return known

    def row(self, table: str, key: int) -> dict[str, Any] | None:
        """Give one document, or None."""
        document = self._storage.read().get(table, _EMPTY).get(str(key))
        return moved(document, self._moved_by()) if isinstance(document, dict) else None

    def people(self) -> People:
        """Give everybody as they are in the file now; the same where they did not change.

        Raises:
            BadFile: Somebody is not of the form of a user.
        """
        with self._gathering:  # of two threads the slower must not put the older state back
            tables, shift = self._storage.durable(), self._moved_by()
            self._everybody = everybody(
                self._everybody, tables, shift, self, self._storage.kept, self._storage.tell
            )
            return self._everybody.people

    def key_of(self, table: str, name: str) -> int | None:
        """Give the id of the document that calls itself *name*; None where none does."""
        if table == "users":
            people = self.people()
            place = people.place(name)
            return None if place is None else people.key(place)
        return self.names(table).key(name)

    def named(self, table: str, names: Sequence[str]) -> Mapping[str, tuple[int, Any]]:
        """Give id and document of those of these names that are known."""
        keys = ((name, self.key_of(table, name)) for name in names)
        return {name: (key, self.row(table, key)) for name, key in keys if key is not None}

    def marks(self, users: Sequence[str]) -> Mapping[str, object]:
        """Give, for each user, what changes when a timeline in this file does."""
        return dict.fromkeys(users, self.generation("users", "timelines"))

    def put(self, table: str, key: int, document: Mapping[str, Any]) -> None:
        """Write one document whole, new or instead of the old one; only inside `transaction`."""
        self._touched.add(table)
        self._storage.put(table, key, moved(document, -self._moved_by()))

    def drop(self, table: str, *, beyond: int) -> None:
        """Leave out the documents of a table with a higher id; only inside `transaction`."""
        self._touched.add(table)
        gone = [key for key, _ in self.rows(table) if key > beyond]
        self._db.table(table, cache_size=0).remove(doc_ids=gone)

    def of(self, table: str, user: str) -> list[tuple[int, dict[str, Any]]]:
        """Give the documents of a table that are about a user, with their ids."""
        return [(key, row) for key, row in self.rows(table) if row.get("user") == user]

    def free_key(self, table: str) -> int:
        """Give an id that no document of a table has."""
        return max((key for key, _ in self.rows(table)), default=0) + 1

    def events(self, users: Sequence[str]) -> Mapping[str, tuple[Sequence[Any] | bytes, timedelta]]:
        """Give the timelines of those of these users that are known, oldest event first, raw.

        Beside each how far its times are to be moved.
        """
        shift, told = self._moved_by(), self._storage.read().get("timelines", _EMPTY)
        keys = ((user, self.key_of("users", user)) for user in users)
        return {user: (_events_of(told, str(key)), shift) for user, key in keys if key is not None}

    def extend(self, key: int, user: str, events: Sequence[Any]) -> None:
        """Add events to the end of a timeline; only inside `transaction`."""
        row = self.row("timelines", key) or {"user": user, "events": []}
        self.put("timelines", key, row | {"events": [*row["events"], *events]})

    def sweep_again(self) -> None:
        """Leave no other copy of the file behind, with the end of this transaction."""
        self._storage.sweep_again()

    async def step(self, step: Callable[..., S], *arguments: Any) -> S:
        """Take a blocking step of the transaction under way in a thread.

        It sees what the transaction wrote so far, which nobody else does, and is taken to its end
        even where the asking task is cancelled: no half of it lands after the transaction.
        """
        return await whole(self._storage.within, step, *arguments)

    def now(self, step: Callable[..., S], *arguments: Any) -> S:
        """Take a step of the transaction under way at once: of a document, put or read."""
        return self._storage.within(step, *arguments)

    async def read(
        self, step: Callable[..., S], *arguments: Any, is_long: bool = False, of: str = ""
    ) -> S:
        """Take a step that only reads in a thread: a file is as long as it is.

        To look whether it changed costs less than a thread to look in. While the table does not
        that it is *of*, what it gave is given again.
        """
        if step in (self.generation, self.marks):
            return step(*arguments)
        if not of:
            return await asyncio.to_thread(step, *arguments)
        about = (tuple(one) if isinstance(one, list) else one for one in arguments)
        what = self.generation(of), step.__name__, *about
        if what not in self._given:
            found = await asyncio.to_thread(step, *arguments)
            if len(self._given) >= GIVEN:
                self._given.clear()
            self._given[what] = found
        given: S = self._given[what]
        return given

    def hold(self) -> bool:
        """Take the pen at once, where nobody holds it, for the transaction that begins then."""
        return self._storage.hold()

    @contextlib.contextmanager
    def transaction(self, *, is_held: bool = False) -> Iterator[None]:
        """Change documents: all of it becomes durable at the end, or nothing.

        Args:
            is_held: Whether the pen was taken already.
        """
        before = None

        def count() -> None:
            with self._counting:
                is_known = self._signature == before  # nobody else changed it since we looked
                signature = self._storage.tell_changed()
                if is_known:
                    self._signature = signature
                    self._written.update(touched - {"meta"})

        with self._storage.transaction(count, is_held=is_held) as touched:
            self._touched = touched
            before = self._storage.signature()
            shift = self._moved_by()
            yield
            now = self._clock()
            meta = self._storage.read()["meta"]["1"]
            self._storage.put("meta", 1, meta | {"now": stamp(now - shift), "at": stamp(now)})
            touched.add("meta")

    def decoded(self, table: str, key: int | str, row: Any, kind: type[S]) -> S:
        """Return a document as a value.

        Raises:
            BadFile: It is not of that form; the error names table, record and field.
        """
        return self._told(table, key, lambda given: msgspec.convert(given, kind), row)

    def plain(self, table: str, documents: Mapping[str, Any], kind: type[S]) -> Iterator[S]:
        """Give documents as values whose times are those of the file.

        Raises:
            BadFile: One is not of that form; the error names table, record and field.
        """
        bodies = documents.bodies() if isinstance(documents, Shelf) else documents.items()
        decode = msgspec.json.Decoder(kind).decode
        for key, body in bodies:
            if isinstance(body, bytes):
                yield self._told(table, key, decode, body)
            else:
                yield self.decoded(table, key, body, kind)

    def shifted(self, user: User, by: timedelta) -> User:
        """Give a user with their times moved."""
        return shifted(user, by)

    def _told(self, table: str, key: int | str, read: Callable[[Any], S], given: Any) -> S:
        try:
            return read(given)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            says, _, path = str(error).partition(" - at `$")
            raise BadFile(
                self.name, f"{table}.{key}{path.rstrip('`')}", self.damage(says)
            ) from error

    def damage(self, says: str) -> str:
        """Return what is wrong with a document, and how one goes on."""
        return f"{says.rstrip('.')}. {self._storage.way_back}"

    def _moved_by(self) -> timedelta:
        """How far the file's times lie before ours."""
        meta = self._storage.read()["meta"]["1"]
        if meta.get("is_real"):  # a desk on real people: nothing stands still while nobody looks
            return timedelta(0)
        try:
            self._shift = shift_of(meta, self._clock(), self.name, self._shift)
        except BadFile as error:
            raise BadFile(self.name, error.place, self.damage(error.reason)) from error
        return self._shift


def shift_of(
    meta: Mapping[str, Any], now: datetime, name: str, before: timedelta | None = None
) -> timedelta:
    """Return how far the times of the file called *name* lie before ours, by its document *meta*.

    Where the file was left alone it is what it was *before*, when the file was opened.

    Raises:
        BadFile: It does not say when it is.
    """
    try:
        then = moment(meta["now"])
        at = moment(meta["at"]) if "at" in meta else None
    except (KeyError, TypeError, ValueError) as error:
        raise BadFile(name, "meta.1.now", "is not a time") from error
    if at is not None and abs(now - at) <= LEFT_ALONE:
        return at - then
    return now - then if before is None else before


class _Timeline(msgspec.Struct):
    """What happened to a user, not read yet."""

    events: msgspec.Raw = msgspec.Raw(b"[]")


def _events_of(timelines: Mapping[str, Any], key: str) -> Sequence[Any] | bytes:
    """Give the events of one timeline of a table: as JSON where it lies in a file as it is."""
    body = timelines.kept(key) if isinstance(timelines, Shelf) else None
    if body is not None:
        try:
            return bytes(msgspec.json.decode(body, type=_Timeline).events)
        except msgspec.DecodeError:
            pass  # read whole, it says what is wrong with it
    row = timelines.get(key, {})
    events: Sequence[Any] = row.get("events", ()) if isinstance(row, Mapping) else ()
    return events
