"""Rows as columns of a terminal, whatever script they are written in."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from helpdesk.domain.text import clean

GAP: Final = "  "

LEAST: Final = 8
"""Cells that a column is never cut below: what is left would tell nothing."""


def table(rows: Sequence[Iterable[str]], heads: str = "", *, room: int | None = None) -> str:
    """Return rows as columns under their heads.

    Args:
        rows: Text from anywhere: it is cleaned here, and cut at 120 characters.
        heads: One word a column, with _ for a blank; not shown where there is no row.
        room: Cells a line may take, the widest columns being cut for it; None for any number.
    """
    cells = [[clean(cell, limit=120) for cell in row] for row in rows]
    if cells and heads:
        cells.insert(0, [head.replace("_", " ").upper() for head in heads.split()])
    widths = [max(map(cells_of, column)) for column in zip(*cells, strict=True)]
    if room is not None:
        widths = _within(widths, room)
    return "\n".join(
        GAP.join(_fit(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def room() -> int | None:
    """Return the cells of a line of the terminal that is written to; None where it is none."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    except (OSError, ValueError):  # a pipe, a file; or no stream of the system's
        return None


def _within(widths: list[int], room: int) -> list[int]:
    """Cut the widest columns to one width, so that all of them fit."""
    left = room - len(GAP) * (len(widths) - 1)
    most = max(widths, default=0)
    while most > LEAST and sum(min(width, most) for width in widths) > left:
        most -= 1
    spare = left - sum(min(width, most) for width in widths)
    fitted = []
    for width in widths:
        more = max(0, min(spare, width - most))
        spare -= more
        fitted.append(min(width, most) + more)
    return fitted


def _fit(text: str, width: int) -> str:
    """Return text in so many cells: padded, or cut with an ellipsis."""
    if cells_of(text) > width:
        taken = 1
        kept = ""
        for character in text:
            taken += _cells(character)
            if taken > width:
                break
            kept += character
        text = kept.rstrip() + "…"
    return text + " " * (width - cells_of(text))


def cells_of(text: str) -> int:
    """How many cells a text takes: two for wide characters, none for combining marks."""
    return sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
