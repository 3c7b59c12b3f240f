"""The `Desk` of a gateway: each method asks, or tells, over one connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from helpdesk.domain.actions import AnyAction
from helpdesk.domain.agents import Agent
from helpdesk.domain.approvals import Approval
from helpdesk.domain.audit import LogRow
from helpdesk.domain.bundle import Bundle
from helpdesk.domain.cases import Case, Handover, Outcome, Weighed
from helpdesk.domain.diagnosis.drift import Drift
from helpdesk.domain.diagnosis.fleet import FleetFindings
from helpdesk.domain.diagnosis.verdicts import CallerSaid, Verdict
from helpdesk.domain.erasing import Erased
from helpdesk.domain.exports import ExportPart
from helpdesk.domain.feed import Changes, Freshness
from helpdesk.domain.holds import Hold
from helpdesk.domain.inspection import Inspecting
from helpdesk.domain.limits import Alarm
from helpdesk.domain.notices import TrayRow
from helpdesk.domain.operations import Operation
from helpdesk.domain.originals import Original
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import Asking, Method, Proof, Way
from helpdesk.domain.reconciling import Reconciliation
from helpdesk.domain.search import ChallengeRow, LoopRow, Page, Query, TicketRow, UserRow
from helpdesk.domain.signing import AskSignIn
from helpdesk.gateway.client import Connection
from helpdesk.gateway.line import Line
from helpdesk.gateway.wire import Info


class _Cards(Mapping[str, Product]):
    """The products by id, as the desk told them last."""

    def __init__(self, on: Connection) -> None:
        self._on = on

    def __getitem__(self, name: str) -> Product:
        try:
            return next(card for card in self._on.info.cards if card.id == name)
        except StopIteration:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter([card.id for card in self._on.info.cards])

    def __len__(self) -> int:
        return len(self._on.info.cards)


class RemoteDesk:
    """A `Desk` behind a gateway.

    A change rests on the case as this console saw it last: where somebody else changed it since,
    `Stale` is raised until it is looked at again.

    Args:
        line: The line to the gateway; closed with the desk.
        known: What the desk said of itself another day; without it, it is asked before all else.
        heed: Is given what the desk says of itself; None where somebody else signed in.
    """

    def __init__(
        self,
        line: Line,
        known: Info | None = None,
        heed: Callable[[Info | None], None] = lambda _: None,
    ) -> None:
        self._on = Connection(line, known, heed)
        info = self._on.info
        self.label: str = info.label
        self.is_demo: bool = info.is_demo
        self.is_gated: bool = info.is_gated
        self.agent: Agent = info.agent
        self.cards: Mapping[str, Product] = _Cards(self._on)

    @property
    def alarm(self) -> str:
        """What is wrong with the desk's own log, as it was told last."""
        return self._on.alarm

    @property
    def freshness(self) -> Freshness:
        """How old what one sees is: live, as long as the desk answers."""
        return self._on.freshness

    def skew(self) -> timedelta:
        """Give how far this machine's clock is ahead of the desk's, as its last answer told."""
        return self._on.skew

    def close(self) -> None:
        """Close the line; blocking."""
        self._on.close()

    def prompt_with(self, ask: AskSignIn | None) -> None:
        """Let *ask* ask the agent, in the loop that runs now, where a new sign-in is needed."""
        self._on.prompt_with(ask)

    async def sign_out(self) -> None:
        """Forget the sign-in, here and at the issuer, until `sign_in`."""
        await self._on.sign_out()

    async def sign_in(self) -> None:
        """Let the agent sign in anew.

        Raises:
            Unauthorised, Unreachable: They did not, somebody else did, or it cannot be done now.
        """
        await self._on.sign_in()

    async def find(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[UserRow]:
        """Give the users that match, in the query's order."""
        return await self._page("find", offset, limit, query=query)

    async def queue(self, *, offset: int = 0, limit: int = 100) -> Page[UserRow]:
        """Give the users this agent should look at, the hottest first."""
        return await self._page("queue", offset, limit)

    async def case(self, user: str) -> Case:
        """Give everything about one user, masked, with the answer to every act."""
        return await self._on.case(user)

    async def challenges(
        self, query: Query, *, offset: int = 0, limit: int = 100
    ) -> Page[ChallengeRow]:
        """Give the challenges of the last day, newest first."""
        return await self._page("challenges", offset, limit, query=query)

    async def loops(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[LoopRow]:
        """Give open loop reports with their cause."""
        return await self._page("loops", offset, limit, query=query)

    async def tickets(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[TicketRow]:
        """Give open tickets: own first, then unassigned, oldest first."""
        return await self._page("tickets", offset, limit, query=query)

    async def log(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[LogRow]:
        """Give what agents did, newest first."""
        return await self._page("log", offset, limit, query=query)

    async def why(self, user: str, said: Sequence[CallerSaid] = ()) -> Verdict:
        """Give the verdict on one user, with what the caller said."""
        found: Verdict = await self._on.ask("why", user=await self._on.user(user), said=said)
        return found

    async def fleet(self) -> FleetFindings:
        """Give what many users share in these minutes."""
        found: FleetFindings = await self._on.ask("fleet")
        return found

    async def drift(self, user: str, factor: str, codes: Sequence[str], *, key: str = "") -> Drift:
        """Measure by how much a phone's clock is off; the try is recorded, the codes are not."""
        whose = await self._on.user(user)
        found: Drift = await self._on.tell(
            "drift", whose, key, user=whose, factor=factor, codes=codes
        )
        return found

    async def ways(self, user: str, act: str = "", *, factor: str = "") -> tuple[Way, ...]:
        """Give the ways of proving a caller now; those that rule themselves out say why."""
        whose = await self._on.user(user)
        found: tuple[Way, ...] = await self._on.ask("ways", user=whose, act=act, factor=factor)
        return found

    async def ask_proof(
        self, user: str, method: Method, *, channel: str = "", ticket: str = "", key: str = ""
    ) -> Asking:
        """Ask the caller over a channel on record."""
        whose = await self._on.user(user)
        asks = {"user": whose, "method": method, "channel": channel, "ticket": ticket}
        found: Asking = await self._on.tell("ask_proof", whose, key, **asks)
        return found

    async def answer_proof(
        self, user: str, answer: str, *, asking: str = "", key: str = ""
    ) -> Proof:
        """Check what the caller read back."""
        whose = await self._on.user(user)
        asks = {"user": whose, "answer": answer, "asking": asking}
        found: Proof = await self._on.tell("answer_proof", whose, key, **asks)
        return found

    async def approvals(self) -> tuple[Approval, ...]:
        """Give the requests for a second person of the last day, newest first."""
        found: tuple[Approval, ...] = await self._on.ask("approvals")
        return found

    async def approve(
        self, approval: str, *, is_granted: bool, says: str = "", key: str = ""
    ) -> Approval:
        """Answer a request as the second person."""
        asks = {"approval": approval, "is_granted": is_granted, "says": says}
        found: Approval = await self._on.tell("approve", "", key, **asks)
        return found

    async def alarms(self) -> tuple[Alarm, ...]:
        """Give what in the log of the last day a lead should look at, newest first."""
        found: tuple[Alarm, ...] = await self._on.ask("alarms")
        return found

    async def holds(self) -> tuple[Hold, ...]:
        """Give the acts that wait to be carried out, the next one first."""
        found: tuple[Hold, ...] = await self._on.ask("holds")
        return found

    async def undo(self, hold: str, *, key: str = "") -> Hold:
        """Undo an act that waits."""
        found: Hold = await self._on.tell("undo", "", key, hold=hold)
        return found

    async def carry_out_due(self) -> int:
        """Carry out what has waited long enough; give how many ended."""
        return int((await self._on.ask("carry_out_due")).count)

    async def original(self, user: str, event: str, *, is_clear: bool = False) -> Original:
        """Give an event of a user as its provider told it."""
        name = await self._on.user(user)
        found: Original = await self._on.ask("original", user=name, event=event, is_clear=is_clear)
        return found

    async def phone(self, user: str) -> tuple[Handover, ...]:
        """Give what the devices of a person of a demo show now."""
        found: tuple[Handover, ...] = await self._on.ask("phone", user=await self._on.user(user))
        return found

    async def settle(self) -> None:
        """Write down all that was asked and done."""
        await self._on.ask("settle")

    async def inspect_log(
        self, checkpoint: str = "", key: str = "", so_far: str = ""
    ) -> Inspecting:
        """Look at some of the log."""
        asks = {"checkpoint": checkpoint, "key": key, "so_far": so_far}
        found: Inspecting = await self._on.ask("inspect_log", **asks)
        return found

    async def reconcile_log(self) -> Reconciliation:
        """Say whether each change at the provider has its row and its notices."""
        found: Reconciliation = await self._on.ask("reconcile_log")
        return found

    async def checkpoint(self) -> str:
        """Give the newest checkpoint of the log, of all rows there are."""
        return str((await self._on.ask("checkpoint")).text)

    async def checkpoint_key(self) -> str:
        """Give the public key that checkpoints are checked with."""
        return str((await self._on.ask("checkpoint_key")).text)

    async def export_log(self, *, is_clear: bool = False, after: int = 0) -> ExportPart:
        """Give rows of the log that this agent may see, oldest first."""
        found: ExportPart = await self._on.ask("export_log", is_clear=is_clear, after=after)
        return found

    async def erase_log(self, before: datetime, *, key: str = "") -> Erased:
        """Part our record before a moment from personal data."""
        found: Erased = await self._on.tell("erase_log", "", key, before=before)
        return found

    async def accept_log(self, reason: str, *, key: str = "") -> str:
        """Go on with a log that is not the one the desk saw."""
        return str((await self._on.tell("accept_log", "", key, reason=reason)).text)

    async def tray(self, user: str = "", *, offset: int = 0, limit: int = 100) -> Page[TrayRow]:
        """Give the notices to customers, newest first, addresses masked."""
        return await self._page("tray", offset, limit, user=user)

    async def bundle(self, user: str, said: Sequence[CallerSaid] = ()) -> Bundle:
        """Give all a ticket needs about one user, masked."""
        found: Bundle = await self._on.ask("bundle", user=await self._on.user(user), said=said)
        return found

    async def weigh(self, action: AnyAction) -> Weighed:
        """Give the policy's answer to an action and what it would do; change nothing."""
        found: Weighed = await self._on.ask("weigh", action=action)
        return found

    async def perform(self, action: AnyAction, *, key: str = "") -> Outcome:
        """Weigh an action, carry it out, record it, and give the new case."""
        found: Outcome = await self._on.tell("perform", action.user, key, action=action)
        return found

    async def operation(self, key: str) -> Operation:
        """Give what became of a write of this agent's."""
        found: Operation = await self._on.ask("operation", key=key)
        return found

    async def withdraw(self, key: str) -> Operation:
        """Take a write of this agent's back if it was not carried out; give what became of it."""
        found: Operation = await self._on.ask("withdraw", key=key)
        return found

    async def changes(self, after: str = "", *, limit: int = 500) -> Changes:
        """Give what changed after a cursor, oldest first; without one, only where to begin."""
        limit = max(1, min(limit, 500))
        found: Changes = await self._on.ask("changes", after=after, limit=limit)
        return found

    async def changed(self, after: str) -> str:
        """Wait until something changed after a cursor; give the new one."""
        return await self._on.changed(after)

    async def _page(self, name: str, offset: int, limit: int, **values: Any) -> Page[Any]:
        found = await self._on.page(name, offset, limit, **values)
        return Page(
            total=found.total, offset=found.offset, rows=found.rows, is_capped=found.is_capped
        )
