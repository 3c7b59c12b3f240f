"""One story a cause, in privacyIDEA's own rows, and why no story can be told of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from helpdesk.connectors.privacyidea.events import Known, timeline_of
from helpdesk.domain.diagnosis import CAUSES, Verdict, diagnose
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.users import Factor, FactorKind, FactorState
from tests.factories import CARDS, MOBILE, NOW, user

Row = dict[str, Any]
DAY = 24 * 60.0
OFFICE, HOTEL, HOME, THIEF = "192.0.2.7", "198.51.100.9", "192.0.2.99", "203.0.113.66"
SERIALS = {"sms": "PISM1", "email": "PIEM1", "totp": "TOTP1", "push": "PIPU1"}
LOGIN = "maya@agency.example"


def row(minutes: float, kind: str, factor: str = "sms", name: str = "", **more: Any) -> Row:
    """One row of the sign-in log so many minutes before `NOW`; *name* is its transaction."""
    at = NOW - timedelta(minutes=minutes)
    return {
        "id": f"{int((100 * DAY - minutes) * 60_000):012d}", "timestamp": at.isoformat(),
        "event_type": kind, "reasons": [], "username": "maya", "realm": "corp",
        "serial": SERIALS[factor], "transaction_id": name or None, "attempt_id": f"a{minutes}",
        "source_ip": OFFICE, "client_label": "shop/1", "endpoint": "/validate/check",
    } | more  # fmt: skip


def asked(minutes: float, name: str, factor: str = "sms", **more: Any) -> Row:
    """A code is asked for."""
    return row(minutes, "CHALLENGE_TRIGGERED", factor, name, **more)


def wrong(
    minutes: float, name: str, factor: str = "sms", why: str = "CHALLENGE_WRONG_RESPONSE",
    **more: Any,
) -> Row:  # fmt: skip
    """A code is refused."""
    return row(minutes, "CHALLENGE_ANSWERED_FAIL", factor, name, reasons=[why], **more)


def right(minutes: float, name: str, factor: str = "sms", **more: Any) -> Row:
    """A code lets in."""
    return row(minutes, "LOGIN_SUCCESS", factor, name, **more)


def passed(minutes: float, name: str, factor: str = "sms", **more: Any) -> list[Row]:
    """A whole good login."""
    return [asked(minutes, name, factor, **more), right(minutes - 0.5, name, factor, **more)]


def settled(factor: str = "sms") -> list[Row]:
    """Three days of quiet logins."""
    return [one for day in (2, 3, 4) for one in passed(day * DAY, f"old{day}", factor)]


def changed(minutes: float, action: str, factor: str = "totp", who: str = "") -> Row:
    """One row of the audit."""
    at = (NOW - timedelta(minutes=minutes)).replace(tzinfo=None)
    return {"number": int(100 * DAY - minutes), "date": at.isoformat(), "action": action,
            "success": 1, "serial": SERIALS[factor], "token_type": factor, "client": OFFICE,
            "administrator": who, "action_detail": ""}  # fmt: skip


@dataclass(frozen=True)
class Story:
    """What happened, told in rows."""

    complaint: Complaint | None
    rows: Sequence[Row]
    factor: str = "sms"
    product: str = "constant-contact"
    audit: Sequence[Row] = ()

    @property
    def verdict(self) -> Verdict:
        """What the engine says of what the translation makes of it."""
        kind = FactorKind(self.factor)
        own = Factor(id=SERIALS[self.factor], kind=kind, state=FactorState.ACTIVE, to=MOBILE)
        person = user(self.product, login=LOGIN, mobile=MOBILE, factors=(own,))
        known = Known(factors={own.id: own}, ends={}, desk="desk")
        return diagnose(
            CARDS[self.product], person, timeline_of(self.rows, self.audit, known), NOW,
            complaint=self.complaint, cards=CARDS.values(),
        )  # fmt: skip


KEEPS, NO_CODE, REFUSED = Complaint.KEEPS_ASKING, Complaint.NO_CODE, Complaint.CODE_REFUSED

STORIES: Mapping[str, Story] = {
    "A1": Story(KEEPS, [*settled(), *passed(20, "s1")]),
    "C7": Story(
        NO_CODE,
        [*settled(), asked(9, "s1")],
        audit=[
            {**changed(60, "POST /token/set/<serial>", "sms"), "action_detail": "phone set, "}
        ],
    ),
    "C5": Story(
        NO_CODE,
        [*settled("email"), row(9, "CHALLENGE_TRIGGER_FAIL", "email", "s1")],
        "email",
        "activecampaign",
    ),
    "C8": Story(NO_CODE, [*settled("push"), asked(9, "s1", "push")], "push"),
    "C11": Story(
        NO_CODE, [*settled(), *(row(9 - n, "PASSWORD_FAIL", serial="") for n in range(3))]
    ),
    "C12": Story(NO_CODE, [*settled("totp"), asked(9, "s1", "totp")], "totp"),
    "D1": Story(REFUSED, [*settled(), asked(20, "s1"), wrong(8, "s1", why="CHALLENGE_EXPIRED")]),
    "B7": Story(
        REFUSED, [*settled(), asked(9, "s1"), asked(6, "s2"), wrong(5.7, "s1")]
    ),
    "D6": Story(
        REFUSED,
        [
            *settled("totp"),
            right(9, "", "totp"),
            row(8.8, "MFA_FAIL", "totp", reasons=["WRONG_OTP"]),
        ],
        "totp",
    ),
    "F3": Story(
        Complaint.LOST_FACTOR,
        [
            *settled(),
            *(row(40 - n, "PASSWORD_FAIL", serial="", source_ip=THIEF) for n in range(3)),
        ],
        audit=[
            {**changed(50, "POST /token/set/<serial>", "sms"), "action_detail": "phone set, ",
             "client": THIEF}
        ],
    ),
    "A2": Story(KEEPS, [*settled(), *passed(20, "s1", source_ip=HOTEL)]),
    "B5": Story(
        KEEPS,
        [
            *settled(),
            *(
                one
                for n in range(4)
                for one in passed(50 - 8 * n, f"s{n}", source_ip=(HOTEL, HOME)[n % 2])
            ),
        ],
    ),
    "D3": Story(REFUSED, [*settled(), asked(9, "s1"), wrong(8, "s1"), right(7.6, "s1")]),
    "D5": Story(
        REFUSED,
        [
            *settled("totp"),
            asked(9, "s1", "totp"),
            *(wrong(8 - n, "s1", "totp") for n in range(4)),
        ],
        "totp",
        audit=[changed(90, "POST /token/init")],
    ),
    "D9": Story(
        REFUSED,
        [
            *settled(),
            asked(30, "s1"),
            *(wrong(29 - n, "s1") for n in range(5)),
            asked(9, "s2"),
            wrong(8, "s2", why="TOKEN_FAILCOUNT_EXCEEDED"),
        ],
    ),
    "D10": Story(
        Complaint.LOCKED,
        [
            *(
                one
                for n in (2, 3, 4, 5)
                for one in (
                    asked(n * DAY, f"f{n}"),
                    wrong(n * DAY - 1, f"f{n}"),
                    wrong(n * DAY - 2, f"f{n}"),
                )
            ),
            asked(30, "s1"),
            wrong(29, "s1"),
            wrong(28, "s1", why="TOKEN_FAILCOUNT_EXCEEDED"),
        ],
    ),
    "E1": Story(
        Complaint.LOOP, [*settled(), *(one for n in range(4) for one in passed(9 - n, f"s{n}"))]
    ),
    "E5": Story(
        Complaint.LOOP,
        [*settled(), *(row(20 - n, "PASSWORD_FAIL", serial="") for n in range(3))],
        audit=[changed(60, "DELETE /token/<serial>", "sms", "desk")],
    ),
    "F1": Story(
        Complaint.UNASKED_CODES,
        [*settled(), *(asked(30 - 8 * n, f"s{n}", source_ip=THIEF) for n in range(3))],
    ),
    "F2": Story(
        Complaint.UNASKED_CODES,
        [
            *settled("push"),
            *(
                one
                for n in range(6)
                for one in (
                    asked(30 - 3 * n, f"p{n}", "push", source_ip=THIEF),
                    row(29 - 3 * n, "CHALLENGE_DECLINED", "push", f"p{n}", source_ip=THIEF),
                )
            ),
        ],
        "push",
    ),
    "F4": Story(
        None,
        [*settled(), *passed(60, "s1", source_ip=THIEF)],
        audit=[
            {**changed(90, "POST /token/set/<serial>", "sms"), "action_detail": "phone set, ",
             "client": THIEF}
        ],
    ),
}  # fmt: skip
"""By cause: rows in which privacyIDEA itself shows it."""

_BROWSER = "it is asked by the application and sees no browser"
_CARRIED = "nothing tells whether a message arrived"
_BLAND = "a wrong, an older and a used code are refused in the same words"
_WHY: Mapping[str, str] = {
    "A": "no row says why a second proof was asked for", "B": _BROWSER, "C": _CARRIED, "D": _BLAND,
    "E": "it keeps no session and says nothing of one", "F": "no row tells who calls the desk",
}  # fmt: skip
_OTHER = {
    "A4": "no row says how long anything is remembered",
    "A5": "what is done inside an application is in its own log",
    "B8": "only the logs of many users together show it",
    "E2": "only the logs of many users together show it",
    "E6": "what a customer has elsewhere is not in this log",
    "D4": "an authenticator's offset is told by two codes, not by the log",
    "D2": "each new code is an asking of its own, and a wrong one does not say which it was",
    "D4b": "an authenticator's offset is told by two codes, not by the log",
    "D8": "no message has a link that a filter could open",
    "C9": "only the caller can tell",
    "C13": "a mistaken message leaves no row",
    "C14": "an enrolment that was never finished leaves no sign-in",
}
UNSEEN: Mapping[str, str] = {
    cause: _OTHER.get(cause, _WHY[cause[0]]) for cause in CAUSES if cause not in STORIES
}
"""By cause: why privacyIDEA's log cannot show it."""
