"""The desk's record in the tables of a TinyDB file."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import threading
from bisect import bisect_right
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from helpdesk.domain.agents import Agent
from helpdesk.domain.approvals import Approval
from helpdesk.domain.audit import LOOK, LogRow
from helpdesk.domain.chain import ChainedRow, Entry, Noted, opened, stored_row
from helpdesk.domain.erasing import (
    KEPT,
    Erased,
    bare,
    bare_row,
    holds_personal,
    is_open,
    needed_proofs,
)
from helpdesk.domain.errors import BadFile
from helpdesk.domain.learning import learn
from helpdesk.domain.notices import Notice
from helpdesk.domain.operations import Answered, Operation
from helpdesk.domain.records import Record, begun, has_ended
from helpdesk.domain.shifting import moved
from helpdesk.domain.tickets import Ticket
from helpdesk.stores.base import TABLES, Ends, R, Then
from helpdesk.stores.listed import Listed, others
from helpdesk.stores.remade import Remade
from helpdesk.stores.tinyfile import TinyFile

LOG: Final = ("log", "checkpoints", "outbox")
"""The tables that grow by looking alone; the others need not be read again for them."""

LISTED: Final = ("tickets", "loops", "proofs", "askings", "approvals", "holds")

RECORDS: Final = ("agents", *LISTED)

S = TypeVar("S")


class TinyStore:
    """The desk's own record in a `TinyFile`, read whole into memory."""

    def __init__(self, file: TinyFile) -> None:
        learn((*TABLES, Agent, LogRow, ChainedRow, Entry, Noted, Answered))
        self._file = file
        self._generation = self._log_generation = -1
        self._version = 0  # of the log: how often others had changed the file when it was read
        self.agents: tuple[Agent, ...] = ()
        self._listed: dict[str, Listed[Any]] = {table: Listed() for table in TABLES.values()}
        self._read: tuple[tuple[LogRow, Entry | None], ...] = ()
        self._logged: Listed[LogRow] = Listed()
        self._bound = self._highest = 0  # how many of these are bound, and their highest number
        self.entries: tuple[Entry, ...] = ()
        self.notes: tuple[Noted, ...] = ()
        self._rows = Remade(self._row)
        self._loading = threading.Lock()
        self._writer: asyncio.Task[Any] | None = None

    @contextlib.asynccontextmanager
    async def transaction(
        self, *, joins: bool = False, then: Then | None = None
    ) -> AsyncIterator[bool]:
        """Hold the only pen, as `Store.transaction`; waiting for it does not hold up the screen."""
        step = self._file.step
        is_held = self._is_current() and self._file.hold()  # then there is nothing to read either
        held = self._file.transaction(is_held=is_held)
        try:
            if is_held:
                self._file.now(self._begin, held)
            else:
                await step(self._begin, held)
            self._writer = asyncio.current_task()
            try:
                yield True
            finally:
                self._writer = None
            await step(self._end, held)
        except BaseException as error:
            self._log_generation = -1  # what was appended in memory is not in the file
            await step(held.__exit__, type(error), error, error.__traceback__)
            raise
        if then is not None:
            await then()

    def _begin(self, held: contextlib.AbstractContextManager[None]) -> None:
        """Begin a transaction, with what others wrote before it."""
        held.__enter__()
        self.load()

    def _end(self, held: contextlib.AbstractContextManager[None]) -> None:
        """Make a transaction durable, and take in what it wrote."""
        held.__exit__(None, None, None)
        self.load()

    @property
    def is_invented(self) -> bool:
        """Whether the file says that its people are invented, as `fixture make` writes."""
        meta = self._file.row("meta", 1) or {}
        return "seed" in meta

    @property
    def log(self) -> tuple[LogRow, ...]:
        """All rows of the log, oldest first."""
        return self._logged.all

    def listed(self, kind: type[R]) -> Listed[R]:
        """Give the records of a kind as they are at this moment, in the order of the file."""
        return self._listed[TABLES[kind]]

    async def refresh(self) -> int:
        """Take in what others wrote; give a number that grows when more than the log changed."""
        # While it is changing, memory is what is durable and what was appended.
        if not (self._file.is_changing or self._is_current()):
            await asyncio.to_thread(self.load)
        return self._generation

    async def select(
        self,
        kind: type[R],
        *,
        user: str = "",
        since: datetime | None = None,
        only_open: bool = False,
    ) -> Sequence[R]:
        """Give the records of a kind, oldest first, as `Store.select`."""
        listed = self.listed(kind)
        return [
            one
            for one in (listed.of(user) if user else await _all_of(listed))
            if (since is None or begun(one) >= since) and (not only_open or not has_ended(one))
        ]

    async def get(self, kind: type[R], name: str) -> R | None:
        """Give the record of this id, or None."""
        all_ = await _all_of(self.listed(kind))
        return next((one for one in all_ if one.id == name), None)

    async def next_ticket(self) -> str:
        """Give the number that a new ticket gets: one more than the highest."""
        names = [ticket.id for ticket in await _all_of(self.listed(Ticket))]
        numbers = [int(name) for name in names if name.isascii() and name.isdigit()]
        return str(max(numbers, default=1000) + 1)

    async def rows(
        self,
        *,
        user: str = "",
        agent: str = "",
        acts: Collection[str] = (),
        looks: bool = True,
        since: datetime | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> Sequence[LogRow]:
        """Give rows of the log, oldest first, as `Store.rows`."""
        found = (
            row
            for row in (self._logged.of(user) if user else self.log)
            if (not agent or row.agent == agent)
            and (not acts or row.act in acts)
            and (looks or row.act != LOOK)
            and (since is None or row.at >= since)
            and row.seq > after
        )
        return [*islice(found, limit)]

    async def kept(self, after: int, limit: int) -> Sequence[tuple[LogRow, Entry | None]]:
        """Give rows after the one with the number *after*, as they are kept."""
        old, end = len(self.log) - len(self.entries), len(self.log)
        begin = next((place for place, row in enumerate(self.log) if row.seq > after), end)
        return [
            (self.log[place], self.entries[place - old] if place >= old else None)
            for place in range(begin, min(begin + limit, end))
        ]

    async def ends(self) -> Ends:
        """Give where the log ends."""
        entries = self.entries
        return Ends(
            seq=max(self._highest, self.log[-1].seq if self.log else 0),
            size=len(entries),
            first=entries[0] if entries else None,
            last=entries[-1] if entries else None,
            version=self._version,
        )

    async def checkpoint(self) -> Noted | None:
        """Give the newest checkpoint of the log; None where there is none."""
        return self.notes[-1] if self.notes else None

    async def unbound(self) -> int:
        """Give how many rows are of the time before they were bound to one another."""
        return len(self.log) - len(self.entries)

    async def noted(self) -> int:
        """Give how many checkpoints of the log there are."""
        return len(self.notes)

    async def checkpoints(self, start: int = 0, limit: int | None = None) -> Sequence[Noted]:
        """Give checkpoints of the log, from the place *start* on, oldest first."""
        return self.notes[start : None if limit is None else start + limit]

    async def bound(self, start: int = 0, limit: int | None = None) -> Sequence[Entry]:
        """Give the rows that are bound to one another, from the place *start* on."""
        return self.entries[start:] if limit is None else self.entries[start : start + limit]

    async def news(self, seconds: float, since: int) -> int:
        """Wait: a file tells nobody that it was changed."""
        await asyncio.sleep(seconds if since >= 0 else 0)
        return 0

    async def keep(self, record: Record) -> None:
        """Write a record, new or instead of the one with its id."""
        if self._file.names(TABLES[type(record)]).is_read:  # to put it takes less than a thread
            self._file.now(self._keep, record)
        else:
            await self._file.step(self._keep, record)

    async def operation(self, agent: str, key: str) -> Operation | None:
        """Give what became of a write, read from the file itself; None where there was none."""
        if self._writer is not None and self._writer is asyncio.current_task():
            return self._file.now(self._operation, agent, key)
        if self._is_current():  # one document is read sooner than a thread is there for it
            return self._operation(agent, key)
        return await asyncio.to_thread(self._operation, agent, key)

    async def append(self, entry: Entry) -> None:
        """Append a row to the log; it counts as read at once."""
        row = opened(entry)
        self._file.now(self._file.put, "log", row.seq, msgspec.to_builtins(entry))
        self._logged = Listed((*self.log, row), self._logged)
        self.entries = (*self.entries, entry)

    async def note(self, checkpoint: Noted) -> None:
        """Keep a checkpoint of the log beside it."""
        number = len(self.notes) + 1
        self._file.now(self._file.put, "checkpoints", number, msgspec.to_builtins(checkpoint))
        self.notes = (*self.notes, checkpoint)

    async def erase(self, before: datetime, now: datetime) -> Erased:
        """Part rows, and all else that ended, from before a moment from their personal data."""
        return await self._file.step(self._erase, before, now)

    def load(self) -> None:
        """Read what changed in the file; blocking, and one thread after the other."""
        with self._loading:
            generation = self._file.generation(*RECORDS)
            if generation != self._generation:
                self._load_records()
                self._generation = generation
            log_generation = self._file.generation(*LOG)
            if log_generation != self._log_generation:
                version = self._file.others
                self._load_log()
                self._log_generation, self._version = log_generation, version

    def _is_current(self) -> bool:
        read = self._file.generation(*RECORDS), self._file.generation(*LOG)
        return read == (self._generation, self._log_generation)

    def _load_records(self) -> None:
        self.agents = self._all("agents", Agent)
        for kind, table in TABLES.items():
            if table in LISTED:
                self._list(table, kind)

    def _load_log(self) -> None:
        read = self._file.made("log", self._rows)
        known, changed = len(self._read), others(read, self._read)
        if len(read) < known or (changed and changed[0] < known):
            known = self._bound = self._highest = 0
        new = read[known:]
        self.entries = (*self.entries[: self._bound], *(entry for _, entry in new if entry))
        rows = (*self.log[:known], *(row for row, _ in new))
        self._logged = Listed(rows, self._logged)
        self._highest = max([self._highest, *(row.seq for row, _ in new)])
        self._read, self._bound = read, len(self.entries)
        self.notes = self._all("checkpoints", Noted)
        self._list("outbox", Notice)

    def _list(self, table: str, kind: type[Any]) -> None:
        self._listed[table] = self._file.listed(table, kind, self._listed[table])

    def _row(self, key: str, body: Any, by: timedelta) -> tuple[LogRow, Entry | None]:
        document = msgspec.json.decode(body) if isinstance(body, bytes) else body
        try:
            return stored_row(moved(document, by))
        except msgspec.MsgspecError as error:
            says = self._file.damage(f"is no row: {error}")
            raise BadFile(self._file.name, f"log.{key}", says) from error

    def _erase(self, before: datetime, now: datetime) -> Erased:
        self._file.sweep_again()  # half a change of somebody who was killed holds it all too
        needed = needed_proofs(self.listed(Approval).all, now)
        others = still_open = 0
        for kind in KEPT:
            for key, document in list(self._file.rows(TABLES[kind])):
                record = self._file.decoded(TABLES[kind], key, document, kind)
                without = bare(record)
                if self._real(begun(record)) >= before or without == record:
                    continue
                if is_open(record, now, needed):
                    still_open += 1
                    continue
                others += 1
                self._file.put(TABLES[kind], key, msgspec.to_builtins(without))
        return Erased(rows=self._erase_rows(before), others=others, still_open=still_open)

    def _real(self, at: datetime) -> datetime:
        """Give when a moment of the file was by the wall clock, which the rows of the log tell.

        They differ where a fixture was left alone: its own time stood still.
        """
        place = bisect_right(self.entries, at, key=lambda entry: entry.at or opened(entry).at)
        if not place or (kept := self.entries[place - 1]).at is None:
            return at
        return at - (kept.at - opened(kept).at)

    def _erase_rows(self, before: datetime) -> int:
        count = 0
        for key, document in list(self._file.rows("log")):
            row, entry = stored_row(document)
            if row.at >= before or not holds_personal(row):
                continue
            count += 1
            kept = replace(entry, clear=None) if entry else bare_row(row)
            self._file.put("log", key, msgspec.to_builtins(kept))
        return count

    def _all(self, table: str, kind: type[S]) -> tuple[S, ...]:
        return self._file.values(table, kind)

    def _operation(self, agent: str, key: str) -> Operation | None:
        number = _place(agent, key)
        row = self._file.row("operations", number)
        return None if row is None else self._file.decoded("operations", number, row, Operation)

    def _keep(self, record: Record) -> None:
        table = TABLES[type(record)]
        if isinstance(record, Operation):
            self._file.put(table, _place(record.agent, record.id), msgspec.to_builtins(record))
            return
        names = self._file.names(table)
        key = names.key(record.id)
        self._file.put(table, names.free() if key is None else key, msgspec.to_builtins(record))


async def _all_of(listed: Listed[R]) -> Sequence[R]:
    """Return all of them; what is still to be read of a long file is read in a thread."""
    return listed.all if listed.is_read else await asyncio.to_thread(lambda: listed.all)


def _place(agent: str, key: str) -> int:
    """Where an operation lies: nobody looks through all of them for one."""
    return int.from_bytes(hashlib.sha256(f"{agent}\0{key}".encode()).digest()[:6])
