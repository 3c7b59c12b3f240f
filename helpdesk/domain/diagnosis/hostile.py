"""Group F: hostile until shown otherwise; weighed first and never outvoted."""

from __future__ import annotations

from datetime import datetime, timedelta

from helpdesk.domain.diagnosis.catalog import DECISIVE, FAIR, HINT, STRONG, Lines, Scene, cause
from helpdesk.domain.diagnosis.delivery import is_same_address
from helpdesk.domain.diagnosis.facts import (
    Answer,
    Call,
    Export,
    FactorChange,
    Facts,
    Password,
    Report,
    Reset,
)
from helpdesk.domain.diagnosis.rounds import Round
from helpdesk.domain.diagnosis.verdicts import Evidence
from helpdesk.domain.tickets import Complaint

DAY = timedelta(hours=24)
WISHES = frozenset({"reset", "turn-off", "change-number", "change-address"})
AT_IT = frozenset({Complaint.NO_CODE, Complaint.CODE_REFUSED, Complaint.LOOP})
"""Complaints of somebody who is logging in themselves."""
MOVES = ("number-changed", "address-changed")


def strangeness(facts: Facts, one: Round | Password, before: datetime | None = None) -> float:
    """How foreign an attempt looks beside what this user was let in with; 0 where it does not."""
    score = 0.0
    for trait, weight in (("ip", 1.0), ("browser", 1.5), ("place", 1.5), ("agent", 0.5)):
        if facts.is_strange(trait, getattr(one, trait), before):
            score += weight
        elif trait in {"browser", "ip"} and facts.is_own(trait, getattr(one, trait), before):
            score -= 2.0 if trait == "browser" else 1.0
    if one.network == "hosting":
        score += 1.5
    if isinstance(one, Round) and one.trust == "good":
        score -= 2.0
    if not facts.own["ip"] and one.network in {"hosting", "vpn"}:
        score += 1.0
    return max(score, 0.0)


def strange_rounds(facts: Facts) -> list[Round]:
    """Rounds of the last day that nobody passed and that look foreign.

    Whoever typed a code that was really sent reads the user's messages, and is no stranger here.
    """
    enough = 1.0 if facts.complaint is Complaint.UNASKED_CODES or alarms(facts) else 2.0
    return [
        one
        for one in facts.recent
        if not one.is_accepted
        and not _holds_code(facts, one)
        and is_from_elsewhere(facts, one)
        and strangeness(facts, one) + (1.0 if _own_beside(facts, one) else 0.0) >= enough
        and strangeness(facts, one) > 0
    ]


def is_from_elsewhere(facts: Facts, one: Round | Password, before: datetime | None = None) -> bool:
    """Whether an attempt came from another network or place; a new device alone is none.

    Where the log says nothing of networks and places, it may have.
    """
    if facts.is_own("ip", one.ip, before) or facts.is_beside_own(one.ip, one.at):
        return False
    if facts.is_strange("ip", one.ip, before) or facts.is_strange("place", one.place, before):
        return True
    if one.network in {"hosting", "vpn"}:
        return True
    is_told = facts.complaint is Complaint.UNASKED_CODES or bool(alarms(facts))
    return is_told and not (one.ip or one.place or one.network)


def _holds_code(facts: Facts, one: Round) -> bool:
    if one.browser:
        return one.browser in facts.code_holders
    return one.ip is not None and one.ip in facts.code_holders


def alarms(facts: Facts) -> list[Report]:
    """Reports of the last two days that say: this was not me."""
    return [r for r in facts.since(Report, timedelta(days=2)) if r.what in {"not-me", "suspicious"}]


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
            weight, f"asked from a foreign place: {_where(one)}", *(r.asked for r in strange[-3:])
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
    if strange and _own_beside(facts, strange[-1]):
        lines.add(HINT, "the user's own browser was at work elsewhere meanwhile")
    resets = [r for r in facts.since(Reset, timedelta(days=14)) if r.ok]
    if said and not strange and resets and resets[-1].at > said[-1].at:
        lines.add(-STRONG, "a reset followed, and the trouble is the block since", resets[-1])
    return lines.found


def _is_about_rounds(facts: Facts, report: Report) -> bool:
    """Whether a report follows what it can be about, and no reset has settled it since."""
    settled = [r for r in facts.since(Reset, timedelta(days=14)) if r.ok and r.at > report.at]
    soon = report.at + timedelta(minutes=5)
    before = [one for one in facts.recent if one.at <= soon and not one.is_accepted]
    return bool(before) or not settled


def _where(one: Round) -> str:
    parts = [one.place or "", one.network or "", one.ip or ""]
    return ", ".join(part for part in parts if part) or "unknown"


def _own_beside(facts: Facts, strange: Round) -> bool:
    for trait in ("browser", "ip"):
        mine = getattr(strange, trait)
        if mine:
            return any(
                getattr(one, trait) not in {None, mine}
                and facts.is_own(trait, getattr(one, trait))
                and abs(one.at - strange.at) <= timedelta(hours=6)
                for one in facts.visits
            )
    return False


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
            HINT + 0.5, f"asked from a foreign place: {_where(strange[-1])}", strange[-1].asked
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


def _moves(facts: Facts, span: timedelta = DAY) -> list[FactorChange]:
    return [c for c in facts.since(FactorChange, span) if c.change in MOVES][-12:]


