"""The case in words: who line, codes, factors, tickets, and the answer to each act."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from textual.content import Content

from helpdesk.domain.audit import title_of
from helpdesk.domain.cases import DOUBLES, Case
from helpdesk.domain.decisions import Decision
from helpdesk.domain.products import Product
from helpdesk.domain.text import clean
from helpdesk.domain.timeline import Answer, Session
from helpdesk.domain.users import Factor, FactorKind, FactorState, MfaState, VoiceWay
from helpdesk.tui.render.codes import codes
from helpdesk.tui.render.values import (
    BAD,
    GOOD,
    LABEL,
    QUIET,
    STRONG,
    WARN,
    Entry,
    ago,
    cells,
    clock,
    fit,
    flow,
    grid,
    hanging,
    joined,
    lines,
    m_ss,
    pressable,
    show,
    span,
)

MFA = {
    MfaState.ON: ("✓ MFA on", GOOD),
    MfaState.OFF: ("○ MFA off", WARN),
    MfaState.PENDING: ("◔ MFA not saved yet", WARN),
    MfaState.NONE: ("– no MFA for this kind of user", QUIET),
}


def role_name(case: Case, card: Product | None) -> str:
    """Return the product's own name for what the user is."""
    rule = card.role(case.user.role) if card else None
    return clean(rule.name if rule else case.user.role)


def who(
    case: Case,
    card: Product | None,
    now: datetime,
    width: int,
    standing: tuple[Content, ...] = (),
    *,
    brief: bool = False,
) -> Content:
    """Return who calls: name, account, product, role; login and where codes go; ticket, alarms.

    *standing* says how sure the desk is of the caller, beside the ticket.
    """
    user = case.user
    first = (
        show(user.name, STRONG),
        show(case.account.name),
        show(card.name if card and width > 110 else card.short if card else user.product, LABEL),
        show(role_name(case, card)),
        show(user.id, QUIET),
    )
    second = (
        show(user.login),
        codes_go_to(case, card),
        Content.assemble(MFA[user.mfa]),
        _last_login(case, now),
    )
    third = (_ticket(case, now), *standing, *_alarms(case, now))
    most = 1 if brief else 0
    if brief:
        second = (second[1], second[0], *second[2:])
    return lines(
        (
            flow(first, width, " ── ", rows_most=most),
            flow(second, width, rows_most=most),
            flow(third, width, rows_most=most),
        )
    )


def _ticket(case: Case, now: datetime) -> Content:
    tickets = case.open_tickets
    if not tickets:
        return Content.assemble(("no open ticket", QUIET))
    newest = tickets[0]
    about = newest.complaint.words if newest.complaint else newest.subject
    more = f" +{len(tickets) - 1} more" if len(tickets) > 1 else ""
    phone = "☎ on the phone · " if newest.on_phone else ""
    age = span((now - newest.opened_at).total_seconds())
    number = f"#{clean(newest.id).lstrip('#')}"
    says = f"{phone}{number} {clean(about, limit=60)} · {age}{more}"
    return Content.assemble((says, STRONG))


def codes_go_to(case: Case, card: Product | None) -> Content:
    """Return where codes go; a warning where that is not the login address."""
    user, goes_to = case.user, card.codes.goes_to.value if card else None
    if user.mfa in {MfaState.NONE, MfaState.OFF}:
        return Content("")
    if goes_to == "notification-address":
        if user.notification_address is None:
            return Content.assemble(("▲ no notification address", BAD))
        to = show(user.notification_address)
        if user.notification_address == user.login:
            return Content.assemble(("codes go to ", QUIET), to)
        return Content.assemble(("▲ codes go to ", WARN), to, (", not to the login address", WARN))
    sent = [f for f in user.factors if f.kind.is_sent and f.state is FactorState.ACTIVE and f.to]
    if sent:
        to = show(f"{sent[0].kind.words} {sent[0].to}")
        return Content.assemble(("codes go to ", QUIET), to)
    if goes_to == "mobile" and user.mobile:
        return Content.assemble(("codes go to ", QUIET), show(user.mobile))
    return Content("")


def _last_login(case: Case, now: datetime) -> Content:
    good = next(
        (
            event
            for event in reversed(case.timeline)
            if (isinstance(event, Answer) and event.ok)
            or (isinstance(event, Session) and event.state == "created")
        ),
        None,
    )
    if good is None:
        return Content.assemble(("no login on record", QUIET))
    return Content.assemble(("last login ", QUIET), ago(good.at, now))


def _alarms(case: Case, now: datetime) -> Iterator[Content]:
    user = case.user
    if user.locked_until is not None and user.locked_until > now:
        end = user.lock_ends_at
        text = "■ LOCKED until somebody unlocks it"
        if end is not None:
            text = f"■ LOCKED until {clock(end, now)}, {m_ss((end - now).total_seconds())} more"
        yield Content.assemble((text, BAD))
    elif user.is_locked(now):
        yield Content.assemble(("■ a factor is LOCKED", BAD))
    if user.flagged:
        yield Content.assemble(("⚑ FLAGGED: ", BAD), show(user.flagged, BAD))
    for report in case.loops:
        if report.closed_at is None:
            words = f"● LOOP ×{report.rounds} in {span(report.seconds)}, {ago(report.at, now)}"
            yield Content.assemble((words, WARN))
    if case.doubles:
        yield Content.assemble((f"{doubles(case)}", WARN))
    if not case.is_masked:
        yield Content.assemble(("◉ REVEALED until you leave this user", WARN))


def doubles(case: Case) -> str:
    """Return who could be taken for this user, in words; empty where nobody could."""
    found = [clean(one.id, limit=40) for one in case.doubles]
    if not found:
        return ""
    more = " and more" if len(found) == DOUBLES else ""
    return f"≈ looks like {', '.join(found)}{more}: go by the id"


