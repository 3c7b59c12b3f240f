"""Group B: the browser's memory is lost, so it asks as if for the first time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from helpdesk.domain.diagnosis.catalog import DECISIVE, FAIR, HINT, STRONG, Lines, Scene, cause
from helpdesk.domain.diagnosis.facts import SITTING, Facts, Password, Session, by_at, once
from helpdesk.domain.diagnosis.rounds import Round
from helpdesk.domain.diagnosis.verdicts import Evidence, Source
from helpdesk.domain.timeline import AnyEvent

HOUR = timedelta(hours=1)
REMEMBERS = "new-ip new-device new-browser new-place trust-expired"
ALWAYS = "the rule that asked is: at every login"


@once
def streak(facts: Facts) -> list[Round]:
    """The last good logins of 60 days that a forgetful browser would show, at most 8."""
    return [one for one in facts.accepted if one.rule != "export"][-8:]


@once
def fresh_browsers(facts: Facts) -> list[Round]:
    """Rounds of the streak whose browser was seen in that one sitting and never again."""
    found = []
    seen: set[str] = set()
    for one in streak(facts):
        span = facts.spans.get(one.browser or "")
        if span and one.browser not in seen and span[1] - span[0] <= 4 * SITTING:
            seen.add(one.browser or "")
            found.append(one)
    return found


def same_sitting(rounds: Sequence[Round]) -> list[tuple[Round, Round]]:
    """Pairs of neighbours of which the second asked again within one sitting."""
    return [
        (before, after)
        for before, after in pairwise(rounds)
        if before.ended_at and after.at - before.ended_at <= SITTING
    ]


@once
def returns_within_hour(facts: Facts) -> tuple[AnyEvent, ...]:
    """Three visits by one browser whose address went away and came back within the hour."""
    visits = [v for v in facts.visits if v.ip][-40:]
    for n, first in enumerate(visits):
        away: AnyEvent | None = None
        for other in visits[n + 1 :]:
            if other.at - first.at > HOUR:
                break
            if first.browser and other.browser and first.browser != other.browser:
                continue
            if other.ip != first.ip:
                away = other
            elif away is not None:
                return first, away, other
    return ()


@once
def kept_within_sitting(facts: Facts) -> list[AnyEvent]:
    """Signs that a browser was still known later in the same sitting."""
    kept: list[AnyEvent] = []
    logins = facts.trusted_logins
    for one in facts.accepted[-10:]:
        if one.trust == "good" and one.asked:
            kept.append(one.asked)
        kept += [s for s in one.sessions if s.state == "returned"]
        end = one.ended_at or one.at
        first = bisect_right(logins, end, key=by_at)
        last = bisect_right(logins, end + 2 * SITTING, key=by_at)
        kept += [p for p in logins[first:last] if not p.browser or p.browser == one.browser]
    return kept


def _one_machine(facts: Facts, lines: Lines) -> None:
    rounds = streak(facts)
    for trait, words in (("ip", "address"), ("agent", "browser program")):
        values = {getattr(one, trait) for one in rounds} - {None}
        if len(values) == 1 and len(rounds) > 1:
            lines.add(HINT / 2, f"always the same {words}")
        elif len(values) > 2:
            lines.add(-HINT, f"from more than one {words}")


def _forgets_between(facts: Facts, lines: Lines) -> bool:
    """Whether it was asked anew after pauses, as if never seen; noted."""
    is_so, found = _forgetting(facts)
    lines.found += found
    return is_so


@once
def _forgetting(facts: Facts) -> tuple[bool, list[Evidence]]:
    lines = Lines(facts)
    return _forgets(facts, lines), lines.found


def _forgets(facts: Facts, lines: Lines) -> bool:
    rounds = streak(facts)
    blind = all(one.rule is None and one.trust is None for one in rounds)
    if sum(one.rule == "every-login" for one in rounds[-3:]) or (facts.asks_always and blind):
        lines.add(-STRONG, ALWAYS, *(r.asked for r in rounds[-1:]))
    fresh = fresh_browsers(facts)
    pauses = [r for b, r in pairwise(rounds) if r.at - b.at > SITTING]
    if len(fresh) >= 2 and pauses:
        says = f"{len(fresh)} logins, each with a browser id never seen before"
        lines.add(FAIR + min(len(fresh), 4), says, *(r.asked for r in fresh))
        return True
    blank = [r for r in rounds if r.trust == "none" and not r.browser]
    if len(blank) >= 2 and pauses:
        lines.add(STRONG, "no trust mark came back after a pause", *(r.asked for r in blank))
        kept = _kept_over_pauses(facts, blank)
        if kept:
            lines.add(-FAIR - HINT, "in between it was known in spite of pauses", *kept)
        return True
    unruled = [r for r in rounds if r.rule is None and r.trust is None and not r.browser]
    if len(unruled) >= 2 and pauses:
        lines.add(FAIR, "asked after each pause; the log names neither rule nor browser")
        return True
    return False


def _kept_over_pauses(facts: Facts, blank: Sequence[Round]) -> list[Password]:
    """Logins that were not asked, between the first and last of some rounds, a pause after any."""
    ends = [one.ended_at or one.at for one in facts.accepted]
    return [
        p
        for p in facts.trusted_logins
        if blank[0].at < p.at < blank[-1].at
        and all(not timedelta(0) <= p.at - end <= 6 * SITTING for end in ends)
    ][-3:]


@once
def _asked_within(facts: Facts) -> list[tuple[Round, Round]]:
    return [
        (before, after)
        for before, after in same_sitting(streak(facts))
        if after.trust in {"none", None}
        and (before.ip == after.ip or None in {before.ip, after.ip})
        and (before.agent == after.agent or None in {before.agent, after.agent})
        and (before.browser == after.browser or _gave_way(facts, before, after))
    ]


def _gave_way(facts: Facts, before: Round, after: Round) -> bool:
    """Whether a browser id was not seen again once the next one had come."""
    span = facts.spans.get(before.browser or "")
    return span is None or span[1] < after.at


@cause("B1", "cookies are cleared when the browser closes", prior=0.4, rules=REMEMBERS)
def cleared_on_close(scene: Scene) -> list[Evidence]:
    """Known within a sitting, unknown after each pause."""
    facts, lines = scene.facts, Lines(scene.facts)
    if not _forgets_between(facts, lines):
        return []
    _one_machine(facts, lines)
    kept = kept_within_sitting(facts)
    trusted = [e for e in kept if not isinstance(e, Session)]
    if kept:
        weight = HINT + 0.5 if trusted else HINT / 2
        lines.add(weight, "within a sitting it was still known", *(trusted or kept)[-3:])
    again = [pair for pair in _asked_within(facts) if pair[1].trust == "none"]
    if again:
        weight = STRONG if facts.tells_browsers else FAIR
        lines.add(-weight, "asked again within the same sitting", again[-1][1].asked)
    beside = _remembered_beside(facts)
    if beside:
        lines.add(-STRONG, "another browser stayed remembered all the while", *beside)
    elif _has_settled_browser(facts):
        lines.add(HINT, "earlier one browser was remembered")
    return lines.found


@once
def _remembered_beside(facts: Facts) -> list[Password]:
    """Logins of an older browser id that nobody asked, after a fresh id of the same machine.

    Had the cookies been cleared between, that id would be gone too.
    """
    fresh = fresh_browsers(facts)
    if not fresh:
        return []
    new = {one.browser for one in fresh}
    return [
        p
        for p in facts.trusted_logins
        if p.at > fresh[0].at
        and p.browser
        and p.browser not in new
        and p.ip in {fresh[0].ip, None}
        and p.agent in {fresh[0].agent, None}
        and facts.is_own("browser", p.browser, fresh[0].at)
    ][-2:]


@once
def _has_settled_browser(facts: Facts) -> bool:
    """Whether some browser was used in more than one sitting."""
    return any(high - low > timedelta(hours=12) for low, high in facts.spans.values())


@cause("B2", "a private window", prior=-0.6, rules=REMEMBERS)
def private_window(scene: Scene) -> list[Evidence]:
    """As cleared on closing, and nothing was ever remembered before."""
    facts, lines = scene.facts, Lines(scene.facts)
    if not _forgets_between(facts, lines):
        return []
    _one_machine(facts, lines)
    beside = _remembered_beside(facts)
    if beside:
        lines.add(FAIR, "the usual window stayed remembered all the while", *beside)
    elif not _has_settled_browser(facts) and facts.tells_browsers:
        lines.add(HINT, "no earlier history of a remembered browser")
    if kept_within_sitting(facts):
        lines.add(-HINT / 2, "within a sitting it was still known")
    again = [pair for pair in _asked_within(facts) if pair[1].trust == "none"]
    if again:
        weight = STRONG if facts.tells_browsers else FAIR
        lines.add(-weight, "asked again within the same sitting", again[-1][1].asked)
    return lines.found


@cause("B3", "an extension or setting blocks the cookie", prior=0.1, rules=REMEMBERS)
def cookie_blocked(scene: Scene) -> list[Evidence]:
    """The trust mark never comes back, not even within one sitting."""
    facts, lines = scene.facts, Lines(scene.facts)
    again = _asked_within(facts)
    marked = [pair for pair in again if pair[1].trust == "none"]
    if marked:
        says = "passed, and in the same sitting asked again without a trust mark"
        lines.add(
            STRONG + min(len(marked), 3) * 0.7, says, *(r.asked for pair in marked for r in pair)
        )
    elif again and not facts.asks_always:
        lines.add(FAIR, "asked again within one sitting", *(r.asked for r in again[-1]))
    elif _forgets_between(facts, Lines(facts)) and not kept_within_sitting(facts):
        lines.add(FAIR, "no trust mark came back; the log shows nothing within a sitting")
    if not lines.found:
        return []
    if sum(one.rule == "every-login" for one in streak(facts)[-3:]):
        lines.add(-STRONG, ALWAYS)
    if any(after.rule in {"new-ip", "new-place"} for _, after in again):
        lines.add(-FAIR, "it was the network that was new", again[-1][1].asked)
    _mark_or_session(facts, bool(marked), lines)
    return lines.found


def _mark_or_session(facts: Facts, is_marked: bool, lines: Lines) -> None:
    """Tell whether it is the trust mark that is lost, or the session itself."""
    kept = [e for e in kept_within_sitting(facts) if not isinstance(e, Session)]
    if kept:
        lines.add(-STRONG, "a trust mark did come back", *kept[-3:])
    returned = [s for one in streak(facts) for s in one.sessions if s.state == "returned"]
    if returned and is_marked:
        lines.add(HINT, "the session held, only the trust mark was lost", returned[-1])
    lost = [s for one in streak(facts) for s in one.sessions if s.state == "missing"]
    if lost and facts.loops:
        lines.add(-FAIR, "the session itself was lost", lost[-1])
    fast = [p for p in facts.loops if p[1].at - (p[0].ended_at or p[0].at) < timedelta(seconds=60)]
    if fast and not returned:
        lines.add(-FAIR, "it asked again within seconds, before any page", fast[-1][1].asked)


@cause("B8", "our cookie is set wrongly at this door", prior=-0.5)
def our_cookie(scene: Scene) -> list[Evidence]:
    """Trust or session is set and never comes back, for all users of that door."""
    facts, lines = scene.facts, Lines(scene.facts)
    crowd = scene.crowd
    if "B8" in crowd.shared:
        lines.note(DECISIVE + FAIR, crowd.shared["B8"], Source.FLEET)
    plain = [one for one in facts.recent if (one.door or "").startswith("http://")]
    lost = (
        facts.loops or any(one.session("missing") for one in facts.recent) or _asked_within(facts)
    )
    if plain and lost:
        lines.add(
            STRONG,
            "the page was opened without https, where the cookie is not sent",
            plain[-1].asked,
        )
    if lines.found and "B8" in crowd.clears:
        lines.note(-FAIR, "others at this door are fine", Source.FLEET)
    return lines.found
