"""How long a search holds the loop that paints: `python -m tests.bench.holding FIXTURE COUNT`.

Asks for parts of names, a letter more each time, while something else wants its turn every
millisecond; writes, as JSON, the longest time in milliseconds that it waited for it in each search.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import random
import sys
import time

from helpdesk.config import Config
from helpdesk.domain.search import Query, parse
from helpdesk.door import open_desk
from helpdesk.service.desk import Desk

LETTERS = 5
WINDOW = 40


class Beat:
    """Wants its turn all the time, and knows how long it waited at most."""

    def __init__(self) -> None:
        self.longest_ms = 0.0

    async def run(self) -> None:
        """Go on until it is cancelled."""
        before = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            self.longest_ms = max(self.longest_ms, (now - before) * 1e3 - 1)
            before = now


async def main(desk: Desk, count: int) -> list[float]:
    """Give, for each search, how long the loop was held at most."""
    names = [row.name.split()[-1] for row in (await desk.find(Query(), limit=2_000)).rows]
    words = random.Random(7).sample(sorted({one.lower() for one in names if one.isascii()}), 20)
    parts = [word[:end] for word in words for end in range(1, LETTERS + 1)][:count]
    gc.collect()
    gc.freeze()
    beat, found = Beat(), []
    task = asyncio.create_task(beat.run())
    for part in parts:
        await asyncio.sleep(0.01)
        beat.longest_ms = 0.0
        await desk.find(parse(part, []), limit=WINDOW)
        await asyncio.sleep(0.002)
        found.append(max(beat.longest_ms, 0.01))
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return found


if __name__ == "__main__":
    with open_desk(Config(), sys.argv[1]) as opened:
        json.dump(asyncio.run(main(opened, int(sys.argv[2]))), sys.stdout)
