"""The fleet: causes that many users share in the same minutes, found in one pass.

Each user is read once, from the newest event back to the horizon, and leaves a few symptoms; the
symptoms are then counted in windows. The work grows linearly with users and events.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from helpdesk.domain.diagnosis.log import by_at
from helpdesk.domain.diagnosis.verdicts import clock
from helpdesk.domain.timeline import (
    Answer,
    AnyEvent,
    Challenge,
    Delivery,
    Password,
    Send,
    Session,
    by_type,
)
from helpdesk.domain.users import At, User

WINDOW = timedelta(minutes=15)
"""*The same minutes*: our own measure."""

HORIZON = timedelta(hours=2)
"""How far back a fleet pass looks."""

MANY = 3
"""Fewer users than this are no crowd."""

SHARE = 0.6
"""Of those who did the same thing in the window, how many must be hit."""

OFFSET_S = 15.0
WINDOW_S = 30.0
AGAIN = timedelta(minutes=3)
SITTING = timedelta(minutes=30)


HEARD_BY = timedelta(seconds=90)
"""After so long something should have been heard of a code."""

_Visit = Password | Challenge | Session | Answer
_VISITS = frozenset({Password, Challenge, Session, Answer})


class Symptom(Struct, frozen=True, gc=False):
    """One thing that went right or wrong for one user.

    Attributes:
        what: `send`, `totp`, `session` or `trust`.
        is_bad: Whether it went wrong.
        value: For `totp` the offset in seconds.
        door: The page, for `session` and `trust`.
    """

    user: str
    at: datetime
    what: str
    is_bad: bool
    value: float = 0.0
    door: str = ""


class FleetFinding(Struct, frozen=True, kw_only=True):
    """One cause that many users share.

    Attributes:
        cause: C5, D4b, E2 or B8.
        users: Their ids, in the order first hit.
        since: When the first of them was hit.
        until: When the last was.
        product: The card's id; empty where it was not asked by product.
    """

    cause: str
    says: str
    users: tuple[str, ...]
    since: At
    until: At
    product: str = ""


class FleetFindings(Struct, frozen=True, kw_only=True):
    """What many users share now, the largest first."""

    findings: tuple[FleetFinding, ...] = ()

    def of(self, user: str) -> FleetFinding | None:
        """The finding that a user is part of, or None."""
        return next((found for found in self.findings if user in found.users), None)


def fleet(pairs: Iterable[tuple[User, Sequence[AnyEvent]]], now: datetime) -> FleetFindings:
    """Return what many users of one product share within the last two hours before *now*."""
    by_product: dict[str, list[Symptom]] = defaultdict(list)
    for user, timeline in pairs:
        by_product[user.product].extend(symptoms_of(user.id, timeline, now - HORIZON, now))
    found = [
        replace(one, product=product)
        for product, symptoms in by_product.items()
        for one in findings_of(symptoms)
    ]
    return FleetFindings(findings=tuple(sorted(found, key=lambda one: -len(one.users))))


def symptoms_of(
    user: str, timeline: Sequence[AnyEvent], since: datetime, now: datetime
) -> list[Symptom]:
    """Return what went right and wrong for one user since a moment, oldest first.

    The timeline's events are oldest first.
    """
    recent = timeline[bisect_left(timeline, since, key=by_at) :]
    return _symptoms(user, recent, now) if recent else []


def _symptoms(user: str, recent: Sequence[AnyEvent], now: datetime) -> list[Symptom]:
    rows = by_type(recent)
    answers: list[Answer] = rows.get(Answer, [])
    sends: list[Send] = rows.get(Send, [])
    answered = {answer.challenge for answer in answers}
    asked: dict[str, Challenge] = {}
    for one in rows.get(Challenge, ()):
        asked.setdefault(one.challenge, one)
    found = _heard(user, sends, rows.get(Delivery, ()), answered, now)
    found.extend(
        symptom
        for answer in answers
        if answer.ok or answer.drift_s
        for symptom in _offset(user, answer, _kind(asked, answer.challenge))
    )
    if not sends:
        found.extend(
            Symptom(user, one.at, "send", one.challenge not in answered)
            for one in asked.values()
            if one.factor in {"email", "sms", "voice"}
            and (one.challenge in answered or now - one.at > HEARD_BY)
        )
    visits: list[_Visit] = [event for event in recent if type(event) in _VISITS]  # type: ignore[misc]
    found.extend(_session_symptoms(user, visits))
    found.extend(_memory_symptoms(user, visits))
    return found


def _heard(
    user: str,
    sends: Sequence[Send],
    deliveries: Iterable[Delivery],
    answered: Set[str],
    now: datetime,
) -> list[Symptom]:
    """Whether of each code sent anything was heard again."""
    arrived = {one.send for one in deliveries if one.state in {"delivered", "accepted"}}
    found: list[Symptom] = []
    for send in sends:
        if send.channel != "push" and send.purpose in {None, "code"}:
            is_heard = send.send in arrived or send.challenge in answered
            if is_heard or now - send.at > HEARD_BY:
                found.append(Symptom(user, send.at, "send", not is_heard))
    return found


def _memory_symptoms(user: str, visits: Sequence[_Visit]) -> list[Symptom]:
    """Whether a browser was known at a door: asked without a trust mark, or not asked at all."""
    found: list[Symptom] = []
    password: Password | None = None
    for event in visits:
        if isinstance(event, Session):
            if password and event.state == "created":
                found.append(Symptom(user, event.at, "memory", False, door=password.door or ""))
                password = None
        elif isinstance(event, Password):
            password = event if event.ok else password
        elif isinstance(event, Challenge):
            door = event.door or (password.door if password else None) or ""
            if event.trust in {"none", "good"}:
                found.append(Symptom(user, event.at, "memory", event.trust == "none", door=door))
            password = None
    return found


def _forgetful(symptoms: Sequence[Symptom]) -> list[FleetFinding]:
    """A door at which nobody's browser is ever known, while others are known at other doors."""
    bad: dict[str, list[Symptom]] = defaultdict(list)
    known: dict[str, set[str]] = defaultdict(set)
    for symptom in symptoms:
        if symptom.is_bad:
            bad[symptom.door].append(symptom)
        else:
            known[symptom.door].add(symptom.user)
    return [
        _finding("B8", "{users} users are never remembered at this door since {at}", hit)
        for door, hit in bad.items()
        if door
        and not known[door]
        and len({s.user for s in hit}) >= MANY
        and (
            door.startswith("http://")
            or any(users for other, users in known.items() if other != door)
        )
    ]


