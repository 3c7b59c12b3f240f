"""The case bundle as a text, ready to paste into a ticket."""

from __future__ import annotations

import re
from typing import Any, Final

from helpdesk.domain.bundle import ApprovalLine, Bundle, HoldLine, ProvenLine
from helpdesk.domain.diagnosis.verdicts import UNTOLD, Verdict
from helpdesk.domain.text import clean

LAST: Final = 60
"""Events in the text for a ticket; the JSON carries all."""

_MARKS = re.compile(r"([\\`*_\[\]<>|#~!&])")


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
        "## How callers were proven",
        _block(map(_proven_text, bundle.proofs)),
        "## Second person",
        _block(map(_approval_text, bundle.approvals)),
        "## What was held",
        _block(map(_held_text, bundle.holds)),
        "## Who was told",
        _block(
            f"{row.at:%m-%d %H:%M} {row.channel.value} {row.to or 'no address on record'} "
            f"{row.subject} ({row.state.value})"
            for row in bundle.notices
        ),
        "## What happened",
        _block(map(_event_line, _events(bundle.case)[-LAST:])),
        "## The log",
        f"WARNING: {_md(bundle.alarm)}" if bundle.alarm else "Its newest checkpoint:",
        *([] if bundle.alarm else [_block(bundle.checkpoint.splitlines())]),
    ]
    return "\n\n".join(parts) + "\n"


def _proven_text(one: ProvenLine) -> str:
    ticket = f" for ticket {one.ticket}" if one.ticket else ""
    used = f"used {one.used_at:%m-%d %H:%M} for {one.used_for}" if one.used_at else "not used"
    return (
        f"{one.at:%m-%d %H:%M} {one.method.words} ({one.grade.value}) by {one.by}{ticket}: {used}"
    )


def _held_text(one: HoldLine) -> str:
    ended = f" {one.ended_at:%m-%d %H:%M}" if one.ended_at else ""
    due = f"{one.at:%m-%d %H:%M} {one.act} by {one.by}, due {one.due_at:%H:%M}"
    return f"{due}: {one.ending.value}{ended} ({one.id})"


def _approval_text(one: ApprovalLine) -> str:
    answered = f"{one.answered_at:%m-%d %H:%M}" if one.answered_at else ""
    answer = f"{one.answer} by {one.approver} {answered}" if one.answer else "not answered"
    says = f" {one.says}" if one.says else ""
    used = f", carried out {one.used_at:%m-%d %H:%M}" if one.used_at else ""
    return (
        f"{one.at:%m-%d %H:%M} {one.act} asked by {one.by}: {answer}{used}.{says} "
        f"Why: {one.why} sha256 {one.sha256[:12]} ({one.id})"
    )


def _verdict_lines(verdict: Verdict) -> list[str]:
    causes = [
        "\n".join(
            (
                f"- **{_md(cause.id)} {_md(cause.title)}** ({cause.strength.value}, {cause.p:.0%})",
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
        ("Act", verdict.acting),
        *(("Caller said", f"{one.ask}: {one.said}") for one in verdict.heard),
        *(("Will not help", f"{no.act}, {no.why}") for no in verdict.will_not_help),
    )
    stop = ["**STOP: hostile until shown otherwise.**"] if verdict.is_hostile else []
    none = [] if causes else [UNTOLD]
    return [*stop, *none, *causes, "\n".join(f"- {k}: {_md(v)}" for k, v in told if v)]


def _event_line(event: dict[str, Any]) -> str:
    rest = " ".join(f"{k}={v}" for k, v in event.items() if k not in {"at", "kind", "id"})
    at, kind = str(event.get("at", ""))[5:19].replace("T", " "), str(event.get("kind", ""))
    return f"{at} {kind:<10} {rest}"


def _events(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events of a case file; none where it has none that are of that form."""
    rows = case.get("timeline")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _block(lines: Any) -> str:
    """Return lines as an indented block: nothing in it is ever markup."""
    return "\n".join(f"    {clean(line)}" for line in lines) or "    –"


def _md(text: str) -> str:
    return _MARKS.sub(r"\\\1", clean(text))
