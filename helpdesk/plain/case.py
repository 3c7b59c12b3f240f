"""One user as text that a person reads: the case, an act on it, and why it keeps asking."""

from __future__ import annotations

from datetime import datetime

from helpdesk.domain.audit import LogRow
from helpdesk.domain.cases import Case, Handover, Weighed
from helpdesk.domain.decisions import Decision
from helpdesk.domain.diagnosis.verdicts import UNTOLD, Evidence, Verdict
from helpdesk.domain.events import encode_event
from helpdesk.domain.products import Product
from helpdesk.domain.text import NOT_DOCUMENTED, clean, counted
from helpdesk.domain.timeline import AnyEvent


def case_text(case: Case, card: Product) -> str:
    """Return a case as a person reads it.

    Who, codes, factors, tickets with their notes, what the desk did, what one may, what happened.
    """
    user = case.user
    role = card.role(user.role)
    codes_to = f"   codes go to {user.notification_address}" if user.notification_address else ""
    lines = [
        " · ".join(
            (
                f"{user.name} ({user.id})",
                case.account.name,
                card.name,
                role.name if role else user.role,
            )
        ),
        f"{user.login}{codes_to}   MFA {user.mfa.value}   "
        f"{counted(user.sessions, 'session')}, {user.remembered} remembered",
    ]
    if user.flagged:
        lines.append(f"FLAGGED: {user.flagged}")
    if user.is_locked(case.at):
        until = f"{user.lock_ends_at:%H:%M:%S}" if user.lock_ends_at else NOT_DOCUMENTED
        if user.locked_until and not user.lock_ends_at:
            until = "somebody unlocks it"
        lines.append(f"LOCKED until {until}")
    sections = (
        ("Codes", _code_lines(case)),
        ("Factors", [f"{f.id}  {f.kind.words} {f.to or ''} {f.state.value}" for f in user.factors]),
        ("Tickets", _ticket_lines(case)),
        ("Log", [_log_line(row) for row in case.log[:8]]),
        ("May I", [_may(decision) for decision in case.decisions]),
        ("Timeline", [event_text(event) for event in case.timeline[-20:]]),
    )
    for title, body in sections:
        lines += ["", title, *(f"  {line}" for line in body or ["–"])]
    return "\n".join(clean(line) for line in lines)


def _ticket_lines(case: Case) -> list[str]:
    lines = []
    for ticket in sorted(case.tickets, key=lambda one: one.opened_at, reverse=True):
        closed = "" if ticket.is_open else ", closed"
        lines.append(f"#{ticket.id.lstrip('#')} {ticket.subject}{closed}")
        lines += [f"  › {note}" for note in ticket.notes]
    return lines


def _log_line(row: LogRow) -> str:
    line = f"{row.at:%m-%d %H:%M:%S}  {row.act:<14}  {row.result.value:<7}  {row.agent}  {row.says}"
    return line.rstrip()


def event_text(event: AnyEvent) -> str:
    """Return an event as one line: time, kind, and what else it tells."""
    data = encode_event(event)
    told = {k: v for k, v in data.items() if k not in {"at", "kind", "id"} and v is not None}
    words = " ".join(f"{key}={value}" for key, value in told.items())
    return clean(f"{event.at:%m-%d %H:%M:%S}  {event.kind:<10} {words}")


def weighed_text(weighed: Weighed) -> str:
    """Return the policy's answer and the preview as lines."""
    decision, preview = weighed.decision, weighed.preview
    lines = [f"{decision.act}: {decision.weight.value}. {decision.why} {decision.instead}".strip()]
    lines += [f"Needs: {need.says}" for need in decision.needs]
    lines += [f"Goes: {line}" for line in preview.goes] + [
        f"Stays: {line}" for line in preview.stays
    ]
    named = (
        ("Will not help", preview.vain),
        ("Signed out", preview.signed_out),
        ("Told", preview.told),
        ("Then", preview.then),
    )
    lines += [f"{title}: {text}" for title, text in named if text]
    return "\n".join(clean(line) for line in lines)


def verdict_text(verdict: Verdict) -> str:
    """Return a verdict as a person reads it: causes with evidence, what to ask, to say, to do."""
    lines = []
    if verdict.is_hostile:
        lines.append("STOP: hostile until shown otherwise.")
    if verdict.is_by_design:
        lines.append("Nothing is broken: it asks by design.")
    for cause in verdict.causes[:5]:
        lines.append(f"{cause.id}  {cause.title}  {cause.strength.value}  {cause.p:.0%}")
        lines += [f"    + {one.says}{_events(one)}" for one in cause.evidence]
        lines += [f"    - {one.says}{_events(one)}" for one in cause.against]
    if not verdict.causes:
        lines.append(UNTOLD)
    lines += [f"Caller said to {heard.ask}: {heard.said}" for heard in verdict.heard]
    told = (
        ("Cannot tell", verdict.cannot_tell.removeprefix("cannot tell ")),
        ("Ask", verdict.ask.text if verdict.ask else ""),
        *(("" if n else "Say", line) for n, line in enumerate(verdict.say.splitlines())),
        ("Act", verdict.acting),
        ("Others too", verdict.also_others),
    )
    lines += [f"{title}: {text}" if title else text for title, text in told if text]
    if verdict.ask:
        lines += [f"    {reply.id}: {reply.text}" for reply in verdict.ask.replies]
    lines += [f"Will not help: {no.act}, {no.why}" for no in verdict.will_not_help]
    return "\n".join(map(clean, lines))


def _events(evidence: Evidence) -> str:
    return f"  [{', '.join(evidence.events)}]" if evidence.events else ""


def handover_text(handover: Handover) -> str:
    """Return a handover as lines: shown once, kept nowhere."""
    until = f" until {handover.until:%H:%M}" if handover.until else ""
    lines = (f"{handover.title}{until}: {handover.secret}", *handover.says.splitlines())
    return "\n".join(map(clean, lines))


def _code_lines(case: Case) -> list[str]:
    life = f"{case.codes.life_s} s" if case.codes.life_s else NOT_DOCUMENTED
    lines = [f"life of a code: {life}"]
    for code in case.codes.codes[-5:]:
        left = _left(code.expires_at, case.at)
        lines.append(
            f"{code.at:%H:%M:%S} {code.state.value:<8} {code.channel} {code.to} {left} {code.why}"
        )
    return lines


def _left(until: datetime | None, now: datetime) -> str:
    if until is None or until <= now:
        return ""
    seconds = int((until - now).total_seconds())
    return f"{seconds // 60}:{seconds % 60:02d} left"


def _may(decision: Decision) -> str:
    sign = {"allowed": "yes", "needs": "yes, with", "refused": "no"}[decision.weight.value]
    needs = ", ".join(need.what for need in decision.needs)
    return f"{decision.act:<15} {sign} {needs or decision.why}".rstrip()
