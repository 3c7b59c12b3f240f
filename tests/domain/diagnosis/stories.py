"""One story a cause, as it shows in a log, and what a poor log of it lacks."""

from __future__ import annotations

from tests.domain.diagnosis.telling import (
    CHROME,
    DAY,
    HOTEL,
    THIEF,
    Row,
    Told,
    asked,
    at,
    passed,
    row,
    settled,
    trusted,
    typed,
)

AC, PP, CC, SMS, LG = (
    "activecampaign",
    "partner-portal",
    "constant-contact",
    "sms-2fa",
    "lead-gen-crm",
)
ABSENT = ("network", "place", "agent", "trust")


def fresh(ago: float, challenge: str, browser: str) -> list[Row]:
    """A good login from a browser that brings nothing along."""
    return passed(ago, challenge, rule="new-browser", browser=browser, trust="none")


def circle(ago: float, first: int, times: int, **keys: str) -> list[Row]:
    """Accepted, the session lost, asked again after seconds: so many times."""
    rows: list[Row] = []
    for n in range(times):
        rows += passed(
            ago - n, f"c{first + n}", session="missing", password=n == 0, trust="good", **keys
        )
    return rows


def muted(ago: float) -> list[Row]:
    """A code that left and was heard of no more."""
    return [
        *asked(ago, "c1", delivered_s=None),
        row(ago - 0.1, "delivery", send="s1", state="queued"),
    ]


def ahead(ago: float, drift: float = 94) -> list[Row]:
    """Two app codes refused for one offset."""
    return [
        *asked(ago, "c1", factor="totp"),
        *typed(ago - 0.5, "c1", False, reason="drift", drift_s=drift),
        *typed(ago - 1.1, "c1", False, reason="drift", drift_s=drift + 1),
    ]


TOTP = {"factors": [{"id": "f1", "kind": "totp", "state": "active"}]}
PUSH = {"factors": [{"id": "f1", "kind": "push", "state": "active"}]}

