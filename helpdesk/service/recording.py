"""Writing the log: each row bound to the one before, with checkpoints, watched by this console."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from helpdesk.domain.actions import ACTIONS, Risk
from helpdesk.domain.agents import Agent
from helpdesk.domain.audit import ACCEPT, LogRow, Result
from helpdesk.domain.chain import Macs, Noted, log_of, pseudonym, root, sealed
from helpdesk.domain.checkpoints import (
    ORIGIN,
    Checkpoint,
    checkpoint_body,
    read_checkpoint,
    read_verifier_key,
)
from helpdesk.domain.errors import BadInput, Tampered
from helpdesk.domain.inspection import (
    EVERY_ROWS,
    EVERY_S,
    Held,
    Inspection,
    inconsistent,
    inspect,
)
from helpdesk.domain.text import clean
from helpdesk.stores.base import Store
from helpdesk.stores.whole import whole

LOOKS_IN = timedelta(minutes=10)
"""One look a user and agent in this time; any other row of theirs about the user tells the same."""

MINE = "The checkpoint this console holds"


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
    """Where the last checkpoint this console saw is kept, away from the log."""

    def last(self) -> str:
        """Give its text; empty where there is none."""
        ...

    def keep(self, note: str) -> None:
        """Keep a newer one."""
        ...


class Recorder:
    """The pen of the log. All that writes is used inside the store's transaction.

    Attributes:
        alarm: Why the log is not the one this console saw before; empty while it is.
    """

    def __init__(
        self,
        agent: Agent,
        store: Store,
        clock: Callable[[], datetime],
        keys: Signs,
        witness: Witness,
    ) -> None:
        self._agent, self._store, self._clock = agent, store, clock
        self._keys, self._witness = keys, witness
        self._watched: object = None
        self.alarm = ""
        store.watched(self.watch)

    async def record(
        self, *, at: datetime | None = None, by: Agent | None = None, **row: Any
    ) -> LogRow:
        """Append a row; after a dangerous act, 64 rows or a minute a checkpoint with it.

        *by* is another agent, whose held act this console carries out.

        None is signed while the log is not the one this console saw: it would vouch for another.
        """
        store, agent = self._store, by or self._agent
        await store.refresh()
        seq = max((row.seq for row in store.log), default=0) + 1
        now = self._clock()
        written = LogRow(seq=seq, at=at or now, agent=agent.id, role=agent.role, **row)
        before = store.entries[-1] if store.entries else None
        name = ORIGIN + secrets.token_hex(8)
        await store.append(
            sealed(written, before, self._keys, salt=secrets.token_hex(16), log=name)
        )
        if self._is_due(written, now) and not self.alarm:
            await self.checkpoint()
        return written

    def is_news(self, user: str, at: datetime) -> bool:
        """Whether a look at a user would say what no row of this agent says yet."""
        return not any(
            row.user == user and row.agent == self._agent.id and abs(at - row.at) < LOOKS_IN
            for row in reversed(self._store.log)
        )

    @property
    def uncovered(self) -> int:
        """How many rows came after the newest checkpoint in the file."""
        return len(self._store.entries) - self._covered()

    async def checkpoint(self) -> str:
        """Make a checkpoint of all rows there are, keep it beside the log, and give it.

        Raises:
            Tampered: The log is not the one this console saw.
        """
        if self.alarm:
            raise Tampered(self.alarm)
        note = await whole(self._signed)
        await self._store.note(Noted(note=note, made=self._clock()))
        return note

    def newest(self) -> str:
        """Give the newest checkpoint in the file; empty where there is none."""
        return self._store.checkpoints[-1].note if self._store.checkpoints else ""

    def pseudonym(self, user: str) -> str:
        """Give what stands for a user in the chain."""
        return pseudonym(user, self._keys)

    def verifier(self) -> str:
        """Give the public key of this console for this log, as a line to give away."""
        return self._keys.verifier(self._origin())

    def watch(self) -> None:
        """Hold the log against the last checkpoint this console saw; keep the newest that fits.

        Only while all of it is durable: a checkpoint of rows that were dropped would never fit.
        """
        entries = self._store.entries
        if entries is self._watched:
            return
        last = self._witness.last()
        self.alarm = inconsistent(entries, Held(by=MINE, note=last)) if last else ""
        newest = self.newest()
        if not self.alarm and newest not in {"", last}:
            if inconsistent(entries, Held(by="", note=newest)):
                self.alarm = "A checkpoint in the file does not fit the log: helpdesk log verify."
            else:
                self._witness.keep(newest)
        self._watched = entries

    async def accept(self, reason: str) -> LogRow:
        """Record that this log is to be gone on with, inside a transaction, and cover it.

        After the transaction it takes `accepted`.

        Raises:
            Tampered: The log does not fit itself; no word of a person mends that.
        """
        says = await whole(self._accepting)
        row = await self.record(
            act=ACCEPT, user="", result=Result.DONE, says=says, reason=clean(reason)
        )
        await self._store.note(Noted(note=await whole(self._signed), made=self._clock()))
        found = self._inspected((), None)
        if not found.is_sound:
            raise Tampered(
                f"This log does not fit itself, so it cannot be accepted: {found.broken[0]}"
            )
        return row

    async def accepted(self) -> None:
        """From now on hold the log against what was accepted; once that is durable."""
        await whole(self._witness.keep, self.newest())
        self._watched = None
        await whole(self.watch)

    def inspect(self, given: tuple[Held, ...] = (), key: str = "") -> Inspection:
        """Say what is proven about the log, with what is held here and what is *given*.

        Raises:
            BadInput: *key* is no public key.
        """
        public = read_verifier_key(key)[1] if key else None
        last = self._witness.last()
        return self._inspected((*((Held(by=MINE, note=last),) if last else ()), *given), public)

    def _inspected(self, held: tuple[Held, ...], public: bytes | None) -> Inspection:
        store = self._store

        def vouches(checkpoint: Checkpoint) -> bool | None:
            own = self._keys.vouches(checkpoint)
            return self._keys.vouches(checkpoint, public) if own is None and public else own

        return inspect(
            store.entries,
            old=len(store.log) - len(store.entries),
            notes=[kept.note for kept in store.checkpoints],
            held=held,
            macs=self._keys,
            vouches=vouches,
        )

    def _is_due(self, row: LogRow, now: datetime) -> bool:
        act = ACTIONS.get(row.act)
        if act and act.risk is Risk.HIGH and row.result is Result.DONE:
            return True
        noted = self._store.checkpoints
        last = noted[-1].made if noted else None
        is_late = last is None or now - last >= timedelta(seconds=EVERY_S)
        return is_late or self.uncovered >= EVERY_ROWS

    def _covered(self) -> int:
        try:
            return read_checkpoint(self.newest()).size
        except BadInput:
            return 0

    def _origin(self) -> str:
        entries = self._store.entries
        return (log_of(entries[0].row) if entries else "") or f"{ORIGIN}empty"

    def _accepting(self) -> str:
        """Name the log that is accepted and the one it takes the place of."""
        rows = [entry.row for entry in self._store.entries]
        try:
            before = read_checkpoint(self._witness.last())
            held = _named(before.origin, before.size, before.root)
        except BadInput:
            held = "one whose checkpoint cannot be read"
        now = _named(self._origin(), len(rows), root(rows))
        return f"Accepted: {now}, in the place of the one this console saw: {held}."

    def _signed(self) -> str:
        entries, origin = self._store.entries, self._origin()
        body = checkpoint_body(origin, len(entries), root(entry.row for entry in entries))
        return self._keys.signed(origin, body)


def _named(origin: str, size: int, root: bytes) -> str:
    """Return a log by name, length and root, as one reads it."""
    return f"{clean(origin, limit=60)}, {size} rows, root {base64.b64encode(root).decode()}"
