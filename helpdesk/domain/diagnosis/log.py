"""The log of one user, in order and indexed by kind, so that nobody walks it twice."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property, wraps
from operator import attrgetter
from typing import Any, TypeVar

from helpdesk.domain.timeline import AnyEvent, by_type

RECENT = timedelta(hours=24)
"""How far back the trouble itself is looked for, from the newest event."""

LONG = timedelta(days=60)
"""How far back habits are looked for: which browser, which network, how often it asked."""

SITTING = timedelta(minutes=30)
"""A pause longer than this ends a sitting; our own measure."""

E = TypeVar("E")
L = TypeVar("L", bound="Log")
R = TypeVar("R")
by_at = attrgetter("at")


class Log:
    """One user's events.

    Attributes:
        events: Oldest first, each once.
        anchor: The moment the trouble is seen from: the newest event.
        memo: What was worked out from it once, by what works it out.
    """

    def __init__(self, timeline: Sequence[AnyEvent], now: datetime) -> None:
        self.events = tidy(timeline)
        self.anchor = self.events[-1].at if self.events else now
        self.memo: dict[Any, Any] = {}
        self._by_type = by_type(self.events)
        self._times: dict[type[Any], list[datetime]] = {}

    def every(self, kind: type[E]) -> list[E]:
        """All events of a kind, oldest first; none may be added."""
        return self._by_type.get(kind, [])

    def since(self, kind: type[E], span: timedelta = RECENT) -> list[E]:
        """Events of a kind within *span* of the newest event, oldest first; none may be added."""
        every = self.every(kind)
        if not every or every[0].at >= self.anchor - span:  # type: ignore[attr-defined]
            return every
        asked = kind, span
        if asked not in self.memo:
            start = bisect_left(every, self.anchor - span, key=by_at)
            self.memo[asked] = every[start:]
        found: list[E] = self.memo[asked]
        return found

    def between(self, kind: type[E], start: datetime, end: datetime) -> list[E]:
        """Events of a kind from *start* to *end*, both included."""
        times = self.times(kind)
        return self.every(kind)[bisect_left(times, start) : bisect_right(times, end)]

    def times(self, kind: type[Any]) -> list[datetime]:
        """When each event of a kind was, oldest first."""
        if kind not in self._times:
            self._times[kind] = [event.at for event in self.every(kind)]
        return self._times[kind]

    @cached_property
    def _index(self) -> dict[int, int]:
        return {id(event): number for number, event in enumerate(self.events)}

    def refs(self, *events: AnyEvent | None) -> tuple[str, ...]:
        """How a line of evidence names these events; what is None is left out."""
        return tuple(
            dict.fromkeys(
                event.id or f"#{self._index.get(id(event), 0)}"
                for event in events
                if event is not None
            )
        )


def once(work: Callable[[L], R]) -> Callable[[L], R]:
    """Let something be worked out of a log once; what is given is shared: nobody may change it."""

    @wraps(work)
    def worked_out(log: L) -> R:
        if work not in log.memo:
            log.memo[work] = work(log)
        found: R = log.memo[work]
        return found

    return worked_out


def tidy(timeline: Sequence[AnyEvent]) -> list[AnyEvent]:
    """Return the events oldest first, each once: same id, or same in every word."""
    events = sorted(timeline, key=by_at)
    names = {event.id for event in events}
    if len(names) == len(events) and None not in names:
        return events
    seen: set[str] = set()
    kept: list[AnyEvent] = []
    start = 0
    for event in events:
        if event.id is not None:
            if event.id in seen:
                continue
            seen.add(event.id)
        elif event in kept[start:]:
            continue
        kept.append(event)
        while kept[start].at < event.at:
            start += 1
        start = max(start, len(kept) - 32)
    return kept
