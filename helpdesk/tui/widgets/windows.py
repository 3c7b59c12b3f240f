"""Where the window of a long list stands, in rows."""

from __future__ import annotations

from typing import Final

FEWEST: Final = 50
"""Rows that are asked for while nobody knows how many are seen, and that are held at least."""


def window_at(top: int, height: int) -> tuple[int, int]:
    """Return offset and limit of the rows to be held: what is seen and a page on each side."""
    height = max(1, height)
    return max(0, top - height), max(FEWEST, height * 3)


def top_for(cursor: int, top: int, height: int, total: int) -> int:
    """Return the first row in sight, moved from *top* as little as brings the cursor there."""
    height = max(1, height)
    top = max(min(top, cursor), cursor - height + 1)
    return max(0, min(top, max(0, total - height)))


def thumb_of(line: int, top: int, height: int, total: int) -> str:
    """Return the scroll mark of a line; nothing where all rows are seen."""
    if total <= height or not height:
        return " "
    size = max(1, height * height // total)
    start = (height - size) * top // max(1, total - height)
    return "▐" if start <= line < start + size else " "
