"""The case bundle: all a ticket needs about one trouble, masked, to paste or to read back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from helpdesk.domain.approvals import Approval
from helpdesk.domain.audit import LogRow
from helpdesk.domain.cases import Case, masked
from helpdesk.domain.diagnosis.casefile import BUNDLE, FORMAT
from helpdesk.domain.diagnosis.verdicts import CallerSaid, Evidence, Verdict
from helpdesk.domain.events import encode_event
from helpdesk.domain.hiding import hidden
from helpdesk.domain.holds import Ending, Hold
from helpdesk.domain.notices import TrayRow
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import Grade, Method, Proof
from helpdesk.domain.text import clean
from helpdesk.domain.timeline import AnyEvent, Other
from helpdesk.domain.users import At, User

MOST_OTHERS: Final = 60
"""Other users whose same hours go along in the case file, those that were seen last."""

SAME_HOURS: Final = timedelta(hours=24)
"""How far back the others' rows go, from the newest of the case."""


class ProvenLine(Struct, frozen=True, kw_only=True):
    """That a caller was proven: how and when, never what was asked or answered.

    Attributes:
        by: The agent who asked.
        used_at: When an act used it up; None where none did.
    """

    method: Method
    grade: Grade
    at: At
    by: str
    ticket: str = ""
    used_at: At | None = None
    used_for: str = ""


class ApprovalLine(Struct, frozen=True, kw_only=True):
    """That a second person was asked, and what they said; the act by its name and hash.

    Attributes:
        answer: `agreed`, `refused`, or empty where nobody answered.
    """

    id: str
    act: str
    sha256: str
    why: str
    by: str
    at: At
    approver: str = ""
    answer: str = ""
    answered_at: At | None = None
    says: str = ""
    used_at: At | None = None


class HoldLine(Struct, frozen=True, kw_only=True):
    """That an act was held, and what became of it."""

    id: str
    act: str
    by: str
    at: At
    due_at: At
    ending: Ending
    ended_at: At | None = None


class Bundle(Struct, frozen=True, kw_only=True):
    """One trouble, whole and masked.

    Attributes:
        who: The user in words: name, id, account, product.
        proofs: How callers were proven, newest first.
        approvals: What a second person was asked, newest first.
        holds: What was held, newest first.
        acts: What the desk did for this user, newest first.
        notices: Who was told of it, newest first.
        checkpoint: The newest checkpoint of the log; empty where there is none.
        alarm: What is wrong with the log; empty where nothing is.
        case: A case file (`helpdesk-case/1`), as `why --case` reads it.
    """

    format: str = BUNDLE
    made_at: At
    user: str
    who: str
    product: str
    verdict: Verdict
    acts: tuple[LogRow, ...] = ()
    proofs: tuple[ProvenLine, ...] = ()
    approvals: tuple[ApprovalLine, ...] = ()
    holds: tuple[HoldLine, ...] = ()
    notices: tuple[TrayRow, ...] = ()
    checkpoint: str = ""
    alarm: str = ""
    case: dict[str, Any] = {}


def bundle_of(  # noqa: PLR0913  (what a ticket needs, each by its name)
    case: Case,
    card: Product,
    verdict: Verdict,
    *,
    said: Sequence[CallerSaid] = (),
    proofs: Sequence[Proof] = (),
    approvals: Sequence[Approval] = (),
    holds: Sequence[Hold] = (),
    others: Sequence[tuple[User, Sequence[AnyEvent]]] = (),
    notices: Sequence[TrayRow] = (),
    checkpoint: str = "",
    alarm: str = "",
) -> Bundle:
    """Return the bundle of a case, masked whatever the case is."""
    case = masked(case)
    who = f"{case.user.name} ({case.user.id}), {case.account.name}, {card.name}"
    return Bundle(
        made_at=case.at,
        user=case.user.id,
        who=clean(who),
        product=card.id,
        verdict=_plain(verdict),
        acts=tuple(
            replace(row, says=hidden(row.says), reason=hidden(row.reason)) for row in case.log
        ),
        proofs=tuple(map(_proven_line, reversed(proofs))),
        approvals=tuple(map(_approval_line, reversed(approvals))),
        holds=tuple(map(_hold_line, reversed(holds))),
        notices=tuple(notices),
        checkpoint=checkpoint,
        alarm=alarm,
        case=case_file(case, card, said, others),
    )