FACTOR_LOOKS = {
    FactorState.ACTIVE: ("●", GOOD),
    FactorState.PENDING: ("◔", WARN),
    FactorState.SUSPENDED: ("‖", WARN),
    FactorState.LOCKED: ("■", BAD),
    FactorState.REMOVED: ("–", QUIET),
}


def factors(case: Case, card: Product | None, now: datetime) -> Content:
    """Return the user's factors, then the kinds the product knows and the user has not."""
    have = [_factor(factor, now) for factor in case.user.factors]
    kinds = {factor.kind for factor in case.user.live_factors}
    known = dict.fromkeys(rule.kind for rule in card.factors) if card else {}
    if case.user.mfa is not MfaState.NONE:
        have.extend(
            Content.assemble((f"–  {fit(kind.words, KIND)} not enrolled", QUIET))
            for kind in known
            if kind not in kinds
        )
    return lines(have or [Content.assemble(("none on record", QUIET))])


KIND = max(len(kind.words) for kind in FactorKind) + 1
"""Cells of a factor's kind."""


def _factor(factor: Factor, now: datetime) -> Content:
    glyph, look = FACTOR_LOOKS[factor.state]
    kind = factor.kind.words
    if factor.voice is not None:
        kind = {VoiceWay.CONFIRM: "Call, confirm", VoiceWay.HEAR_CODE: "Call, code"}[factor.voice]
    used = f"used {ago(factor.used_at, now)}" if factor.used_at else ""
    failures = f"{factor.failures} wrong" if factor.failures else ""
    tail = joined((Content.assemble((used, QUIET)), Content.assemble((failures, WARN))), " · ")
    head = Content.assemble(
        (f"{glyph}  ", look),
        (fit(kind, KIND), STRONG),
        f" {clean(factor.to or '–', limit=60)}  ",
        (factor.state.value, look),
    )
    return lines((head, Content.assemble(" " * 4, tail) if tail.plain else tail))


def papers(case: Case, now: datetime, width: int) -> Content:
    """Return tickets with their notes, newest first, then what the desk did for this user.

    A line longer than *width* cells goes on beneath its own first word.
    """
    parts: list[Entry] = []
    nothing, indent, note = Content(""), Content("  "), Content.assemble(("  › ", QUIET))
    for ticket in sorted(case.tickets, key=lambda t: t.opened_at, reverse=True):
        state = (
            f"open {span((now - ticket.opened_at).total_seconds())}" if ticket.is_open else "closed"
        )
        has = f"with {clean(ticket.agent)}" if ticket.agent else "nobody has it"
        number = f"#{clean(ticket.id).lstrip('#')}"
        look = WARN if ticket.is_open else QUIET
        says = Content.assemble((f"{number} ", STRONG), (state, look), (f" · {has}", QUIET))
        parts.append(Entry(nothing, says))
        parts.append(Entry(indent, show(ticket.subject)))
        parts.extend(Entry(note, show(n, limit=600)) for n in ticket.notes)
    noted = {note for ticket in case.tickets for note in ticket.notes}
    for row in case.log[:8]:
        when = clock(row.at, now)
        text = f"{when} {clean(title_of(row.act))}: {row.result.value}"
        parts.append(Entry(nothing, Content.assemble((f"{text} · {clean(row.agent)}", QUIET))))
        if row.says and not (row.act == "note" and row.says in noted):
            parts.append(Entry(indent, show(row.says, QUIET, limit=300)))
    if not parts:
        return Content.assemble(("no tickets, no notes", QUIET))
    return hanging(parts, width)


def glyph_of(decision: Decision) -> tuple[str, str]:
    """Return ✓ for may, – for nothing to do here, ✗ for may not, each with its look."""
    if not decision.is_refused:
        return "✓", GOOD
    return ("✗", BAD) if decision.instead or decision.route else ("–", QUIET)


def may_i_chips(
    case: Case, keys: dict[str, tuple[str, str]], width: int, *, brief: bool = False
) -> Content:
    """Return every act with its key and ✓, – or ✗, to be pressed by mouse as well.

    *keys* holds, by act, its key and its short name.
    """
    chips = []
    for decision in case.decisions:
        glyph, look = glyph_of(decision)
        key, label = keys.get(decision.act, ("", decision.act))
        text_look = QUIET if decision.is_refused else ""
        chip = Content.assemble((key, STRONG), (glyph, look))
        if not brief:
            chip = Content.assemble((f"{key} ", STRONG), (glyph, look), " ", (label, text_look))
        chips.append(pressable(chip, act=decision.act))
    if brief:
        return flow(chips, width, "  ")
    column = max(map(cells, chips), default=1) + 2
    return grid(chips, width + 2, column)


def may_i_reasons(case: Case, keys: dict[str, tuple[str, str]]) -> list[Entry]:
    """Return the reasons of what is refused, an entry a reason with all keys it holds for."""
    by_why: dict[str, list[str]] = {}
    for decision in case.decisions:
        if decision.is_refused and glyph_of(decision)[0] == "✗":
            by_why.setdefault(decision.why, []).append(keys.get(decision.act, ("",))[0])
    ordered = sorted(by_why.items(), key=lambda pair: -len(pair[1]))
    return [
        Entry(
            Content.assemble(("✗ ", BAD), (" ".join(letters), STRONG), "  "), show(why, limit=400)
        )
        for why, letters in ordered
    ]


def summary_lines(case: Case, card: Product | None, now: datetime) -> str:
    """Return the case in a few masked lines of plain text, to be copied into a ticket."""
    return "\n".join(
        line.rstrip()
        for line in lines(
            (who(case, card, now, 100), codes(case, card, now, 100))
        ).plain.splitlines()
    )
