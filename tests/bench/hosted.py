"""Gateways for the table: so many users in a database, and whoever answers for them."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

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
KEPT: Final = 1_000_000
"""So many or more are made once, and a row is given a copy of them."""
DAY_S: Final = 86_400
"""So long they are of use: an import moves its times into the present, and lists ask for them."""
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


@contextlib.contextmanager
def stores(run: Run, users: int, *, only_sqlite: bool = False) -> Iterator[Sequence[Hosted]]:
    """Give so many users in each database there is here, SQLite first; a row may write to them."""
    with ExitStack() as open_:
        stores = _copies if users >= KEPT else _made
        yield [
            open_.enter_context(store(run, users))
            for kind, store in stores.items()
            if kind == SQLITE or not (only_sqlite or postgres.programs() is None)
        ]


@contextlib.contextmanager
def _on_sqlite(run: Run, users: int) -> Iterator[Hosted]:
    yield _filled(run, SQLITE, f"sqlite:///{run.home()}/desk.db", users, run.home())


@contextlib.contextmanager
def _on_postgresql(run: Run, users: int) -> Iterator[Hosted]:
    with postgres.server() as server, postgres.database(server) as address:
        yield _filled(run, POSTGRESQL, address, users, run.home())


@contextlib.contextmanager
def _copy_of_sqlite(run: Run, users: int) -> Iterator[Hosted]:
    kept = _kept(run, users, "sqlite", _fill_sqlite)
    home = run.home()
    shutil.copytree(kept, home, dirs_exist_ok=True)
    try:
        yield Hosted(SQLITE, f"sqlite:///{home}/desk.db", home, users)
    finally:
        (home / "desk.db").unlink()  # as big as what was copied


@contextlib.contextmanager
def _copy_of_postgresql(run: Run, users: int) -> Iterator[Hosted]:
    kept = _kept(run, users, "postgresql", _fill_postgresql)
    home = run.home()
    shutil.copytree(kept / "home", home, dirs_exist_ok=True)
    with (
        postgres.running(kept / "server") as server,
        postgres.database(server, like=_NAME) as address,
    ):
        yield Hosted(POSTGRESQL, address, home, users)


_NAME: Final = "kept"
_made = {SQLITE: _on_sqlite, POSTGRESQL: _on_postgresql}
_copies = {SQLITE: _copy_of_sqlite, POSTGRESQL: _copy_of_postgresql}


def _kept(run: Run, users: int, name: str, fill: Callable[[Run, int, Path], None]) -> Path:
    """Return where so many users are kept, filled where they are not there, or not of this day."""
    place = run.data / f"{name}-{users}"
    if not place.exists() or time.time() - place.stat().st_mtime > DAY_S:
        shutil.rmtree(place, ignore_errors=True)
        part = place.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        fill(run, users, part)
        part.rename(place)
    return place


def _fill_sqlite(run: Run, users: int, place: Path) -> None:
    _filled(run, SQLITE, f"sqlite:///{place}/desk.db", users, place)


def _fill_postgresql(run: Run, users: int, place: Path) -> None:
    """Fill a server's own database; while it is filled, nothing of it need outlive the machine."""
    for name in ("home", "server"):
        (place / name).mkdir()
    with postgres.running(place / "server", "fsync=off", "max_wal_size=8GB") as server:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {_NAME}".encode())
        _filled(run, POSTGRESQL, f"{server}/{_NAME}", users, place / "home")


def missing(code: str) -> Iterator[Skipped]:
    """Say which database is not measured here."""
    if postgres.programs() is None:
        yield Skipped(code, postgres.MISSING)


def _filled(run: Run, kind: str, store: str, users: int, home: Path) -> Hosted:
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
