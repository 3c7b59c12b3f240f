"""A film strip: frames beside and below each other in one SVG, each with its caption.

Or a film: one after another in one place. Nothing in either is loaded from elsewhere, a script, or
falls by chance: the same frames give the same bytes.
"""

from __future__ import annotations

import html
import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import Final

from helpdesk.tui.film.frames import Frame, Ink, Look, Run, harmless

CELL: Final = (8.4, 17.0)
"""Width and height of a cell; of a monospaced font of 14 the width is 0.6 of it."""

FONT, BASE = 14, 13.0
"""Size of the letters, and how far below the top of a cell they stand."""

GAP, EDGE, LINE, FOOT = 24.0, 8.0, 22.0, 6.0
"""Between frames, from edge to cells, from line to line of a caption, from there to its frame."""

PAPER, PENCIL, RULE = "#f4f6f8", "#17202a", "#8a97a5"
"""Behind the frames, the captions, the edges."""

FONTS: Final = "'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',monospace"
LARGE: Final = 18
"""Size of a caption's letters, and of a title's."""


def drawn(frames: Sequence[Frame], *, title: str = "", columns: int = 2) -> str:
    """Return frames as one SVG, in rows of so many *columns*, in their order.

    Raises:
        ValueError: There is no frame, or no column.
    """
    if not frames or columns < 1:
        raise ValueError("A strip has a frame and a column at the least")
    columns = min(columns, len(frames))
    wide = max(frame.width for frame in frames) * CELL[0] + 2 * EDGE
    looks: dict[Look, str] = {}
    parts: list[str] = []
    top = GAP + (LINE + GAP if title else 0)
    for first in range(0, len(frames), columns):
        row = [(n, frames[n]) for n in range(first, min(first + columns, len(frames)))]
        captions = [_caption(n + 1, frame.caption, wide) for n, frame in row]
        head = max(map(len, captions)) * LINE + FOOT
        for place, ((_, frame), caption) in enumerate(zip(row, captions, strict=True)):
            left = GAP + place * (wide + GAP)
            parts += [_words(line, left, top + n * LINE + LARGE) for n, line in enumerate(caption)]
            parts.append(_frame(frame, left, top + head, looks))
        top += head + max(frame.height for _, frame in row) * CELL[1] + 2 * EDGE + GAP
    width = GAP + columns * (wide + GAP)
    heading = [_words(title, GAP, GAP + LARGE, "t")] if title else []
    return "\n".join([*_begin(width, top, title, looks), *heading, *parts, "</svg>", ""])


def moving(frames: Sequence[Frame], seconds: Sequence[float], *, title: str = "") -> str:
    """Return frames as one SVG that shows them one after another, over and over.

    Nothing in it is a script: it moves in a page, and as a picture of a page. Where nothing shall
    move, or nothing can, the last frame stands.

    Raises:
        ValueError: There is no frame, or not one number of *seconds* a frame.
    """
    if not frames or len(frames) != len(seconds):
        raise ValueError("A film has a frame at the least, and a time for each")
    wide = max(frame.width for frame in frames) * CELL[0] + 2 * EDGE
    captions = [_caption(n, frame.caption, wide) for n, frame in enumerate(frames, 1)]
    head = GAP + max(map(len, captions)) * LINE + FOOT
    looks: dict[Look, str] = {}
    parts: list[str] = []
    for n, (frame, caption) in enumerate(zip(frames, captions, strict=True)):
        words = [_words(line, GAP, GAP + at * LINE + LARGE) for at, line in enumerate(caption)]
        parts += [f'<g class="m m{n}">', *words, _frame(frame, GAP, head, looks), "</g>"]
    shared, parts = _shared("\n".join(parts).splitlines())
    height = head + max(frame.height for frame in frames) * CELL[1] + 2 * EDGE + GAP
    begin = _begin(wide + 2 * GAP, height, title, looks, _moves(seconds))
    return "\n".join([*begin, *shared, *parts, "</svg>", ""])


