"""Two gateways on a PostgreSQL with a replica: the first is killed, the replica takes over.

    python -m tests.reliability.failover --seconds 10 --seed 1 [--cut] [--weak]

Six agents write without rest, half of them at each gateway. The primary and all its processes are
killed (SIGKILL), the replica is promoted, the gateways find it by the same address. Afterwards the
replica is read: every act that was acknowledged stands in it once. Printed is how long no write was
acknowledged, too.

Each server is in a network namespace of its own, where this machine has them, else on a port. With
`--cut` the primary is not killed: the line to it is cut, and it lives on where nobody reaches it.
With `--weak` it answers before the replica has what it wrote (`synchronous_commit = local`), and
the replica is cut off for a second before it takes over: then the checker has to find acts lost.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg

from helpdesk.wiring import clock
from tests.reliability.checking import Found, check
from tests.reliability.network import MISSING, Network, network
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


@dataclass(frozen=True)
class Fault:
    """What is done to the servers.

    Attributes:
        is_cut: The line to the primary is cut; else it is killed.
        is_weak: It answers alone, with the replica cut off.
        is_networked: Each server is in a network namespace; the other two need that.
    """

    is_cut: bool = False
    is_weak: bool = False
    is_networked: bool = False


CUT_OFF_S = 1.0
"""How long the replica of a weak pair is cut off before it takes over, seconds."""


async def take_over(
    servers: Pair, plugs: list[Plug], seconds: float, seed: int, fault: Fault, net: Network | None
) -> tuple[Crew, float, float]:
    """Write, kill the primary, promote, write on; give the crew, and when the kill began, ended."""
    crew = await asyncio.to_thread(Crew, [plug.url for plug in plugs], agents(), seed)
    work = asyncio.create_task(crew.work())
    try:
        await progress(crew, work)
        await asyncio.sleep(seconds)
        if fault.is_weak and net:
            await asyncio.to_thread(net.cut, 1)
            await progress(crew, work)
            await asyncio.sleep(CUT_OFF_S)
        killed_at = time.monotonic()
        if fault.is_weak and net:
            await asyncio.to_thread(net.cut, 0)  # a kernel sends on what a killed server wrote
            await asyncio.to_thread(net.cut, 1, is_cut=False)
        await asyncio.to_thread(partial(servers.promote, is_cut=fault.is_cut))
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


def taken_over(directory: Path, seconds: float, seed: int, fault: Fault = Fault()) -> Takeover:
    """Let a replica take over under writes, and check what it holds."""
    with contextlib.ExitStack() as stack:
        net = stack.enter_context(network()) if fault.is_networked else None
        assert net or not (fault.is_cut or fault.is_weak), MISSING
        commit = "local" if fault.is_weak else "remote_apply"
        servers = stack.enter_context(pair(net, commit))
        with psycopg.connect(f"{servers.primary}/postgres", autocommit=True) as line:
            line.execute(f"CREATE DATABASE {DATABASE}".encode())
        people = write_people(directory / "people.json")
        imported(f"{servers.primary}/{DATABASE}", people, clock).close()
        store = f"{servers.both}/{DATABASE}?target_session_attrs=read-write"
        with plugged(store, directory) as one, plugged(store, directory) as two:
            crew, killed_at, promoted_at = asyncio.run(
                take_over(servers, [one, two], seconds, seed, fault, net)
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
    parser.add_argument("--cut", action="store_true")
    parser.add_argument("--weak", action="store_true")
    given = parser.parse_args()
    with network() as net:
        is_networked = net is not None
    if not is_networked:
        sys.stderr.write(f"{MISSING}\n")
    fault = Fault(is_cut=given.cut, is_weak=given.weak, is_networked=is_networked)
    with tempfile.TemporaryDirectory() as place:
        it = taken_over(Path(place), given.seconds, given.seed, fault)
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
