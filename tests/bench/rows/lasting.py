"""D: what a gateway was told lasts: through a kill, and at what price."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from tests.bench.hosted import SQLITE, Hosted, gateways, stores
from tests.bench.loading import answered, load
from tests.bench.rows.gateway import NOTED, Wishes, people_of
from tests.bench.run import Run, row
from tests.bench.table import Goal, Line, Printed, Sample, in_turn, line
from tests.reliability.disks import killed as killed_at_random
from tests.reliability.each_call import killed_at_each_call, why_not
from tests.reliability.pull_the_plug import pulled, store_in
from tests.reliability.writers import Writers

KILLS = 20
CONSOLES_KILLED = 1_000
CALLERS = 32
ROUNDS = 5
SECONDS = 2.0
AGAIN = "the same again, nothing written"


@row("D2")
def killed(run: Run) -> Iterator[Printed]:
    """Acts of consoles and of a gateway that are killed (SIGKILL): how many are lost."""
    yield _killed_consoles(run)
    place = run.home()
    with store_in(place, is_postgresql=False) as store:
        found, _ = pulled(store, place, run.count(KILLS), seed=1)
    wrong = (*found.lost, *found.doubled, *found.contradicted, *found.half)
    none = {"acknowledged": Sample([found.acknowledged], "acts")}
    what = f"{run.count(KILLS)} kills of a gateway, {SQLITE}: lost, doubled or half done"
    yield Line("D2", what, Sample([len(wrong)], "acts"), none,
               {"acknowledged": Goal(most=0)}, says=str(found))  # fmt: skip


def _killed_consoles(run: Run) -> Line:
    """At each call to the system of a note on a file, and at random moments of many."""
    place, writers, random_ones = run.home(), Writers(), run.count(CONSOLES_KILLED)
    says = why_not()
    try:
        wrong = list(killed_at_random(place, writers, random_ones, seed=1))
        calls, found = (0, []) if says else killed_at_each_call(place, writers, run.is_quick)
    finally:
        writers.close()
    what = f"{calls:,} consoles killed, each at another call of a note, {random_ones:,} at random"
    tried = {"killed": Sample([calls + random_ones], "consoles")}
    lost = Sample([len(wrong) + len(found)], "acts")
    return Line("D2", f"{what}: lost or doubled", lost, tried, {"killed": Goal(most=0)}, says=says)


@row("D3")
def prices(run: Run) -> Iterator[Printed]:
    """A note through a gateway, beside the same note again, which is answered and not written."""
    with stores(run, run.sizes[0], only_sqlite=True) as found:
        yield from _prices(run, found[0])


def _prices(run: Run, hosted: Hosted) -> Iterator[Printed]:
    people = asyncio.run(people_of(hosted))
    with gateways(hosted, 1) as plugs:
        ports, processes = [plugs[0].port], [plugs[0].process]
        notes = Wishes(ports[0], people[:NOTED], {"act": "note", "text": "x" * 40})
        before = Wishes(ports[0], people[-NOTED:], {"act": "note", "text": "y" * 40})
        again = [before.asked(number) for number in range(NOTED)]
        asyncio.run(_done(ports[0], again))
        seconds = SECONDS / 2 if run.is_quick else SECONDS

        def rate(
            asked: Callable[[int], bytes], heed: Callable[[int, bytes], None], callers: int
        ) -> float:
            served = asyncio.run(
                load(ports, processes, asked, connections=callers, seconds=seconds, heed=heed)
            )
            assert not served.bad, f"{served.bad} were refused"
            return served.per_s

        for callers in (1, CALLERS):
            cases = {
                "ours": partial(rate, notes.asked, notes.heed, callers),
                AGAIN: partial(rate, lambda n: again[n % len(again)], lambda *_: None, callers),
            }
            taken = in_turn(run.count(ROUNDS), cases)
            if callers == 1:
                times = {name: Sample([1e3 / one for one in all_]) for name, all_ in taken.items()}
                yield line("D3", "a note, 1 caller", times, {AGAIN: Goal(most=5)}, hosted.users)
            else:
                rates = {name: Sample(all_, "/s") for name, all_ in taken.items()}
                goals = {AGAIN: Goal(least=0.5)}
                yield line("D3", f"a note, {callers} callers", rates, goals, hosted.users)


async def _done(port: int, wishes: Sequence[bytes]) -> None:
    """Ask each once, so that from now on it was done before."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for wish in wishes:
            writer.write(wish)
            assert b" 200 " in await answered(reader)
    finally:
        writer.close()
