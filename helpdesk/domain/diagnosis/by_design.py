"""Group A: it asks by design, and nothing is broken."""

from __future__ import annotations

import re
from datetime import timedelta

from helpdesk.domain.diagnosis import lost
from helpdesk.domain.diagnosis.catalog import DECISIVE, FAIR, HINT, STRONG, Lines, Scene, cause
from helpdesk.domain.diagnosis.elsewhere import handless
from helpdesk.domain.diagnosis.facts import SITTING, Export, Facts, Other, Password, Session, once
from helpdesk.domain.diagnosis.memory import fresh_browsers, returns_within_hour
from helpdesk.domain.diagnosis.rounds import Round
from helpdesk.domain.diagnosis.several import takes_turns
from helpdesk.domain.diagnosis.strangers import FAR, moved_by_a_stranger, strangeness
from helpdesk.domain.diagnosis.verdicts import Evidence
from helpdesk.domain.tickets import Complaint

UNTOLD = "asked once and passed; the log does not say by which rule"
NEW_PLACE = frozenset({"new-ip", "new-place"})
NEW_DEVICE = frozenset({"new-device", "new-browser"})


def calm(facts: Facts, lines: Lines) -> None:
    """Speak against a cause of this group where something did go wrong today."""
    lines.found += _wrong_today(facts)


@once
def _wrong_today(facts: Facts) -> list[Evidence]:
    lines = Lines(facts)
    _long_ago(facts, lines)
    _not_by_them(facts, lines)
    _not_passed(facts, lines)
    refused = facts.last.refusals if facts.last else []
    if refused:
        weight = FAIR if len(refused) == 1 else STRONG
        lines.add(-weight, "answers were refused at the last login", *refused[-2:])
    if facts.loops:
        before, after = facts.loops[-1]
        weight = STRONG + FAIR if before.session("missing") or not before.sessions else FAIR
        lines.add(-weight, "asked again at once after a good answer", before.good, after.asked)
    if facts.active_lock:
        lines.add(-STRONG, "a lock is in force", facts.active_lock)
    if facts.must_enrol and facts.must_enrol.at > (facts.last.at if facts.last else facts.now):
        lines.add(-STRONG, "a method must be enrolled first", facts.must_enrol)
    passwords = facts.since(Password)
    last_at = facts.last.at if facts.last else facts.anchor
    if passwords and not passwords[-1].ok and passwords[-1].at > last_at:
        lines.add(-STRONG, "the password itself was refused", passwords[-1])
    lost = facts.lost_session
    if lost:
        lines.add(-STRONG - HINT, "the login was passed, and yet they are not in", lost)
    turns = [s for s in facts.since(Session) if s.state == "ended" and _is_other_login(s.cause)]
    if len(turns) > 1:
        lines.add(-STRONG, "logins end each other's sessions", *turns[-2:])
    return lines.found


def _not_passed(facts: Facts, lines: Lines) -> None:
    troubled = [one for one in facts.recent if not one.is_accepted]
    if facts.unclaimed:
        lines.add(-HINT, "nobody answered, and nobody waits for the code", facts.unclaimed.asked)
    elif troubled and troubled[-1] is facts.recent[-1]:
        lines.add(-DECISIVE, "the last challenge was not passed", *troubled[-1].asks)
    elif len(troubled) >= 2:
        lines.add(-HINT, "some challenges today were not passed", troubled[-1].asked)


def _not_by_them(facts: Facts, lines: Lines) -> None:
    """Speak against where somebody or something else was at work."""
    typed = handless(facts)
    if typed:
        lines.add(-STRONG, "the code was typed from elsewhere, faster than by hand", typed)
    if moved_by_a_stranger(facts, facts.now):
        lines.add(-STRONG - FAIR, "number or address were changed from a never-seen address")


def _long_ago(facts: Facts, lines: Lines) -> None:
    """Let no asking of last week speak for today, unless being asked is what they complain of."""
    if facts.is_stale:
        lines.add(-STRONG, "nothing of today is in the log", facts.events[-1])
    if lost.is_told(facts):
        lines.add(-STRONG, "a loss is reported; being asked is not the trouble")
    asked = facts.last
    days = (max(facts.now, facts.anchor) - asked.at).days if asked else 0
    if days < 3:
        return
    weight = HINT if facts.complaint is Complaint.KEEPS_ASKING else STRONG + FAIR
    lines.add(-weight, f"it was last asked {days} days ago", asked.asked if asked else None)


