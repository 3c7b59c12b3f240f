"""Parting our own record from personal data by age: what ended loses it, what is open keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from helpdesk.domain.approvals import Approval
from helpdesk.domain.audit import ACCEPT, ERASED, LogRow
from helpdesk.domain.holds import Hold
from helpdesk.domain.notices import Notice, Posted, bare_notice
from helpdesk.domain.operations import Operation
from helpdesk.domain.proofs import Asking, Proof
from helpdesk.domain.text import counted

Kept = Proof | Asking | Approval | Hold | Notice | Operation
"""What is kept beside the log and tells of a person: numbers, addresses, reasons, words."""

KEPT: Final[tuple[type[Kept], ...]] = (Proof, Asking, Approval, Hold, Notice, Operation)


class Erased(Struct, frozen=True, kw_only=True):
    """How much was parted from personal data.

    Attributes:
        rows: Rows of the log.
        others: Notices, proofs, askings, requests for a second person, holds, and answers to keys.
        still_open: Those of the others that are old enough and wait for something: left as they
            are.
    """

    rows: int = 0
    others: int = 0
    still_open: int = 0

    @property
    def words(self) -> str:
        """It as one reads it: `3 rows of the log, 5 notices, proofs, requests and holds`."""
        still_open = counted(self.still_open, "still open was", "still open were")
        left = f"; {still_open} left" if self.still_open else ""
        rows = counted(self.rows, "row")
        others = counted(
            self.others,
            "notice, proof, request or hold",
            "notices, proofs, requests and holds",
        )
        return f"{rows} of the log, {others}{left}"


def is_open(record: Kept, now: datetime, needed: frozenset[str] = frozenset()) -> bool:
    """Whether something still waits for a record; *needed* are the proofs that requests rest on."""
    match record:
        case Proof():
            return record.is_fresh(now) or record.id in needed
        case Asking():
            return record.is_open(now)
        case Approval():
            return record.is_open(now) or record.holds(now)
        case Hold():
            return record.is_open
        case Notice():
            return record.state is Posted.WAITING
        case Operation():
            return record.is_kept(now)


def holds_personal(row: LogRow) -> bool:
    """Return whether a row of the log has personal data that it can be parted from.

    Which log was accepted for which is told for as long as there is one.
    """
    return bool(row.user or row.says) and row.user != ERASED and row.act != ACCEPT


def bare_row(row: LogRow) -> LogRow:
    """Return a row of the log parted from personal data."""
    return replace(row, user=ERASED, says="", reason="", factor="")


def needed_proofs(approvals: Iterable[Approval], now: datetime) -> frozenset[str]:
    """Return the ids of the proofs that requests which are still open rest on."""
    return frozenset(proof for one in approvals if is_open(one, now) for proof in one.proofs)


def bare(record: Kept) -> Kept:
    """Return a record parted from personal data: who of us did what, and when, stays.

    The hash of a payload goes with it: a telephone number is found again by trying all.
    """
    match record:
        case Proof():
            return replace(record, user=ERASED, channel="")
        case Asking():
            return replace(record, user=ERASED, channel="", words=("", ""))
        case Approval():
            return replace(record, user=ERASED, payload="", sha256="", why="", says="")
        case Hold():
            return replace(record, user=ERASED, payload="")
        case Notice():
            return bare_notice(record)
        case Operation():
            return replace(record, fingerprint="", answer="{}")
