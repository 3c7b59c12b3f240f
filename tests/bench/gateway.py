"""A gateway under the load of many consoles, beside bare servers and single statements.

    python -m tests.bench.gateway --users 100000 --consoles 50 --minutes 10 [--store postgresql://…]

Each console is an agent who searches key by key, opens cases, looks at lists and, one time in
twenty, writes; all of it over real sockets to a process of its own. Printed are how often and how
fast, the memory of the gateway over time, and what became of every write.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import secrets
import socket
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import httpx
import uvicorn
from litestar import Litestar, get

from helpdesk.assets import DEMO
from helpdesk.config import Config
from helpdesk.domain.actions import Note
from helpdesk.domain.errors import HelpdeskError, Stale
from helpdesk.domain.search import parse
from helpdesk.gateway.line import Line
from helpdesk.gateway.remote import RemoteDesk
from helpdesk.hosting import Wanted, desks_at
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.record import SqlStore
from tests.bench.many import multiply, recruit
from tests.gateway.serving import Spoken
from tests.reliability.process import at_home, plugged

NAMES = ("maya okafor", "priya shah", "ana", "lee", "son", "tra", "northwind", "4471")
WRITES = 0.05
THINK_S = 1.0
"""How long an agent looks at an answer, on average; keys of a search come at 0.15 s.

