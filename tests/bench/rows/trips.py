"""H: what one answer of a gateway costs beside the least that HTTP can be, there and here."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from functools import partial

import httpx

from helpdesk.domain.search import parse
from helpdesk.gateway.line import Line
from helpdesk.gateway.remote import RemoteDesk
from helpdesk.gateway.wire import cursor_of
from tests.bench.hosted import bare, gateways, stores, until_answered
from tests.bench.loading import request
from tests.bench.rows.gateway import AGENT, load_of, ours_asked
from tests.bench.run import Run, peer, row
from tests.bench.table import Goal, Printed, Sample, in_turn, line
from tests.gateway.serving import Spoken
from tests.ports import free_port

PAGE, USERS, ROUNDS, TRIPS = 100, 10_000, 5, 200
PLACES = 900
"""So many places that a page is asked from: none is asked for again while it is remembered."""
READY = "bare ASGI, bytes ready"
GET = "bare httpx GET"


@row("H1")
def page(run: Run) -> Iterator[Printed]:
    """A page of 100 users, its search included, beside a bare server with such bytes ready."""
    with stores(run, USERS, only_sqlite=True) as [hosted], gateways(hosted, 1) as [plug]:
        sign_in, wish = {"Authorization": f"Bearer {AGENT}"}, {"limit": PAGE}
        with httpx.Client(base_url=plug.url, headers=sign_in, trust_env=False) as one:
            file = run.home() / "page.json"
            file.write_bytes(one.post("/v1/find", json=wish).raise_for_status().content)
        port = free_port()
        server = subprocess.Popen(peer("ready", port, file))
        try:
            until_answered(f"http://127.0.0.1:{port}/")
            asked = {
                "ours": partial(load_of, run, [plug.port], [plug.process], _page),
                READY: partial(load_of, run, [port], [server.pid], lambda _: request("GET", "/")),
            }
            taken = in_turn(run.count(ROUNDS), asked)
        finally:
            server.kill()
            server.wait()
    rates = {name: Sample([one.per_s for one in all_], "/s") for name, all_ in taken.items()}
    yield line("H1", "a page of 100 users", rates, {READY: Goal(least=0.2)}, hosted.users)
    costs = {n: Sample([one.per_cpu_s for one in all_], "/CPU s") for n, all_ in taken.items()}
    goal = {READY: Goal(least=0.2)}
    yield line("H1", "a page of 100 users, processor", costs, goal, hosted.users)


def _page(number: int) -> bytes:
    wish = {"limit": PAGE, "cursor": cursor_of(number % PLACES + 1)}
    return ours_asked("POST", "/v1/find", number, wish)


@row("H2")
def trip(run: Run) -> Iterator[Printed]:
    """A question of a console to its gateway and back, beside a bare GET of nothing."""
    with (
        stores(run, USERS, only_sqlite=True) as [hosted],
        gateways(hosted, 1) as [plug],
        bare(1) as [(port, _)],
        closing(RemoteDesk(Line(plug.url, Spoken(AGENT)))) as desk,
    ):
        taken = asyncio.run(_trips(desk, f"http://127.0.0.1:{port}/", run.count(TRIPS)))
    found = {name: Sample(all_) for name, all_ in taken.items()}
    yield line("H2", "a question to the gateway", found, {GET: Goal(most=1.5)}, hosted.users)


async def _trips(desk: RemoteDesk, url: str, count: int) -> dict[str, list[float]]:
    """Ask both in turn; give the milliseconds of each."""
    taken: dict[str, list[float]] = {"ours": [], GET: []}
    query = parse("ana", [])
    async with httpx.AsyncClient(trust_env=False) as client:
        asks: dict[str, Callable[[], Awaitable[object]]] = {
            "ours": lambda: desk.find(query, limit=20),
            GET: lambda: client.get(url),
        }
        for number in range(count + 10):
            for name, ask in asks.items():
                begun = time.perf_counter()
                await ask()
                if number >= 10:  # the first ones open the connections
                    taken[name].append((time.perf_counter() - begun) * 1_000)
    return taken
