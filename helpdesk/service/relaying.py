"""The questions that only the desk itself can answer: passed on, each noted as a contact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from helpdesk.domain.agents import Agent
from helpdesk.domain.approvals import Approval
from helpdesk.domain.audit import LogRow
from helpdesk.domain.bundle import Bundle
from helpdesk.domain.cases import Handover
from helpdesk.domain.diagnosis.fleet import FleetFindings
from helpdesk.domain.diagnosis.verdicts import CallerSaid
from helpdesk.domain.exports import ExportPart
from helpdesk.domain.holds import Hold
from helpdesk.domain.inspection import Inspecting
from helpdesk.domain.limits import Alarm
from helpdesk.domain.notices import TrayRow
from helpdesk.domain.operations import Operation
from helpdesk.domain.originals import Original
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import Way
from helpdesk.domain.reconciling import Reconciliation
from helpdesk.domain.search import ChallengeRow, Page, Query
from helpdesk.service.desk import Desk
from helpdesk.service.line import Line


class Relaying:
    """The half of an offline desk that has nothing of its own to say."""

    label: str
    is_demo: bool
    is_gated: bool
    agent: Agent
    cards: Mapping[str, Product]

    def __init__(self, remote: Desk, line: Line) -> None:
        self._remote, self._line = remote, line
        self.label, self.is_demo, self.is_gated = remote.label, remote.is_demo, remote.is_gated
        self.agent, self.cards = remote.agent, remote.cards

    @property
    def alarm(self) -> str:
        """What is wrong with the desk's own log; empty where nothing is."""
        return self._remote.alarm

    async def challenges(
        self, query: Query, *, offset: int = 0, limit: int = 100
    ) -> Page[ChallengeRow]:
        """Give recent challenges of everybody that matches, newest first."""
        return await self._line.ask(self._remote.challenges(query, offset=offset, limit=limit))

    async def log(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[LogRow]:
        """Give what agents did, newest first."""
        return await self._line.ask(self._remote.log(query, offset=offset, limit=limit))

    async def fleet(self) -> FleetFindings:
        """Give what many users share in these minutes."""
        return await self._line.ask(self._remote.fleet())

    async def ways(self, user: str, act: str = "", *, factor: str = "") -> tuple[Way, ...]:
        """Give the ways of proving a caller now."""
        return await self._line.ask(self._remote.ways(user, act, factor=factor))

    async def approvals(self) -> tuple[Approval, ...]:
        """Give the requests for a second person of the last day, newest first."""
        return await self._line.ask(self._remote.approvals())

    async def alarms(self) -> tuple[Alarm, ...]:
        """Give what in the log of the last day a lead should look at, newest first."""
        return await self._line.ask(self._remote.alarms())

    async def holds(self) -> tuple[Hold, ...]:
        """Give the acts that wait to be carried out, the next one first."""
        return await self._line.ask(self._remote.holds())

    async def original(self, user: str, event: str, *, is_clear: bool = False) -> Original:
        """Give an event of a user as its provider told it; no row is kept on this machine."""
        return await self._line.ask(self._remote.original(user, event, is_clear=is_clear))

    async def phone(self, user: str) -> tuple[Handover, ...]:
        """Give what the devices of a person of a demo show now."""
        return await self._line.ask(self._remote.phone(user))

    async def inspect_log(
        self, checkpoint: str = "", key: str = "", so_far: str = ""
    ) -> Inspecting:
        """Look at some of the log."""
        return await self._line.ask(self._remote.inspect_log(checkpoint, key, so_far))

    async def reconcile_log(self) -> Reconciliation:
        """Say whether each change at the provider has its row and its notices."""
        return await self._line.ask(self._remote.reconcile_log())

    async def checkpoint(self) -> str:
        """Give the newest checkpoint of the log."""
        return await self._line.ask(self._remote.checkpoint())

    async def checkpoint_key(self) -> str:
        """Give the public key that checkpoints made there are checked with."""
        return await self._line.ask(self._remote.checkpoint_key())

    async def export_log(self, *, is_clear: bool = False, after: int = 0) -> ExportPart:
        """Give rows of the log that this agent may see, oldest first."""
        return await self._line.ask(self._remote.export_log(is_clear=is_clear, after=after))

    async def tray(self, user: str = "", *, offset: int = 0, limit: int = 100) -> Page[TrayRow]:
        """Give the notices to customers, newest first."""
        return await self._line.ask(self._remote.tray(user, offset=offset, limit=limit))

    async def bundle(self, user: str, said: Sequence[CallerSaid] = ()) -> Bundle:
        """Give all a ticket needs about one user, masked."""
        return await self._line.ask(self._remote.bundle(user, said))

    async def operation(self, key: str) -> Operation:
        """Give what became of a write of this agent's."""
        return await self._line.ask(self._remote.operation(key))

    async def withdraw(self, key: str) -> Operation:
        """Take a write of this agent's back if it was not carried out; give what became of it."""
        return await self._line.ask(self._remote.withdraw(key))
