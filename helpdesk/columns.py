"""Rows as columns of a terminal, whatever script they are written in."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from helpdesk.domain.text import clean


def table(rows: Sequence[Iterable[str]], heads: str = "") -> str:
    """Return rows as columns under their heads.

    Args:
        rows: Text from anywhere: it is cleaned here, and cut at 120 characters.
        heads: One word a column, with _ for a blank; not shown where there is no row.
    """
    cells = [[clean(cell, limit=120) for cell in row] for row in rows]
    if cells and heads:
        cells.insert(0, [head.replace("_", " ").upper() for head in heads.split()])
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    )


def _width(text: str) -> int:
    """How many cells a text takes: two for wide characters, none for combining marks."""
    return sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
