"""The pairs of causes that look alike: what decides between them, and what to ask the caller.

Each pair knows when the log lacks its deciding fact. Replies are matched to a few canonical ones,
leniently: by their id, their text, or by words in them; a reply nobody understands changes nothing.
"""

from __future__ import annotations

from helpdesk.domain.diagnosis import lacking
from helpdesk.domain.diagnosis.delivery import silent_sends
from helpdesk.domain.diagnosis.facts import Facts
from helpdesk.domain.diagnosis.pairs import NO, YES, Meaning, Pair
from helpdesk.domain.diagnosis.verdicts import clock
from helpdesk.domain.text import clean


def _means(reply: str, text: str, like: str, **speaks: float) -> Meaning:
    return Meaning(id=reply, text=text, like=like, speaks=speaks)


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
            lacks=lacking.whose,
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
            lacks=lacking.mailbox,
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
            lacks=lacking.arrival,
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
            lacks=lacking.sitting,
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
            lacks=lacking.addresses,
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
            lacks=lacking.known_browser,
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
            lacks=lacking.asking_rule,
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
            lacks=lacking.offset,
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
            lacks=lacking.same_offset,
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
            lacks=lacking.locks,
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
            lacks=lacking.password_ip,
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
            lacks=lacking.answers_today,
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
            lacks=lacking.others_moment,
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
            lacks=lacking.outage,
            ask=lambda facts: "Look it up: are other users without codes too?",
            meanings=(
                _means("alone", "No, only this user.", r"only|alone|nobody|" + NO, C2=3, C5=-5),
                _means("many", "Yes, others too.", r"others|many|same|" + YES, C5=7, C2=-4),
            ),
        ),
        Pair(
            id="C11/C2",
            lacks=lacking.challenge_today,
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
            lacks=lacking.call_back,
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
