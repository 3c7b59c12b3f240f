"""Several writers become durable at once, each with an answer and an error of their own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from sqlalchemy import delete, event, func, select
from sqlalchemy.exc import SQLAlchemyError

from helpdesk.domain.errors import BadInput, NoRecord
from helpdesk.domain.tickets import Ticket
from helpdesk.stores.sql.connections import changes, first_row
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.migrations import migrate
from helpdesk.stores.sql.record import SqlStore
from helpdesk.stores.sql.schema import pen, records
from tests import postgres
from tests.conftest import NOW
from tests.stores.test_sql_database import POSTGRES
from tests.waiting import PATIENCE_S


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=POSTGRES)])
def database(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: Callable[[], str],
) -> Iterator[Database]:
    """A database of each kind with nobody in it."""
    with contextlib.ExitStack() as stack:
        address = f"sqlite:///{tmp_path_factory.mktemp('joining')}/desk.db"
        if request.param == "postgresql":
            address = stack.enter_context(postgres.database(postgres_server()))
        made = stack.enter_context(closing(Database(address, longest_s=PATIENCE_S)))
        migrate(made)
        with made.engine.begin() as connection:
            if not connection.execute(select(func.count()).select_from(pen)).scalar():
                first_row(connection)
        yield made


class Writers:
    """Writers who all wait while another holds the pen, and what becomes of each."""

    def __init__(self, database: Database) -> None:
        self.database, self.store = database, SqlStore(database)
        self.begun: dict[str, bool] = {}
        self.commits = 0
        event.listen(database.engine, "commit", self._committed)
        self.before = 0
        self.before = self.counted()

    def _committed(self, _: object) -> None:
        self.commits += 1

    async def write(
        self, name: str, *, joins: bool = True, then: Callable[[], object] = lambda: None
    ) -> None:
        """Write one ticket; *then* may fail."""
        async with self.database.transaction(joins=joins) as is_first:
            self.begun[name] = is_first
            await self.store.keep(Ticket(id=name, user="u1", subject="s", opened_at=NOW))
            await self.database.ask(then)

    async def waiting(self, *writers: asyncio.Task[None]) -> list[BaseException | None]:
        """Hold the pen until all of them wait for it; give what each raised."""
        async with self.database.transaction():
            await asyncio.sleep(0)
        return await asyncio.gather(*writers, return_exceptions=True)

    def there(self) -> set[str]:
        """Give the tickets that are durable."""
        with self.database.engine.connect() as connection:
            return set(connection.execute(select(records.c.name)).scalars())

    def counted(self) -> int:
        """Give how many changes there were."""
        with self.database.engine.connect() as connection:
            return changes(connection) - self.before

    def fail(self) -> None:
        """Raise what an act may end with."""
        raise BadInput("no")

    def break_off(self) -> None:
        """Let the database drop all by itself, and say so."""
        is_sqlite = self.database.is_sqlite
        how = "ROLLBACK" if is_sqlite else "SELECT pg_terminate_backend(pg_backend_pid())"
        with self.database.connection() as connection:
            connection.exec_driver_sql(how)
            raise SQLAlchemyError("it is gone")


@pytest.fixture
def writers(database: Database) -> Iterator[Writers]:
    """Writers on it, with nothing written yet."""
    with database.engine.begin() as connection:
        connection.execute(delete(records))
    made = Writers(database)
    yield made
    event.remove(database.engine, "commit", made._committed)


def task(work: object) -> asyncio.Task[None]:
    return asyncio.ensure_future(work)  # type: ignore[call-overload,no-any-return]


async def test_writers_who_wait_become_durable_at_once(writers: Writers) -> None:
    tasks = [task(writers.write(name)) for name in "abc"]

    ended = await writers.waiting(*tasks)

    assert ended == [None, None, None]
    assert writers.begun == {"a": True, "b": False, "c": False}
    assert writers.there() == {"a", "b", "c"}
    assert writers.commits == 2
    assert writers.counted() == 4


async def test_of_several_writers_one_who_fails_takes_back_what_is_theirs_alone(
    writers: Writers,
) -> None:
    tasks = [
        task(writers.write("a")),
        task(writers.write("b", then=writers.fail)),
        task(writers.write("c")),
    ]

    ended = await writers.waiting(*tasks)

    assert [type(each) for each in ended] == [type(None), BadInput, type(None)]
    assert writers.there() == {"a", "c"}
    assert writers.counted() == 3
    assert writers.database.written == writers.counted() + writers.before


async def test_where_all_is_dropped_each_of_several_writers_is_told(writers: Writers) -> None:
    tasks = [
        task(writers.write("a")),
        task(writers.write("b", then=writers.break_off)),
        task(writers.write("c")),
    ]

    ended = await writers.waiting(*tasks)

    assert [type(each) for each in ended] == [NoRecord, NoRecord, type(None)]
    assert writers.there() == {"c"}


async def test_nobody_joins_who_does_not_want_to_and_nobody_joins_them(writers: Writers) -> None:
    tasks = [task(writers.write("a")), task(writers.write("b", joins=False))]
    tasks.append(task(writers.write("c")))

    await writers.waiting(*tasks)

    assert set(writers.begun.values()) == {True}
    assert writers.there() == {"a", "b", "c"}


async def test_a_writer_who_is_cancelled_holds_up_none_of_those_they_joined(
    writers: Writers,
) -> None:
    tasks = [task(writers.write(name)) for name in "abc"]
    asyncio.get_running_loop().call_soon(tasks[1].cancel)

    ended = await writers.waiting(*tasks)

    assert [type(each) for each in ended] == [type(None), asyncio.CancelledError, type(None)]
    assert writers.there() == {"a", "c"}


async def test_the_last_writer_cancelled_in_the_middle_leaves_what_the_others_wrote(
    writers: Writers,
) -> None:
    loop, tasks = asyncio.get_running_loop(), [task(writers.write("a"))]

    def leave() -> None:
        loop.call_soon_threadsafe(tasks[1].cancel)

    tasks.append(task(writers.write("b", then=leave)))

    ended = await writers.waiting(*tasks)

    assert [type(each) for each in ended] == [type(None), asyncio.CancelledError]
    assert writers.there() >= {"a"}
    async with writers.database.transaction():
        pass


async def test_what_one_of_several_writers_wrote_the_next_sees(writers: Writers) -> None:
    seen: list[object] = []

    async def look() -> None:
        async with writers.database.transaction(joins=True):
            seen.append(await writers.store.get(Ticket, "a"))

    await writers.waiting(task(writers.write("a")), task(look()))

    assert seen != [None]


async def test_only_what_others_wrote_or_what_is_of_people_tells_that_people_changed(
    writers: Writers,
) -> None:
    database, told = writers.database, [await writers.database.people()]
    address = database.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")

    await writers.write("a")
    told.append(await database.people())
    async with database.transaction():
        database.people_change()
    told.append(await database.people())
    await writers.write("b")
    told.append(await database.people())
    with closing(Database(address)) as other:
        async with other.transaction():
            pass
    told.append(await database.people())

    assert told[0] == told[1] < told[2] == told[3] < told[4]


async def test_whoever_waited_for_another_process_is_joined_all_the_same(
    database: Database,
) -> None:
    address = database.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    with closing(Database(address, longest_s=0.2)) as late:
        writers = Writers(late)
        async with database.transaction():
            first = task(writers.write("late a"))
            await asyncio.sleep(0.1)  # it waits before the others come
            others = [task(writers.write(name)) for name in ("late b", "late c")]
            await asyncio.sleep(0.4)
        await asyncio.gather(first, *others)

    assert list(writers.begun.values()) == [True, False, False]


async def test_only_what_others_wrote_of_people_tells_that_people_changed(
    database: Database,
) -> None:
    address = database.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    told = []
    with closing(Database(address)) as other:
        for is_of_people in (True, False, False, True):
            async with other.transaction():
                if is_of_people:
                    other.people_change()
            async with database.lull():
                told.append(await database.people())

    assert told[0] == told[1] == told[2] < told[3]
