"""Group B, of several browsers, addresses or tabs at once, and of a weak line."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from helpdesk.domain.diagnosis.catalog import DECISIVE, FAIR, HINT, STRONG, Lines, Scene, cause
from helpdesk.domain.diagnosis.facts import SITTING, Redirect, Session
from helpdesk.domain.diagnosis.memory import ALWAYS, HOUR, returns_within_hour
from helpdesk.domain.diagnosis.rounds import Round
from helpdesk.domain.diagnosis.verdicts import Evidence

SHIFTING = frozenset({"vpn", "mobile", "relay"})
"""Networks whose addresses change by themselves."""

AT_ONCE = timedelta(minutes=2)
"""A session that ends so near to a login is ended by it."""


@cause("B4", "several browsers or devices at once", prior=0.0)
def several_at_once(scene: Scene) -> list[Evidence]:
    """Two browsers take turns within minutes, both pass, and each ends the other's session."""
    facts, lines = scene.facts, Lines(scene.facts)
    rounds = [one for one in facts.recent if one.is_accepted]
    for name, weight in (("browser", STRONG), ("agent", FAIR + HINT)):
        turns = takes_turns(rounds, name)
        if turns:
            says = f"two {name}s take turns within minutes, both pass"
            lines.add(weight, says, *(r.asked for r in turns))
            break
    by_end = _by_end(rounds)
    ended = [s for s in facts.since(Session) if s.state == "ended" and _by_newer(s, rounds, by_end)]
    if ended and len(rounds) > 1:
        told = any(s.cause for s in ended)
        weight = FAIR if lines.found else FAIR if told and not facts.tells_browsers else HINT
        weight += HINT if len(ended) > 1 and (lines.found or not facts.tells_browsers) else 0
        lines.add(weight, "the older session was ended as the newer began", *ended)
    if not lines.found:
        return []
    strange = [r for r in rounds if r.network == "hosting"]
    if strange:
        lines.add(-FAIR, "one of them comes from a hosting network", strange[-1].asked)
    return lines.found


def _by_end(rounds: Sequence[Round]) -> list[tuple[datetime, int]]:
    """When each of some rounds ended, with its place among them, in the order of their ends."""
    return sorted((one.ended_at, place) for place, one in enumerate(rounds) if one.ended_at)


def _by_newer(
    ended: Session, rounds: Sequence[Round], by_end: Sequence[tuple[datetime, int]]
) -> bool:
    """Whether a session ended as another browser of the same half hour got in."""
    first = bisect_right(by_end, (ended.at - AT_ONCE, len(rounds)))
    last = bisect_left(by_end, (ended.at + AT_ONCE,))
    near = [rounds[place] for place in sorted(place for _, place in by_end[first:last])]
    fresh = next((one for one in near if not one.browser or one.browser != ended.browser), None)
    if fresh is None:
        return False
    older = [one for one in rounds if one.at < fresh.at and one.browser == ended.browser]
    return any(fresh.at - (one.ended_at or one.at) <= SITTING for one in older)


def takes_turns(rounds: Sequence[Round], name: str) -> tuple[Round, ...]:
    """Rounds in which two values of a trait alternate within half an hour."""
    named = [one for one in rounds if getattr(one, name)]
    for n in range(len(named) - 1):
        a, b = named[n], named[n + 1]
        if getattr(a, name) == getattr(b, name) or b.at - a.at > SITTING:
            continue
        third = named[n + 2] if n + 2 < len(named) else None
        if third and getattr(third, name) == getattr(a, name) and third.at - b.at <= SITTING:
            return a, b, third
        if any(s.state == "ended" for s in a.sessions):
            return a, b
    return ()


