"""A backup put back, and a database of the release before brought up to date, with live consoles.

Each gives its claims, and whether they hold: nothing that was acknowledged is gone but what the
backup is too old for, and that is said until a lead accepts it.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpdesk.config import Config
from helpdesk.domain.actions import Note
from helpdesk.domain.errors import BadInput, HelpdeskError, Tampered
from helpdesk.domain.search import Query
from helpdesk.gateway.line import Line
from helpdesk.gateway.remote import RemoteDesk
from helpdesk.gateway.server import Gateway
from helpdesk.hosting import SqlDesks
from helpdesk.service.inspecting import inspected
from helpdesk.service.offline import OfflineDesk
from helpdesk.service.syncing import synchronise
from helpdesk.stores.replica import Replica
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.migrations import migrate
from tests.gateway.serving import PLENTY, Spoken, Words, served
from tests.ports import free_port
from tests.reliability.process import at_home
from tests.sample import write_sample
from tests.sql import imported

Claims = dict[str, bool]

BEFORE = "0004"
ADDED = ("name_shape", "login_shape")
"""The release before: the version of its tables, and what was added to them since."""

ALARM = "rows were cut off"
WHY = "the backup of this morning was put back"


def now() -> datetime:
    """Give the present."""
    return datetime.now(UTC)


class Place:
    """A desk at one address over all its lives, and two consoles on it that stay.

    Args:
        place: Where its files are.
        store: The address of its database; empty for an SQLite file there.

    Attributes:
        console: A support agent's, which keeps what it saw.
        lead: A lead's.
    """

    def __init__(self, place: Path, store: str = "") -> None:
        place.mkdir(parents=True)
        self.place, self.file = place, place / "desk.db"
        self._store = store or f"sqlite:///{self.file}"
        self._port = free_port()

    async def join(self) -> None:
        """Open both consoles, while the desk answers."""
        url = f"http://127.0.0.1:{self._port}"
        self.lead = RemoteDesk(Line(url, Spoken("lee")))
        self.far = RemoteDesk(Line(url, Spoken("dana")))
        self.console = OfflineDesk(self.far, Replica(self.place / "replica"), now)
        self.console.patience_s = 5.0
        await self.console.open()

    @contextlib.contextmanager
    def gateway(self, *, is_new: bool = True) -> Iterator[None]:
        """Answer for a while; a new release brings the tables up to date first."""
        with closing(Database(self._store)) as database:
            if is_new:
                migrate(database)
            desks = SqlDesks(database, Config(), is_dev=False)
            app = Gateway(desks, Words(desks.agents, now), allowance=PLENTY).app()
            try:
                with served(app, socket.create_server(("127.0.0.1", self._port))):
                    yield
            finally:
                desks.close()

    async def note(self, text: str, key: str = "") -> None:
        """Write a note at the console."""
        await self.console.case("u1")
        await self.console.perform(Note(user="u1", text=text), key=key)

    async def rows(self) -> list[str]:
        """Give what was written, by what each row says, oldest first."""
        found = await self.lead.log(Query(), limit=500)
        return [row.says for row in reversed(found.rows) if row.act == "note"]

    def close(self) -> None:
        """End both consoles."""
        self.far.close()
        self.lead.close()


def restored(place: Path) -> Claims:
    """Put back a backup that was made while consoles wrote, and look what they say."""
    desk, claims = Place(place), Claims()
    imported(f"sqlite:///{desk.file}", write_sample(place / "sample.json"), now).close()
    copy = place / "backup.db"

    async def before() -> None:
        await desk.join()
        for number in range(5):
            await desk.note(f"kept {number}")
        with closing(sqlite3.connect(desk.file)) as live, closing(sqlite3.connect(copy)) as to:
            live.backup(to)
        for number in range(3):
            await desk.note(f"lost {number}")
        await desk.lead.checkpoint()
        await synchronise(desk.console, lambda *_: None)

    async def after() -> None:
        claims["what was acknowledged before the backup is in it"] = await desk.rows() == [
            f"kept {number}" for number in range(5)
        ]
        await desk.note("work goes on")
        await desk.lead.case("u1")
        claims["a console that stayed says that rows are gone"] = ALARM in desk.console.alarm
        claims["and so does the lead's"] = ALARM in desk.lead.alarm
        claims["no checkpoint is signed meanwhile"] = await _raises(Tampered, desk.lead.checkpoint)
        claims["a support agent cannot accept it"] = await _raises(
            HelpdeskError, lambda: desk.far.accept_log(WHY)
        )
        said = await desk.lead.accept_log(WHY)
        claims["the row names both logs"] = "in the place of" in said
        await desk.note("and on")
        await desk.lead.case("u1")
        claims["then nobody warns any more"] = not (desk.console.alarm or desk.lead.alarm)
        claims["and the log is sound"] = (await inspected(desk.lead)).is_sound
        await synchronise(desk.console, lambda *_: None)
        there = (await desk.console.case("u1")).tickets[0].notes
        claims["the console shows what the desk has"] = not any("lost" in one for one in there)

    async def all_of_it() -> None:
        with desk.gateway():
            await before()
        for beside in ("-wal", "-shm"):
            Path(f"{desk.file}{beside}").unlink(missing_ok=True)
        shutil.copy(copy, desk.file)
        with desk.gateway():
            await after()
        desk.close()

    with at_home(place):
        asyncio.run(all_of_it())
    return claims


def upgraded(place: Path) -> Claims:
    """Bring a database of the release before up to date, under consoles with open wishes."""
    desk, claims = Place(place), Claims()
    address = f"sqlite:///{desk.file}"
    imported(address, write_sample(place / "sample.json"), now).close()
    key, told = "k" * 32, dict[str, Any]()

    async def before() -> None:
        await desk.join()
        await desk.note("first", key)
        for number in range(4):
            await desk.note(f"old {number}")
        told["rows"], told["case"] = await desk.rows(), (await desk.lead.case("u1")).user
        told["note"] = await desk.lead.checkpoint()
        told["count"] = (await desk.lead.find(Query(), limit=1)).total

    async def after() -> None:
        await synchronise(desk.console, lambda *_: None)
        rows = await desk.rows()
        claims["no row is lost"] = rows[: len(told["rows"])] == told["rows"]
        claims["what waited is done once"] = rows.count("while it was down") == 1
        await desk.note("first", key)
        claims["a key of before gives its first answer"] = (await desk.rows()).count("first") == 1
        claims["nobody is lost"] = (await desk.lead.find(Query(), limit=1)).total == told["count"]
        claims["a case is as it was"] = (await desk.lead.case("u1")).user == told["case"]
        found = await inspected(desk.lead, told["note"])
        claims["the log fits the checkpoint of before"] = found.is_sound
        claims["nothing is wrong"] = not (desk.console.alarm or desk.lead.alarm)

    async def all_of_it() -> None:
        with desk.gateway():
            await before()
        _as_before(desk.file)
        fresh = _tables_of(place / "fresh.db")
        claims["the tables are those of the release before"] = _tables(desk.file) == fresh
        await desk.note("while it was down")
        claims["two that begin at once both succeed"] = both_migrate(address)
        with desk.gateway():
            await after()
        desk.close()

    with at_home(place):
        asyncio.run(all_of_it())
        claims["a database of a later release is refused in a sentence"] = _is_refused(desk.file)
    return claims


async def _raises(kind: type[Exception], ask: Callable[[], Any]) -> bool:
    try:
        await ask()
    except kind:
        return True
    return False


def _as_before(file: Path) -> None:
    """Make the tables of a database what they were in the release before."""
    with closing(sqlite3.connect(file)) as connection:
        for name in ADDED:
            connection.execute(f"DROP INDEX users_by_{name}")
            connection.execute(f"ALTER TABLE users DROP COLUMN {name}")
        for name in ("log_told", "tickets_by_agent", "tickets_taken", "loops_by_rounds"):
            connection.execute(f"DROP INDEX {name}")
        for name in ("agent", "rounds"):
            connection.execute(f"ALTER TABLE records DROP COLUMN {name}")
        connection.execute("UPDATE alembic_version SET version_num = ?", (BEFORE,))
        connection.commit()


def _tables(file: Path) -> dict[str, list[str]]:
    """Give the columns of every table, and the indexes by their names."""
    with closing(sqlite3.connect(file)) as connection:
        names = connection.execute("SELECT type, name FROM sqlite_master").fetchall()
        columns = {
            name: sorted(str(row[1:4]) for row in connection.execute(f"PRAGMA table_info({name})"))
            for kind, name in names
            if kind == "table" and not name.startswith("sqlite_")
        }
    return columns | {"indexes": sorted(name for kind, name in names if kind == "index")}


def _tables_of(file: Path) -> dict[str, list[str]]:
    """Give the same of a database that the steps up to the release before made."""
    with closing(Database(f"sqlite:///{file}")) as database:
        migrate(database, to=BEFORE)
    return _tables(file)


def both_migrate(address: str) -> bool:
    """Bring a database up to date from two sides at once; say whether neither failed."""
    wrong: list[Exception] = []

    def one() -> None:
        try:
            with closing(Database(address)) as database:
                migrate(database)
        except Exception as error:  # noqa: BLE001  (whatever it is)
            wrong.append(error)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return not wrong


def _is_refused(file: Path) -> bool:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    try:
        with closing(Database(f"sqlite:///{file}")) as database:
            migrate(database)
    except BadInput as error:
        return "newer" in str(error)
    except Exception:  # noqa: BLE001  (no sentence)
        return False
    return False
