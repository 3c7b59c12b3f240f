"""Two gateways on a PostgreSQL with a replica: the first is killed, the replica takes over.

    python -m tests.reliability.failover --seconds 10 --seed 1

Six agents write without rest, half of them at each gateway. The primary and all its processes are
killed (SIGKILL), the replica is promoted, the gateways find it by the same address. Afterwards the
replica is read: every act that was acknowledged stands in it once. Printed is how long no write was
acknowledged, too.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from helpdesk.wiring import clock
from tests.reliability.checking import Found, check
from tests.reliability.pair import Pair, pair
from tests.reliability.people import agents, write_people
from tests.reliability.process import Plug, plugged
from tests.reliability.pull_the_plug import PATIENCE_S, progress
from tests.reliability.writing import Crew, Ledger
from tests.sql import imported

DATABASE = "calls"


@dataclass(frozen=True)
class Takeover:
    """What became of the writes.

    Attributes:
        stood_still_s: The longest time without an acknowledged write, over the take-over.
        promoted_s: How much of it was the promotion itself.
        before: Acts acknowledged before the primary was killed.
        after: Acts acknowledged since.
    """

    found: Found
    ledger: Ledger
    stood_still_s: float
    promoted_s: float
    before: int
    after: int


async def take_over(servers: Pair, plugs: list[Plug], seconds: float, seed: int) -> tuple[
    Crew, float, float
]:  # fmt: skip
    """Write, kill the primary, promote, write on; give the crew, and when the kill began, ended."""
    crew = await asyncio.to_thread(Crew, [plug.url for plug in plugs], agents(), seed)
    work = asyncio.create_task(crew.work())
    try:
        await progress(crew, work)
        await asyncio.sleep(seconds)
        killed_at = time.monotonic()
        await asyncio.to_thread(servers.promote)
        promoted_at = time.monotonic()
        for _ in agents():
            await progress(crew, work)
        await asyncio.sleep(seconds)
        crew.stop()
        await asyncio.wait_for(work, PATIENCE_S)
    finally:
        work.cancel()
        await asyncio.to_thread(crew.close)
    return crew, killed_at, promoted_at


def taken_over(directory: Path, seconds: float, seed: int) -> Takeover:
    """Let a replica take over under writes, and check what it holds."""
    with pair() as servers:
        with psycopg.connect(f"{servers.primary}/postgres", autocommit=True) as line:
            line.execute(f"CREATE DATABASE {DATABASE}".encode())
        people = write_people(directory / "people.json")
        imported(f"{servers.primary}/{DATABASE}", people, clock).close()
        store = f"{servers.both}/{DATABASE}?target_session_attrs=read-write"
        with plugged(store, directory) as one, plugged(store, directory) as two:
            crew, killed_at, promoted_at = asyncio.run(
                take_over(servers, [one, two], seconds, seed)
            )
        found = check(f"{servers.replica}/{DATABASE}", crew.ledger, directory)
    moments = sorted(crew.ledger.answered_at)
    last = max(at for at in moments if at < killed_at)
    first = min(at for at in moments if at > promoted_at)
    before = sum(at <= killed_at for at in moments)
    return Takeover(
        found=found,
        ledger=crew.ledger,
        stood_still_s=first - last,
        promoted_s=promoted_at - killed_at,
        before=before,
        after=len(moments) - before,
    )


def main() -> int:
    """Run it by the command line; 1 where something was lost, doubled or half done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        it = taken_over(Path(place), given.seconds, given.seed)
    found = it.found
    wrong = [*found.lost, *found.doubled, *found.contradicted, *found.half]
    sys.stdout.write(
        "\n".join(
            [
                str(found),
                *wrong,
                f"{it.before} acknowledged before, {it.after} after; no write was acknowledged "
                f"for {it.stood_still_s:.1f} s, of which {it.promoted_s:.1f} s were the promotion",
                "",
            ]
        )
    )
    return 0 if found.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
