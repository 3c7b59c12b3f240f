"""Watching a log: what this console saw of it, and why the one there is now is another.

rows appended ─▶ the Merkle tree grows ─▶ each checkpoint seen must be its root at that size
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from helpdesk.domain.chain import Tree, log_of
from helpdesk.domain.checkpoints import (
    ORIGIN,
    Checkpoint,
    checkpoint_body,
    misfit,
    read_body,
    read_checkpoint,
)
from helpdesk.domain.errors import BadInput, HelpdeskError
from helpdesk.domain.inspection import MINE, SAW
from helpdesk.stores.base import Ends, Store
from helpdesk.stores.whole import whole

UNKEPT = "What this console saw of the log could not be kept: {}"

WAY_BACK = "Put the newest copy of {} back, or let a lead go on with this one: helpdesk log accept."

NO_FIT = "A checkpoint in the file does not fit the log: helpdesk log verify."

ROWS: Final = 1_000
"""So many rows of a long log are in memory at once."""

FEW: Final = 64
"""So few of others are read on the spot, as soon as a thread is there for it."""


class Witness(Protocol):
    """Where what this console saw of the log is kept, away from it."""

    @property
    def name(self) -> str:
        """What the log is in, in words."""
        ...

    def last(self) -> str:
        """Give the text of the last checkpoint; empty where there is none."""
        ...

    def rows(self) -> str:
        """Give the body that a checkpoint of all rows seen would have; empty for none."""
        ...

    def keep(self, note: str) -> None:
        """Keep a newer checkpoint."""
        ...

    def keep_rows(self, body: str) -> None:
        """Keep the body of all rows there are."""
        ...


class SeenOnce(NamedTuple):
    """What a log is held against: all of it was so once.

    Attributes:
        last: The last checkpoint this console saw, as text.
        rows: The body of one of all rows it saw.
        newest: The newest beside the log, as text.
        told: Each by name, read; None where there is none, or none that can be read.
    """

    last: str
    rows: str
    newest: str
    told: Mapping[str, Checkpoint | None]

    @property
    def sizes(self) -> set[int]:
        """How many rows each is of."""
        return {one.size for one in self.told.values() if one}


class Watched:
    """What of a log was held against the last checkpoint seen, and what was wrong with it.

    Recorders of several agents on one log share it, so that none reads what another has read.
    """

    def __init__(self) -> None:
        self.forget()
        self.version, self.covered = -1, 0
        self.is_noted = False  # a checkpoint was made that was not read again
        self.alarm = self.unkept = ""
        self.growing = threading.Lock()

    def forget(self) -> None:
        """Begin again with the first row."""
        self.tree, self.judged = Tree(), 0  # how many rows were held against a checkpoint
        self.known: dict[int, bytes] = {}  # roots, on the way to the next of these


class Watching:
    """Holds a log against what this console saw of it before."""

    def __init__(self, store: Store, witness: Witness, watched: Watched) -> None:
        self._store, self._witness, self._watched = store, witness, watched

    async def newest(self) -> str:
        """Give the newest checkpoint beside the log; empty where there is none."""
        noted = await self._store.checkpoint()
        return noted.note if noted else ""

    async def look(self) -> None:
        """Hold the log against the last checkpoint this console saw; keep the newest that fits.

        Only while all of it is durable: a checkpoint of rows that were dropped would never fit.
        What was held against one once is not read again while the store only appended to it.
        """
        ends, watched = await self._store.ends(), self._watched
        is_same = ends.version == watched.version and ends.size == watched.tree.size
        is_noted, watched.is_noted = watched.is_noted, False
        if is_same and not (is_noted or watched.unkept):
            return
        try:
            await self._look(ends)
        except BaseException:
            watched.is_noted |= is_noted
            raise

    async def _look(self, ends: Ends) -> None:
        watched = self._watched
        # Before the log is read: what others write meanwhile is then in it, whatever is told of it.
        seen = self.seen(await self.newest())
        if max(seen.sizes, default=0) > ends.size:
            await self._store.refresh()
            ends = await self._store.ends()
        if ends.version != watched.version or ends.size < watched.tree.size:
            watched.forget()
            watched.version = ends.version
        while ends.size - (start := watched.tree.size) > ROWS:
            rows = [entry.row for entry in await self._store.bound(start, ROWS)]
            await whole(self._passed, start, rows, seen)
        start = watched.tree.size
        rows = [entry.row for entry in await self._store.bound(start, max(FEW, ends.size - start))]
        # In a thread: what was seen is kept in a file, and a disk may be slow to give it its name.
        await whole(self._held, start, rows, origin_of(ends), seen)

    def seen(self, newest: str) -> SeenOnce:
        """Give what the log is held against, *newest* the checkpoint beside it."""
        last, rows = self._witness.last(), self._witness.rows()
        told = {
            "last": read_note(last),
            "rows": read_note(rows, read_body),
            "newest": read_note(newest),
        }
        return SeenOnce(last, rows, newest, told)

    def _passed(self, start: int, rows: Sequence[str], seen: SeenOnce) -> None:
        """Take in rows on the way to the newest, unless another recorder did so meanwhile."""
        with self._watched.growing:
            if self._watched.tree.size == start:
                self._watched.known |= self._watched.tree.extend(rows, seen.sizes)

    def _held(self, start: int, rows: Sequence[str], origin: str, seen: SeenOnce) -> None:
        """Take in the rows from a place on, unless another recorder did so meanwhile."""
        with self._watched.growing:
            known = self._watched.tree.size - start
            if 0 <= known < len(rows) or not known:
                self._hold(rows[known:], origin, seen)

    def _hold(self, rows: Sequence[str], origin: str, seen: SeenOnce) -> None:
        """Take in rows that came, and say what does not fit."""
        watched, tree, told = self._watched, self._watched.tree, seen.told
        start = watched.judged
        known = watched.known | tree.extend(rows, seen.sizes)
        if any(start < size <= tree.size and size not in known for size in seen.sizes):
            watched.forget()  # another recorder passed it, and held the log against something else
            watched.version = -1
            return
        watched.judged, watched.known, watched.unkept = tree.size, {}, ""
        wrong = {
            name: misfit(each, SAW if name == "rows" else MINE, tree.size, origin, known)
            for name, each in told.items()
            if each and (each.size > start or not start)
        }
        if seen.last and told["last"] is None:
            wrong["last"] = f"{MINE} cannot be read."
        held = [wrong[name] for name in ("last", "rows") if name in wrong]
        if held or not start:
            says = next(filter(None, held), "")
            way_back = WAY_BACK.format(self._witness.name)
            watched.alarm = f"{says} {way_back}" if says else ""
        if not watched.alarm and seen.newest not in {"", seen.last}:
            if wrong.get("newest") or told["newest"] is None:
                watched.alarm = NO_FIT
            else:
                self._keep(self._witness.keep, seen.newest)
        if not watched.alarm and tree.size > (told["rows"].size if told["rows"] else 0):
            body = checkpoint_body(origin, tree.size, tree.root())
            self._keep(self._witness.keep_rows, body)
        watched.covered = told["newest"].size if told["newest"] else 0

    def _keep(self, keep: Callable[[str], None], text: str) -> None:
        """Keep something of the log, if that can be written; acts are not held up by it."""
        try:
            keep(text)
        except HelpdeskError as error:
            self._watched.unkept = UNKEPT.format(error)


def origin_of(ends: Ends) -> str:
    """Return what a log calls itself."""
    return (log_of(ends.first.row) if ends.first else "") or f"{ORIGIN}empty"


@functools.lru_cache(16)  # the same few are held against one row after the other
def read_note(note: str, read: Callable[[str], Checkpoint] = read_checkpoint) -> Checkpoint | None:
    """Return the checkpoint that a text holds; None where it holds none that can be read."""
    try:
        return read(note) if note else None
    except BadInput:
        return None
