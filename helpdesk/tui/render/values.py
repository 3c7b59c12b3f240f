"""One way to show a value: text from outside is cleaned here and becomes Content, never markup."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.style import Style

from helpdesk.domain.text import NOT_DOCUMENTED, clean

QUIET: Final = "$quiet"
LABEL: Final = "$label"
GOOD: Final = "$good"
WARN: Final = "bold $warn"
BAD: Final = "bold $bad"
STRONG: Final = "bold $foreground"
LIVE: Final = "bold $live-text on $live"

SHORT: Final = 200
"""Characters of a value inside a line; whole notes and sentences may be longer."""


def show(value: object, style: str = "", *, limit: int = SHORT) -> Content:
    """Return any value as safe content: cleaned, bounded, never markup."""
    return Content.assemble((clean(str(value), limit=limit), style))


def silent() -> Content:
    """Return the words for a value the product's source does not give."""
    return Content.assemble((NOT_DOCUMENTED, f"italic {QUIET}"))


def pressable(content: Content, **meta: str) -> Content:
    """Return content that tells a click what it stands for; no action string is ever parsed."""
    return content.stylize(Style.from_meta(meta))


def joined(parts: Iterable[Content], between: str = "   ") -> Content:
    """Return parts in a row with *between* them, empty ones left out."""
    return Content(between).join([part for part in parts if part.plain])


def flow(
    parts: Iterable[Content], width: int, between: str = "   ", *, rows_most: int = 0
) -> Content:
    """Return parts in rows of at most *width* cells, broken between parts only.

    With *rows_most* what does not fit into so many rows is left out, the last parts first.
    """
    rows: list[list[Content]] = []
    used = 0
    for part in parts:
        if not part.plain:
            continue
        size = cells(part)
        if rows and used + len(between) + size <= width:
            rows[-1].append(part)
            used += len(between) + size
        else:
            rows.append([part])
            used = size
    kept = rows[:rows_most] if rows_most else rows
    return Content("\n").join([Content(between).join(row) for row in kept])


def grid(parts: Iterable[Content], width: int, column: int) -> Content:
    """Return parts in columns of *column* cells each, as many beside each other as fit."""
    found = list(parts)
    each = max(1, width // column)
    rows = [found[at : at + each] for at in range(0, len(found), each)]
    padded = [
        Content("").join([part.pad_right(max(0, column - cells(part))) for part in row])
        for row in rows
    ]
    return Content("\n").join(padded)


def lines(parts: Iterable[Content]) -> Content:
    """Return parts below each other, empty ones left out."""
    return Content("\n").join([part for part in parts if part.plain])


def fit(text: str, width: int) -> str:
    """Return *text* in exactly *width* cells: padded, or cut with an ellipsis.

    Wide and combining characters are counted as the terminal shows them.
    """
    if width <= 0:
        return ""
    if text.isascii() and text.isprintable():  # nearly all: each letter takes one cell
        shown = text if len(text) <= width else text[: width - 1].rstrip() + "…"
        return shown.ljust(width)
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(set_cell_size(text, width - 1).rstrip() + "…", width)


def cells(content: Content) -> int:
    """Return how many cells a one-line content takes."""
    return cell_len(content.plain)


class Entry(NamedTuple):
    """A head and a text to be broken beside it; an empty head and text is an empty line."""

    head: Content
    body: Content


def entry(label: str, body: Content, *, width: int = 10) -> Entry:
    """Return an entry whose head is a label of *width* cells."""
    return Entry(Content.assemble((fit(clean(label, limit=SHORT), width), LABEL)), body)


def hanging(entries: Iterable[Entry], width: int) -> Content:
    """Return entries in lines of *width* cells, each text broken to the right of its head."""
    rows: list[Content] = []
    for head, body in entries:
        indent = min(cells(head), max(0, width - 12))
        wrapped = body.wrap(max(1, width - indent)) or [Content("")]
        rows.append(Content.assemble(head, wrapped[0]))
        rows.extend(Content.assemble(" " * indent, line) for line in wrapped[1:])
    return Content("\n").join(rows)


def m_ss(seconds: float) -> str:
    """Return a span as `m:ss`, and as `h:mm:ss` from an hour on; nothing below zero."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3_600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def span(seconds: float) -> str:
    """Return a span in one unit: `40 s`, `14 min`, `5 h`, `3 d`."""
    whole = max(0, int(seconds))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if whole >= size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def ago(at: datetime, now: datetime) -> str:
    """Return how long ago a moment is: `14 min ago`, `in 3 h` for one to come."""
    seconds = (now - at).total_seconds()
    if seconds < -1:
        return f"in {span(-seconds)}"
    return "just now" if seconds < 10 else f"{span(seconds)} ago"


def clock(at: datetime, now: datetime, *, seconds: bool = False) -> str:
    """Return the time of day in UTC, with the date where it is not today's."""
    time = f"{at:%H:%M:%S}" if seconds else f"{at:%H:%M}"
    if at.date() == now.date():
        return time
    if at.year == now.year:
        return f"{at:%d %b} {at:%H:%M}"
    return f"{at:%Y-%m-%d}"


def badge(count: int) -> str:
    """Return a small raised number: `⁶`; empty for none, `⁹⁹⁺` above 99."""
    if count <= 0:
        return ""
    text = str(count) if count < 100 else "99+"
    return text.translate(str.maketrans("0123456789+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺"))


def bar(share: float, width: int = 8) -> str:
    """Return a bar of *width* cells of which *share* (0 to 1) is full."""
    full = round(max(0.0, min(1.0, share)) * width)
    return "▓" * full + "░" * (width - full)


def sparkline(counts: Iterable[int]) -> str:
    """Return one character a count, as high as its share of the highest; none is a low line."""
    numbers = list(counts)
    top = max(numbers, default=0)
    return "".join("▁" if not n or not top else "▂▃▄▅▆▇█"[(n * 6) // top] for n in numbers)