def _proven_line(proof: Proof) -> ProvenLine:
    return ProvenLine(
        method=proof.method,
        grade=proof.grade,
        at=proof.at,
        by=proof.agent,
        ticket=proof.ticket,
        used_at=proof.used_at,
        used_for=proof.used_for,
    )


def _approval_line(one: Approval) -> ApprovalLine:
    answer = "" if one.decided_at is None else "agreed" if one.is_granted else "refused"
    return ApprovalLine(
        id=one.id,
        act=one.act,
        sha256=one.sha256,
        why=hidden(one.why),
        by=one.requester,
        at=one.asked_at,
        approver=one.approver,
        answer=answer,
        answered_at=one.decided_at,
        says=hidden(one.says),
        used_at=one.used_at,
    )


def _hold_line(hold: Hold) -> HoldLine:
    return HoldLine(
        id=hold.id,
        act=hold.act,
        by=hold.agent,
        at=hold.at,
        due_at=hold.due_at,
        ending=hold.ending,
        ended_at=hold.ended_at,
    )


def case_file(
    case: Case,
    card: Product,
    said: Sequence[CallerSaid] = (),
    others: Sequence[tuple[User, Sequence[AnyEvent]]] = (),
) -> dict[str, Any]:
    """Return a masked case as a case file; keys of events that nobody here knows are left out.

    Of the *others* only what happened in the same hours goes along, under invented names.
    """
    user, ticket = case.user, next(iter(case.open_tickets), None)
    told = {
        "id": user.id,
        "name": user.name,
        "login": user.login,
        "account": user.account,
        "role": user.role,
        "notification_address": user.notification_address,
        "mobile": user.mobile,
        "factors": [
            {
                "id": factor.id,
                "kind": factor.kind.value,
                "state": factor.state.value,
                "since": msgspec.to_builtins(factor.since),
                "to": factor.to,
            }
            for factor in user.factors
        ],
    }
    return {
        "format": FORMAT,
        "product": card.id,
        "now": msgspec.to_builtins(case.at),
        "complaint": ticket.complaint.value if ticket and ticket.complaint else None,
        "user": told,
        "timeline": [plain_event(event) for event in case.timeline],
        "others": _others(case, others),
        "answers": [{"ask": one.ask, "reply": hidden(one.reply)} for one in said],
    }


def _others(case: Case, others: Sequence[tuple[User, Sequence[AnyEvent]]]) -> list[dict[str, Any]]:
    """Return what happened to others; who is of the same account can be told, nothing more."""
    since = max((event.at for event in case.timeline), default=case.at) - SAME_HOURS
    told = []
    for other, timeline in others:
        same = [event for event in timeline if event.at >= since]
        if same and other.id != case.user.id:
            told.append((other, same))
    told.sort(key=lambda pair: pair[1][-1].at, reverse=True)
    accounts: dict[str, str] = {case.user.account: case.user.account}
    return [
        {
            "user": {
                "id": f"other-{number}",
                "account": accounts.setdefault(other.account, f"account-{len(accounts)}"),
            },
            "timeline": [plain_event(event) for event in same],
        }
        for number, (other, same) in enumerate(told[:MOST_OTHERS], 1)
    ]


def plain_event(event: AnyEvent) -> dict[str, Any]:
    """Return an event in the case format without what may be personal or secret."""
    if isinstance(event, Other):
        known = {"at": msgspec.to_builtins(event.at), "kind": event.kind, "id": event.id}
        return {key: value for key, value in known.items() if value is not None}
    return {
        key: _shown(key, value)
        for key, value in encode_event(replace(event, extra={})).items()
        if value is not None
    }


def _plain(verdict: Verdict) -> Verdict:
    """Return a verdict whose sentences hold no address, number or code."""

    def plain(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
        return tuple(replace(one, says=hidden(one.says)) for one in evidence)

    causes = tuple(
        replace(cause, evidence=plain(cause.evidence), against=plain(cause.against))
        for cause in verdict.causes
    )
    heard = tuple(replace(one, said=hidden(one.said)) for one in verdict.heard)
    return replace(verdict, causes=causes, heard=heard)


def _shown(key: str, value: Any) -> Any:
    if not isinstance(value, str) or key in {"at", "kind", "id"} or key.endswith("_at"):
        return value
    if key == "door":
        return _door(value)
    return hidden(value) if key in {"to", "from", "detail", "reason", "cause"} else value


def _door(address: str) -> str:
    """Return the address of a page without what may be a key in it: no user, query or fragment."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "•••"
    return f"{parts.scheme}://{host}{port}{parts.path}" if parts.scheme else parts.path
