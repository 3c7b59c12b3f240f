"""Group D, of locks: the right code is refused while one is in force."""

from __future__ import annotations

from datetime import timedelta

from helpdesk.domain.diagnosis.catalog import FAIR, HINT, STRONG, Lines, Scene, cause
from helpdesk.domain.diagnosis.facts import Answer, Facts, Password
from helpdesk.domain.diagnosis.refusal import refusals, solved
from helpdesk.domain.diagnosis.verdicts import Evidence, clock
from helpdesk.domain.text import counted
from helpdesk.domain.timeline import Lock


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
    return facts.lock_at(locked[-1].at) if locked else None


def _lock_by_word(facts: Facts) -> Lock | None:
    """A lock that the log only knows by the word of a refusal."""
    told = [r.answer for r in refusals(facts) if r.answer.reason == "locked" or r.is_right]
    return Lock(at=told[0].at, since=told[0].at) if told else None


@cause("D9", "locked, and the page does not say so", prior=0.3)
def locked(scene: Scene) -> list[Evidence]:
    """The right code is refused while a lock is in force."""
    facts, lines = scene.facts, Lines(scene.facts)
    named = [r.answer for r in refusals(facts) if r.answer.reason == "locked"]
    if named:
        lines.add(STRONG, "refused because of a lock", named[-1])
    lock = _the_lock(facts)
    right = [r.answer for r in refusals(facts) if r.is_right]
    if right:
        lines.add(STRONG - HINT, "the right code was refused", *right[-2:])
    typed = [r for r in refusals(facts)[-3:] if r.is_typed]
    mute = [r.answer for r in typed if r.is_bland and not solved(facts, r)]
    if not lock and not named and len(mute) > 1 and not facts.every(Lock):
        weight = FAIR if len(refusals(facts)) > 4 else HINT + 0.5
        lines.add(weight, "refused again and again; the log holds no locks", *mute)
    if lock:
        until = f" until {clock(lock.until)}" if lock.until else ""
        lines.add(STRONG + HINT / 2, f"locked{until}", lock)
    elif facts.user.is_locked(facts.now):
        lines.add(STRONG, "the user is locked")
    during = [r.answer for r in refusals(facts) if lock and r.answer.at >= lock.since]
    if during and not named:
        lines.add(HINT + 0.5, "codes were refused while the lock was in force", *during[-3:])
    counted = lock or _lock_by_word(facts)
    if counted and _adds_up(facts, counted) >= FAIR:
        weight = min(_adds_up(facts, counted), STRONG)
        lines.add(-weight, "few of the failures are recent", counted)
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
    if total is not None and total >= recent + 3 and recent <= 3 and (recent or old):
        weight += FAIR if total < recent + 5 else STRONG
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
        says = (
            f"locked after {counted(recent, 'failure')} of the last hour and "
            f"{counted(old, 'older one')}"
        )
        lines.add(STRONG + weight, says, lock)
    elif recent <= 1 and not facts.blocked_by:
        lines.add(FAIR - HINT, "locked, with hardly a recent failure in the log", lock)
    else:
        lines.add(HINT, "a lock is in force", lock)
        lines.add(-FAIR, f"{counted(recent, 'failure')} within the hour explain it", lock)
    return lines.found
