"""When the garbage collector looks: while nobody waits, so that no key waits for it.

frame ─▶ a rest ─▶ a look at what is new        a key meanwhile ─▶ its frame ─▶ a rest
"""

from __future__ import annotations

import asyncio
import gc
from typing import Final

REST_S: Final = 0.05
"""Seconds after a frame in which no other is painted: the next key is some way off."""

FEW: Final = 3_000
"""Fewer new values are not worth a look; so many take a fraction of a millisecond."""

OFTEN: Final = 10
"""After so many looks at what is new, what is older is looked at as well."""


class Sweep:
    """Lets go of what is no longer needed, once the screen has been at rest for a moment."""

    def __init__(self) -> None:
        self._waiting: asyncio.TimerHandle | None = None

    def painted(self) -> None:
        """Hear that a frame was painted just now."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = asyncio.get_running_loop().call_later(REST_S, self._look)

    def _look(self) -> None:
        self._waiting = None
        new, looks, long_looks = gc.get_count()
        if new < FEW or not gc.isenabled():
            return
        gc.collect(0 if looks < OFTEN else 1 if long_looks < OFTEN else 2)
