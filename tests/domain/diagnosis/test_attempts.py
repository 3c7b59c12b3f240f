"""The newest attempt beside the last good one, the newest loop, the events that are named."""

from __future__ import annotations

from typing import Any

from helpdesk.domain.diagnosis.attempts import LOOKED_AT, attempts, named_events
from helpdesk.domain.timeline import AnyEvent
from tests.factories import CARDS, NOW, event, user

WHO = user("lead-gen-crm")
CARD = CARDS["lead-gen-crm"]


def tried(minutes: float, name: str, *, ok: bool, **keys: Any) -> list[AnyEvent]:
    """A challenge and its answer half a minute later."""
    return [
        event("challenge", minutes, challenge=name, factor="totp", **keys),
        event("answer", minutes - 0.5, challenge=name, ok=ok),
    ]


def test_what_differs_from_the_last_good_attempt_is_named() -> None:
    good = tried(60, "c1", ok=True, ip="192.0.2.1", browser="b1", network="office")
    refused = tried(30, "c2", ok=False, ip="192.0.2.9", browser="b2", network="office")
    newest = tried(5, "c3", ok=False, ip="203.0.113.7", browser="b1", network="vpn")

    found = attempts(CARD, WHO, [*newest, *good, *refused], NOW)

    assert found.good_at == good[0].at
    assert found.latest_at == newest[0].at
    assert {(one.what, one.was, one.is_now) for one in found.differs} == {
        ("address", "192.0.2.1", "203.0.113.7"),
        ("network", "office", "vpn"),
    }


def test_without_a_good_attempt_nothing_is_compared() -> None:
    found = attempts(CARD, WHO, tried(5, "c1", ok=False, ip="192.0.2.1"), NOW)

    assert (found.good_at, found.differs, found.loop) == (None, (), ())
    assert attempts(CARD, WHO, [], NOW).latest_at is None


def test_a_loop_is_given_turn_by_turn() -> None:
    turns = [e for n in range(3) for e in tried(5 - n, f"c{n}", ok=True, browser="b1")]

    found = attempts(CARD, WHO, turns, NOW)

    assert [turn.challenge for turn in found.loop] == ["c0", "c1", "c2"]
    assert [turn.again_s for turn in found.loop] == [30.0, 30.0, None]


def test_only_the_newest_events_are_looked_at() -> None:
    good = tried(9_000, "c0", ok=True, ip="192.0.2.1")
    rest = [e for n in range(LOOKED_AT) for e in tried(8_000 - n, f"d{n}", ok=False)]

    assert attempts(CARD, WHO, [*good, *rest], NOW).good_at is None


def test_events_are_named_by_id_or_by_their_place() -> None:
    first = event("password", 9, ok=True)
    second = event("password", 8, ok=False, id="e7")
    third = event("password", 7, ok=True)

    named = named_events([third, first, second], ["e7", "#2", "nobody", "#99"])

    assert named == {"e7": second, "#2": third}
    assert named_events([first], []) == {}
