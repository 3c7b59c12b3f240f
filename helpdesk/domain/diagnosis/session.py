"""Group E: the code is accepted and yet the user is not in."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise

from helpdesk.domain.diagnosis.catalog import DECISIVE, FAIR, HINT, STRONG, Lines, Scene, cause
from helpdesk.domain.diagnosis.facts import (
    Answer,
    FactorChange,
    Facts,
    Password,
    Redirect,
    Reset,
    Session,
    once,
)
from helpdesk.domain.diagnosis.rounds import Round
from helpdesk.domain.diagnosis.verdicts import Evidence, Source
from helpdesk.domain.timeline import Challenge, Lock, Other, Report


def _kept(before: Round) -> Session | None:
    return before.session("returned")


def loop_lines(facts: Facts, lines: Lines) -> bool:
    """Note accepted answers after which it asked again, or sent the browser round in circles."""
    found = _looping(facts)
    lines.found += found
    return bool(found)


@once
def _looping(facts: Facts) -> list[Evidence]:
    lines = Lines(facts)
    pairs = [
        (before, after)
        for before, after in facts.loops
        if not _kept(before) or after.at - (before.ended_at or before.at) < timedelta(seconds=20)
    ]
    lost = [before for before, _ in pairs if before.session("missing")]
    lost_last = [
        one
        for one in facts.recent
        if one.is_accepted and one.session("missing") and one not in lost
    ]
    circles = [r for r in facts.since(Redirect) if r.count >= 3 and _after_good(facts, r)]
    if not pairs and not lost_last and not circles:
        return []
    if pairs:
        weight = STRONG + HINT if len(pairs) > 1 else FAIR
        if all(_is_new_sitting(facts, before, after) for before, after in pairs):
            weight -= HINT
        before, after = pairs[-1]
        seconds = (after.at - (before.ended_at or before.at)).total_seconds()
        says = f"accepted, and asked again after {max(seconds, 0):.0f} s"
        times = f", {len(pairs)} times" if len(pairs) > 1 else ""
        lines.add(weight, says + times, before.good, after.asked)
    missing = [s for one in lost + lost_last for s in one.sessions if s.state == "missing"]
    if missing:
        weight = HINT + 0.5 if pairs else FAIR
        lines.add(
            weight + (HINT if len(missing) > 1 else 0),
            "the session did not come back",
            *missing[-3:],
        )
    elif pairs and facts.tells_sessions and not any(one.sessions for one, _ in pairs):
        lines.add(HINT, "no session was made after the good answer", pairs[-1][0].good)
    if circles and not pairs and not missing and _between_inner_pages(facts, circles):
        lines.add(HINT, "sent in circles between two pages past the login", *circles[-2:])
    elif circles:
        count = sum(r.count for r in circles)
        weight = FAIR if not pairs else HINT
        often = "once" if count == 1 else f"{count} times"
        lines.add(weight, f"sent in circles {often}", *circles[-3:])
    return lines.found


def _is_new_sitting(facts: Facts, before: Round, after: Round) -> bool:
    """Whether the password was given anew and the browser brought no trust mark."""
    end = before.ended_at or before.at
    return after.trust == "none" and bool(
        facts.between(Password, end + timedelta(seconds=1), after.at)
    )


def _after_good(facts: Facts, redirect: Redirect) -> bool:
    return any(
        one.is_accepted
        and one.ended_at
        and timedelta(seconds=-5) <= redirect.at - one.ended_at <= timedelta(minutes=10)
        for one in facts.recent
    )


@cause("E1", "a loop: the session is not kept", prior=0.4)
def loop(scene: Scene) -> list[Evidence]:
    """Accepted, no session comes back, and it asks again within seconds."""
    facts, lines = scene.facts, Lines(scene.facts)
    if loop_lines(facts, lines):
        if any(_kept(before) for before, _ in facts.loops):
            lines.add(-HINT - 0.5, "the session did come back")
        if facts.half_level:
            lines.add(-STRONG, "the session stays at the first level", facts.half_level)
        if "E2" in scene.crowd.echoes:
            lines.note(-HINT, scene.crowd.echoes["E2"], Source.FLEET)
        if facts.card.landing.value:
            lines.note(HINT, "this product is known to go round in circles", Source.CARD)
        if scene.crowd.shared.keys() & {"E2", "B8"}:
            lines.note(-DECISIVE, "many users are sent in circles at this moment", Source.FLEET)
        elif "E2" in scene.crowd.clears:
            lines.note(HINT, "others are not affected", Source.FLEET)
    elif blind_loop(facts, lines):
        lines.add(HINT, "the log holds no answers")
    return lines.found


def blind_loop(facts: Facts, lines: Lines) -> bool:
    """Note challenge after challenge in a log that holds no answers at all."""
    found = _asked_blindly(facts)
    lines.found += found
    return bool(found)


@once
def _asked_blindly(facts: Facts) -> list[Evidence]:
    asks, lines = facts.since(Challenge), Lines(facts)
    if facts.since(Answer) or len(asks) < 2:
        return []
    quick = [
        (before, after)
        for before, after in pairwise(asks)
        if after.at - before.at <= timedelta(minutes=3) and before.challenge != after.challenge
    ]
    if not quick:
        return []
    bare = [
        after
        for before, after in quick
        if not facts.between(Password, before.at + timedelta(seconds=1), after.at)
    ]
    weight = FAIR + HINT if len(quick) > 1 else FAIR
    says = "asked again and again within minutes"
    lines.add(weight, says, *(after for _, after in quick[-3:]))
    if bare and bool(facts.every(Password)):
        lines.add(HINT, "with no password in between", *bare[-2:])
    return lines.found


@cause("E2", "a stale cookie after a release", prior=-0.4)
def stale_cookie(scene: Scene) -> list[Evidence]:
    """The same loop, begun at one moment for many."""
    facts, lines = scene.facts, Lines(scene.facts)
    if not loop_lines(facts, lines):
        return []
    lines.found = [line for line in lines.found if line.weight > HINT]
    if "E2" in scene.crowd.shared:
        lines.note(DECISIVE, scene.crowd.shared["E2"], Source.FLEET)
        return lines.found
    if "E2" in scene.crowd.echoes:
        lines.note(FAIR, scene.crowd.echoes["E2"], Source.FLEET)
    released = [e for e in facts.since(Other) if re.search("release|deploy", e.kind)]
    if released:
        lines.add(FAIR, "it began after a release", released[-1])
    elsewhere = [
        one for one in facts.recent
        if one.session("returned") and facts.loops
        and one.browser and one.browser != facts.loops[-1][0].browser
    ]  # fmt: skip
    if elsewhere:
        lines.add(FAIR, "another browser was let in meanwhile", elsewhere[-1].good)
    if "E2" in scene.crowd.clears:
        lines.note(-FAIR - HINT, "others are not affected", Source.FLEET)
    elif not released and not elsewhere:
        lines.add(-HINT, "the log does not hold what happened to others")
    return lines.found


@cause("E3", "a half-done second factor", prior=-0.2)
def half_done(scene: Scene) -> list[Evidence]:
    """The session stays at the first level, and two pages send the browser to each other."""
    facts, lines = scene.facts, Lines(scene.facts)
    if facts.half_level:
        lines.add(STRONG, "the session stays at the first level", facts.half_level)
    redirects = facts.since(Redirect)
    ways = {(r.origin, r.to) for r in redirects}
    to_and_fro = [r for r in redirects if r.origin and r.to and (r.to, r.origin) in ways]
    if to_and_fro:
        lines.add(FAIR + HINT, "two pages send the browser to each other", *to_and_fro[-2:])
    elif redirects and not facts.half_level and _between_inner_pages(facts, redirects):
        lines.add(FAIR + HINT, "two pages past the login send it to each other", *redirects[-2:])
    elif redirects and (facts.half_level or redirects[-1].count >= 4) and redirects[-1].to:
        lines.add(
            FAIR + HINT if facts.half_level else HINT, "sent between two pages", redirects[-1]
        )
    if lines.found and facts.must_enrol:
        lines.add(-STRONG, "a method must be enrolled first", facts.must_enrol)
    if lines.found and not facts.half_level and len(facts.loops) > 1:
        lines.add(-FAIR, "codes were accepted again and again", facts.loops[-1][0].good)
    return lines.found


def _between_inner_pages(facts: Facts, redirects: list[Redirect]) -> bool:
    """Whether the circle is between two pages past the login, with nothing asked again."""
    last = redirects[-1]
    if facts.loops or not last.to or not last.origin or last.count < 3:
        return False
    return not re.search(r"log-?in|sign-?in|enrol|set-?up", f"{last.origin} {last.to}".casefold())


@cause("E4", "a method must be chosen first", prior=0.0)
def must_enrol(scene: Scene) -> list[Evidence]:
    """Enrolment is demanded after the login, and has not been done."""
    facts, lines = scene.facts, Lines(scene.facts)
    demanded = facts.changes("must-enrol")
    done = facts.changes("enrolled")
    if demanded and not [c for c in done if c.at >= demanded[-1].at]:
        lines.add(DECISIVE - HINT / 2, "a method must be enrolled, and none was", demanded[-1])
    resets = [r for r in facts.since(Reset, timedelta(days=14)) if r.ok and r.scope != "one"]
    is_empty = bool(resets) and not facts.user.live_factors
    if is_empty and not [c for c in done if c.at >= resets[-1].at]:
        lines.add(FAIR, "all factors were reset, and none was enrolled since", resets[-1])
    sent_there = [r for r in facts.since(Redirect) if re.search("enrol|set-?up", f"{r.to}")]
    if sent_there:
        lines.add(FAIR, "sent to the page that sets up a method", sent_there[-1])
    if lines.found and _refused_after(facts, resets[-1] if resets else None):
        lines.add(-FAIR, "the login itself is refused")
    return lines.found


def _enrolled_since(facts: Facts, reset: Reset) -> bool:
    return any(change.at > reset.at for change in facts.changes("enrolled"))


def _refused_after(facts: Facts, reset: Reset | None) -> list[Answer | Password | Lock]:
    if reset is None:
        return []
    refused: list[Answer | Password | Lock] = [
        e for e in facts.every(Answer) if e.at > reset.at and not e.ok
    ]
    refused += [e for e in facts.every(Password) if e.at > reset.at and not e.ok]
    refused += [e for e in facts.every(Lock) if e.at > reset.at or (e.until or e.at) > reset.at]
    return refused


@cause("E5", "still blocked after a reset", prior=0.0)
def blocked_after_reset(scene: Scene) -> list[Evidence]:
    """A reset was done, and the next login was refused all the same."""
    facts, lines = scene.facts, Lines(scene.facts)
    resets = [r for r in facts.since(Reset, timedelta(days=14)) if r.ok]
    if not resets:
        return []
    reset = resets[-1]
    since = [one for one in facts.rounds if one.is_accepted and (one.ended_at or one.at) > reset.at]
    refused = _refused_after(facts, reset)
    if since:
        return []
    if refused:
        lines.add(
            DECISIVE - HINT / 2,
            "a reset was done, and the next login was refused",
            reset,
            *refused[-2:],
        )
    elif facts.last and facts.last.at > reset.at:
        lines.add(FAIR, "a reset was done, and nobody got in since", reset, facts.last.asked)
    blocks = [
        e for e in facts.since(Lock, timedelta(days=14)) if (e.until or facts.anchor) >= reset.at
    ]
    if blocks or facts.blocked_by:
        lines.add(HINT + 0.5, "a lock or block is still in force", *blocks[-1:])
    if (
        any(r.what == "not-me" for r in facts.since(Report, timedelta(days=14)) if r.at < reset.at)
        and lines.found
    ):
        lines.add(HINT, "the user had once pressed: not me")
    if len(resets) > 1:
        lines.add(HINT, f"{len(resets)} resets were done", *resets)
    unblocked = not blocks and not facts.blocked_by
    words = {e.reason for e in refused if isinstance(e, Answer)}
    often = len([e for e in refused if isinstance(e, Answer)]) > 2
    if unblocked and often and words <= {"wrong", None} and _enrolled_since(facts, reset):
        lines.add(-HINT - 0.5, "a method was enrolled since, and no block is known", reset)
    if not refused and facts.changes("enrolled") and facts.changes("enrolled")[-1].at > reset.at:
        lines.add(-FAIR, "a method was enrolled since", facts.changes("enrolled")[-1])
    return lines.found


__all__ = ["FactorChange", "loop_lines"]