STORIES: dict[str, Told] = {
    "A1": Told(
        LG,
        "keeps-asking",
        [*settled(factor="sms"), *passed(20, "c1", factor="sms")],
        bare=ABSENT,
        gone=("delivery", "session"),
    ),
    "A2": Told(
        AC,
        "keeps-asking",
        [*settled(None), *passed(20, "c1", rule="new-ip", ip=HOTEL, trust="good")],
        bare=("rule", "agent"),
        gone=("delivery",),
    ),
    "A3": Told(
        AC,
        "keeps-asking",
        [
            *settled(None),
            *passed(20, "c1", rule="new-device", browser="b2", agent=CHROME, trust="none"),
        ],
        bare=("trust", "agent"),
        gone=("delivery", "session"),
    ),
    "A4": Told(
        AC,
        "keeps-asking",
        [
            *passed(46 * DAY, "c9", rule="new-browser"),
            *trusted(3 * DAY),
            *passed(20, "c1", rule="trust-expired", trust="expired", trust_since=at(46 * DAY)),
        ],
        bare=("rule", "agent"),
        gone=("delivery",),
    ),
    "A5": Told(
        SMS,
        "keeps-asking",
        [
            *settled(None),
            *trusted(30),
            *passed(20, "c1", rule="export", factor="sms", password=False),
            row(18, "export", ok=True),
        ],
        bare=("rule",),
        gone=("delivery",),
    ),
    "A6": Told(
        LG,
        "keeps-asking",
        [
            *settled(factor="sms"),
            *passed(
                20,
                "c1",
                rule="policy",
                factor="sms",
                policies=[{"name": "company", "hours": 8}, {"name": "sales", "hours": 1}],
            ),
        ],
        bare=("rule",),
        gone=("delivery", "session"),
    ),
    "A7": Told(
        AC,
        "keeps-asking",
        [
            *passed(9 * DAY, "c9", rule="new-browser"),
            *settled(None),
            *passed(20, "c1", rule="risk", trust="foreign", agent="Firefox/129 (Linux)"),
        ],
        bare=("rule",),
        gone=("delivery",),
    ),
    "B1": Told(
        AC,
        "keeps-asking",
        [
            *fresh(3 * DAY, "c1", "b1"),
            *trusted(3 * DAY - 20, browser="b1"),
            *fresh(2 * DAY, "c2", "b2"),
            *trusted(2 * DAY - 25, browser="b2"),
            *fresh(DAY, "c3", "b3"),
            *fresh(30, "c4", "b4"),
            *trusted(10, browser="b4"),
        ],
        bare=("rule", "network"),
        gone=("delivery", "session"),
    ),
    "B2": Told(
        AC,
        "keeps-asking",
        [*fresh(2 * DAY, "c1", "b1"), *fresh(DAY, "c2", "b2"), *fresh(30, "c3", "b3")],
        answers=[{"ask": "B2", "reply": "yes, a private window"}],
        bare=("rule",),
        gone=("delivery", "session"),
    ),
    "B3": Told(
        AC,
        "keeps-asking",
        [
            *settled(None, browser="b0"),
            *fresh(60, "c1", "b1"),
            *fresh(48, "c2", "b1"),
            *fresh(31, "c3", "b1"),
            *fresh(15, "c4", "b1"),
        ],
        bare=("rule", "agent"),
        gone=("delivery", "session"),
    ),
    "B4": Told(
        AC,
        "keeps-asking",
        [
            *settled(None),
            *passed(30, "c1", rule="new-browser", browser="b2", agent=CHROME),
            row(29.3, "session", state="ended", browser="b1", cause="other login"),
            *passed(25, "c2", rule="new-browser", browser="b1"),
            row(24.3, "session", state="ended", browser="b2", cause="other login"),
            *passed(20, "c3", rule="new-browser", browser="b2", agent=CHROME),
            row(19.3, "session", state="ended", browser="b1", cause="other login"),
        ],
        bare=("rule", "network"),
        gone=("delivery",),
    ),
    "B5": Told(
        AC,
        "keeps-asking",
        [
            *settled(None),
            *passed(50, "c1", rule="new-ip", ip=HOTEL, network="vpn", trust="good"),
            *trusted(40, network="office"),
            *passed(25, "c2", rule="new-ip", ip=HOTEL, network="vpn", trust="good"),
        ],
        bare=("rule", "network", "trust"),
        gone=("delivery",),
    ),
    "B6": Told(
        AC,
        "keeps-asking",
        [
            *settled(None),
            *asked(40, "c1", rule="new-ip", ip=HOTEL, network="mobile"),
            row(39, "challenge", challenge="c1", ip=HOTEL, browser="b1"),
            *asked(30, "c2", rule="new-ip", ip=HOTEL, network="mobile"),
            row(29, "challenge", challenge="c2", ip=HOTEL, browser="b1"),
            *asked(20, "c3", rule="new-ip", ip=HOTEL, network="mobile"),
        ],
        bare=("network", "agent"),
        gone=("session",),
    ),
    "B7": Told(
        PP,
        "code-refused",
        [
            *settled(),
            *asked(12, "c1", tab="t1"),
            *asked(10, "c2", tab="t2"),
            *typed(9, "c1", False, reason="foreign", send="s2"),
        ],
        bare=("tab", "agent"),
        gone=("delivery",),
    ),
    "B8": Told(
        AC,
        "keeps-asking",
        [*fresh(30, "c1", "b1"), *fresh(15, "c2", "b1")],
        others=[[*fresh(40 - n, "c1", f"o{n}"), *fresh(28 - n, "c2", f"o{n}")] for n in range(3)],
        gone=("delivery",),
    ),
    "C1": Told(
        PP,
        "no-code",
        [*settled(), *asked(10, "c1", to="k•••@former.example")],
        user={"notification_address": "kim@former.example"},
        bare=("agent",),
        gone=("delivery",),
    ),
    "C2": Told(
        PP,
        "no-code",
        [*settled(), *asked(10, "c1"), *asked(4, "c2")],
        bare=("to",),
        gone=("session",),
    ),
    "C3": Told(
        PP,
        "no-code",
        [
            *settled(),
            *asked(6, "c1", delivered_s=None),
            row(5.8, "delivery", send="s1", state="deferred", code="451"),
        ],
        bare=("agent",),
        gone=("delivery",),
    ),
    "C4": Told(
        PP,
        "no-code",
        [
            *settled(),
            *asked(20, "c1", delivered_s=None),
            row(19.8, "delivery", send="s1", state="bounced", code="550"),
            *asked(5, "c2", delivered_s=None),
            row(4.8, "delivery", send="s2", state="suppressed"),
        ],
        bare=("to", "code", "agent"),
        gone=("session",),
    ),
    "C5": Told(
        PP,
        "no-code",
        [*settled(), *muted(12)],
        others=[muted(14), muted(11), muted(8)],
        bare=("agent",),
        gone=("delivery",),
    ),
    "C6": Told(
        SMS,
        "no-code",
        [
            *settled(None),
            *asked(8, "c1", rule="new-ip", factor="sms", ip=HOTEL, delivered_s=None),
            row(7.8, "delivery", send="s1", state="failed", code="30003"),
        ],
        bare=("code", "to"),
        gone=("session",),
    ),
    "C7": Told(
        SMS,
        "no-code",
        [
            *settled(None),
            row(200, "factor", change="number-changed", factor="sms", by="user", ip="192.0.2.7"),
            *asked(8, "c1", rule="new-ip", factor="sms", ip=HOTEL, delivered_s=None),
        ],
        bare=("to",),
        gone=("delivery", "session"),
    ),
    "C8": Told(
        CC,
        "no-code",
        [
            *settled(factor="push", sent=False),
            *asked(8, "c1", factor="push", delivered_s=None),
            *asked(4, "c2", factor="push", delivered_s=None),
        ],
        user=PUSH,
        bare=("agent",),
        gone=("session",),
    ),
    "C9": Told(
        PP,
        "no-code",
        [*settled(), *asked(10, "c1")],
        answers=[{"ask": "C9", "reply": "other mail is late too, Outlook does not fetch"}],
        bare=("to",),
        gone=("session",),
    ),
    "C10": Told(
        PP,
        "no-code",
        [
            *settled(),
            *asked(10, "c1", delivered_s=None),
            *[
                row(9 - n, "resend", challenge="c1", allowed=False, retry_after_s=300)
                for n in range(3)
            ],
        ],
        bare=("retry_after_s",),
        gone=("delivery",),
    ),
    "C11": Told(
        PP,
        "no-code",
        [
            *settled(),
            *[row(10 - n, "password", ok=False, ip="192.0.2.7", browser="b1") for n in range(3)],
        ],
        bare=("agent",),
        gone=("session",),
    ),
    "C12": Told(
        LG,
        "no-code",
        [*settled(factor="totp"), *asked(8, "c1", factor="totp"), row(6, "resend", challenge="c1")],
        user=TOTP,
        bare=("agent",),
        gone=("session",),
    ),
    "C13": Told(
        SMS,
        "code-refused",
        [
            *settled(None),
            row(12, "factor", change="number-changed", factor="sms", by="user", ip="192.0.2.7"),
            row(11.9, "send", send="k1", channel="sms", purpose="confirmation"),
            *asked(10, "c1", rule="new-ip", factor="sms", ip=HOTEL, delivered_s=None),
            *typed(9, "c1", False, reason="foreign", send="k1"),
        ],
        bare=("send_",),
        gone=("session",),
    ),
    "C14": Told(
        SMS,
        None,
        [
            *settled(None),
            row(60, "factor", change="number-confirmed", factor="sms", by="user", ip="192.0.2.7"),
        ],
        user={"factors": [{"id": "f1", "kind": "sms", "state": "pending"}]},
        gone=("session",),
    ),
    "D1": Told(
        PP,
        "code-refused",
        [*settled(), *asked(20, "c1"), *typed(11, "c1", False, reason="expired", send="s1")],
        bare=("reason",),
        gone=("delivery",),
    ),
    "D2": Told(
        PP,
        "code-refused",
        [
            *settled(),
            *asked(8, "c1"),
            row(6, "resend", challenge="c1", allowed=True),
            row(
                5.9,
                "send",
                send="s2",
                challenge="c1",
                channel="email",
                to="m•••@agency.example",
                expires_at=at(0.9),
            ),
            *typed(5.5, "c1", False, reason="superseded", send="s1"),
        ],
        bare=("reason",),
        gone=("delivery",),
    ),
    "D3": Told(
        PP,
        "code-refused",
        [
            *settled(),
            *asked(8, "c1"),
            *typed(7.5, "c1", False, reason="wrong"),
            *typed(7, "c1", True, send="s1"),
            row(6.9, "session", state="created", challenge="c1"),
        ],
        bare=("reason",),
        gone=("delivery", "session"),
    ),
    "D4": Told(
        LG,
        "code-refused",
        [*settled(factor="totp"), *ahead(10)],
        user=TOTP,
        others=[passed(12, "c1", factor="totp")],
        bare=("agent",),
        gone=("session",),
    ),
    "D4b": Told(
        LG,
        "code-refused",
        [*settled(factor="totp"), *ahead(10)],
        user=TOTP,
        others=[ahead(12, 95), ahead(9, 92), ahead(8, 96)],
        bare=("agent",),
        gone=("session",),
    ),
    "D5": Told(
        LG,
        "code-refused",
        [
            *settled(factor="totp"),
            row(DAY, "factor", change="enrolled", factor="totp", by="user", ip="192.0.2.7"),
            *asked(10, "c1", factor="totp"),
            *typed(9.5, "c1", False, reason="wrong"),
            *typed(8.9, "c1", False, reason="wrong"),
            *typed(8.3, "c1", False, reason="wrong"),
        ],
        user=TOTP,
        bare=("agent",),
        gone=("session",),
    ),
    "D6": Told(
        LG,
        "code-refused",
        [
            *settled(factor="totp"),
            *passed(10, "c1", factor="totp"),
            *asked(9.2, "c2", factor="totp"),
            *typed(9.0, "c2", False, reason="reused"),
        ],
        user=TOTP,
        bare=("reason",),
        gone=("session",),
    ),
    "D7": Told(
        PP,
        "code-refused",
        [
            *settled(),
            *asked(10, "c1", tab="t1"),
            *asked(9, "c2", tab="t2"),
            *typed(8, "c2", False, reason="foreign", send="s1"),
        ],
        bare=("agent",),
        gone=("delivery",),
    ),
    "D8": Told(
        AC,
        "code-refused",
        [
            *settled(),
            *asked(10, "c1"),
            row(9.7, "fetch", send="s1", ip=THIEF, agent="scanner"),
            *typed(9, "c1", False, reason="reused", send="s1", ip="192.0.2.7", browser="b1"),
        ],
        bare=("agent",),
        gone=("session",),
    ),
    "D9": Told(
        PP,
        "locked",
        [
            *settled(),
            *asked(12, "c1"),
            *[one for n in range(5) for one in typed(11 - n / 5, "c1", False, reason="wrong")],
            row(10, "lock", from_=at(10), until=at(-20), cause="attempts", failures=5),
            *asked(6, "c2"),
            *typed(5, "c2", False, reason="locked", send="s2"),
        ],
        bare=("reason", "failures"),
        gone=("delivery",),
    ),
    "D10": Told(
        PP,
        "locked",
        [
            *[
                one
                for day in (3, 5, 7, 9)
                for one in [
                    *asked(day * DAY, f"c8{day}"),
                    *typed(day * DAY - 0.5, f"c8{day}", False, reason="wrong"),
                    *typed(day * DAY - 0.9, f"c8{day}", True),
                ]
            ],
            *asked(12, "c1"),
            *typed(11, "c1", False, reason="wrong"),
            row(10.9, "lock", from_=at(10.9), until=at(-20), failures=5),
            *typed(10, "c1", False, reason="locked", send="s1"),
        ],
        bare=("reason",),
        gone=("delivery",),
    ),
    "E1": Told(
        PP,
        "loop",
        [*settled(), *circle(10, 1, 3)],
        others=[passed(14, "c1", browser="o1"), passed(8, "c1", browser="o2")],
        bare=ABSENT,
        gone=("session",),
    ),
    "E2": Told(
        PP,
        "loop",
        [*settled(), *circle(10, 1, 3)],
        others=[
            [*settled(browser=f"o{n}"), *circle(12 - n, 1, 3, browser=f"o{n}")] for n in range(3)
        ],
        bare=ABSENT,
        gone=("delivery",),
    ),
    "E3": Told(
        LG,
        "loop",
        [
            *settled(factor="sms"),
            *passed(10, "c1", factor="sms", session=None),
            row(9.3, "session", state="created", challenge="c1", browser="b1", level="aal1"),
            row(9.2, "redirect", from_="/home", to="/verify", count=6, seconds=20, browser="b1"),
            row(9.1, "redirect", from_="/verify", to="/home", count=6, seconds=20, browser="b1"),
        ],
        bare=ABSENT,
        gone=("delivery",),
    ),
    "E4": Told(
        LG,
        "loop",
        [
            *settled(factor="sms"),
            row(60, "reset", ok=True, by="administrator", scope="all"),
            row(10, "password", ok=True, ip="192.0.2.7", browser="b1"),
            row(9.9, "factor", change="must-enrol", by="system"),
            row(9.8, "redirect", from_="/home", to="/enrol", count=4, seconds=20),
        ],
        user={"factors": []},
        bare=("agent",),
        gone=("redirect", "session"),
    ),
    "E5": Told(
        LG,
        "locked",
        [
            *settled(factor="sms"),
            row(2 * DAY, "report", what="not-me"),
            row(90, "reset", ok=True, by="administrator", scope="all"),
            row(10, "password", ok=True, ip="192.0.2.7", browser="b1"),
            row(9.9, "lock", from_=at(9.9), until=None, cause="fraud"),
        ],
        bare=("cause",),
        gone=("session",),
    ),
    "E6": Told(
        PP,
        "no-code",
        [
            row(
                10 - n,
                "password",
                ok=False,
                ip="192.0.2.7",
                browser="b1",
                door="https://affiliate.agency.example/login",
            )
            for n in range(2)
        ],
        user={"role": "affiliate"},
        gone=("session",),
    ),
    "F1": Told(
        AC,
        "unasked-codes",
        [
            *settled(None, network="office", place="Leeds"),
            *asked(
                40,
                "c1",
                rule="new-ip",
                ip=THIEF,
                browser="x1",
                network="hosting",
                place="Minsk",
                agent="curl/8",
            ),
            *asked(
                20,
                "c2",
                rule="new-ip",
                ip=THIEF,
                browser="x1",
                network="hosting",
                place="Minsk",
                agent="curl/8",
            ),
        ],
        bare=("network", "agent", "rule"),
        gone=("delivery", "session"),
    ),
    "F2": Told(
        CC,
        "unasked-codes",
        [
            *settled(factor="push", sent=False),
            *[
                one
                for n in range(6)
                for one in asked(
                    20 - n, f"c{n + 1}", factor="push", ip=THIEF, browser="x1", network="hosting"
                )
            ],
            *typed(14, "c6", False, reason="declined"),
            row(13, "report", what="not-me", factor="push"),
        ],
        user=PUSH,
        bare=("network", "agent"),
        gone=("delivery", "session"),
    ),
    "F3": Told(
        AC,
        "lost-factor",
        [
            *settled(None, network="office"),
            *[
                row(60 - n, "password", ok=False, ip=THIEF, browser="x1", network="hosting")
                for n in range(4)
            ],
            row(50, "password", ok=True, ip=THIEF, browser="x1", network="hosting"),
            *asked(50, "c1", rule="new-ip", ip=THIEF, browser="x1", password=False),
            *typed(48, "c1", False, reason="wrong", ip=THIEF),
            row(20, "call", channel="phone", asks="change-address", from_="•••• 55"),
        ],
        bare=("network", "agent", "rule"),
        gone=("session",),
    ),
    "F4": Told(
        SMS,
        None,
        [
            *settled(None, network="office"),
            row(120, "factor", change="number-changed", factor="sms", by="user", ip=THIEF),
            row(119, "factor", change="number-confirmed", factor="sms", by="user", ip=THIEF),
            *passed(
                60, "c1", rule="new-ip", factor="sms", ip=THIEF, browser="x1", network="hosting"
            ),
            row(50, "export", ok=True, ip=THIEF, browser="x1"),
        ],
        bare=("network", "agent", "rule"),
        gone=("session",),
    ),
}
"""By cause id."""
