"""Who is found in a database: the same as in a file, and without looking at everybody."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import event

from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.alike import shape
from helpdesk.domain.search import Query, parse
from helpdesk.domain.tickets import Ticket
from helpdesk.fixture.make import make
from helpdesk.stores.directory import TinyDirectory
from helpdesk.stores.sql import listing
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.directory import SqlDirectory, keys_in
from helpdesk.stores.sql.finding import FEW, Finding, asked_for
from helpdesk.stores.sql.listing import MANY, gone_by, looked_up, loops_of, tickets_of
from helpdesk.stores.sql.staged import COUNTED, Asked
from helpdesk.stores.sql.waiting import queue_of
from helpdesk.stores.tiny import TinyStore
from helpdesk.stores.tinyfile import TinyFile
from tests import postgres
from tests.conftest import Clock
from tests.sql import imported

USERS = 700
PRODUCTS = [(name, name) for name in ("lead-gen-crm", "partner-portal", "sms-2fa")]
POSTGRES = pytest.mark.skipif(
    postgres.programs() is None and postgres.GIVEN not in os.environ, reason=postgres.MISSING
)

STATES = ("locked", "flagged", "loop", "pending", "suspended", "off", "none", "ok")
QUERIES = [
    "", "m", "ma", "mar", "maya", "okafor", "northwind", "o'b", "#4830", "4830", "447700", "@",
    "m a", "mar a", "ana mar", ".example", "-", "'", '"', "zzz", "loop:yes", "loop:no",
    "m_r", "m%r", "m/r", "r_", "é", "#", "+44 7700", "m a r", "ma 4830", "mar okafor",
    "ticket:yes", "ticket:no", "channel:sms", "channel:totp", "product:sms", "product:sms mar",
    *(f"state:{state}" for state in STATES), *(f"state:{state} mar" for state in STATES),
    *(f"state:{state} sort:heat" for state in STATES), "mar state:locked sort:state",
    *(f"{words} sort:{sort}".strip() for sort in ("heat", "name", "product", "state", "seen")
      for words in ("", "ma", "mar", "loop:yes", "ticket:yes", "state:off", "product:sms")),
]  # fmt: skip
"""Of all kinds, and with what means something to an index of a database."""

AGENTS = [
    Agent(id="dana", name="Dana", role=Role.SUPPORT),
    Agent(id="aoife", name="Aoife", role=Role.ACCOUNT_MANAGER),
    Agent(id="priya", name="Priya", role=Role.PRODUCT_ADMINISTRATOR, account="a1"),
]


@pytest.fixture(scope="module")
def clock() -> Clock:
    """Time that stands still."""
    return Clock()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated fixture."""
    path = tmp_path_factory.mktemp("made") / "made.json"
    make(USERS, 3, path)
    return path


@pytest.fixture(scope="module")
def in_memory(made: Path, clock: Clock) -> TinyDirectory:
    """The people of it as the file's directory finds them."""
    file = TinyFile(made, clock)
    store = TinyStore(file)
    store.load()
    return TinyDirectory(file, store)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=POSTGRES)])
def database(
    request: pytest.FixtureRequest,
    made: Path,
    tmp_path_factory: pytest.TempPathFactory,
    clock: Clock,
) -> Iterator[Database]:
    """The same in a database of each kind."""
    if request.param == "sqlite":
        place = tmp_path_factory.mktemp("base")
        with closing(imported(f"sqlite:///{place}/desk.db", made, clock)) as one:
            yield one
        return
    with (
        postgres.database(request.getfixturevalue("postgres_server")()) as address,
        closing(imported(address, made, clock)) as one,
    ):
        yield one


LISTED = ["", "ma", "maya", "4830", "zzz", "product:sms", "state:locked", "loop:yes mar"]
"""Of people who are all, many, few and nobody, by words and by what is so of them."""


