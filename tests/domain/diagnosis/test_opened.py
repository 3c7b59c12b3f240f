"""After a way in was opened, the first who comes through it is the customer, or is stopped."""

from __future__ import annotations

from typing import Any

import pytest

from helpdesk.domain.diagnosis import STOP
from helpdesk.domain.diagnosis.verdicts import Strength, Verdict
from tests.domain.diagnosis.stories import AC, CC, LG, PP, SMS
from tests.domain.diagnosis.telling import (
    CHROME,
    DAY,
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

HOME = {"network": "office", "place": "Leeds, GB"}
FAR_OFF: dict[str, Any] = {
    "ip": THIEF, "browser": "b66", "agent": CHROME, "network": "hosting", "place": "Hanoi, VN",
}  # fmt: skip
RESET = row(120, "reset", ok=True, by="agent", scope="all")
OPENED: dict[str, Row] = {
    "reset": RESET,
    "reset by the account's administrator": row(120, "reset", ok=True, by="administrator"),
    "pass": row(120, "pass", by="agent"),
    "MFA off": row(120, "factor", change="turned-off", by="agent"),
    "enrolled by the desk": row(120, "factor", change="enrolled", factor="totp", by="agent"),
}


def story(*rows: Row | list[Row], product: str = LG, complaint: str | None = None) -> Verdict:
    """Days at the office, then what is told."""
    told = [one for part in rows for one in (part if isinstance(part, list) else [part])]
    rule = "every-login" if product in {LG, PP} else None
    return Told(product, complaint, [*settled(rule, **HOME), *told]).verdict


def is_taken_over(verdict: Verdict) -> bool:
    """Whether the verdict says so first, strongly, and stops the agent."""
    top = verdict.causes[0] if verdict.causes else None
    return (
        top is not None
        and top.id == "F4"
        and top.strength is not Strength.WEAK
        and verdict.act == STOP
    )


@pytest.mark.parametrize("product", [AC, PP, CC, SMS, LG])
@pytest.mark.parametrize("opened", OPENED)
def test_a_first_entry_from_nowhere_known_is_said_at_once(product: str, opened: str) -> None:
    entry = passed(2, "c1", factor="sms", rule="new-ip", **FAR_OFF)

    verdict = story(OPENED[opened], entry, product=product)

    assert is_taken_over(verdict)
    assert "Hanoi" in verdict.causes[0].evidence[0].says


@pytest.mark.parametrize("opened", OPENED)
@pytest.mark.parametrize(
    "entry",
    [
        passed(2, "c1", factor="sms", **HOME),
        passed(2, "c1", factor="sms", browser="b2", agent=CHROME, trust="none", **HOME),
        passed(2, "c1", factor="sms", ip=HOTEL),
        passed(2, "c1", factor="sms", ip=HOTEL, browser="b2", place="Leeds, GB", network="mobile"),
    ],
    ids=["as ever", "a new telephone at the office", "own browser, hotel", "own town, new address"],
)
def test_the_customer_is_let_in_quietly(opened: str, entry: list[Row]) -> None:
    verdict = story(OPENED[opened], entry)

    assert not verdict.is_hostile
    assert "F4" not in ids(verdict, 2)


def test_with_mfa_off_the_password_alone_is_the_entry() -> None:
    entry = trusted(2, **FAR_OFF)

    assert is_taken_over(story(OPENED["MFA off"], entry, product=AC))
    assert not is_taken_over(story(OPENED["MFA off"], trusted(2, **HOME), product=AC))


def test_who_sets_up_a_method_after_the_reset_is_the_entry() -> None:
    rows = [
        row(3, "password", ok=True, **FAR_OFF),
        row(2, "factor", change="enrolled", factor="totp", by="user", ip=THIEF),
    ]

    assert is_taken_over(story(RESET, rows))


def test_who_was_sent_away_has_not_come_in() -> None:
    tried = [*asked(3, "c1", factor="sms", **FAR_OFF), *typed(2, "c1", False, reason="wrong")]

    assert "F4" not in ids(story(RESET, tried))


def test_a_remembered_browser_at_work_does_not_end_the_wait() -> None:
    at_work = trusted(60, **HOME)
    entry = passed(2, "c1", factor="sms", rule="new-ip", **FAR_OFF)

    assert is_taken_over(story(RESET, at_work, entry, product=AC))


def test_once_the_customer_is_in_a_later_journey_is_no_takeover() -> None:
    back = passed(100, "c1", factor="sms", **HOME)
    journey = passed(2, "c2", factor="sms", rule="new-ip", **FAR_OFF)

    assert not is_taken_over(story(RESET, back, journey))


def test_a_stranger_before_the_reset_is_not_the_first_entry_after_it() -> None:
    before = passed(240, "c1", factor="sms", rule="new-ip", **FAR_OFF)
    back = passed(2, "c2", factor="sms", **HOME)

    assert not is_taken_over(story(before, RESET, back))


def test_a_second_reset_for_the_same_stranger_does_not_make_them_known() -> None:
    entry = passed(100, "c1", factor="sms", rule="new-ip", **FAR_OFF)
    again = row(50, "reset", ok=True, by="agent", scope="all")
    back = passed(2, "c2", factor="sms", rule="new-ip", **FAR_OFF)

    assert is_taken_over(story(RESET, entry, again, back))


def test_a_browser_that_comes_from_the_office_later_was_the_customers_all_along() -> None:
    hotel = {"ip": HOTEL, "browser": "b2", "agent": CHROME}
    entry = passed(100, "c1", factor="sms", rule="new-ip", place="Oslo, NO", **hotel)
    office = passed(2, "c2", factor="sms", ip=OFFICE, browser="b2", agent=CHROME)

    assert is_taken_over(story(RESET, entry))
    assert not is_taken_over(story(RESET, entry, office))


def test_after_a_week_the_first_entry_is_no_longer_looked_for() -> None:
    old = row(8 * DAY, "reset", ok=True, by="agent", scope="all")
    known = [one for day in (9, 10, 11) for one in passed(day * DAY, f"d{day}", **HOME)]
    entry = passed(2, "c1", factor="sms", rule="new-ip", **FAR_OFF)

    assert not is_taken_over(Told(LG, None, [*known, old, *entry]).verdict)


@pytest.mark.parametrize("failed", [{"ok": False, "by": "agent"}])
def test_a_reset_that_failed_opens_nothing(failed: dict[str, Any]) -> None:
    entry = passed(2, "c1", factor="sms", rule="new-ip", **FAR_OFF)

    assert not is_taken_over(story(row(120, "reset", **failed), entry))


def test_where_the_log_says_nothing_of_places_nothing_is_claimed() -> None:
    blank: dict[str, Any] = {"ip": None, "browser": None, "agent": None}
    entry = passed(2, "c1", factor="sms", rule=None, **blank)

    assert not is_taken_over(story(RESET, entry))


def test_where_the_log_names_addresses_only_a_new_one_is_enough() -> None:
    rows = [*settled(), RESET, *passed(2, "c1", factor="sms", ip=THIEF, browser="b66")]
    told = Told(LG, None, rows, bare=("browser", "agent", "place", "network"))

    assert is_taken_over(told.poor.verdict)
