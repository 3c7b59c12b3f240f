"""What a desk can be asked and told, whoever is behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

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


class Desk(Protocol):
    """Questions are methods, changes are actions.

    Lists are windows: *offset* and *limit* choose rows, `Page.total` says how many there are. A
    case is masked; the
    outcome of `Reveal` is not. Every method may raise `Unreachable`.

    What changes something takes a *key*, minted by the caller when the question is put to the
    agent (`secrets.token_urlsafe(18)`): the same key again gives the first answer and changes
    nothing. It raises `KeyTaken` with another wish, `StillRunning` while the first is under way
    and `KeyExpired` after seven days. What a caller reads out is kept nowhere and so cannot be
    told apart: each try has a key of its own. Without a key nothing is promised.

    Attributes:
        label: What the data is, for the header: `DEMO DATA`, or the file's name.
        is_demo: Whether nothing real can be changed here.
        agent: Who works at it.
        cards: The products by id, in the order they are shown.
        is_gated: Whether callers must be proven and the dangerous acts take a second person.
    """

    label: str
    is_demo: bool
    is_gated: bool
    agent: Agent
    cards: Mapping[str, Product]

    @property
    def alarm(self) -> str:
        """What is wrong with the desk's own log; empty where nothing is."""
        ...

    @property
    def freshness(self) -> Freshness:
        """How old what one sees here is."""
        ...

    def prompt_with(self, ask: AskSignIn | None) -> None:
        """Let *ask* ask the agent, in the loop that runs now, where a new sign-in is needed.

        None takes that back. A desk that signs nobody in has nothing to ask.
        """
        ...

    async def find(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[UserRow]:
        """Give the users that match, in the query's order; an empty query matches everybody."""
        ...

    async def queue(self, *, offset: int = 0, limit: int = 100) -> Page[UserRow]:
        """Give the users this agent should look at.

        Own tickets, then unassigned ones by heat and age.

        For an account manager: the turn-off requests.
        """
        ...

    async def case(self, user: str) -> Case:
        """Give everything about one user, by id or login, with the answer to every act.

        Raises:
            NotFound: There is no such user.
        """
        ...

    async def original(self, user: str, event: str, *, is_clear: bool = False) -> Original:
        """Give an event of a user as its provider told it, masked; secrets are never in it.

        Args:
            user: The user's id.
            event: The event's id.
            is_clear: Whether personal data in it is wanted too: of a case that this agent revealed.

        Raises:
            NotFound: There is no such user, or no such event in their timeline.
            NeedsMore: It was not revealed, or too long ago.
        """
        ...

    async def challenges(
        self, query: Query, *, offset: int = 0, limit: int = 100
    ) -> Page[ChallengeRow]:
        """Give recent challenges of everybody that matches, newest first."""
        ...

    async def loops(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[LoopRow]:
        """Give open login-loop reports of everybody that matches, each with its likeliest cause.

        Hostile ones first, then the worst, then the newest. Of a long list the worst are looked
        at at once, the others as it is asked for; a database counts up to 10,000.
        """
        ...

    async def tickets(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[TicketRow]:
        """Give open tickets of everybody that matches: own first, then unassigned, oldest first.

        A database counts up to 10,000.
        """
        ...

    async def log(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[LogRow]:
        """Give what agents did, newest first; words match agent, act, user, ticket and reason."""
        ...

    async def why(self, user: str, said: Sequence[CallerSaid] = ()) -> Verdict:
        """Give the verdict on one user, by id: why it keeps asking, with what the caller *said*.

        Raises:
            NotFound: There is no such user.
        """
        ...

    async def fleet(self) -> FleetFindings:
        """Give what many users share in these minutes: an outage, a server clock, a release."""
        ...

    async def drift(self, user: str, factor: str, codes: Sequence[str], *, key: str = "") -> Drift:
        """Measure by how much a phone's clock is off, from one or two codes read out; recorded.

        Args:
            user: The user's id.
            factor: The authenticator's id; empty for the only one.
            codes: As read out, the older first; they are kept nowhere.
            key: The idempotency key.

        Raises:
            Refused: Not for this role, or no authenticator is there.
            NeedsMore: Too many tries; `seconds` says when the next may be.
            NotFound: There is no such user.
        """
        ...

    async def ways(self, user: str, act: str = "", *, factor: str = "") -> tuple[Way, ...]:
        """Give the ways of proving a caller now, strong ones first.

        Some say why not for *act*, and for the *factor* that it is about.
        """
        ...

    async def ask_proof(
        self, user: str, method: Method, *, channel: str = "", ticket: str = "", key: str = ""
    ) -> Asking:
        """Ask the caller over a channel on record; recorded, without what was asked for.

        Raises:
            Refused: Not by this agent, or the channel proves nothing now.
            NeedsMore: A ticket or the channel is missing.
        """
        ...

    async def answer_proof(
        self, user: str, answer: str, *, asking: str = "", key: str = ""
    ) -> Proof:
        """Check what the caller read back; right, and the caller is proven for ten minutes.

        Raises:
            BadInput: It is wrong, which is counted and recorded.
            NotFound: Nothing is waiting for an answer.
        """
        ...

    async def approvals(self) -> tuple[Approval, ...]:
        """Give the requests for a second person of the last day, newest first."""
        ...

    async def approve(
        self, approval: str, *, is_granted: bool, says: str = "", key: str = ""
    ) -> Approval:
        """Answer a request as the second person; recorded, a refusal too.

        Raises:
            Refused: Not by this agent: the requester, somebody in return, the wrong role, too late.
            NotFound: There is no such request.
        """
        ...

    async def alarms(self) -> tuple[Alarm, ...]:
        """Give what a lead should look at, newest first: acts of the last day, and strangers."""
        ...

    async def holds(self) -> tuple[Hold, ...]:
        """Give the acts that wait to be carried out, the next one first."""
        ...

    async def undo(self, hold: str, *, key: str = "") -> Hold:
        """Undo an act that waits; recorded.

        Raises:
            NotFound: Nothing that waits has this id.
        """
        ...

    async def carry_out_due(self) -> int:
        """Carry out what has waited long enough; give how many ended."""
        ...

    async def phone(self, user: str) -> tuple[Handover, ...]:
        """Give what the devices of a person of a demo show now, so that one plays both sides.

        Raises:
            Refused: The desk is no demo.
        """
        ...

    async def settle(self) -> None:
        """Write down all that was asked and done; letters go on being sent beside it."""
        ...

    async def inspect_log(
        self, checkpoint: str = "", key: str = "", so_far: str = ""
    ) -> Inspecting:
        """Look at some of the log, or say what is proven of it; see `service.inspecting`.

        Args:
            checkpoint: One kept elsewhere, to compare it with too.
            key: The public key of its signer.
            so_far: What the part before gave; empty to begin.

        Raises:
            BadInput: *checkpoint* is none, or *key* not the public key of a checkpoint's signer.
        """
        ...

    async def reconcile_log(self) -> Reconciliation:
        """Say whether each change at the provider has its row and its notices, and the reverse.

        Raises:
            Refused: Not for who works for one customer only.
        """
        ...

    async def checkpoint(self) -> str:
        """Give the newest checkpoint of the log, of all rows there are, to keep elsewhere.

        Raises:
            Tampered: The log is not the one that was seen before.
        """
        ...

    async def checkpoint_key(self) -> str:
        """Give the public key that checkpoints made here are checked with, as one line."""
        ...

    async def export_log(self, *, is_clear: bool = False, after: int = 0) -> ExportPart:
        """Give rows of the log that this agent may see, oldest first; see `service.inspecting`.

        Args:
            is_clear: Whether they are wanted with personal data.
            after: What the part before gave as its next; 0 to begin.

        Raises:
            Refused: Personal data is not for this role. Where it is, the export is recorded.
            NeedsMore: An export with personal data was not begun, or too long ago.
        """
        ...

    async def erase_log(self, before: datetime, *, key: str = "") -> Erased:
        """Part rows, and all else that ended, before a moment from personal data; rows stay.

        What still waits for something keeps it. Give how much it was.

        Raises:
            Refused: Not for this role.
        """
        ...

    async def accept_log(self, reason: str, *, key: str = "") -> str:
        """Go on with a log that is not the one this console saw, as after a backup was put back.

        Give the sentence that is recorded: which log, in the place of which.

        Raises:
            Refused: Not for this role, or nothing is wrong with the log.
            NeedsMore: The reason is missing.
            Tampered: The log does not fit itself.
        """
        ...

    async def tray(self, user: str = "", *, offset: int = 0, limit: int = 100) -> Page[TrayRow]:
        """Give the notices to customers, newest first, addresses masked; of one user, or of all.

        Raises:
            NotFound: There is no such user.
        """
        ...

    async def bundle(self, user: str, said: Sequence[CallerSaid] = ()) -> Bundle:
        """Give all a ticket needs about one user, masked.

        Raises:
            NotFound: There is no such user.
        """
        ...

    async def weigh(self, action: AnyAction) -> Weighed:
        """Give the policy's answer to an action and what it would do; change nothing."""
        ...

    async def operation(self, key: str) -> Operation:
        """Give what became of a write of this agent's: how one learns it when an answer was lost.

        Raises:
            NotFound: No write of this agent with this key was carried out or refused.
            StillRunning: It is under way.
        """
        ...

    async def withdraw(self, key: str) -> Operation:
        """Take a write of this agent's back if it was not carried out; give what became of it.

        `operation` tells how it is at this moment: a write may still be on its way, or under way at
        another gateway. Who is told here that it is withdrawn knows that it will never be done.

        Raises:
            StillRunning: It is under way.
        """
        ...

    async def changes(self, after: str = "", *, limit: int = 500) -> Changes:
        """Give what changed after a cursor, oldest first; without one, only where to begin.

        Raises:
            CursorTooOld: That is no longer known.
        """
        ...

    async def changed(self, after: str) -> str:
        """Wait until something changed after a cursor; give the new one.

        Raises:
            CursorTooOld: What changed since is no longer known.
        """
        ...

    async def perform(self, action: AnyAction, *, key: str = "") -> Outcome:
        """Weigh an action, carry it out, record it, and give the new case.

        A refusal is recorded too.

        Raises:
            Refused: The policy said no.
            NeedsMore: Something is missing: a reason, a ticket, a factor, time.
            NotFound: There is no such user.
        """
        ...