def _offset(user: str, answer: Answer, kind: str | None) -> list[Symptom]:
    drift = answer.drift_s or 0.0
    if abs(drift) > WINDOW_S:
        return [Symptom(user, answer.at, "totp", True, drift)]
    return [Symptom(user, answer.at, "totp", False)] if answer.ok and kind == "totp" else []


def _kind(asked: dict[str, Challenge], challenge: str) -> str | None:
    return asked[challenge].factor if challenge in asked else None


def _session_symptoms(user: str, visits: Sequence[_Visit]) -> list[Symptom]:
    found: list[Symptom] = []
    good: Answer | None = None
    kept = False
    door = ""
    for event in visits:
        if isinstance(event, Session):
            if event.state == "missing":
                found.append(Symptom(user, event.at, "session", True, door=door))
            elif event.state == "returned":
                kept = True
                found.append(Symptom(user, event.at, "session", False, door=door))
            continue
        if isinstance(event, Answer):
            if event.ok:
                good, kept = event, False
            continue
        if event.door:
            door = event.door
        if isinstance(event, Challenge) and good is not None and event.challenge != good.challenge:
            what = _lost(event, good, is_kept=kept)
            if what:
                found.append(Symptom(user, event.at, what, True, door=event.door or ""))
            good = None
    return found


def _lost(asked: Challenge, good: Answer, *, is_kept: bool) -> str:
    """What was lost where it is asked again after a good answer: `session`, `trust` or nothing."""
    gap = asked.at - good.at
    if gap <= AGAIN and not is_kept and asked.rule != "export":
        return "session"
    return "trust" if gap <= SITTING and asked.trust == "none" else ""


def findings_of(symptoms: Sequence[Symptom]) -> list[FleetFinding]:
    """Return what the symptoms of users of one product have in common, the largest first."""
    by_what: dict[str, list[Symptom]] = defaultdict(list)
    for symptom in sorted(symptoms, key=lambda s: s.at):
        by_what[symptom.what].append(symptom)
    lost = by_what["session"] + by_what["trust"]
    found = [
        *_outages(by_what["send"]),
        *_offsets(by_what["totp"]),
        *(_leaky_doors(lost) or _circles(lost) or _forgetful(by_what["memory"])),
    ]
    return sorted(found, key=lambda finding: -len(finding.users))


def _finding(cause: str, says: str, hit: Sequence[Symptom]) -> FleetFinding:
    users = tuple(dict.fromkeys(symptom.user for symptom in hit))
    text = says.format(users=len(users), at=clock(hit[0].at))
    return FleetFinding(cause=cause, says=text, users=users, since=hit[0].at, until=hit[-1].at)


