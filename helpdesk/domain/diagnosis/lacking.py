"""What a log lacks to decide between two causes; empty where it holds the deciding fact."""

from __future__ import annotations

from helpdesk.domain.diagnosis.clocks import drifts
from helpdesk.domain.diagnosis.delivery import silent_sends, untold
from helpdesk.domain.diagnosis.facts import Answer, Challenge, Facts, Lock, Password
from helpdesk.domain.diagnosis.memory import kept_within_sitting, same_sitting, streak
from helpdesk.domain.diagnosis.refusal import refusals, sent_refusals, totp_refusals
from helpdesk.domain.diagnosis.strangers import FAR, strangeness
from helpdesk.domain.tickets import Complaint

WAITING = frozenset({Complaint.NO_CODE, Complaint.CODE_REFUSED})
"""Complaints of somebody who says that the login is theirs."""


def whose(facts: Facts) -> str:
    """D1/D2: whose code was typed."""
    refusals = sent_refusals(facts)
    if any(not r.is_bland for r in refusals[-1:]):
        return ""
    return "word of whose code was typed, nor why it was refused" if refusals else ""


def mailbox(facts: Facts) -> str:
    """C1/C2: where the code went."""
    if untold(facts, "email"):
        return "" if facts.user.notification_address else "address the code went to"
    sends = silent_sends(facts)
    told = sends and sends[-1][1].event.to
    is_set = facts.user.notification_address
    return "" if told or is_set or not sends else "address the code went to"


def arrival(facts: Facts) -> str:
    """C3/C2: whether it arrived."""
    if untold(facts, "email", "sms", "voice"):
        return "delivery of the message"
    sends = silent_sends(facts)
    if not sends or sends[-1][1].arrived or "deferred" in sends[-1][1].states:
        return ""
    return "delivery of the message"


def sitting(facts: Facts) -> str:
    """B1/B3: whether the browser was still known within one sitting."""
    if not facts.tells_browsers:
        return "browser id"
    rounds = streak(facts)
    within = [pair for pair in same_sitting(rounds) if pair[1].trust]
    return "" if within or kept_within_sitting(facts) else "second login within one sitting"


def addresses(facts: Facts) -> str:
    """A2/B5: whether the address came back."""
    addressed = [one for one in facts.recent if one.ip]
    return "" if len(addressed) > 1 or not facts.recent else "addresses of the logins"


def known_browser(facts: Facts) -> str:
    """A2/F1: whether the browser is the user's, or what else it is known by."""
    one = facts.last
    says_so = one is not None and (one.is_accepted or facts.complaint in WAITING)
    if one is not None and says_so and strangeness(facts, one, one.at) >= FAR:
        return "word of the user that it was them"
    return "" if one is None or (one.browser and facts.own["browser"]) else "browser id"


def asking_rule(facts: Facts) -> str:
    """A1/B1: why it asked."""
    return "" if any(one.rule for one in facts.recent[-3:]) else "rule by which it asked"


def offset(facts: Facts) -> str:
    """D4/D5: how far off the code was."""
    answers = [r.answer for r in totp_refusals(facts)]
    if not answers or drifts(answers) or any(a.reason == "drift" for a in answers):
        return ""
    return "offset of the code"


def password_ip(facts: Facts) -> str:
    """D8/F1: from where the password came."""
    return "" if any(p.ip for p in facts.since(Password)) else "address the password came from"


def answers_today(facts: Facts) -> str:
    """E1/D3: whether a code was taken."""
    return "" if facts.since(Answer) else "answers"


def others_moment(facts: Facts) -> str:
    """E1/E2: whether others were hit at the same moment."""
    return "" if "E2" in facts.compared else "word of what happened to others at the same moment"


def challenge_today(facts: Facts) -> str:
    """C11/C2: whether it asked at all."""
    return "" if facts.since(Challenge) and not facts.is_stale else "challenge of today"


def call_back(facts: Facts) -> str:
    """F3/lost phone: who is calling."""
    return "proof that the caller is the user"


def same_offset(facts: Facts) -> str:
    """D4/D4b: whether others have the same offset."""
    return "" if "D4b" in facts.compared else "word of other users' offsets"


def locks(facts: Facts) -> str:
    """D3/D9: whether the user is locked."""
    refused = [r for r in refusals(facts)[-2:] if not r.is_bland]
    return "" if facts.every(Lock) or refused else "locks"


def outage(facts: Facts) -> str:
    """C5/C2: whether others get their codes."""
    if "C5" in facts.compared or not arrival(facts):
        return ""
    return "word of what happened to others at the same moment"
