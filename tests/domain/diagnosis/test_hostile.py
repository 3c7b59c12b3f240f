"""Group F goes first: the ways in which a stranger might pass for the user, and who is none."""

from __future__ import annotations

from typing import Any

import pytest

from helpdesk.domain.diagnosis import STOP
from tests.domain.diagnosis.stories import AC, CC, LG, PP, SMS
from tests.domain.diagnosis.telling import (
    CHROME,
    DAY,
    FIREFOX,
    HOTEL,
    OFFICE,
    THIEF,
    Row,
    Told,
    asked,
    ids,
    passed,
    row,
    settled,
    trusted,
    typed,
)

NIGHT = {"ip": THIEF, "browser": "b66", "agent": CHROME}


def tries(ago: float, *good: bool, **where: Any) -> list[Row]:
    """One password a minute."""
    return [row(ago - n, "password", ok=ok, **where) for n, ok in enumerate(good)]


@pytest.mark.parametrize("good", [(False, False, True), (False, False, True, False, True)])
@pytest.mark.parametrize(("product", "rule"), [(LG, "every-login"), (SMS, None), (PP, None)])
def test_a_foreign_guess_that_succeeds_does_not_make_the_guesser_known(
    product: str, rule: str | None, good: tuple[bool, ...]
) -> None:
    told = Told(
        product,
        None,
        [*settled(rule), *tries(25, *good, **NIGHT), row(6, "call", channel="phone", asks="reset")],
    )

    verdict = told.verdict

    assert ids(verdict, 1) == ["F3"]
    assert verdict.act == STOP


def test_who_mistypes_at_home_and_then_has_lost_the_phone_is_no_attacker() -> None:
    home = {"ip": OFFICE, "browser": "b1", "agent": FIREFOX}
    told = Told(
        CC,
        "lost-factor",
        [
            *settled(None),
            *tries(25, False, False, True, **home),
            row(6, "call", channel="phone", asks="reset"),
        ],
    )

    verdict = told.verdict

    assert not verdict.is_hostile
    assert verdict.ask is not None
    assert verdict.ask.pair == "F3/lost phone"


def test_who_mistypes_on_the_own_browser_in_a_new_place_is_no_attacker() -> None:
    away = {"ip": HOTEL, "browser": "b1", "agent": FIREFOX}
    told = Told(
        CC,
        "lost-factor",
        [
            *settled(None),
            *tries(25, False, False, True, **away),
            row(6, "call", channel="phone", asks="reset"),
        ],
    )

    verdict = told.verdict

    assert not verdict.is_hostile


@pytest.mark.parametrize("complaint", [None, "no-code", "lost-factor"])
@pytest.mark.parametrize(
    ("product", "change"),
    [(SMS, "number-changed"), (PP, "address-changed"), (LG, "number-changed")],
)
def test_a_call_for_a_code_after_a_change_from_a_never_seen_address_is_held(
    product: str, change: str, complaint: str | None
) -> None:
    told = Told(
        product,
        complaint,
        [
            *settled("every-login" if product != SMS else "new-ip"),
            row(30, "factor", change=change, by="user", ip=THIEF),
            row(9, "call", channel="chat", asks="code"),
        ],
    )

    verdict = told.verdict

    assert ids(verdict, 1) == ["F3"]
    assert verdict.act == STOP


def test_a_call_for_a_code_after_a_change_of_ones_own_is_no_attack() -> None:
    told = Told(
        SMS,
        "no-code",
        [
            *settled("new-ip"),
            row(30, "factor", change="number-changed", by="user", ip=OFFICE),
            *asked(20, "c1", rule="new-ip", factor="sms", ip=HOTEL),
            row(9, "call", channel="chat", asks="code"),
        ],
    )

    verdict = told.verdict

    assert not verdict.is_hostile


def test_two_devices_at_one_new_address_are_one_user() -> None:
    told = Told(
        SMS,
        None,
        [
            *settled(None),
            *asked(9, "c1", rule="new-ip", factor="sms", ip=HOTEL),
            *asked(8.5, "c2", rule="new-ip", factor="sms", ip=HOTEL, browser="b2", agent=CHROME),
            *typed(8, "c1", False, reason="foreign", send="s2", ip=HOTEL, browser="b1"),
        ],
    )

    verdict = told.verdict

    assert ids(verdict, 1) == ["D7"]
    assert not verdict.is_hostile


