"""What the command line answers as JSON, with a published schema."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from msgspec import Struct

from helpdesk.domain.approvals import Approval
from helpdesk.domain.audit import LogRow
from helpdesk.domain.bundle import Bundle
from helpdesk.domain.cases import (
    Handover,
    Outcome,
    Preview,
    Weighed,
    case_data,
    case_data_schema,
    explicit,
)
from helpdesk.domain.decisions import Decision, Need
from helpdesk.domain.diagnosis.casefile import case_schema
from helpdesk.domain.diagnosis.drift import Drift
from helpdesk.domain.diagnosis.verdicts import Verdict
from helpdesk.domain.errors import HelpdeskError, NeedsMore, Refused
from helpdesk.domain.exports import ExportRow
from helpdesk.domain.holds import Hold
from helpdesk.domain.inspection import Inspection
from helpdesk.domain.limits import Alarm
from helpdesk.domain.notices import TrayRow
from helpdesk.domain.originals import Original
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import Asking, Proof, Way
from helpdesk.domain.reconciling import Reconciliation
from helpdesk.domain.search import ChallengeRow, LoopRow, Page, TicketRow, UserRow
from helpdesk.domain.text import clean, safe_json
from helpdesk.domain.training.scoring import Score


class Failure(Struct, frozen=True, kw_only=True):
    """What is printed with `--json` when something could not be done.

    Attributes:
        result: `refused` (exit 3), `needs` (exit 6) or `failed` (any other).
        exit: The exit code.
    """

    result: str
    exit: int
    says: str
    act: str = ""
    why: str = ""
    instead: str = ""
    route: str | None = None
    needs: tuple[Need, ...] = ()
    rules: tuple[str, ...] = ()
    source: str = ""
    documented: bool = True


class Examined(Struct, frozen=True, kw_only=True):
    """What `doctor --json` prints: what holds of a desk and what it stands on, in sentences."""

    says: tuple[str, ...]


class Performed(Struct, frozen=True, kw_only=True):
    """What `perform --json` prints when the act was done.

    `handover` is the only place a secret ever stands.
    """

    result: str
    says: str
    act: str
    case: dict[str, Any]
    handover: Handover | None = None


class Previewed(Struct, frozen=True, kw_only=True):
    """What `perform --preview --json` prints: the policy's answer and what the act would do."""

    result: str
    decision: Decision
    preview: Preview


class LineCause(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cause in a verdict's line: its id, how likely it is from 0 to 1, and how well founded."""

    id: str
    p: float
    strength: str


class VerdictLine(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"not_": "not"}
):
    """What `why --case FILE --json` and `why --cases DIR` print for each file, on one line.

    Attributes:
        ask: The question that would tell most, as the pair of causes it tells apart; or null.
        act: The act that mends it, `stop`, or null.
        not_: Acts that will not help.
    """

    file: str
    causes: tuple[LineCause, ...]
    ask: str | None
    act: str | None
    not_: tuple[str, ...]
    say: str


SCHEMAS: dict[str, Any] = {
    "find": Page[UserRow],
    "challenges": Page[ChallengeRow],
    "loops": Page[LoopRow],
    "tickets": Page[TicketRow],
    "log": Page[LogRow],
    "original": Original,
    "perform": Performed,
    "preview": Previewed,
    "failure": Failure,
    "card": Product,
    "why": Verdict,
    "verdict": VerdictLine,
    "drift": Drift,
    "log-verify": Inspection,
    "log-reconcile": Reconciliation,
    "log-export": ExportRow,
    "tray": Page[TrayRow],
    "bundle": Bundle,
    "ways": tuple[Way, ...],
    "asking": Asking,
    "proof": Proof,
    "approvals": tuple[Approval, ...],
    "approval": Approval,
    "doctor": Examined,
    "holds": tuple[Hold, ...],
    "hold": Hold,
    "alarms": tuple[Alarm, ...],
    "train-score": Score,
    "phone": tuple[Handover, ...],
}
"""The type behind each command's JSON."""

SCHEMA_NAMES = (*SCHEMAS, "case", "case-user")
"""What `helpdesk schema NAME` publishes.

`case` is the case file that `why --case` reads, `case-user` what `case USER --json` prints.
"""


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of one answer."""
    if name == "case":
        return case_schema()
    found: dict[str, Any] = (
        case_data_schema() if name == "case-user" else msgspec.json.schema(SCHEMAS[name])
    )
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def as_json(value: object) -> str:
    """Return a value as JSON that is safe on a terminal.

    What is invisible or commands is escaped.
    """
    return safe_json(json.dumps(explicit(value), ensure_ascii=False, indent=2))


def as_line(value: object) -> str:
    """Return a value as one line of JSON, as safe as `as_json`."""
    return safe_json(json.dumps(explicit(value), ensure_ascii=False))


def performed(act: str, outcome: Outcome) -> Performed:
    """Return an outcome as its JSON answer."""
    return Performed(
        result="done",
        says=outcome.says,
        act=act,
        case=case_data(outcome.case),
        handover=outcome.handover,
    )


def previewed(weighed: Weighed) -> Previewed:
    """Return a weighed action as its JSON answer."""
    return Previewed(
        result=weighed.decision.weight.value, decision=weighed.decision, preview=weighed.preview
    )


def failure(error: HelpdeskError) -> Failure:
    """Return an error as its JSON answer."""
    if not isinstance(error, Refused | NeedsMore):
        return Failure(result="failed", exit=error.exit_code, says=clean(str(error)))
    decision = error.decision
    return Failure(
        result="refused" if isinstance(error, Refused) else "needs",
        exit=error.exit_code,
        says=clean(str(error)),
        act=decision.act,
        why=decision.why,
        instead=decision.instead,
        route=decision.route,
        needs=decision.needs,
        rules=decision.rules,
        source=decision.source,
        documented=decision.documented,
    )
