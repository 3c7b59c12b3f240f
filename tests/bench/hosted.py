"""Gateways for the table: so many users in a database, and whoever answers for them."""

from __future__ import annotations

import contextlib
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from helpdesk.config import Config
from helpdesk.hosting import Wanted, desks_at
from helpdesk.stores.sql.database import Database
from tests import postgres
from tests.bench.many import multiply, recruit
from tests.bench.run import Run, peer
from tests.bench.table import Skipped
from tests.ports import free_port
from tests.reliability.process import Plug, at_home

FIRST: Final = 10_000
"""Users that are imported; more of them are copies, which a database makes faster by itself."""
AGENTS: Final = 50
"""Agents who answer calls; `agent-0` is the first."""
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"


@dataclass(frozen=True)
class Hosted:
    """A store with people in it.

    Args:
        kind: Which database it is.
        store: Its address.
        home: Where whoever answers for it keeps keys.
        users: How many users there are.
    """

    kind: str
    store: str
    home: Path
    users: int


def sizes(run: Run) -> tuple[int, ...]:
    """Give how many users there are behind the gateways that growth is measured on."""
    million = () if run.is_quick or run.biggest < 1_000_000 else (1_000_000,)
    return (*run.sizes, *million)


@contextlib.contextmanager
def stores(run: Run, users: int, *, only_sqlite: bool = False) -> Iterator[Sequence[Hosted]]:
    """Give so many users in each database there is here, SQLite first."""
    with ExitStack() as open_:
        found = [_filled(run, SQLITE, f"sqlite:///{run.home()}/desk.db", users)]
        if postgres.programs() is not None and not only_sqlite:
            server = open_.enter_context(postgres.server())
            address = open_.enter_context(postgres.database(server))
            found.append(_filled(run, POSTGRESQL, address, users))
        yield found


def missing(code: str) -> Iterator[Skipped]:
    """Say which database is not measured here."""
    if postgres.programs() is None:
        yield Skipped(code, postgres.MISSING)


def _filled(run: Run, kind: str, store: str, users: int) -> Hosted:
    home = run.home()
    fixture = run.fixture(min(users, FIRST))
    with at_home(home):
        desks_at(Wanted(store=store, imported=fixture), Config()).close()
    with closing(Database(store)) as database:
        count = multiply(database, users)
        recruit(database, AGENTS)
    return Hosted(kind, store, home, count)


@contextlib.contextmanager
def gateways(hosted: Hosted, count: int) -> Iterator[Sequence[Plug]]:
    """Give so many gateways on one store, each a process of its own; a sign-in is an agent's id."""
    plugs = [Plug(hosted.store, hosted.home) for _ in range(count)]
    try:
        for plug in plugs:
            plug.begin()
        yield plugs
    finally:
        for plug in plugs:
            plug.end()


@contextlib.contextmanager
def bare(count: int, store: str = "") -> Iterator[Sequence[tuple[int, int]]]:
    """Give the ports and processes of bare servers, which may look into a store."""
    found: list[tuple[int, subprocess.Popen[bytes]]] = []
    try:
        for _ in range(count):
            port = free_port()
            found.append((port, subprocess.Popen(peer("bare", port, store))))
        for port, _ in found:
            until_answered(f"http://127.0.0.1:{port}/")
        yield [(port, process.pid) for port, process in found]
    finally:
        for _, process in found:
            process.kill()
            process.wait()


def until_answered(url: str) -> None:
    """Wait until a server answers."""
    ends = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            assert time.monotonic() < ends, f"{url} does not answer"
            time.sleep(0.05)
