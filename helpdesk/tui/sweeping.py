"""When the garbage collector looks: while nobody waits, so that no key waits for it.

frame ─▶ a rest ─▶ a look at what is new ─▶ a longer rest ─▶ a look at what is older
"""

from __future__ import annotations

import asyncio
import gc
from typing import Final

REST_S: Final = 0.05
"""Seconds after a frame in which no other is painted: the next key is some way off."""

FEW: Final = 3_000
"""Fewer new values are not worth a look; so many take a fraction of a millisecond."""

LONG_REST_S: Final = 1.0
"""Seconds of rest before what is older is looked at, which takes some milliseconds."""

OFTEN: Final = 10
"""After so many looks at what is new, what is older is looked at in the next long rest."""

LATEST: Final = 20 * OFTEN
"""After so many it is looked at even where no rest was long."""


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
        new, looks, _ = gc.get_count()
        if not gc.isenabled():
            return
        if looks >= LATEST:
            self._look_longer()
        elif new >= FEW:
            gc.collect(0)
        if OFTEN <= looks < LATEST:
            self._waiting = asyncio.get_running_loop().call_later(LONG_REST_S, self._look_longer)

    def _look_longer(self) -> None:
        self._waiting = None
        gc.collect(1 if gc.get_count()[2] < OFTEN else 2)
