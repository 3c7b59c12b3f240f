"""Group D: the code comes and is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from helpdesk.domain.codes import expiry
from helpdesk.domain.diagnosis import session
from helpdesk.domain.diagnosis.catalog import DECISIVE, FAIR, HINT, STRONG, Lines, Scene, cause
from helpdesk.domain.diagnosis.facts import Answer, Facts, Fetch, Password
from helpdesk.domain.diagnosis.rounds import Round, Sent
from helpdesk.domain.diagnosis.verdicts import Evidence, Source
from helpdesk.domain.timeline import Lock

BLAND = frozenset({"wrong", None})
"""Words for a refusal that say nothing of why."""

TOTP_WINDOW_S = 30.0
"""A code of the step before or after is taken by most; RFC 6238 recommends one step."""

SAME_OFFSET_S = 15.0
"""Two measured offsets closer than this are one: half a step of 30 s."""


class Refusal:
    """One refused answer and the codes that were out when it came.

    Attributes:
        out: Codes of the round sent before the answer, oldest first.
        typed: Whose code it was, where the log says so.
    """

    def __init__(self, facts: Facts, one: Round, answer: Answer) -> None:
        self.facts, self.round, self.answer = facts, one, answer
        self.out = [s for s in one.sends if s.event.at <= answer.at + timedelta(seconds=2)]
        self.typed = next((s for s in one.sends if s.event.send == answer.send), None)
        self.earlier = [s for r in facts.recent if self._is_earlier(r) for s in r.sends]
        self.typed_earlier = next((s for s in self.earlier if s.event.send == answer.send), None)

    def _is_earlier(self, one: Round) -> bool:
        """Whether a round is an abandoned try of the same browser just before this one."""
        mine = self.round
        near = timedelta(0) < mine.at - one.at <= timedelta(minutes=30)
        tabs = {r.asked.tab for r in (one, mine) if r.asked and r.asked.tab}
        return (
            one is not mine
            and near
            and not one.is_accepted
            and len(tabs) < 2
            and all(getattr(one, t) == getattr(mine, t) for t in ("browser", "ip", "factor"))
        )

    @property
    def newest(self) -> Sent | None:
        """The newest code that was out."""
        return self.out[-1] if self.out else None

    @property
    def is_bland(self) -> bool:
        """Whether the log says neither why nor whose code it was."""
        return self.answer.reason in BLAND and self.answer.send is None

    def is_over(self, sent: Sent) -> bool | None:
        """Whether a code had died when it was typed; None where no life is known."""
        end = expiry(self.facts.card, sent.event)
        return None if end is None else self.answer.at > end

    @property
    def age_s(self) -> float:
        """Seconds from the newest send to the answer."""
        return (self.answer.at - self.newest.event.at).total_seconds() if self.newest else 0.0


def refusals(facts: Facts) -> list[Refusal]:
    """Refused answers of the last day, oldest first, at most 20."""
    found = [
        Refusal(facts, one, answer)
        for one in facts.recent
        for answer in one.refusals
        if answer.reason not in {"declined", "timeout"}
    ]
    found.sort(key=lambda refusal: refusal.answer.at)
    return found[-20:]


def sent_refusals(facts: Facts) -> list[Refusal]:
    """Refusals of codes that were sent, not made by an app."""
    told = {"expired", "superseded"}
    return [
        r
        for r in refusals(facts)
        if r.round.factor not in {"totp", "push"} and (r.out or r.answer.reason in told)
    ]


def totp_refusals(facts: Facts) -> list[Refusal]:
    """Refusals of codes made by an app."""
    return [
        r for r in refusals(facts) if r.round.factor == "totp" or (not r.out and r.answer.drift_s)
    ]


def lock_at(facts: Facts, at: datetime) -> Lock | None:
    """The lock in force at a moment, or None."""
    return next(
        (
            lock
            for lock in reversed(facts.every(Lock))
            if lock.since <= at + timedelta(seconds=2) and (lock.until is None or lock.until > at)
        ),
        None,
    )


def _solved(facts: Facts, refusal: Refusal) -> Answer | None:
    """The good answer that soon followed a refusal on the same code, or None."""
    good = next((a for a in refusal.round.answers if a.ok and a.at >= refusal.answer.at), None)
    if good is None or good.at - refusal.answer.at > timedelta(minutes=5):
        return None
    resent = [s for s in refusal.round.sends if refusal.answer.at < s.event.at < good.at]
    return None if resent else good


@cause("D1", "the code had expired", prior=0.3, needs="email sms voice")
def expired(scene: Scene) -> list[Evidence]:
    """The code of the newest message, typed after its time."""
    facts, lines = scene.facts, Lines(scene.facts)
    for refusal in reversed(sent_refusals(facts)):
        answer, newest = refusal.answer, refusal.newest
        over = refusal.is_over(newest) if newest else None
        if answer.reason == "expired":
            is_older = refusal.typed is not None and refusal.typed is not newest
            lines.add(DECISIVE - (FAIR if is_older else 0), "refused as expired", answer)
        elif newest and refusal.typed is newest and over:
            lines.add(DECISIVE, "the newest code, typed after its time", answer, newest.event)
        elif refusal.is_bland:
            _expired_by_time(refusal, over, lines)
        elif refusal.typed is newest and over is None and refusal.age_s > 300:
            lines.add(
                FAIR + HINT, f"the newest code, typed {refusal.age_s / 60:.0f} min later", answer
            )
        if lines.found:
            break
    if lines.found and any(
        not r.is_bland and r.answer.reason != "expired" for r in sent_refusals(facts)[-2:]
    ):
        lines.add(-HINT, "the log names another reason as well")
    return lines.found


def _expired_by_time(refusal: Refusal, over: bool | None, lines: Lines) -> None:
    several = len(refusal.out) > 1
    answer, newest = refusal.answer, refusal.newest
    if over:
        lines.add(STRONG - (HINT if several else 0), "typed after its time was over", answer)
    elif over is None and refusal.age_s > 300:
        weight = FAIR + HINT if refusal.age_s > 600 else FAIR
        lines.add(weight, f"typed {refusal.age_s / 60:.0f} min after it was sent", answer)
    elif several:
        says = "several codes were out; the log does not say whose was typed"
        lines.add(
            FAIR - (HINT if over is False else 0), says, answer, newest.event if newest else None
        )


@cause("D2", "superseded by a newer code", prior=0.3, needs="email sms voice")
def superseded(scene: Scene) -> list[Evidence]:
    """The code of an older message, still inside its life."""
    facts, lines = scene.facts, Lines(scene.facts)
    for refusal in reversed(sent_refusals(facts)):
        answer, newest = refusal.answer, refusal.newest
        older = refusal.typed if refusal.typed is not newest else None
        if answer.reason == "superseded":
            lines.add(
                DECISIVE + 0.5,
                "refused as superseded by a newer code",
                answer,
                newest.event if newest else None,
            )
        elif older is not None and answer.reason in BLAND | {"expired"}:
            alive = not refusal.is_over(older) and answer.reason != "expired"
            says = "the code of an older message was typed"
            lines.add(DECISIVE if alive else FAIR, says, answer, older.event)
        elif refusal.typed_earlier is not None and answer.reason in BLAND:
            says = "the code of an older message, from the try before, was typed"
            lines.add(STRONG, says, answer, refusal.typed_earlier.event)
        elif refusal.is_bland and len(refusal.out) > 1:
            _older_by_time(refusal, lines)
        elif refusal.is_bland and refusal.earlier:
            lines.add(FAIR, "a code of the try before was still out", refusal.earlier[-1].event)
        if lines.found:
            break
    if not lines.found and any(r.is_bland for r in sent_refusals(facts)):
        lines.add(HINT / 2, "refused; the log does not say whose code was typed")
    if lines.found and _solved(facts, sent_refusals(facts)[-1]):
        lines.add(HINT, "and the next code was taken")
    return lines.found


def _older_by_time(refusal: Refusal, lines: Lines) -> None:
    newest, answer = refusal.newest, refusal.answer
    if newest is None:
        return
    over = refusal.is_over(newest)
    weight = FAIR + 0.5 if not over else HINT
    if not over and refusal.age_s < 60:
        weight = STRONG
    if newest.arrived and newest.arrived.at > answer.at:
        weight = STRONG + HINT
    lines.add(
        weight, "several codes were out, and the newest had just been sent", answer, newest.event
    )


@cause("D3", "a typing mistake", prior=0.2)
def typing(scene: Scene) -> list[Evidence]:
    """It fits no code, and the next try on the same code was good."""
    facts, lines = scene.facts, Lines(scene.facts)
    found = [r for r in refusals(facts) if r.answer.reason in BLAND and r.answer.send is None]
    if not found:
        if session.blind_loop(facts, Lines(facts)):
            lines.add(
                FAIR + 0.5, "asked again and again; the log holds no answers", facts.visits[-1]
            )
        return lines.found
    last = found[-1]
    good = _solved(facts, last)
    older = good or next((g for r in reversed(found) if (g := _solved(facts, r))), None)
    if older and not good:
        lines.add(HINT, "an earlier slip was mended by the next try", older)
    if good:
        lines.add(
            STRONG + HINT, "the next try was good, with no new code in between", last.answer, good
        )
    else:
        lines.add(FAIR - HINT / 2, "refused as wrong", last.answer)
    if facts.tells_sends or facts.tells_reasons:
        lines.add(HINT + 0.5, "it fits no code that was sent", last.answer)
    newest = last.newest
    if newest and last.is_over(newest):
        lines.add(-FAIR, "its time was over anyway", last.answer)
    if len(last.out) > 1 and not good:
        lines.add(-HINT, "several codes were out", last.answer)
    if lock_at(facts, last.answer.at - timedelta(seconds=3)):
        lines.add(-STRONG, "a lock was in force, so the right code fails too", last.answer)
    if last.round.factor == "totp" and len(found) > 2 and not good:
        lines.add(-HINT, "it fails each time", *(r.answer for r in found[-3:]))
    if facts.loops and not facts.last_refused:
        lines.add(-FAIR, "other codes were taken, and it asked again", facts.loops[-1][0].good)
    return lines.found


def drifts(answers: Sequence[Answer]) -> list[float]:
    """The offsets in seconds beyond the window that these answers measured, oldest first."""
    return [a.drift_s for a in answers if a.drift_s is not None and abs(a.drift_s) > TOTP_WINDOW_S]


@cause("D4", "the phone's clock is off", prior=0.2, needs="totp")
def clock_drift(scene: Scene) -> list[Evidence]:
    """The code fits a step outside the window, by the same offset twice."""
    facts, lines = scene.facts, Lines(scene.facts)
    answers = [r.answer for r in totp_refusals(facts)]
    if not answers:
        return []
    offsets = drifts(answers)
    named = [a for a in answers if a.reason == "drift"]
    if len(offsets) > 1 and abs(offsets[-1] - offsets[-2]) <= SAME_OFFSET_S:
        lines.add(DECISIVE, f"two codes with one offset, {offsets[-1]:+.0f} s", *answers[-2:])
    elif offsets or named:
        offset = f", {offsets[-1]:+.0f} s" if offsets else ""
        lines.add(STRONG + HINT, f"the code fits another moment{offset}", (named or answers)[-1])
    elif all(a.reason in BLAND for a in answers[-2:]):
        lines.add(
            FAIR + (0.3 if len(answers) > 1 else 0),
            "app codes refused; no offset was measured",
            *answers[-3:],
        )
        _not_drift(scene, lines)
    if "D4b" in scene.crowd.shared:
        lines.note(-DECISIVE, "many users have the same offset", Source.FLEET)
    return lines.found


def _not_drift(scene: Scene, lines: Lines) -> None:
    refusal = totp_refusals(scene.facts)[-1]
    if _solved(scene.facts, refusal):
        lines.add(-FAIR, "the next code was good", refusal.answer)


@cause("D4b", "our server's clock is off", prior=-0.4, needs="totp")
def server_clock(scene: Scene) -> list[Evidence]:
    """Many users have the same offset in the same minutes."""
    facts, lines = scene.facts, Lines(scene.facts)
    answers = [r.answer for r in totp_refusals(facts)]
    if answers and "D4b" in scene.crowd.shared:
        lines.note(DECISIVE + FAIR, scene.crowd.shared["D4b"], Source.FLEET)
    elif drifts(answers) or any(a.reason == "drift" for a in answers):
        lines.add(HINT, "the offset could be ours", answers[-1])
        if "D4b" in scene.crowd.clears:
            lines.note(-FAIR, "other users have no such offset", Source.FLEET)
    return lines.found


@cause("D5", "an old entry in the app", prior=0.0, needs="totp")
def old_entry(scene: Scene) -> list[Evidence]:
    """It fits at no offset, and the factor was enrolled anew lately."""
    facts, lines = scene.facts, Lines(scene.facts)
    bland = [r for r in totp_refusals(facts) if r.answer.reason in BLAND and not r.answer.drift_s]
    if not bland:
        return []
    answers = [r.answer for r in bland]
    first = answers[0].at
    enrolled = [
        c
        for c in facts.changes("enrolled")
        if c.factor in {"totp", None} and c.at <= answers[-1].at
    ]
    known = {f.id: f.kind.value for f in facts.user.factors}
    enrolled += [c for c in facts.changes("enrolled") if known.get(c.factor or "") == "totp"]
    since = [f.since for f in facts.user.live_factors if f.kind.value == "totp" and f.since]
    if enrolled and first - enrolled[-1].at < timedelta(days=14):
        lines.add(STRONG, "the app was enrolled anew lately", enrolled[-1])
    elif any(timedelta(0) <= first - at < timedelta(days=14) for at in since):
        lines.add(FAIR, "the factor is only days old")
    weight = FAIR + (0.3 if len(answers) > 1 else -HINT)
    lines.add(weight, "app codes fit no moment that was tried", *answers[-3:])
    if facts.last_good_at and enrolled and facts.last_good_at > enrolled[-1].at:
        lines.add(-HINT, "it worked after that enrolment", enrolled[-1])
    if any(_solved(facts, r) for r in bland):
        lines.add(-FAIR - HINT, "the next code was good", answers[-1])
    return lines.found


@cause("D6", "the same app code twice", prior=0.0, needs="totp")
def reused(scene: Scene) -> list[Evidence]:
    """A code that was accepted already."""
    facts, lines = scene.facts, Lines(scene.facts)
    for refusal in reversed(refusals(facts)):
        answer = refusal.answer
        is_app = refusal.round.factor in {"totp", None} and not refusal.out
        if answer.reason == "reused":
            weight = DECISIVE if is_app else FAIR
            lines.add(weight, "refused as used already", answer)
            break
        if is_app and answer.reason in BLAND and refusal.round.factor == "totp":
            good = [
                a
                for a in facts.between(Answer, answer.at - timedelta(seconds=65), answer.at)
                if a.ok
            ]
            if good:
                lines.add(STRONG, "a code was accepted less than a step before", good[-1], answer)
                break
    return lines.found


@cause("D7", "the code of another try, tab or colleague", prior=0.0, needs="email sms voice")
def foreign_code(scene: Scene) -> list[Evidence]:
    """The code belongs to another challenge of the user or the account."""
    facts, lines = scene.facts, Lines(scene.facts)
    sent = [r for r in refusals(facts) if r.round.factor not in {"totp", "push"}]
    confirmations = {s.event.send for s in facts.confirmations}
    for refusal in reversed(sent):
        answer = refusal.answer
        is_other = (
            answer.send is not None
            and refusal.typed is None
            and answer.send not in confirmations
            and (answer.send in facts.sent_to or bool(refusal.out))
        )
        if is_other:
            plain = refusal.typed_earlier is not None and answer.reason in BLAND
            weight = STRONG if plain else DECISIVE - HINT / 2
            if answer.send not in facts.sent_to and answer.reason != "foreign":
                weight = FAIR
            lines.add(weight, "the code belongs to another challenge", answer)
        if answer.reason == "foreign" and answer.send not in confirmations:
            lines.add(STRONG if not is_other else HINT, "refused as belonging elsewhere", answer)
        elif answer.reason == "reused":
            lines.add(HINT + 0.5, "somebody had used the code already", answer)
        if not lines.found and refusal.is_bland:
            _open_beside(facts, refusal, lines)
        if lines.found:
            break
    if lines.found and scene.crowd.colleagues:
        lines.note(FAIR, "a colleague of the account was logging in as well", Source.FLEET)
    elif lines.found and facts.card.codes.shared.value:
        lines.note(HINT / 2, "several people read the same mailbox", Source.CARD)
    return lines.found


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
                lines.add(DECISIVE, says, fetch)
                break
        arrived = min((s.arrived.at for s in one.sends if s.arrived), default=one.at)
        for answer in one.answers:
            soon = answer.at - max(arrived, one.at) <= SCAN
            if answer.ok and answer.ip and soon and _is_outsider(facts, one, answer.ip):
                says = "answered within seconds from another address, with no password from there"
                lines.add(STRONG + HINT, says, answer)
                break
        if lines.found:
            late = [a for a in one.refusals if a.reason in {"reused", "superseded"}]
            if late:
                lines.add(HINT, "the user's own try came too late", *late)
            break
    return lines.found


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


def _is_outsider(facts: Facts, one: Round, ip: str | None) -> bool:
    """Whether an address is neither the round's nor one that ever gave a password."""
    if ip is None:
        return True
    passwords = {p.ip for p in facts.since(Password) if p.ip}
    return ip != one.ip and ip not in passwords and not facts.is_own("ip", ip, one.at)


