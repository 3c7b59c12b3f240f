"""Group F: hostile until shown otherwise; weighed first and never outvoted."""

from __future__ import annotations

from datetime import datetime, timedelta

from helpdesk.domain.diagnosis.catalog import DECISIVE, FAIR, HINT, STRONG, Lines, Scene, cause
from helpdesk.domain.diagnosis.delivery import is_same_address
from helpdesk.domain.diagnosis.facts import (
    Call,
    Export,
    FactorChange,
    Facts,
    Password,
    Report,
    Reset,
)
from helpdesk.domain.diagnosis.opened import first_strangers
from helpdesk.domain.diagnosis.rounds import Round
from helpdesk.domain.diagnosis.strangers import (
    DAY,
    FAR,
    alarms,
    entered,
    foreign_entries,
    foreign_failures,
    moved_by_a_stranger,
    moves_of,
    own_beside,
    strange_rounds,
    strangeness,
    went_on_as_before,
    where,
)
from helpdesk.domain.diagnosis.verdicts import Evidence
from helpdesk.domain.tickets import Complaint

WISHES = frozenset({"reset", "turn-off", "change-number", "change-address"})
AT_IT = frozenset({Complaint.NO_CODE, Complaint.CODE_REFUSED, Complaint.LOOP})
"""Complaints of somebody who is logging in themselves."""


@cause("F1", "codes nobody asked for: somebody has the password", prior=0.0)
def unasked(scene: Scene) -> list[Evidence]:
    """A challenge from a foreign address, after the right password, that the user did not pass."""
    facts, lines = scene.facts, Lines(scene.facts)
    pushes = [one for one in facts.recent if one.factor == "push"]
    strange = [one for one in strange_rounds(facts) if one not in pushes or len(pushes) < 3]
    if strange:
        one = strange[-1]
        score = strangeness(facts, one)
        weight = min(FAIR + score, DECISIVE) if not any(a.ok for a in one.answers) else HINT
        if any(a.reason in {"wrong", None} for a in one.refusals) and not alarms(facts):
            weight -= HINT
        lines.add(
            weight, f"asked from a foreign place: {where(one)}", *(r.asked for r in strange[-3:])
        )
        if one.password:
            lines.add(HINT, "the right password was given from there", one.password)
    said = [r for r in alarms(facts) if _is_about_rounds(facts, r)]
    if said and facts.recent and not (pushes and len(pushes) >= 2):
        weight = FAIR + HINT if facts.unanswered or strange else FAIR
        lines.add(weight, f"the user reported: {said[-1].what}", said[-1])
    unwanted = facts.unanswered or strange
    if facts.complaint is Complaint.UNASKED_CODES and unwanted and len(pushes) < 3:
        weight = STRONG if not strange else FAIR
        lines.add(weight, "the user did not ask for these codes", unwanted[-1].asked)
    if lines.found and facts.is_strange("browser", strange[-1].browser if strange else None):
        lines.add(HINT / 2, "the browser was never seen before", strange[-1].asked)
    if strange and facts.complaint in AT_IT and not said:
        lines.add(-HINT, "the user is logging in, so it may be they", strange[-1].asked)
    if strange and own_beside(facts, strange[-1]):
        lines.add(HINT, "the user's own browser was at work elsewhere meanwhile")
    _let_in_or_tried(facts, lines)
    resets = [r for r in facts.since(Reset, timedelta(days=14)) if r.ok]
    if said and not strange and resets and resets[-1].at > said[-1].at:
        lines.add(-STRONG, "a reset followed, and the trouble is the block since", resets[-1])
    return lines.found


def _let_in_or_tried(facts: Facts, lines: Lines) -> None:
    """Note strangers who were let in, or whose passwords failed, where the user knows of none."""
    resets = [r.at for r in facts.since(Reset, timedelta(days=14)) if r.ok]
    fresh = [r for r in alarms(facts) if not any(at > r.at for at in resets)]
    if not fresh and facts.complaint is not Complaint.UNASKED_CODES:
        return
    inside = entered(facts)
    moved = [c for c in moves_of(facts, timedelta(days=7)) if inside and c.at < inside[-1].at]
    if inside and not moved and not first_strangers(facts):
        says = f"a login from {where(inside[-1])} was passed, and the user says it was not theirs"
        lines.add(DECISIVE, says, inside[-1].good)
    failed = foreign_failures(facts)
    if len(failed) > 1 and not lines.found:
        lines.add(STRONG, "passwords were tried from a foreign place", *failed[-3:])


def _is_about_rounds(facts: Facts, report: Report) -> bool:
    """Whether a report follows what it can be about, and no reset has settled it since."""
    settled = [r for r in facts.since(Reset, timedelta(days=14)) if r.ok and r.at > report.at]
    soon = report.at + timedelta(minutes=5)
    before = [one for one in facts.recent if one.at <= soon and not one.is_accepted]
    return bool(before) or not settled


