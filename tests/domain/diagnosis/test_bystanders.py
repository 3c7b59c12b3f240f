"""Whoever stands beside a user bears on the verdict as if each verdict looked at them anew."""

from __future__ import annotations

from datetime import timedelta

import pytest

from helpdesk.domain.diagnosis import Verdict, diagnose
from helpdesk.domain.diagnosis.bystanders import Beside, Bystanders, Told
from helpdesk.domain.events import decode_timeline
from helpdesk.domain.users import User
from tests.domain.diagnosis.stories import PP, STORIES, ahead, circle, muted
from tests.domain.diagnosis.telling import NOW
from tests.factories import CARDS, user

MOMENTS = [NOW - timedelta(minutes=12), NOW, NOW + timedelta(seconds=45)]


@pytest.fixture(scope="module")
def told() -> list[Told]:
    """A few stories, and several who share a trouble; of four accounts."""
    rows = [STORIES[cause].rows for cause in ("A1", "B1", "C3", "D7", "F1")]
    for n in range(6):
        rows += [muted(12 - n), ahead(9), circle(20 - n, 1, 3)]
    return [
        (user(PP, id=f"u{n}", account=f"a{n % 4}"), decode_timeline(one))
        for n, one in enumerate(rows)
    ]


def verdicts(told: list[Told], shared: Bystanders | None = None) -> list[Verdict]:
    """On each beside all the others, at several moments: looked at together, or each time anew."""
    found = []
    for now in MOMENTS:
        for n, (whom, timeline) in enumerate(told):
            anew: list[Told] = [*told[:n], *told[n + 1 :]]
            others: Beside | list[Told] = anew if shared is None else shared.beside(whom)
            found.append(diagnose(CARDS[PP], whom, timeline, now, others=others))
    return found


def test_what_is_kept_of_the_others_changes_no_verdict(told: list[Told]) -> None:
    found = verdicts(told, Bystanders(told))

    assert found == verdicts(told)
    assert {one.also_others[-4:] for one in found} == {"", "(C5)", "D4b)", "(E2)"}


def test_what_changed_of_the_others_is_worked_out_anew(told: list[Told]) -> None:
    before = Bystanders(told)
    verdicts(told, before)
    after = [
        (whom, timeline if n % 3 else timeline[:-2]) for n, (whom, timeline) in enumerate(told)
    ]

    found = verdicts(after, Bystanders(after, before))

    assert found == verdicts(after)


def test_nobody_stands_beside_themselves() -> None:
    people = [
        User(id=name, name="", login="", account="a2", product=PP, role="") for name in "abcd"
    ]
    all_ = Bystanders([(one, ()) for one in people[:3]])

    beside = ["".join(one.id for one, _ in all_.beside(each).pairs) for each in people]

    assert beside == ["bc", "ac", "ab", "abc"]
