"""Where the deciding fact is missing both stand on top, the question is asked, none is claimed."""

from __future__ import annotations

import pytest

from tests.domain.diagnosis.stories import AC, CC, LG, PP, SMS
from tests.domain.diagnosis.telling import (
    DAY,
    HOTEL,
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


def without(rows: list[Row], *kinds: str) -> list[Row]:
    """The rows save those of some kinds."""
    return [one for one in rows if one["kind"] not in kinds]


@pytest.mark.parametrize("product", [AC, PP, CC, LG])
@pytest.mark.parametrize("complaint", ["loop", "keeps-asking", None])
def test_asked_again_and_again_without_answers_may_be_wrong_codes(
    product: str, complaint: str | None
) -> None:
    factor = "email" if product in {AC, PP} else "sms"
    rows = [
        one
        for n in range(4)
        for one in asked(8 - n, f"c{n}", rule=None, factor=factor, password=n == 0)
    ]
    told = Told(product, complaint, without(rows, "delivery"))

    verdict = told.verdict

    assert set(ids(verdict, 2)) == {"E1", "D3"}
    assert verdict.ask is not None
    assert verdict.ask.pair == "E1/D3"
    assert "accepted" not in verdict.say


@pytest.mark.parametrize("product", [AC, PP])
def test_a_code_typed_in_seconds_from_nowhere_is_a_filter_or_a_thief(product: str) -> None:
    rows = [
        *settled("every-login"),
        row(6, "challenge", challenge="c1", factor="email"),
        row(6, "send", send="s1", challenge="c1", channel="email", to="m•••@agency.example"),
        row(5.95, "delivery", send="s1", state="delivered"),
        *typed(5.85, "c1", True, ip=THIEF),
    ]
    told = Told(product, None, without(rows, "password"))

    verdict = told.verdict

    assert set(ids(verdict, 2)) == {"D8", "F1"}
    assert verdict.ask is not None
    assert verdict.ask.pair == "D8/F1"


@pytest.mark.parametrize("product", [AC, SMS])
def test_a_challenge_from_a_new_network_that_nobody_claims_is_asked_about(product: str) -> None:
    rows = [
        *settled(None),
        *passed(9 * DAY, "c0", rule="new-ip", factor="sms"),
        *asked(7, "c1", rule="new-ip", factor="sms", ip=HOTEL),
    ]
    told = Told(product, None, rows, bare=("browser", "agent")).poor

    verdict = told.verdict

    assert set(ids(verdict, 2)) == {"A2", "F1"}
    assert verdict.ask is not None
    assert verdict.ask.pair == "A2/F1"


def test_who_waits_for_the_code_in_a_new_network_is_helped_with_the_code() -> None:
    rows = [*settled(None), *asked(7, "c1", rule="new-ip", factor="sms", ip=HOTEL)]
    told = Told(SMS, "no-code", rows, bare=("browser", "agent")).poor

    verdict = told.verdict

    assert ids(verdict, 1)[0].startswith("C")


def test_a_push_left_open_after_three_that_were_taken_is_a_loop_and_no_lost_push() -> None:
    rows = [
        *settled("new-device", factor="push"),
        *[
            one
            for n in range(3)
            for one in passed(9 - n, f"c{n}", rule=None, factor="push", session="missing")
        ],
        *asked(5, "c7", rule=None, factor="push", delivered_s=None),
    ]
    told = Told(CC, None, rows)

    verdict = told.verdict

    assert ids(verdict, 1) == ["E1"]


def test_a_delivery_noted_after_the_code_was_typed_is_a_wrong_clock_and_no_delay() -> None:
    rows = passed(9, "c1", rule="new-browser", delivered_s=180, trust="none")
    told = Told(AC, None, [*settled(None), *rows])

    verdict = told.verdict

    assert "C3" not in ids(verdict)


def test_a_delivery_noted_later_than_now_is_a_wrong_clock_and_no_delay() -> None:
    told = Told(PP, "no-code", [*settled(), *asked(9, "c1", delivered_s=3600)])

    verdict = told.verdict

    assert ids(verdict, 1) == ["C2"]
    assert "on its way" not in verdict.say


def test_a_clock_that_is_always_ahead_makes_no_delay_and_hides_none() -> None:
    usual = [
        one for n in range(1, 6) for one in passed(n * DAY, f"c{n}", delivered_s=70, trust=None)
    ]
    prompt = Told(PP, "no-code", [*usual, *asked(9, "c9", delivered_s=72)])
    late = Told(PP, "no-code", [*usual, *asked(9, "c9", delivered_s=400)])

    assert ids(prompt.verdict, 1) == ["C2"]
    assert ids(late.verdict, 1) == ["C3"]


def test_a_user_who_was_not_asked_in_a_quiet_log_is_no_case_for_these_questions() -> None:
    told = Told(AC, None, [*settled(None), *trusted(9)])

    verdict = told.verdict

    assert verdict.ask is None
