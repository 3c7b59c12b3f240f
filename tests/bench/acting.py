"""How long notes take on a fixture: `python -m tests.bench.acting FIXTURE COUNT`.

Writes milliseconds of each, beside those of an append of as many bytes to a file of its own.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from helpdesk.config import Config
from helpdesk.domain.actions import Note
from helpdesk.door import open_desk
from helpdesk.service.desk import Desk

RECORD = b"x" * 500


def appended(path: Path) -> float:
    """Give the milliseconds of an append and its sync."""
    began = time.perf_counter()
    with path.open("ab", buffering=0) as file:
        file.write(RECORD)
        os.fdatasync(file.fileno())
    return (time.perf_counter() - began) * 1e3


async def main(desk: Desk, beside: Path, count: int) -> None:
    """Write notes and records in turn, and tell how long each took."""
    users = [row.id for row in (await desk.queue(limit=count)).rows]
    ours, floor = [], []
    for number in range(count):
        began = time.perf_counter()
        await desk.perform(Note(user=users[number % len(users)], text=f"Note {number}."))
        ours.append((time.perf_counter() - began) * 1e3)
        floor.append(appended(beside))
    for name, figures in (("ours", ours), ("append and sync", floor)):
        sys.stdout.write(f"{name}:{' '.join(map(str, figures))}\n")


if __name__ == "__main__":
    fixture = Path(sys.argv[1])
    with open_desk(Config(), str(fixture)) as opened:
        asyncio.run(main(opened, fixture.with_suffix(".beside"), int(sys.argv[2])))
