"""Hearing: what a caller's reply is taken to mean, and what it then speaks for and against."""

from __future__ import annotations

import re
from datetime import timedelta

from helpdesk.domain.diagnosis.catalog import CAUSES
from helpdesk.domain.diagnosis.facts import Facts
from helpdesk.domain.diagnosis.pairs import NO, YES, Meaning, Pair
from helpdesk.domain.diagnosis.questions import PAIRS
from helpdesk.domain.diagnosis.refusal import sent_refusals
from helpdesk.domain.diagnosis.verdicts import CallerSaid, Evidence, Source
from helpdesk.domain.text import clean, folded

CAUSE_WORDS = {
    "B2": r"private|incognito",
    "B5": r"vpn|hot.?spot|relay",
    "B6": r"weak|slow|drops|train|bad (line|wifi|connection)",
    "B7": r"(two|several|other|many) tabs",
    "C2": r"spam|junk|quarantine",
    "C8": r"new phone|notifications? (are )?off|deleted the app|not installed",
    "C9": r"other mails?|all mails?|no mails?|outlook|fetch|webmail",
    "D5": r"two entries|old entry|several entries",
    "D7": r"colleague",
    "D8": r"filter|mimecast|proofpoint|barracuda",
    "E2": r"private window works",
    "F1": r"not me|was not me|wasn.t me",
}
"""Words by which a caller's reply to a cause's own question confirms it."""


LOOKALIKES: dict[str, tuple[str, ...]] = {
    "B2": ("A3", "B1", "B3"),
    "B5": ("A2",),
    "B7": ("D2", "D7"),
    "C2": ("C3", "C9"),
    "C9": ("C2", "C3"),
    "D5": ("D3", "D4"),
    "D7": ("D2",),
    "E2": ("E1",),
}
"""By cause: what the caller's yes to it speaks against, as it looks the same in the log."""

UNASKED = {
    "B2": r"incognito|private (window|tab|mode|browsing)(?! works)",
    "C9": (
        r"(nothing|no) (else|other)\b|other mails? (is|are|have|has|comes?|late|not)\b|"
        r"all (of )?(my )?mails? (is|are) (late|slow|missing)|"
        r"(outlook|thunderbird|mail (program|client|app)).{0,20}(disconnect|offline|not )"
    ),
}
"""Words that tell a cause though another was asked about."""

DENIED = r"\b(no|not|never|without|isn.t|don.t)\b[^.;,]{0,25}$"
"""What before such words turns them round."""


def meaning(said: CallerSaid, facts: Facts) -> Meaning | None:
    """Return what a reply was taken to mean, or None where it was not understood."""
    words = folded(said.reply).strip()
    pair = PAIRS.get(said.ask) or PAIRS.get("/".join(reversed(said.ask.split("/", 1))))
    if pair is None:
        return _of_cause(said.ask, words)
    for one in pair.meanings:
        if words in {one.id, folded(one.text), folded(one.text).rstrip(".")}:
            return one
    timed = _by_time(words, facts) if pair.id == "D1/D2" else None
    if timed:
        return next(one for one in pair.meanings if one.id == timed)
    return _by_words(pair, words)


def _by_words(pair: Pair, words: str) -> Meaning | None:
    """The one reply whose words fit best; a plain yes or no only counts where nothing else does."""
    found = []
    for one in pair.meanings:
        plain = [p for p in (YES, NO) if one.like.endswith(p)]
        rest = one.like[: -len(plain[0]) - 1] if plain else one.like
        hits = len(re.findall(rest, words)) * 2 + (1 if plain and re.search(plain[0], words) else 0)
        if hits:
            found.append((hits, one))
    found.sort(key=lambda pair: -pair[0])
    if not found or (len(found) > 1 and found[0][0] == found[1][0]):
        return None
    return found[0][1]


def _by_time(words: str, facts: Facts) -> str:
    """Which message a time of day names: the newest or an older one; empty where it is unclear."""
    told = re.search(r"\b(\d{1,2})[:.h](\d\d)\b", words)
    refusals = sent_refusals(facts)
    if not told or not refusals or len(refusals[-1].out) < 2:
        return ""
    minute = int(told.group(2))
    near = [
        n
        for n, sent in enumerate(refusals[-1].out)
        if ((sent.arrived_at or sent.event.at) + timedelta(seconds=29)).minute == minute
        or (sent.arrived_at or sent.event.at).minute == minute
    ]
    if len(near) != 1:
        return ""
    return "newest" if near[0] == len(refusals[-1].out) - 1 else "older"


def _of_cause(cause_id: str, words: str) -> Meaning | None:
    if cause_id not in CAUSES:
        return None
    known = CAUSE_WORDS.get(cause_id, "")
    if re.search(NO, words):
        return Meaning(id="no", text="No.", like="", speaks={cause_id: -4.0})
    if re.search(YES, words) or (known and re.search(known, words)):
        return _confirmed(cause_id)
    return None


def _confirmed(cause_id: str) -> Meaning:
    """What it means that the caller says it is so: what looks like it is not."""
    against = dict.fromkeys(LOOKALIKES.get(cause_id, ()), -3.0)
    return Meaning(id="yes", text="Yes.", like="", speaks={cause_id: 5.0} | against)


def volunteered(said: CallerSaid) -> Meaning | None:
    """Return what a caller tells unasked, whatever the question was; None where it is nothing."""
    words = folded(said.reply).strip()
    for cause_id, like in UNASKED.items():
        found = re.search(like, words)
        if found and cause_id not in said.ask and not re.search(DENIED, words[: found.start()]):
            return _confirmed(cause_id)
    return None


def caller_lines(one: Meaning, said: CallerSaid) -> dict[str, Evidence]:
    """Return a reply as evidence: by cause id, a line with its source."""
    says = f"the caller says: {clean(said.reply, limit=120)}"
    return {
        cause_id: Evidence(says=says, weight=weight, source=Source.CALLER)
        for cause_id, weight in one.speaks.items()
    }
