"""One TinyDB file that survives: kill -9, a full disk, two consoles at once.

    transaction ─▶ lock (across processes) ─▶ read whole ─▶ changes in memory ─▶ temp file ─▶ fsync
                                                             │                      │
                                                             └─ an error: dropped   ├─ old file ─▶
                                                             .bak
                                                                                    └─ replace ─▶
                                                                                    fsync directory

TinyDB's own JSONStorage writes over the old bytes in place and takes an empty file for a new
database; ours does
neither. The time in the file is the fixture's own: `meta.now` is its present, `meta.at` the wall-
clock moment that was,
and every time is moved by the difference on the way in and out, so that a demo is always fresh.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from filelock import FileLock, Timeout
from msgspec.structs import replace
from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document

from helpdesk.domain.agents import Agent
from helpdesk.domain.approvals import Approval
from helpdesk.domain.audit import ERASED, LogRow
from helpdesk.domain.chain import Entry, Noted, opened, stored_row
from helpdesk.domain.errors import BadFile, Unreachable
from helpdesk.domain.holds import Hold
from helpdesk.domain.notices import Notice, bare_notice
from helpdesk.domain.proofs import Asking, Proof
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.stores.base import Record

FORMAT: Final = "helpdesk-fixture/1"
"""What `meta.format` says in a file of ours."""

LEFT_ALONE: Final = timedelta(hours=12)
"""After this long untouched, a fixture is picked up as if no time had passed since."""

LOCK_WAIT_S: Final = 10.0
"""How long a change waits for another console to finish its own."""

TABLES: Final[dict[type[Record], str]] = {
    Ticket: "tickets",
    Proof: "proofs",
    Asking: "askings",
    Approval: "approvals",
    Notice: "outbox",
    Hold: "holds",
}
"""In which table a record is kept."""

LOG: Final = ("log", "checkpoints", "outbox")
"""The tables that grow by looking alone; the others need not be read again for them."""

RECORDS: Final = ("agents", "tickets", "loops", "proofs", "askings", "approvals", "holds")

S = TypeVar("S")

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_TIMES = frozenset({"at", "since", "until", "locked_until", "from", "trust_since"})


class AtomicStorage(Storage):
    """TinyDB's storage on one JSON file.

    Atomic, locked, mode 0600, with the previous generation kept as `.bak`.

    Raises, from any use:
        BadFile: The file is empty, truncated or not ours.
        Unreachable: It cannot be read or written.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self._lock = FileLock(f"{path}.lock", timeout=LOCK_WAIT_S, thread_local=False, mode=0o600)
        self._draft: dict[str, dict[str, Any]] | None = None
        self._seen: tuple[tuple[int, int, int], dict[str, dict[str, Any]]] | None = None

    def read(self) -> dict[str, dict[str, Any]]:
        """Give the tables: those of the transaction under way, else those of the file."""
        if self._draft is not None:
            return self._draft
        signature = self.signature()
        if self._seen is None or self._seen[0] != signature:
            self._seen = signature, self._load()
        return self._seen[1]

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Take the tables: into the transaction under way, else into the file."""
        if self._draft is not None:
            self._draft = data
        else:
            with self.transaction():
                self._draft = data

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the file's lock.

        What is written inside is committed at the end, or dropped on an error.
        """
        with self._locked():
            self._draft = self._load()
            try:
                yield
                self._commit(self._draft)
                self._seen = self.signature(), self._draft
            finally:
                self._draft = None

    def install(self, tables: dict[str, dict[str, Any]]) -> None:
        """Write a whole file anew, whatever is there."""
        with self._locked():
            self._commit(tables)

    def signature(self) -> tuple[int, int, int]:
        """Give what changes when the file does: inode, size and time of change in nanoseconds."""
        try:
            stat = self.path.stat()
        except OSError as error:
            raise Unreachable(f"{self.path} cannot be read: {error.strerror}.") from error
        return stat.st_ino, stat.st_size, stat.st_mtime_ns

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._lock.acquire()
        except Timeout as error:
            held = f"is held by another console for more than {LOCK_WAIT_S:.0f} s"
            raise Unreachable(f"{self.path} {held}; nothing was changed.") from error
        except OSError as error:
            raise Unreachable(
                f"{self.path} cannot be changed: {error.strerror}; nothing was changed."
            ) from error
        try:
            yield
        finally:
            self._lock.release()

    def _load(self) -> dict[str, dict[str, Any]]:
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise Unreachable(f"{self.path} cannot be read: {error.strerror}.") from error
        return tables_of(data, str(self.path), self._backup)

    @property
    def _backup(self) -> Path:
        return self.path.with_name(f"{self.path.name}.bak")

    def _commit(self, tables: Mapping[str, Any]) -> None:
        handle, name = -1, ""
        try:
            handle, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(encoded(tables))
                file.flush()
                os.fsync(file.fileno())
            self._keep_previous()
            Path(name).replace(self.path)
            _fsync_directory(self.path.parent)
        except OSError as error:
            if name:
                Path(name).unlink(missing_ok=True)
            raise Unreachable(
                f"{self.path} cannot be written: {error.strerror}; nothing was changed."
            ) from error

    def _keep_previous(self) -> None:
        """Make the file as it is now the `.bak`, without a moment in which there is none."""
        if not self.path.exists():
            return
        beside = self._backup.with_name(f"{self._backup.name}.new")
        beside.unlink(missing_ok=True)
        try:
            os.link(self.path, beside)
        except OSError:  # a file system without hard links
            shutil.copy2(self.path, beside)
        beside.replace(self._backup)


