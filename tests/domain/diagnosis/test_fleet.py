"""Causes that many users share are found across users, and only those."""

from __future__ import annotations

import pytest

from helpdesk.domain.diagnosis.fleet import fleet
from helpdesk.domain.events import decode_timeline
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.users import User
from tests.domain.diagnosis.stories import STORIES, ahead, circle, muted
from tests.domain.diagnosis.telling import NOW, Row, asked, passed
from tests.factories import user


def crowd(*timelines: list[Row]) -> list[tuple[User, tuple[AnyEvent, ...]]]:
    """So many users, each with a timeline."""
    return [
        (user("lead-gen-crm", id=f"u{n}"), decode_timeline(rows))
        for n, rows in enumerate(timelines)
    ]


@pytest.mark.parametrize("cause", ["C5", "D4b", "E2", "B8"])
def test_what_many_share_is_found(cause: str) -> None:
    told = STORIES[cause]

    found = fleet(crowd(told.rows, *told.others), NOW).findings

    assert cause in {one.cause for one in found}
    assert all(len(one.users) >= 3 for one in found)


def test_a_quiet_hour_shows_nothing() -> None:
    quiet = [passed(40 - n, "c1", factor="totp", browser=f"o{n}") for n in range(8)]

    assert fleet(crowd(*quiet), NOW).findings == ()


@pytest.mark.parametrize("trouble", [muted(12), ahead(12), circle(12, 1, 3)])
def test_one_user_alone_is_no_crowd(trouble: list[Row]) -> None:
    fine = [passed(20 - n, "c1", factor="totp", browser=f"o{n}") for n in range(6)]

    assert fleet(crowd(trouble, *fine), NOW).findings == ()


def test_three_who_wait_among_many_who_got_theirs_are_no_outage() -> None:
    waiting = [muted(12), muted(11), muted(10)]
    fine = [passed(14 - n / 2, "c1") for n in range(12)]

    assert fleet(crowd(*waiting, *fine), NOW).findings == ()


def test_three_phones_with_three_offsets_are_three_phones() -> None:
    phones = [ahead(12, 94), ahead(11, -120), ahead(10, 300)]

    assert fleet(crowd(*phones), NOW).findings == ()


def test_the_finding_says_who_and_since_when() -> None:
    found = fleet(crowd(muted(12), muted(11), muted(10), muted(9)), NOW)

    finding = found.of("u2")
    assert finding is not None
    assert finding.users == ("u0", "u1", "u2", "u3")
    assert "4 users" in finding.says
    assert found.of("u9") is None


def test_what_is_older_than_the_horizon_is_left_out() -> None:
    old = [muted(300 + n) for n in range(5)]

    assert fleet(crowd(*old), NOW).findings == ()


def test_codes_on_their_way_are_no_outage() -> None:
    fresh = [asked(0.6 + n / 10, "c1", delivered_s=None) for n in range(5)]

    assert fleet(crowd(*fresh), NOW).findings == ()


def test_products_are_looked_at_one_by_one() -> None:
    waiting = [decode_timeline(muted(12 - n)) for n in range(3)]
    crm = [(user("lead-gen-crm", id=f"a{n}"), rows) for n, rows in enumerate(waiting)]
    portal = [(user("partner-portal", id=f"b{n}"), rows) for n, rows in enumerate(waiting)]

    both = fleet([*crm, *portal], NOW).findings
    neither = fleet([*crm[:2], *portal[:1]], NOW).findings

    assert {(one.product, one.users[0][0]) for one in both} == {
        ("lead-gen-crm", "a"),
        ("partner-portal", "b"),
    }
    assert neither == ()
