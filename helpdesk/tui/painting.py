"""When a screen is painted: at once, but after all that waits for its turn.

key ─▶ letter ─▶ search ─▶ answer ─▶ one frame        Textual: a frame for each, on a grid of 1/60 s
"""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import count
from typing import Any, Final

from textual.timer import Timer

from helpdesk.tui.sweeping import Sweep

LONGEST_S: Final = 0.012
"""So long a frame waits at most for what others do; however slow the machine, for so many turns."""

TURNS: Final = 8
"""From a letter to the rows it finds the loop turns seven times."""

APART_S: Final = 0.001
"""Seconds between two frames at least."""

FRAMES: Final = 3
IN_S: Final = 0.05
"""Not more frames than this in so many seconds: what goes on and on has sixty in one."""


class Brush(Timer):
    """Paints a screen when it is resumed, as soon as nothing else waits for its turn.

    What a key asks for is so in the frame that answers it, and a key that is struck meanwhile
    goes before the frame.
    """

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        painted, sweep = deque([-IN_S] * FRAMES, FRAMES), Sweep()
        while True:
            await self._active.wait()
            ends = loop.time() + LONGEST_S
            for turn in count(1):
                await asyncio.sleep(0)
                if not _is_busy(loop) or (turn >= TURNS and loop.time() >= ends):
                    break
            if self._active.is_set():  # else it was painted meanwhile
                now = loop.time()
                painted.append(now)
                await self._tick(next_timer=now, count=0)
                sweep.painted()
                await asyncio.sleep(max(APART_S, painted[0] + IN_S - loop.time()))


def _is_busy(loop: Any) -> bool:
    """Whether something has its turn before the loop waits; a loop that does not tell is not."""
    return bool(getattr(loop, "_ready", ()))
