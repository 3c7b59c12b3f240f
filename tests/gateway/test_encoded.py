"""Answers are remembered as they went over the line, as many as there is room for."""

from __future__ import annotations

from typing import Any

import pytest

from helpdesk.domain.search import Page
from helpdesk.gateway import encoded, wire
from helpdesk.gateway.encoded import BESIDE, Encoded
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
