"""One story a cause, in Duo's own records, and why no story can be told of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from helpdesk.connectors.duo.events import timeline_of
from helpdesk.domain.diagnosis import CAUSES, Verdict, diagnose
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.users import FactorKind
from tests.factories import CARDS, NOW, factor, user

Row = dict[str, Any]
DAY = 24 * 60.0
OFFICE, HOTEL, THIEF = "192.0.2.7", "198.51.100.9", "203.0.113.66"


def row(
    minutes: float,
    reason: str = "user_approved",
    kind: str = "duo_push",
    *,
    result: str = "",
    ip: str = OFFICE,
    key: str | None = "EP1",
    city: str = "Leeds",
    **more: Any,
) -> Row:
    """One record so many minutes before `NOW`."""
    at = NOW - timedelta(minutes=minutes)
    good = {"user_approved", "valid_passcode", "remembered_device"}
    return {
        "txid": f"{minutes}-{reason}-{ip}", "event_type": "authentication", "factor": kind,
        "result": result or ("success" if reason in good else "denied"), "reason": reason,
        "isotimestamp": at.isoformat(), "timestamp": int(at.timestamp()), "alias": "unknown",
        "access_device": {
            "browser": "Firefox", "browser_version": "128", "os": "Linux", "ip": ip, "epkey": key,
            "location": {"city": city, "state": None, "country": "United Kingdom"},
        },
        "auth_device": {"ip": ip, "name": "+44 7700 900321", "location": {}},
        "application": {"key": "DI1", "name": "Shop"}, "email": "maya@agency.example",
        "user": {"key": "u1", "name": "maya", "groups": []}, "adaptive_trust_assessments": {},
    } | more  # fmt: skip


def settled(kind: str = "duo_push") -> list[Row]:
    """Three days of quiet logins."""
    reason = "user_approved" if kind == "duo_push" else "valid_passcode"
    return [row(day * DAY, reason, kind) for day in (2, 3, 4)]


def trusted() -> list[Row]:
    """Logins at which nothing was asked."""
    return [row(day * DAY, "remembered_device", "remembered_device") for day in (2, 3, 4)]


@dataclass(frozen=True)
class Story:
    """What happened, told in records."""

    complaint: Complaint | None
    rows: Sequence[Row]
    factor: FactorKind | None = FactorKind.PUSH

    @property
    def verdict(self) -> Verdict:
        """What the engine says of what the translation makes of it."""
        factors = (factor(self.factor),) if self.factor else ()
        person = user("constant-contact", factors=factors)
        return diagnose(
            CARDS["constant-contact"], person, timeline_of(self.rows), NOW,
            complaint=self.complaint, cards=CARDS.values(),
        )  # fmt: skip


REFUSED, KEEPS = Complaint.CODE_REFUSED, Complaint.KEEPS_ASKING
ABROAD: Row = {"ip": THIEF, "key": "EP66", "city": "Riga"}
STORIES: Mapping[str, Story] = {
    "A1": Story(KEEPS, [*settled(), row(20)]),
    "B1": Story(KEEPS, [*trusted(), *(row(20 + 180 * n, key=f"EP9{n}") for n in range(5))]),
    "B4": Story(
        KEEPS,
        [
            *trusted(),
            row(5 * DAY, key="EP2"),
            *(row(50 - 8 * n, key=("EP1", "EP2")[n % 2]) for n in range(5)),
        ],
    ),
    "B5": Story(
        KEEPS, [*trusted(), *(row(50 - 8 * n, ip=(HOTEL, OFFICE)[n % 2]) for n in range(4))]
    ),
    "A2": Story(KEEPS, [*trusted(), row(20, ip=HOTEL, city="York")]),
    "A3": Story(KEEPS, [*trusted(), row(20, key="EP2")]),
    "C8": Story(Complaint.NO_CODE, [*settled(), *(row(9 - 3 * n, "no_response") for n in (0, 1))]),
    "D3": Story(
        REFUSED,
        [
            *settled("passcode"),
            row(9, "invalid_passcode", "passcode", txid="t1"),
            row(8.6, "valid_passcode", "passcode"),
        ],
        FactorKind.TOTP,
    ),
    "D9": Story(
        REFUSED,
        [
            *settled("passcode"),
            *(row(30 - n, "invalid_passcode", "passcode") for n in range(5)),
            row(24, "locked_out", "passcode"),
            row(8, "locked_out", "passcode"),
        ],
        FactorKind.TOTP,
    ),
    "E4": Story(Complaint.LOOP, [*settled(), row(9, "deny_unenrolled_user")], None),
    "F1": Story(Complaint.UNASKED_CODES, [*settled(), row(9, "no_response", **ABROAD)]),
    "F2": Story(
        Complaint.UNASKED_CODES,
        [
            *settled(),
            *(row(30 - 3 * n, "user_mistake", **ABROAD) for n in range(5)),
            row(12, "user_marked_fraud", result="fraud", **ABROAD),
        ],
    ),
}
"""By cause: records in which Duo itself shows it."""

_WHY: Mapping[str, str] = {
    "A": "no record says which rule asked",
    "B": "no record says what the browser brought along",
    "C": "this log tells of answers, not of messages",
    "D": "no record says whose code was typed, or why it did not fit",
    "E": "sessions are the applications', not Duo's",
    "F": "no record tells of a changed number or address",
}
_OTHER = {
    "B8": "only the logs of many users together show it",
    "E2": "only the logs of many users together show it",
    "E6": "what a customer has elsewhere is not in this log",
}
UNSEEN: Mapping[str, str] = {
    cause: _OTHER.get(cause, _WHY[cause[0]]) for cause in CAUSES if cause not in STORIES
}
"""By cause: why Duo's log cannot show it."""
