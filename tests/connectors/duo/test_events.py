"""Duo's authentication log read as our timeline."""

from __future__ import annotations

from typing import Any

import pytest

from helpdesk.connectors.duo.events import timeline_of
from helpdesk.domain.events import decode_timeline, encode_event
from helpdesk.domain.timeline import (
    Answer,
    Challenge,
    Delivery,
    FactorChange,
    Lock,
    Other,
    Report,
    Send,
)
from tests.connectors.duo.stories import Row, row
from tests.connectors.reading import the_only


def only(kind: type[Any], *rows: Row) -> Any:
    return the_only(kind, timeline_of(rows))


def test_a_push_is_asked_sent_answered_and_begun() -> None:
    events = timeline_of([row(9)])

    assert [event.kind for event in events] == ["challenge", "send", "answer", "session"]
    assert only(Send, row(9)).to == "•••• 21"


def test_a_remembered_device_was_asked_nothing() -> None:
    events = timeline_of([row(9, "remembered_device", "remembered_device")])

    assert [event.kind for event in events] == ["password", "session"]


@pytest.mark.parametrize(
    ("reason", "ours"),
    [
        ("invalid_passcode", "wrong"),
        ("user_mistake", "declined"),
        ("no_response", "timeout"),
        ("user_cancelled", "cancelled"),
        ("something_new", None),
    ],
)
def test_why_it_was_denied_is_told_in_our_word(reason: str, ours: str | None) -> None:
    event = only(Answer, row(9, reason))

    assert (event.ok, event.reason) == (False, ours)


def test_a_push_that_was_marked_as_fraud_is_a_report() -> None:
    marked = only(Report, row(9, "user_marked_fraud", result="fraud"))
    odd = only(Report, row(9, "anomalous_push"))

    assert (marked.what, odd.what) == ("not-me", "suspicious")


def test_a_wrong_code_and_the_next_are_one_asking() -> None:
    event = only(
        Challenge, row(9, "invalid_passcode", "passcode"), row(8.5, "valid_passcode", "passcode")
    )

    assert event.factor == "totp"


def test_a_push_without_an_app_was_not_delivered() -> None:
    event = only(Delivery, row(9, "no_activated_duo_mobile_account"))

    assert event.state == "failed"


def test_who_is_not_enrolled_must_enrol_and_who_did_is_told() -> None:
    must = only(FactorChange, row(9, "deny_unenrolled_user"))
    done = only(FactorChange, row(9, event_type="enrollment"))

    assert (must.change, done.change) == ("must-enrol", "enrolled")


def test_a_lock_and_a_policy_that_refuses_are_told_apart() -> None:
    locked = only(Lock, row(9, "locked_out"))
    refused = only(Lock, row(9, "location_restricted"))

    assert (locked.until, refused.until) == (None, refused.at)
    assert refused.cause == "policy: location restricted"


@pytest.mark.parametrize(
    ("said", "rule"),
    [("New location", "new-place"), ("Unknown device", "new-device"), ("Odd hour", "risk")],
)
def test_low_trust_is_a_hint_at_the_rule(said: str, rule: str) -> None:
    low = {"more_secure_auth": {"trust_level": "LOW", "reason": said}, "x": None}

    event = only(Challenge, row(9, adaptive_trust_assessments=low))

    assert event.rule == rule


def test_records_in_which_all_is_null_are_told_or_left_out() -> None:
    empty: Row = dict.fromkeys(row(9))

    events = timeline_of([empty | {"timestamp": 1_777_900_000}, empty, None, 7])

    assert [type(event) for event in events] == [Other]
    assert decode_timeline([encode_event(event) for event in events])


def test_records_that_come_twice_are_told_once() -> None:
    rows = [row(9), row(20, "no_response")]

    assert timeline_of([*rows, *rows]) == timeline_of(rows[::-1])