@pytest.mark.parametrize("many", [2, MANY])
@pytest.mark.parametrize("text", LISTED)
@pytest.mark.parametrize("agent", AGENTS[::2], ids=lambda one: one.id)
async def test_open_tickets_and_loops_are_listed_in_the_same_order(
    database: Database,
    in_memory: TinyDirectory,
    clock: Clock,
    agent: Agent,
    text: str,
    many: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many it takes for what is open to be gone through and not looked up."""
    query, now, directory = parse(text, PRODUCTS), clock.now, SqlDirectory(database)
    await in_memory.refresh()
    of: dict[str, Any] = {"offset": 0, "limit": 30}
    who: dict[str, Any] = {"account": agent.account, "first": ["u8", "u1"]}
    monkeypatch.setattr(listing, "MANY", many)

    tickets = await directory.tickets(agent, query, now, **of)
    loops = await directory.loops(query, now, **who, **of)

    assert tickets == await in_memory.tickets(agent, query, now, **of)
    assert loops == await in_memory.loops(query, now, **who, **of)
    assert agent.account or (tickets[0] > 0) is (text != "zzz")


async def test_tickets_are_the_agents_own_first_then_those_of_nobody(
    database: Database, clock: Clock
) -> None:
    _, found = await SqlDirectory(database).tickets(
        AGENTS[0], Query(), clock.now, offset=0, limit=USERS
    )

    whose = [one.agent for one, _ in found]
    turns = ["mine" if one == "dana" else "free" if one is None else "others" for one in whose]
    assert [name for name, _ in groupby(turns)] == ["mine", "free", "others"]


@pytest.mark.parametrize("text", LISTED)
def test_no_list_of_what_is_open_reads_everybody(
    database: Database, clock: Clock, text: str
) -> None:
    finding = Finding(parse(text, PRODUCTS), clock.now, None, is_sqlite=database.is_sqlite)
    lists = [tickets_of(AGENTS[0]), loops_of(())]

    plans = [
        step
        for one in lists
        for question in (*gone_by(one, finding), *looked_up(one, ["u1", "u2"]))
        for step in plan_of(database, question, {})
    ]

    assert not [step for step in plans if "SCAN" in step or "Seq Scan" in step], plans
    walked = [step for one in lists for step in plan_of(database, next(gone_by(one, finding)), {})]
    assert not [step for step in walked if "TEMP B-TREE" in step], walked


async def test_who_looks_alike_is_the_same_in_a_file_and_in_a_database(
    database: Database, in_memory: TinyDirectory, clock: Clock
) -> None:
    await in_memory.refresh()
    _, people = await in_memory.find(Query(), clock.now, account=None, offset=0, limit=USERS)
    directory, found = SqlDirectory(database), {}

    for user in (one.user for one in people):
        theirs = [one.user for one in await directory.doubles(user, account=None, limit=USERS)]
        mine = await in_memory.doubles(user, account=None, limit=USERS)
        assert {one.id for one in theirs} == {one.user.id for one in mine}
        found[user.id] = {one.id for one in theirs}
        assert all(shape(one.name) == shape(user.name) for one in theirs if one.login != user.login)

    assert any(found.values())
    assert all(one in found[other] for one, others in found.items() for other in others)


@pytest.mark.parametrize("text", QUERIES)
async def test_a_query_finds_the_same_users_in_the_same_order(
    database: Database, in_memory: TinyDirectory, clock: Clock, text: str
) -> None:
    query, now = parse(text, PRODUCTS), clock.now
    await in_memory.refresh()
    expected = await in_memory.find(query, now, account=None, offset=0, limit=USERS)

    total, found = await SqlDirectory(database).find(
        query, now, account=None, offset=0, limit=USERS
    )

    assert total == expected[0]
    assert [one.user.id for one in found] == [one.user.id for one in expected[1]]


@pytest.mark.parametrize("total", [FEW, COUNTED])
@pytest.mark.parametrize("text", QUERIES)
async def test_whoever_is_found_among_many_is_found_in_the_same_order(
    database: Database, in_memory: TinyDirectory, clock: Clock, text: str, total: int
) -> None:
    """How they are read depends on how many there are; what is given does not."""
    query, now = parse(text, PRODUCTS), clock.now
    await in_memory.refresh()
    expected = await in_memory.find(query, now, account=None, offset=0, limit=40)
    asked = Finding(query, now, None, is_sqlite=database.is_sqlite).asked()

    with database.engine.connect() as connection:
        keys = keys_in(connection, asked, total, 0, 40)

    assert [f"u{key}" for key in keys] == [one.user.id for one in expected[1]]


@pytest.mark.parametrize("is_sqlite", [True, False])
@pytest.mark.parametrize(
    "texts", [("m", "pr"), ("maya", "o'b"), ("4830", "+44 7700"), ("m a", "o b"), ("-", "%")]
)
def test_a_question_for_words_of_one_kind_is_put_together_once(
    clock: Clock, texts: tuple[str, str], is_sqlite: bool
) -> None:
    one, other, another = (
        asked_for(parse(text, PRODUCTS), clock.now, None, is_sqlite=is_sqlite)
        for text in (*texts, "mar 4830 m")
    )

    assert one.counted is other.counted
    assert one.given != other.given
    assert another.counted is not one.counted
    assert one.piece == ("m" if texts[0] == "m" and not is_sqlite else "")


@pytest.mark.parametrize("agent", AGENTS, ids=lambda one: one.id)
async def test_a_queue_holds_the_same_users_in_the_same_order(
    database: Database, in_memory: TinyDirectory, clock: Clock, agent: Agent
) -> None:
    await in_memory.refresh()
    expected = await in_memory.queue(agent, clock.now, offset=0, limit=USERS)

    total, found = await SqlDirectory(database).queue(agent, clock.now, offset=0, limit=USERS)

    assert total == expected[0] > 0
    assert [one.user.id for one in found] == [one.user.id for one in expected[1]]


async def test_pages_of_a_list_follow_one_another_without_gap(
    database: Database, clock: Clock
) -> None:
    directory, query = SqlDirectory(database), parse("ma", PRODUCTS)
    whole = await directory.find(query, clock.now, account=None, offset=0, limit=60)

    pages = [
        await directory.find(query, clock.now, account=None, offset=offset, limit=7)
        for offset in range(0, 60, 7)
    ]

    names = [one.user.id for _, page in pages for one in page]
    assert names[:60] == [one.user.id for one in whole[1]]


ASKED = [
    *(text for text in QUERIES if text not in {"@", "-", "'", '"', "#", "é", "r_"}),
    "maya@northwind.example", "+447700900123",
]  # fmt: skip
"""What a person asks, but for a lone sign, which no index knows."""

BY_ALL = {"loop:no", "ticket:no", "channel:sms", "channel:totp", ""}
"""Of whom there are so many that reading them by their key soon gives a window."""


@pytest.mark.parametrize("total", [10, FEW, COUNTED])
@pytest.mark.parametrize("text", ASKED)
def test_no_question_reads_everybody(
    database: Database, clock: Clock, text: str, total: int
) -> None:
    asked = Finding(parse(text, PRODUCTS), clock.now, None, is_sqlite=database.is_sqlite).asked()

    plans = plans_of(database, asked, total)

    reads_all = [plan for plan in plans if "SCAN users" in plan or "Seq Scan on users" in plan]
    by_index = [plan for plan in reads_all if "USING" in plan and "INDEX" in plan]
    assert text in BY_ALL or reads_all == by_index, plans


@pytest.mark.parametrize("agent", AGENTS, ids=lambda one: one.id)
def test_no_queue_reads_everybody(database: Database, clock: Clock, agent: Agent) -> None:
    plans = plans_of(database, queue_of(agent, clock.now), COUNTED)

    assert plans
    assert not [plan for plan in plans if "SCAN users" in plan or "Seq Scan on users" in plan]


def plans_of(database: Database, asked: Asked, total: int) -> list[str]:
    """Return what the database says that it does for a window on so many, a step a line."""
    questions = [*asked.counted, *asked.stages(total)]
    given = {**asked.given, "limit": 50, "offset": 0, "reach": 50}
    return [step for one in questions for step in plan_of(database, one, given)]


def plan_of(database: Database, question: Any, given: Mapping[str, Any]) -> list[str]:
    """Return what the database says that it does for a question, a step a line."""
    asked: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        asked.append((statement, values))

    with database.engine.connect() as connection:
        if not database.is_sqlite:  # so few rows are read whole unless that is dear
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        event.listen(database.engine, "before_cursor_execute", note)
        connection.execute(question, given).all()
        event.remove(database.engine, "before_cursor_execute", note)
        explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        found = connection.exec_driver_sql(f"{explain} {asked[0][0]}", asked[0][1])
        return [str(row[-1]) for row in found]


def test_who_was_there_before_the_numbers_gets_the_same_ones(database: Database) -> None:
    step = import_module("helpdesk.stores.sql.migrations.versions.0002_find_by_state_and_heat")
    other = f"SELECT count(*) FROM users WHERE rank <> {step.RANK} OR heat <> {step.HEAT}"

    with database.engine.connect() as connection:
        assert connection.exec_driver_sql(other).scalar_one() == 0
        kinds = "SELECT count(DISTINCT rank), count(DISTINCT heat) FROM users"
        assert connection.exec_driver_sql(kinds).one() > (6, 30)


async def test_whose_ticket_is_closed_is_found_as_they_are_now(
    made: Path, tmp_path: Path, clock: Clock
) -> None:
    file = TinyFile(Path(shutil.copy(made, tmp_path)), clock)
    store = TinyStore(file)
    store.load()
    directory = TinyDirectory(file, store)
    await directory.refresh()
    query, all_ = parse("ticket:yes", PRODUCTS), len(store.agents) + USERS
    before = await directory.find(query, clock.now, account=None, offset=0, limit=all_)
    ticket = next(one for one in store.listed(Ticket).all if one.is_open)

    async with store.transaction():
        for each in store.listed(Ticket).all:
            if each.user == ticket.user and each.is_open:
                await store.keep(replace(each, closed_at=clock.now))
    await directory.refresh()

    after = await directory.find(query, clock.now, account=None, offset=0, limit=all_)
    number = parse(ticket.id, PRODUCTS)
    assert after[0] == before[0] - 1
    assert ticket.user not in [one.user.id for one in after[1]]
    found = await directory.find(number, clock.now, account=None, offset=0, limit=all_)
    assert ticket.user not in [one.user.id for one in found[1]]


KEPT = """
    SELECT piece, is_other, part * 4096 + unnest(keys) AS key FROM beginnings
    ORDER BY 1, 2, 3
"""
AFRESH = """
    SELECT piece, is_other, key FROM users, beginnings_of(words, name) ORDER BY 1, 2, 3
"""
CHANGES = (
    "UPDATE users SET words = 'maya zora', name = 'zora maya' WHERE key = 5",
    "UPDATE users SET name = 'maya' WHERE key = 5",
    "DELETE FROM users WHERE key BETWEEN 7 AND 12",
    "INSERT INTO users SELECT (jsonb_populate_record(users, "
    "jsonb_build_object('key', key + 5000, 'id', 'n' || id))).* FROM users WHERE key < 90",
)


@pytest.mark.parametrize("database", [pytest.param("postgresql", marks=POSTGRES)], indirect=True)
def test_who_begins_with_what_is_kept_up_by_every_change_of_users(database: Database) -> None:
    with database.engine.connect() as connection, connection.begin() as changing:
        for change in CHANGES:
            connection.exec_driver_sql(change)

        kept = connection.exec_driver_sql(KEPT).all()
        counted = connection.exec_driver_sql("SELECT sum(count) FROM beginnings").scalar_one()
        afresh = connection.exec_driver_sql(AFRESH).all()
        changing.rollback()

    assert ("zo", False, 5) not in kept  # the last of its names is maya alone
    assert ("zo", True, 5) in kept
    assert kept == afresh
    assert counted == len(kept) > 5_000
