"""The causes told in other ways than the stories: short logs, other words, other products."""

from __future__ import annotations

import pytest

from tests.domain.diagnosis.stories import AC, CC, LG, PP, PUSH, SMS, TOTP, fresh
from tests.domain.diagnosis.telling import (
    CHROME,
    DAY,
    HOTEL,
    OFFICE,
    THIEF,
    Told,
    asked,
    at,
    ids,
    passed,
    row,
    trusted,
    typed,
)

OTHERWISE: dict[str, tuple[str, Told]] = {
    "A2 one event set": (
        "A2",
        Told(AC, "keeps-asking", passed(10, "c1", rule="new-ip", trust="good")),
    ),
    "A2 S3": (
        "A2",
        Told(
            SMS,
            "keeps-asking",
            [*trusted(3 * DAY), *passed(10, "c1", rule="new-ip", factor="sms", ip=HOTEL)],
        ),
    ),
    "A4 rule new-browser": (
        "A4",
        Told(
            AC,
            "keeps-asking",
            [
                *trusted(2 * DAY),
                *passed(10, "c1", rule="new-browser", trust="expired", trust_since=at(46 * DAY)),
            ],
        ),
    ),
    "A7 agent": (
        "A7",
        Told(
            AC,
            "keeps-asking",
            [
                *passed(5 * DAY, "c0", rule="new-browser", agent="Mozilla/5.0 Chrome/125.0"),
                *trusted(2 * DAY, agent="Mozilla/5.0 Chrome/125.0"),
                *passed(
                    10,
                    "c1",
                    rule="new-browser",
                    trust="none",
                    browser="b2",
                    agent="Mozilla/5.0 Chrome/126.0",
                ),
            ],
        ),
    ),
    "A7 pw changed": (
        "A7",
        Told(
            AC,
            "keeps-asking",
            [
                *trusted(2 * DAY),
                row(20, "password-changed", by="user"),
                *passed(10, "c1", rule="risk", trust="foreign"),
            ],
        ),
    ),
    "A6": (
        "A6",
        Told(
            CC,
            "keeps-asking",
            passed(
                10,
                "c1",
                factor="sms",
                rule="every-login",
                policies=[{"name": "a", "hours": 12}, {"name": "b", "hours": 1}],
            ),
        ),
    ),
    "A5 lgc": (
        "A5",
        Told(
            SMS,
            "keeps-asking",
            [
                *trusted(60),
                *asked(10, "c1", rule="export", factor="sms", password=False),
                *typed(9, "c1", True, send="s1"),
            ],
        ),
    ),
    "B1 2 sittings": (
        "B1",
        Told(
            AC,
            "keeps-asking",
            [
                *trusted(5 * DAY, browser="b0"),
                *trusted(4 * DAY, browser="b0"),
                *fresh(DAY, "c1", "b1"),
                *trusted(DAY - 15, browser="b1"),
                *fresh(30, "c2", "b2"),
                *trusted(20, browser="b2"),
            ],
        ),
    ),
    "B1 rule trust-expired": (
        "B1",
        Told(
            AC,
            "keeps-asking",
            [
                x
                for d, c, b in ((2 * DAY, "c1", "b1"), (DAY, "c2", "b2"), (30, "c3", "b3"))
                for x in passed(d, c, rule="trust-expired", browser=b, trust="none")
            ],
        ),
    ),
    "B3 close": (
        "B3",
        Told(
            AC,
            "keeps-asking",
            [
                *passed(10, "c1", rule="new-browser", trust="none"),
                *passed(7, "c2", rule="new-browser", trust="none"),
                *passed(3, "c3", rule="new-browser", trust="none"),
            ],
        ),
    ),
    "B4 two": (
        "B4",
        Told(
            AC,
            "keeps-asking",
            [
                *passed(20, "c1", rule="new-browser", browser="phone", agent="Safari/17 (iPhone)"),
                *passed(15, "c2", rule="new-browser", browser="laptop", agent=CHROME),
                row(14.3, "session", state="ended", browser="phone"),
                *passed(8, "c3", rule="new-browser", browser="phone", agent="Safari/17 (iPhone)"),
                row(7.3, "session", state="ended", browser="laptop"),
            ],
        ),
    ),
    "B5 challenges": (
        "B5",
        Told(
            AC,
            "keeps-asking",
            [
                *passed(30, "c1", rule="new-ip", ip="1.1.1.1", network="mobile"),
                *passed(20, "c2", rule="new-ip", ip="2.2.2.2", network="mobile"),
                *passed(10, "c3", rule="new-ip", ip="1.1.1.1", network="mobile"),
            ],
        ),
    ),
    "B6 simple": (
        "B6",
        Told(
            AC,
            "keeps-asking",
            [
                *asked(30, "c1", rule="new-device", network="mobile"),
                *asked(22, "c2", rule="new-device", network="mobile"),
                row(21, "challenge", challenge="c2", ip=OFFICE, browser="b1"),
                *asked(12, "c3", rule="new-device", network="mobile"),
                *asked(5, "c4", rule="new-device", network="mobile"),
            ],
        ),
    ),
    "B7 no tab reason": (
        "B7",
        Told(
            AC,
            "code-refused",
            [
                *asked(12, "c1", tab="1"),
                *asked(10, "c2", tab="2"),
                *typed(8, "c1", False, reason="wrong", send="s2"),
            ],
        ),
    ),
    "B8 http": (
        "B8",
        Told(
            AC,
            "keeps-asking",
            [
                *passed(10, "c1", session="missing", door="http://app.x.example/login"),
                *passed(8, "c2", session="missing", door="http://app.x.example/login"),
            ],
            others=[
                [
                    *passed(
                        12, "c1", session="missing", browser="o", door="http://app.x.example/login"
                    ),
                    *passed(
                        11, "c2", session="missing", browser="o", door="http://app.x.example/login"
                    ),
                ]
                for _ in range(3)
            ],
        ),
    ),
    "C2 mini": ("C2", Told(PP, "no-code", asked(10, "c1"), others=[passed(12, "c1")])),
    "C3 7min": ("C3", Told(AC, "no-code", asked(9, "c1", delivered_s=420))),
    "C3 answered late": (
        "C3",
        Told(
            AC,
            "no-code",
            [*asked(12, "c1", delivered_s=420, life_min=None), *typed(3, "c1", True, send="s1")],
        ),
    ),
    "C5 fail": (
        "C5",
        Told(
            AC,
            "no-code",
            [
                *asked(12, "c1", delivered_s=None),
                row(11, "delivery", send="s1", state="failed", detail="abandoned after 6 attempts"),
            ],
            others=[
                [
                    *asked(12 - n, "c1", delivered_s=None),
                    row(
                        11,
                        "delivery",
                        send="s1",
                        state="failed",
                        detail="abandoned after 6 attempts",
                    ),
                ]
                for n in range(4)
            ],
        ),
    ),
    "C5 none": (
        "C5",
        Told(
            SMS,
            "no-code",
            [*asked(12, "c1", factor="sms", delivered_s=None)],
            others=[asked(12 - n, "c1", factor="sms", delivered_s=None) for n in range(4)],
        ),
    ),
    "C6 stop": (
        "C6",
        Told(
            SMS,
            "no-code",
            [
                *asked(12, "c1", factor="sms", delivered_s=None),
                row(11, "delivery", send="s1", state="failed", code="21610"),
            ],
        ),
    ),
    "C7 null": (
        "C7",
        Told(
            SMS,
            "no-code",
            [
                row(10, "password", ok=True),
                row(9.9, "challenge", challenge="c1", rule="new-ip", factor="sms"),
            ],
            user={"mobile": None},
        ),
    ),
    "C8": (
        "C8",
        Told(
            LG,
            "no-code",
            [
                row(10, "password", ok=True),
                row(9.9, "challenge", challenge="c1", rule="every-login", factor="push"),
                row(9.8, "send", send="s1", challenge="c1", channel="push"),
            ],
            user=PUSH,
        ),
    ),
    "C10 429": (
        "C10",
        Told(
            AC,
            "no-code",
            [
                *asked(5, "c1", delivered_s=None),
                row(4, "delivery", send="s1", state="failed", code="429"),
            ],
        ),
    ),
    "C11": (
        "C11",
        Told(
            PP,
            "no-code",
            [
                row(10, "password", ok=True, door="https://www.activecampaign.example/login"),
                row(9, "password", ok=False, door="https://partner.example/login"),
                row(8, "password", ok=False, door="https://partner.example/login"),
            ],
        ),
    ),
    "C14": (
        "C14",
        Told(
            SMS,
            None,
            [
                row(30, "factor", change="number-changed", factor="sms", by="user", ip=OFFICE),
                row(29, "factor", change="number-confirmed", factor="sms", by="user", ip=OFFICE),
                *trusted(10),
            ],
        ),
    ),
    "C14 keeps": (
        "C14",
        Told(
            SMS,
            None,
            [row(30, "factor", change="number-confirmed", factor="sms", by="user")],
            user={"factors": []},
        ),
    ),
    "D4 wrong w drift": (
        "D4",
        Told(
            LG,
            "code-refused",
            [
                *asked(9, "c1", factor="totp"),
                *typed(8, "c1", False, reason="wrong", drift_s=-120),
                *typed(7, "c1", False, reason="wrong", drift_s=-121),
            ],
            user=TOTP,
        ),
    ),
    "D6": (
        "D6",
        Told(
            LG,
            "code-refused",
            [
                *passed(9, "c1", factor="totp"),
                *asked(8.2, "c2", factor="totp"),
                *typed(8.1, "c2", False, reason="reused"),
            ],
            user=TOTP,
        ),
    ),
    "D7 colleague": (
        "D7",
        Told(
            PP,
            "code-refused",
            [*asked(9, "c1"), *typed(8, "c1", False, reason="foreign", send="zz9")],
            others=[
                [
                    *asked(9.5, "c77", browser="o1"),
                ]
            ],
        ),
    ),
    "D8 ok elsewhere": (
        "D8",
        Told(
            AC,
            "code-refused",
            [
                *asked(9, "c1"),
                *typed(8.78, "c1", True, send="s1", ip=THIEF),
                *typed(8, "c1", False, reason="reused", send="s1", ip=OFFICE),
            ],
        ),
    ),
    "D9 wrong": (
        "D9",
        Told(
            PP,
            "code-refused",
            [
                row(30, "lock", from_=at(30), until=at(-30), cause="failures", failures=5),
                *asked(9, "c1"),
                *typed(8, "c1", False, reason="wrong", send="s1"),
            ],
        ),
    ),
    "E1 redirect": (
        "E1",
        Told(
            PP,
            "loop",
            [
                *passed(9, "c1", session=None),
                row(
                    8.2,
                    "redirect",
                    from_="/verify",
                    to="/login",
                    count=12,
                    seconds=40,
                    browser="b1",
                ),
                *passed(8, "c2", session=None, password=False),
                row(
                    7.2,
                    "redirect",
                    from_="/verify",
                    to="/login",
                    count=12,
                    seconds=40,
                    browser="b1",
                ),
            ],
        ),
    ),
    "E3": (
        "E3",
        Told(
            CC,
            "loop",
            [
                *passed(9, "c1", session=None, factor="sms"),
                row(8.3, "session", state="created", level=1, challenge="c1"),
                row(8.2, "redirect", from_="/mfa", to="/settings", count=8, seconds=15),
                row(8.1, "redirect", from_="/settings", to="/mfa", count=8, seconds=15),
            ],
        ),
    ),
    "E4 after reset": (
        "E4",
        Told(
            LG,
            "loop",
            [
                row(60, "reset", ok=True, by="administrator", scope="all"),
                row(59, "factor", change="removed", by="administrator"),
                row(9, "password", ok=True),
                row(8.9, "factor", change="must-enrol", by="system"),
            ],
            user={"factors": []},
        ),
    ),
    "E5": (
        "E5",
        Told(
            LG,
            "locked",
            [
                row(200, "reset", ok=True, by="administrator", scope="all"),
                row(9, "password", ok=False),
                row(8, "password", ok=False),
                row(8, "lock", from_=at(8), cause="fraud"),
            ],
        ),
    ),
    "E6": (
        "E6",
        Told(
            CC,
            "no-code",
            [
                row(9, "password", ok=False, door="https://crm.leadgen.example/login"),
                row(8, "password", ok=False, door="https://crm.leadgen.example/login"),
            ],
        ),
    ),
    "F1": ("F1", Told(PP, "unasked-codes", asked(30, "c1", ip=THIEF, browser="x"))),
    "F1 null": (
        "F1",
        Told(
            AC,
            None,
            [
                *trusted(2 * DAY, place="Leeds"),
                *asked(30, "c1", rule="new-ip", ip=THIEF, browser="x", place="Lagos", trust="none"),
            ],
        ),
    ),
    "F2": (
        "F2",
        Told(
            CC,
            None,
            [
                *[
                    x
                    for n in range(7)
                    for x in asked(20 - n, f"c{n + 1}", factor="push", ip=THIEF, browser="x")
                ],
                *typed(12, "c7", False, reason="declined"),
            ],
            user=PUSH,
        ),
    ),
    "F3": (
        "F3",
        Told(
            LG,
            "lost-factor",
            [
                *trusted(2 * DAY),
                *[row(40 - n, "password", ok=False, ip=THIEF, browser="x") for n in range(5)],
                row(25, "call", channel="phone", asks="reset", from_="•••• 99"),
            ],
        ),
    ),
    "F3 change": (
        "F3",
        Told(
            AC,
            None,
            [
                *trusted(2 * DAY),
                row(90, "factor", change="number-changed", by="user", ip=THIEF),
                row(20, "call", channel="chat", asks="reset"),
            ],
        ),
    ),
    "F4": (
        "F4",
        Told(
            SMS,
            None,
            [
                *trusted(3 * DAY),
                row(300, "factor", change="number-changed", factor="sms", by="user"),
                *passed(200, "c1", rule="new-ip", factor="sms", ip=THIEF, browser="x"),
                *passed(
                    190, "c2", rule="export", factor="sms", ip=THIEF, browser="x", password=False
                ),
                row(188, "export", ok=True, ip=THIEF, browser="x"),
            ],
        ),
    ),
    "a number changed at home": (
        "C7",
        Told(
            SMS,
            "no-code",
            [
                *trusted(3 * DAY),
                row(300, "factor", change="number-changed", factor="sms", by="user", ip=OFFICE),
                *asked(9, "c1", rule="new-ip", factor="sms", ip=HOTEL, delivered_s=None),
            ],
        ),
    ),
    "a traveller who mistypes": (
        "D3",
        Told(
            AC,
            "code-refused",
            [
                *trusted(3 * DAY),
                *asked(9, "c1", rule="new-ip", ip=HOTEL, browser="b2", agent=CHROME),
                *typed(8, "c1", False, reason="wrong"),
                *typed(7.5, "c1", False, reason="wrong"),
                *typed(7, "c1", True, send="s1"),
            ],
        ),
    ),
    "a traveller without a code": (
        "C2",
        Told(
            AC,
            "no-code",
            [*trusted(3 * DAY), *asked(9, "c1", rule="new-ip", ip=HOTEL, browser="b1")],
        ),
    ),
}
"""By what is special: the cause, and the case."""


@pytest.mark.parametrize("case", OTHERWISE)
def test_a_cause_told_otherwise_still_comes_first(case: str) -> None:
    cause, told = OTHERWISE[case]

    verdict = told.verdict

    assert ids(verdict, 1) == [cause]
    assert verdict.is_hostile == cause.startswith("F")