def _outages(sends: Sequence[Symptom]) -> list[FleetFinding]:
    """One finding for the stretch of windows in which most users' sends were heard of no more."""
    hit: list[Symptom] = []
    for start, window in _windows(sends):
        bad = {s.user for s in window if s.is_bad}
        fine = {s.user for s in window if not s.is_bad}
        if len(bad) >= MANY and len(bad) >= SHARE * len(bad | fine):
            hit.extend(s for s in window if s.is_bad and s.at >= start)
    if not hit:
        return []
    hit = list({id(symptom): symptom for symptom in hit}.values())
    return [_finding("C5", "{users} users got no code since {at}", hit)]


def _windows(symptoms: Sequence[Symptom]) -> Iterable[tuple[datetime, list[Symptom]]]:
    """Half-overlapping windows of 15 minutes, so that none falls between two."""
    slots: dict[int, list[Symptom]] = defaultdict(list)
    half = WINDOW.total_seconds() / 2
    for symptom in symptoms:
        slot = int(symptom.at.timestamp() // half)
        slots[slot].append(symptom)
        slots[slot - 1].append(symptom)
    for slot in sorted(slots):
        yield slots[slot][0].at, slots[slot]


def _offsets(totp: Sequence[Symptom]) -> list[FleetFinding]:
    """Users whose phones all seem off by one offset."""
    bad = sorted((s for s in totp if s.is_bad), key=lambda s: s.value)
    if len({s.user for s in bad}) < MANY:
        return []
    best: list[Symptom] = []
    start = 0
    for end, symptom in enumerate(bad):
        while symptom.value - bad[start].value > 2 * OFFSET_S:
            start += 1
        if end + 1 - start > len(best):
            best = bad[start : end + 1]
    users = {s.user for s in best}
    # Whoever got in before it began says nothing: a clock is right until it is wrong.
    since = min((s.at for s in best), default=None)
    everybody = {s.user for s in totp if since is None or s.at >= since - WINDOW}
    if len(users) < MANY or len(users) < SHARE * len(everybody):
        return []
    middle = best[len(best) // 2].value
    best.sort(key=lambda s: s.at)
    return [
        _finding("D4b", f"{{users}} users have one offset of {middle:+.0f} s since {{at}}", best)
    ]


def _leaky_doors(symptoms: Sequence[Symptom]) -> list[FleetFinding]:
    """Doors at which nobody's session or trust was ever kept: there is no moment, only the door."""
    bad: dict[str, list[Symptom]] = defaultdict(list)
    for symptom in symptoms:
        if symptom.is_bad and symptom.door:
            bad[symptom.door].append(symptom)
    good = {symptom.door for symptom in symptoms if not symptom.is_bad}
    found = []
    for door, hit in bad.items():
        hit.sort(key=lambda symptom: symptom.at)
        is_lasting = hit[-1].at - hit[0].at > timedelta(hours=3)
        told = door.startswith("http://") or is_lasting or bool(good - {""})
        if told and door not in good and len({s.user for s in hit}) >= MANY:
            found.append(
                _finding("B8", "{users} users lose the cookie at this door since {at}", hit)
            )
    return found


def _circles(symptoms: Sequence[Symptom]) -> list[FleetFinding]:
    """Users who are all asked again after a good answer: since one moment, or at one door."""
    bad = sorted((s for s in symptoms if s.is_bad), key=lambda s: s.at)
    bad = [s for s in bad if bad[-1].at - s.at <= timedelta(hours=24)]
    users = {s.user for s in bad}
    if len(users) < MANY:
        return []
    since = bad[0].at
    fine = [s for s in symptoms if not s.is_bad]
    doors = {s.door for s in bad if s.door}
    there = [s for s in fine if s.at >= since and (not doors or s.door in doors | {""})]
    if len(users) < SHARE * len(users | {s.user for s in there}):
        return []
    unhurt = {s.user for s in fine if s.at >= since} - users
    never_good = bool(doors) and len(doors) == 1 and not doors & {s.door for s in fine}
    before = any(s.at < since for s in fine)
    if any(door.startswith("http://") for door in doors) or (never_good and (before or unhurt)):
        return [_finding("B8", "{users} users lose the cookie at this door since {at}", bad)]
    if sum(s.what == "trust" for s in bad) > len(bad) / 2:
        return [_finding("B8", "{users} users are asked again in one sitting since {at}", bad)]
    if not before and bad[-1].at - since > timedelta(hours=3):
        return [_finding("B8", "{users} users have never been kept since {at}", bad)]
    return [_finding("E2", "{users} users are sent in circles since {at}", bad)]
