"""Answers are remembered as they went over the line, as many as there is room for."""

from __future__ import annotations

from typing import Any

import pytest

from helpdesk.domain.search import Page, UserRow, UserState
from helpdesk.gateway import encoded, wire
from helpdesk.gateway.encoded import BESIDE, Encoded, body_of
from helpdesk.gateway.endpoints import ENDPOINTS


def test_answers_that_say_little_are_remembered_no_longer_than_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encoded, "MOST_BYTES", 10 * BESIDE)
    known = Encoded()
    pages: list[Page[Any]] = [Page(total=0, offset=place, rows=()) for place in range(100)]

    bodies = [known.of(page, ENDPOINTS["find"], wire.Search()) for page in pages]

    again = [known.of(page, ENDPOINTS["find"], wire.Search()) for page in reversed(pages)]
    assert again[::-1] == bodies
    assert 0 < sum(one is before for one, before in zip(again[::-1], bodies, strict=True)) < 10


def test_a_line_that_was_sent_before_is_sent_as_it_would_be_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encoded, "LINES", 3)
    known = Encoded()
    rows = [row(f"u{number}", UserState.OK) for number in range(4)]
    rows += [row("u1", UserState.LOCKED), *rows]
    pages = [Page(total=9, offset=place, rows=tuple(rows[place : place + 3])) for place in range(7)]

    bodies = [known.of(page, ENDPOINTS["find"], wire.Search()) for page in pages]

    assert bodies == [body_of(page, ENDPOINTS["find"], wire.Search()) for page in pages]
    assert b'"locked"' in bodies[2].content


def test_no_line_is_sent_for_another_that_came_in_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encoded, "MOST_BYTES", 0)  # no page keeps the lines it had
    known = Encoded()

    sent = [
        known.of(
            Page(total=1, offset=0, rows=(row(f"u{number}", UserState.OK),)),
            ENDPOINTS["find"],
            wire.Search(),
        )
        for number in range(20)
    ]

    assert [f'"u{number}"'.encode() in body.content for number, body in enumerate(sent)] == [
        True
    ] * 20


def row(user: str, state: UserState) -> UserRow:
    """Give the line of a user."""
    return UserRow(id=user, name="Maya", product="p", account="a", login="m", state=state, rounds=0)
