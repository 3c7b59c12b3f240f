"""Group D, of codes that belong to another try or were used by somebody else."""

from __future__ import annotations

from datetime import datetime, timedelta

from helpdesk.domain.diagnosis.catalog import DECISIVE, FAIR, HINT, STRONG, Lines, Scene, cause
from helpdesk.domain.diagnosis.facts import Answer, Facts, Fetch, Password, once
from helpdesk.domain.diagnosis.refusal import BLAND, UNSENT, Refusal, is_left_behind, refusals
from helpdesk.domain.diagnosis.rounds import Round
from helpdesk.domain.diagnosis.verdicts import Evidence, Source


@cause("D7", "the code of another try, tab or colleague", prior=0.0, needs="email sms voice")
def foreign_code(scene: Scene) -> list[Evidence]:
    """The code belongs to another challenge of the user or the account."""
    facts, lines = scene.facts, Lines(scene.facts)
    again = False
    for refusal in reversed(refusals(facts)):
        if refusal.round.factor in UNSENT:
            continue
        again = refusal.typed_earlier is not None
        _belongs_elsewhere(facts, refusal, lines)
        if lines.found:
            break
    taken = _taken_by_another(facts)
    if taken:
        lines.add(STRONG, "somebody else who was logging in had used the code", taken)
    elif lines.found and scene.crowd.colleagues:
        lines.note(FAIR, "a colleague of the account was logging in as well", Source.FLEET)
    elif lines.found and facts.card.codes.shared.value and not again:
        lines.note(HINT / 2, "several people read the same mailbox", Source.CARD)
    return lines.found


def _taken_by_another(facts: Facts) -> Answer | None:
    """The good answer to a code that was refused later, from where another user was logging in."""
    late = {r.round.id for r in refusals(facts) if r.answer.reason in BLAND | {"reused"}}
    for one in reversed(facts.recent):
        good = one.good
        if good and one.id in late and good.ip != one.asker_ip and good.ip in facts.others_ips:
            return good
    return None


def _belongs_elsewhere(facts: Facts, refusal: Refusal, lines: Lines) -> None:
    answer = refusal.answer
    if answer.send in {s.event.send for s in facts.confirmations}:
        return
    is_other = (
        answer.send is not None
        and refusal.typed is None
        and (answer.send in facts.sent_to or bool(refusal.out))
    )
    if is_other:
        lines.add(_otherness(facts, refusal), "the code belongs to another challenge", answer)
    if answer.reason == "foreign":
        lines.add(STRONG if not is_other else HINT, "refused as belonging elsewhere", answer)
    elif answer.reason == "reused":
        lines.add(HINT + 0.5, "somebody had used the code already", answer)
    if not lines.found and refusal.is_bland:
        _open_beside(facts, refusal, lines)


def _otherness(facts: Facts, refusal: Refusal) -> float:
    """How strongly a code of another challenge speaks for another try, tab or colleague."""
    answer = refusal.answer
    if answer.send in facts.others_sends:
        return DECISIVE
    if is_left_behind(facts, refusal):
        return FAIR + HINT
    if answer.send not in facts.sent_to and answer.reason != "foreign":
        return FAIR
    is_plain = refusal.typed_earlier is not None and answer.reason in BLAND
    return STRONG if is_plain else DECISIVE - HINT / 2


def _open_beside(facts: Facts, refusal: Refusal, lines: Lines) -> None:
    beside = [
        one
        for one in facts.recent
        if one is not refusal.round
        and one.sends
        and timedelta(0) <= refusal.answer.at - one.at <= timedelta(minutes=10)
        and not (one.ended_at and one.ended_at < refusal.round.at)
    ]
    if beside:
        lines.add(
            FAIR, "another challenge was open at the same time", refusal.answer, beside[-1].asked
        )


@cause("D8", "a mail filter opened it first", prior=-0.2, needs="email")
def scanner(scene: Scene) -> list[Evidence]:
    """Used seconds after it arrived, from a foreign address that gave no password."""
    facts, lines = scene.facts, Lines(scene.facts)
    for one in reversed(facts.recent):
        for fetch in _fetches(facts, one):
            if _is_outsider(facts, one, fetch.ip):
                says = "opened within seconds from another address, with no password from there"
                came = _came_at(one)
                at_once = fetch.at - came <= SCAN / 3
                lines.add(DECISIVE if at_once else FAIR + HINT, says, fetch)
                break
        arrived = _came_at(one)
        for answer in one.answers:
            soon = answer.at - max(arrived, one.at) <= SCAN
            if answer.ok and answer.ip and soon and _is_outsider(facts, one, answer.ip):
                says = "answered within seconds from another address, with no password from there"
                lines.add(_too_quick(answer.at - max(arrived, one.at)), says, answer)
                break
        if lines.found:
            late = [a for a in one.refusals if a.reason in {"reused", "superseded"}]
            if late:
                lines.add(HINT, "the user's own try came too late", *late)
            elif one.good and one.good.ip == one.asker_ip and one.good.ip and not one.refusals:
                lines.add(-STRONG, "the user's own code was taken all the same", one.good)
            break
    return lines.found


def handless(facts: Facts) -> Answer | None:
    """The good answer of the newest round, where no hand of the user can have typed it."""
    one = facts.last
    if one is None or one.good is None or one.factor != "email" or not one.good.ip:
        return None
    quick = one.good.at - max(_came_at(one), one.at) <= HAND
    return one.good if quick and _is_outsider(facts, one, one.good.ip) else None


def _came_at(one: Round) -> datetime:
    """When the first message of a round arrived, else when it was asked for."""
    return min((s.arrived_at for s in one.sends if s.arrived_at), default=one.at)


def _too_quick(after: timedelta) -> float:
    """How strongly the time since the message came says that no hand typed it."""
    if after <= HAND:
        return DECISIVE
    return STRONG + HINT if after <= SCAN / 4 else FAIR + HINT


HAND = timedelta(seconds=12)
"""Nobody finds, opens, reads and types a message faster; our own measure."""

SCAN = timedelta(seconds=90)
"""A filter opens a message this soon after it came; our own measure."""


def _fetches(facts: Facts, one: Round) -> list[Fetch]:
    """Messages of a round that were opened soon after they came, known by the send or the time."""
    known = [
        f
        for s in one.sends
        for f in s.fetches
        if f.at - (s.arrived or s.event).at <= SCAN or not s.arrived
    ]
    if known or facts.tells_send_rows:
        return known
    return facts.between(Fetch, one.at, one.at + 2 * SCAN)


@once
def _password_ips(facts: Facts) -> set[str]:
    return {password.ip for password in facts.since(Password) if password.ip}


def _is_outsider(facts: Facts, one: Round, ip: str | None) -> bool:
    """Whether an address is neither the round's nor one that ever gave a password."""
    if ip is None:
        return True
    if one.asker_ip is None and not facts.is_strange("ip", ip, one.at):
        return False
    known = (
        ip in _password_ips(facts) or facts.is_own("ip", ip, one.at) or facts.is_colleague("ip", ip)
    )
    return ip != one.asker_ip and not known and ip not in facts.others_ips
