"""One JSON file that survives: kill -9, a full disk, two consoles at once.

    transaction ─▶ lock (across processes) ─▶ changes in memory ─▶ temp file ─▶ fsync
      └── an error: dropped                   old file ─▶ .bak ─▶ replace ─▶ fsync directory

A long file is not written at every change: what a transaction put is appended to its journal, and
the file is written whole when that has grown long. Nor is it read whole: its documents are read
from their places (`shelf`).

TinyDB's own JSONStorage writes over the old bytes in place and takes an empty file for a new
database; ours does neither.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from helpdesk.domain.errors import BadFile, Unreachable
from helpdesk.stores.form import (
    Tables,
    checked,
    encoded_table,
    tables_of,
    way_back,
    without,
    written,
)
from helpdesk.stores.journal import (
    FROM,
    JOURNAL,
    Changes,
    Journal,
    applied,
    flat,
    fsync_directory,
    journal_of,
    most,
)
from helpdesk.stores.kept import Kept, keep_written, places_of
from helpdesk.stores.lock import Lock
from helpdesk.stores.previous import keep_previous
from helpdesk.stores.shelf import Handle, Places, Shelf, Tell

if TYPE_CHECKING:
    from tinydb.storages import Storage
else:  # it adds nothing, and all of TinyDB comes with it
    Storage = object

T = TypeVar("T")

Signature = tuple[int, int, int, int]
"""What changes when a file does: its inode, size, time of change, and the size of its journal."""

_PEN: ContextVar[Tables | None] = ContextVar("pen", default=None)
"""The draft that the code which runs now may see and change.

