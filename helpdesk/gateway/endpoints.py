"""The table of endpoints: the one place that lists what the gateway answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from helpdesk.domain.agents import Role
from helpdesk.domain.approvals import Approval
from helpdesk.domain.audit import LogRow
from helpdesk.domain.bundle import Bundle
from helpdesk.domain.cases import Case, Handover, Outcome, Weighed
from helpdesk.domain.diagnosis.drift import Drift
from helpdesk.domain.diagnosis.fleet import FleetFindings
from helpdesk.domain.diagnosis.verdicts import Verdict
from helpdesk.domain.erasing import Erased
from helpdesk.domain.exports import ExportPart
from helpdesk.domain.feed import Changes
from helpdesk.domain.holds import Hold
from helpdesk.domain.inspection import Inspecting
from helpdesk.domain.limits import Alarm
from helpdesk.domain.notices import TrayRow
from helpdesk.domain.operations import Operation
from helpdesk.domain.originals import Original
from helpdesk.domain.proofs import Asking, Proof, Way
from helpdesk.domain.reconciling import Reconciliation
from helpdesk.domain.search import ChallengeRow, LoopRow, TicketRow, UserRow
from helpdesk.gateway import wire
from helpdesk.gateway.wire import Listed


class Endpoint(Struct, frozen=True, kw_only=True):
    """One thing a desk can be asked or told, over HTTP.

    Attributes:
        name: The desk's method; `desk` for what stands in its header, `whose` for an id,
            `sign_out` for what the gateway does itself.
        path: With places in braces for arguments.
        asks: The form of the arguments, those in the address included.
        gives: The form of the answer.
        is_write: Whether an idempotency key is asked for.
        is_matched: Whether it rests on a case as somebody saw it, named by its ETag.
        is_grave: Whether a recent sign-in is asked for; of acts only those of high risk.
    """

    name: str
    method: str
    path: str
    asks: type[wire.Asks]
    gives: Any
    says: str
    is_write: bool = False
    is_matched: bool = False
    is_grave: bool = False

    @property
    def places(self) -> tuple[str, ...]:
        """The arguments that stand in the address."""
        return tuple(re.findall(r"\{(\w+)\}", self.path))


def _asked(name: str, path: str, asks: type[wire.Asks], gives: Any, says: str) -> Endpoint:
    return Endpoint(name=name, method="GET", path=path, asks=asks, gives=gives, says=says)


def _posted(name: str, path: str, asks: type[wire.Asks], gives: Any, says: str) -> Endpoint:
    return Endpoint(name=name, method="POST", path=path, asks=asks, gives=gives, says=says)


def _told(
    name: str, path: str, asks: type[wire.Asks], gives: Any, says: str, **more: bool
) -> Endpoint:
    return Endpoint(
        name=name,
        method="POST",
        path=path,
        asks=asks,
        gives=gives,
        says=says,
        is_write=True,
        **more,
    )


_ALL: Final = (
    _asked("desk", "/v1/desk", wire.Nothing, wire.Info, "The desk, and who you are at it"),
    _posted("find", "/v1/find", wire.Search, Listed[UserRow], "Users that match"),
    _asked("queue", "/v1/queue", wire.Window, Listed[UserRow], "Users you should look at"),
    _posted("whose", "/v1/users", wire.Named, wire.Whose, "The id of a user, by id or login"),
    _asked("case", "/v1/users/{user}/case", wire.OfUser, Case, "Everything about one user"),
    _posted(
        "original",
        "/v1/users/{user}/original",
        wire.OfEvent,
        Original,
        "An event as its provider told it",
    ),
    _posted("challenges", "/v1/challenges", wire.Search, Listed[ChallengeRow], "Recent challenges"),
    _posted("loops", "/v1/loops", wire.Search, Listed[LoopRow], "Open login-loop reports"),
    _posted("tickets", "/v1/tickets", wire.Search, Listed[TicketRow], "Open tickets"),
    _posted("log", "/v1/log", wire.Search, Listed[LogRow], "What agents did"),
    _posted("why", "/v1/users/{user}/verdict", wire.UserSaid, Verdict, "Why it keeps asking"),
    _asked("fleet", "/v1/fleet", wire.Nothing, FleetFindings, "What many users share now"),
    _told(
        "drift",
        "/v1/users/{user}/drift",
        wire.Measure,
        Drift,
        "Measure how far a phone's clock is off",
        is_matched=True,
    ),
    _posted(
        "ways", "/v1/users/{user}/ways", wire.AskWays, tuple[Way, ...], "Ways of proving a caller"
    ),
    _told(
        "ask_proof",
        "/v1/users/{user}/askings",
        wire.AskProof,
        Asking,
        "Ask the caller over a channel on record",
        is_matched=True,
    ),
    _told(
        "answer_proof",
        "/v1/users/{user}/proofs",
        wire.AnswerProof,
        Proof,
        "Check what the caller read back",
        is_matched=True,
    ),
    _asked(
        "approvals", "/v1/approvals", wire.Nothing, tuple[Approval, ...], "Requests of the last day"
    ),
    _told(
        "approve",
        "/v1/approvals/{approval}/answer",
        wire.Answer,
        Approval,
        "Answer a request as the second person",
        is_grave=True,
    ),
    _asked("alarms", "/v1/alarms", wire.Nothing, tuple[Alarm, ...], "What a lead should look at"),
    _asked("holds", "/v1/holds", wire.Nothing, tuple[Hold, ...], "Acts that wait"),
    _told("undo", "/v1/holds/{hold}/undo", wire.OfHold, Hold, "Undo an act that waits"),
    _posted(
        "carry_out_due",
        "/v1/chores/due",
        wire.Nothing,
        wire.Count,
        "Carry out what has waited long enough",
    ),
    _posted("settle", "/v1/chores/settle", wire.Nothing, wire.Done, "Write down all that was done"),
    _asked(
        "phone",
        "/v1/users/{user}/phone",
        wire.OfUser,
        tuple[Handover, ...],
        "Demo only: what a customer's devices show",
    ),
    _posted(
        "inspect_log", "/v1/log/inspection", wire.Inspect, Inspecting, "What is proven of the log"
    ),
    _posted(
        "reconcile_log",
        "/v1/log/reconciliation",
        wire.Nothing,
        Reconciliation,
        "Whether log and provider tell the same",
    ),
    _posted("checkpoint", "/v1/log/checkpoint", wire.Nothing, wire.Text, "A checkpoint to keep"),
    _asked(
        "checkpoint_key",
        "/v1/log/checkpoint-key",
        wire.Nothing,
        wire.Text,
        "The public key that checkpoints are checked with",
    ),
    _posted("export_log", "/v1/log/export", wire.Export, ExportPart, "The log, part by part"),
    _told(
        "erase_log",
        "/v1/log/erasure",
        wire.Erase,
        Erased,
        "Part the log from personal data",
        is_grave=True,
    ),
    _told(
        "accept_log",
        "/v1/log/acceptance",
        wire.Accept,
        wire.Text,
        "Go on with a log that was put back",
        is_grave=True,
    ),
    _posted("tray", "/v1/tray", wire.TrayOf, Listed[TrayRow], "Notices to customers"),
    _posted(
        "bundle", "/v1/users/{user}/bundle", wire.UserSaid, Bundle, "All a ticket needs of a user"
    ),
    _posted("weigh", "/v1/weighing", wire.Wanted, Weighed, "The policy's answer to an act"),
    _told("perform", "/v1/actions", wire.Wanted, Outcome, "Carry out an act", is_matched=True),
    _asked("operation", "/v1/operations/{key}", wire.OfKey, Operation, "What became of a write"),
    _posted(
        "withdraw",
        "/v1/operations/{key}/withdrawal",
        wire.OfKey,
        Operation,
        "Take a write back if it was not carried out",
    ),
    _posted("sign_out", wire.SIGN_OUT, wire.Nothing, wire.Done, "End the sign-in that asks"),
    _asked("changes", "/v1/changes", wire.After, Changes, "What changed after a cursor"),
    _asked("changed", "/v1/events", wire.After, wire.Moved, "Changes as server-sent events"),
)

ENDPOINTS: Final[Mapping[str, Endpoint]] = {endpoint.name: endpoint for endpoint in _ALL}
"""Every endpoint by the name of the desk's method."""

_EVERYBODY: Final = frozenset(Role)
_LEADS: Final = frozenset({Role.LEAD})

RIGHTS: Final[Mapping[str, frozenset[Role]]] = {
    # Who may ask at all. What each may do to whom says the policy, which records a refusal too.
    **dict.fromkeys(
        (
            "desk", "find", "queue", "whose", "case", "original", "challenges", "loops", "tickets",
            "log", "why", "fleet", "ways", "approvals", "alarms", "holds", "phone", "tray",
            "bundle", "weigh", "operation", "withdraw", "changes", "changed", "settle",
            "inspect_log", "reconcile_log", "checkpoint", "checkpoint_key", "export_log",
            "carry_out_due", "sign_out",
        ),
        _EVERYBODY,
    ),
    **dict.fromkeys(
        ("perform", "drift", "ask_proof", "answer_proof", "approve", "undo"), _EVERYBODY
    ),
    **dict.fromkeys(("erase_log", "accept_log"), _LEADS),
}  # fmt: skip
"""Which roles may use an endpoint; one that is not listed here answers nobody."""
