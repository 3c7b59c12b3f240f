"""How long a long case takes to open: `python -m tests.bench.opening FIXTURE EVENTS COUNT`.

Gives the fixture's first user so many events, then writes milliseconds of each opening, beside
those of decoding the same events.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from helpdesk.config import Config
from helpdesk.domain.events import decode_timeline
from helpdesk.door import open_desk
from helpdesk.service.desk import Desk


def lengthened(path: Path, events: int) -> tuple[str, bytes]:
    """Repeat the events of the user who has most until there are so many; give user and events."""
    tables = json.loads(path.read_text("utf-8"))
    longest = max(tables["timelines"].values(), key=lambda one: len(one["events"]))
    once = longest["events"]
    names = ("id", "challenge", "send")
    longest["events"] = [
        event | {name: f"{event[name]}-{number}" for name in names if event.get(name)}
        for number in range(-(-events // len(once)))
        for event in once
    ][:events]
    longest["events"].sort(key=lambda event: event["at"])
    path.write_text(json.dumps(tables), "utf-8")
    return longest["user"], msgspec.json.encode(longest["events"])


def timed(do: Callable[[], object]) -> float:
    """Give how many milliseconds something takes."""
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1e3


async def opened(desk: Desk, user: str) -> float:
    """Give how many milliseconds a case takes that nobody has opened yet."""
    await desk.queue(limit=1)
    began = time.perf_counter()
    await desk.case(user)
    return (time.perf_counter() - began) * 1e3


def main(path: Path, events: int, count: int) -> None:
    """Open and decode in turn, each time by a desk that has read nothing of the user yet."""
    user, encoded = lengthened(path, events)
    taken: dict[str, list[float]] = {"ours": [], "msgspec decode": [], "events made of it": []}
    for _ in range(count):
        with open_desk(Config(), str(path)) as desk:
            taken["ours"].append(asyncio.run(opened(desk, user)))
        raw = msgspec.json.decode(encoded)
        taken["msgspec decode"].append(timed(partial(msgspec.json.decode, encoded)))
        taken["events made of it"].append(timed(partial(decode_timeline, raw)))
    for name, figures in taken.items():
        sys.stdout.write(f"{name}:{' '.join(map(str, figures))}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