def _shared(parts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return lines that several frames show, as definitions, and all parts with uses of them."""
    often = Counter(part for part in parts if part.startswith(("<text", "<rect")))
    names = {part: f"s{n}" for n, part in enumerate(often) if often[part] > 1}
    defined = [f'<g id="{name}">{part}</g>' for part, name in names.items()]
    used = [f'<use href="#{names[part]}"/>' if part in names else part for part in parts]
    return ["<defs>", *defined, "</defs>"], used


def _moves(seconds: Sequence[float]) -> str:
    """The rules by which each frame is seen in its own time only."""
    whole, last = sum(seconds), len(seconds) - 1
    rules, at = [f".m{{visibility:hidden}}.m{last}{{visibility:visible}}"], 0.0
    moves = []
    for n, lasts in enumerate(seconds):
        begin, end = 100 * at / whole, 100 * (at + lasts) / whole
        steps = "0%{visibility:hidden}" if n else ""
        steps += f"{begin:.3f}%{{visibility:visible}}"
        steps += f"{end:.3f}%{{visibility:hidden}}" if n < last else "to{visibility:visible}"
        rules.append(f"@keyframes m{n}{{{steps}}}")
        moves.append(f".m{n}{{animation:m{n} {_n(whole)}s step-end infinite}}")
        at += lasts
    return "".join([*rules, "@media (prefers-reduced-motion:no-preference){", *moves, "}"])


def _begin(
    width: float, height: float, title: str, looks: dict[Look, str], more: str = ""
) -> list[str]:
    size = f'width="{_n(width)}" height="{_n(height)}" viewBox="0 0 {_n(width)} {_n(height)}"'
    rules = [
        f"text{{font:{FONT}px {FONTS};white-space:pre}}",
        f".c,.t{{font:{LARGE}px sans-serif;fill:{PENCIL}}}",
        ".t{font-weight:bold}",
        *(f".{name}{{{_rule(look)}}}" for look, name in looks.items()),
        more,
    ]
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{_safe(title or 'helpdesk')}</title>",
        f"<style>{''.join(rules)}</style>",
        f'<rect width="100%" height="100%" fill="{PAPER}"/>',
    ]


def _rule(look: Look) -> str:
    """The style of a look's letters; its ground is drawn as a rectangle."""
    bold = ";font-weight:bold" if look.is_bold else ""
    italic = ";font-style:italic" if look.is_italic else ""
    under = ";text-decoration:underline" if look.is_underlined else ""
    return f"fill:{_hex(look.ink)}{bold}{italic}{under}"


def _caption(number: int, caption: str, wide: float) -> list[str]:
    """The lines of a caption as they fit above a frame; letters are half as wide as high."""
    most = max(10, int(wide / (LARGE * 0.52)))
    return textwrap.wrap(f"{number}  {caption}", most, drop_whitespace=True) or [str(number)]


def _words(says: str, left: float, bottom: float, name: str = "c") -> str:
    return f'<text class="{name}" x="{_n(left)}" y="{_n(bottom)}">{_safe(says)}</text>'


def _frame(frame: Frame, left: float, top: float, looks: dict[Look, str]) -> str:
    """One frame in a box of its own, out of which nothing stands."""
    width, height = frame.width * CELL[0], frame.height * CELL[1]
    outer = f'width="{_n(width + 2 * EDGE)}" height="{_n(height + 2 * EDGE)}"'
    ground = _commonest(frame)
    edge = f'rx="6" fill="{_hex(ground)}" stroke="{RULE}"'
    found = [f'<rect x="{_n(left)}" y="{_n(top)}" {outer} {edge}/>']
    inner = f'width="{_n(width)}" height="{_n(height)}"'
    found.append(f'<svg x="{_n(left + EDGE)}" y="{_n(top + EDGE)}" {inner}>')
    found += filter(None, (_line(line, y, ground, looks) for y, line in enumerate(frame.lines)))
    found.append("</svg>")
    return "\n".join(found)


def _line(line: Sequence[Run], y: int, ground: Ink, looks: dict[Look, str]) -> str:
    """One line: what is behind its letters where that is not the frame's own ground, and they."""
    found = [_ground(run, y) for run in line if run.look.ground != ground]
    return "".join([*found, *(_run(run, y, looks) for run in line if not run.text.isspace())])


def _commonest(frame: Frame) -> Ink:
    """The ground of most cells; of two the one that comes first."""
    cells: dict[Ink, int] = {}
    for run in (run for line in frame.lines for run in line):
        cells[run.look.ground] = cells.get(run.look.ground, 0) + run.cells
    return max(cells, key=lambda ground: cells[ground], default=Look().ground)


def _ground(run: Run, y: int) -> str:
    place = f'x="{_n(run.column * CELL[0])}" y="{_n(y * CELL[1])}"'
    size = f'width="{_n(run.cells * CELL[0])}" height="{_n(CELL[1])}"'
    # Crisp edges: between two rectangles of one colour no hair of the ground is seen.
    return f'<rect {place} {size} fill="{_hex(run.look.ground)}" shape-rendering="crispEdges"/>'


def _run(run: Run, y: int, looks: dict[Look, str]) -> str:
    """A run of letters, held to its cells in whatever font it is drawn."""
    name = looks.setdefault(run.look, f"l{len(looks)}")
    text = run.text.lstrip(" ")
    before, after = len(run.text) - len(text), len(text) - len(text.rstrip(" "))
    text = text.rstrip(" ")
    place = f'x="{_n((run.column + before) * CELL[0])}" y="{_n(y * CELL[1] + BASE)}"'
    long = f'textLength="{_n((run.cells - before - after) * CELL[0])}"'
    keeps = f'xml:space="preserve" {long} lengthAdjust="spacingAndGlyphs"'
    return f'<text class="{name}" {place} {keeps}>{_safe(text)}</text>'


def _safe(text: str) -> str:
    return html.escape(harmless(text), quote=True)


def _hex(ink: Ink) -> str:
    return "#" + "".join(f"{part:02x}" for part in ink)


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
