"""What a desk keeps of its own under an id: when each began, and whether it still waits."""

from __future__ import annotations

from datetime import datetime

from helpdesk.domain.approvals import Approval
from helpdesk.domain.holds import Hold
from helpdesk.domain.notices import Notice, Posted
from helpdesk.domain.operations import Operation
from helpdesk.domain.proofs import Asking, Proof
from helpdesk.domain.tickets import LoopReport, Ticket

Record = Ticket | Proof | Asking | Approval | Notice | Hold | Operation
"""What can be written, under an id of its own; an operation under its id and its agent's."""


def begun(record: Record | LoopReport) -> datetime:
    """Return when a record began."""
    match record:
        case Ticket():
            return record.opened_at
        case Approval():
            return record.asked_at
        case _:
            return record.at


def has_ended(record: Record | LoopReport) -> bool:
    """Return whether a record has come to its end; one that is only too old has not."""
    match record:
        case Ticket() | LoopReport() | Asking():
            return record.closed_at is not None
        case Proof():
            return record.used_at is not None
        case Approval():
            return record.decided_at is not None
        case Notice():
            return record.state is not Posted.WAITING
        case Hold():
            return not record.is_open
        case Operation():
            return True