So even a gateway that took no time would give 50 consoles no more than some 190 answers a second:
how much it could give is told by its processor time for each, or with `--think 0`.
"""
KEY_S = 0.15


class Measured:
    """How long each kind of question took, and what went wrong."""

    def __init__(self) -> None:
        self.took: dict[str, list[float]] = {}
        self.errors: list[str] = []
        self.stale = 0
        self.written: list[str] = []
        self.memory_mb: list[float] = []
        self.cpu_s = self.elapsed_s = 0.0

    async def ask(self, kind: str, question: Callable[[], Awaitable[object]]) -> bool:
        """Ask, and keep how long it took; say whether there was an answer."""
        begun = time.perf_counter()
        try:
            await question()
        except Stale:  # somebody changed the case meanwhile: the agent looks, and goes on
            self.stale += 1
            return False
        except HelpdeskError as error:
            self.errors.append(f"{kind}: {error}")
            return False
        self.took.setdefault(kind, []).append(time.perf_counter() - begun)
        return True


async def console(
    url: str, number: int, ends: float, measured: Measured, think_s: float = THINK_S
) -> None:
    """Work as one agent until the end."""
    chance = random.Random(number)
    desk = RemoteDesk(Line(url, Spoken(f"agent-{number}")))
    await asyncio.sleep(chance.random() * think_s)
    users = [row.id for row in (await desk.queue(limit=20)).rows]
    try:
        while time.monotonic() < ends:
            if chance.random() < WRITES * 4:  # of an agent's turns; a turn asks about four times
                mark = secrets.token_hex(8)
                note = Note(user=chance.choice(users), text=mark)
                key = secrets.token_urlsafe(18)

                async def write(note: Note = note, key: str = key) -> object:
                    return await desk.perform(note, key=key)

                if await measured.ask("write", write):
                    measured.written.append(mark)
            name = chance.choice(NAMES)
            for length in range(1, min(4, len(name)) + 1):
                query = parse(name[:length], [])

                async def search(query: object = query) -> object:
                    return await desk.find(query, limit=50)  # type: ignore[arg-type]

                await measured.ask(f"search, {length} letters", search)
                await asyncio.sleep(min(KEY_S, think_s))
            await measured.ask("case", lambda: desk.case(chance.choice(users)))
            await measured.ask("queue", lambda: desk.queue(limit=50))
            await asyncio.sleep(think_s * chance.expovariate(1))
    finally:
        desk.close()


async def _watched(process: int, ends: float, measured: Measured) -> None:
    while time.monotonic() < ends:
        status = Path(f"/proc/{process}/status").read_text("utf-8")
        line = next(one for one in status.splitlines() if one.startswith("VmRSS"))
        measured.memory_mb.append(int(line.split()[1]) / 1024)
        await asyncio.sleep(2)


def _processor_s(process: int) -> float:
    """Seconds of processor time that a process took so far."""
    found = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(found[11]) + int(found[12])) / os.sysconf("SC_CLK_TCK")


async def load(
    url: str, process: int, given: argparse.Namespace, measured: Measured | None = None
) -> Measured:
    """Let so many consoles work for so many minutes; give what was measured.

    Where somebody looks on, or it may be broken off, it is put down in what they hold.
    """
    measured, begun = measured or Measured(), time.monotonic()
    ends, cpu_s = begun + given.minutes * 60, _processor_s(process)
    work = (console(url, n, ends, measured, given.think) for n in range(given.consoles))
    await asyncio.gather(*work, _watched(process, ends, measured))
    measured.cpu_s = _processor_s(process) - cpu_s
    measured.elapsed_s = time.monotonic() - begun
    return measured


def hello(port: int) -> None:
    """Answer `hello` with nothing behind it."""

    @get("/", sync_to_thread=False)
    def hi() -> str:
        return "hello"

    uvicorn.run(Litestar([hi]), port=port, log_level="critical", access_log=False)


async def _floor_http(port: int, consoles: int, seconds: float) -> list[float]:
    took: list[float] = []
    ends = time.monotonic() + seconds

    async def one(number: int) -> None:
        chance = random.Random(number)
        async with httpx.AsyncClient(trust_env=False) as client:
            while time.monotonic() < ends:
                begun = time.perf_counter()
                await client.get(f"http://127.0.0.1:{port}/")
                took.append(time.perf_counter() - begun)
                await asyncio.sleep(chance.expovariate(1 / 0.25))

    await asyncio.gather(*(one(number) for number in range(consoles)))
    return took


def _floors_sql(database: Database, place: Path) -> dict[str, list[float]]:
    """One statement by its key, and one durable insert, as bare as they come."""
    read: list[float] = []
    with database.engine.connect() as connection:
        for number in range(300):
            begun = time.perf_counter()
            connection.exec_driver_sql(f"SELECT body FROM users WHERE key = {number + 1}").all()
            read.append(time.perf_counter() - begun)
        connection.rollback()
    write: list[float] = []
    with closing(sqlite3.connect(place / "floor.db", isolation_level=None)) as bare:
        bare.execute("PRAGMA journal_mode=WAL")
        bare.execute("PRAGMA synchronous=FULL")
        bare.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, body TEXT)")
        for number in range(200):
            begun = time.perf_counter()
            bare.execute("INSERT INTO t VALUES (?, ?)", (number, "x" * 500))
            write.append(time.perf_counter() - begun)
    return {"one SELECT by key": read, "one durable INSERT (SQLite)": write}


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _row(name: str, took: list[float], floor: float) -> str:
    ordered = sorted(took)
    median, p99 = statistics.median(ordered), ordered[int(len(ordered) * 0.99)]
    return (
        f"{name:30s} {len(took):7d}  {median * 1e3:8.1f} ms  {p99 * 1e3:8.1f} ms"
        f"  {median / floor:6.1f} x"
    )


async def _there(database: Database) -> set[str]:
    rows = await SqlStore(database).rows()
    return {row.says for row in rows if row.act == "note"}


def main() -> None:
    """Make the people, run the load, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--consoles", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--think", type=float, default=THINK_S, help="seconds; 0 to saturate")
    parser.add_argument("--store", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        store = given.store or f"sqlite:///{place}/desk.db"
        with at_home(place):
            desks = desks_at(Wanted(store=store, imported=DEMO), Config())
            desks.close()
        with closing(Database(store)) as database:
            users = multiply(database, given.users)
            recruit(database, given.consoles)
        _say(f"{users} users, {given.consoles} consoles, {given.minutes:g} min")
        with plugged(store, place) as plug:
            measured = asyncio.run(load(plug.url, plug.process, given))
        _report(measured, given, store, place)


def _report(measured: Measured, given: argparse.Namespace, store: str, place: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    bare = multiprocessing.Process(target=hello, args=(port,), daemon=True)
    bare.start()
    time.sleep(3)
    floor = asyncio.run(_floor_http(port, given.consoles, 10))
    bare.terminate()
    with closing(Database(store)) as database:
        floors = _floors_sql(database, place)
        there = asyncio.run(_there(database))
    unit = statistics.median(floor)
    _say(f"\n{'':30s} {'times':>7s}  {'median':>11s}  {'p99':>11s}  beside a bare answer")
    _say(_row("bare Litestar hello", floor, unit))
    for name, took in {**floors, **dict(sorted(measured.took.items()))}.items():
        _say(_row(name, took, unit))
    lost = [mark for mark in measured.written if mark not in there]
    first, last = (
        measured.memory_mb[: max(1, len(measured.memory_mb) // 10)],
        measured.memory_mb[-5:],
    )
    _say(
        f"\n{sum(map(len, measured.took.values()))} answers, {len(measured.errors)} errors; "
        f"{len(measured.written)} writes acknowledged, {len(lost)} lost, "
        f"{measured.stale} told that the case had changed; memory "
        f"{statistics.mean(first):.0f} MB at first, {statistics.mean(last):.0f} MB at the end"
    )
    answers = max(1, sum(map(len, measured.took.values())))
    _say(
        f"{answers / measured.elapsed_s:.0f} answers a second; "
        f"{measured.cpu_s / answers * 1e3:.1f} ms of the processor for each, "
        f"{measured.cpu_s / measured.elapsed_s:.0%} of one"
    )
    for says in sorted(set(measured.errors))[:10]:
        _say(f"  {says}")


if __name__ == "__main__":
    main()
