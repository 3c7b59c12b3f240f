"""Keycloak's events read as our timeline."""

from __future__ import annotations

from typing import Any

import pytest

from helpdesk.connectors.keycloak.events import EVENTS, timeline_of
from helpdesk.domain.cases import masked_event
from helpdesk.domain.events import decode_timeline, encode_event
from helpdesk.domain.timeline import (
    Answer,
    Challenge,
    Delivery,
    FactorChange,
    Lock,
    Other,
    Password,
    Send,
    Session,
)
from tests.connectors.keycloak.stories import OTP, Row, login, password, row, wrong
from tests.connectors.reading import the_only


def only(kind: type[Any], *rows: Row) -> Any:
    return the_only(kind, timeline_of(rows))


def test_a_login_with_an_authenticator_is_asked_answered_and_begun() -> None:
    events = timeline_of([login(9, "s1", **OTP)])

    assert [event.kind for event in events] == ["password", "challenge", "answer", "session"]
    assert len({event.id for event in events}) == 4


def test_a_login_without_one_asked_nothing() -> None:
    events = timeline_of([login(9, "s1")])

    assert [event.kind for event in events] == ["password", "session"]


def test_a_refusal_is_of_the_password_unless_a_credential_was_chosen() -> None:
    by_password = only(Password, password(9, "s1"))
    by_code = only(Answer, wrong(9, "s1"))

    assert by_password.ok is False
    assert (by_code.ok, by_code.reason, by_code.challenge) == (False, "wrong", "s1")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("webauthn", ["password", "challenge", "answer", "session"]),
        ("webauthn-passwordless", ["challenge", "answer", "session"]),
    ],
)
def test_a_login_by_a_passkey_asked_for_one_and_maybe_for_no_password(
    kind: str, told: list[str]
) -> None:
    events = timeline_of([login(9, "s1", credential_type=kind)])

    assert [event.kind for event in events] == told
    assert [e.factor for e in events if isinstance(e, Challenge)] == ["passkey"]


def test_wrong_and_right_of_one_sign_in_are_one_challenge() -> None:
    event = only(Challenge, wrong(9, "s1"), wrong(8.7, "s1"), login(8.5, "s1"))

    assert event.challenge == "s1"


def test_a_lock_is_told_once_and_ends_with_the_next_login() -> None:
    locked = row(30, "USER_DISABLED_BY_TEMPORARY_LOCKOUT")
    refused = row(20, "LOGIN_ERROR", error="user_temporarily_disabled", code_id="s1", **OTP)

    still = only(Lock, locked, refused)
    ended = only(Lock, locked, refused, login(9, "s2"))

    assert still.until is None
    assert ended.until is not None
    assert only(Answer, locked, refused).reason == "locked"


def test_a_sign_in_without_its_cookie_is_a_lost_session() -> None:
    event = only(Session, row(9, "LOGIN_ERROR", error="cookie_not_found"))

    assert (event.state, event.cause) == ("missing", "cookie_not_found")


@pytest.mark.parametrize(
    ("kind", "details", "change"),
    [
        ("UPDATE_TOTP", {}, "enrolled"),
        ("REMOVE_TOTP", {}, "removed"),
        ("UPDATE_CREDENTIAL", {"credential_type": "otp", "credential_id": "o1"}, "enrolled"),
        ("UPDATE_CREDENTIAL", {"credential_type": "webauthn", "credential_id": "w1"}, "enrolled"),
        ("REMOVE_CREDENTIAL", {"credential_type": "webauthn-passwordless"}, "removed"),
        ("UPDATE_EMAIL", {}, "address-changed"),
    ],
)
def test_a_change_of_authenticator_or_address_is_told(
    kind: str, details: dict[str, str], change: str
) -> None:
    event = only(FactorChange, row(9, kind, **details))

    assert (event.change, event.by) == (change, "user")


def test_a_changed_password_is_no_factor() -> None:
    event = only(Other, row(9, "UPDATE_CREDENTIAL", credential_type="password"))

    assert event.kind == "update_credential"


def test_a_mail_that_could_not_be_sent_is_told() -> None:
    rows = [row(9, "SEND_VERIFY_EMAIL_ERROR", error="email_send_failed")]

    assert only(Send, *rows).purpose == "confirmation"
    assert only(Delivery, *rows).detail == "email send failed"


def test_an_error_that_nobody_knows_is_shown_and_masked_with_the_case() -> None:
    event = only(Other, row(9, "LOGIN_ERROR", error="something_new"))

    assert event.raw["error"] == "something_new"
    assert "maya" not in str(encode_event(masked_event(event)))
    assert only(Password, password(9, "s1")).extra["raw"]["ipAddress"] == "192.0.2.7"


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_in_which_all_is_null_is_told(kind: str) -> None:
    raw: Row = dict.fromkeys(row(9, kind)) | {"type": kind, "time": 1_777_900_000_000}

    events = timeline_of([raw, {**raw, "time": None}, 7, None])

    assert events
    assert decode_timeline([encode_event(event) for event in events])


def test_events_that_come_twice_are_told_once() -> None:
    rows = [login(9, "s1", **OTP), wrong(20, "s0")]

    assert timeline_of([*rows, *rows]) == timeline_of(rows[::-1])