def failures_before(facts: Facts, lock: Lock) -> tuple[int, int]:
    """How many failures stand in the log before a lock: within the last hour, and before that."""
    start, end = lock.since - timedelta(days=60), lock.since + timedelta(minutes=1)
    failed = [a.at for a in facts.between(Answer, start, end) if not a.ok]
    failed += [p.at for p in facts.between(Password, start, end) if not p.ok]
    recent = sum(lock.since - at <= timedelta(hours=1) for at in failed)
    return recent, len(failed) - recent


def _the_lock(facts: Facts) -> Lock | None:
    if facts.active_lock:
        return facts.active_lock
    locked = [r.answer for r in refusals(facts)]
    return lock_at(facts, locked[-1].at) if locked else None


def _lock_by_word(facts: Facts) -> Lock | None:
    """A lock that the log only knows by the word of a refusal."""
    named = [r.answer for r in refusals(facts) if r.answer.reason == "locked"]
    return Lock(at=named[0].at, since=named[0].at) if named else None


@cause("D9", "locked, and the page does not say so", prior=0.3)
def locked(scene: Scene) -> list[Evidence]:
    """The right code is refused while a lock is in force."""
    facts, lines = scene.facts, Lines(scene.facts)
    named = [r.answer for r in refusals(facts) if r.answer.reason == "locked"]
    if named:
        lines.add(STRONG, "refused because of a lock", named[-1])
    lock = _the_lock(facts)
    mute = [r.answer for r in refusals(facts)[-3:] if r.is_bland and not _solved(facts, r)]
    if not lock and not named and len(mute) > 1 and not facts.every(Lock):
        lines.add(HINT + 0.5, "refused again and again; the log holds no locks", *mute)
    if lock:
        until = f" until {lock.until:%H:%M} UTC" if lock.until else ""
        lines.add(STRONG + HINT / 2, f"locked{until}", lock)
    elif facts.user.is_locked(facts.now):
        lines.add(STRONG, "the user is locked")
    during = [r.answer for r in refusals(facts) if lock and r.answer.at >= lock.since]
    if during and not named:
        lines.add(HINT + 0.5, "codes were refused while the lock was in force", *during[-3:])
    counted = lock or _lock_by_word(facts)
    if counted and _adds_up(facts, counted) >= FAIR:
        lines.add(-HINT - HINT, "few of the failures are recent", counted)
    if facts.blocked_by and lines.found:
        lines.add(-FAIR, "the lock came from a fraud or risk block", lock)
    if facts.in_vain and lines.found:
        lines.add(-STRONG, "a reset was done, and nobody got in since", facts.in_vain)
    return lines.found


