"""An event as its provider wrote it: whose it is, what it was read as, then JSON by lines."""

from __future__ import annotations

import re
from typing import Final

from textual.content import Content

from helpdesk.domain.originals import Original, row_lines
from helpdesk.domain.text import clean
from helpdesk.tui.render.events import Line
from helpdesk.tui.render.values import LABEL, QUIET, STRONG, Entry, entry, joined, show

_NAMED: Final = re.compile(r'^( *)("(?:[^"\\]|\\.)*": )(.*)$')


def heading(line: Line, place: int, count: int) -> Content:
    """Return which event of the timeline it is, and its words there; *place* is from the newest."""
    event, words, look, _ = line
    del look
    return joined(
        (
            show(f"{place + 1} of {count}", QUIET),
            show(f"{event.at:%d %b %Y %H:%M:%S} UTC"),
            show(words, STRONG),
        )
    )


def original_page(told: Original) -> list[Entry]:
    """Return what stands above the row: whose it is, its name there, what it was read as."""
    masked = "   personal data is masked" if told.is_masked and told.row else ""
    return [
        entry("provider", Content.assemble((clean(told.provider, limit=100), STRONG), masked)),
        *([entry("event", show(told.name))] if told.name else []),
        entry("read as", show(told.kind)),
        Entry(Content(""), Content("")),
        *map(_row, row_lines(told)),
    ]


def _row(line: str) -> Entry:
    """Return one line of JSON; what does not fit is broken beside its name."""
    found = _NAMED.match(line)
    if found is None:
        indent = len(line) - len(line.lstrip(" "))
        return Entry(Content(line[:indent]), Content(line[indent:]))
    return Entry(Content.assemble(found[1], (found[2], LABEL)), Content(found[3]))
