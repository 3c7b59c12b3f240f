"""G: what a gateway of many users answers, how fast, and how soon a console on it can be used."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import psycopg

from helpdesk.domain.search import Query, parse
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.directory import SqlDirectory
from tests.bench.hosted import SQLITE, Hosted, bare, gateways, missing, stores
from tests.bench.loading import Served, load, request
from tests.bench.run import READY, Run, peer, row
from tests.bench.screen import ESCAPE, Painted, Screen
from tests.bench.table import Goal, Printed, Sample, in_turn, line, processor, wall

AGENT = "agent-0"
CONNECTIONS = 16
SECONDS = 2.0
ROUNDS = 5
WORDS = 12
HELLO, STATEMENT = "bare Litestar hello", "bare durable INSERT"
FLOOR = "minimal list, one indexed query, one httpx round trip"
NOTED = 200
"""Users that notes are written on."""
WRITTEN = 500
"""Bytes of a bare statement's row: as many as a note is in the log."""

Asks = Callable[[int], bytes]


@row("G1")
def letters(run: Run) -> Iterator[Printed]:
    """A letter of a search on a gateway: key to the frame with what it finds, at each size."""
    for users in run.sizes:
        with stores(run, users) as found:
            for hosted in found:
                yield from _letters(run, hosted)
    yield from missing("G1")


def _letters(run: Run, hosted: Hosted) -> Iterator[Printed]:
    home = run.home()
    words = asyncio.run(_counted(hosted, run.count(WORDS)))
    with gateways(hosted, 1) as plugs, bare(1, hosted.store) as servers:
        floor = peer("asking", f"http://127.0.0.1:{servers[0][0]}")
        with Screen(_console(plugs[0].url), home) as ours, Screen(floor) as least:
            ours.until(*READY)
            least.until("READY")
            ours.press(b"/")
            taken: dict[str, list[Painted]] = {"ours": [], FLOOR: []}
            for word, shown in words:
                taken["ours"] += _typed(ours, word, shown)
                taken[FLOOR] += _typed(least, word, [f"{word[: n + 1]} found" for n in range(5)])
    for what, figures in (("", wall(taken)), (", processor", processor(taken))):
        goals = {} if what else {FLOOR: Goal(most=1.5)}
        yield line("G1", f"letter → hits, {hosted.kind}{what}", figures, goals, hosted.users)


