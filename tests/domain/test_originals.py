from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.domain.originals import (
    LEFT_OUT,
    MORE,
    MOST_VALUES,
    original,
    original_lines,
    row_lines,
    without_row,
)
from helpdesk.domain.timeline import AnyEvent, Other, Password
from helpdesk.domain.users import Factor, FactorKind, FactorState, User

AT = datetime(2026, 5, 4, 14, 0, tzinfo=UTC)
MAYA = User(
    id="okta:u1",
    name="Maya Okafor",
    login="mokafor",
    account="okta:a1",
    product="constant-contact",
    role="user",
    notification_address="codes@agency.example",
    mobile="+44 7700 900121",
    factors=(Factor(id="f1", kind=FactorKind.PUSH, state=FactorState.ACTIVE, to="Pixel 8"),),
)


def told(row: dict[str, Any]) -> AnyEvent:
    return Password(at=AT, id="e1", ok=True, extra={"raw": row})


def shown(row: dict[str, Any], *, is_masked: bool = True) -> dict[str, Any]:
    return original(told(row), "Okta", MAYA, is_masked=is_masked).row


@pytest.mark.parametrize(
    ("row", "seen"),
    [
        ({"alternateId": "maya@agency.example"}, {"alternateId": "m•••@agency.example"}),
        ({"alternateId": "moka"}, {"alternateId": "•••"}),
        ({"user": {"name": "pa", "key": "DU1"}}, {"user": {"name": "•••", "key": "DU1"}}),
        ({"displayName": "Maya Okafor"}, {"displayName": "Maya Okafor"}),
        ({"info": "told MOKAFOR by mail"}, {"info": "told ••• by mail"}),
        ({"info": "to codes@agency.example."}, {"info": "to c•••@agency.example."}),
        ({"info": "sent to +44 7700 900121"}, {"info": "sent to •••• 21"}),
        ({"to": "447700900121"}, {"to": "•••• 21"}),
        ({"n": 447700900121}, {"n": "•••• 21"}),
        ({"phone": "020 7946 0958"}, {"phone": "•••• 58"}),
        ({"info": "colleague +1 555 010 0199"}, {"info": "colleague •••• 99"}),
        ({"geo": {"lat": 53.8, "lon": -1.5}}, {"geo": {"lat": "•••", "lon": "•••"}}),
        ({"maya@agency.example": 1}, {"m•••@agency.example": 1}),
        ({"ipAddress": "192.0.2.7", "at": "2026-05-04T14:00:00Z", "n": 12, "ok": True, "x": None},
         {"ipAddress": "192.0.2.7", "at": "2026-05-04T14:00:00Z", "n": 12, "ok": True, "x": None}),
        ({"id": "0b5ee6f8-9f4c-4d6e-8a53-0c1f2a3b4c5d"},
         {"id": "0b5ee6f8-9f4c-4d6e-8a53-0c1f2a3b4c5d"}),
    ],
)  # fmt: skip
def test_personal_data_is_masked_and_what_is_none_is_left(
    row: dict[str, Any], seen: dict[str, Any]
) -> None:
    assert shown(row) == seen


@pytest.mark.parametrize(
    "row",
    [
        {"passcode": "918273"},
        {"code": 918273},
        {"otp": "918273"},
        {"stateToken": "00-918273"},
        {"refresh_token": "918273"},
        {"backup-codes": ["918273"]},
        {"otpKey": "918273"},
        {"Authorization": "918273"},
        {"info": "otp=918273 was wrong"},
        {"info": "the code is 918273"},
        {"header": "Bearer 918273918273"},
        {"url": "otpauth://totp/x?secret=918273"},
        {"url": "https://north.example/login?token=918273#a=918273"},
        {"note": "eyJhbGciOiJIUzI1NiJ9.eyJ918273.918273"},
        {"representation": '{"type":"password","value":"918273"}'},
        {"credentials": [{"type": "otp", "value": "918273"}]},
        {"representation": '{"secretData": "{\\"value\\": \\"918273\\"}"}'},
        {"credentials": {"password": {"value": "918273"}}},
        {"tokens": [{"raw": "918273"}]},
        {"type": "text", "key": "otp", "value": "918273"},
    ],
)
def test_a_secret_is_left_out_also_where_the_case_was_revealed(row: dict[str, Any]) -> None:
    for is_masked in (True, False):
        assert "918273" not in json.dumps(shown(row, is_masked=is_masked))


def test_words_that_only_sound_like_secrets_are_left() -> None:
    row = {"errorCode": "E0004", "country_code": "GB", "token_type": "totp", "code_id": "a-1"}

    assert shown(row) == row


def test_what_was_revealed_is_shown_as_it_came() -> None:
    row = {"alternateId": "mokafor", "mobile": "+44 7700 900121", "lat": 53.8}

    assert shown(row, is_masked=False) == row


def test_a_row_is_bounded_in_number_in_length_and_in_depth() -> None:
    deep: Any = "end"
    for _ in range(50):
        deep = {"in": deep}

    many = original_lines(original(told({"all": [*range(100_000)]}), "Okta", MAYA))
    long = shown({"info": "x" * 100_000})
    nested = json.dumps(shown({"a": deep}))

    assert len(many) < MOST_VALUES + 10
    assert MORE in many[-3]
    assert len(long["info"]) <= 400
    assert MORE in nested
    assert "end" not in nested


def test_what_commands_a_terminal_does_not_reach_it() -> None:
    row = {"a\x1b[2J": "b\x1b]0;x\x07\u202e[bold]", "c": "two\nlines\u2028three"}

    lines = original_lines(original(told(row), "Ok\x1bta", MAYA))

    assert not any(ord(c) < 32 or c in "\u202e\u2028" for line in lines for c in line)


def test_an_event_without_a_row_says_so() -> None:
    bare = Password(at=AT, id="e1", ok=True)

    found = original(bare, "The demo", MAYA)

    assert row_lines(found) == ["This event has no other form: it was not told by a provider."]


def test_an_event_of_no_kind_of_ours_has_its_row_too_and_travels_without_it() -> None:
    raw = {"at": "2026-05-04T14:00:00Z", "kind": "odd", "raw": {"uuid": "n-1", "pin": 7}}
    event = Other(at=AT, kind="odd", raw=raw)

    found = original(event, "Okta", MAYA)

    assert (found.name, found.kind, found.row) == ("n-1", "odd", {"uuid": "n-1", "pin": LEFT_OUT})
    assert without_row(event) == Other(at=AT, kind="odd", raw={k: raw[k] for k in ("at", "kind")})


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(row=st.dictionaries(st.text(), ANY, min_size=1, max_size=4), is_masked=st.booleans())
def test_any_row_becomes_lines_that_a_terminal_can_show(
    row: dict[str, Any], is_masked: bool
) -> None:
    lines = original_lines(original(told(row), "Okta", MAYA, is_masked=is_masked))

    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for line in lines for c in line)
