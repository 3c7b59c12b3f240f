"""What was read or answered is not read again until somebody writes, and is right even so."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, event

from helpdesk.connectors.demo import DemoConnector
from helpdesk.domain.actions import AnyAction, Flag, Note, SendCode, TakeTicket
from helpdesk.domain.audit import Result
from helpdesk.domain.errors import NotFound
from helpdesk.domain.search import Query, UserState
from helpdesk.domain.tickets import Ticket
from helpdesk.service.local import LocalDesk
from helpdesk.stores.base import no_lull
from helpdesk.stores.sql import directory, lull
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.directory import SqlDirectory
from helpdesk.stores.sql.documents import SqlDocuments
from helpdesk.stores.sql.record import SqlStore
from tests import postgres
from tests.conftest import Clock
from tests.sql import desks_on, imported

PEOPLE = ("u1", "u2", "u3", "u4", "u5", "u6", "u7")


class Two(NamedTuple):
    """One database that two processes look into, and what opens desks in each."""

    here: Database
    open_here: Callable[..., LocalDesk]
    open_there: Callable[..., LocalDesk]
    said: list[str]
    address: str


BOTH = pytest.mark.parametrize("two", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
async def two(
    request: pytest.FixtureRequest,
    places: Path,
    sample_file: Path,
    clock: Clock,
    postgres_server: Callable[[], str],
) -> AsyncIterator[Two]:
    """The sample in a database."""
    opened: list[LocalDesk] = []
    said: list[str] = []

    def listen(driver: object, _: object) -> None:
        if isinstance(driver, sqlite3.Connection):
            driver.set_trace_callback(said.append)

    def at(database: Database) -> Callable[..., LocalDesk]:
        open_as = desks_on(database, clock, places)

        def noted(who: str) -> LocalDesk:
            opened.append(open_as(who))
            return opened[-1]

        return noted

    event.listen(Engine, "connect", listen)
    with ExitStack() as stack:
        stack.callback(event.remove, Engine, "connect", listen)
        address = f"sqlite:///{places}/desk.db"
        if getattr(request, "param", "sqlite") != "sqlite":
            address = stack.enter_context(postgres.database(postgres_server()))
        here = stack.enter_context(closing(imported(address, sample_file, clock)))
        there = stack.enter_context(closing(Database(address)))
        yield Two(here, at(here), at(there), said, address)
        for desk in opened:
            await desk.aclose()


def asked(two: Two) -> list[str]:
    """Return where every statement is noted that SQLite hears from here on."""
    two.said.clear()
    return two.said


@BOTH
async def test_a_case_is_the_same_as_when_each_of_its_parts_is_asked_for(two: Two) -> None:
    for who in ("dana", "sam", "lee", "ari"):
        desk, plain = two.open_here(who), two.open_here(who)
        plain._lulls = no_lull
        for user in PEOPLE:
            each = await plain.case(user)

            assert await desk.case(user) == each
        await two.open_there("lee").perform(Note(user="u2", text=f"{who} called"))


async def test_what_nobody_changed_is_not_read_again(two: Two) -> None:
    desk = two.open_here("dana")
    query = Query(words=("maya",))
    await desk.settle()
    before = (await desk.case("u4"), await desk.find(query), await desk.queue())
    await desk.settle()  # that the case was looked at is a change, too
    again = (await desk.case("u4"), await desk.find(query), await desk.queue())
    said = asked(two)

    third = (await desk.case("u4"), await desk.find(query), await desk.queue())

    counted = [one for one in said if "pen" in one]
    assert said == counted
    assert [one is other for one, other in zip(third, again, strict=True)] == [True] * 3
    assert before[1:] == again[1:]


@BOTH
async def test_pages_further_down_a_list_are_cut_from_one_reading_and_are_the_same(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "AHEAD", 4)
    desk, plain = two.open_here("dana"), two.open_here("dana")
    plain._lulls = no_lull
    windows = [(0, 2), (1, 2), (2, 2), (3, 2), (4, 3), (0, 1), (5, 2), (6, 2), (90, 2)]
    anew = [await plain.find(Query(), offset=at, limit=rows) for at, rows in windows]

    pages = [await desk.find(Query(), offset=at, limit=rows) for at, rows in windows]

    assert pages == anew
    assert [row.id for page in anew[:3:2] for row in page.rows] == list(PEOPLE[:4])


async def test_a_page_further_down_asks_for_nothing_that_was_read_ahead(two: Two) -> None:
    desk = two.open_here("dana")
    await desk.settle()
    for place in range(2):
        await desk.find(Query(), offset=place, limit=2)
    said = asked(two)

    page = await desk.find(Query(), offset=2, limit=2)

    assert len(page.rows) == 2
    assert not [one for one in said if "users" in one and "IN (" not in one]


@BOTH
async def test_what_is_written_elsewhere_is_seen_at_once(two: Two) -> None:
    reader, writer = two.open_here("dana"), two.open_there("lee")
    await reader.case("u5")
    [before] = (await reader.find(Query(words=("priya",)))).rows

    for turn in range(5):
        await writer.perform(Note(user="u5", text=f"note {turn}"))

        seen = await reader.case("u5")
        assert next(row.says for row in seen.log if row.act == "note") == f"note {turn}"
    await writer.perform(Flag(user="u5", reason="odd"))
    [row] = (await reader.find(Query(words=("priya",)))).rows
    assert (before.state, row.state) == (UserState.OK, UserState.FLAGGED)


@BOTH
async def test_a_keyed_write_asked_for_at_several_desks_at_once_is_done_once(two: Two) -> None:
    desks = [two.open_here("dana"), two.open_here("dana"), two.open_there("dana")]
    await desks[0].perform(Note(user="u2", text="before"))
    wish = Note(user="u5", text="once")

    done = await asyncio.gather(*(desk.perform(wish, key="k-0123456789abcdef") for desk in desks))

    assert [one.says for one in done] == ["once"] * 3
    assert [row.says for row in (await desks[2].case("u5")).log if row.act == "note"] == ["once"]


async def test_what_another_process_wrote_of_one_user_leaves_the_others_known(two: Two) -> None:
    here, there = two.open_here("dana"), two.open_there("lee")
    for user in ("u5", "u4"):
        await here.perform(Note(user=user, text="one"))
    await there.perform(Note(user="u4", text="two"))
    said = asked(two)

    await here.perform(Note(user="u5", text="three"))
    left = [one for one in said if "FROM users" in one]
    seen = await here.case("u4")

    assert not left
    assert [row.says for row in seen.log if row.act == "note"] == ["two", "one"]


@BOTH
async def test_where_an_older_process_did_not_tell_what_it_wrote_nothing_stays_known(
    two: Two,
) -> None:
    store, there = SqlStore(two.here), two.open_there("lee")
    await there.perform(Note(user="u5", text="told"))

    async def tickets() -> int:
        async with two.here.lull():
            return len(await store.select(Ticket, user="u2"))

    before = await tickets()
    with two.here.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE pen SET changes = changes + 1")
        connection.exec_driver_sql(
            """DELETE FROM records WHERE kind = 'tickets' AND "user" = 'u2'"""
        )
    await there.perform(Note(user="u5", text="told as well"))

    assert before
    assert not await tickets()


@BOTH
async def test_people_are_read_anew_by_who_only_looks_once_the_database_was_put_back(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lull, "LASTS_S", 0.0)  # as if each question came much later
    there = two.open_there("lee")
    with closing(Database(two.address)) as looking:

        async def people() -> int:
            await asyncio.sleep(0)  # a count is good for one turn of the loop
            async with looking.lull():
                return await looking.people()

        for text in ("one", "two", "three"):
            await there.perform(Note(user="u5", text=text))
            before = await people()
        with two.here.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE pen SET changes = changes - 1")

        assert await people() != before


@BOTH
async def test_who_could_be_taken_for_whom_another_process_wrote_of_is_read_anew(two: Two) -> None:
    people, store = DemoConnector(SqlDocuments(two.here)), SqlStore(two.here)
    async with two.here.transaction():
        await people._edit("u5", lambda old: replace(old, name="Maya Twin"))
        await people._edit("u2", lambda old: replace(old, name="Maya  Tvvin"))
    directory, elsewhere = SqlDirectory(two.here), SqlStore(Database(two.address))
    (mine,) = await store.select(Ticket, user="u2", only_open=True)
    them = (await directory.entries(["u5"]))["u5"].user

    async def agent() -> str | None:
        async with two.here.lull():
            (twin,) = await directory.doubles(them, account=None, limit=5)
            return twin.ticket.agent if twin.ticket else None

    before = await agent()
    async with elsewhere.transaction():
        await elsewhere.keep(replace(mine, agent="sam"))

    assert before != "sam"
    assert await agent() == "sam"
    elsewhere._database.close()


async def test_what_one_wrote_oneself_is_seen_at_once(two: Two) -> None:
    desk = two.open_here("dana")
    await desk.case("u5")

    outcome = await desk.perform(Note(user="u5", text="one"))

    seen = await desk.case("u5")
    assert seen.log == outcome.case.log
    assert seen.log[0].says == "one"


@BOTH
async def test_every_change_is_answered_with_the_case_as_it_is_now(two: Two, clock: Clock) -> None:
    desks = [two.open_here("dana"), two.open_there("dana")]
    plain = two.open_there("dana")
    plain._lulls = no_lull
    wishes: list[AnyAction] = [
        Note(user="u1", text="called"),
        SendCode(user="u1"),
        Note(user="u4", text="called"),
        TakeTicket(user="u2", ticket="4822"),
        Note(user="u2", text="called"),
        Flag(user="u5", reason="odd"),
        Note(user="u1", text="called again"),
    ]
    for turn, wish in enumerate([*wishes, *wishes[:1], *wishes[2:3]]):
        for desk in desks if isinstance(wish, Note) else desks[turn % 2 : turn % 2 + 1]:
            outcome = await desk.perform(wish)

            each = await plain.case(wish.user)
            assert outcome.case == each
            assert await desks[0].case(wish.user) == await desks[1].case(wish.user) == each
        clock.go_on(seconds=2)


async def test_what_one_wrote_and_what_was_read_before_is_not_read_again(two: Two) -> None:
    desk = two.open_here("dana")
    await desk.perform(Note(user="u5", text="one"))
    said = asked(two)

    await desk.perform(Note(user="u5", text="two"))

    assert not [one for one in said if "FROM users" in one]


async def test_what_was_dropped_is_not_known_afterwards(two: Two) -> None:
    desk = two.open_here("dana")
    before = (await desk.perform(Note(user="u5", text="one"))).case.log

    with pytest.raises(NotFound):
        async with desk._recorder.transaction(joins=True):
            await desk.case("u5")
            await desk._record(act="note", user="u5", says="never", result=Result.DONE)
            raise NotFound("gone")

    assert (await desk.case("u5")).log == before
    after = (await desk.perform(Note(user="u5", text="two"))).case.log
    assert [row.says for row in after[:2]] == ["two", "one"]


@BOTH
async def test_what_others_read_while_one_wrote_is_not_known_afterwards(two: Two) -> None:
    desk, store, directory = two.open_here("dana"), SqlStore(two.here), SqlDirectory(two.here)

    async def read() -> tuple[list[str], str | None]:
        async with two.here.lull():
            rows = await store.rows(acts=("note",))
            ticket = (await directory.entries(["u2", "u5"]))["u2"].ticket
            return [row.says for row in rows], ticket.agent if ticket else None

    async with two.here.lull():  # what is known when the pen is taken: nothing of that
        pass
    (mine,) = await store.select(Ticket, user="u2", only_open=True)
    async with desk._recorder.transaction():
        await desk._record(act="note", user="u5", says="new", result=Result.DONE)
        await store.keep(replace(mine, agent="dana"))
        before = await asyncio.create_task(read())

    after = await read()
    assert "new" not in before[0]
    assert before[1] != "dana"
    assert "new" in after[0]
    assert after[1] == "dana"


async def test_what_was_answered_under_the_pen_is_answered_anew_after_a_write(two: Two) -> None:
    desk = two.open_here("dana")

    async with desk._recorder.transaction():
        before = await desk.case("u5")
        await desk._record(act="note", user="u5", says="new", result=Result.DONE)
        after = await desk.case("u5")

    assert [row.says for row in after.log[: len(after.log) - len(before.log)]] == ["new"]


async def test_an_answer_is_for_nobody_but_who_asked(two: Two) -> None:
    lead, pia = two.open_here("lee"), two.open_here("pia")
    support = two.open_here("dana")
    await lead.case("u2")
    everybody = await lead.find(Query())

    with pytest.raises(NotFound, match="not of the account you administer"):
        await pia.case("u2")
    theirs = await pia.find(Query())
    assert {row.id for row in theirs.rows} < {row.id for row in everybody.rows}
    assert (await support.case("u4")).decisions != (await lead.case("u4")).decisions


async def test_an_answer_is_given_anew_when_time_has_passed(two: Two, clock: Clock) -> None:
    desk = two.open_here("dana")
    first = await desk.case("u4")
    await desk.settle()
    first = await desk.case("u4")

    clock.go_on(seconds=2)

    later = await desk.case("u4")
    assert later.at == clock.now
    assert replace(later, at=first.at).user == first.user


async def test_every_opening_of_a_case_is_looked_at_by_the_log(two: Two, clock: Clock) -> None:
    desk = two.open_here("dana")
    await desk.case("u4")
    await desk.settle()
    clock.go_on(minutes=11)

    await desk.case("u4")
    await desk.settle()

    looks = await two.open_here("lee").log(Query(words=("look",)))
    assert [row.user for row in looks.rows] == ["u4", "u4"]


@BOTH
async def test_a_list_stands_while_nobody_writes_and_is_made_anew_as_a_lock_ends(
    two: Two, clock: Clock
) -> None:
    desk, plain = two.open_here("dana"), two.open_here("dana")
    plain._lulls = no_lull
    locked = Query(state=UserState.LOCKED)
    ends = clock.now + timedelta(seconds=5)
    async with desk._recorder.transaction():
        people = DemoConnector(SqlDocuments(two.here))
        await people._edit("u5", lambda old: replace(old, locked_until=ends))
    first = (await desk.find(locked), await desk.find(Query()), await desk.queue())

    clock.go_on(seconds=4)
    second = (await desk.find(locked), await desk.find(Query()), await desk.queue())
    clock.go_on(seconds=1)
    third = (await desk.find(locked), await desk.find(Query()), await desk.queue())

    assert [one is other for one, other in zip(first, second, strict=True)] == [True] * 3
    assert third == (await plain.find(locked), await plain.find(Query()), await plain.queue())
    assert len(third[0].rows) == len(first[0].rows) - 1