async def _counted(hosted: Hosted, count: int) -> list[tuple[str, list[str]]]:
    """Give words with what the console shows after each of their letters."""
    with closing(Database(hosted.store)) as database:
        directory, now = SqlDirectory(database), datetime.now(UTC)

        async def found(query: Query, limit: int) -> tuple[int, Sequence[object]]:
            return await directory.find(query, now, account=None, offset=0, limit=limit)

        everybody = (await directory.find(Query(), now, account=None, offset=0, limit=5_000))[1]
        last = sorted({e.user.name.split()[-1].lower() for e in everybody if e.user.name.isascii()})
        words = [word[:5] for word in last if len(word) >= 5 and word.isalpha()]
        picked = words[:: max(1, len(words) // count)][:count]
        told = []
        for word in picked:
            totals = [(await found(parse(word[:n], []), 1))[0] for n in range(1, 6)]
            told.append((word, [_said(total, directory.counts_to) for total in totals]))
    return told


def _said(total: int, counts_to: int) -> str:
    """Give how many are found, as the console says it."""
    return f"{total:,}{' or more' if total >= counts_to else ''}"


def _typed(screen: Screen, word: str, shown: Sequence[str]) -> Iterator[Painted]:
    """Type a word and clear it; give the letters after which another number is shown."""
    before = ""
    for letter, after in zip(word, shown, strict=True):
        screen.settle(0.15)
        wanted = f"{after} found" if not after.endswith("found") else after
        if wanted == before:
            screen.press(letter.encode())
        else:
            yield screen.press(letter.encode(), wanted)
        before = wanted
    screen.settle(0.15)
    screen.press(ESCAPE)
    screen.settle()


@row("G2")
def starting(run: Run) -> Iterator[Printed]:
    """From the command to the list that can be used, on a gateway, at each size."""
    for users in run.sizes:
        with stores(run, users, only_sqlite=True) as found:
            hosted, home = found[0], run.home()
            with gateways(hosted, 1) as plugs:
                console = _console(plugs[0].url)
                cases = {
                    "ours": partial(_started, console, home, *READY),
                    "Textual hello": partial(_started, peer("hello"), home, "READY"),
                }
                for case in cases.values():
                    case()
                taken = in_turn(run.count(15), cases)
        goals = {"Textual hello": Goal(most=1.3)}
        yield line("G2", "first frame on a gateway", wall(taken), goals, hosted.users)
        yield line("G2", "first frame on a gateway, processor", processor(taken), goals, users)


def _console(url: str) -> list[str]:
    return peer("signed", AGENT, "--desk", url)


def _started(command: list[str], home: object, *wanted: str) -> Painted:
    with Screen(command, home) as screen:  # type: ignore[arg-type]
        return screen.until(*wanted)


@row("G3")
def reads(run: Run) -> Iterator[Printed]:
    """Questions a second, of one and two gateways, beside a server that says hello."""
    for users in run.sizes:
        with stores(run, users) as found:
            for hosted in found:
                for count in (1, 2):
                    yield from _reads(run, hosted, count)
    yield from missing("G3")


def _reads(run: Run, hosted: Hosted, count: int) -> Iterator[Printed]:
    people = asyncio.run(people_of(hosted))
    with gateways(hosted, count) as ours, bare(count) as servers:
        ports, processes = [plug.port for plug in ours], [plug.process for plug in ours]
        kinds: dict[str, Asks] = {
            "a case": lambda n: ours_asked("GET", f"/v1/users/{people[n % len(people)]}/case", n),
            "20 of a search": lambda n: _found(n, ("ana", "lee", "son", "tra")[n % 4], 20),
            "20 of the queue": lambda n: ours_asked("GET", "/v1/queue?limit=20", n),
            "who am I": lambda n: ours_asked("GET", "/v1/desk", n),
        }
        asked = {
            name: partial(load_of, run, ports, processes, asks) for name, asks in kinds.items()
        }
        asked[HELLO] = partial(
            load_of, run, [p for p, _ in servers], [p for _, p in servers],
            lambda _: request("GET", "/"),
        )  # fmt: skip
        taken = in_turn(run.count(ROUNDS), asked)
    for name in kinds:
        what = f"{name}, {hosted.kind}, {count} process{'es' if count > 1 else ''}"
        yield from _rates("G3", what, taken, name, HELLO, 0.4, hosted)


@row("G4")
def writes(run: Run) -> Iterator[Printed]:
    """Notes a second, of one and two gateways, beside bare durable inserts into a like database."""
    for users in run.sizes:
        with stores(run, users) as found:
            for hosted in found:
                for count in (1, 2):
                    yield from _writes(run, hosted, count)
    yield from missing("G4")


def _writes(run: Run, hosted: Hosted, count: int) -> Iterator[Printed]:
    people = asyncio.run(people_of(hosted))
    with gateways(hosted, count) as ours:
        ports, processes = [plug.port for plug in ours], [plug.process for plug in ours]
        notes = Wishes(ports[0], people[:NOTED], {"act": "note", "text": "x" * 40})
        cases = {
            "a note": partial(load_of, run, ports, processes, notes.asked, notes.heed),
            STATEMENT: partial(_statements, run, hosted),
        }
        taken = in_turn(run.count(ROUNDS), cases)
    what = f"a note, {hosted.kind}, {count} process{'es' if count > 1 else ''}"
    yield from _rates("G4", what, taken, "a note", STATEMENT, 0.6, hosted, has_cpu=False)


def _rates(
    code: str,
    what: str,
    taken: Mapping[str, Sequence[Served]],
    ours: str,
    floor: str,
    least: float,
    hosted: Hosted,
    *,
    has_cpu: bool = True,
) -> Iterator[Printed]:
    """Give a line for answers a second, and one for those in a second of the processor."""
    bad = sum(one.bad for one in taken[ours])
    assert not bad, f"{bad} of {what} were refused"
    rates = {name: Sample([one.per_s for one in taken[n]], "/s")
             for name, n in (("ours", ours), (floor, floor))}  # fmt: skip
    yield line(code, what, rates, {floor: Goal(least=least)}, hosted.users)
    if has_cpu:
        costs = {name: Sample([one.per_cpu_s for one in taken[n]], "/CPU s")
                 for name, n in (("ours", ours), (floor, floor))}  # fmt: skip
        yield line(code, f"{what}, processor", costs, {}, hosted.users)


def load_of(
    run: Run,
    ports: Sequence[int],
    processes: Sequence[int],
    asks: Asks,
    heed: Callable[[int, bytes], None] = lambda _number, _head: None,
) -> Served:
    """Ask servers for a while as fast as they answer; give what they did."""
    seconds = SECONDS / 2 if run.is_quick else SECONDS
    asked = load(ports, processes, asks, connections=CONNECTIONS, seconds=seconds, heed=heed)
    return asyncio.run(asked)


def ours_asked(method: str, path: str, number: int, body: object = None, **headers: str) -> bytes:
    """Give a question to our gateway of one of its agents."""
    told = {"Authorization": f"Bearer agent-{number % 50}", **headers}
    data = b"" if body is None else json.dumps(body).encode()
    return request(method, path, told, data)


def _found(number: int, word: str, limit: int) -> bytes:
    return ours_asked("POST", "/v1/find", number, {"query": {"words": [word]}, "limit": limit})


class Wishes:
    """Wishes for people in turn, each resting on the case as the last answer about it told it.

    Args:
        port: A gateway.
        people: Ids of users.
        wish: What is wished for each beside their id.
        act: That the policy must allow; empty where it allows it always.
    """

    def __init__(
        self, port: int, people: Sequence[str], wish: Mapping[str, str], act: str = ""
    ) -> None:
        self._wish = wish
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as line_:
            line_.headers["Authorization"] = f"Bearer {AGENT}"
            seen = [(user, line_.get(f"/v1/users/{user}/case")) for user in people]
        kept = [(u, c.headers["ETag"]) for u, c in seen if not act or _allows(c.json(), act)]
        assert kept, f"{act} is allowed for nobody"
        self._people, self._tags = [user for user, _ in kept], [tag for _, tag in kept]
        self._turns, self._places = itertools.count(), dict[int, int]()

    def asked(self, number: int) -> bytes:
        """Give the next wish."""
        place = self._places[number] = next(self._turns) % len(self._people)
        wish = {**self._wish, "user": self._people[place]}
        key = {"Idempotency-Key": secrets.token_urlsafe(18), "If-Match": self._tags[place]}
        return ours_asked("POST", "/v1/actions", number, {"action": wish}, **key)

    def heed(self, number: int, head: bytes) -> None:
        """Keep how the case is now."""
        tag = head.partition(b"etag: ")[2].partition(b"\r\n")[0]
        place = self._places.pop(number)
        if tag:
            self._tags[place] = tag.decode()


def _allows(case: Mapping[str, Any], act: str) -> bool:
    return any(one["act"] == act and one["weight"] == "allowed" for one in case["decisions"])


async def people_of(hosted: Hosted, count: int = 1_000) -> list[str]:
    """Give the ids of so many users."""
    with closing(Database(hosted.store)) as database:
        directory = SqlDirectory(database)
        _, rows = await directory.find(
            Query(), datetime.now(UTC), account=None, offset=0, limit=count
        )
    return [entry.user.id for entry in rows]


def _statements(run: Run, hosted: Hosted) -> Served:
    """Write one row after the other, each durable, into a table with nothing else in it."""
    seconds = SECONDS / 2 if run.is_quick else SECONDS
    count, body = 0, "x" * WRITTEN
    began = time.perf_counter()
    if hosted.kind == SQLITE:
        with closing(sqlite3.connect(hosted.home / "beside.db", isolation_level=None)) as lite:
            lite.execute("PRAGMA journal_mode=WAL")
            lite.execute("PRAGMA synchronous=FULL")
            lite.execute("CREATE TABLE IF NOT EXISTS beside (n INTEGER PRIMARY KEY, body TEXT)")
            while time.perf_counter() - began < seconds:
                lite.execute("INSERT INTO beside (body) VALUES (?)", (body,))
                count += 1
    else:
        with psycopg.connect(hosted.store, autocommit=True) as server:
            server.execute("CREATE TABLE IF NOT EXISTS beside (n BIGSERIAL PRIMARY KEY, body TEXT)")
            while time.perf_counter() - began < seconds:
                server.execute("INSERT INTO beside (body) VALUES (%s)", (body,))
                count += 1
    return Served(count, 0, time.perf_counter() - began, 0.0)
