"""What is drawn of each widget: the lines that are asked for, and nothing that lies beneath others.

Textual draws every line of each widget that lies where something changed, hidden or not, and takes
of all that what was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import cast

from textual._compositor import Compositor
from textual.geometry import Region
from textual.strip import Strip


class Frugal(Compositor):
    """Draws the same as Textual's compositor, and no more than is seen of it."""

    def _render_chops(
        self, crop: Region, is_rendered_line: Callable[[int], bool]
    ) -> Sequence[Mapping[int, Strip]]:
        """Give the pieces of each line by where they begin: those in *crop* of lines asked for."""
        cuts = self.cuts
        chops: list[dict[int, Strip | None]] = [dict.fromkeys(line[:-1]) for line in cuts]
        lacking = {
            y: {x for x, end in pairwise(cuts[y]) if x < crop.right and end > crop.x}
            for y in range(crop.y, min(crop.bottom, len(cuts)))
            if is_rendered_line(y)
        }
        for widget, (region, clip) in self.visible_widgets.items():  # from front to back
            seen = region.intersection(clip)
            left, right = seen.column_span
            lines = [
                y
                for y, pieces in lacking.items()
                if seen.y <= y < seen.bottom and any(left <= x < right for x in pieces)
            ]
            if not lines:
                continue
            first, after = lines[0], lines[-1] + 1
            wanted = Region(left - region.x, first - region.y, seen.width, after - first)
            strips = widget.render_lines(wanted)
            for y in lines:
                ends = [x for x in cuts[y] if left <= x <= right]
                pieces = strips[y - first].divide([x - left for x in ends[1:]])
                for x, piece in zip(ends, pieces, strict=False):
                    if x in lacking[y]:
                        lacking[y].remove(x)
                        chops[y][x] = piece
        return cast("Sequence[Mapping[int, Strip]]", chops)
