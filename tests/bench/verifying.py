"""How fast a log is verified, and in how much memory: `python -m tests.bench.verifying STORE HOME`.

Writes rows a second beside a bare SHA-256 of the same bytes, and MiB before and after.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import time
from contextlib import closing
from pathlib import Path

from helpdesk.config import Config
from helpdesk.domain.agents import Role
from helpdesk.domain.search import Query
from helpdesk.hosting import Wanted, desks_at
from helpdesk.service.inspecting import inspected
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.record import SqlStore
from helpdesk.wiring import agent_named
from tests.reliability.process import at_home

AT_ONCE = 1_000


async def hashed(store: SqlStore, rows: int) -> float:
    """Give how many rows a second are hashed, those that are read not counted."""
    taken = 0.0
    for start in range(0, rows, AT_ONCE):
        texts = [entry.row.encode() for entry in await store.bound(start, AT_ONCE)]
        began = time.process_time()
        for text in texts:
            hashlib.sha256(text).digest()
        taken += time.process_time() - began
    return rows / taken


def memory_mb() -> float:
    """Give the memory this process has for itself, in MiB: SQLite's file is mapped beside it."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return int(next(one for one in lines if one.startswith("RssAnon")).split()[1]) / 1024


def main(address: str) -> None:
    """Verify, then hash; in processor time, as others may be at work here."""
    with closing(desks_at(Wanted(store=address), Config())) as desks:
        desk = desks.desk(agent_named(Role.LEAD, desks.agents))
        asyncio.run(desk.log(Query()))  # all is loaded that answers one page of it
        before, began = memory_mb(), time.process_time()
        sizes: list[float] = []
        found = asyncio.run(inspected(desk, heed=lambda _done, _of: sizes.append(memory_mb())))
        taken, after = time.process_time() - began, max(sizes)
    assert found.is_sound, found.broken
    with closing(Database(address)) as database:
        floor = asyncio.run(hashed(SqlStore(database), found.rows))
    told = {"ours": found.rows / taken, "sha256": floor, "before": before, "after": after}
    for name, figure in told.items():
        sys.stdout.write(f"{name}:{figure}\n")


if __name__ == "__main__":
    with at_home(Path(sys.argv[2])):
        main(sys.argv[1])
