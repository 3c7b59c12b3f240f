"""What travels in other words than it is kept in: a case and its timeline, and what rests on it."""

from __future__ import annotations

import functools
import hashlib
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.audit import Result
from helpdesk.domain.cases import Case, Handover, Outcome, masked_user
from helpdesk.domain.events import decode_timeline, encode_event
from helpdesk.domain.timeline import KINDS, AnyEvent, Other


def _case_form(name: str, timeline: Any) -> Any:
    """Return the form of a case whose timeline is of another one."""
    fields = [
        (f.name, timeline if f.name == "timeline" else f.type, f.default)
        if f.default is not msgspec.NODEFAULT
        else (f.name, f.type)
        for f in msgspec.structs.fields(Case)
    ]
    return msgspec.defstruct(name, fields, frozen=True, kw_only=True, module=__name__)


def _outcome_form(name: str, case: Any) -> Any:
    """Return the form of an outcome whose case is of another one."""
    fields: list[tuple[str, Any] | tuple[str, Any, Any]]
    fields = [("case", case), ("says", str), ("handover", Handover | None, None)]
    return msgspec.defstruct(name, fields, frozen=True, kw_only=True, module=__name__)


WireCase = _case_form("WireCase", tuple[dict[str, Any], ...])
"""A case as it travels: each event of the timeline in the words of the case format."""

WireOutcome = _outcome_form("WireOutcome", WireCase)

_CASE = _case_form("_CASE", msgspec.Raw)
"""One that came: its events are read by what tells their kinds apart."""

_OUTCOME = _outcome_form("_OUTCOME", _CASE)


FORMS: Final = (_CASE, _OUTCOME, *KINDS.values())
"""Forms that no endpoint names: a case and an outcome travel as these."""

TRANSLATED: Final = frozenset({Case, Outcome})
"""What is never read as it is."""


def to_wire(value: Any) -> Any:
    """Return a value as it is encoded."""
    if isinstance(value, Case):
        parts = {name: getattr(value, name) for name in Case.__struct_fields__}
        return WireCase(**parts | {"timeline": tuple(map(_event, value.timeline))})
    if isinstance(value, Outcome):
        return WireOutcome(case=to_wire(value.case), says=value.says, handover=value.handover)
    return value


def _event(event: AnyEvent) -> AnyEvent | dict[str, Any]:
    """Return an event as it is encoded: as it is, unless it holds what its kind does not name."""
    return encode_event(event) if isinstance(event, Other) or event.extra else event


def from_wire(body: bytes, kind: Any) -> Any:
    """Return the value a body stands for.

    Raises:
        msgspec.DecodeError: It is not of that form.
    """
    if kind is Case:
        return _case(_reader(_CASE).decode(body))
    if kind is Outcome:
        found = _reader(_OUTCOME).decode(body)
        return Outcome(case=_case(found.case), says=found.says, handover=found.handover)
    return _reader(kind).decode(body)


@functools.cache
def _reader(kind: Any) -> msgspec.json.Decoder[Any]:
    """Return what reads a form: of those there are few."""
    return msgspec.json.Decoder(kind)


def _case(found: Any) -> Case:
    parts = {name: getattr(found, name) for name in Case.__struct_fields__}
    return Case(**parts | {"timeline": decode_timeline(bytes(found.timeline or b"[]"))})


_CHANGES: Final = frozenset(ACTIONS) | {"undo"}
_CARRIED_OUT: Final = frozenset({Result.DONE, Result.HELD})


def etag(case: Case) -> str:
    """Return what is another whenever somebody changed what an act rests on.

    Of the user, their tickets and what was done for them. Left out is what only time or the
    customer's own tries change (timeline, codes, challenges, the policy's answers), and what an
    act waits for (proofs, a colleague's yes); the policy is asked anew with every act.
    """
    user = replace(case.user if case.is_masked else masked_user(case.user), seen_at=None)
    parts = (user, case.account, case.administrators, case.manager, case.tickets, case.loops)
    done = [row.seq for row in case.log if row.act in _CHANGES and row.result in _CARRIED_OUT]
    plain = msgspec.json.encode((*parts, done), order="deterministic")
    return f'"{hashlib.sha256(plain).hexdigest()[:32]}"'
