"""How long a first synchronisation takes: `python -m tests.bench.syncing URL AGENT COUNT`.

Writes records a second that were brought over and are durable here, beside those that were only
fetched and decoded: the same questions to the same gateway, in turn.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from helpdesk.domain.search import Query
from helpdesk.gateway.line import Line
from helpdesk.gateway.remote import RemoteDesk
from helpdesk.service.offline import OfflineDesk
from helpdesk.service.syncing import CASES_MOST, synchronise
from helpdesk.service.working_set import ROWS_MOST
from helpdesk.stores.replica import Replica
from tests.gateway.serving import Spoken


async def kept(remote: RemoteDesk) -> None:
    """Bring the working set over into a replica where nothing is yet."""
    with tempfile.TemporaryDirectory() as place:
        desk = OfflineDesk(remote, Replica(Path(place) / "replica"), lambda: datetime.now(UTC))
        await desk.open()
        desk.is_live_only = True
        await synchronise(desk, lambda *_: None)


async def fetched(remote: RemoteDesk) -> int:
    """Ask for all that the working set is made of, and keep nothing; give how many records."""
    tickets = (await remote.tickets(Query(), limit=ROWS_MOST)).rows
    rows = len(tickets) + len((await remote.queue(limit=ROWS_MOST)).rows)
    rows += len((await remote.loops(Query(), limit=ROWS_MOST)).rows)
    mine = [row.ticket.user for row in tickets if row.ticket.agent == remote.agent.id]
    users = list(dict.fromkeys(mine))[:CASES_MOST]
    for user in users:
        await remote.case(user)
        await remote.why(user)
    return rows + 2 * len(users)


async def main(remote: RemoteDesk, count: int) -> None:
    """Measure both in turn, and tell the records a second of each."""
    cases: dict[str, Callable[[RemoteDesk], Awaitable[object]]] = {
        "ours": kept,
        "fetch and decode": fetched,
    }
    taken: dict[str, list[float]] = {name: [] for name in cases}
    records = await fetched(remote)
    for _ in range(count):
        for name, case in cases.items():
            began = time.perf_counter()
            await case(remote)
            taken[name].append(records / (time.perf_counter() - began))
    for name, figures in taken.items():
        sys.stdout.write(f"{name}:{' '.join(map(str, figures))}\n")


if __name__ == "__main__":
    desk = RemoteDesk(Line(sys.argv[1], Spoken(sys.argv[2])))
    try:
        asyncio.run(main(desk, int(sys.argv[3])))
    finally:
        desk.close()
