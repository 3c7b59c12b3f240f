"""A line that is cut anywhere is as long as before, whatever is drawn as one in it."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.segment import Segment

import helpdesk.tui  # noqa: F401 - it has segments cut so
from helpdesk.domain.text import clean

FAMILY = "👩\u200d👩\u200d👧\u200d👦"

TEXTS = (
    FAMILY * 3,
    f"a{FAMILY}b{FAMILY}",
    "❤\ufe0f love ❤\ufe0f",
    "👍🏽👍🏽 ok",
    "🏳\ufe0f\u200d🌈 flag",
    "क\u094d\u200dषि क\u094d\u200dषि",
    "Đặng e\u0323\u0302 漢字 ok",
    "plain",
)


@pytest.mark.parametrize("text", TEXTS)
def test_both_parts_are_as_long_as_the_whole(text: str) -> None:
    whole = Segment(clean(text))

    for cells in range(whole.cell_length + 1):
        left, right = whole.split_cells(cells)
        assert cell_len(left.text) == cells
        assert cell_len(right.text) == whole.cell_length - cells


def test_what_is_drawn_as_one_is_on_one_side_or_gone() -> None:
    found = [Segment(f"a{FAMILY}b").split_cells(cells) for cells in range(5)]

    assert [(left.text, right.text) for left, right in found] == [
        ("", f"a{FAMILY}b"),
        ("a", f"{FAMILY}b"),
        ("a ", " b"),
        (f"a{FAMILY}", "b"),
        (f"a{FAMILY}b", ""),
    ]