@cause("B5", "the address keeps changing: VPN, mobile or relay", prior=0.1)
def address_changes(scene: Scene) -> list[Evidence]:
    """The same browser goes from one address to another and back within the hour."""
    facts, lines = scene.facts, Lines(scene.facts)
    swing = returns_within_hour(facts)
    recent = [v for v in facts.visits if v.at >= facts.anchor - 3 * HOUR and v.ip]
    if swing:
        says = "the address went away and came back within the hour"
        lines.add(DECISIVE - HINT, says, *swing)
    elif len({v.ip for v in recent}) >= 3 and len({v.browser for v in recent} - {None}) <= 1:
        lines.add(STRONG, "three addresses or more within hours", *recent[-3:])
    else:
        blind = [r for r in facts.recent if r.rule in {"new-ip", "new-place"} and not r.ip]
        if blind:
            weight = STRONG if len(blind) > 1 else FAIR + HINT
            lines.add(
                weight,
                "asked for a new network; the log holds no address",
                *(r.asked for r in blind),
            )
    shifting = [one for one in facts.recent if one.network in SHIFTING]
    if shifting:
        is_new = shifting[-1].rule in {"new-ip", "new-place"} or facts.is_strange(
            "ip", shifting[-1].ip, shifting[-1].at
        )
        if lines.found or is_new:
            network = shifting[-1].network
            lines.add(HINT + 0.5, f"the network is known as {network}", shifting[-1].asked)
    if lines.found and all(one.rule == "every-login" for one in facts.recent):
        lines.add(-STRONG, ALWAYS)
    if lines.found and facts.last and not facts.last.is_accepted:
        lines.add(-STRONG, "the last challenge was not passed", facts.last.asked)
    return lines.found


@cause("B6", "a weak line", prior=-0.2)
def weak_line(scene: Scene) -> list[Evidence]:
    """Challenges are given up and loaded again; answers are absent, not wrong."""
    facts, lines = scene.facts, Lines(scene.facts)
    loaded = [one for one in facts.recent if len({asked.at for asked in one.asks}) > 1]
    if loaded:
        often = len(loaded) > 1 or len({asked.at for asked in loaded[-1].asks}) > 2
        says = "the same challenge was loaded more than once"
        lines.add(STRONG + (FAIR if often else HINT), says, *loaded[-1].asks)
    absent = [r for r in facts.recent if all(a.reason == "timeout" for a in r.answers)]
    left = [
        one
        for one in absent
        if one.asks and one.factor != "push" and not any(sent.trouble for sent in one.sends)
    ]
    if len(left) >= 2:
        lines.add(
            HINT + 0.5 * len(left[:4]),
            f"{len(left)} challenges were given up",
            *(r.asked for r in left[-4:]),
        )
    if not lines.found:
        return []
    if not loaded and any(one.resends or len(one.sends) > 1 for one in left):
        lines.add(-HINT, "more codes were asked for, so the page was there")
    wrong = [a for one in facts.recent for a in one.refusals if a.reason != "timeout"]
    if wrong:
        lines.add(-HINT, "answers were wrong, not absent", wrong[-1])
    if left and any(one.is_accepted for one in facts.recent):
        lines.add(HINT, "another challenge of the day was passed")
    return lines.found


@cause("B7", "old tabs", prior=-0.2)
def old_tabs(scene: Scene) -> list[Evidence]:
    """The answer belongs to a challenge of an earlier tab."""
    facts, lines = scene.facts, Lines(scene.facts)
    for older, newer in pairwise(facts.recent):
        moment = newer.at if facts.is_coarse else newer.at + timedelta(seconds=2)
        late = [a for a in older.answers if a.at >= moment]
        if not late:
            continue
        tabs = {r.asked.tab for r in (older, newer) if r.asked and r.asked.tab}
        weight = DECISIVE if len(tabs) == 2 else FAIR + HINT
        says = "answered on an older tab while a newer one had asked"
        lines.add(weight, says, older.asked, newer.asked, *late)
        if any(a.reason == "foreign" for a in late):
            lines.add(HINT, "refused as belonging elsewhere", *late)
        if (older.browser and newer.browser and older.browser != newer.browser) or (
            older.ip and newer.ip and older.ip != newer.ip
        ):
            lines.add(-STRONG, "the two came from different browsers or networks")
        break
    already = [r for r in facts.since(Redirect) if "already" in f"{r.origin} {r.to}".casefold()]
    if already:
        lines.add(FAIR + HINT, "sent to a page that says: already logged in", already[-1])
    return lines.found
