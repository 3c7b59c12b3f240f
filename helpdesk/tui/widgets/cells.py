"""A widget whose lines are cells beside each other, in looks that the style sheet names."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from helpdesk.tui.render.rows import Column, widths
from helpdesk.tui.render.values import fit
from helpdesk.tui.widgets.drawn import Dressed

T = TypeVar("T")
LOOKS = ("head", "cursor", "resting", "thumb", "plain", "quiet", "strong", "good", "warn", "bad")
"""What a cell may look like, as the style sheet names it."""


class Celled(Dressed, Generic[T]):
    """Draws lines of cells in columns.

    Args:
        columns: What is shown of a row.
    """

    KIND = "row-list"
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"row-list--{look}" for look in LOOKS}

    def __init__(
        self,
        columns: tuple[Column[T], ...],
        *,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
    ) -> None:
        super().__init__(id=id)
        self._columns = columns
        self._shared: tuple[int, tuple[tuple[Column[T], int], ...]] = (-1, ())

    def _widths(self, inner: int) -> tuple[tuple[Column[T], int], ...]:
        if self._shared[0] != inner:
            self._shared = inner, widths(self._columns, inner)
        return self._shared[1]

    def _strip(
        self, parts: list[tuple[str, str, int]], mark: str, under: Style | None, end: str
    ) -> Strip:
        """Return cells side by side; on the cursor its own colours win over the cells' looks."""
        plain = self.worn(under or self._look("plain"))
        segments = [Segment(mark, plain)]
        for text, look, width in parts:
            # The gap after a cell is drawn with it: one change of colour less.
            style = plain if under is not None else self.worn(self._look(look))
            segments.append(Segment(f"{fit(text, width)} ", style))
        left = self.outer_size.width - 1 - sum(width + 1 for _, _, width in parts)
        if left > 0:
            segments.append(Segment(" " * left, plain))
        if end != " ":  # it stands in the last cell, a gap: no column begins or ends there
            last = segments[-1]
            segments[-1] = Segment(last.text[:-1], last.style)
            segments.append(Segment(end, self.worn(self._look("thumb"))))
        line = [*Segment.simplify(segments)]
        return self.finished_in_worn(line) if left >= 0 else self.finished(line)
