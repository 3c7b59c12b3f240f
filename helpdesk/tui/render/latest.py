"""The newest attempt beside the last good one, and the newest loop as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.content import Content

from helpdesk.domain.diagnosis.attempts import Attempts
from helpdesk.domain.diagnosis.rounds import Difference, LoopRound
from helpdesk.tui.render.values import (
    BAD,
    GOOD,
    LABEL,
    QUIET,
    STRONG,
    WARN,
    Entry,
    ago,
    clock,
    flow,
    hanging,
    lines,
    show,
    span,
)

TURNS = 3
"""Turns of a loop that are drawn; earlier ones are counted."""


def latest(found: Attempts, now: datetime, width: int) -> Content:
    """Return what differs from the last good attempt, and the loop; nothing where there is none."""
    return lines((_loop(found.loop, now, width), _differs(found, now, width)))


def _differs(found: Attempts, now: datetime, width: int) -> Content:
    if found.good_at is None or found.loop:
        return Content("")
    head = Content.assemble(("since the last good one, ", QUIET), (ago(found.good_at, now), QUIET))
    if not found.differs:
        return flow((head, Content.assemble(("nothing in the log differs", QUIET))), width, ": ")
    return flow((head, *(_difference(one) for one in found.differs)), width)


def _difference(one: Difference) -> Content:
    return Content.assemble(
        (f"{one.what} ", LABEL),
        show(one.was, QUIET, limit=60),
        (" → ", WARN),
        show(one.is_now, WARN, limit=60),
    )


def _loop(turns: Sequence[LoopRound], now: datetime, width: int) -> Content:
    """One line a turn, bound together on the left: asked, accepted, what became of it."""
    if not turns:
        return Content("")
    shown = turns[-TURNS:]
    earlier = f", the last {len(shown)}" if len(shown) < len(turns) else ""
    title = Content.assemble((f"↻ LOOP of {len(turns)} rounds{earlier}", WARN))
    gaps = [None, *(turn.again_s for turn in turns)][-TURNS - 1 : -1]
    drawn = [
        Entry(Content.assemble((f"{_bow(at, len(shown))} ", WARN)), _turn(turn, gap, now))
        for at, (turn, gap) in enumerate(zip(shown, gaps, strict=True))
    ]
    return lines((title, hanging(drawn, width)))


def _bow(at: int, count: int) -> str:
    return "╭▶" if at == 0 else "╰▶" if at == count - 1 else "├▶"


def _turn(turn: LoopRound, gap: float | None, now: datetime) -> Content:
    begun = "asked" if gap is None else f"after {span(gap)}"
    asked = Content.assemble((clock(turn.asked_at, now, seconds=True), STRONG), f" {begun:<10}")
    if turn.accepted_at is None:
        return Content.assemble(asked, ("– not answered", QUIET))
    became = "no session" if turn.session == "missing" else f"session {turn.session}"
    look = BAD if turn.session == "missing" else QUIET
    return Content.assemble(
        asked,
        (f"✓ {turn.accepted_at:%H:%M:%S} ", GOOD),
        show(became if turn.session else "", look),
    )
