"""One file of a replica: tables of keyed values, each change whole or not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from tinydb import TinyDB
from tinydb.table import Document, Table

from helpdesk.domain.errors import BadFile
from helpdesk.domain.offline import State
from helpdesk.stores.atomic import AtomicStorage
from helpdesk.stores.form import FORMAT, Tables

T = TypeVar("T")

Steps = Mapping[str, Callable[[Table], None]]
"""What is changed in each of several tables."""


class ReplicaFile:
    """Tables of keyed values in one file.

    Args:
        is_dear: Whether a damaged file is an error; else it is put aside and begun anew.
    """

    def __init__(self, path: Path, *, is_dear: bool = True) -> None:
        self._path, self._is_dear = path, is_dear
        self._db = TinyDB(str(path), storage=AtomicStorage)
        self._storage: AtomicStorage = self._db.storage  # type: ignore[assignment]
        if not path.exists():
            self._storage.install(_empty(), is_first=True)

    def change(self, steps: Steps) -> None:
        """Change tables in one transaction."""
        try:
            self._change(steps)
        except BadFile:
            if self._is_dear:
                raise
            self.wipe()
            self._change(steps)

    def _change(self, steps: Steps) -> None:
        with self._storage.transaction() as touched:
            for table, step in steps.items():
                touched.add(table)
                step(self._db.table(table, cache_size=0))

    def put(self, table: str, key: str, value: Any, done_most: int) -> None:
        """Write one wish; of those that are done only so many stay, the last ones to be."""

        def write(rows: Table) -> None:
            found = next((row.doc_id for row in rows if row["key"] == key), 0)
            instead(rows, found or next_number(rows), key, value)
            done = sorted(
                (row["value"].get("ended_at") or "", row.doc_id)
                for row in rows
                if row["value"]["state"] == State.DONE
            )
            if len(done) > done_most:
                rows.remove(doc_ids=[number for _, number in done[: len(done) - done_most]])

        self.change({table: write})

    def drop(self, table: str, keys: Any) -> None:
        """Remove values."""

        def write(rows: Table) -> None:
            found = [row.doc_id for row in rows if row["key"] in set(keys)]
            if found:
                rows.remove(doc_ids=found)

        if any(self.found(table, key) is not None for key in keys):
            self.change({table: write})

    def values(self, table: str, kind: type[T]) -> Iterator[T]:
        """Give all values of a table, in the order in which they were first written."""
        rows = sorted(self._rows(table).items(), key=lambda each: int(each[0]))
        for _, row in rows:
            yield self.value(table, row["value"], kind)

    def found(self, table: str, key: str) -> Any:
        """Give one value as plain JSON values; None where there is none."""
        rows = self._rows(table).values()
        return next((row["value"] for row in rows if row["key"] == key), None)

    def known(self, table: str, key: str, kind: type[T]) -> T | None:
        """Give one value; None where there is none, or one of another version that is let go of."""
        found = self.found(table, key)
        try:
            return None if found is None else self.value(table, found, kind)
        except BadFile:
            if self._is_dear:
                raise
            self.wipe()
            return None

    def holds(self, table: str) -> bool:
        """Whether there is anything in a table."""
        return bool(self._rows(table))

    def value(self, table: str, raw: Any, kind: type[T]) -> T:
        """Return a row's value.

        Raises:
            BadFile: It is not of that form.
        """
        try:
            return msgspec.convert(raw, kind)
        except msgspec.ValidationError as error:
            raise BadFile(str(self._path), table, str(error)) from error

    def wipe(self) -> None:
        """Begin the file anew, and leave nothing of the one before."""
        self._storage.install(_empty())
        self.wipe_previous()

    def wipe_previous(self) -> None:
        """Leave nothing of the generation before."""
        self._path.with_name(f"{self._path.name}.bak").unlink(missing_ok=True)

    def _rows(self, table: str) -> Mapping[str, Any]:
        try:
            rows: Mapping[str, Any] = self._storage.read().get(table, {})
            return rows
        except BadFile:
            if self._is_dear:
                raise
            self.wipe()
            return {}


def instead(table: Table, number: int, key: str, value: Any) -> None:
    """Write a row as a new document: whoever reads beside keeps the one that is durable."""
    if table.contains(doc_id=number):
        table.remove(doc_ids=[number])
    table.insert(Document({"key": key, "value": msgspec.to_builtins(value)}, doc_id=number))


def next_number(table: Table) -> int:
    """Return a number that no row of a table has."""
    return max((row.doc_id for row in table), default=0) + 1


def _empty() -> Tables:
    return {"meta": {"1": {"format": FORMAT, "holds": "replica"}}}
