"""The timeline: read from poor logs, kept whole, put in order."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.domain.events import decode_event, decode_timeline, encode_event
from helpdesk.domain.shifting import moved
from helpdesk.domain.timeline import FIRST, KINDS, LAST, Answer, Lock, Other, Redirect, Reset

AT = "2026-05-04T14:00:00Z"
WHOLE: dict[str, dict[str, Any]] = {
    "password": {"ok": True, "ip": "192.0.2.7", "network": "office", "door": "https://x.example"},
    "challenge": {"challenge": "c1", "rule": "new-ip", "policies": [{"name": "week", "hours": 8}]},
    "resend": {"challenge": "c1", "allowed": False, "retry_after_s": 60},
    "send": {"send": "s1", "channel": "sms", "to": "•••• 21", "expires_at": AT},
    "delivery": {"send": "s1", "state": "bounced", "code": "5.1.1"},
    "fetch": {"send": "s1", "ip": "192.0.2.8"},
    "answer": {"challenge": "c1", "ok": False, "reason": "wrong", "drift_s": -31.5},
    "session": {"state": "created", "level": "second"},
    "redirect": {"from": "https://a.example", "to": "https://b.example", "count": 6},
    "factor": {"change": "enrolled", "factor": "f1", "by": "user"},
    "lock": {"from": AT, "until": "2026-05-04T14:30:00Z", "failures": 5},
    "report": {"what": "not-me"},
    "reset": {"ok": True, "by": "agent", "scope": "all"},
    "call": {"channel": "phone", "asks": "reset", "from": "•••• 21"},
    "export": {"ok": True},
}
REQUIRED = [
    ("password", "ok"), ("challenge", "challenge"), ("resend", "challenge"), ("send", "send"),
    ("send", "channel"), ("delivery", "send"), ("delivery", "state"), ("fetch", "send"),
    ("answer", "challenge"), ("answer", "ok"), ("session", "state"), ("redirect", "count"),
    ("factor", "change"), ("lock", "from"), ("report", "what"), ("reset", "ok"),
]  # fmt: skip


def raw(kind: str, **more: Any) -> dict[str, Any]:
    return {"id": "e1", "at": AT, "kind": kind, **WHOLE[kind], **more}


def on_wire(given_raw: dict[str, Any]) -> Any:
    return json.loads(json.dumps(encode_event(decode_event(given_raw))))


def test_the_examples_cover_every_kind() -> None:
    assert list(WHOLE) == list(KINDS)


@pytest.mark.parametrize("kind", WHOLE)
def test_an_event_comes_back_as_it_went_in(kind: str) -> None:
    assert on_wire(raw(kind)) == raw(kind)


@pytest.mark.parametrize("kind", WHOLE)
def test_unknown_keys_are_kept(kind: str) -> None:
    given_raw = raw(kind, colo="ams1", nested={"a": [1, None]}, **{"+": {"odd": 1}})

    assert on_wire(given_raw) == given_raw


@pytest.mark.parametrize(("kind", "key"), REQUIRED)
def test_a_missing_key_is_named(kind: str, key: str) -> None:
    without = {k: v for k, v in raw(kind).items() if k != key}

    with pytest.raises(msgspec.ValidationError, match=f"`{key}`"):
        decode_event(without)


@pytest.mark.parametrize("kind", WHOLE)
def test_everything_else_may_be_absent_or_null(kind: str) -> None:
    needed = {key for of, key in REQUIRED if of == kind} | {"at", "kind"}

    poor = decode_event({key: (v if key in needed else None) for key, v in raw(kind).items()})

    assert set(encode_event(poor)) == needed


def test_an_unknown_kind_is_kept_whole() -> None:
    strange = {"at": AT, "kind": "risk-score", "score": 71, "id": "e9"}

    event = decode_event(strange)

    assert isinstance(event, Other)
    assert event.id == "e9"
    assert encode_event(event) == strange


@pytest.mark.parametrize(
    ("broken", "place"),
    [
        ({"kind": "answer", "at": AT, "challenge": "c1", "ok": "yes"}, "$.ok"),
        ({"kind": "redirect", "at": AT, "count": "six"}, "$.count"),
        ({"kind": "lock", "at": AT, "from": 5}, "$.from"),
        ({"kind": "answer", "at": "yesterday", "challenge": "c1", "ok": True}, "$.at"),
        ({"kind": "answer", "at": "2026-05-04T14:00:00", "challenge": "c1", "ok": True}, "$.at"),
        ({"kind": "export", "at": "0001-01-01T00:00:00+14:00"}, "$.at"),
        ({"kind": 7, "at": AT}, "$.kind"),
        ({"kind": [], "at": AT}, "$.kind"),
        ({"kind": {"a": 1}, "at": AT}, "$.kind"),
    ],
)
def test_a_wrong_type_is_refused_with_its_place(broken: dict[str, Any], place: str) -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        decode_timeline([{"kind": "export", "at": AT}, broken])

    assert place.replace("$", "$[1]") in str(raised.value)


@pytest.mark.parametrize("broken", [None, 5, "event", [], {}])
def test_what_is_no_event_is_refused_with_its_index(broken: object) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\[0\]"):
        decode_timeline([broken])


def test_the_oldest_comes_first_and_equals_keep_their_order() -> None:
    timeline = decode_timeline(
        [
            {"kind": "export", "at": "2026-05-04T14:00:02Z", "id": "c"},
            {"kind": "export", "at": "2026-05-04T14:00:01Z", "id": "a"},
            {"kind": "export", "at": "2026-05-04T16:00:01+02:00", "id": "b"},
        ]
    )

    assert [event.id for event in timeline] == ["a", "b", "c"]


def test_of_two_with_the_same_id_the_first_stays() -> None:
    timeline = decode_timeline(
        [
            {"kind": "answer", "at": AT, "id": "e1", "challenge": "c1", "ok": True},
            {"kind": "answer", "at": AT, "id": "e1", "challenge": "c1", "ok": False},
            {"kind": "answer", "at": AT, "challenge": "c2", "ok": False},
            {"kind": "answer", "at": AT, "challenge": "c2", "ok": False},
        ]
    )

    assert [e.ok for e in timeline if isinstance(e, Answer)] == [True, False, False]


def test_times_of_other_zones_become_utc() -> None:
    event = decode_event({"kind": "lock", "at": "2026-05-04T16:00:00+02:00", "from": AT})

    assert isinstance(event, Lock)
    assert event.at == event.since
    assert f"{event.at:%H:%M}" == "14:00"


def test_words_that_python_keeps_for_itself_have_other_names_here() -> None:
    event = decode_event(raw("redirect"))

    assert isinstance(event, Redirect)
    assert event.origin == "https://a.example"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["at", "id", "ok", "from", "+", "count"]), JSON), JSON)
def test_nothing_but_a_sentence_is_raised(raws: dict[str, Any], kind: object) -> None:
    said: list[str] = []
    for name in (kind, *KINDS):
        try:
            decode_event({"at": AT, **raws, "kind": name})
        except msgspec.ValidationError as error:
            said.append(str(error))

    assert all("`" in sentence for sentence in said)


def test_never_and_not_set_are_brought_within_the_calendar() -> None:
    never = {"at": "2026-05-04T14:00:00Z", "kind": "lock", "from": "0001-01-01T00:00:00Z",
             "until": "9999-12-31T23:59:59.999Z"}  # fmt: skip

    event = decode_event(never)

    assert isinstance(event, Lock)
    assert (event.since, event.until) == (FIRST, LAST)


@pytest.mark.parametrize(
    "at", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+02:00", "1969-12-31T23:59:59Z"]
)
def test_nothing_happens_off_the_calendar(at: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="between 1970 and 2200"):
        decode_event({"at": at, "kind": "password", "ok": True})


@pytest.mark.parametrize("more", [{}, {"seen_at": "2026-05-04T12:00:00Z", "note": "x"}])
@pytest.mark.parametrize("unknown", [(), ({"kind": "moonrise", "at": "2026-05-04T12:00:00Z"},)])
def test_events_moved_as_they_are_read_are_those_that_are_read_moved(
    more: dict[str, Any], unknown: tuple[dict[str, Any], ...]
) -> None:
    at, by = "2026-05-04T12:00:00.25Z", timedelta(days=400, seconds=3.5)
    raws = [
        {"kind": "challenge", "at": at, "challenge": "c", "id": "1", "trust_since": at},
        {"kind": "send", "at": at, "challenge": "c", "send": "s", "channel": "sms", "id": "2",
         "expires_at": "9999-12-31T23:59:59Z", **more},
        {"kind": "lock", "at": at, "from": "0001-01-01T00:00:00Z", "until": at, "id": "3"},
        {"kind": "password", "at": "2026-05-04T14:00:00+02:00", "ok": True, "id": "1"},
        *unknown,
    ]  # fmt: skip

    found = decode_timeline(raws, by)

    assert found == decode_timeline(moved(raws, by))
    assert len(found) == 3 + len(unknown)


def test_a_key_that_is_called_as_ours_and_written_by_its_number_is_nothing_of_ours() -> None:
    told = b'[{"kind":"reset","at":"2026-05-04T14:00:00Z","ok":true,"\\u002B":{"kind":"moon"}}]'

    (event,) = decode_timeline(told)

    assert isinstance(event, Reset)
    assert encode_event(event) == msgspec.json.decode(told)[0]


ODD_EVENTS: dict[str, list[dict[str, Any]]] = {
    "nothing odd": [{"kind": "answer", "at": "2026-05-04T14:00:00Z", "challenge": "c", "ok": True}],
    "no event": [],
    "a key nobody knows": [
        {"kind": "reset", "at": "2026-05-04T14:00:00Z", "ok": True, "shoe": [42]},
        {"kind": "reset", "at": "2026-05-04T14:00:01Z", "ok": True},
    ],
    "a key that is called as ours": [
        {"kind": "reset", "at": "2026-05-04T14:00:00Z", "ok": True, "+": {}}
    ],
    "a kind nobody knows": [{"kind": "moon", "at": "2026-05-04T14:00:00Z", "full_at": "never"}],
    "another zone": [
        {"kind": "lock", "at": "2026-05-04T16:00:00+02:00", "from": "2026-05-04T15:59:00+02:00"}
    ],
    "never": [
        {
            "kind": "send", "at": "2026-05-04T14:00:00Z", "send": "s", "channel": "sms",
            "expires_at": "9999-12-31T23:59:59Z",
        }
    ],
    "out of order and twice": [
        {"kind": "reset", "at": "2026-05-04T14:00:09Z", "id": "b", "ok": True},
        {"kind": "reset", "at": "2026-05-04T14:00:03Z", "id": "a", "ok": True},
        {"kind": "reset", "at": "2026-05-04T14:00:01Z", "id": "b", "ok": False},
    ],
}  # fmt: skip


@pytest.mark.parametrize("by", [timedelta(0), timedelta(days=-3, seconds=7)])
@pytest.mark.parametrize("odd", ODD_EVENTS)
def test_events_are_the_same_from_json_at_once_and_one_by_one(odd: str, by: timedelta) -> None:
    raws = ODD_EVENTS[odd]
    single = [event for raw in raws for event in decode_timeline([raw], by)]
    expected = {event.id or event.at: event for event in reversed(single)}

    from_json = decode_timeline(json.dumps(raws).encode(), by)

    assert from_json == decode_timeline(raws, by)
    assert from_json == tuple(sorted(expected.values(), key=lambda event: event.at))


@pytest.mark.parametrize("at", ["1969-12-31T23:59:59Z", "2200-01-01T00:00:01Z", "soon"])
def test_json_names_the_place_of_a_moment_that_cannot_be(at: str) -> None:
    good = {"kind": "reset", "at": "2026-05-04T14:00:00Z", "ok": True}
    raws = [good, good | {"at": at}]

    with pytest.raises(msgspec.ValidationError, match=r"at `\$\[1\]\.at`"):
        decode_timeline(json.dumps(raws).encode())
