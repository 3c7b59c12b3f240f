"""An asciicast of version 2: frames as a terminal would have got them, played by asciinema.

Its first line is a header, each other one an event `[seconds, "o", what the terminal gets]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from helpdesk.tui.film.frames import Frame, Look, Run, harmless

BEGIN: Final = "\x1b[?25l\x1b[2J"
"""Hide the cursor, clear the screen."""

END: Final = "\x1b[0m\x1b[?25h"


def recorded(frames: Sequence[Frame], seconds: Sequence[float], *, title: str = "") -> str:
    """Return frames as an asciicast, each shown for its number of *seconds*.

    Raises:
        ValueError: There is no frame, or not one number a frame.
    """
    if not frames or len(frames) != len(seconds):
        raise ValueError("A cast has a frame at the least, and a time for each")
    header = {
        "version": 2,
        "width": max(frame.width for frame in frames),
        "height": max(frame.height for frame in frames),
        "title": harmless(title),
        "env": {"TERM": "xterm-256color"},
    }
    lines = [msgspec.json.encode(header)]
    at, before = 0.0, None
    for frame, lasts in zip(frames, seconds, strict=True):
        lines.append(_event(at, (BEGIN if before is None else "") + _drawn(frame, before)))
        if frame.caption:  # a marker: players offer to go there
            lines.append(msgspec.json.encode([round(at, 3), "m", harmless(frame.caption)]))
        at, before = at + lasts, frame
    lines.append(_event(at, END))
    return "".join(line.decode() + "\n" for line in lines)


def _event(at: float, data: str) -> bytes:
    return msgspec.json.encode([round(at, 3), "o", data])


def _drawn(frame: Frame, before: Frame | None) -> str:
    """What a terminal gets to show a frame after another: the lines that differ."""
    was = before.lines if before is not None and before.width == frame.width else ()
    found = ""
    for y, line in enumerate(frame.lines):
        if y >= len(was) or was[y] != line:
            found += f"\x1b[{y + 1};1H" + "".join(map(_run, line))
    return found + "\x1b[0m"


def _run(run: Run) -> str:
    return f"\x1b[{_sgr(run.look)}m{harmless(run.text)}"


def _sgr(look: Look) -> str:
    """The attributes of a look, from none on."""
    marks = ((look.is_bold, "1"), (look.is_italic, "3"), (look.is_underlined, "4"))
    ink, ground = ";".join(map(str, look.ink)), ";".join(map(str, look.ground))
    return ";".join(
        ["0", *(code for is_so, code in marks if is_so), f"38;2;{ink}", f"48;2;{ground}"]
    )
