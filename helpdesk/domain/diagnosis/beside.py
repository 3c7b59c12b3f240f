"""The others beside one case: what they share with it, echo of it, and speak against."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from helpdesk.domain.diagnosis.bystanders import SHARED_AS, Beside
from helpdesk.domain.diagnosis.crowd import Crowd
from helpdesk.domain.diagnosis.fleet import (
    MANY,
    OFFSET_S,
    WINDOW,
    Symptom,
    findings_of,
    symptoms_of,
)
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.users import User


def crowd_of(user: User, timeline: Sequence[AnyEvent], others: Beside, now: datetime) -> Crowd:
    """Return what the others' same hours say about one case."""
    if not others or not timeline:
        return Crowd()
    last = timeline[-1].at
    moment, start = max(now, last), last - timedelta(days=14)
    mine = symptoms_of(user.id, timeline, start, moment)
    # What nothing is wrong with is shared with nobody, nor echoed or cleared by anybody.
    wrong = {SHARED_AS[symptom.what] for symptom in mine if symptom.is_bad}
    theirs: list[Symptom] = []
    for other in others if wrong else ():
        if other.user.id != user.id or not user.id:
            left = other.symptoms(start, moment)
            for share in wrong & left.keys():
                theirs.extend(left[share])
    colleagues = any(
        one.was_here(last)
        for one in others.of_account(user.account)
        if one.user.id != user.id or not user.id
    )
    shared = _shared(user.id, mine, theirs)
    echoes = {} if shared else _echoes(mine, theirs)
    cleared = _cleared(mine, theirs, shared) - echoes.keys()
    return Crowd(shared=shared, echoes=echoes, clears=cleared, colleagues=colleagues)


def _shared(user: str, mine: Sequence[Symptom], theirs: Sequence[Symptom]) -> dict[str, str]:
    """What of the fleet's findings this user is part of, looked at round the user's own hour."""
    hit: dict[str, set[str]] = {}
    for symptom in theirs:
        if symptom.is_bad:
            hit.setdefault(SHARED_AS[symptom.what], set()).add(symptom.user)
    shared = {share for share, users in hit.items() if len(users) + 1 >= MANY}
    told = [symptom for symptom in (*mine, *theirs) if SHARED_AS[symptom.what] in shared]
    found = {}
    for finding in findings_of(told) if shared else ():
        if user in finding.users:
            found[finding.cause] = finding.says
    if "E2" in found and not any(s.door for s in (*mine, *theirs)):
        found.setdefault("B8", f"{found['E2']}; the log does not say at which door")
    return found


def _echoes(mine: Sequence[Symptom], theirs: Sequence[Symptom]) -> dict[str, str]:
    """What single others show of the user's own trouble at the same time."""
    found: dict[str, str] = {}
    last = {s.what: s for s in mine if s.is_bad}
    last |= _first_today([s for s in mine if s.what == "session" and s.is_bad])
    for what, cause in (("send", "C5"), ("totp", "D4b"), ("session", "E2")):
        own = last.get(what)
        if own is None:
            continue
        span = timedelta(hours=1) if what == "totp" else WINDOW
        near = [s for s in theirs if s.what == what and abs(s.at - own.at) <= span]
        hit = {s.user for s in near if s.is_bad and abs(s.value - own.value) <= OFFSET_S}
        fine = {s.user for s in near if not s.is_bad} - hit
        if hit and (what != "send" or not fine):
            found[cause] = f"{len(hit)} other user{'s' if len(hit) > 1 else ''} with the same"
    return found


def _first_today(bad: Sequence[Symptom]) -> dict[str, Symptom]:
    """The symptom with which a user's trouble of the day began: a release has one moment."""
    today = [s for s in bad if bad[-1].at - s.at <= timedelta(hours=6)]
    return {today[0].what: today[0]} if today else {}


def _cleared(
    mine: Sequence[Symptom], theirs: Sequence[Symptom], shared: dict[str, str]
) -> frozenset[str]:
    """Causes that others' normal logins near the user's own trouble speak against."""
    bad = {s.what: s.at for s in mine if s.is_bad}
    doors = {s.door for s in mine if s.is_bad and s.door}
    cleared: set[str] = set()
    for what, causes in (("send", {"C5"}), ("totp", {"D4b"}), ("session", {"E2", "B8"})):
        if what not in bad:
            continue
        near = {
            s.user
            for s in theirs
            if s.what == what
            and not s.is_bad
            and abs(s.at - bad[what]) <= timedelta(hours=1)
            and (what != "session" or not doors or s.door in doors | {""})
        }
        if near and not causes & shared.keys():
            cleared |= causes
    return frozenset(cleared)
