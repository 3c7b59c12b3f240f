"""Writing the log: each row bound to the one before, with checkpoints, watched by this console."""

from __future__ import annotations

import base64
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, Final, NamedTuple, Protocol

from msgspec.structs import replace

from helpdesk.domain.actions import ACTIONS, Risk
from helpdesk.domain.agents import Agent
from helpdesk.domain.audit import ACCEPT, LogRow, Result
from helpdesk.domain.chain import Macs, Noted, Tree, log_of, pseudonym, sealed
from helpdesk.domain.checkpoints import (
    ORIGIN,
    Checkpoint,
    checkpoint_body,
    read_body,
    read_checkpoint,
    read_verifier_key,
)
from helpdesk.domain.errors import BadInput, HelpdeskError, Tampered
from helpdesk.domain.inspection import (
    EVERY_ROWS,
    EVERY_S,
    MINE,
    SAW,
    Held,
    Inspecting,
    Inspector,
    SoFar,
    is_of,
    misfit,
    packed,
    unpacked,
)
from helpdesk.domain.text import clean
from helpdesk.stores.base import Ends, Store
from helpdesk.stores.whole import whole

UNKEPT = "What this console saw of the log could not be kept: {}"

WAY_BACK = "Put the newest copy of {} back, or let a lead go on with this one: helpdesk log accept."

NO_FIT = "A checkpoint in the file does not fit the log: helpdesk log verify."

ROWS: Final = 1_000
"""So many rows of a long log are in memory at once."""

NOTES: Final = 256
"""So many checkpoints are asked for at once."""

PART_S: Final = 0.25
"""Seconds of an inspection after which it says how far it is."""


class Signs(Macs, Protocol):
    """The two keys of a console: one hashes personal data, one signs checkpoints."""

    def signed(self, name: str, body: str) -> str:
        """Return *body* as a signed note."""
        ...

    def verifier(self, name: str) -> str:
        """Return the public key as a line to give away."""
        ...

    def vouches(self, checkpoint: Checkpoint, public: bytes | None = None) -> bool | None:
        """Whether a checkpoint is signed by this key, or by *public*; None by others only."""
        ...


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


class _Seen(NamedTuple):
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