def _is_other_login(words: str | None) -> bool:
    return bool(re.search("concurrent|other|replac|another|second|new", (words or "").casefold()))


@once
def latest_good(facts: Facts) -> Round | None:
    """The round a complaint of being asked is about: the newest accepted one, else the newest."""
    return next((one for one in reversed(facts.recent) if one.is_accepted), facts.last)


@cause("A1", "asks at every login, as it should", prior=0.5)
def every_login(scene: Scene) -> list[Evidence]:
    """The rule is to ask at each login: one challenge a login, all passed."""
    facts, lines = scene.facts, Lines(scene.facts)
    logins = [one for one in facts.habit if one.rule != "export"]
    if not logins:
        return []
    ruled = [one for one in logins[-6:] if one.rule == "every-login"]
    other = [one for one in logins[-3:] if one.rule and one.rule != "every-login"]
    unruled = [one for one in logins[-6:] if one.rule is None]
    if ruled:
        lines.add(STRONG, "the rule that asked is: at every login", *(r.asked for r in ruled))
        passed = [one for one in ruled if one.is_accepted]
        if len(passed) == len(ruled):
            lines.add(HINT + min(len(passed), 3) / 2, "each of them was passed", passed[-1].good)
    elif facts.asks_always and unruled:
        lines.add(STRONG, "this product asks at every login", unruled[-1].asked)
    elif unruled and len(unruled) > 1:
        lines.add(FAIR, "asked at each login; the log does not say by which rule")
    unasked = [p for p in facts.trusted_logins if p.at >= facts.anchor - timedelta(days=30)]
    if not ruled and len(unasked) > 1:
        lines.add(-STRONG, "other logins were not asked at all", unasked[-1])
    if len((logins[-1].asked and logins[-1].asked.policies) or ()) > 1:
        lines.add(-HINT, "more than one session policy applies", logins[-1].asked)
    if other:
        lines.add(-STRONG, f"asked by another rule: {other[-1].rule}", other[-1].asked)
    turns = takes_turns([one for one in facts.recent if one.is_accepted], "browser")
    if turns:
        lines.add(-FAIR, "two browsers take turns within minutes", *(r.asked for r in turns))
    calm(facts, lines)
    return lines.found


@cause("A2", "a network it has not seen before", prior=0.2)
def new_network(scene: Scene) -> list[Evidence]:
    """The address is new to the user, or to the account; the browser is known."""
    facts, lines = scene.facts, Lines(scene.facts)
    one = latest_good(facts)
    if one is None:
        return []
    is_new = facts.is_strange("ip", one.ip, one.at)
    if one.rule in NEW_PLACE:
        lines.add(STRONG, "the rule that asked is: new network or place", one.asked)
    elif one.rule is None and is_new and not facts.is_strange("browser", one.browser, one.at):
        lines.add(STRONG, "the address is new, the browser is not", one.asked)
    elif one.rule == "risk" and is_new:
        lines.add(FAIR, "a risk rule asked, and the address is new", one.asked)
    elif is_untold(facts, one, "good"):
        lines.add(HINT, UNTOLD, one.asked)
    if not lines.found:
        return []
    if is_new:
        lines.add(HINT, f"{one.ip} was not seen before", one.asked)
    _known_browser(facts, one, lines)
    hours = [v for v in facts.visits if v.at >= facts.anchor - timedelta(hours=3)]
    if returns_within_hour(facts):
        lines.add(-FAIR - HINT, "the address changes back and forth within the hour")
    elif len({v.ip for v in hours} - {None}) > 2:
        lines.add(-FAIR - HINT, "three addresses or more within hours", *hours[-3:])
    calm(facts, lines)
    return lines.found


def _known_browser(facts: Facts, one: Round, lines: Lines) -> None:
    if facts.is_own("browser", one.browser, one.at) or one.trust == "good":
        lines.add(HINT + 0.5, "the browser is known", one.asked)
    elif facts.is_strange("browser", one.browser, one.at):
        far = strangeness(facts, one, one.at) >= FAR
        lines.add(-HINT - (FAIR if far else 0), "the browser is new as well", one.asked)


