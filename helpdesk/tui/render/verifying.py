"""The verifying of the log: how far it is in one line, and what was found as a page."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from textual.content import Content

from helpdesk.domain.inspection import Inspection
from helpdesk.domain.text import counted
from helpdesk.tui.render.values import (
    BAD,
    GOOD,
    LABEL,
    QUIET,
    STRONG,
    WARN,
    Entry,
    cells,
    clock,
    entry,
    show,
)

BAR: Final = (6, 40)
"""Cells of the bar: the fewest and the most."""

WIDE: Final = 600


def progress_line(done: int, of: int, words: str, width: int) -> Content:
    """Return a bar with how far it is beside it, and the key that cancels it."""
    head, tail = Content("Verifying  "), show("   Esc cancels", LABEL)
    told = show(f"  {words}")
    room = width - cells(head) - cells(told) - cells(tail)
    size = max(BAR[0], min(BAR[1], room))
    full = size * done // max(1, of)
    bar = Content.assemble(("█" * full, GOOD), ("░" * (size - full), QUIET))
    return Content.assemble(head, bar, told, tail)


def found_line(found: Inspection, at: datetime, now: datetime) -> Content:
    """Return in a line whether the log is sound, when that was so, and the key that shows all."""
    when = f"at {clock(at, now)}"
    if found.is_sound:
        says = f"{counted(found.rows, 'row')} verified {when}: nothing is broken."
        return Content.assemble(("✓ ", GOOD), show(says), ("   M shows all", LABEL))
    head = Content.assemble(("▲ The log is not what it was ", BAD), show(when))
    return Content.assemble(head, ("   M shows all   ", LABEL), show(found.broken[0], limit=WIDE))


def stopped_line(words: str) -> Content:
    """Return in a line why it came to no end."""
    return Content.assemble(("– ", WARN), show(words, limit=WIDE))


def found_page(found: Inspection) -> list[Entry]:
    """Return all that was found: what is broken, what holds, what it cannot show."""
    kinds = (("broken", found.broken), ("proven", found.proven), ("not proven", found.unproven))
    return [
        entry(name if not place else "", show(says, BAD if name == "broken" else ""), width=14)
        for name, sentences in kinds
        for place, says in enumerate(sentences)
    ] or [entry("", show("The log is empty.", STRONG), width=14)]
