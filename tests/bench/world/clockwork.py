"""The clock of the world: plays that wait, woken in order."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta

Play = Generator[float, None, None]
"""What somebody does; each value it yields is how many seconds they wait."""

DAY = 86_400.0


class World:
    """Time, chance and everybody's plans; times are seconds since `start`."""

    def __init__(self, key: str) -> None:
        self.rng = random.Random(key)
        self.start = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=self.rng.randrange(300))
        self.now = 0.0
        self._plans: list[tuple[float, int, Play | Callable[[], object]]] = []
        self._count = 0
        self._names: dict[str, int] = {}
        self._opaque = self.rng.random() < 0.4

    def name(self, prefix: str) -> str:
        """A new identifier, such as `c12`, or one that tells nothing, such as `c-9f31ab`."""
        if self._opaque:
            return f"{prefix}-{self.rng.randrange(16**6):06x}"
        self._names[prefix] = self._names.get(prefix, 0) + 1
        return f"{prefix}{self._names[prefix]}"

    def moment(self, at: float) -> datetime:
        """The time *at* seconds after the start."""
        return self.start + timedelta(seconds=at)

    def at(self, when: float, plan: Play | Callable[[], object]) -> None:
        """Begin *plan* at *when*, or now if that has passed."""
        self._count += 1
        heapq.heappush(self._plans, (max(when, self.now), self._count, plan))

    def after(self, seconds: float, plan: Play | Callable[[], object]) -> None:
        """Begin *plan* in *seconds*."""
        self.at(self.now + seconds, plan)

    def run(self, until: float = float("inf")) -> None:
        """Let time pass until nobody has plans, or until *until*."""
        while self._plans and self._plans[0][0] <= until:
            when, _, plan = heapq.heappop(self._plans)
            self.now = max(self.now, when)
            if isinstance(plan, Generator):
                wait = next(plan, None)
                if wait is not None:
                    self.at(self.now + wait, plan)
            else:
                plan()

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self.rng.random() < probability

    def between(self, low: float, high: float) -> float:
        """A number of seconds between the two."""
        return self.rng.uniform(low, high)
