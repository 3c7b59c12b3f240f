"""Lists from a real replica: while it follows, never older than is said, and never without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from helpdesk.config import Config
from helpdesk.domain.actions import Note
from helpdesk.domain.errors import BadInput
from helpdesk.domain.search import Query, parse
from helpdesk.hosting import Wanted, desks_at
from helpdesk.service.local import LocalDesk
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.directory import SqlDirectory
from helpdesk.stores.sql.reads import REST_S, FromReplica, replica_at
from tests import postgres
from tests.conftest import Clock
from tests.reliability.pair import Pair, pair
from tests.reliability.people import SHARED, write_people
from tests.sql import desks_on, imported

pytestmark = pytest.mark.skipif(postgres.programs() is None, reason=postgres.MISSING)

LAG_S = 2.0


@dataclass
class Gateway:
    """What two agents at one gateway read and write through, and its time in seconds."""

    database: Database
    reads: FromReplica
    desk: LocalDesk
    time: list[float] = field(default_factory=lambda: [100.0])

    async def log(self) -> list[str]:
        """Give what the log says, as a list on a screen."""
        return [row.says for row in (await self.desk.log(Query())).rows]


@pytest.fixture(scope="module")
def servers() -> Iterator[Pair]:
    """A primary whose acts are durable before the replica has them, and the replica."""
    with pair() as both:
        with psycopg.connect(f"{both.primary}/postgres", autocommit=True) as line:
            line.execute("CREATE DATABASE calls")
            line.execute("ALTER DATABASE calls SET synchronous_commit = local")
        yield both


@pytest.fixture(scope="module")
def people(servers: Pair, tmp_path_factory: pytest.TempPathFactory) -> None:
    """People in it."""
    path = write_people(tmp_path_factory.mktemp("people") / "people.json")
    imported(f"{servers.primary}/calls", path, Clock()).close()


@pytest.fixture
async def gateways(
    servers: Pair, people: None, tmp_path: Path, clock: Clock
) -> AsyncIterator[tuple[Gateway, Gateway]]:
    """Two gateways on the pair, with time of their own; the replica follows."""
    follow(servers)
    made = []
    for _ in range(2):
        database = Database(f"{servers.primary}/calls")
        time = [100.0]
        replica = replica_at(f"{servers.replica}/calls")
        reads = FromReplica(database, replica, LAG_S, lambda time=time: time[0])  # type: ignore[misc]
        open_as = desks_on(database, clock, tmp_path, SqlDirectory(database, reads))
        made.append(Gateway(database, reads, open_as("w1", is_gated=False), time))
    yield made[0], made[1]
    follow(servers)
    for one in made:
        await one.desk.aclose()
        one.reads.close()
        one.database.close()


def follow(servers: Pair, *, is_following: bool = True) -> None:
    """Let the replica take in what the primary writes, or hold it where it is."""
    word = "resume" if is_following else "pause"
    with psycopg.connect(f"{servers.replica}/postgres", autocommit=True) as line:
        line.execute(f"SELECT pg_wal_replay_{word}()".encode())
    if is_following:
        servers.wait_until_equal()


async def write(gateway: Gateway, text: str) -> None:
    """Let the agent of a gateway write something that no list holds yet."""
    await gateway.desk.perform(Note(user=SHARED, text=text))
    await gateway.desk.settle()


async def test_lists_come_from_a_replica_that_follows(gateways: tuple[Gateway, Gateway]) -> None:
    one, _ = gateways
    query = parse("customer", [])

    people = (await one.desk.find(query)).total
    queue = (await one.desk.queue()).total
    await one.log()

    assert (people > 0, queue > 0) == (True, True)
    assert (one.reads.from_replica, one.reads.from_primary) == (3, 0)


async def test_whoever_wrote_reads_it_though_the_replica_stands_still(
    servers: Pair, gateways: tuple[Gateway, Gateway]
) -> None:
    one, _ = gateways
    await one.log()
    follow(servers, is_following=False)

    await write(one, "own words")

    assert "own words" in await one.log()
    assert one.reads.from_primary == 1


async def test_what_others_wrote_is_read_when_the_lag_that_is_said_has_passed(
    servers: Pair, gateways: tuple[Gateway, Gateway]
) -> None:
    one, two = gateways
    await one.log()
    follow(servers, is_following=False)
    await write(two, "their words")

    at_once = await one.log()
    one.time[0] += LAG_S / 2
    soon = await one.log()
    one.time[0] += LAG_S / 2 + 0.1
    later = await one.log()

    assert "their words" not in at_once
    assert "their words" not in soon
    assert "their words" in later


async def test_after_a_rest_nothing_older_is_read_than_the_primary_had_when_it_was_asked(
    servers: Pair, gateways: tuple[Gateway, Gateway]
) -> None:
    one, two = gateways
    await one.log()
    follow(servers, is_following=False)
    await write(two, "in the night")

    one.time[0] += 3_600
    seen = await one.log()

    assert "in the night" in seen


async def test_a_replica_that_caught_up_is_read_again(
    servers: Pair, gateways: tuple[Gateway, Gateway]
) -> None:
    one, _ = gateways
    await one.log()
    follow(servers, is_following=False)
    await write(one, "caught up")
    await one.log()
    follow(servers)
    before = one.reads.from_replica

    assert "caught up" in await one.log()
    assert one.reads.from_replica == before + 1


async def test_whoever_holds_the_pen_reads_the_primary(gateways: tuple[Gateway, Gateway]) -> None:
    one, _ = gateways
    directory = SqlDirectory(one.database, one.reads)

    async with one.database.transaction():
        await directory.refresh()
        await directory.logged(Query(), account=None, offset=0, limit=1)

    assert (one.reads.from_replica, one.reads.from_primary) == (0, 1)


async def test_a_replica_that_dies_is_left_alone_for_a_while_and_nobody_waits_for_it(
    servers: Pair, gateways: tuple[Gateway, Gateway]
) -> None:
    one, _ = gateways
    await write(one, "before it died")
    await one.log()
    servers.kill(1)

    answers = [await one.log() for _ in range(3)]
    servers.begin_again(1)
    follow(servers)
    one.time[0] += REST_S
    answers.append(await one.log())

    assert all("before it died" in seen for seen in answers)
    assert one.reads.from_primary == 3
    assert one.reads.from_replica >= 1


async def test_a_desk_is_opened_with_a_replica_by_its_address(
    servers: Pair, people: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELPDESK_DATA_DIR", str(tmp_path / "data"))
    wanted = Wanted(store=f"{servers.primary}/calls", read_from=f"{servers.replica}/calls")

    with closing(await asyncio.to_thread(desks_at, wanted, Config())) as desks:
        desk = desks.desk(desks.agents[0])
        assert (await desk.queue()).total > 0


@pytest.mark.parametrize(
    ("store", "replica", "says"),
    [
        ("sqlite:///{place}/desk.db", "postgresql://one/desk", "--read-from needs a --store of"),
        ("{primary}/calls", "sqlite:///{place}/desk.db", "SQLite has no replica to read from"),
    ],
)
def test_sqlite_has_no_replica(
    servers: Pair, people: None, tmp_path: Path, store: str, replica: str, says: str
) -> None:
    named = {"place": tmp_path, "primary": servers.primary}
    wanted = Wanted(store=store.format(**named), read_from=replica.format(**named))

    with pytest.raises(BadInput, match=says):
        desks_at(wanted, Config())