@cause("F2", "a flood of pushes", prior=0.0, needs="push")
def push_flood(scene: Scene) -> list[Evidence]:
    """Push after push that the user declines or reports."""
    facts, lines = scene.facts, Lines(scene.facts)
    pushes = [one for one in facts.recent if one.factor == "push" and not one.is_accepted]
    sends = [s.event for one in pushes for s in one.sends]
    count = max(len(pushes), len(sends))
    declined = [a for one in pushes for a in one.refusals if a.reason == "declined"]
    reports = facts.since(Report, DAY)
    pushed = [
        r
        for r in reports
        if r.what in {"not-me", "declined", "suspicious"} and _is_about_rounds(facts, r)
    ]
    if count >= 4:
        burst = _densest(pushes) if len(pushes) > 1 else count
        weight = FAIR + min(burst - 1, 7) * 0.4 if burst >= 4 else HINT
        lines.add(weight, f"{count} pushes that nobody passed", *(r.asked for r in pushes[-4:]))
    if len(declined) >= 2:
        lines.add(FAIR + HINT, f"{len(declined)} pushes were declined", *declined[-3:])
    elif declined and count >= 2:
        lines.add(HINT, "a push was declined", *declined)
    if pushed and pushes:
        clear = any(r.what in {"not-me", "suspicious"} for r in pushed)
        lines.add(STRONG if clear else FAIR, f"the user reported: {pushed[-1].what}", pushed[-1])
    strange = [one for one in pushes if strangeness(facts, one) >= 1.0]
    if strange and (count >= 3 or lines.found):
        lines.add(
            HINT + 0.5, f"asked from a foreign place: {where(strange[-1])}", strange[-1].asked
        )
    if facts.complaint is Complaint.UNASKED_CODES and pushes:
        lines.add(FAIR, "the user did not ask for these pushes", pushes[-1].asked)
    own = [one for one in pushes if facts.is_own("ip", one.ip) and not one.refusals]
    if own and len(own) == len(pushes) and not pushed:
        lines.add(-FAIR, "they come from the user's own address", own[-1].asked)
    return lines.found


def _densest(rounds: list[Round]) -> int:
    """The most rounds within any ten minutes."""
    best = start = 0
    for end, one in enumerate(rounds):
        while one.at - rounds[start].at > timedelta(minutes=10):
            start += 1
        best = max(best, end - start + 1)
    return best


@cause("F3", "the caller may be the attacker", prior=0.0)
def caller_is_attacker(scene: Scene) -> list[Evidence]:
    """Help is asked soon after foreign failures, or after number or address were changed."""
    facts, lines = scene.facts, Lines(scene.facts)
    calls = [c for c in facts.since(Call) if c.asks in WISHES]
    if not calls:
        calls = [c for c in facts.since(Call) if _is_call_of_a_stranger(facts, c)]
    if not calls and not _wishes_without_a_call(facts):
        return []
    at = calls[-1].at if calls else facts.anchor
    moves = [c for c in moves_of(facts) if c.at <= at + timedelta(minutes=5)]
    failures = [e for e in foreign_failures(facts) if e.at <= at]
    strange = [one for one in strange_rounds(facts) if one.at <= at]
    resets = [r for r in facts.since(Reset, timedelta(days=14)) if r.ok]
    if moves:
        _after_a_move(facts, moves[-1], calls, lines)
    right = [p for p in foreign_entries(facts) if p.at <= at]
    if right:
        lines.add(HINT, "the right password was given from a foreign place", *right[-1:])
    if len(failures) >= 2 or strange or right:
        weight = DECISIVE + HINT if calls else STRONG
        lines.add(weight, "help was asked for after foreign failures", *failures[-3:], *calls[-1:])
    if not lines.found and calls:
        lines.add(HINT / 2, f"{calls[-1].asks} was asked for; nothing shows who called", calls[-1])
    if not lines.found:
        return []
    if calls and calls[-1].origin and _is_other_origin(facts, calls[-1].origin):
        lines.add(
            HINT + 0.5, "the call came from a number or address that is not on record", calls[-1]
        )
    if resets and not moves and resets[-1].at < at and len(failures) < 2:
        lines.add(-FAIR, "a reset was done before", resets[-1])
    return lines.found


def _is_call_of_a_stranger(facts: Facts, call: Call) -> bool:
    """Whether a call that wishes no change came soon after a stranger was at work.

    Whatever it asks for: a code would go to the stranger.
    """
    if moved_by_a_stranger(facts, call.at):
        return True
    tries = [p for p in foreign_failures(facts) if timedelta(0) <= call.at - p.at <= TRIED]
    far = [p for p in tries if isinstance(p, Password) and strangeness(facts, p, p.at) >= FAR]
    return len(far) > 2 and facts.complaint is not Complaint.UNASKED_CODES


