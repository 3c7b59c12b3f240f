"""One story a cause, in Keycloak's own events, and why no story can be told of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from helpdesk.connectors.keycloak.events import timeline_of
from helpdesk.domain.diagnosis import CAUSES, Verdict, diagnose
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.users import FactorKind
from tests.factories import CARDS, NOW, factor, user

Row = dict[str, Any]
DAY = 24 * 60.0
OFFICE, THIEF = "192.0.2.7", "203.0.113.66"
OTP = {"selected_credential_id": "maya-o1"}


def row(
    minutes: float, kind: str, *, error: str | None = None, ip: str = OFFICE, **more: Any
) -> Row:
    """One event so many minutes before `NOW`."""
    at = NOW - timedelta(minutes=minutes)
    found: Row = {
        "id": f"{kind}-{minutes}", "time": int(at.timestamp() * 1000), "type": kind,
        "realmId": "northwind", "clientId": "shop", "userId": "u1", "sessionId": None,
        "ipAddress": ip, "details": {"username": "maya", "redirect_uri": "https://shop.example/"},
    }  # fmt: skip
    found["details"] |= more
    return found | ({"error": error} if error else {})


def login(minutes: float, code: str, **more: Any) -> Row:
    """A whole good login."""
    return row(minutes, "LOGIN", code_id=code, **more)


def wrong(minutes: float, code: str, **more: Any) -> Row:
    """A wrong code of the app."""
    return row(minutes, "LOGIN_ERROR", error="invalid_user_credentials", code_id=code, **OTP | more)


def password(minutes: float, code: str, **more: Any) -> Row:
    """A wrong password."""
    return row(minutes, "LOGIN_ERROR", error="invalid_user_credentials", code_id=code, **more)


def settled() -> list[Row]:
    """Three days of quiet logins."""
    return [login(day * DAY, f"old{day}", **OTP) for day in (2, 3, 4)]


@dataclass(frozen=True)
class Story:
    """What happened, told in events."""

    complaint: Complaint | None
    rows: Sequence[Row]

    @property
    def verdict(self) -> Verdict:
        """What the engine says of what the translation makes of it."""
        person = user("lead-gen-crm", factors=(factor(FactorKind.TOTP),), mobile=None)
        return diagnose(
            CARDS["lead-gen-crm"], person, timeline_of(self.rows), NOW, complaint=self.complaint,
            cards=CARDS.values(),
        )  # fmt: skip


REFUSED = Complaint.CODE_REFUSED
STORIES: Mapping[str, Story] = {
    "C11": Story(Complaint.NO_CODE, [*settled(), *(password(9 - n, f"s{n}") for n in range(3))]),
    "D3": Story(REFUSED, [*settled(), wrong(9, "s1"), login(8.6, "s1")]),
    "D5": Story(
        REFUSED,
        [
            *settled(),
            row(90, "UPDATE_TOTP"),
            *(wrong(9 - n, "s1") for n in range(4)),
        ],
    ),
    "D9": Story(
        REFUSED,
        [
            *settled(),
            *(wrong(30 - n, "s1") for n in range(5)),
            row(24, "USER_DISABLED_BY_TEMPORARY_LOCKOUT"),
            row(8, "LOGIN_ERROR", error="user_temporarily_disabled", code_id="s2", **OTP),
        ],
    ),
    "A1": Story(Complaint.KEEPS_ASKING, [*settled(), login(20, "s1", **OTP)]),
    "D10": Story(
        Complaint.LOCKED,
        [
            *settled(),
            *(wrong((n + 0.1) * DAY, f"f{n}") for n in (2, 3, 4, 5)),
            wrong(30, "s1"),
            row(28, "USER_DISABLED_BY_TEMPORARY_LOCKOUT"),
        ],
    ),
    "E1": Story(Complaint.LOOP, [*settled(), *(login(9 - n, f"s{n}", **OTP) for n in range(4))]),
    "F1": Story(Complaint.UNASKED_CODES, [*settled(), wrong(9, "s1", ip=THIEF)]),
    "F4": Story(
        None, [*settled(), row(90, "UPDATE_EMAIL", ip=THIEF), login(60, "s1", ip=THIEF, **OTP)]
    ),
    "F3": Story(
        Complaint.LOST_FACTOR,
        [
            *settled(),
            row(50, "UPDATE_EMAIL", ip=THIEF),
            *(password(40 - n, f"s{n}", ip=THIEF) for n in range(3)),
        ],
    ),
}
"""By cause: events in which Keycloak itself shows it."""

_BROWSER = "no event names the browser"
_SENT = "Keycloak sends no codes"
_BLAND = "every wrong code is the same error"
_WHY: Mapping[str, str] = {
    "A": "no event says why a second proof was asked for", "B": _BROWSER, "C": _SENT, "D": _BLAND,
    "E": "no event says what became of a session", "F": "no event tells of a push or a message",
}  # fmt: skip

_OTHER = {
    "B8": "only the logs of many users together show it",
    "E2": "only the logs of many users together show it",
    "E6": "what a customer has elsewhere is not in this log",
}
UNSEEN: Mapping[str, str] = {
    cause: _OTHER.get(cause, _WHY[cause[0]]) for cause in CAUSES if cause not in STORIES
}
"""By cause: why Keycloak's log cannot show it."""
