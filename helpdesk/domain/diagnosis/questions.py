"""The pairs of causes that look alike: what decides between them, and what to ask the caller.

Each pair knows when the log lacks its deciding fact. Replies are matched to a few canonical ones,
leniently: by their id, their text, or by words in them; a reply nobody understands changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from helpdesk.domain.diagnosis.clocks import drifts
from helpdesk.domain.diagnosis.delivery import silent_sends, untold
from helpdesk.domain.diagnosis.facts import Answer, Challenge, Facts, Lock, Password
from helpdesk.domain.diagnosis.memory import kept_within_sitting, same_sitting, streak
from helpdesk.domain.diagnosis.refusal import refusals, sent_refusals, totp_refusals
from helpdesk.domain.diagnosis.strangers import FAR, strangeness
from helpdesk.domain.diagnosis.verdicts import Question, Reply, clock
from helpdesk.domain.text import clean
from helpdesk.domain.tickets import Complaint

WAITING = frozenset({Complaint.NO_CODE, Complaint.CODE_REFUSED})
"""Complaints of somebody who says that the login is theirs."""

YES = r"^(yes|yeah|yep|ja|oui|si|right|correct|indeed|true|it (does|did|has|is|works))\b"
NO = r"^(no|nope|never|not|nein|non|nothing|none|it (does not|did not|doesn.t|didn.t|is not))\b"


class Meaning(Struct, frozen=True, kw_only=True):
    """One canonical reply: its words, how else it is said, and what it speaks for and against."""

    id: str
    text: str
    like: str
    speaks: dict[str, float]


class Pair(Struct, frozen=True, kw_only=True):
    """Two causes to tell apart.

    Attributes:
        lacks: Gives what the log lacks to decide; empty where it holds the deciding fact.
        ask: Gives the question; empty where only the log or the fleet can decide.
    """

    id: str
    lacks: Callable[[Facts], str]
    ask: Callable[[Facts], str] = lambda facts: ""
    meanings: tuple[Meaning, ...] = ()

    @property
    def ends(self) -> tuple[str, str]:
        """The two cause ids."""
        first, _, second = self.id.partition("/")
        return first, second

    def question(self, facts: Facts) -> Question | None:
        """What to ask, or None where no caller can know."""
        text = self.ask(facts)
        if not text:
            return None
        replies = tuple(Reply(id=meaning.id, text=meaning.text) for meaning in self.meanings)
        return Question(pair=self.id, text=text, lacks=self.lacks(facts), replies=replies)


def _means(reply: str, text: str, like: str, **speaks: float) -> Meaning:
    return Meaning(id=reply, text=text, like=like, speaks=speaks)


def _whose(facts: Facts) -> str:
    refusals = sent_refusals(facts)
    if any(not r.is_bland for r in refusals[-1:]):
        return ""
    return "word of whose code was typed, nor why it was refused" if refusals else ""


def _mailbox(facts: Facts) -> str:
    if untold(facts, "email"):
        return "" if facts.user.notification_address else "address the code went to"
    sends = silent_sends(facts)
    told = sends and sends[-1][1].event.to
    is_set = facts.user.notification_address
    return "" if told or is_set or not sends else "address the code went to"


def _arrival(facts: Facts) -> str:
    if untold(facts, "email", "sms", "voice"):
        return "delivery of the message"
    sends = silent_sends(facts)
    if not sends or sends[-1][1].arrived or "deferred" in sends[-1][1].states:
        return ""
    return "delivery of the message"


def _sitting(facts: Facts) -> str:
    if not facts.tells_browsers:
        return "browser id"
    rounds = streak(facts)
    within = [pair for pair in same_sitting(rounds) if pair[1].trust]
    return "" if within or kept_within_sitting(facts) else "second login within one sitting"


def _return(facts: Facts) -> str:
    addressed = [one for one in facts.recent if one.ip]
    return "" if len(addressed) > 1 or not facts.recent else "addresses of the logins"


def _known_browser(facts: Facts) -> str:
    one = facts.last
    says_so = one is not None and (one.is_accepted or facts.complaint in WAITING)
    if one is not None and says_so and strangeness(facts, one, one.at) >= FAR:
        return "word of the user that it was them"
    return "" if one is None or (one.browser and facts.own["browser"]) else "browser id"


def _rule(facts: Facts) -> str:
    return "" if any(one.rule for one in facts.recent[-3:]) else "rule by which it asked"


def _offset(facts: Facts) -> str:
    answers = [r.answer for r in totp_refusals(facts)]
    if not answers or drifts(answers) or any(a.reason == "drift" for a in answers):
        return ""
    return "offset of the code"


def _filter(facts: Facts) -> str:
    return "" if any(p.ip for p in facts.since(Password)) else "address the password came from"


def _answers(facts: Facts) -> str:
    return "" if facts.since(Answer) else "answers"


def _private(facts: Facts) -> str:
    return "" if "E2" in facts.compared else "word of what happened to others at the same moment"


def _challenge(facts: Facts) -> str:
    return "" if facts.since(Challenge) and not facts.is_stale else "challenge of today"


def _call_back(facts: Facts) -> str:
    return "proof that the caller is the user"


def _same_offset(facts: Facts) -> str:
    return "" if "D4b" in facts.compared else "word of other users' offsets"


def _locks(facts: Facts) -> str:
    refused = [r for r in refusals(facts)[-2:] if not r.is_bland]
    return "" if facts.every(Lock) or refused else "locks"


def _outage(facts: Facts) -> str:
    if "C5" in facts.compared or not _arrival(facts):
        return ""
    return "word of what happened to others at the same moment"


def _mask(facts: Facts) -> str:
    sends = silent_sends(facts)
    to = sends[-1][1].event.to if sends else None
    return f"Whose mailbox is {clean(to)}?" if to else "Whose mailbox do the codes go to?"


def _was_it_you(facts: Facts) -> str:
    one = facts.last
    if one is None:
        return "Was that login yours?"
    place = next((clean(p) for p in (one.place, one.ip) if p), "")
    return f"Was that you, at {clock(one.at)}{f', from {place}' if place else ''}?"


PAIRS: dict[str, Pair] = {
    pair.id: pair
    for pair in (
        Pair(
            id="D1/D2",
            lacks=_whose,
            ask=lambda facts: "At what time did that message arrive? Is there a later one?",
            meanings=(
                _means(
                    "older",
                    "There is a later message.",
                    (
                        r"later one|there is (a|one|another)|newer|second (mail|message)|"
                        r"two (mails|messages)|first (one|mail|message)|older|"
                        r"several|earlier (one|mail|message)|"
                    )
                    + YES,
                    D2=6,
                    D1=-4,
                    D3=-2,
                ),
                _means(
                    "newest",
                    "It is the newest message.",
                    r"newest|latest|only one|no later|the last|just one|single|" + NO,
                    D1=5,
                    D2=-6,
                ),
            ),
        ),
        Pair(
            id="C1/C2",
            lacks=_mailbox,
            ask=_mask,
            meanings=(
                _means(
                    "own",
                    "It is my own.",
                    r"\bmine\b|\bmy\b(?!.*(colleague|boss|old))|\bown\b|i read",
                    C2=4,
                    C1=-6,
                    C9=1,
                ),
                _means(
                    "other",
                    "It is somebody else's, or an old one.",
                    (
                        r"colleague|boss|somebody|someone|shared|team|old|former|"
                        r"not mine|don.t know|do not know|unknown|nobody|agency|"
                        r"left"
                    ),
                    C1=6,
                    C2=-4,
                    C9=-3,
                ),
            ),
        ),
        Pair(
            id="C3/C2",
            lacks=_arrival,
            ask=lambda facts: "Has it come since?",
            meanings=(
                _means(
                    "late",
                    "Yes, it came later.",
                    r"later|just (now|came|arrived)|arrived|came|minutes|late|finally|" + YES,
                    C3=6,
                    C2=-4,
                    C1=-3,
                    C5=-2,
                ),
                _means(
                    "never",
                    "No, nothing came.",
                    r"nothing|never|still (not|no|waiting)|junk|spam|" + NO,
                    C2=2,
                    C3=-4,
                ),
            ),
        ),
        Pair(
            id="B1/B3",
            lacks=_sitting,
            ask=lambda facts: "Does it ask again before you close the browser?",
            meanings=(
                _means(
                    "after-closing",
                    "Only after I close the browser.",
                    (
                        r"only (after|when)|after (i )?clos|when i (close|reopen|restart|open)|"
                        r"next (day|morning)|once i close|reopen|"
                    )
                    + NO,
                    B1=5,
                    B3=-6,
                    B2=2,
                ),
                _means(
                    "before-closing",
                    "Yes, even before I close it.",
                    (
                        r"before|same sitting|while.*open|every (time|page)|always|"
                        r"right away|at once|each|still open|without closing|"
                    )
                    + YES,
                    B3=6,
                    B1=-5,
                    B2=-4,
                ),
            ),
        ),
        Pair(
            id="A2/B5",
            lacks=_return,
            ask=lambda facts: "Do you use a VPN or a phone hot-spot?",
            meanings=(
                _means(
                    "vpn",
                    "Yes, a VPN, a hot-spot or a relay.",
                    r"vpn|hot.?spot|relay|mobile|phone|train|" + YES,
                    B5=6,
                    A2=-3,
                ),
                _means(
                    "fixed",
                    "No, one new network.",
                    r"hotel|home|office|wi.?fi|new (network|office|line)|travel|" + NO,
                    A2=4,
                    B5=-5,
                ),
            ),
        ),
        Pair(
            id="A2/F1",
            lacks=_known_browser,
            ask=_was_it_you,
            meanings=(
                _means(
                    "not-me",
                    "No, that was not me.",
                    r"not me|wasn.t|was not|never|somebody|someone else|no idea|asleep|" + NO,
                    F1=7,
                    A2=-6,
                    A3=-5,
                    B5=-4,
                ),
                _means(
                    "me",
                    "Yes, that was me.",
                    r"\bme\b|i was|travel|hotel|that was i|mine|" + YES,
                    A2=4,
                    F1=-4.5,
                    B5=1,
                ),
            ),
        ),
        Pair(
            id="A1/B1",
            lacks=_rule,
            ask=lambda facts: "Do you close the browser in between?",
            meanings=(
                _means(
                    "closes",
                    "Yes, and it only asks after that.",
                    r"clos|every evening|restart|shut|" + YES,
                    B1=4,
                    A1=-3,
                    B2=1,
                ),
                _means(
                    "stays",
                    "No, it asks at every login.",
                    r"every|each|always|stays open|leave it open|" + NO,
                    A1=5,
                    B1=-5,
                    B2=-4,
                ),
            ),
        ),
        Pair(
            id="D4/D5",
            lacks=_offset,
            ask=lambda facts: "Read me two numbers in a row, please.",
            meanings=(
                _means(
                    "one-offset",
                    "Both fit, by one offset.",
                    r"offset|both fit|fast|slow|same (shift|drift)|drift|ahead|behind|" + YES,
                    D4=6,
                    D5=-5,
                ),
                _means(
                    "no-match",
                    "Neither fits at any offset.",
                    r"no match|neither|fit nowhere|none|not fit|" + NO,
                    D5=6,
                    D4=-5,
                ),
            ),
        ),
        Pair(
            id="D4/D4b",
            lacks=_same_offset,
            ask=lambda facts: "Look it up: do other users have the same offset?",
            meanings=(
                _means("alone", "No, only this user.", r"only|alone|nobody|" + NO, D4=4, D4b=-5),
                _means(
                    "many", "Yes, others have it too.", r"others|many|same|" + YES, D4b=7, D4=-5
                ),
            ),
        ),
        Pair(
            id="D3/D9",
            lacks=_locks,
            ask=lambda facts: "Look it up: is the user locked?",
            meanings=(
                _means(
                    "free",
                    "No lock is in force.",
                    r"no lock|free|not locked|" + NO,
                    D3=3,
                    D9=-5,
                    D10=-5,
                ),
                _means("locked", "Yes, locked.", r"lock|until|" + YES, D9=6, D3=-4),
            ),
        ),
        Pair(
            id="D8/F1",
            lacks=_filter,
            ask=lambda facts: "Does your company use a mail filter that opens links?",
            meanings=(
                _means(
                    "filter",
                    "Yes, there is a filter.",
                    r"filter|mimecast|proofpoint|barracuda|defender|scanner|gateway|" + YES,
                    D8=5,
                    F1=-3,
                ),
                _means("no-filter", "No, there is none.", r"no filter|" + NO, F1=4, D8=-4),
            ),
        ),
        Pair(
            id="E1/D3",
            lacks=_answers,
            ask=lambda facts: "Does it say wrong code, or does it simply ask again?",
            meanings=(
                _means(
                    "wrong",
                    "It says the code is wrong.",
                    r"wrong|invalid|incorrect|not valid|error|refus",
                    D3=5,
                    E1=-5,
                    E2=-4,
                ),
                _means(
                    "asks-again",
                    "It simply asks again.",
                    r"ask|again|loop|back to|no (error|message)|same page|nothing",
                    E1=5,
                    D3=-5,
                    E2=2,
                ),
            ),
        ),
        Pair(
            id="E1/E2",
            lacks=_private,
            ask=lambda facts: "Does a private window work?",
            meanings=(
                _means(
                    "works",
                    "Yes, it works there.",
                    r"works|gets? (me )?in|fine there|" + YES,
                    E2=5,
                    E1=-3,
                ),
                _means(
                    "same",
                    "No, it is the same there.",
                    r"same|also|as well|too|still|" + NO,
                    E1=4,
                    E2=-5,
                ),
            ),
        ),
        Pair(
            id="C5/C2",
            lacks=_outage,
            ask=lambda facts: "Look it up: are other users without codes too?",
            meanings=(
                _means("alone", "No, only this user.", r"only|alone|nobody|" + NO, C2=3, C5=-5),
                _means("many", "Yes, others too.", r"others|many|same|" + YES, C5=7, C2=-4),
            ),
        ),
        Pair(
            id="C11/C2",
            lacks=_challenge,
            ask=lambda facts: "Did you see the box for the code?",
            meanings=(
                _means(
                    "no-box",
                    "No, I never saw it.",
                    r"never|did not|didn.t|no box|password page|" + NO,
                    C11=5,
                    C2=-4,
                ),
                _means(
                    "box",
                    "Yes, it waits for the code.",
                    r"waits|saw|there is|box|" + YES,
                    C2=4,
                    C11=-6,
                    C3=2,
                    C1=1,
                ),
            ),
        ),
        Pair(
            id="F3/lost phone",
            lacks=_call_back,
            ask=lambda facts: "May I call you back on the number we have on record?",
            meanings=(
                _means(
                    "reached",
                    "Reached on the number of record.",
                    r"reached|called back|confirmed|" + YES,
                    F3=-3,
                ),
                _means(
                    "refuses",
                    "Does not want to be called back.",
                    r"refus|not reach|cannot|can.t|different number|other number|" + NO,
                    F3=4,
                ),
            ),
        ),
    )
}
"""The pairs by id, in the order in which the causes come."""
