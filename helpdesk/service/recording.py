"""Writing the log: each row bound to the one before, with checkpoints, watched by this console."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, Final, Protocol

from msgspec.structs import replace

from helpdesk.domain.actions import ACTIONS, Risk
from helpdesk.domain.agents import Agent
from helpdesk.domain.audit import ACCEPT, LogRow, Result
from helpdesk.domain.chain import Macs, Noted, Tree, pseudonym, sealed
from helpdesk.domain.checkpoints import (
    ORIGIN,
    Checkpoint,
    checkpoint_body,
    read_verifier_key,
)
from helpdesk.domain.errors import HelpdeskError, Tampered
from helpdesk.domain.inspection import (
    EVERY_ROWS,
    EVERY_S,
    Held,
    Inspecting,
    SoFar,
    packed,
    unpacked,
)
from helpdesk.domain.inspector import Inspector, is_of
from helpdesk.domain.text import clean, counted
from helpdesk.service.witness import (
    ROWS,
    UNKEPT,
    SeenOnce,
    Watched,
    Watching,
    Witness,
    origin_of,
    read_note,
)
from helpdesk.stores.base import Ends, Store
from helpdesk.stores.whole import whole

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
        self._watching = Watching(store, witness, self._watched)

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
        return await self._watching.newest()

    def pseudonym(self, user: str) -> str:
        """Give what stands for a user in the chain."""
        return pseudonym(user, self._keys)

    async def verifier(self) -> str:
        """Give the public key of this console for this log, as a line to give away."""
        return self._keys.verifier(origin_of(await self._store.ends()))

    async def watch(self) -> None:
        """Hold the log against what this console saw of it, while all of it is durable."""
        await self._watching.look()

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
        begun = unpacked(so_far) if so_far else await self._begun(self._watching.seen(""))
        looking = self._inspector(begun, given, public)
        ends, is_first = time.monotonic() + PART_S, True
        while not begun.is_all and (is_first or time.monotonic() < ends):
            await self._looked(looking)
            is_first = False
        if begun.is_all:
            found = await whole(looking.found)
            return Inspecting(done=begun.done, of=begun.rows, found=found)
        return Inspecting(done=begun.done, of=begun.rows, so_far=packed(begun))

    async def _begun(self, seen: SeenOnce | None = None) -> SoFar:
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
        newest = read_note(noted.note)
        return size - (newest.size if newest else 0) >= EVERY_ROWS

    async def _accepting(self) -> str:
        """Name the log that is accepted and the one it takes the place of."""
        told = self._watching.seen("").told
        before = max(told["last"], told["rows"], key=lambda one: one.size if one else -1)
        held = (
            _named(before.origin, before.size, before.root)
            if before
            else "one whose checkpoint cannot be read"
        )
        ends, tree = await self._grown()
        now = _named(origin_of(ends), tree.size, tree.root())
        return f"Accepted: {now}, in the place of the one this console saw: {held}."

    async def _signed(self) -> str:
        ends, tree = await self._grown()
        origin = origin_of(ends)
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
    said = base64.b64encode(root).decode()
    return f"{clean(origin, limit=60)}, {counted(size, 'row')}, root {said}"
