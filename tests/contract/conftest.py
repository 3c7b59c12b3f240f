"""Every kind of desk that keeps the contract: the same tests run on each.

To add a kind: a context manager that gives `Open`, and its name in `KINDS`.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

from helpdesk.service.desk import Desk
from helpdesk.service.local import LocalDesk
from helpdesk.stores.sql.database import Database
from tests import postgres
from tests.conftest import Clock
from tests.gateway.serving import gateway, remote
from tests.sql import desks_on, imported


class Open(Protocol):
    """Opens the sample desk as somebody; several are several consoles on one truth."""

    def __call__(self, who: str, *, is_gated: bool = True, hold_minutes: float = 0) -> Desk:
        """Open it."""
        ...


class Places(NamedTuple):
    """What a kind of desk is made of."""

    desk_as: Callable[..., LocalDesk]
    sample: Path
    places: Path
    clock: Clock
    postgres: Callable[[], str]


@contextlib.contextmanager
def local(at: Places) -> Iterator[Open]:
    """Desks of this process on one file."""
    yield at.desk_as


@contextlib.contextmanager
def over_http_on_sqlite(at: Places) -> Iterator[Open]:
    """Desks behind a gateway on SQLite."""
    with based(f"sqlite:///{at.places}/desk.db", at) as database:
        desks = desks_on(database, at.clock, at.places)
        with behind([desks], at.clock) as opened:
            yield opened


@contextlib.contextmanager
def two_on_postgres(at: Places) -> Iterator[Open]:
    """Desks behind two gateways on one PostgreSQL: each desk at the other one than the last."""
    with contextlib.ExitStack() as stack:
        address = stack.enter_context(postgres.database(at.postgres()))
        first = stack.enter_context(based(address, at))
        second = stack.enter_context(contextlib.closing(Database(address)))
        desks = [desks_on(each, at.clock, at.places) for each in (first, second)]
        yield stack.enter_context(behind(desks, at.clock))


@contextlib.contextmanager
def based(address: str, at: Places) -> Iterator[Database]:
    """The sample in a database."""
    with contextlib.closing(imported(address, at.sample, at.clock)) as database:
        yield database


@contextlib.contextmanager
def behind(desks: Sequence[Callable[..., LocalDesk]], clock: Clock) -> Iterator[Open]:
    """Desks behind gateways, one a source of desks, taken in turn."""
    with contextlib.ExitStack() as stack:
        urls: dict[tuple[int, bool, float], str] = {}
        turns = itertools.cycle(range(len(desks)))

        def open_as(who: str, *, is_gated: bool = True, hold_minutes: float = 0) -> Desk:
            how = (next(turns), is_gated, hold_minutes)
            if how not in urls:
                source = desks[how[0]]
                urls[how], _ = stack.enter_context(
                    gateway(
                        lambda one: source(one, is_gated=is_gated, hold_minutes=hold_minutes),
                        clock,
                    )
                )
            return stack.enter_context(remote(urls[how], who))

        yield open_as


KINDS: dict[str, Callable[[Places], contextlib.AbstractContextManager[Open]]] = {
    "local": local,
    "http-sqlite": over_http_on_sqlite,
    "two-http-postgresql": two_on_postgres,
}
"""Every kind of desk that somebody works at, by its name."""


@pytest.fixture(params=list(KINDS))
def open_as(
    request: pytest.FixtureRequest,
    desk_as: Callable[..., LocalDesk],
    sample_file: Path,
    places: Path,
    clock: Clock,
    postgres_server: Callable[[], str],
) -> Iterator[Open]:
    """Open the sample desk as somebody, of each kind."""
    at = Places(desk_as, sample_file, places, clock, postgres_server)
    with KINDS[request.param](at) as opened:
        yield opened


@pytest.fixture
def dana(open_as: Open) -> Desk:
    """The desk of a support agent."""
    return open_as("dana")


@pytest.fixture
def free(open_as: Open) -> Desk:
    """The desk of a support agent where nobody must be proven: what an act does is looked at."""
    return open_as("dana", is_gated=False)
