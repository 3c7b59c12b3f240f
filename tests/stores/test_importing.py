"""A fixture into a database: whole, whatever breaks off in the middle, and with a sentence."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from helpdesk.config import Config
from helpdesk.domain.errors import BadFile, BadInput
from helpdesk.domain.search import parse
from helpdesk.fixture.make import make
from helpdesk.hosting import Wanted, desks_at, source_of
from helpdesk.progress import ProgressLine
from helpdesk.stores.sql.bulk import bulk
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.directory import SqlDirectory
from helpdesk.stores.sql.importing import Source, import_fixture, unfinished
from helpdesk.stores.sql.migrations import migrate
from helpdesk.stores.sql.schema import metadata
from tests import postgres
from tests.conftest import Clock

USERS = 60
AT_ONCE = 20
POSTGRES = pytest.mark.skipif(
    postgres.programs() is None and postgres.GIVEN not in os.environ, reason=postgres.MISSING
)

Make = Callable[[], Database]


class Interrupted(Exception):
    """Somebody ended the import."""


@pytest.fixture(scope="module")
def fixture_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated fixture of some hundred documents."""
    path = tmp_path_factory.mktemp("made") / "made.json"
    make(USERS, 3, path)
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=POSTGRES)])
def make_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Make empty databases of each kind."""
    made: list[Database] = []
    held = []

    def another() -> Database:
        if request.param == "sqlite":
            address = f"sqlite:///{tmp_path}/{len(made)}.db"
        else:
            held.append(postgres.database(request.getfixturevalue("server")))
            address = held[-1].__enter__()
        made.append(Database(address))
        migrate(made[-1])
        return made[-1]

    yield another
    for one in made:
        one.close()
    for each in held:
        each.__exit__(None, None, None)


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables, and what indexes and triggers there are."""
    kept = {
        name: f'SELECT * FROM "{name}" ORDER BY 1, 2' for name in metadata.tables if name != "pen"
    }
    kept["tickets so far"] = "SELECT ticket FROM pen"
    if database.is_sqlite:
        kept["indexes"] = "SELECT name, sql FROM sqlite_master ORDER BY name"
        kept["parts"] = "SELECT rowid FROM found WHERE found MATCH 'mar' ORDER BY rowid"
        kept["words"] = "SELECT rowid FROM begun WHERE begun MATCH 'm*' ORDER BY rowid"
    else:
        kept["indexes"] = "SELECT indexname, indexdef FROM pg_indexes ORDER BY indexname"
    with database.engine.connect() as connection:
        return {
            name: [tuple(row) for row in connection.execute(text(asked))]
            for name, asked in kept.items()
        }


def without_statistics(all_there: dict[str, Any]) -> dict[str, Any]:
    """Leave out the tables that `ANALYZE` makes."""
    found = [row for row in all_there["indexes"] if not row[0].startswith("sqlite_stat")]
    return all_there | {"indexes": [row for row in found if not row[0].startswith("pg_")]}


def test_an_import_leaves_every_index_as_the_migrations_made_it(
    make_database: Make, fixture_file: Path, clock: Clock
) -> None:
    fresh, filled = make_database(), make_database()
    before = without_statistics(everything(fresh))["indexes"]

    count = import_fixture(filled, source_of(fixture_file), clock)

    after = without_statistics(everything(filled))
    assert count == USERS == len(after["users"])
    assert "users_by_login" in {name for name, _ in after["indexes"]}
    assert after["indexes"] == before
    assert unfinished(filled) is None


async def test_who_was_imported_is_found_with_ticket_loop_and_number(
    make_database: Make, fixture_file: Path, clock: Clock
) -> None:
    database = make_database()
    tables = json.loads(fixture_file.read_text("utf-8"))
    ticket = next(one for one in tables["tickets"].values() if "closed_at" not in one)
    loop = next(iter(tables["loops"].values()))

    import_fixture(database, source_of(fixture_file), clock)

    directory = SqlDirectory(database)
    found = [
        await directory.find(parse(words, []), clock.now, account=None, offset=0, limit=100)
        for words in (f"#{ticket['id']}", "loop:yes")
    ]
    by_ticket, by_loop = ([entry.user.id for entry in one] for _, one in found)
    assert by_ticket == [ticket["user"]]
    assert loop["user"] in by_loop


