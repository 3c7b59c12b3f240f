"""The case bundle: all a ticket needs about one trouble, masked, to paste or to read back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from helpdesk.domain.audit import LogRow
from helpdesk.domain.cases import Case, masked
from helpdesk.domain.diagnosis.casefile import FORMAT
from helpdesk.domain.diagnosis.verdicts import CallerSaid, Evidence, Verdict
from helpdesk.domain.notices import TrayRow
from helpdesk.domain.products import Product
from helpdesk.domain.text import clean, mask_mail
from helpdesk.domain.timeline import AnyEvent, Other, encode_event
from helpdesk.domain.users import At

LAST: Final = 60
"""Events in the text for a ticket; the JSON carries all."""

_MAIL = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"(?<![\w:./-])(?:\+|00|0)\d[\d\s().-]{5,}\d")
_PASS = re.compile(r"\b[A-Z2-9]{4}(?:-[A-Z2-9]{4}){2,}\b")
_SEED = re.compile(r"\b[A-Z2-7]{16,}\b")
_CODE = re.compile(r"(?<![\w.:/-])\d{3}[ -]?\d{3,}(?![\w:/-])")
_MARKS = re.compile(r"([\\`*_\[\]<>|#~!&])")


class Bundle(Struct, frozen=True, kw_only=True):
    """One trouble, whole and masked.

    Attributes:
        who: The user in words: name, id, account, product.
        acts: What the desk did for this user, newest first.
        notices: Who was told of it, newest first.
        checkpoint: The newest checkpoint of the log; empty where there is none.
        alarm: What is wrong with the log; empty where nothing is.
        case: A case file (`helpdesk-case/1`), as `why --case` reads it.
    """

    made_at: At
    user: str
    who: str
    product: str
    verdict: Verdict
    acts: tuple[LogRow, ...] = ()
    notices: tuple[TrayRow, ...] = ()
    checkpoint: str = ""
    alarm: str = ""
    case: dict[str, Any] = {}


def bundle_of(
    case: Case,
    card: Product,
    verdict: Verdict,
    *,
    said: Sequence[CallerSaid] = (),
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
        notices=tuple(notices),
        checkpoint=checkpoint,
        alarm=alarm,
        case=case_file(case, card, said),
    )


def case_file(case: Case, card: Product, said: Sequence[CallerSaid] = ()) -> dict[str, Any]:
    """Return a masked case as a case file; keys of events that nobody here knows are left out."""
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
        "answers": [{"ask": one.ask, "reply": hidden(one.reply)} for one in said],
    }


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


def hidden(text: str) -> str:
    """Return free text with what looks like an address, a number, a code, a key or a pass hidden.

    Better a word too much than a code in a ticket.
    """
    text = _MAIL.sub(lambda found: mask_mail(found.group()), clean(text))
    for pattern in (_PASS, _SEED, _NUMBER, _CODE):
        text = pattern.sub("••••••", text)
    return text


def bundle_text(bundle: Bundle) -> str:
    """Return the bundle in Markdown, ready to paste; what came from outside is never markup."""
    verdict = bundle.verdict
    parts = [
        f"# {_md(bundle.who)}",
        f"As of {bundle.made_at:%Y-%m-%d %H:%M} UTC. Addresses and numbers are masked.",
        "## Why",
        *_verdict_lines(verdict),
        "## What was done",
        _block(
            f"#{row.seq} {row.at:%m-%d %H:%M:%S} {row.agent} {row.act} {row.result.value} "
            f"{f'ticket {row.ticket} ' if row.ticket else ''}{row.says}"
            f"{f' Reason: {row.reason}' if row.reason else ''}"
            for row in bundle.acts
        ),
        "## Who was told",
        _block(
            f"{row.at:%m-%d %H:%M} {row.channel.value} {row.to or 'no address on record'} "
            f"{row.subject} ({row.state.value})"
            for row in bundle.notices
        ),
        "## What happened",
        _block(_event_line(event) for event in bundle.case["timeline"][-LAST:]),
        "## The log",
        f"WARNING: {_md(bundle.alarm)}" if bundle.alarm else "Its newest checkpoint:",
        *([] if bundle.alarm else [_block(bundle.checkpoint.splitlines())]),
    ]
    return "\n\n".join(parts) + "\n"


def _verdict_lines(verdict: Verdict) -> list[str]:
    causes = [
        "\n".join(
            (
                f"- **{cause.id} {_md(cause.title)}** ({cause.strength.value}, {cause.p:.0%})",
                *(f"    - for: {_md(one.says)}" for one in cause.evidence),
                *(f"    - against: {_md(one.says)}" for one in cause.against),
            )
        )
        for cause in verdict.causes[:3]
    ]
    told = (
        ("Cannot tell", verdict.cannot_tell.removeprefix("cannot tell ")),
        ("Asked", verdict.ask.text if verdict.ask else ""),
        ("Said to the customer", " ".join(verdict.say.splitlines())),
        ("Act", f"{verdict.act or 'none'}. {verdict.act_says}"),
        *(("Caller said", f"{one.ask}: {one.said}") for one in verdict.heard),
        *(("Will not help", f"{no.act}, {no.why}") for no in verdict.will_not_help),
    )
    stop = ["**STOP: hostile until shown otherwise.**"] if verdict.is_hostile else []
    none = [] if causes else ["The log says nothing from which a cause could be told."]
    return [*stop, *none, *causes, "\n".join(f"- {k}: {_md(v)}" for k, v in told if v)]


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


def _event_line(event: dict[str, Any]) -> str:
    rest = " ".join(f"{k}={v}" for k, v in event.items() if k not in {"at", "kind", "id"})
    return f"{str(event['at'])[5:19].replace('T', ' ')} {event['kind']:<10} {rest}"


def _block(lines: Any) -> str:
    """Return lines as an indented block: nothing in it is ever markup."""
    return "\n".join(f"    {clean(line)}" for line in lines) or "    –"


def _md(text: str) -> str:
    return _MARKS.sub(r"\\\1", clean(text))
