"""Kill a gateway under writes, again and again, and look whether anything was lost.

    python -m tests.reliability.pull_the_plug --kills 50 --seed 1 [--postgresql]

Six agents write without rest to a gateway in a process of its own; it is killed (SIGKILL) at random
moments and begun anew at the same address. A write whose answer was lost is asked for by its key;
what is still unknown then, no agent sends anew. Afterwards the database is read: every act that was
acknowledged stands in it once, with its effect, its notices and its answer.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from helpdesk.wiring import clock
from tests import postgres
from tests.reliability.checking import Found, check
from tests.reliability.people import agents, write_people
from tests.reliability.process import Plug, plugged
from tests.reliability.writing import Crew, Ledger
from tests.sql import imported

LONGEST_S = 0.6
"""The longest a gateway that took a write lives on, seconds."""

PATIENCE_S = 120.0
"""How long a write may stand still before that is a failure, seconds."""


async def pull(plug: Plug, kills: int, seed: int) -> Crew:
    """Write while a gateway is killed so often; give the crew, at rest."""
    crew = await asyncio.to_thread(Crew, [plug.url], agents(), seed)
    dice = random.Random(seed)
    work = asyncio.create_task(crew.work())
    try:
        for _ in range(kills):
            await progress(crew, work)
            await asyncio.sleep(dice.uniform(0, LONGEST_S))
            await asyncio.to_thread(plug.kill)
            await asyncio.to_thread(plug.begin)
        await progress(crew, work)
        crew.stop()
        await asyncio.wait_for(work, PATIENCE_S)
    finally:
        work.cancel()
        await asyncio.to_thread(crew.close)
    return crew


async def progress(crew: Crew, work: asyncio.Task[None]) -> None:
    """Wait until something more was acknowledged."""
    before, ends = len(crew.ledger.answered_at), time.monotonic() + PATIENCE_S
    while len(crew.ledger.answered_at) == before:
        assert not work.done(), work.exception()
        assert time.monotonic() < ends, "nothing is written any more"
        await asyncio.sleep(0.01)


def pulled(store: str, directory: Path, kills: int, seed: int) -> tuple[Found, Ledger]:
    """Pull the plug of a gateway on an empty database; give what a checker finds, and was told."""
    imported(store, write_people(directory / "people.json"), clock).close()
    with plugged(store, directory) as plug:
        crew = asyncio.run(pull(plug, kills, seed))
    return check(store, crew.ledger, directory), crew.ledger


@contextlib.contextmanager
def store_in(directory: Path, *, is_postgresql: bool) -> Iterator[str]:
    """Give the address of an empty database."""
    if not is_postgresql:
        yield f"sqlite:///{directory / 'desk.db'}"
        return
    with postgres.server() as address, postgres.database(address) as store:
        yield store


def main() -> int:
    """Run it by the command line; 1 where something was lost, doubled or half done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgresql", action="store_true")
    given = parser.parse_args()
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as place,
        store_in(Path(place), is_postgresql=given.postgresql) as store,
    ):
        found, _ = pulled(store, Path(place), given.kills, given.seed)
    kind = "PostgreSQL" if given.postgresql else "SQLite"
    wrong = [*found.lost, *found.doubled, *found.contradicted, *found.half]
    cells = [kind, given.kills, found.acknowledged, len(found.lost), len(found.doubled)]
    cells += [found.resolved, len(found.contradicted), len(found.half)]
    cells += [f"{time.monotonic() - begun:.0f} s"]
    row = f"| {' | '.join(map(str, cells))} |"
    sys.stdout.write("\n".join([str(found), *wrong, row, ""]))
    return 0 if found.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
