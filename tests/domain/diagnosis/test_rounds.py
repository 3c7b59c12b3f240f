"""Rounds: what belongs to one challenge, their loop, and what differs from the last good one."""

from __future__ import annotations

from helpdesk.domain.diagnosis.facts import Facts
from helpdesk.domain.diagnosis.rounds import differences, loop_rounds
from helpdesk.domain.events import decode_timeline
from tests.domain.diagnosis.stories import STORIES
from tests.domain.diagnosis.telling import (
    HOTEL,
    NOW,
    Row,
    asked,
    passed,
    row,
    settled,
    typed,
)
from tests.factories import CARDS, user


def facts(rows: list[Row]) -> Facts:
    return Facts(CARDS["partner-portal"], user("partner-portal"), decode_timeline(rows), NOW)


def test_a_loop_is_told_round_by_round() -> None:
    turns = loop_rounds(facts(STORIES["E1"].rows).rounds)

    assert [turn.challenge for turn in turns] == ["c1", "c2", "c3"]
    assert [turn.session for turn in turns] == ["missing"] * 3
    assert [turn.again_s is not None for turn in turns] == [True, True, False]
    assert all(turn.accepted_at for turn in turns)


def test_quiet_days_are_no_loop() -> None:
    assert loop_rounds(facts(settled()).rounds) == ()


def test_an_export_after_a_login_is_no_loop() -> None:
    rows = [*passed(20, "c1"), *passed(19, "c2", rule="export", password=False)]

    assert loop_rounds(facts(rows).rounds) == ()


def test_what_differs_from_the_last_good_login_is_listed() -> None:
    rows = [
        *passed(600, "c1", network="office", place="Leeds", trust="good"),
        *asked(20, "c2", ip=HOTEL, network="vpn", place="Oslo", trust="none", browser="b2"),
    ]

    found = {one.what: (one.was, one.is_now) for one in differences(facts(rows).rounds)}

    assert found == {
        "address": ("192.0.2.7", HOTEL),
        "network": ("office", "vpn"),
        "place": ("Leeds", "Oslo"),
        "browser": ("b1", "b2"),
        "trust": ("good", "none"),
    }


def test_another_destination_is_a_difference() -> None:
    rows = [*passed(600, "c1"), *asked(20, "c2", to="x•••@elsewhere.example")]

    found = [one.what for one in differences(facts(rows).rounds)]

    assert found == ["sent to"]


def test_nothing_differs_where_nothing_was_good() -> None:
    assert differences(facts(asked(20, "c1")).rounds) == ()
    assert differences(()) == ()


def test_answers_before_their_challenge_by_a_clock_that_is_off_still_belong_to_it() -> None:
    rows = [*asked(20, "c1"), *typed(20.5, "c1", True)]

    (one,) = facts(rows).rounds

    assert one.is_accepted


def test_a_send_that_names_no_challenge_belongs_to_the_one_just_asked() -> None:
    rows = [*asked(20, "c1", sent=False), row(19.8, "send", send="s7", channel="email")]

    (one,) = facts(rows).rounds

    assert [sent.event.send for sent in one.sends] == ["s7"]


def test_a_message_that_confirms_a_number_is_no_code() -> None:
    rows = [*asked(20, "c1"), row(19, "send", send="k1", channel="sms", purpose="confirmation")]

    prepared = facts(rows)

    assert [sent.event.send for sent in prepared.confirmations] == ["k1"]
    assert [sent.event.send for sent in prepared.rounds[0].sends] == ["s1"]


def test_a_round_whose_challenge_row_is_missing_is_still_a_round() -> None:
    prepared = facts(typed(5, "c1", False, reason="wrong"))

    assert [one.id for one in prepared.rounds] == ["c1"]
    assert prepared.rounds[0].asked is None