def _adds_up(facts: Facts, lock: Lock) -> float:
    """How strongly the counts say that old failures made the lock."""
    recent, old = failures_before(facts, lock)
    total = lock.failures
    weight = 0.0
    if old >= 2 and recent <= 3 and old > recent:
        weight += FAIR + HINT
    if total is not None and total >= recent + 3 and recent <= 3:
        weight += FAIR if old or recent else 0.0
    return weight


@cause("D10", "old failures add up to a lock", prior=-0.2)
def old_failures(scene: Scene) -> list[Evidence]:
    """Locked with few recent failures and many old ones."""
    facts, lines = scene.facts, Lines(scene.facts)
    lock = _the_lock(facts) or _lock_by_word(facts)
    if lock is None:
        return []
    recent, old = failures_before(facts, lock)
    weight = _adds_up(facts, lock)
    if facts.in_vain:
        lines.add(-FAIR, "a reset was done, and nobody got in since", facts.in_vain)
    if weight:
        says = f"locked after {recent} failures of the last hour and {old} older ones"
        lines.add(STRONG + weight, says, lock)
    elif recent <= 1 and not facts.blocked_by:
        lines.add(FAIR, "locked, with hardly a recent failure in the log", lock)
    else:
        lines.add(HINT, "a lock is in force", lock)
        lines.add(-FAIR, f"{recent} failures within the hour explain it", lock)
    return lines.found
