"""The second pair of eyes: what must be approved, by whom, and for how long an approval holds.

asked ──60 min──▶ gone
  ├──▶ refused
  └──▶ approved ──15 min──▶ gone
            └──▶ used, once: carried out, or held ──▶ carried out, undone or refused
"""

import hashlib
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from helpdesk.domain.actions import AnyAction
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.errors import BadInput
from helpdesk.domain.holds import Ending
from helpdesk.domain.users import At

ASKED_FOR = timedelta(minutes=60)
"""How long a request waits.

The shortest expiry found in the field is one hour (NetApp multi-admin verification).
"""

HOLDS_FOR = timedelta(minutes=15)
"""How long an approval may wait for being carried out: our own measure."""

APPROVERS = frozenset({Role.SUPPORT, Role.LEAD, Role.ACCOUNT_MANAGER})
"""Who may be the second person; trainers and auditors never, administrators of a customer never."""


RETURNED_IN = timedelta(days=2)
"""How old a request may be that was answered today, with room to spare."""


class Approval(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request for a second person, and what became of it.

    Attributes:
        payload: The action as canonical JSON: what is approved is exactly this.
        sha256: Its hash, shown to both.
        why: Why a second person is needed.
        is_granted: The answer; only with `decided_at`.
        used_at: When it was used: carried out, or put on hold.
        ending: What became of it where it was held; None where it was not.
    """

    id: str
    act: str
    user: str
    payload: str
    sha256: str
    why: str
    requester: str
    asked_at: At
    proofs: tuple[str, ...] = ()
    approver: str = ""
    is_granted: bool = False
    decided_at: At | None = None
    says: str = ""
    used_at: At | None = None
    ending: Ending | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether it still waits for an answer at *now*."""
        return self.decided_at is None and now < self.asked_at + ASKED_FOR

    def holds(self, now: datetime) -> bool:
        """Whether it was granted and may be carried out at *now*."""
        return (
            self.is_granted
            and self.used_at is None
            and self.decided_at is not None
            and self.decided_at <= now < self.decided_at + HOLDS_FOR
        )


def payload_of(action: AnyAction) -> str:
    """Return an action as canonical JSON: keys sorted, no spaces."""
    return msgspec.json.encode(action, order="sorted").decode()


def action_of(approval: Approval) -> AnyAction:
    """Return exactly the action that is agreed to; to be carried out it needs no other word.

    Raises:
        BadInput: It cannot be read: it was written elsewhere, or it is erased.
    """
    try:
        action: AnyAction = msgspec.json.decode(approval.payload, type=AnyAction)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadInput(f"What request {approval.id} asks for cannot be read.") from error
    return action


def ticket_in(approval: Approval) -> str:
    """Return the ticket of a request; empty where it names none, or cannot be read."""
    try:
        return action_of(approval).ticket
    except BadInput:
        return ""


def payload_hash(payload: str) -> str:
    """Return the SHA-256 of a payload, in hexadecimal."""
    return hashlib.sha256(payload.encode()).hexdigest()


def why_not_approve(
    agent: Agent, approval: Approval, others: tuple[Approval, ...], now: datetime
) -> str:
    """Return why *agent* may not answer a request; empty where they may.

    Never the requester; never somebody whom the requester approved for, or was asked by, on the
    same day in return.
    """
    if approval.decided_at is not None:
        return "It has been answered already."
    if not approval.is_open(now):
        return "It waited for more than an hour and is gone: it must be asked anew."
    if agent.role not in APPROVERS:
        return f"The second person is never in your role, {agent.role.words}."
    if agent.id == approval.requester:
        return "It is your own request: the second person is somebody else."
    if agent.id == approval.user:
        return "It is about your own user."
    in_return = [
        other
        for other in others
        if other.requester == agent.id
        and other.approver == approval.requester
        and other.decided_at is not None
        and other.decided_at.date() == now.date()
    ]
    if in_return:
        return "They approved one of yours today: another colleague must look at this."
    return ""


def answered(
    approval: Approval, agent: Agent, *, is_granted: bool, says: str, now: datetime
) -> Approval:
    """Return the request with its answer."""
    return replace(approval, approver=agent.id, is_granted=is_granted, decided_at=now, says=says)


def granted_for(
    action: AnyAction, agent: str, approvals: tuple[Approval, ...], now: datetime
) -> Approval | None:
    """Return the approval that allows this very action of this agent now, or None."""
    if not approvals:  # of nearly every act: nothing need be hashed
        return None
    sha256 = payload_hash(payload_of(action))
    return next(
        (a for a in approvals if a.requester == agent and a.sha256 == sha256 and a.holds(now)), None
    )
