"""Proof, second person and watch in words: how sure the desk is of the caller, who agreed to what.

Nothing here ever shows what a caller must read back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from textual.content import Content

from helpdesk.domain.actions import AnyAction, TurnOffMfa
from helpdesk.domain.approvals import APPROVERS, ASKED_FOR, HOLDS_FOR, Approval, action_of
from helpdesk.domain.audit import title_of
from helpdesk.domain.cases import Case, Preview
from helpdesk.domain.diagnosis.verdicts import Verdict
from helpdesk.domain.holds import Ending, Hold
from helpdesk.domain.previews import factor_line, preview
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import (
    PROOF_LIFE,
    Asking,
    Grade,
    Method,
    Proof,
    Way,
)
from helpdesk.domain.text import clean
from helpdesk.domain.tickets import Complaint, Ticket
from helpdesk.domain.timeline import Call
from helpdesk.domain.watch import Watch, WatchState, watch
from helpdesk.tui.render.values import (
    BAD,
    GOOD,
    LIVE,
    QUIET,
    STRONG,
    WARN,
    Entry,
    ago,
    clock,
    entry,
    joined,
    lines,
    m_ss,
    pressable,
    show,
)
from helpdesk.tui.render.weighing import preview_entries


def fresh(case: Case, now: datetime) -> tuple[Proof, ...]:
    """Return the proofs that an act of this agent may use now, the one that ends first in front."""
    tickets = {ticket.id.lstrip("#") for ticket in case.open_tickets}
    found = [p for p in case.proofs if p.is_fresh(now) and p.ticket in tickets]
    return tuple(sorted(found, key=lambda proof: proof.at))


def proven(proofs: Sequence[Proof], now: datetime) -> Content:
    """Return by what a caller is proven and for how long: `PROVEN by a code read back · 9:41`."""
    first = min(proofs, key=lambda proof: proof.at)
    left = m_ss((first.at + PROOF_LIFE - now).total_seconds())
    words = " and ".join(dict.fromkeys(proof.method.words for proof in proofs))
    is_weak = all(proof.grade is Grade.WEAK for proof in proofs)
    weak = ", weak" if is_weak else ""
    look = WARN if is_weak else GOOD
    return Content.assemble((f"✓ PROVEN by {words}{weak}", look), (f" · {left}", STRONG))


def caller(case: Case, now: datetime) -> Content:
    """Return whether the caller is proven, with the key that proves where they are not."""
    found = fresh(case, now)
    if found:
        return proven(found, now)
    return Content.assemble(("○ caller NOT PROVEN", WARN), ("  v", STRONG))


def watching(case: Case, verdict: Verdict | None) -> Content:
    """Return what is to be watched in a case; empty where nothing is."""
    found: Watch | None = watch(case, verdict)
    if found is None:
        return Content("")
    if found.state is WatchState.ALARM:
        return Content.assemble(("▲ ALARM: first entry from an unknown place", BAD))
    since = f" since {clock(found.since, case.at)}" if found.since else ""
    return Content.assemble((f"◔ watch: not in yet{since}", WARN))


def held(hold: Hold, now: datetime) -> Content:
    """Return an act that waits, with what is left of the wait and the key that undoes it."""
    title = clean(title_of(hold.act))
    left = m_ss((hold.due_at - now).total_seconds())
    return Content.assemble((f"◷ HELD: {title} in {left}", WARN), ("  U", STRONG), " undoes it")


def way_words(way: Way | Asking, case: Case, to: str = "") -> str:
    """Return a way of proving with where it goes: `a code read back, SMS •••• 21`."""
    return ", ".join(part for part in (way.method.words, goes_to(way, case, to)) if part)


def goes_to(way: Way | Asking, case: Case, to: str) -> str:
    """Return where a way goes: `SMS •••• 21`; empty where nothing goes anywhere."""
    factor = case.user.factor(way.channel)
    if factor is not None and to == factor.kind.words:
        to = ""  # the desk has no destination on record, and named the kind instead
    kind = factor.kind.words if factor is not None and way.method is Method.CODE else ""
    return " ".join(part for part in (kind, clean(to)) if part)


def way_line(way: Way, number: int, case: Case, *, is_at: bool) -> Content:
    """Return one way as a numbered line; one that proves nothing is grey and says why."""
    words = way_words(way, case, way.to)
    if way.not_for:
        head = Content.assemble(("–   ", QUIET), show(words, QUIET))
        return lines(
            (head, Content.assemble("    ", show(f"proves nothing: {way.not_for}", QUIET)))
        )
    mark = ("●", GOOD) if is_at else ("○", QUIET)
    is_weak = way.grade is Grade.WEAK
    head = Content.assemble((f"{number} ", STRONG), mark, " ", show(words, STRONG))
    line = joined((head, Content.assemble((way.grade.value, WARN if is_weak else GOOD))), "  ")
    more = Content.assemble("    ", ("takes a second person too", WARN)) if is_weak else Content("")
    return pressable(lines((line, more)), way=str(number))


def asked_entries(asking: Asking, to: str, left_s: float, tries: int) -> list[Entry]:
    """Return what was asked: the word pair, where it went, how long it waits, the tries left."""
    found: list[Entry] = []
    if asking.method.has_pair:
        who = "administrator" if asking.method is Method.ADMINISTRATOR else "caller"
        says = Content.assemble((f" {clean(asking.words[0])} ", LIVE))
        answers = Content.assemble((f" {clean(asking.words[1])} ", LIVE))
        found.append(entry("you say", says))
        must = Content.assemble(answers, f"  is what the {who} answers; else hang up")
        found.append(entry("answer", must))
    found.append(entry("over", show(f"{asking.method.words}{f', {to}' if to else ''}")))
    look = WARN if left_s < 60 else STRONG
    waits = Content.assemble((m_ss(left_s), look), (" left", QUIET))
    if asking.method is not Method.IN_PERSON:
        more = f"{tries} {'tries' if tries != 1 else 'try'} left"
        waits = Content.assemble(waits, "   ", (more, WARN if tries < 2 else QUIET))
    found.append(entry("waits", waits))
    return found


ANSWERS = {
    Method.TOTP: "The number the caller's authenticator shows now",
    Method.CALL_BACK: "The code the caller hears on the number on record",
    Method.PUSH: "The number the caller's device shows",
    Method.ADMINISTRATOR: "The code the administrator reads back",
    Method.IN_PERSON: "What was seen: which document, and where or over which video call",
}
"""What the field asks for; a code read back elsewhere."""


def answer_label(method: Method) -> str:
    """Return what the agent types for a method."""
    return ANSWERS.get(method, "The code the caller reads back")


def named_proof(proof: Proof, case: Case, now: datetime) -> str:
    """Return a proof in words, without what it was proven with."""
    factor = case.user.factor(proof.channel)
    over = f" over {factor.kind.words}" if factor is not None else ""
    kind, _, person = proof.channel.partition(":")
    if kind == "administrator":
        over = f": {next((p.name for p in case.administrators if p.id == person), person)}"
    grade = proof.grade.value
    return clean(f"{proof.method.words}{over}, {grade}, at {clock(proof.at, now)}, {proof.agent}")


def who_may_answer() -> str:
    """Return who may be the second person."""
    roles = sorted(role.words for role in APPROVERS)
    return f"{', '.join(roles[:-1])} or {roles[-1]}: never you, nor whom you agreed for today"


def left_of(approval: Approval, now: datetime) -> float:
    """Return the seconds a request still waits, or an approval still holds; 0 where neither."""
    if approval.is_open(now):
        return (approval.asked_at + ASKED_FOR - now).total_seconds()
    if approval.holds(now) and approval.decided_at is not None:
        return (approval.decided_at + HOLDS_FOR - now).total_seconds()
    return 0.0


ENDED: Final[dict[Ending | None, tuple[str, str]]] = {
    None: ("✓ carried out", "good"),
    Ending.DONE: ("✓ carried out", "good"),
    Ending.WAITS: ("◔ held", "warn"),
    Ending.UNDONE: ("– undone", "quiet"),
    Ending.REFUSED: ("✗ not done", "bad"),
    Ending.RUNS: ("◔ under way", "warn"),
    Ending.UNKNOWN: ("? unknown", "bad"),
}
"""What became of what was agreed to and used."""


def standing(approval: Approval, now: datetime) -> tuple[str, str]:
    """Return what became of a request in words with a glyph, and how that looks in a list."""
    if approval.used_at is not None:
        return ENDED[approval.ending]
    if approval.is_open(now):
        return "◔ waits", "warn"
    if approval.decided_at is None:
        return "– not answered", "quiet"
    if not approval.is_granted:
        return "✗ refused", "bad"
    return ("✓ agreed", "good") if approval.holds(now) else ("– agreed, too late", "quiet")


LOOKS = {"good": GOOD, "warn": WARN, "bad": BAD, "quiet": QUIET}


def approval_entries(
    approval: Approval, case: Case, card: Product | None, shown: Preview, now: datetime
) -> list[Entry]:
    """Return exactly what is to be agreed to, in words, and what it rests on."""
    action = action_of(approval)
    words, look = standing(approval, now)
    left = left_of(approval, now)
    state = Content.assemble((words, LOOKS[look]), (f"  {m_ss(left)} left" if left else "", STRONG))
    found = [
        entry("state", state),
        entry("act", show(f"{action.title} ({action.name})", STRONG)),
        *_own_entries(action, case, card),
        entry("reason", show(action.reason or "none given", limit=600)),
        entry("ticket", show(_ticket_words(action.ticket, case), limit=300)),
        entry("because", show(approval.why, WARN)),
    ]
    by_id = {proof.id: proof for proof in case.proofs}
    rests = [
        named_proof(by_id[one], case, now) if one in by_id else f"proof {one}"
        for one in approval.proofs
    ] or ["no proof of the caller"]
    found += [entry("" if n else "proven", show(says)) for n, says in enumerate(rests)]
    asked = f"{approval.requester}, {ago(approval.asked_at, now)} ({clock(approval.asked_at, now)})"
    found.append(entry("asked by", show(asked)))
    found += preview_entries(shown)
    if approval.decided_at is not None:
        said = f": {approval.says}" if approval.says else ""
        says = f"{approval.approver}, {ago(approval.decided_at, now)}{said}"
        found.append(entry("answered", show(says, limit=400)))
    found.append(entry("hash", show(f"{approval.sha256[:12]}  request {approval.id}", QUIET)))
    return found


def _own_entries(action: AnyAction, case: Case, card: Product | None) -> list[Entry]:
    """The factor an act names, in words."""
    factor = case.user.factor(getattr(action, "factor", ""))
    return [entry("factor", show(factor_line(factor, card)))] if factor and card else []


def _ticket_words(number: str, case: Case) -> str:
    wanted = number.lstrip("#")
    ticket = next((t for t in case.tickets if t.id.lstrip("#") == wanted), None)
    if ticket is None:
        return f"#{wanted}, which is not a ticket of this user"
    return f"#{wanted} {ticket.subject}{'' if ticket.is_open else ' (closed)'}"


def news_of(approval: Approval, now: datetime) -> str:
    """Return what to tell the agent whose request was answered."""
    title = title_of(approval.act)
    if not approval.is_granted:
        says = f": {approval.says}" if approval.says else "."
        return clean(f"{approval.approver} refused {title}{says}")
    left = m_ss(left_of(approval, now))
    return clean(f"{approval.approver} agreed to {title}. Carry it out within {left}.")


def turn_off_request(case: Case) -> Ticket | None:
    """Return the newest open ticket that asks for turning MFA off; None where there is none."""
    return next((t for t in case.open_tickets if t.complaint is Complaint.TURN_OFF), None)


def request_entries(case: Case, card: Product | None, now: datetime) -> list[Entry]:
    """Return what a request to turn MFA off rests on: who asked, how proven, the card, the loss."""
    ticket = turn_off_request(case)
    if ticket is None:
        return []
    wish = Complaint.TURN_OFF.value
    calls = (e for e in reversed(case.timeline) if isinstance(e, Call) and e.asks == wish)
    call = next(calls, None)
    how = (
        f"; by {call.channel or 'a call'} from {call.origin or 'a caller who is not named'},"
        f" {ago(call.at, now)}"
        if call is not None
        else ""
    )
    asked = f"#{ticket.id.lstrip('#')} {ticket.subject}, {ago(ticket.opened_at, now)}{how}"
    by = [show(named_proof(proof, case, now), GOOD) for proof in fresh(case, now)]
    by = by or [Content.assemble(("not yet: ", WARN), ("v", STRONG), (" proves", WARN))]
    found = [entry("asked", show(asked, limit=300))]
    found += [entry("" if n else "proven", says) for n, says in enumerate(by)]
    decision = case.decision("turn-off-mfa")
    if decision is not None:
        says = decision.why or "This role may turn it off here."
        rules = f" ({', '.join(decision.rules)})" if decision.rules else ""
        look = BAD if decision.is_refused else ""
        found.append(entry("card", show(f"{says}{rules}", look, limit=400)))
    if card is not None:
        lost = preview(TurnOffMfa(user=case.user.id), card, case).goes
        found += [entry("" if n else "lost", show(s, WARN)) for n, s in enumerate(lost)]
    return found


def shown_secret(title: str, secret: str, says: str) -> Content:
    """Return one thing on the demo telephone."""
    spaced = " ".join(secret[at : at + 3] for at in range(0, len(secret), 3))
    code = joined((Content.assemble((f" {clean(spaced)} ", LIVE)), show(says, QUIET)))
    return lines((show(title), code))