Of all threads only those of the transaction itself have it; the others see what is durable.
"""


class _Seen(msgspec.Struct, frozen=True):
    """What the file held when it was last read or written; never changed in place.

    One value, so that two threads cannot mix an older one's parts with a newer one's tables.

    Attributes:
        end: Where the last whole change of the journal ends.
    """

    signature: Signature
    tables: Tables
    parts: dict[str, str]
    end: int = 0


class AtomicStorage(Storage):
    """TinyDB's storage on one JSON file.

    Atomic, locked, mode 0600, with the previous generation kept as `.bak`.

    Args:
        path: That of the file.
        kept: The directory where it is kept what was made of a long file; None keeps nothing.
        tell: Hears how far a long file is read that is read for the first time.

    Raises, from any use:
        BadFile: The file is empty, truncated or not ours.
        Unreachable: It cannot be read or written.
        RuntimeError: Something is to be written outside of a transaction.
    """

    def __init__(self, path: str, kept: Path | None = None, tell: Tell | None = None) -> None:
        self.path, self._name = Path(path), path
        self.kept, self.tell = Kept(kept, self.path), tell
        self._lock = Lock(self.path)
        self._journal = Journal(self.path)
        self._draft: Tables | None = None
        self._put: dict[str, set[str]] | None = {}
        self._seen: _Seen | None = None
        self._before: Signature | None = None
        self._seeing = threading.Lock()  # a long file is not read by several threads at once
        self._is_swept = False

    @property
    def is_changing(self) -> bool:
        """Whether a transaction of this process is under way."""
        return self._draft is not None

    def read(self) -> Tables:
        """Give the tables: to the transaction under way its own, to all others those of the file.

        They are not to be changed in place but by `write`.
        """
        draft = self._draft
        return draft if draft is not None and _PEN.get() is draft else self._current().tables

    def durable(self) -> Tables:
        """Give the tables as all others see them: what was put in no transaction under way."""
        return self._current().tables

    def write(self, data: Tables) -> None:
        """Take the tables of the transaction under way, as they were read and changed."""
        if data is not self._own():
            raise RuntimeError(f"{self.path}: what is written is not what was read.")
        self._put = None  # whatever of it was changed

    def put(self, table: str, key: int, document: Mapping[str, Any]) -> None:
        """Put one document into the transaction under way, new or instead of the old one."""
        draft, name = self._own(), str(key)
        draft[table] = draft.get(table, {}) | {name: document}
        if self._put is not None:
            self._put.setdefault(table, set()).add(name)

    def within(self, step: Callable[..., T], *arguments: Any) -> T:
        """Take a step of the transaction under way: it sees and changes the draft."""
        before = _PEN.set(self._draft)
        try:
            return step(*arguments)
        finally:
            _PEN.reset(before)

    def hold(self) -> bool:
        """Take the lock where it is free at this moment, for the transaction that begins then."""
        return self._lock.hold()

    @contextlib.contextmanager
    def transaction(
        self, ended: Callable[[], None] = lambda: None, *, is_held: bool = False
    ) -> Iterator[set[str]]:
        """Hold the file's lock; give a set to be filled with the tables that are written.

        What is written inside is committed at the end, or dropped on an error. A file that nobody
        changed since we wrote it is not read again, nor a table that was not touched encoded again.

        Args:
            ended: Called once it is durable; until it calls `tell_changed` the signature stands.
            is_held: Whether `hold` gave the lock.
        """
        with self._lock.held(is_held=is_held):
            seen, before = self._current(), _PEN.get()
            self._before = seen.signature
            draft = self._draft = dict(seen.tables)
            self._put = {}
            _PEN.set(draft)
            touched: set[str] = set()
            try:
                yield touched
                self._seen = self._kept(seen, draft, without(seen.parts, touched))
                ended()
            finally:
                self._draft = self._before = None
                _PEN.set(before)  # not reset: it may end in another thread than it began in

    def sweep_again(self) -> None:
        """Remove with the next commit what changes left behind that were killed since the first."""
        self._is_swept = False
        self._put = None  # nor is anything left in the journal

    def install(self, tables: Tables, *, is_first: bool = False) -> None:
        """Write a whole file anew, whatever is there; where it is the first, only if nothing is."""
        with self._lock.held():
            if not (is_first and self.path.exists()):
                self._commit(tables)

    def settle(self) -> None:
        """Write the file whole where changes lie beside it, for whoever reads the file alone."""
        if self._journal.size:
            with self.transaction():
                self._put = None

    def signature(self) -> Signature:
        """Give what changes when the file does; for the length of a transaction it stands."""
        return self._before or self._signature_now()

    def tell_changed(self) -> Signature:
        """Give the signature of what a transaction wrote, from now on to everybody."""
        self._before = None
        return self._signature_now()

    def _signature_now(self) -> Signature:
        return *self._file_signature(), self._journal.size

    def _file_signature(self) -> tuple[int, int, int]:
        try:
            stat = os.stat(self._name)  # noqa: PTH116  (asked some forty times by an act)
        except OSError as error:
            raise Unreachable(f"{self.path} cannot be read: {error.strerror}.") from error
        return stat.st_ino, stat.st_size, stat.st_mtime_ns

    def _own(self) -> Tables:
        draft = self._draft
        if draft is None or _PEN.get() is not draft:
            raise RuntimeError(f"{self.path} is only written inside a transaction.")
        return draft

    def _current(self) -> _Seen:
        """What is durable, read again where somebody else changed it.

        While we change it nobody else does: what stands there then may yet be taken back.
        """
        seen = self._seen
        if seen is not None and seen.signature == (self._before or self._signature_now()):
            return seen
        with self._seeing:
            signature, seen = self._signature_now(), self._seen
            if seen is None or seen.signature != signature:
                is_grown = (
                    seen is not None
                    and seen.signature[:3] == signature[:3]
                    and seen.end <= signature[3]
                )
                self._seen = seen = self._grown(seen) if seen and is_grown else self._loaded()
            return seen

    def _loaded(self) -> _Seen:
        """Read the file and its journal, both of one state."""
        while True:
            signature = self._file_signature()
            tables = self._load()
            changes, end, size = self._changes(journal_of(tables))
            if self._file_signature() == signature:  # else it was written whole meanwhile
                return _Seen((*signature, size), applied(tables, changes), {}, end)

    def _grown(self, seen: _Seen) -> _Seen:
        """Take in what was appended to the journal since."""
        try:
            changes, end, size = self._changes(journal_of(seen.tables), seen.end)
        except BadFile:  # so does a line look that took the place of a longer one
            return self._loaded()
        if not changes and size > end:
            return self._loaded()
        tables = applied(seen.tables, changes)
        parts = without(seen.parts, {table for table, _ in flat(changes)})
        return _Seen((*seen.signature[:3], size), tables, parts, end)

    def _changes(self, name: str, start: int = 0) -> tuple[list[Changes], int, int]:
        if not name:
            return [], 0, self._journal.size
        try:
            return self._journal.read(name, start)
        except OSError as error:
            raise Unreachable(f"{self._journal.path} cannot be read: {error.strerror}.") from error

    def _kept(self, seen: _Seen, draft: Tables, known: dict[str, str]) -> _Seen:
        """Make a transaction durable: appended where the file is long, else written whole."""
        name = journal_of(seen.tables)
        file = seen.signature[:3]
        if self._put is None or not name or file[1] < FROM or seen.end > most(file[1]):
            return self._commit(draft, known)
        put = {table: {key: draft[table][key] for key in keys} for table, keys in self._put.items()}
        try:
            end = self._journal.append(name, put, seen.end)
        except OSError as error:
            raise Unreachable(
                f"{self._journal.path} cannot be written: {error.strerror}; nothing was changed."
            ) from error
        return _Seen((*file, end), draft, known, end)

    def _load(self) -> Tables:
        name = str(self.path)
        try:
            handle = Handle(self.path)
            if (
                handle.size >= FROM
                and (places := places_of(self.kept, handle, self.tell)) is not None
            ):
                tables = {table: Shelf(table, handle, found) for table, found in places.items()}
                return checked(tables, name, self._backup)
            data = self.path.read_bytes()
        except OSError as error:
            raise Unreachable(f"{self.path} cannot be read: {error.strerror}.") from error
        return tables_of(data, name, self._backup)

    @property
    def way_back(self) -> str:
        """How one goes on where what the file holds cannot be used."""
        return way_back(self._backup)

    @property
    def _backup(self) -> Path:
        return self.path.with_name(f"{self.path.name}.bak")

    def _commit(self, tables: Tables, known: Mapping[str, str] | None = None) -> _Seen:
        """Write the tables, those that are *known* as they were encoded; give what is seen now.

        A long file gets another name for its journal: what the old one holds is in the file. It
        counts as seen from the moment it is there: nobody here need read it.
        """
        parts = {
            table: (known or {}).get(table) or encoded_table(documents)
            for table, documents in tables.items()
            if not isinstance(documents, Shelf)
        }
        if len(parts) < len(tables) or sum(map(len, parts.values())) >= FROM:
            meta = tables["meta"]["1"] | {JOURNAL: secrets.token_hex(8)}
        else:  # nor may lines count that are left beside it, should we be killed before they go
            meta = {name: said for name, said in tables["meta"]["1"].items() if name != JOURNAL}
        if meta != tables["meta"]["1"]:
            tables["meta"] = {**tables["meta"], "1": meta}
            parts["meta"] = encoded_table(tables["meta"])
        handle, name = -1, ""
        places: dict[str, Places] = {}
        try:
            self._sweep()
            handle, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
            with os.fdopen(handle, "wb") as file:
                file.writelines(written(tables, parts, places))
                file.flush()
                os.fsync(file.fileno())
            keep_previous(self.path, self._backup)
            with self._seeing:
                Path(name).replace(self.path)
                seen = self._seen = _Seen(self._signature_now(), tables, parts)
        except OSError as error:
            if name:
                Path(name).unlink(missing_ok=True)
            raise Unreachable(
                f"{self.path} cannot be written: {error.strerror}; nothing was changed."
            ) from error
        fsync_directory(self.path.parent)
        with contextlib.suppress(OSError):  # it counts no more
            self._journal.drop()
        if len(parts) < len(tables):
            keep_written(self.kept, self.path, tables, places)
        return seen

    def _sweep(self) -> None:
        """Remove what changes left behind that were killed in the middle; ours is the lock."""
        if self._is_swept:
            return
        ours = re.compile(re.escape(f".{self.path.name}.") + r"[a-z0-9_]{8}")  # as mkstemp names it
        with os.scandir(self.path.parent) as found:
            for one in [Path(each.path) for each in found if ours.fullmatch(each.name)]:
                one.unlink(missing_ok=True)
        self._is_swept = True
