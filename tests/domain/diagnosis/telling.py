"""A short way to tell a case: what happened, so many minutes before the customer called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from helpdesk.domain.diagnosis import Verdict
from helpdesk.domain.diagnosis.casefile import case_verdict, decode_case
from tests.factories import CARDS

NOW = datetime(2026, 5, 4, 14, 5, tzinfo=UTC)
DAY = 24 * 60.0
OFFICE, HOTEL, THIEF = "192.0.2.7", "198.51.100.9", "203.0.113.66"
FIREFOX, CHROME = "Firefox/128 (Linux)", "Chrome/126 (Windows)"

Row = dict[str, Any]


def at(ago: float) -> str:
    """A moment so many minutes before now."""
    return (NOW - timedelta(minutes=ago)).isoformat().replace("+00:00", "Z")


def row(ago: float, kind: str, **keys: Any) -> Row:
    """One event; `from_` stands for the key `from`."""
    return {"at": at(ago), "kind": kind, **{key.rstrip("_"): value for key, value in keys.items()}}


def asked(
    ago: float,
    challenge: str,
    *,
    rule: str | None = "every-login",
    factor: str = "email",
    ip: str = OFFICE,
    browser: str = "b1",
    password: bool = True,
    to: str = "m•••@agency.example",
    delivered_s: float | None = 4,
    sent: bool = True,
    life_min: float | None = 5,
    **more: Any,
) -> list[Row]:
    """A password, a challenge, and for a factor that is sent its message and the delivery."""
    where = {"ip": ip, "browser": browser, "agent": more.pop("agent", FIREFOX)}
    where |= {key: more.pop(key) for key in ("network", "place", "door") if key in more}
    rows = [row(ago, "password", ok=True, **where)] if password else []
    rows.append(
        row(ago - 0.05, "challenge", challenge=challenge, rule=rule, factor=factor, **where, **more)
    )
    if sent and factor != "totp":
        send = challenge.replace("c", "s")
        rows.append(
            row(
                ago - 0.1,
                "send",
                send=send,
                challenge=challenge,
                channel=factor,
                to=to if factor == "email" else "•••• 21",
                expires_at=at(ago - 0.1 - life_min) if life_min else None,
            )
        )
        if delivered_s is not None:
            rows.append(row(ago - 0.1 - delivered_s / 60, "delivery", send=send, state="delivered"))
    return rows


def typed(ago: float, challenge: str, ok: bool, **keys: Any) -> list[Row]:
    """An answer."""
    return [row(ago, "answer", challenge=challenge, ok=ok, **keys)]


def passed(
    ago: float, challenge: str, *, session: str | None = "returned", **keys: Any
) -> list[Row]:
    """A whole good login: asked, typed after half a minute, in."""
    where = {"ip": keys.get("ip", OFFICE), "browser": keys.get("browser", "b1")}
    send = None if keys.get("factor") in {"totp", "push"} else challenge.replace("c", "s")
    rows = asked(ago, challenge, **keys)
    rows += typed(ago - 0.6, challenge, True, send=send, **where)
    if session:
        rows.append(row(ago - 0.62, "session", state="created", challenge=challenge, **where))
        if session != "created":
            rows.append(row(ago - 0.65, "session", state=session, challenge=challenge, **where))
    return rows


def trusted(ago: float, *, ip: str = OFFICE, browser: str | None = "b1", **keys: Any) -> list[Row]:
    """A login at which nothing was asked."""
    where = {"ip": ip, "browser": browser, "agent": keys.pop("agent", FIREFOX), **keys}
    return [
        row(ago, "password", ok=True, **where),
        row(ago - 0.05, "session", state="created", browser=browser, ip=ip),
        row(ago - 0.1, "session", state="returned", browser=browser, ip=ip),
    ]


def settled(rule: str | None = "every-login", **keys: Any) -> list[Row]:
    """Three days of quiet logins before the trouble."""
    if rule is None:
        return [one for day in (2, 3, 4) for one in trusted(day * DAY, **keys)]
    return [one for day in (2, 3, 4) for one in passed(day * DAY, f"c9{day}", rule=rule, **keys)]


@dataclass(frozen=True)
class Told:
    """One case, told.

    Attributes:
        bare: Keys that a poor log lacks in every event.
        gone: Kinds that a poor log lacks altogether.
    """

    product: str
    complaint: str | None
    rows: list[Row]
    user: Row = field(default_factory=dict)
    others: list[list[Row]] = field(default_factory=list)
    answers: list[Row] = field(default_factory=list)
    bare: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def poor(self) -> Told:
        """The same in a poor log: the bare keys null, the gone kinds absent."""
        return replace(
            self,
            rows=_bared(self.rows, self.bare, self.gone),
            others=[_bared(other, self.bare, self.gone) for other in self.others],
        )

    @property
    def document(self) -> Row:
        """The case file."""
        factor = {"partner-portal": "email", "activecampaign": "email"}.get(self.product, "sms")
        user = {
            "id": "u17", "name": "Maya Okafor", "login": "maya@agency.example", "account": "a3",
            "role": None, "notification_address": None, "mobile": "+447700900321",
            "factors": [{"id": "f1", "kind": factor, "state": "active"}],
        }  # fmt: skip
        return {
            "format": "helpdesk-case/1",
            "product": self.product,
            "now": at(0),
            "complaint": self.complaint,
            "user": user | self.user,
            "timeline": [{"id": f"e{n}", **one} for n, one in enumerate(self.rows)],
            "others": [
                {"user": {"id": f"o{n}", "account": f"a9{n}"}, "timeline": other}
                for n, other in enumerate(self.others)
            ],
            "answers": self.answers,
        }

    @property
    def verdict(self) -> Verdict:
        """What the engine says of it."""
        return case_verdict(decode_case(self.document), CARDS)


def _bared(rows: Iterable[Row], bare: tuple[str, ...], gone: tuple[str, ...]) -> list[Row]:
    kept = []
    for one in rows:
        if one["kind"] in gone:
            continue
        poor = {key: (None if key in bare else value) for key, value in one.items()}
        if "reason" in bare and one["kind"] == "answer" and not one["ok"]:
            poor["reason"] = "wrong"
        kept.append(poor)
    return kept


def ids(verdict: Verdict, first: int = 8) -> list[str]:
    """The causes' ids, likeliest first."""
    return [one.id for one in verdict.causes][:first]
