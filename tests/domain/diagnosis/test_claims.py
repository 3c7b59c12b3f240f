"""No sentence claims what the log does not hold."""

from __future__ import annotations

import textwrap

import pytest

from tests.domain.diagnosis.stories import AC, CC, LG, PP, SMS
from tests.domain.diagnosis.telling import THIEF, Told, asked, ids, passed, row, settled, typed

LATE = [*settled(), *asked(9, "c1", delivered_s=400, life_min=None)]


def test_a_late_message_that_has_come_is_no_longer_on_its_way() -> None:
    told = Told(AC, "no-code", LATE)

    verdict = told.verdict

    assert ids(verdict, 1) == ["C3"]
    assert "came late, at 14:02 UTC" in verdict.say
    assert "look for it now" in verdict.say


def test_a_late_message_whose_code_has_died_is_said_to_have() -> None:
    told = Told(PP, "no-code", LATE)

    verdict = told.verdict

    assert "run out" in verdict.say
    assert verdict.act is None
    assert "send-code" not in {one.act for one in verdict.will_not_help}


def test_a_late_message_that_has_not_come_is_on_its_way() -> None:
    rows = [
        *settled(),
        *asked(4, "c1", delivered_s=None),
        row(3, "delivery", send="s1", state="deferred"),
    ]
    told = Told(PP, "no-code", rows)

    verdict = told.verdict

    assert "on its way" in verdict.say


def test_no_arrival_is_claimed_where_no_send_is_known() -> None:
    told = Told(PP, "no-code", [*settled(), *asked(9, "c1")], gone=("send", "delivery")).poor

    verdict = told.verdict

    assert "arrived" not in verdict.say
    assert "has left" not in verdict.say


@pytest.mark.parametrize("delivered_s", [4, None])
def test_no_carrier_is_blamed_without_a_failed_delivery(delivered_s: float | None) -> None:
    rows = [*settled("new-ip"), *asked(9, "c1", factor="sms", delivered_s=delivered_s)]
    told = Told(SMS, "no-code", rows)

    verdict = told.verdict

    assert "did not deliver" not in verdict.say


def test_no_lock_is_claimed_that_is_not_in_the_log() -> None:
    rows = [*settled(), *asked(9, "c1", life_min=None)]
    rows += [one for n in range(6) for one in typed(8 - n / 3, "c1", False, reason="wrong")]
    told = Told(PP, "locked", rows)

    verdict = told.verdict

    assert ids(verdict, 1) == ["D9"]
    assert "You may be locked out" in verdict.say


def test_the_number_to_call_back_is_the_one_before_the_change() -> None:
    change = row(30, "factor", change="number-changed", by="user", ip=THIEF)
    told = Told(LG, None, [*settled(), change, row(9, "call", asks="reset")])

    verdict = told.verdict

    assert "before" in verdict.say
    assert "before the change" in verdict.act_says


def test_the_page_to_open_is_named_only_where_the_card_has_one() -> None:
    rows = [
        one
        for n in range(3)
        for one in passed(9 - n, f"c{n}", factor="sms", session="missing", password=n == 0)
    ]
    told = Told(CC, "loop", [*settled(), *rows, *asked(5, "c9", factor="sms", password=False)])

    verdict = told.verdict

    assert ids(verdict, 1) == ["E1"]
    assert "the card names none" in verdict.act_says
    assert all(len(line) <= 80 for line in textwrap.wrap(verdict.say, 80))
