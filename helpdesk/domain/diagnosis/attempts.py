"""The newest attempt beside the last good one, the newest loop, and the events a verdict names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from helpdesk.domain.diagnosis.facts import Facts, tidy
from helpdesk.domain.diagnosis.rounds import (
    Difference,
    LoopRound,
    Round,
    differences,
    loop_rounds,
)
from helpdesk.domain.products import Product
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.users import At, User

LOOKED_AT = 1_000
"""Newest events in which attempts are looked for, so that a long log costs no more than a short."""


class Attempts(Struct, frozen=True, kw_only=True):
    """What there is to compare.

    Attributes:
        latest_at: When the newest attempt began; None where there is none.
        good_at: When the last good one before it began; None where there is none.
        differs: In what the newest differs from that good one, as far as the log tells.
        loop: The turns of the newest loop, oldest first; empty where nothing loops.
    """

    latest_at: At | None = None
    good_at: At | None = None
    differs: tuple[Difference, ...] = ()
    loop: tuple[LoopRound, ...] = ()


def attempts(card: Product, user: User, timeline: Sequence[AnyEvent], now: datetime) -> Attempts:
    """Return the newest attempt held against the last good one before it, and the newest loop."""
    rounds: list[Round] = Facts(card, user, timeline[-LOOKED_AT:], now).rounds
    if not rounds:
        return Attempts()
    good = next((one for one in reversed(rounds[:-1]) if one.is_accepted), None)
    return Attempts(
        latest_at=rounds[-1].at,
        good_at=good.at if good else None,
        differs=differences(rounds),
        loop=loop_rounds(rounds),
    )


def named_events(timeline: Sequence[AnyEvent], names: Iterable[str]) -> dict[str, AnyEvent]:
    """Return by name the events that lines of evidence name; a name nobody has is left out."""
    wanted = set(names)
    found: dict[str, AnyEvent] = {}
    ordered: Sequence[AnyEvent] = tidy(timeline) if wanted else ()
    for n, event in enumerate(ordered):
        if event.id in wanted:
            found[event.id or ""] = event
        elif f"#{n}" in wanted:
            found[f"#{n}"] = event
    return found
