"""A PostgreSQL of the release before, brought up to date while that release still works on it.

tables of before ─▶ gateway, two consoles, renamed users ─▶ two begin to migrate ─▶ gateway of now

The gateway is the same program: what it does on these tables is what the release before did.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Final

from helpdesk.domain.actions import Note
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.search import Query
from helpdesk.hosting import source_of
from helpdesk.service.inspecting import inspected
from helpdesk.service.syncing import synchronise
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.importing import import_fixture
from helpdesk.stores.sql.migrations import migrate
from tests.bench.many import multiply
from tests.reliability.process import at_home
from tests.reliability.restoring import Claims, Place, both_migrate, now
from tests.sample import write_sample
from tests.stores.test_finding import AFRESH, KEPT

BEFORE: Final = "0007"
"""The tables of the release before."""

PEOPLE: Final = 5_000
"""Users: enough that others come in between while it is brought up to date."""

RENAMED: Final = """
    UPDATE users SET name = 'zora ' || name, words = 'zora ' || words WHERE key = {key}
"""
EACH: Final = 10
"""What each does before, and again after, the tables are brought up to date; they never stop."""


class Work:
    """What goes on all the while, until it is told to stop.

    Attributes:
        noted: What was acknowledged, by its words.
        renamed: How many users were renamed.
    """

    def __init__(self, desk: Place, address: str) -> None:
        self.desk, self.address = desk, address
        self.noted: list[str] = []
        self.renamed, self.is_over = 0, False

    async def at_the_console(self) -> None:
        """Write notes at a console that keeps what it cannot send."""
        while not self.is_over:
            text = f"kept {len(self.noted)}"
            await self.desk.note(text)
            self.noted.append(text)

    async def at_the_line(self) -> None:
        """Write notes at a console that keeps nothing, each until it is acknowledged."""
        number = 0
        while not self.is_over:
            number, text = number + 1, f"sent {number}"
            while text not in self.noted:
                try:
                    await self.desk.lead.case("u2")
                    await self.desk.lead.perform(Note(user="u2", text=text), key=f"{number:032}")
                    self.noted.append(text)
                except HelpdeskError:
                    await asyncio.sleep(0.05)

    def rename(self) -> None:
        """Rename one user after the other; blocking."""
        with closing(Database(self.address)) as database, database.engine.connect() as connection:
            keys = connection.exec_driver_sql("SELECT key FROM users ORDER BY key DESC").scalars()
            for key in keys.all():
                if self.is_over:
                    return
                connection.exec_driver_sql(RENAMED.format(key=key))
                connection.commit()
                self.renamed += 1

    async def goes_on(self) -> None:
        """Wait until each of them has done more."""
        noted, renamed = len(self.noted), self.renamed
        while len(self.noted) < noted + EACH or self.renamed < renamed + EACH:
            await asyncio.sleep(0.01)


def upgraded_beneath(place: Path, address: str) -> Claims:
    """Bring a database of the release before up to date while a gateway and consoles work on it.

    Args:
        place: Where keys and files are kept.
        address: An empty database.
    """
    desk, claims, key = Place(place, address), Claims(), "k" * 32
    with closing(Database(address)) as database:
        migrate(database, to=BEFORE)
        import_fixture(database, source_of(write_sample(place / "sample.json")), now)
        multiply(database, PEOPLE)
    work = Work(desk, address)

    async def before() -> tuple[str, int]:
        await desk.join()
        await desk.note("first", key)
        return await desk.lead.checkpoint(), (await desk.lead.find(Query(), limit=1)).total

    async def meanwhile() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(work.at_the_console())
            group.create_task(work.at_the_line())
            group.create_task(asyncio.to_thread(work.rename))
            await work.goes_on()
            claims["two that begin at once both succeed"] = await asyncio.to_thread(
                both_migrate, address
            )
            await work.goes_on()
            work.is_over = True

    async def after(note: str, total: int) -> None:
        await synchronise(desk.console, lambda *_: None)
        rows = await desk.rows()
        claims["each note is there once"] = sorted(rows) == sorted(["first", *work.noted])
        await desk.note("first", key)
        claims["a key of before gives its first answer"] = (await desk.rows()).count("first") == 1
        claims["nobody is lost"] = (await desk.lead.find(Query(), limit=1)).total == total
        claims["the log fits the checkpoint of before"] = (
            await inspected(desk.lead, note)
        ).is_sound
        claims["nothing is wrong"] = not (desk.console.alarm or desk.lead.alarm)

    async def all_of_it() -> None:
        with desk.gateway(is_new=False):
            told = await before()
            await meanwhile()
        with desk.gateway():
            await after(*told)
        desk.close()

    with at_home(place):
        asyncio.run(all_of_it())
    with closing(Database(address)) as database, database.engine.connect() as connection:
        kept, afresh = (connection.exec_driver_sql(words).all() for words in (KEPT, AFRESH))
    claims["every change of a user meanwhile is kept up"] = kept == afresh
    return claims
