"""What the desk keeps itself, whatever it is kept in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from helpdesk.domain.agents import Agent
from helpdesk.domain.approvals import Approval
from helpdesk.domain.audit import LogRow
from helpdesk.domain.chain import Entry, Noted
from helpdesk.domain.erasing import Erased
from helpdesk.domain.holds import Hold
from helpdesk.domain.notices import Notice
from helpdesk.domain.operations import Operation
from helpdesk.domain.proofs import Asking, Proof
from helpdesk.domain.tickets import LoopReport, Ticket

Record = Ticket | Proof | Asking | Approval | Notice | Hold | Operation
"""What is kept under an id of its own; an operation under its id and its agent's."""


class Store(Protocol):
    """Tickets, loop reports, agents and the log.

    Writing is only possible inside `transaction`: what is written there is kept whole, or not at
    all.
    """

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """Hold the only pen: writes inside become durable together when the block ends well."""
        ...

    def watched(self, watch: Callable[[], None]) -> None:
        """Call this from a thread whenever the record is whole.

        Before the first write of a transaction, and when all of it is durable.
        """
        ...

    async def refresh(self) -> int:
        """Take in what others wrote; give a number that grows when more than the log changed."""
        ...

    @property
    def agents(self) -> Sequence[Agent]:
        """The agents of this desk, in their order on file."""
        ...

    @property
    def tickets(self) -> Sequence[Ticket]:
        """All tickets, in their order on file."""
        ...

    @property
    def loops(self) -> Sequence[LoopReport]:
        """All login-loop reports, in their order on file."""
        ...

    @property
    def log(self) -> Sequence[LogRow]:
        """All rows of the log, oldest first."""
        ...

    @property
    def proofs(self) -> Sequence[Proof]:
        """All proofs of callers."""
        ...

    @property
    def askings(self) -> Sequence[Asking]:
        """All proofs that were asked for."""
        ...

    @property
    def approvals(self) -> Sequence[Approval]:
        """All requests for a second person, oldest first."""
        ...

    async def keep(self, record: Record) -> None:
        """Write a record, new or instead of the one with its id."""
        ...

    async def operation(self, agent: str, key: str) -> Operation | None:
        """Give what became of the write of an agent under a key; None where there was none.

        Inside a transaction also what it wrote so far.
        """
        ...

    @property
    def entries(self) -> Sequence[Entry]:
        """The rows of the log that are bound to one another, oldest first."""
        ...

    @property
    def checkpoints(self) -> Sequence[Noted]:
        """The checkpoints of the log, oldest first."""
        ...

    @property
    def holds(self) -> Sequence[Hold]:
        """All acts that were held, oldest first."""
        ...

    @property
    def outbox(self) -> Sequence[Notice]:
        """All notices, oldest first."""
        ...

    async def append(self, entry: Entry) -> None:
        """Append a row to the log; `log` and `entries` hold it at once."""
        ...

    async def note(self, checkpoint: Noted) -> None:
        """Keep a checkpoint of the log; `checkpoints` holds it at once."""
        ...

    async def erase(self, before: datetime, now: datetime) -> Erased:
        """Part rows, and all else that ended, from before a moment from their personal data."""
        ...
