"""How long something lives, whatever is done to the clock: time as it passed since it was seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

MOST: Final = 100_000
"""Things that are remembered; of more the oldest are forgotten, whose life is over anyway."""

AHEAD: Final = timedelta(seconds=30)
"""How much the clocks of two machines may differ.

What is dated further ahead than this was made by a clock that was wrong: nobody knows how old it
is, so it counts as older than anything.
"""

NEVER: Final = datetime.max.replace(tzinfo=UTC)


class _Seen(NamedTuple):
    at: datetime
    elapsed: float


class Ages:
    """Reckons the time from when this process first saw a thing, by a clock that is never set.

    The wall clock is what several processes and machines share, and anybody may set it; the other
    one is this process's own. What lives for a while only is held against both.

    Args:
        elapsed: Seconds on a clock that never goes back.
    """

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._seen: dict[str, _Seen] = {}

    def reckoned(self, what: str, now: datetime, made: datetime | None = None) -> datetime:
        """Return the present by a clock that was set when *what* was seen first, and never since.

        Args:
            what: Its name, one for each of its lives.
            now: The present by the wall clock.
            made: When it says it was made; ahead of the present, it is beyond all time.
        """
        seen = self._seen.get(what)
        if seen is None:
            while len(self._seen) >= MOST:
                del self._seen[next(iter(self._seen))]
            is_ahead = made is not None and made > now + AHEAD
            seen = self._seen[what] = _Seen(NEVER if is_ahead else now, self._elapsed())
        if seen.at == NEVER:
            return NEVER
        return seen.at + timedelta(seconds=max(0.0, self._elapsed() - seen.elapsed))


def since_boot() -> float:
    """Return seconds on a clock that nobody sets, those that the machine slept included."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
