"""How much the gateway does for one agent, and for all: buckets that fill again with time."""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from helpdesk.domain.errors import HelpdeskError

MOST_AGENTS: Final = 100_000
"""Buckets that are remembered; full ones are forgotten first."""


class TooOften(HelpdeskError):
    """More was asked than one agent, or the desk, may.

    Attributes:
        seconds: After which one may ask again.
    """

    def __init__(self, says: str, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(says)


class Allowance(Struct, frozen=True, kw_only=True):
    """How much may be asked.

    Attributes:
        agent_per_s: Questions a second of one agent, over time.
        agent_at_once: Questions of one agent in a burst.
        total_per_s: Questions a second of all, those of nobody included.
        total_at_once: Questions of all in a burst.
        under_way: Questions that are being answered at one moment.
        streams: Streams of events one agent may hold open.
        all_streams: Streams of events of all agents; each is looked at with every change.
    """

    agent_per_s: float = 25
    agent_at_once: int = 100
    total_per_s: float = 2_000
    total_at_once: int = 4_000
    under_way: int = 512
    streams: int = 8
    all_streams: int = 2_000


class Bucket:
    """So many at once, and so many a second."""

    def __init__(self, per_s: float, at_once: int, now: float) -> None:
        self._per_s, self._at_once = per_s, at_once
        self._left, self._at = float(at_once), now

    def wait_s(self, now: float) -> float:
        """Take one; give 0, or the seconds until there is one."""
        self._fill(now)
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return (1 - self._left) / self._per_s

    def is_full(self, now: float) -> bool:
        """Whether nothing was taken lately."""
        self._fill(now)
        return self._left >= self._at_once

    def _fill(self, now: float) -> None:
        self._left = min(self._at_once, self._left + (now - self._at) * self._per_s)
        self._at = now


class Bounds:
    """The allowances of one gateway process."""

    def __init__(self, allowance: Allowance, elapsed: Callable[[], float]) -> None:
        self._allowance, self._elapsed = allowance, elapsed
        self._all = Bucket(allowance.total_per_s, allowance.total_at_once, elapsed())
        self._agents: dict[str, Bucket] = {}
        self._under_way = 0
        self._streams: Counter[str] = Counter()

    @contextlib.contextmanager
    def anybody(self) -> Iterator[None]:
        """Count one question; known or not who asks it.

        Raises:
            TooOften: There are too many.
        """
        wait_s = self._all.wait_s(self._elapsed())
        if wait_s or self._under_way >= self._allowance.under_way:
            raise TooOften("The desk is asked too much just now.", _whole(wait_s))
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    def agent(self, agent: str) -> None:
        """Count one question of an agent.

        Raises:
            TooOften: There are too many.
        """
        now = self._elapsed()
        bucket = self._agents.get(agent)
        if bucket is None:
            self._forget(now)
            allowance = self._allowance
            bucket = Bucket(allowance.agent_per_s, allowance.agent_at_once, now)
            self._agents[agent] = bucket
        wait_s = bucket.wait_s(now)
        if wait_s:
            raise TooOften("You ask more than one agent may.", _whole(wait_s))

    @contextlib.contextmanager
    def stream(self, agent: str) -> Iterator[None]:
        """Count one stream of an agent while it is open.

        Raises:
            TooOften: There are too many.
        """
        if self._streams[agent] >= self._allowance.streams:
            raise TooOften("You have as many streams of events open as one agent may.", 30)
        if self._streams.total() >= self._allowance.all_streams:
            raise TooOften("As many listen to the desk as it can tell.", 30)
        self._streams[agent] += 1
        try:
            yield
        finally:
            self._streams[agent] -= 1
            if not self._streams[agent]:
                del self._streams[agent]

    def _forget(self, now: float) -> None:
        if len(self._agents) >= MOST_AGENTS:
            self._agents = {a: b for a, b in self._agents.items() if not b.is_full(now)}


def _whole(seconds: float) -> int:
    return max(1, math.ceil(seconds))