def foreign_failures(facts: Facts) -> list[Answer | Password]:
    """Failures of the last day from addresses that are not the user's, oldest first."""
    found: list[Answer | Password] = [
        p for p in facts.since(Password) if not p.ok and _is_foreign(facts, p)
    ]
    for one in facts.recent:
        if one.is_accepted or strangeness(facts, one) < 1.0:
            continue
        found += one.refusals
    return sorted(found, key=lambda event: event.at)


def _is_foreign(facts: Facts, password: Password) -> bool:
    return strangeness(facts, password) >= 1.0 and not facts.is_beside_own(password.ip, password.at)


@cause("F3", "the caller may be the attacker", prior=0.0)
def caller_is_attacker(scene: Scene) -> list[Evidence]:
    """Help is asked soon after foreign failures, or after number or address were changed."""
    facts, lines = scene.facts, Lines(scene.facts)
    calls = [c for c in facts.since(Call) if c.asks in WISHES]
    if not calls:
        calls = [c for c in facts.since(Call) if _moved_by_a_stranger(facts, c.at)]
    if not calls and not _wishes_without_a_call(facts):
        return []
    at = calls[-1].at if calls else facts.anchor
    moves = [c for c in _moves(facts) if c.at <= at + timedelta(minutes=5)]
    failures = [e for e in foreign_failures(facts) if e.at <= at]
    strange = [one for one in strange_rounds(facts) if one.at <= at]
    resets = [r for r in facts.since(Reset, timedelta(days=14)) if r.ok]
    if moves:
        _after_a_move(facts, moves[-1], calls, lines)
    if len(failures) >= 2 or strange:
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


def _wishes_without_a_call(facts: Facts) -> bool:
    """Whether the complaint itself is the wish for help, though no call is in the log."""
    if facts.complaint in {Complaint.LOST_FACTOR, Complaint.TURN_OFF}:
        return True
    return facts.complaint in AT_IT and _moved_by_a_stranger(facts, facts.now)


def _moved_by_a_stranger(facts: Facts, at: datetime) -> bool:
    """Whether number or address were changed, in the day before, from a never-seen address.

    Any call after that counts, whatever it asks for: a code would go to the stranger.
    """
    moves = [c for c in _moves(facts) if c.at <= at + timedelta(minutes=5)]
    return (
        bool(moves)
        and not any(one.is_accepted and one.at > moves[-1].at for one in facts.recent)
        and facts.is_strange("ip", moves[-1].ip, moves[-1].at)
        and not facts.is_beside_own(moves[-1].ip, moves[-1].at)
        and not _went_on_as_before(facts, moves[-1])
    )


def _after_a_move(facts: Facts, move: FactorChange, calls: list[Call], lines: Lines) -> None:
    """Weigh a wish for help that follows a change of number or address."""
    asked = f"{calls[-1].asks} was asked for" if calls else "help was asked for"
    says = f"{asked} after {move.change.replace('-', ' ')}"
    if facts.is_own("ip", move.ip, move.at) or _went_on_as_before(facts, move):
        lines.add(HINT / 2, says, move, *calls[-1:])
        lines.add(-HINT, "the change came from the user's own address or browser", move)
        return
    lines.add(STRONG + HINT + (HINT if calls else 0), says, move, *calls[-1:])
    if facts.is_strange("ip", move.ip, move.at):
        lines.add(HINT + 0.5, "the change came from an unknown address", move)


def _went_on_as_before(facts: Facts, move: FactorChange) -> bool:
    """Whether the user's own browser or address logged in well after a change, and no other did."""
    after: list[Round | Password] = [
        one for one in facts.rounds if one.is_accepted and one.at > move.at
    ]
    after += [password for password in facts.trusted_logins if password.at > move.at]
    return bool(after) and all(
        facts.is_own("browser", one.browser, move.at)
        or (one.browser is None and facts.is_own("ip", one.ip, move.at))
        for one in after
    )


def _is_other_origin(facts: Facts, origin: str) -> bool:
    known = [facts.user.mobile, facts.user.login, facts.user.notification_address]
    found = [
        is_same_address(origin, full) for full in known if full and ("@" in full) == ("@" in origin)
    ]
    return bool(found) and not any(found)


@cause("F4", "number or mailbox taken over", prior=0.0)
def taken_over(scene: Scene) -> list[Evidence]:
    """The number or address changed, then a good login from a new address, then an export."""
    facts, lines = scene.facts, Lines(scene.facts)
    for change in reversed(_moves(facts, timedelta(days=7))):
        entered = [
            one
            for one in facts.rounds
            if one.is_accepted
            and (one.ended_at or one.at) > change.at
            and _is_new_here(facts, one, change.at)
        ]
        if not entered:
            continue
        says = f"{change.change.replace('-', ' ')}, then a good login from {_where(entered[0])}"
        strangest = strangeness(facts, entered[0], change.at)
        lines.add(STRONG if strangest else HINT, says, change, entered[0].good)
        if strangest >= 2.5:
            lines.add(HINT, "the login looks foreign beside the earlier ones", entered[0].asked)
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
    return lines.found


def _is_new_here(facts: Facts, one: Round, before: datetime) -> bool:
    """Whether a login came with nothing that the user was let in with before."""
    if facts.is_own("browser", one.browser, before) or facts.is_own("ip", one.ip, before):
        return False
    if strangeness(facts, one, before) > 0:
        return True
    known = any(since < before for trait in facts.own.values() for since in trait.values())
    return not known and one.at - before <= DAY
