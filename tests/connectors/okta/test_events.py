"""Okta's System Log read as our timeline, row by row, and at its worst."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.connectors.okta.events import EVENTS, timeline_of
from helpdesk.domain.cases import masked_event
from helpdesk.domain.events import decode_timeline, encode_event
from helpdesk.domain.originals import row_of
from helpdesk.domain.timeline import (
    Answer,
    AnyEvent,
    Challenge,
    Delivery,
    FactorChange,
    Fetch,
    Lock,
    Other,
    Password,
    Report,
    Resend,
    Reset,
    Send,
    Session,
)
from tests.connectors.okta.system_log import (
    ADMIN,
    HOTEL,
    LOGIN,
    USER,
    Row,
    answered,
    asked,
    behaviours,
    log,
    passed,
    password,
    person,
    refused,
    send,
    started,
    unasked,
)
from tests.connectors.reading import the_only

ALL = tuple[AnyEvent, ...]


def told(*rows: Row) -> ALL:
    return timeline_of(rows, USER)


def only(kind: type[Any], *rows: Row) -> Any:
    return the_only(kind, told(*rows))


def test_a_sign_in_is_one_challenge_with_its_password_message_answer_and_session() -> None:
    events = told(*passed(20, "s1"))

    kinds = [event.kind for event in events]
    assert kinds == ["password", "challenge", "send", "answer", "session", "session"]
    assert {getattr(e, "challenge", "s1") for e in events} == {"s1"}


def test_a_password_is_no_second_proof() -> None:
    row = password(9, "s1", ok=False)

    event = only(Password, row)

    assert event.ok is False
    assert event.browser == "dt1"
    assert not [e for e in told(row) if isinstance(e, Answer)]


def test_a_login_that_asks_for_the_password_only_holds_no_challenge() -> None:
    events = told(*unasked(9, "s1"))

    assert not [e for e in events if isinstance(e, Challenge)]


def test_two_policies_that_ask_at_one_page_are_one_challenge() -> None:
    first = log(9, "policy.evaluate_sign_on", "CHALLENGE", session="s1")
    second = log(
        8.9, "policy.evaluate_sign_on", "CHALLENGE", session="s1", behaviors=behaviours("New IP")
    )

    event = only(Challenge, first, password(8.95, "s1"), second, answered(8.5, "s1"))

    assert event.rule == "new-ip"


@pytest.mark.parametrize(
    ("behaviour", "rule"),
    [
        ("New Device", "new-device"),
        ("New IP", "new-ip"),
        ("New Geo-Location", "new-place"),
        ("New State", "new-place"),
        ("Velocity", "risk"),
    ],
)
def test_a_behaviour_that_was_seen_is_the_hint_at_the_rule(behaviour: str, rule: str) -> None:
    rows = asked(9, "s1", new=(behaviour,))

    event = only(Challenge, *rows)

    assert event.rule == rule
    assert event.trust == ("none" if behaviour == "New Device" else None)


@pytest.mark.parametrize(
    "extra",
    [
        {"behaviors": "{New Device=POSITIVE, New IP=NEGATIVE}"},
        {"behaviors": ["New Device=POSITIVE", "New IP=UNKNOWN"]},
        {"logOnlySecurityData": '{"risk":{"level":"LOW"},"behaviors":{"New Device":"POSITIVE"}}'},
    ],
)
def test_behaviours_are_read_wherever_okta_writes_them(extra: dict[str, Any]) -> None:
    row = log(9, "policy.evaluate_sign_on", "CHALLENGE", session="s1", **extra)

    event = only(Challenge, row)

    assert event.rule == "new-device"


def test_behaviours_of_the_security_context_are_read() -> None:
    row = log(9, "policy.evaluate_sign_on", "CHALLENGE", session="s1")
    row["securityContext"]["userBehaviors"] = [
        {"id": "b1", "name": "New IP", "result": "POSITIVE"},
        {"id": None, "name": None, "result": None},
    ]

    event = only(Challenge, row)

    assert event.rule == "new-ip"


def test_behaviours_that_cannot_be_read_are_none() -> None:
    row = log(
        9, "policy.evaluate_sign_on", "CHALLENGE", session="s1",
        behaviors="{{New Device", logOnlySecurityData="{no json",
    )  # fmt: skip

    event = only(Challenge, row)

    assert event.rule is None


@pytest.mark.parametrize("kind", ["user.session.start", "user.authentication.auth_via_mfa"])
def test_an_event_without_an_outcome_says_nothing_of_a_refusal(kind: str) -> None:
    row = log(8, kind, factor="PASSWORD_AS_FACTOR")
    row["outcome"] = None

    events = told(row)

    assert [type(event) for event in events] == [Other]


@pytest.mark.parametrize(
    ("factor", "reason", "debug", "ours"),
    [
        ("sms", "INVALID_CREDENTIALS", {}, "wrong"),
        ("sms", "PASSCODE_REPLAYED", {}, "reused"),
        ("email", "Token expired", {}, "expired"),
        ("sms", "LOCKED_OUT", {}, "locked"),
        ("sms", "TIME_WINDOW_EXCEEDED", {}, "expired"),
        ("totp", "TIME_WINDOW_EXCEEDED", {}, "drift"),
        ("push", "EXPIRED", {}, "timeout"),
        ("push", None, {"pushOnlyResponseType": "OV_RESPONSE_DENY"}, "declined"),
        ("push", "User rejected Okta push verify", {}, "declined"),
        ("push", "FastPass declined phishing attempt", {}, "declined"),
        (
            "push",
            None,
            {"pushWithNumberChallengeResponseType": "OV_WITH_CHALLENGE_RESPONSE_INVALID"},
            "wrong",
        ),
        ("sms", None, {}, None),
        ("sms", "something new", {}, None),
    ],
)
def test_why_an_answer_was_refused_is_told_in_our_word(
    factor: str, reason: str | None, debug: dict[str, Any], ours: str | None
) -> None:
    rows = [*asked(9, "s1", factor), answered(8, "s1", factor, "FAILURE", reason, **debug)]

    event = only(Answer, *rows)

    assert event.reason == ours
    assert event.challenge == "s1"


def test_an_app_that_is_too_old_declined_nothing() -> None:
    rows = [*asked(9, "s1", "push"), log(8, "user.mfa.okta_verify.deny_push_upgrade_needed")]

    event = only(Answer, *rows)

    assert event.reason == "app-too-old"


def test_one_declined_push_written_twice_is_one() -> None:
    rows = [
        *asked(9, "s1", "push"),
        log(8, "user.mfa.okta_verify.deny_push", session="s1"),
        answered(7.99, "s1", "push", "FAILURE", "User rejected Okta push verify"),
    ]

    event = only(Answer, *rows)

    assert event.reason == "declined"


def test_a_refusal_that_says_why_stands_for_the_one_that_does_not() -> None:
    rows = [
        *asked(9, "s1", "email"),
        refused(8, "s1", "email"),
        log(
            7.99, "system.email.challenge_factor_redeemed", "FAILURE", "Token expired", session="s1"
        ),
    ]

    event = only(Answer, *rows)

    assert event.reason == "expired"


def test_an_answer_without_an_asking_is_the_sign_of_one() -> None:
    event = only(Challenge, answered(8, "s1", "totp"))

    assert event.factor == "totp"
    assert event.extra["inferred"] is True


def test_the_factor_that_was_used_is_told_of_the_challenge() -> None:
    rows = asked(9, "s1", "voice")

    event = only(Challenge, *rows)

    assert event.factor == "voice"


def test_a_session_that_asks_a_second_time_has_a_second_challenge() -> None:
    rows = [*passed(30, "s1"), *passed(9, "s1")]

    found = [e.challenge for e in told(*rows) if isinstance(e, Challenge)]

    assert found == ["s1", "s1#2"]


def test_a_message_shows_the_number_masked_and_never_the_login() -> None:
    by_sms = only(Send, send(9, "s1", "sms"))
    by_mail = only(Send, send(9, "s1", "email"))

    assert by_sms.to == "•••• 21"
    assert by_mail.to is None


def test_a_mail_lives_as_long_as_its_token() -> None:
    event = only(Send, send(9, "s1", "email", tokenLifetime="300"))

    assert event.expires_at is not None
    assert (event.expires_at - event.at).total_seconds() == 300


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("Sms Delivered", "delivered"),
        ("Sms Failed", "failed"),
        ("Sms Undelivered", "failed"),
        ("queued at the carrier", "deferred"),
        ("something new", "accepted"),
    ],
)
def test_what_the_carrier_says_is_told_of_the_send_it_is_about(words: str, state: str) -> None:
    first = send(9, "s1", "sms")
    other = send(8.9, "s1", "sms")
    row = log(
        8.5, "system.sms.receive_status", "UNKNOWN", session="unknown", actor="system",
        transactionId="carrier-s1-9", providerStatus=words,
    )  # fmt: skip

    event = only(Delivery, first, other, row)

    assert event.send == first["uuid"]
    assert event.state == state


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("delivered", "delivered"),
        ("deferred", "deferred"),
        ("bounced", "bounced"),
        ("dropped", "suppressed"),
    ],
)
def test_what_became_of_a_mail_is_told_of_the_last_one_before(reason: str, state: str) -> None:
    sent = send(9, "s1", "email")

    event = only(Delivery, sent, log(8.5, "system.email.delivery", reason=reason, actor="system"))

    assert (event.send, event.state) == (sent["uuid"], state)


def test_a_delivery_of_no_known_message_is_shown_and_judged_by_nobody() -> None:
    event = only(Other, log(8.5, "system.email.delivery", reason="bounced"))

    assert event.kind == "system.email.delivery"


def test_a_message_that_okta_would_not_send_failed() -> None:
    event = only(Delivery, send(9, "s1", "sms", "DENY"))

    assert event.state == "failed"
    assert "toll fraud" in event.detail


def test_a_message_that_the_desk_sent_to_prove_a_caller_is_no_sign_in() -> None:
    row = log(9, "system.sms.send_factor_verify_message", actor=ADMIN)

    events = told(row)

    assert [type(event) for event in events] == [Other]


def test_a_link_that_was_opened_is_told_with_who_opened_it() -> None:
    sent = send(9, "s1", "email")
    row = log(
        8, "system.email.challenge_factor_redeemed", session="s1", ip=HOTEL, action="link clicked"
    )

    event = only(Fetch, sent, row)

    assert (event.send, event.ip) == (sent["uuid"], HOTEL)


@pytest.mark.parametrize(
    ("kind", "debug", "change"),
    [
        ("user.mfa.factor.activate", {"factor": "SMS_FACTOR"}, "enrolled"),
        ("user.mfa.factor.deactivate", {"factor": "SMS_FACTOR"}, "removed"),
        ("user.mfa.factor.suspend", {}, "suspended"),
        ("user.mfa.factor.unsuspend", {}, "resumed"),
        ("user.mfa.factor.update", {"factor": "SMS_FACTOR"}, "number-changed"),
        ("user.mfa.factor.update", {"factor": "EMAIL_FACTOR"}, "address-changed"),
        ("user.account.update_primary_email", {}, "address-changed"),
        (
            "user.account.update_profile",
            {"changedAttributes": "mobilePhone"},
            "number-changed",
        ),
        ("user.account.update_profile", {"changedAttributes": "secondEmail"}, "address-changed"),
    ],
)
def test_a_change_of_factor_number_or_address_is_told_with_who_made_it(
    kind: str, debug: dict[str, Any], change: str
) -> None:
    by_user = only(FactorChange, log(9, kind, **debug))
    by_another = only(FactorChange, log(9, kind, actor=ADMIN, **debug))

    assert (by_user.change, by_user.by) == (change, "user")
    assert by_another.by == "administrator"


def test_a_changed_title_leads_no_code_elsewhere() -> None:
    event = only(Other, log(9, "user.account.update_profile", changedAttributes="title"))

    assert event.kind == "user.account.update_profile"


def test_a_factor_is_named_by_its_enrolment_where_the_row_tells_it() -> None:
    target = [person(), {"id": "aut1", "type": "AuthenticatorEnrollment", "displayName": None}]

    event = only(FactorChange, log(9, "user.mfa.factor.activate", target=target))

    assert event.factor == "aut1"


def test_a_reset_of_all_factors_is_told() -> None:
    event = only(Reset, log(9, "user.mfa.factor.reset_all", actor=ADMIN))

    assert (event.ok, event.by, event.scope) == (True, "administrator", "all")


@pytest.mark.parametrize(
    ("kind", "scopes"),
    [("user.mfa.factor.reset_all", ["all"]), ("user.mfa.factor.deactivate", ["one"])],
)
def test_what_this_desk_reset_is_told_as_an_agents(kind: str, scopes: list[str]) -> None:
    events = timeline_of([log(9, kind, actor=ADMIN, factor="SMS_FACTOR")], USER, ADMIN)

    resets = [event for event in events if isinstance(event, Reset)]
    assert [(event.by, event.scope) for event in resets] == [("agent", scope) for scope in scopes]


def test_a_factor_that_another_administrator_removed_is_no_reset_of_the_desk() -> None:
    (event,) = timeline_of([log(9, "user.mfa.factor.deactivate", actor=ADMIN)], USER, "00uAnother")

    assert isinstance(event, FactorChange)
    assert (event.change, event.by) == ("removed", "administrator")


def test_a_message_that_this_desk_sent_is_a_send_that_belongs_to_no_sign_in() -> None:
    sent = log(
        9, "system.sms.send_factor_verify_message", actor=ADMIN, phoneNumber="+447700900321",
        transactionId="c1",
    )  # fmt: skip
    carried = log(8, "system.sms.receive_status", transactionId="c1", providerStatus="Sms Failed")

    events = timeline_of([sent, carried], USER, ADMIN)

    assert [type(event) for event in events] == [Send, Delivery]
    assert isinstance(events[0], Send)
    assert (events[0].challenge, events[0].to) == (None, "•••• 21")


def test_a_lock_holds_until_it_is_lifted() -> None:
    locked = log(30, "user.account.lock")
    lifted = log(20, "user.account.unlock_by_admin", actor=ADMIN)

    still = only(Lock, locked)
    events = [e for e in told(locked, lifted) if isinstance(e, Lock)]

    assert still.until is None
    assert [e.until for e in events] == [events[1].at, events[1].at]


def test_whoever_is_in_is_locked_no_more() -> None:
    event = only(Lock, log(30, "user.account.lock"), started(9, "s1"))

    assert event.until is not None


def test_a_limit_on_codes_tried_shuts_the_user_out_for_its_seconds() -> None:
    row = log(
        9, "system.operation.rate_limit.violation", "DENY",
        operationRateLimitType="authenticator_otp_verification",
        operationRateLimitSecondsToReset="300",
    )  # fmt: skip

    event = only(Lock, row)

    assert (event.until - event.since).total_seconds() == 300


def test_a_limit_on_codes_asked_for_is_a_resend_that_was_not_allowed() -> None:
    row = log(
        8, "system.operation.rate_limit.violation", "DENY", session="s1",
        operationRateLimitType="sms_factor_verify", operationRateLimitSecondsToReset=["30"],
    )  # fmt: skip

    event = only(Resend, *asked(9, "s1"), row)

    assert (event.challenge, event.allowed, event.retry_after_s) == ("s1", False, 30)


def test_a_policy_that_refuses_is_told_and_is_no_lock() -> None:
    event = only(Lock, log(9, "policy.evaluate_sign_on", "DENY", "Access denied"))

    assert event.until == event.at
    assert event.cause == "policy: Access denied"


@pytest.mark.parametrize(
    ("kind", "debug", "cause"),
    [
        ("user.session.end", {"terminationReason": "DBSC_COOKIE_EXPIRED"}, "DBSC_COOKIE_EXPIRED"),
        ("user.session.end", {}, "signed out"),
        ("user.session.expire", {}, "it ran out"),
        ("user.session.clear", {}, "ended by an administrator"),
    ],
)
def test_a_session_ends_with_the_reason_that_is_told(
    kind: str, debug: dict[str, Any], cause: str
) -> None:
    event = only(Session, log(9, kind, **debug))

    assert (event.state, event.cause) == ("ended", cause)


def test_what_the_user_reported_is_told() -> None:
    event = only(Report, log(9, "user.account.report_suspicious_activity_by_enduser"))

    assert event.what == "not-me"


def test_an_event_of_a_kind_nobody_knows_is_shown_by_its_name() -> None:
    event = only(Other, log(9, "user.lifecycle.sideways\x1b[2J"))

    assert event.kind == "user.lifecycle.sideways␛[2J"


@pytest.mark.parametrize("kind", ["user.lifecycle.sideways", "user.session.start"])
def test_the_row_is_beside_each_event_and_is_masked_with_the_case(kind: str) -> None:
    row = log(9, kind)

    (event,) = told(row)

    found = row_of(event)
    assert found["actor"] == row["actor"]
    assert LOGIN not in str(encode_event(masked_event(event)))


def test_rows_that_come_unordered_and_twice_are_told_once_in_order() -> None:
    rows = list(passed(20, "s1"))
    mixed = [*rows, *rows]
    random.Random(7).shuffle(mixed)

    events = told(*mixed)

    assert events == told(*rows)


def test_a_row_without_a_time_is_left_out_and_one_without_an_id_is_told() -> None:
    timeless, nameless = started(9, "s1"), started(8, "s2")
    timeless["published"], nameless["uuid"] = None, None

    event = only(Session, timeless, nameless)

    assert event.id is None


@pytest.mark.parametrize("kind", EVENTS)
def test_a_row_in_which_all_is_null_is_told_without_a_word_too_much(kind: str) -> None:
    row: Row = dict.fromkeys(log(9, kind)) | {
        "published": "2026-05-04T14:00:00.000Z", "eventType": kind,
    }  # fmt: skip

    events = told(row)

    assert events
    assert decode_timeline([encode_event(event) for event in events])


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "type", "name", "result"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=50, deadline=None)
@given(kind=st.sampled_from(sorted(EVENTS)), data=st.data())
def test_whatever_okta_writes_into_a_field_the_timeline_is_told(kind: str, data: Any) -> None:
    row = log(9, kind, session="s1")
    for name in data.draw(st.lists(st.sampled_from(sorted(row)), min_size=1, max_size=5)):
        if name not in {"eventType", "published"}:
            row[name] = data.draw(JUNK)
    row["debugContext"] = {"debugData": data.draw(JUNK)} if data.draw(st.booleans()) else None

    events = told(*asked(10, "s1", "email"), row)

    assert decode_timeline([encode_event(event) for event in events])


def test_hundreds_of_sign_ins_are_told_each() -> None:
    rows = [row for n in range(400) for row in passed(n * 8 + 20, f"s{n}")]

    events = told(*rows)

    assert len([e for e in events if isinstance(e, Answer)]) == 400
    assert len({e.challenge for e in events if isinstance(e, Challenge)}) == 400
