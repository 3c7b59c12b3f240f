"""How long notes take on a fixture: `python -m tests.bench.acting FIXTURE COUNT`.

Writes milliseconds of each, beside those of an append of as many bytes to a file of its own, and
of TinyDB's own storage where one document of the same fixture changes; and how often a note synced.
A note is written as the console does it: under a key, on a case that is on the screen, with its
verdict, whose look is in the log by then.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from secrets import token_urlsafe
from unittest.mock import patch

from tinydb import TinyDB

from helpdesk.config import Config
from helpdesk.domain.actions import Note
from helpdesk.door import open_desk
from helpdesk.service.desk import Desk

RECORD = b"x" * 500
STORED = 3
STORED_MOST = 100_000_000
"""Bytes of a fixture that TinyDB changes in a second or two; ten times that takes a minute."""


def appended(path: Path) -> float:
    """Give the milliseconds of an append and its sync."""
    began = time.perf_counter()
    with path.open("ab", buffering=0) as file:
        file.write(RECORD)
        os.fdatasync(file.fileno())
    return (time.perf_counter() - began) * 1e3


def stored(path: Path) -> list[float]:
    """Give the milliseconds of a change by TinyDB alone; none where that takes minutes."""
    if path.stat().st_size > STORED_MOST:
        return []
    copy, taken = Path(shutil.copyfile(path, path.with_suffix(".stored"))), []
    with TinyDB(copy) as database:
        for number in range(STORED):
            began = time.perf_counter()
            database.table("tickets").update({"note": str(number)}, doc_ids=[1])
            taken.append((time.perf_counter() - began) * 1e3)
    return taken


async def main(desk: Desk, beside: Path, count: int) -> None:
    """Write notes and records in turn, and tell how long each took."""
    users = [row.id for row in (await desk.queue(limit=count)).rows]
    told: dict[str, list[float]] = {"ours": [], "append and sync": [], "syncs": []}
    for number in range(count):
        note = Note(user=users[number % len(users)], text=f"Note {number}.")
        await seen(desk, note)
        with (
            patch.object(os, "fsync", wraps=os.fsync) as whole,
            patch.object(os, "fdatasync", wraps=os.fdatasync) as data,
        ):
            began = time.perf_counter()
            await desk.perform(note, key=token_urlsafe(18))
            told["ours"].append((time.perf_counter() - began) * 1e3)
        told["syncs"].append(whole.call_count + data.call_count)
        told["append and sync"].append(appended(beside))
    say(told)


async def seen(desk: Desk, note: Note) -> None:
    """Ask what a console asked before a note is written, and let it be written down."""
    await desk.case(note.user)
    await desk.why(note.user)
    await desk.weigh(note)
    await desk.settle()


def say(told: Mapping[str, Sequence[float]]) -> None:
    """Write a line for each name there are figures of."""
    for name, figures in told.items():
        if figures:
            sys.stdout.write(f"{name}:{' '.join(map(str, figures))}\n")


if __name__ == "__main__":
    fixture = Path(sys.argv[1])
    with open_desk(Config(), str(fixture)) as opened:
        asyncio.run(main(opened, fixture.with_suffix(".beside"), int(sys.argv[2])))
    say({"TinyDB's own storage": stored(fixture)})