@pytest.mark.parametrize("place", ["users.20", "users.47", "timelines.30", "tickets"])
def test_an_import_that_broke_off_goes_on_where_it_was(
    make_database: Make, fixture_file: Path, clock: Clock, place: str
) -> None:
    whole, broken = make_database(), make_database()
    import_fixture(whole, source_of(fixture_file), clock, at_once=AT_ONCE)
    with pytest.raises(Interrupted):
        import_fixture(broken, interrupted(fixture_file, place), clock, at_once=AT_ONCE)
    clock.go_on(hours=1)

    count = import_fixture(broken, source_of(fixture_file), clock, at_once=AT_ONCE)

    assert count == USERS
    assert without_statistics(everything(broken)) == without_statistics(everything(whole))


@pytest.mark.parametrize("what", ["who waits", "indexes: 9", "indexes: 2"])
def test_an_import_that_broke_off_at_its_end_goes_on_there(
    make_database: Make, fixture_file: Path, clock: Clock, what: str
) -> None:
    whole, broken = make_database(), make_database()
    import_fixture(whole, source_of(fixture_file), clock, at_once=AT_ONCE)

    def stop(line: str) -> None:
        if line.startswith(what):
            raise Interrupted

    with pytest.raises(Interrupted):
        import_fixture(broken, source_of(fixture_file), clock, stop, at_once=AT_ONCE)

    import_fixture(broken, source_of(fixture_file), clock, at_once=AT_ONCE)

    assert without_statistics(everything(broken)) == without_statistics(everything(whole))


def interrupted(path: Path, place: str) -> Source:
    """Return a file that is read up to a place only."""
    given = source_of(path)

    def documents() -> Iterator[tuple[str, str, Any]]:
        for table, key, document in given.documents:
            if f"{table}.{key}".rstrip(".") == place:
                raise Interrupted
            yield table, key, document

    return Source(name=given.name, mark=given.mark, documents=documents())


def test_a_desk_does_not_open_on_half_of_its_people(
    fixture_file: Path, clock: Clock, tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path}/desk.db"
    with closing(Database(store)) as database:
        migrate(database)
        with pytest.raises(Interrupted):
            import_fixture(database, interrupted(fixture_file, "users.47"), clock, at_once=AT_ONCE)

    with pytest.raises(BadInput, match=r"only in part, \d+ users. Go on with: helpdesk serve --im"):
        desks_at(Wanted(store=store), Config())


def test_of_another_file_than_the_one_that_broke_off_all_is_imported_anew(
    make_database: Make, fixture_file: Path, clock: Clock, tmp_path: Path
) -> None:
    whole, broken = make_database(), make_database()
    other = tmp_path / "other.json"
    make(USERS + 1, 4, other)
    import_fixture(whole, source_of(other), clock)
    with pytest.raises(Interrupted):
        import_fixture(broken, interrupted(fixture_file, "users.47"), clock, at_once=AT_ONCE)

    import_fixture(broken, source_of(other), clock)

    assert without_statistics(everything(broken)) == without_statistics(everything(whole))


def test_where_people_are_nobody_is_imported(
    make_database: Make, fixture_file: Path, clock: Clock
) -> None:
    database = make_database()
    import_fixture(database, source_of(fixture_file), clock)

    with pytest.raises(BadInput, match=r"holds people already: .* leave the import out"):
        import_fixture(database, source_of(fixture_file), clock)


@POSTGRES
def test_of_two_who_import_at_once_the_second_is_told(
    server: str, fixture_file: Path, clock: Clock
) -> None:
    with postgres.database(server) as address, closing(Database(address)) as database:
        migrate(database)

        with bulk(database), pytest.raises(BadInput, match="somebody imports into it already"):
            import_fixture(database, source_of(fixture_file), clock)


def _cut(tables: dict[str, Any], data: bytes) -> bytes:
    return data[: data.index(b'"u50"')]


