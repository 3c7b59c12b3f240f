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
    ago,
    clock,
    flow,
    lines,
    show,
    span,
)

TURNS = 4
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
    """One line a turn, bound together on the left: asked, accepted, what became of it, again."""
    if not turns:
        return Content("")
    shown = turns[-TURNS:]
    earlier = f", the last {len(shown)}" if len(shown) < len(turns) else ""
    title = Content.assemble((f"↻ LOOP of {len(turns)} rounds{earlier}", WARN))
    drawn = [_turn(turn, at, len(shown), now, width) for at, turn in enumerate(shown)]
    return lines((title, *drawn))


def _turn(turn: LoopRound, at: int, count: int, now: datetime, width: int) -> Content:
    bow = "╭▶" if at == 0 else "╰▶" if at == count - 1 else "├▶"
    asked = Content.assemble((f"{bow} ", WARN), (clock(turn.asked_at, now, seconds=True), STRONG))
    asked = Content.assemble(asked, " asked" if at == 0 else " asked again")
    parts = [asked]
    if turn.accepted_at is not None:
        parts.append(Content.assemble(("✓ accepted", GOOD), f" {turn.accepted_at:%H:%M:%S}"))
    else:
        parts.append(Content.assemble(("– not answered", QUIET)))
    if turn.session:
        look = BAD if turn.session == "missing" else QUIET
        parts.append(Content.assemble(("session ", QUIET), show(turn.session, look)))
    if turn.again_s is not None:
        parts.append(Content.assemble((f"{span(turn.again_s)} later", WARN)))
    return flow(parts, max(width, 20), "  ")