def install(source: Path, target: Path) -> None:
    """Put a copy of a fixture in the place of *target*, atomically.

    Its time begins when it is used.

    Raises:
        BadFile: *source* is not a fixture.
        Unreachable: The copy cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        tables = tables_of(source.read_bytes(), str(source))
    except OSError as error:
        raise Unreachable(f"{error.filename or source}: {error.strerror}.") from error
    AtomicStorage(str(target)).install(tables)


def tables_of(data: bytes, name: str, backup: Path | None = None) -> dict[str, dict[str, Any]]:
    """Return the tables of a fixture file's bytes.

    Raises:
        BadFile: It is empty, truncated, not JSON, or not a file of ours; the sentence names the
            way back.
    """
    back = f" The previous generation is {backup}." if backup and backup.exists() else ""
    if not data.strip():
        raise BadFile(name, "", f"is empty; it was not made a new one.{back}")
    try:
        tables = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadFile(name, "", f"is damaged or cut short ({error}).{back}") from error
    meta = tables.get("meta") if isinstance(tables, dict) else None
    first = meta.get("1") if isinstance(meta, dict) else None
    if not isinstance(first, dict) or first.get("format") != FORMAT:
        raise BadFile(name, "meta.1.format", f"is not a desk's file ({FORMAT} is expected).{back}")
    for table, documents in tables.items():
        if not isinstance(documents, dict) or not all(
            isinstance(d, dict) for d in documents.values()
        ):
            raise BadFile(name, table, f"is not a table of documents.{back}")
    return tables  # type: ignore[no-any-return]


def encoded(tables: Mapping[str, Any]) -> bytes:
    """Return tables as the bytes of a file.

    One document a line, so that two versions can be compared.
    """
    parts = []
    for table, documents in tables.items():
        lines = ",\n".join(
            f"{msgspec.json.encode(str(key)).decode()}: {msgspec.json.encode(document).decode()}"
            for key, document in documents.items()
        )
        parts.append(f'"{table}": {{\n{lines}\n}}' if lines else f'"{table}": {{}}')
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


def _fsync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class TinyFile:
    """Documents of one TinyDB file, table by table, with their times moved into the present.

    Blocking: call it from a thread, never from the event loop.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._db = TinyDB(str(path), storage=AtomicStorage)
        self._storage: AtomicStorage = self._db.storage  # type: ignore[assignment]
        self._clock = clock
        self._shift: timedelta | None = None
        self._signature: tuple[int, int, int] | None = None
        self._generation = 0
        self._written: Counter[str] = Counter()
        self._touched: set[str] = set()
        self.name = str(path)

    def generation(self, *tables: str) -> int:
        """Give a number that grows whenever the file was changed, by us or by somebody else.

        With *tables*: whenever one of them may have been. What somebody else changed may be any;
        of our own changes we know which.
        """
        signature = self._storage.signature()
        if signature != self._signature:
            self._signature = signature
            self._generation += 1
        return self._generation + sum(self._written[table] for table in tables or self._written)

    def rows(self, table: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Give all documents of a table with their ids, in the order of the file."""
        shift = self._moved_by()
        for document in self._db.table(table, cache_size=0):
            yield document.doc_id, moved(document, shift)

    def row(self, table: str, key: int) -> dict[str, Any] | None:
        """Give one document, or None."""
        document = self._db.table(table, cache_size=0).get(doc_id=key)
        return moved(document, self._moved_by()) if isinstance(document, Document) else None

    def put(self, table: str, key: int, document: Mapping[str, Any]) -> None:
        """Write one document whole, new or instead of the old one; only inside `transaction`."""
        self._touched.add(table)
        stored = moved(document, -self._moved_by())
        rows = self._db.table(table, cache_size=0)
        if rows.contains(doc_id=key):
            rows.update(_instead(stored), doc_ids=[key])
        else:
            rows.insert(Document(stored, doc_id=key))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Change documents: all of it becomes durable at the end, or nothing."""
        self._touched = set()
        with self._storage.transaction():
            before = self._storage.signature()
            shift = self._moved_by()
            yield
            now = self._clock()
            meta = self._db.table("meta", cache_size=0)
            meta.update({"now": _stamp(now - shift), "at": _stamp(now)}, doc_ids=[1])
        if self._signature == before:  # nobody else changed it since we looked
            self._signature = self._storage.signature()
            self._written.update(self._touched)

    def decoded(self, table: str, key: int, row: Any, kind: type[S]) -> S:
        """Return a document as a value.

        Raises:
            BadFile: It is not of that form; the error names table, record and field.
        """
        try:
            return msgspec.convert(row, kind)
        except msgspec.ValidationError as error:
            says, _, path = str(error).partition(" - at `$")
            raise BadFile(self.name, f"{table}.{key}{path.rstrip('`')}", says) from error

    def _moved_by(self) -> timedelta:
        """How far the file's times lie before ours."""
        found = self._db.table("meta", cache_size=0).get(doc_id=1)
        meta = found if isinstance(found, Document) else {}
        try:
            now = _moment(meta["now"])
            at = _moment(meta["at"]) if "at" in meta else None
        except (KeyError, TypeError, ValueError) as error:
            raise BadFile(self.name, "meta.1.now", "is not a time") from error
        if at is not None and abs(self._clock() - at) <= LEFT_ALONE:
            self._shift = at - now
        elif self._shift is None:
            self._shift = self._clock() - now
        return self._shift


class TinyStore:
    """The desk's own record in a `TinyFile`, read whole into memory."""

    def __init__(self, file: TinyFile) -> None:
        self._file = file
        self._generation = self._log_generation = -1
        self.agents: tuple[Agent, ...] = ()
        self.tickets: tuple[Ticket, ...] = ()
        self.loops: tuple[LoopReport, ...] = ()
        self.log: tuple[LogRow, ...] = ()
        self.entries: tuple[Entry, ...] = ()
        self.checkpoints: tuple[Noted, ...] = ()
        self.proofs: tuple[Proof, ...] = ()
        self.askings: tuple[Asking, ...] = ()
        self.approvals: tuple[Approval, ...] = ()
        self.holds: tuple[Hold, ...] = ()
        self.outbox: tuple[Notice, ...] = ()
        self._watch: Callable[[], None] | None = None

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Hold the only pen, as `Store.transaction`; waiting for it does not hold up the screen."""
        held = self._file.transaction()
        try:
            await _whole(held.__enter__)
            await _whole(self._rest)
        except asyncio.CancelledError as error:
            await _whole(held.__exit__, type(error), error, error.__traceback__)
            raise
        try:
            yield
        except BaseException as error:
            self._log_generation = -1  # what was appended in memory is not in the file
            await _whole(held.__exit__, type(error), error, error.__traceback__)
            raise
        await _whole(held.__exit__, None, None, None)
        await _whole(self._rest)

    def watched(self, watch: Callable[[], None]) -> None:
        """Call this from a thread whenever the record is whole."""
        self._watch = watch

    async def refresh(self) -> int:
        """Take in what others wrote; give a number that grows when more than the log changed."""
        await asyncio.to_thread(self.load)
        return self._generation

    async def keep(self, record: Record) -> None:
        """Write a record, new or instead of the one with its id."""
        await asyncio.to_thread(self._keep, record)

    async def append(self, entry: Entry) -> None:
        """Append a row to the log; it counts as read at once."""
        row = opened(entry)
        await asyncio.to_thread(self._file.put, "log", row.seq, _document(entry))
        self.log, self.entries = (*self.log, row), (*self.entries, entry)

    async def note(self, checkpoint: Noted) -> None:
        """Keep a checkpoint of the log beside it."""
        number = len(self.checkpoints) + 1
        await asyncio.to_thread(self._file.put, "checkpoints", number, _document(checkpoint))
        self.checkpoints = (*self.checkpoints, checkpoint)

    async def erase(self, before: datetime) -> int:
        """Part rows and notices from their personal data; give the number of rows."""
        return await asyncio.to_thread(self._erase, before)

    def load(self) -> None:
        """Read what changed in the file; blocking."""
        generation = self._file.generation(*RECORDS)
        if generation != self._generation:
            self.agents = self._all("agents", Agent)
            self.tickets = self._all("tickets", Ticket)
            self.loops = self._all("loops", LoopReport)
            self.proofs = self._all("proofs", Proof)
            self.askings = self._all("askings", Asking)
            self.approvals = self._all("approvals", Approval)
            self.holds = self._all("holds", Hold)
            self._generation = generation
        log_generation = self._file.generation(*LOG)
        if log_generation != self._log_generation:
            self._load_log()
            self._log_generation = log_generation

    def _rest(self) -> None:
        self.load()
        if self._watch is not None:
            self._watch()

    def _load_log(self) -> None:
        log, entries = [], []
        for key, document in self._file.rows("log"):
            try:
                row, entry = stored_row(document)
            except msgspec.MsgspecError as error:
                raise BadFile(self._file.name, f"log.{key}", f"is no row: {error}") from error
            log.append(row)
            entries += [entry] if entry else []
        self.log, self.entries = tuple(log), tuple(entries)
        self.checkpoints = self._all("checkpoints", Noted)
        self.outbox = self._all("outbox", Notice)

    def _erase(self, before: datetime) -> int:
        count = 0
        for key, document in list(self._file.rows("log")):
            row, entry = stored_row(document)
            if row.at >= before or not (row.user or row.says) or row.user == ERASED:
                continue
            count += 1
            bare = replace(row, user=ERASED, says="", reason="", factor="")
            kept = replace(entry, clear=None) if entry else bare
            self._file.put("log", key, _document(kept))
        for key, document in list(self._file.rows("outbox")):
            notice = self._file.decoded("outbox", key, document, Notice)
            if notice.at < before:
                self._file.put("outbox", key, _document(bare_notice(notice)))
        self._log_generation = -1
        return count

    def _all(self, table: str, kind: type[S]) -> tuple[S, ...]:
        return tuple(
            self._file.decoded(table, key, row, kind) for key, row in self._file.rows(table)
        )

    def _keep(self, record: Record) -> None:
        table = TABLES[type(record)]
        keys = {row.get("id"): key for key, row in self._file.rows(table)}
        key = keys.get(record.id, max(keys.values(), default=0) + 1)
        self._file.put(table, key, msgspec.to_builtins(record))


def _document(value: Any) -> Any:
    return msgspec.to_builtins(value)


async def _whole(step: Callable[..., Any], *arguments: Any) -> None:
    """Take a blocking step in a thread, to its end even where the asking task is cancelled.

    A lock half taken is never given back.
    """
    job = asyncio.ensure_future(asyncio.to_thread(step, *arguments))
    try:
        await asyncio.shield(job)
    except asyncio.CancelledError:
        await asyncio.wait([job])
        job.exception()
        raise


def _instead(document: Mapping[str, Any]) -> Callable[[Any], None]:
    def put(old: Any) -> None:
        old.clear()
        old.update(document)

    return put


def moved(value: Any, by: timedelta) -> Any:
    """Return a JSON value with every time in it moved; a time is known by its key and its form."""
    if isinstance(value, Mapping):
        return {key: _moved_entry(key, part, by) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [moved(part, by) for part in value]
    return value


def _moved_entry(key: str, value: Any, by: timedelta) -> Any:
    if isinstance(value, str):
        is_time = (key in _TIMES or key.endswith("_at")) and _MOMENT.fullmatch(value)
        return _stamp(_moment(value) + by) if is_time else value
    return moved(value, by)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
