"""One JSON file that survives: kill -9, a full disk, two consoles at once.

    transaction ─▶ lock (across processes) ─▶ read whole ─▶ changes in memory ─▶ temp file ─▶ fsync
                                                             │                      │
                                                             └─ an error: dropped   ├─ old file ─▶
                                                             .bak
                                                                                    └─ replace ─▶
                                                                                    fsync directory

TinyDB's own JSONStorage writes over the old bytes in place and takes an empty file for a new
database; ours does neither.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from filelock import FileLock, Timeout
from tinydb.storages import Storage

from helpdesk.domain.errors import BadFile, Unreachable

FORMAT: Final = "helpdesk-fixture/1"
"""What `meta.format` says in a file of ours."""

LOCK_WAIT_S: Final = 10.0
"""How long a change waits for another console to finish its own."""


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
        self._parts: dict[str, str] = {}

    def read(self) -> dict[str, dict[str, Any]]:
        """Give the tables: those of the transaction under way, else those of the file."""
        if self._draft is not None:
            return self._draft
        signature = self.signature()
        if self._seen is None or self._seen[0] != signature:
            self._seen, self._parts = (signature, self._load()), {}
        return self._seen[1]

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Take the tables: into the transaction under way, else into the file."""
        if self._draft is not None:
            self._draft = data
        else:
            with self.transaction() as touched:
                touched.update(data)
                self._draft = data

    @contextlib.contextmanager
    def transaction(self) -> Iterator[set[str]]:
        """Hold the file's lock; give a set to be filled with the tables that are written.

        What is written inside is committed at the end, or dropped on an error. A file that nobody
        changed since we wrote it is not read again, nor a table that was not touched encoded again.
        """
        with self._locked():
            seen, parts = self._seen, self._parts
            self._seen, self._parts = None, {}
            if seen is not None and seen[0] == self.signature():
                self._draft = seen[1]
            else:
                self._draft, parts = self._load(), {}
            touched: set[str] = set()
            try:
                yield touched
                self._parts = self._commit(self._draft, without(parts, touched))
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

    def _commit(
        self, tables: Mapping[str, Any], known: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Write the tables, those that are *known* as they were encoded; give all so."""
        parts = {
            table: (known or {}).get(table) or encoded_table(documents)
            for table, documents in tables.items()
        }
        handle, name = -1, ""
        try:
            handle, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(joined(parts))
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
        return parts

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


def encoded_table(documents: Mapping[str, Any]) -> str:
    """Return a table as it stands in a file.

    One document a line, so that two versions can be compared.
    """
    lines = ",\n".join(
        f"{msgspec.json.encode(str(key)).decode()}: {msgspec.json.encode(document).decode()}"
        for key, document in documents.items()
    )
    return f"{{\n{lines}\n}}" if lines else "{}"


def joined(parts: Mapping[str, str]) -> bytes:
    """Return encoded tables as the bytes of a file."""
    lines = ",\n".join(f'"{table}": {part}' for table, part in parts.items())
    return f"{{\n{lines}\n}}\n".encode()


def without(parts: dict[str, str], tables: set[str]) -> dict[str, str]:
    """Return the encoded tables but these."""
    return {table: part for table, part in parts.items() if table not in tables}


def _fsync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