def is_untold(facts: Facts, one: Round, trust: str) -> bool:
    """Whether nothing in the log says why one good login was asked, save perhaps the trust."""
    told = one.rule or one.trust not in {None, trust}
    strange = any(facts.is_strange(t, getattr(one, t), one.at) for t in ("ip", "browser"))
    return one.is_accepted and not told and not strange and not facts.asks_always


@cause("A3", "a browser or device it has not seen before", prior=0.1)
def new_browser(scene: Scene) -> list[Evidence]:
    """The browser is seen for the first time; the network is known."""
    facts, lines = scene.facts, Lines(scene.facts)
    one = latest_good(facts)
    if one is None:
        return []
    is_new = facts.is_strange("browser", one.browser, one.at)
    if one.rule in NEW_DEVICE:
        lines.add(STRONG, "the rule that asked is: new device or browser", one.asked)
    elif one.rule is None and is_new:
        lines.add(STRONG, "the browser is seen for the first time", one.asked)
    elif is_untold(facts, one, "none"):
        lines.add(HINT, UNTOLD, one.asked)
    if not lines.found:
        return []
    if is_new:
        lines.add(HINT, "no earlier login came with this browser", one.asked)
    if facts.is_own("browser", one.browser, one.at):
        lines.add(-FAIR, "this browser was let in before", one.asked)
    if one.trust in {"expired", "foreign"}:
        lines.add(-FAIR, f"the browser brought a trust mark, but it was {one.trust}", one.asked)
    _known_network(facts, one, lines)
    _not_the_first_time(facts, one, lines)
    calm(facts, lines)
    return lines.found


def _known_network(facts: Facts, one: Round, lines: Lines) -> None:
    if not facts.is_own("ip", one.ip, one.at):
        return
    lines.add(HINT, "the network is known", one.asked)
    before = next((r for r in reversed(facts.rounds) if r.is_accepted and r.at < one.at), None)
    if before and _is_new_version(before.agent, one.agent):
        lines.add(-FAIR, "it is the same browser program in another version", one.asked)


def _not_the_first_time(facts: Facts, one: Round, lines: Lines) -> None:
    """Speak against a first time where it was asked so before."""
    is_new = facts.is_strange("browser", one.browser, one.at)
    repeated = len(fresh_browsers(facts))
    asked_so = sum(1 for r in facts.accepted[-6:] if r.rule in NEW_DEVICE or r.trust == "none")
    if repeated >= 3 or (asked_so >= 3 and not facts.tells_browsers):
        lines.add(-STRONG, "it happens again and again, each time as if for the first")
    elif repeated == 2:
        lines.add(-FAIR - HINT, "two browsers in a row were seen once and never again")
    elif asked_so >= 2 and not is_new:
        lines.add(-FAIR, "it was asked so before on this browser")


@cause("A4", "the time of remembering ran out", rules="new-device new-browser trust-expired")
def trust_expired(scene: Scene) -> list[Evidence]:
    """The browser was trusted, and the trust is older than it may be."""
    facts, lines = scene.facts, Lines(scene.facts)
    one = latest_good(facts)
    if one is None or one.asked is None:
        return []
    if one.trust == "expired":
        lines.add(STRONG + HINT, "the trust mark it brought had run out", one.asked)
    if one.rule == "trust-expired":
        weight = FAIR if one.trust == "none" else STRONG
        lines.add(weight, "the rule that asked is: remembering ran out", one.asked)
    since = one.asked.trust_since
    if since is not None and one.at - since > timedelta(days=6):
        lines.add(HINT, f"trusted since {since:%d %b %Y}", one.asked)
    earlier = [r for r in facts.rounds if r.is_accepted and r.at < one.at - SITTING]
    is_blank = one.rule is None and one.trust is None
    if is_blank and earlier and one.at - earlier[-1].at > timedelta(days=28):
        same = earlier[-1].browser == one.browser or None in {earlier[-1].browser, one.browser}
        if same and not facts.is_strange("ip", one.ip, one.at):
            lines.add(FAIR + HINT, "the last good answer is weeks old", earlier[-1].good)
    if is_blank and not lines.found and _asked_of_known(facts, one):
        lines.add(FAIR, "a browser that was not asked before was asked again", one.asked)
    if not lines.found:
        return []
    if len(one.asked.policies or ()) > 1:
        lines.add(-FAIR, "more than one session policy applies", one.asked)
    calm(facts, lines)
    return lines.found