TRIED = timedelta(hours=2)
"""Tries are held against a call this long; our own measure."""


def _wishes_without_a_call(facts: Facts) -> bool:
    """Whether the complaint itself is the wish for help, though no call is in the log."""
    if facts.complaint in {Complaint.LOST_FACTOR, Complaint.TURN_OFF}:
        return True
    return facts.complaint in AT_IT and moved_by_a_stranger(facts, facts.now)


def _after_a_move(facts: Facts, move: FactorChange, calls: list[Call], lines: Lines) -> None:
    """Weigh a wish for help that follows a change of number or address."""
    asked = f"{calls[-1].asks} was asked for" if calls else "help was asked for"
    says = f"{asked} after {move.change.replace('-', ' ')}"
    if facts.is_own("ip", move.ip, move.at) or went_on_as_before(facts, move):
        lines.add(HINT / 2, says, move, *calls[-1:])
        lines.add(-HINT, "the change came from the user's own address or browser", move)
        return
    lines.add(STRONG + HINT + (HINT if calls else 0), says, move, *calls[-1:])
    if facts.is_strange("ip", move.ip, move.at):
        lines.add(HINT + 0.5, "the change came from an unknown address", move)


def _is_other_origin(facts: Facts, origin: str) -> bool:
    known = [facts.user.mobile, facts.user.login, facts.user.notification_address]
    found = [
        is_same_address(origin, full) for full in known if full and ("@" in full) == ("@" in origin)
    ]
    return bool(found) and not any(found)


@cause("F4", "number, mailbox or way in taken over", prior=0.0)
def taken_over(scene: Scene) -> list[Evidence]:
    """The number or address changed, then a good login from a new address, then an export.

    Or a way in was opened, and the first who came through it is nobody that is known.
    """
    facts, lines = scene.facts, Lines(scene.facts)
    _moved_and_entered(facts, lines)
    if sum(one.weight for one in lines.found) < STRONG:
        _opened_and_entered(facts, lines)
    return lines.found


def _opened_and_entered(facts: Facts, lines: Lines) -> None:
    """Weigh the first entry after a reset, a pass, MFA off or an enrolment by the desk."""
    strangers = first_strangers(facts)
    if not strangers:
        return
    one = strangers[-1]
    says = f"{one.says}, first entry from {where(one.entry)}"
    lines.add(STRONG, says, one.opened, *one.entry.events)
    if one.strangeness >= FAR:
        lines.add(HINT, "nothing of it was seen on this user before", *one.entry.events[-1:])
    exports = [export for export in facts.every(Export) if export.at > one.entry.at]
    if exports:
        lines.add(FAIR, "then contacts were exported", exports[-1])


def _moved_and_entered(facts: Facts, lines: Lines) -> None:
    """Weigh the first entry after a change of number or address."""
    for change in reversed(moves_of(facts, timedelta(days=7))):
        intruders = [
            one
            for one in facts.rounds
            if one.is_accepted
            and (one.ended_at or one.at) > change.at
            and _is_new_here(facts, one, change.at)
        ]
        if not intruders:
            continue
        says = f"{change.change.replace('-', ' ')}, then a good login from {where(intruders[0])}"
        strangest = strangeness(facts, intruders[0], change.at)
        lines.add(STRONG if strangest else HINT, says, change, intruders[0].good)
        if strangest >= 2.5:
            lines.add(HINT, "the login looks foreign beside the earlier ones", intruders[0].asked)
        exports = [e for e in facts.every(Export) if e.at > change.at]
        asked = [one for one in facts.rounds if one.at > change.at and one.rule == "export"]
        if exports or asked:
            soon = [*exports, *(r.asked for r in asked if r.asked)][0]
            near = soon.at - change.at <= DAY
            weight = FAIR + (HINT if near else 0) + (0 if strangest else FAIR)
            lines.add(
                weight, "then contacts were exported", *exports[-1:], *(r.asked for r in asked[-1:])
            )
        if facts.is_own("ip", change.ip, change.at):
            lines.add(-FAIR, "the change came from the user's own address", change)
        elif facts.is_strange("ip", change.ip, change.at):
            lines.add(HINT, "the change came from an unknown address", change)
        break


def _is_new_here(facts: Facts, one: Round, before: datetime) -> bool:
    """Whether a login came with nothing that the user was let in with before."""
    if facts.is_own("browser", one.browser, before) or facts.is_own("ip", one.ip, before):
        return False
    if strangeness(facts, one, before) > 0:
        return True
    known = any(since < before for trait in facts.own.values() for since in trait.values())
    return not known and one.at - before <= DAY
