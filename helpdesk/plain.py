"""What the command line answers as text that a person reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from helpdesk.columns import table
from helpdesk.domain.approvals import Approval, action_of
from helpdesk.domain.audit import LogRow
from helpdesk.domain.cases import Case, Handover, Weighed
from helpdesk.domain.decisions import Decision
from helpdesk.domain.diagnosis.verdicts import Evidence, Verdict
from helpdesk.domain.errors import BadInput
from helpdesk.domain.holds import Ending, Hold
from helpdesk.domain.inspection import Inspection
from helpdesk.domain.notices import TrayRow
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import Asking, Proof, Way
from helpdesk.domain.reconciling import Reconciliation
from helpdesk.domain.search import ChallengeRow, LoopRow, Page, TicketRow, UserRow, UserState
from helpdesk.domain.text import NOT_DOCUMENTED, clean
from helpdesk.domain.timeline import AnyEvent, encode_event


def user_text(page: Page[UserRow], cards: dict[str, Product]) -> str:
    """Return a page of users as lines."""
    lines = [
        (row.id, row.name, _short(row.product, cards), row.account, _state(row), _ticket(row))
        for row in page.rows
    ]
    return table(lines, "user name product account state ticket") + _more(page)


def challenge_text(page: Page[ChallengeRow], cards: dict[str, Product]) -> str:
    """Return a page of challenges as lines, newest first."""
    lines = [
        (
            f"{row.line.at:%H:%M:%S}",
            row.line.user,
            row.name,
            _short(row.product, cards),
            row.line.rule or NOT_DOCUMENTED,
            f"{row.line.channel} {row.line.to}".strip(),
            f"{row.line.state.value} {row.line.reason}".strip(),
        )
        for row in page.rows
    ]
    return table(lines, "at user name product asked_by sent_to state") + _more(page)


def loop_text(page: Page[LoopRow], cards: dict[str, Product]) -> str:
    """Return a page of loop reports as lines, worst first."""
    lines = [
        (
            row.report.id,
            row.report.user,
            row.name,
            _short(row.product, cards),
            f"{row.report.rounds} rounds in {row.report.seconds} s",
            f"{row.report.at:%H:%M}",
            f"#{row.ticket.id}" if row.ticket else "",
        )
        for row in page.rows
    ]
    return table(lines, "report user name product rounds at ticket") + _more(page)


def ticket_text(page: Page[TicketRow], cards: dict[str, Product]) -> str:
    """Return a page of tickets as lines."""
    lines = [
        (
            f"#{row.ticket.id}",
            row.ticket.user,
            row.name,
            _short(row.product, cards),
            row.ticket.subject,
            row.ticket.agent or "nobody",
            "on the phone" if row.ticket.on_phone else "",
        )
        for row in page.rows
    ]
    return table(lines, "ticket user name product subject taken_by now") + _more(page)


def log_text(page: Page[LogRow], cards: dict[str, Product]) -> str:
    """Return a page of the log as lines, newest first."""
    lines = [
        (
            str(r.seq),
            f"{r.at:%Y-%m-%d %H:%M:%S}",
            r.agent,
            r.act,
            r.user,
            f"#{r.ticket.lstrip('#')}" if r.ticket else "",
            r.result.value,
            " ".join(filter(None, (r.says, f"Reason: {r.reason}" if r.reason else ""))),
        )
        for r in page.rows
    ]
    return table(lines, "row at agent act user ticket result says") + _more(page)


def inspection_text(found: Inspection) -> str:
    """Return what an inspection found: what is broken, what holds, what it cannot show."""
    head = "The log is sound." if found.is_sound else "THE LOG IS NOT WHAT IT WAS."
    lines = [head if found.rows else "The log is empty."]
    for title, sentences in (
        ("Broken", found.broken),
        ("Proven", found.proven),
        ("Not proven", found.unproven),
    ):
        lines += [f"{title}:", *(f"  {one}" for one in sentences)] if sentences else []
    return "\n".join(clean(line) for line in lines)


def reconciliation_text(found: Reconciliation) -> str:
    """Return what belongs together and what does not, and what was not compared."""
    lines = [
        "The log and the provider tell the same."
        if found.does_match
        else "THE LOG AND THE PROVIDER DO NOT TELL THE SAME."
    ]
    for title, sentences in (
        ("Different", found.differ),
        ("The same", found.agree),
        ("Not compared", found.unknown),
    ):
        lines += [f"{title}:", *(f"  {one}" for one in sentences)] if sentences else []
    return "\n".join(clean(line) for line in lines)


def tray_text(page: Page[TrayRow]) -> str:
    """Return a page of notices as lines, newest first, the newest one whole."""
    lines = [
        (
            f"{row.at:%Y-%m-%d %H:%M}",
            row.user,
            row.act,
            row.channel.value,
            row.to or "no address on record",
            " ".join(filter(None, (row.state.value, row.says))),
        )
        for row in page.rows
    ]
    whole = [f"  {clean(line)}".rstrip() for row in page.rows[:1] for line in row.body.split("\n")]
    return "\n".join((*((table(lines),) if lines else ()), *whole)) + _more(page)


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
        f"{user.sessions} sessions, {user.remembered} remembered",
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
        lines.append("The log says nothing from which a cause could be told.")
    lines += [f"Caller said to {heard.ask}: {heard.said}" for heard in verdict.heard]
    told = (
        ("Cannot tell", verdict.cannot_tell.removeprefix("cannot tell ")),
        ("Ask", verdict.ask.text if verdict.ask else ""),
        *(("" if n else "Say", line) for n, line in enumerate(verdict.say.splitlines())),
        ("Act", f"{verdict.act or 'none'}. {verdict.act_says}"),
        ("Others too", verdict.also_others),
    )
    lines += [f"{title}: {text}" if title else text for title, text in told if text]
    if verdict.ask:
        lines += [f"    {reply.id}: {reply.text}" for reply in verdict.ask.replies]
    lines += [f"Will not help: {no.act}, {no.why}" for no in verdict.will_not_help]
    return "\n".join(map(clean, lines))


def _events(evidence: Evidence) -> str:
    return f"  [{', '.join(evidence.events)}]" if evidence.events else ""


def ways_text(ways: Sequence[Way]) -> str:
    """Return the ways of proving a caller as lines, those that prove nothing with the reason."""
    rows = [
        (
            way.method.value,
            way.channel,
            way.grade.value,
            way.to,
            f"not: {way.not_for}" if way.not_for else "",
        )
        for way in ways
    ]
    return table(rows)


def asking_text(asking: Asking) -> str:
    """Return what an agent says and waits for after asking."""
    return clean(
        f"Asked by {asking.method.words}. You say {asking.words[0]}; the customer answers "
        f"{asking.words[1]}. Then: helpdesk prove {asking.user} --answer …"
    )


def proof_text(proof: Proof) -> str:
    """Return a proof as one sentence."""
    return clean(f"Proven by {proof.method.words} ({proof.grade.value}), for ten minutes, once.")


def approvals_text(approvals: Sequence[Approval]) -> str:
    """Return requests for a second person as lines: exactly what is to be agreed to."""
    rows = [
        (
            one.id,
            f"{one.asked_at:%H:%M}",
            one.requester,
            one.act,
            one.user,
            _stand(one),
            _own_words(one),
            one.why,
        )
        for one in approvals
    ]
    return table(rows, "request at asked_by act user state what because") or "Nothing waits."


def _own_words(one: Approval) -> str:
    """Name all that an act was given beside its user, as it is to be agreed to."""
    if not one.payload:
        return ""  # erased
    try:
        given = msgspec.structs.asdict(action_of(one))
    except BadInput as error:
        return str(error)
    return ", ".join(
        f"{name}: {value}" for name, value in given.items() if value and name != "user"
    )


def holds_text(holds: Sequence[Hold]) -> str:
    """Return acts that wait as lines, the next one first."""
    rows = [
        (one.id, f"due {one.due_at:%H:%M:%S}", one.agent, one.act, one.user, one.ending.value)
        for one in holds
    ]
    return table(rows) or "Nothing waits."


def _stand(one: Approval) -> str:
    if one.decided_at is None:
        return "waits"
    then = f", {ENDED[one.ending]}" if one.used_at else ""
    return f"{'agreed' if one.is_granted else 'refused'} by {one.approver}{then}"


ENDED: Final = {
    None: "carried out",
    Ending.DONE: "carried out",
    Ending.WAITS: "held",
    Ending.UNDONE: "undone",
    Ending.REFUSED: "not carried out",
    Ending.RUNS: "under way",
    Ending.UNKNOWN: "nobody knows whether it was done",
}
"""What became of what was agreed to and used."""


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


def _state(row: UserRow) -> str:
    """A user's state in words, with since when MFA is off, whatever else is the matter."""
    is_off = row.state is UserState.OFF
    words = f"loop ×{row.rounds}" if row.state is UserState.LOOP else row.state.value
    if row.off_since is None:
        return f"{words}, since when unknown" if is_off else words
    # It is off through the whole of its last day: the moment on record is the midnight after it.
    last = row.off_until - timedelta(seconds=1) if row.off_until else None
    until = f" until {last:%Y-%m-%d}" if last else ""
    return f"{'' if is_off else f'{words}, '}off since {row.off_since:%Y-%m-%d}{until}"


def _ticket(row: UserRow) -> str:
    return f"#{row.ticket.id}" if row.ticket else ""


def _short(product: str, cards: dict[str, Product]) -> str:
    return cards[product].short if product in cards else product


def _more(page: Page[Any]) -> str:
    rest = page.total - page.offset - len(page.rows)
    count = f"{page.total} in all" if page.total else "Nothing found."
    line = "\n" if page.rows else ""
    more = f", {rest} more: --limit or --offset" if rest > 0 else ""
    return f"{line}{count}{more}{f'. {clean(page.says)}' if page.says else ''}"


LISTS: dict[str, tuple[str, Callable[[Any, dict[str, Product]], str]]] = {
    "find": ("Find users by name, login, telephone, address, account or ticket", user_text),
    "challenges": ("List recent challenges: asked, sent, delivered, answered", challenge_text),
    "loops": ("List login-loop reports, worst first", loop_text),
    "tickets": ("List open tickets: yours, then those nobody has", ticket_text),
    "log": ("List what agents did, newest first", log_text),
}
"""The commands that list, what each gives, and how a page of it reads."""
