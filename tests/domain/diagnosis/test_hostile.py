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