def _user_without_name(tables: dict[str, Any], data: bytes) -> bytes:
    del tables["users"]["31"]["name"]
    return json.dumps(tables).encode()


def _two_of_one_id(tables: dict[str, Any], data: bytes) -> bytes:
    tables["users"]["31"]["id"] = "u30"
    return json.dumps(tables).encode()


def _events_of_no_kind(tables: dict[str, Any], data: bytes) -> bytes:
    tables["timelines"]["7"]["events"] = ["x"]
    return json.dumps(tables).encode()


def _no_time(tables: dict[str, Any], data: bytes) -> bytes:
    tables["meta"]["1"]["now"] = "soon"
    return json.dumps(tables).encode()


def _users_first(tables: dict[str, Any], data: bytes) -> bytes:
    return json.dumps({"meta": tables.pop("meta"), "users": tables.pop("users")} | tables).encode()


def _nothing(tables: dict[str, Any], data: bytes) -> bytes:
    return b""


def _no_tables(tables: dict[str, Any], data: bytes) -> bytes:
    return b"{}"


def _hostile_table(tables: dict[str, Any], data: bytes) -> bytes:
    return json.dumps(tables | {"keep": {"9" * 30: {}}}).encode()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_cut, "line 73: the file ends in the middle"),
        (_user_without_name, r"users\.31: Object missing required field `name`"),
        (_two_of_one_id, r"users\.\d+ to users\.\d+: cannot be kept: .*(UNIQUE|unique)"),
        (_events_of_no_kind, r"timelines\.7\.events: is not a list of events"),
        (_no_time, r"meta\.1\.now: is not a time"),
        (_users_first, "users: stands before accounts"),
        (_nothing, "the file is empty"),
        (_no_tables, r"meta\.1\.format: is no desk's file"),
        (_hostile_table, r"keep\.9+…?: a document's key is a whole number"),
    ],
)
def test_a_damaged_file_is_named_with_the_place_and_can_be_imported_once_it_is_whole(
    make_database: Make,
    fixture_file: Path,
    clock: Clock,
    tmp_path: Path,
    damage: Callable[[dict[str, Any], bytes], bytes],
    says: str,
) -> None:
    database, path = make_database(), tmp_path / "damaged.json"
    data = fixture_file.read_bytes()
    path.write_bytes(damage(copy.deepcopy(json.loads(data)), data))

    with pytest.raises(BadFile, match=says):
        import_fixture(database, source_of(path), clock, at_once=AT_ONCE)

    assert import_fixture(database, source_of(fixture_file), clock) == USERS


def test_how_far_it_is_is_told_while_it_reads(
    make_database: Make, fixture_file: Path, clock: Clock
) -> None:
    told: list[str] = []
    at_the_last: list[str] = []
    given = source_of(fixture_file)

    def documents() -> Iterator[tuple[str, str, Any]]:
        for one in given.documents:
            at_the_last[:] = told
            yield one

    source = Source(name=given.name, mark=given.mark, documents=documents())
    import_fixture(make_database(), source, clock, told.append, at_once=AT_ONCE)

    assert any(line.endswith(f"{USERS} of {USERS} users") for line in at_the_last)


class Screen:
    """A stream that keeps what is written to it."""

    def __init__(self, *, is_terminal: bool) -> None:
        self.is_terminal, self.text = is_terminal, ""

    def isatty(self) -> bool:
        return self.is_terminal

    def write(self, words: str) -> None:
        self.text += words

    def flush(self) -> None:
        """Nothing is held back."""


@pytest.mark.parametrize(("is_terminal", "shown"), [(True, "\rtwo\x1b[K\n"), (False, "two\n")])
def test_a_progress_line_is_not_told_for_what_is_quick(is_terminal: bool, shown: str) -> None:
    screen, time = Screen(is_terminal=is_terminal), [0.0]
    line = ProgressLine(screen, lambda: time[0])

    line.tell("one")
    time[0] = 60
    line.tell("two")
    line.tell("three")
    line.end()

    assert screen.text == shown
