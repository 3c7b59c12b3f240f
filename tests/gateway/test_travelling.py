"""A case is the same at both ends of the line, whatever its timeline holds."""

from __future__ import annotations

import json

import msgspec
import pytest

from helpdesk.domain.cases import Case, Outcome
from helpdesk.domain.events import decode_event
from helpdesk.gateway.travelling import from_wire, to_wire
from tests.factories import case

AT = "2026-03-02T10:00:00Z"
PLAIN = {"kind": "password", "at": AT, "id": "e1", "ok": True, "ip": "192.0.2.7"}
MORE = {"kind": "send", "at": AT, "id": "e2", "send": "s1", "channel": "sms", "cost": {"+": 0.04}}
STRANGE = {"kind": "weather", "at": AT, "id": "e3", "rain": [1, None]}
LONG = case("lead-gen-crm", *map(decode_event, (PLAIN, MORE, STRANGE)))


def test_every_event_is_sent_in_the_words_of_the_case_format() -> None:
    sent = json.loads(msgspec.json.encode(to_wire(LONG)))

    assert sent["timeline"] == [PLAIN, MORE, STRANGE]


def test_a_case_and_an_outcome_come_as_they_were_sent() -> None:
    outcome = Outcome(case=LONG, says="Done.")

    assert from_wire(msgspec.json.encode(to_wire(LONG)), Case) == LONG
    assert from_wire(msgspec.json.encode(to_wire(outcome)), Outcome) == outcome


def test_a_case_that_came_without_a_timeline_has_an_empty_one() -> None:
    sent = json.loads(msgspec.json.encode(to_wire(LONG)))
    del sent["timeline"]

    assert from_wire(msgspec.json.encode(sent), Case).timeline == ()


@pytest.mark.parametrize("timeline", [None, {}, "x", [1], [{"kind": "password"}]])
def test_a_timeline_that_is_none_is_refused(timeline: object) -> None:
    sent = json.loads(msgspec.json.encode(to_wire(LONG))) | {"timeline": timeline}

    with pytest.raises(msgspec.DecodeError):
        from_wire(msgspec.json.encode(sent), Case)
