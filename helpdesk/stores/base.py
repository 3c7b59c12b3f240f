"""What the desk keeps itself, whatever it is kept in."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from helpdesk.domain.agents import Agent
from helpdesk.domain.approvals import Approval
from helpdesk.domain.audit import LogRow
from helpdesk.domain.proofs import Asking, Proof
from helpdesk.domain.tickets import LoopReport, Ticket

Record = Ticket | Proof | Asking | Approval
"""What is kept under an id of its own."""


class Store(Protocol):
    """Tickets, loop reports, agents and the log.

    Writing is only possible inside `transaction`: what is written there is kept whole, or not at
    all.
    """

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """Hold the only pen: writes inside become durable together when the block ends well."""
        ...

    async def refresh(self) -> int:
        """Take in what others wrote; give a number that changes when anything has."""
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

    async def record(self, row: LogRow) -> None:
        """Append a row to the log."""
        ...