@cause("A5", "an export asks, not a login", rules="export")
def export(scene: Scene) -> list[Evidence]:
    """The challenge stands before an export, and the session was good."""
    facts, lines = scene.facts, Lines(scene.facts)
    one = latest_good(facts)
    if one is None:
        return []
    exports = facts.since(Export)
    if one.rule == "export":
        lines.add(DECISIVE, "the rule that asked is: export of contacts", one.asked)
    elif one.rule is None and one.password is None:
        after = [e for e in exports if timedelta(0) <= e.at - one.at <= timedelta(minutes=10)]
        if after:
            lines.add(STRONG, "an export followed, and no password came before", *after)
    if not lines.found:
        return []
    if exports:
        lines.add(HINT, "contacts were exported", exports[-1])
    calm(facts, lines)
    return lines.found


@cause("A6", "several session policies, and the strictest wins")
def strictest_policy(scene: Scene) -> list[Evidence]:
    """More than one policy stands on the challenge; the shortest governs."""
    facts, lines = scene.facts, Lines(scene.facts)
    one = latest_good(facts)
    if one is None or one.asked is None:
        return []
    policies = one.asked.policies or ()
    if len(policies) > 1:
        hours = [policy for policy in policies if policy.hours is not None]
        least = min(hours, key=lambda policy: policy.hours or 0, default=policies[0])
        lines.add(DECISIVE, f"{len(policies)} policies apply; {least.name} governs", one.asked)
    if one.rule == "policy":
        lines.add(STRONG, "the rule that asked is: a session policy", one.asked)
    if lines.found:
        calm(facts, lines)
    return lines.found


def _asked_of_known(facts: Facts, one: Round) -> bool:
    """Whether a known browser at a known address was asked, though it had not been before."""
    before = [p for p in facts.trusted_logins if p.at < one.at - SITTING]
    strange = any(facts.is_strange(t, getattr(one, t), one.at) for t in ("ip", "browser", "place"))
    return len(before) > 1 and not strange


def family(agent: str) -> str:
    """A user agent without its numbers: what stays the same over an update."""
    return re.sub(r"[\d._]+", "", agent)


def _is_new_version(was: str | None, now: str | None) -> bool:
    return bool(was and now) and was != now and family(was or "") == family(now or "")


def _changed_details(facts: Facts, one: Round) -> list[Other | Session]:
    """What says that the login details were changed before a round."""
    changed: list[Other | Session] = [
        e for e in facts.since(Other) if "password" in e.kind and "chang" in e.kind
    ]
    changed += [
        s
        for s in facts.since(Session)
        if s.at <= one.at and re.search("password|detail|credential", (s.cause or "").casefold())
    ]
    return changed


@cause("A7", "the browser was updated, or the login details changed")
def updated(scene: Scene) -> list[Evidence]:
    """The same place and browser with a newer version, whose trust is no longer taken."""
    facts, lines = scene.facts, Lines(scene.facts)
    one = latest_good(facts)
    if one is None:
        return []
    before = next((r for r in reversed(facts.rounds) if r.is_accepted and r.at < one.at), None)
    if before and _is_new_version(before.agent, one.agent):
        lines.add(STRONG + HINT, "the same browser program in another version", one.asked)
    if one.trust == "foreign":
        lines.add(FAIR + HINT, "the browser brought a trust mark that was not taken", one.asked)
    changed = _changed_details(facts, one)
    if changed:
        lines.add(STRONG + FAIR, "the login details were changed just before", changed[-1])
    elif not lines.found and one.rule is None is one.trust and _asked_of_known(facts, one):
        lines.add(FAIR, "a browser that was not asked before was asked again", one.asked)
    if not lines.found:
        return []
    _same_place(facts, one, before, lines)
    calm(facts, lines)
    return lines.found


def _same_place(facts: Facts, one: Round, before: Round | None, lines: Lines) -> None:
    """Weigh what should be the same over an update."""
    if one.rule == "risk":
        lines.add(HINT, "a risk rule asked", one.asked)
    if before and before.ip and before.ip == one.ip:
        lines.add(HINT, "the address is the same", one.asked)
    if facts.is_strange("ip", one.ip, one.at):
        lines.add(-FAIR, "the address is new", one.asked)
    if one.rule in NEW_PLACE | {"every-login", "export"}:
        lines.add(-FAIR, f"asked by another rule: {one.rule}", one.asked)
