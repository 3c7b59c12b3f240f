"""Neighbours that look alike are told apart by what only one of them can show."""

from __future__ import annotations

import pytest

from helpdesk.domain.diagnosis.hearing import volunteered
from helpdesk.domain.diagnosis.verdicts import CallerSaid
from tests.domain.diagnosis.stories import AC, CC, LG, PP, SMS
from tests.domain.diagnosis.telling import (
    DAY,
    HOTEL,
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

WINDOW = {"rule": "new-browser", "trust": "none"}


def test_an_app_code_whose_time_ran_out_was_waited_for() -> None:
    rows = [*settled("every-login", factor="totp"), *asked(9, "c1", factor="totp")]
    told = Told(LG, "no-code", [*rows, *typed(4, "c1", False, reason="timeout")])

    verdict = told.verdict

    assert ids(verdict, 1) == ["C12"]


def test_fresh_ids_beside_a_window_that_stays_known_are_private_windows() -> None:
    rows: list[Row] = [*settled(None)]
    for n in range(3):
        rows += trusted(500 - n * 150)
        rows += passed(460 - n * 150, f"c{n}", browser=f"p{n}", **WINDOW)
    rows += trusted(20)
    told = Told(AC, "keeps-asking", rows)

    verdict = told.verdict

    assert ids(verdict, 1) == ["B2"]


@pytest.mark.parametrize(
    "reply", ["yes - incognito", "yes, always in a private window", "incognito"]
)
def test_who_says_private_window_is_believed(reply: str) -> None:
    rows = [*passed(30, "c1", browser="p1", **WINDOW), *passed(16, "c2", browser="p2", **WINDOW)]
    told = Told(CC, "keeps-asking", rows, answers=[{"ask": "B2", "reply": reply}])

    verdict = told.verdict

    assert ids(verdict, 1) == ["B2"]


@pytest.mark.parametrize("ask", ["C3/C2", "C1/C2", "C9"])
def test_a_mail_program_that_stands_still_is_heard_whatever_was_asked(ask: str) -> None:
    told = Told(
        PP,
        "no-code",
        [*settled(), *asked(9, "c1")],
        answers=[{"ask": ask, "reply": "no, and nothing else has come since nine either"}],
    )

    verdict = told.verdict

    assert "C9" in ids(verdict, 2 if ask == "C9" else 1)


@pytest.mark.parametrize(
    ("ask", "reply"),
    [
        ("C3/C2", "no, nothing came"),
        ("B1/B3", "no, not in a private window"),
        ("E1/E2", "yes, a private window works"),
        ("A2/B5", "no, neither"),
    ],
)
def test_what_was_not_said_is_not_heard(ask: str, reply: str) -> None:
    told = volunteered(CallerSaid(ask=ask, reply=reply))

    assert told is None


def test_one_door_that_keeps_nobody_is_our_fault_though_the_days_differ() -> None:
    door = "https://www2.login.example/"

    def lost(ago: float, name: str) -> list[Row]:
        return [
            one
            for n in range(2)
            for one in passed(
                ago - 2 * n, f"{name}{n}", rule="risk", door=door, browser=name, session="missing"
            )
        ]

    fine = passed(30, "f1", rule="risk", door="https://login.example/", browser="bf")
    told = Told(
        CC, "loop", lost(9, "c"), others=[*[lost(n * DAY, f"o{n}") for n in (1, 3, 4)], fine]
    )

    verdict = told.verdict

    assert ids(verdict, 1) == ["B8"]
    assert "(B8)" in verdict.also_others


def test_the_clock_of_the_server_is_found_beside_others_who_are_well() -> None:
    def off(ago: float) -> list[Row]:
        rows = asked(ago, "c1", factor="totp")
        return [*rows, *typed(ago - 1, "c1", False, reason="drift", drift_s=-94)]

    well = [passed(n, "c1", factor="totp") for n in (110, 100, 90, 80, 70)]
    told = Told(LG, "code-refused", off(9), others=[off(14), off(20), off(25), *well])

    verdict = told.verdict

    assert ids(verdict, 1) == ["D4b"]


def test_codes_typed_crosswise_in_two_tries_are_not_old_codes() -> None:
    rows = [
        *asked(9, "c1", rule="new-ip", factor="sms", ip=HOTEL),
        *asked(8.5, "c2", rule="new-ip", factor="sms", ip=HOTEL),
        *typed(8, "c1", False, reason="wrong", send="s2", ip=HOTEL),
        *typed(7.8, "c2", False, reason="wrong", send="s1", ip=HOTEL),
    ]
    told = Told(SMS, "code-refused", [*settled(None), *rows])

    verdict = told.verdict

    assert ids(verdict, 1) == ["D7"]
    assert "newest" not in verdict.say


def test_a_code_used_from_where_another_user_logs_in_was_used_by_them() -> None:
    desk = "192.0.2.88"
    rows = [
        *asked(9, "c1"),
        *typed(8.7, "c1", True, send="s1", ip=desk, browser="bc"),
        *typed(8.4, "c1", False, send="s1", reason="reused", browser="b1"),
    ]
    colleague = asked(10, "x1", ip=desk, browser="bx")
    told = Told(PP, "code-refused", [*settled(), *rows], others=[colleague])

    verdict = told.verdict

    assert ids(verdict, 1) == ["D7"]


def test_a_filter_has_no_login_of_its_own() -> None:
    rows = [
        *asked(9, "c1"),
        *typed(8.8, "c1", True, send="s1", ip="52.125.131.9", browser=None),
        *typed(8.2, "c1", False, send="s1", reason="reused", browser="b1"),
    ]
    told = Told(PP, "code-refused", [*settled(), *rows], others=[asked(10, "x1", ip=HOTEL)])

    verdict = told.verdict

    assert ids(verdict, 1) == ["D8"]


def test_one_other_loop_by_chance_makes_no_release() -> None:
    def loop(ago: float, name: str) -> list[Row]:
        return [
            one
            for n in range(3)
            for one in passed(
                ago - n, f"{name}{n}", session="missing", browser=name, password=n == 0
            )
        ]

    told = Told(PP, "loop", [*settled(), *loop(9, "b1")], others=[[*settled(), *loop(14, "b2")]])

    verdict = told.verdict

    assert set(ids(verdict, 2)) == {"E1", "E2"}
    assert verdict.ask is not None
    assert verdict.ask.pair == "E1/E2"


def test_a_browser_known_over_pauses_is_not_cleared_at_each_closing() -> None:
    blank = {"browser": None, "agent": None, **WINDOW}
    rows = [*passed(20 * DAY, "c1", **blank)]
    for day in (15, 10, 5, 2):
        rows += trusted(day * DAY, browser=None, agent=None)
    told = Told(CC, "keeps-asking", [*rows, *passed(20, "c2", **blank)])

    verdict = told.verdict

    assert ids(verdict, 1) == ["A3"]


def test_an_open_demand_to_enrol_speaks_against_the_rule_of_last_week() -> None:
    rows = [*settled()]
    for ago in (12, 9, 6):
        rows += [row(ago, "password", ok=True), row(ago - 0.1, "factor", change="must-enrol")]
    told = Told(LG, "keeps-asking", rows, user={"factors": []})

    verdict = told.verdict

    assert ids(verdict, 1) == ["E4"]


def test_refusals_after_a_new_enrolment_without_a_block_are_the_old_entry() -> None:
    rows = [
        *settled(factor="totp"),
        row(60, "reset", ok=True, by="administrator", scope="one"),
        row(55, "factor", change="enrolled", factor="totp", by="user"),
        *asked(9, "c1", factor="totp"),
    ]
    rows += [one for n in range(4) for one in typed(8 - n, "c1", False, reason="wrong")]
    told = Told(LG, "code-refused", rows)

    verdict = told.verdict

    assert ids(verdict, 1) == ["D5"]