def test_a_journey_weeks_ago_is_no_alarm_for_a_quiet_call_today() -> None:
    told = Told(
        AC,
        "turn-off",
        [
            *settled(None),
            *passed(27 * DAY, "c1", rule="new-ip", ip=HOTEL, trust="good"),
            *trusted(120),
            row(6, "call", channel="phone", asks="turn-off"),
        ],
        bare=("browser", "place"),
    )

    assert not told.verdict.is_hostile
    assert not told.poor.verdict.is_hostile


FAR_OFF = {**NIGHT, "network": "hosting", "place": "Hanoi, VN"}


@pytest.mark.parametrize("words", ["complaint", "report"])
def test_a_stranger_who_was_let_in_is_seen_once_the_user_says_so(words: str) -> None:
    rows = [*settled(None), *passed(30, "c1", rule="new-ip", trust="none", **FAR_OFF)]
    if words == "report":
        rows.append(row(5, "report", what="not-me"))
    told = Told(AC, "unasked-codes" if words == "complaint" else None, rows)

    verdict = told.verdict

    assert ids(verdict, 1) == ["F1"]
    assert verdict.act == STOP


def test_a_passed_login_that_looks_foreign_in_all_is_asked_about() -> None:
    rows = [*settled(None), *passed(30, "c1", rule="new-ip", trust="none", **FAR_OFF)]
    told = Told(AC, None, rows)

    verdict = told.verdict

    assert ids(verdict, 2) == ["A2", "F1"]
    assert verdict.ask is not None
    assert verdict.ask.pair == "A2/F1"


def test_contacts_taken_out_by_a_stranger_are_no_usual_export() -> None:
    rows = [
        *settled(None),
        *passed(30, "c1", rule="new-ip", factor="sms", **FAR_OFF),
        *passed(25, "c2", rule="export", factor="sms", password=False, **FAR_OFF),
        row(24, "export", ok=True, ip=THIEF),
    ]
    told = Told(SMS, "unasked-codes", rows)

    verdict = told.verdict

    assert verdict.is_hostile


@pytest.mark.parametrize("rule", ["every-login", None])
def test_a_right_password_from_nowhere_that_led_nowhere_is_held_against_the_call(
    rule: str | None,
) -> None:
    product = LG if rule else CC
    told = Told(
        product,
        None,
        [*settled(rule), row(20, "password", ok=True, **FAR_OFF), row(6, "call", asks="reset")],
    )

    verdict = told.verdict

    assert ids(verdict, 1) == ["F3"]


@pytest.mark.parametrize("asks", ["code", "other"])
def test_any_call_soon_after_foreign_tries_is_held(asks: str) -> None:
    told = Told(
        LG,
        None,
        [*settled(), *tries(30, False, False, False, **FAR_OFF), row(6, "call", asks=asks)],
    )

    verdict = told.verdict

    assert ids(verdict, 1) == ["F3"]


def test_codes_nobody_asked_for_beside_foreign_tries_are_no_forgotten_password() -> None:
    told = Told(AC, "unasked-codes", [*settled(None), *tries(30, *[False] * 6, **FAR_OFF)])

    verdict = told.verdict

    assert ids(verdict, 1) == ["F1"]


def test_a_change_from_a_never_seen_address_is_never_called_as_meant() -> None:
    change = row(30, "factor", change="address-changed", by="user", ip=THIEF)
    told = Told(PP, None, [*settled(), change])

    verdict = told.verdict

    assert not verdict.nothing_is_broken
    assert "before" in verdict.say
    assert verdict.ask is not None
    assert verdict.ask.pair == "F3/lost phone"


def test_a_report_that_a_reset_has_settled_is_not_held_against_today() -> None:
    rows = [
        *settled(),
        row(400, "report", what="not-me"),
        row(300, "reset", ok=True, by="administrator", scope="all"),
        row(290, "factor", change="enrolled", factor="totp", by="user", ip=OFFICE),
        *asked(20, "c1", factor="totp"),
        *typed(19, "c1", False, reason="wrong"),
    ]
    told = Told(LG, "code-refused", rows)

    verdict = told.verdict

    assert not verdict.is_hostile
