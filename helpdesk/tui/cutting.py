"""Lines cut between what is drawn as one, as they are counted.

Rich counts emoji that are joined, and a sign with how it is to look, as one, but cuts a segment
between any two characters: where the edge of a dialog cut through such a name behind it, the line
became a cell too long or too short. Rich knows where each begins; it is asked here.
"""

from __future__ import annotations

from functools import lru_cache

from rich.cells import split_text
from rich.segment import Segment


def keep_whole() -> None:
    """Cut segments so from now on."""
    Segment._split_cells = staticmethod(_cut)  # type: ignore[method-assign,assignment]


@lru_cache(4_096)
def _cut(segment: Segment, cells: int) -> tuple[Segment, Segment]:
    """Cut a segment after so many cells, as `Segment.split_cells` does."""
    text, style, control = segment
    if cells >= segment.cell_length:
        return segment, Segment("", style, control)
    left, right = split_text(text, cells)
    return Segment(left, style, control), Segment(right, style, control)