class Recorder:
    """The pen of the log. All that writes is used inside the store's transaction."""

    def __init__(
        self,
        agent: Agent,
        store: Store,
        clock: Callable[[], datetime],
        keys: Signs,
        witness: Witness,
        watched: Watched | None = None,
    ) -> None:
        self._agent, self._store, self._clock = agent, store, clock
        self._keys, self._witness = keys, witness
        self._watched = watched or Watched()

    @property
    def alarm(self) -> str:
        """Why the log is not the one this console saw before; empty while it is."""
        return self._watched.alarm

    @property
    def unkept(self) -> str:
        """Why this console could not keep what it saw of the log; empty where it did."""
        return self._watched.unkept

    @asynccontextmanager
    async def transaction(self, *, joins: bool = False) -> AsyncIterator[None]:
        """Hold the store's pen, having looked that the log is the one that was seen before.

        Whoever joins others rests on what the first of them saw: nobody else wrote since, and what
        these wrote is not durable yet. When all of it is, the last looks at it for all.
        """
        async with self._store.transaction(joins=joins, then=self._look) as is_first:
            if is_first:
                await self.catch_up()
            yield

    async def _look(self) -> None:
        try:
            await self.watch()
        except HelpdeskError as error:  # what was done is done: no error tells the contrary
            self._watched.unkept = UNKEPT.format(error)

    async def catch_up(self) -> None:
        """Take in the rows that others wrote, and hold them against what was seen."""
        await self._store.refresh()
        await self.watch()

    async def record(
        self, *, at: datetime | None = None, by: Agent | None = None, **row: Any
    ) -> LogRow:
        """Append a row; after a dangerous act, 64 rows or a minute a checkpoint with it.

        *by* is another agent, whose look or held act is written here.

        None is signed while the log is not the one this console saw: it would vouch for another.
        """
        store, agent = self._store, by or self._agent
        ends, now = await store.ends(), self._clock()
        written = LogRow(seq=ends.seq + 1, at=at or now, agent=agent.id, role=agent.role, **row)
        name = ORIGIN + secrets.token_hex(8)
        await store.append(
            sealed(written, ends.last, self._keys, salt=secrets.token_hex(16), log=name)
        )
        if not self.alarm and await self._is_due(written, ends.size + 1, now):
            await self.checkpoint()
        return written

    @property
    def uncovered(self) -> int:
        """How many rows came after the newest checkpoint beside the log, when last watched."""
        return self._watched.tree.size - self._watched.covered

    async def checkpoint(self) -> str:
        """Make a checkpoint of all rows there are, keep it beside the log, and give it.

        Raises:
            Tampered: The log is not the one this console saw.
        """
        if self.alarm:
            raise Tampered(self.alarm)
        note = await self._signed()
        await self._store.note(Noted(note=note, made=self._clock()))
        self._watched.is_noted = True
        return note

    async def newest(self) -> str:
        """Give the newest checkpoint beside the log; empty where there is none."""
        noted = await self._store.checkpoint()
        return noted.note if noted else ""

    def pseudonym(self, user: str) -> str:
        """Give what stands for a user in the chain."""
        return pseudonym(user, self._keys)

    async def verifier(self) -> str:
        """Give the public key of this console for this log, as a line to give away."""
        return self._keys.verifier(_origin(await self._store.ends()))

    async def watch(self) -> None:
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
            await self._watch(ends)
        except BaseException:
            watched.is_noted |= is_noted
            raise

    async def _watch(self, ends: Ends) -> None:
        watched = self._watched
        # Before the log is read: what others write meanwhile is then in it, whatever is told of it.
        seen = self._seen(await self.newest())
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
        rows = [entry.row for entry in await self._store.bound(start)]
        await whole(self._held, start, rows, _origin(ends), seen)

    def _seen(self, newest: str) -> _Seen:
        last, rows = self._witness.last(), self._witness.rows()
        told = {"last": _read(last), "rows": _read(rows, read_body), "newest": _read(newest)}
        return _Seen(last, rows, newest, told)

    def _passed(self, start: int, rows: Sequence[str], seen: _Seen) -> None:
        """Take in rows on the way to the newest, unless another recorder did so meanwhile."""
        with self._watched.growing:
            if self._watched.tree.size == start:
                self._watched.known |= self._watched.tree.extend(rows, seen.sizes)

    def _held(self, start: int, rows: Sequence[str], origin: str, seen: _Seen) -> None:
        """Take in the rows from a place on, unless another recorder did so meanwhile."""
        with self._watched.growing:
            known = self._watched.tree.size - start
            if 0 <= known < len(rows) or not known:
                self._hold(rows[known:], origin, seen)

    def _hold(self, rows: Sequence[str], origin: str, seen: _Seen) -> None:
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
        if not self.alarm and seen.newest not in {"", seen.last}:
            if wrong.get("newest") or told["newest"] is None:
                watched.alarm = NO_FIT
            else:
                self._kept(self._witness.keep, seen.newest)
        if not self.alarm and tree.size > (told["rows"].size if told["rows"] else 0):
            body = checkpoint_body(origin, tree.size, tree.root())
            self._kept(self._witness.keep_rows, body)
        watched.covered = told["newest"].size if told["newest"] else 0

    def _kept(self, keep: Callable[[str], None], text: str) -> None:
        """Keep something of the log, if that can be written; acts are not held up by it."""
        try:
            keep(text)
        except HelpdeskError as error:
            self._watched.unkept = UNKEPT.format(error)

    async def accept(self, reason: str) -> LogRow:
        """Record that this log is to be gone on with, inside a transaction, and cover it.

        After the transaction it takes `accepted`.

        Raises:
            Tampered: The log does not fit itself; no word of a person mends that.
        """
        says = await self._accepting()
        row = await self.record(
            act=ACCEPT, user="", result=Result.DONE, says=says, reason=clean(reason)
        )
        await self._store.note(Noted(note=await self._signed(), made=self._clock()))
        looking = self._inspector(await self._begun(), (), None)
        while not looking.so_far.is_all:
            await self._looked(looking)
        found = await whole(looking.found)
        if not found.is_sound:
            raise Tampered(
                f"This log does not fit itself, so it cannot be accepted: {found.broken[0]}"
            )
        return row

    async def accepted(self) -> None:
        """From now on hold the log against what was accepted; once that is durable."""
        await whole(self._witness.keep, await self.newest())
        await whole(self._witness.keep_rows, "")
        self._watched.forget()
        self._watched.version = -1
        await self.watch()

    async def inspect(
        self, given: tuple[Held, ...] = (), key: str = "", so_far: str = ""
    ) -> Inspecting:
        """Look at some of the log, with what is held here and what is *given*.

        Raises:
            BadInput: *key* is no public key, or *so_far* nothing that was given here.
        """
        public = read_verifier_key(key)[1] if key else None
        begun = unpacked(so_far) if so_far else await self._begun(self._seen(""))
        looking = self._inspector(begun, given, public)
        ends, is_first = time.monotonic() + PART_S, True
        while not begun.is_all and (is_first or time.monotonic() < ends):
            await self._looked(looking)
            is_first = False
        if begun.is_all:
            found = await whole(looking.found)
            return Inspecting(done=begun.done, of=begun.rows, found=found)
        return Inspecting(done=begun.done, of=begun.rows, so_far=packed(begun))

    async def _begun(self, seen: _Seen | None = None) -> SoFar:
        """Begin with as many rows as there are now; checkpoints first: they are of no more."""
        notes = await self._store.noted()
        ends, old = await self._store.ends(), await self._store.unbound()
        begun = SoFar(rows=ends.size, notes=notes, old=old)
        return replace(begun, seen=seen.last, saw=seen.rows) if seen else begun

    async def _looked(self, looking: Inspector) -> None:
        """Look at the next rows of the log, and at the checkpoints of them."""
        so_far, store = looking.so_far, self._store
        rows = await store.bound(so_far.done, min(ROWS, so_far.rows - so_far.done))
        if not rows:  # they were cut off since: there are no more than were looked at
            so_far.rows = so_far.done
        end, notes = so_far.done + len(rows), list[str]()
        while (left := so_far.notes - so_far.noted - len(notes)) > 0:
            place = so_far.noted + len(notes)
            found = [kept.note for kept in await store.checkpoints(place, min(NOTES, left))]
            if not found:
                so_far.notes = place
            notes += takewhile(lambda note: end == so_far.rows or is_of(note, end), found)
            if so_far.noted + len(notes) < place + len(found):
                break
        await whole(looking.take, rows, notes)

    def _inspector(self, so_far: SoFar, given: tuple[Held, ...], public: bytes | None) -> Inspector:
        def vouches(checkpoint: Checkpoint) -> bool | None:
            own = self._keys.vouches(checkpoint)
            return self._keys.vouches(checkpoint, public) if own is None and public else own

        return Inspector(so_far, given=given, macs=self._keys, vouches=vouches)

    async def _is_due(self, row: LogRow, size: int, now: datetime) -> bool:
        act = ACTIONS.get(row.act)
        if act and act.risk is Risk.HIGH and row.result is Result.DONE:
            return True
        noted = await self._store.checkpoint()
        if not noted or now - noted.made >= timedelta(seconds=EVERY_S):
            return True
        newest = _read(noted.note)
        return size - (newest.size if newest else 0) >= EVERY_ROWS

    async def _accepting(self) -> str:
        """Name the log that is accepted and the one it takes the place of."""
        told = self._seen("").told
        before = max(told["last"], told["rows"], key=lambda one: one.size if one else -1)
        held = (
            _named(before.origin, before.size, before.root)
            if before
            else "one whose checkpoint cannot be read"
        )
        ends, tree = await self._grown()
        now = _named(_origin(ends), tree.size, tree.root())
        return f"Accepted: {now}, in the place of the one this console saw: {held}."

    async def _signed(self) -> str:
        ends, tree = await self._grown()
        origin = _origin(ends)
        body = checkpoint_body(origin, tree.size, tree.root())
        return await whole(self._keys.signed, origin, body)

    async def _grown(self) -> tuple[Ends, Tree]:
        """The tree of all rows, those of the transaction under way too."""
        ends, tree = await self._store.ends(), self._watched.tree.copy()
        is_more = True
        while is_more:
            rest = await self._store.bound(tree.size, ROWS)
            await whole(tree.extend, [entry.row for entry in rest])
            is_more = len(rest) == ROWS
        return ends, tree


def _named(origin: str, size: int, root: bytes) -> str:
    """Return a log by name, length and root, as one reads it."""
    return f"{clean(origin, limit=60)}, {size} rows, root {base64.b64encode(root).decode()}"


def _origin(ends: Ends) -> str:
    return (log_of(ends.first.row) if ends.first else "") or f"{ORIGIN}empty"


def _read(note: str, read: Callable[[str], Checkpoint] = read_checkpoint) -> Checkpoint | None:
    try:
        return read(note) if note else None
    except BadInput:
        return None
