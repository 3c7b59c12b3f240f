"""A lost telephone has words of its own, by product; and old events do not speak for today."""

from __future__ import annotations

import textwrap

import pytest

from tests.domain.diagnosis.stories import AC, CC, LG, PP, SMS
from tests.domain.diagnosis.telling import DAY, Told, asked, passed, row, settled, trusted

CALL = row(6, "call", channel="phone", asks="reset")


@pytest.mark.parametrize(
    ("product", "way"),
    [
        (CC, "Reset your factors yourself"),
        (LG, "Only an administrator of your account can reset it."),
        (SMS, "Your account manager can do this."),
        (PP, "Support changes the Notification Email Address."),
        (AC, "Please contact ActiveCampaign support."),
    ],
)
@pytest.mark.parametrize("complaint", ["lost-factor", None])
def test_a_lost_telephone_is_told_the_way_of_its_product(
    product: str, way: str, complaint: str | None
) -> None:
    told = Told(product, complaint, [*settled(None), CALL])

    verdict = told.verdict

    assert way in verdict.say
    assert verdict.ask is not None
    assert verdict.ask.pair == "F3/lost phone"
    assert not verdict.nothing_is_broken
    assert verdict.act is None
    assert sum(len(textwrap.wrap(line, 80)) for line in verdict.say.split("\n")) <= 3


def test_who_was_reached_by_phone_is_told_the_way_and_not_called_again() -> None:
    told = Told(
        CC,
        "lost-factor",
        [*settled(None), CALL],
        answers=[{"ask": "F3/lost phone", "reply": "reached"}],
    )

    verdict = told.verdict

    assert verdict.say.startswith("Reset your factors yourself")
    assert verdict.ask is None


def test_a_login_left_open_after_the_call_is_the_lost_telephone_and_not_the_rule() -> None:
    told = Told(
        LG, "lost-factor", [*settled(), row(9, "call", asks="reset"), *asked(5, "c1", factor="sms")]
    )

    verdict = told.verdict

    assert "Nothing is wrong" not in verdict.say
    assert "call you back" in verdict.say


@pytest.mark.parametrize("days", [5, 20])
def test_a_challenge_of_last_week_says_little_about_a_quiet_day(days: int) -> None:
    told = Told(
        AC,
        None,
        [
            *passed(days * DAY, "c1", rule="new-ip", ip="198.51.100.9", trust="good"),
            *trusted(60),
            *trusted(30),
        ],
    )

    verdict = told.verdict

    assert all(cause.p < 0.6 for cause in verdict.causes)
    assert not verdict.nothing_is_broken


def test_who_complains_of_being_asked_is_answered_from_the_last_time_it_asked() -> None:
    told = Told(AC, "keeps-asking", [*settled("new-ip"), *passed(4 * DAY, "c1", rule="new-ip")])

    verdict = told.verdict

    assert verdict.causes[0].group == "A"


def test_what_is_hardly_likely_is_not_claimed() -> None:
    told = Told(SMS, None, [*passed(9 * DAY, "c1", rule="export", factor="sms"), *trusted(60)])

    verdict = told.verdict

    assert verdict.causes[0].p < 0.4
    assert "cannot see" in verdict.say


def test_a_confirmed_number_of_an_active_factor_is_no_unsaved_setup() -> None:
    told = Told(
        SMS,
        None,
        [
            *settled(None),
            row(2 * DAY, "factor", change="number-changed", factor="sms", by="user"),
            row(2 * DAY - 1, "factor", change="number-confirmed", factor="sms", by="user"),
            *trusted(60),
        ],
    )

    verdict = told.verdict

    assert not verdict.causes or verdict.causes[0].p < 0.6


@pytest.mark.parametrize(
    ("product", "way"),
    [
        (LG, "it cannot be turned off"),
        (PP, "no way to opt out"),
        (SMS, "Only the account manager can turn it off."),
    ],
)
def test_who_wants_it_off_on_a_quiet_day_is_told_whose_it_is(product: str, way: str) -> None:
    told = Told(product, "turn-off", [*settled(None), row(6, "call", asks="turn-off")])

    verdict = told.verdict

    assert way in verdict.say
    assert verdict.ask is not None
    assert verdict.ask.pair == "F3/lost phone"
