"""What `helpdesk serve` answers with: the desks of all agents on one store, chosen and filled."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct

from helpdesk.assets import DEMO as BUNDLED
from helpdesk.config import Config, config_directory, data_directory
from helpdesk.connectors.demo import DemoConnector
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.audit import LogRow
from helpdesk.domain.chain import ChainedRow, Entry
from helpdesk.domain.errors import BadInput, NoRecord, Unreachable
from helpdesk.domain.learning import learn
from helpdesk.domain.text import clean, counted
from helpdesk.domain.timeline import KINDS
from helpdesk.domain.users import Account, User
from helpdesk.domain.withdrawals import Withdrawal
from helpdesk.fixture.scan import documents
from helpdesk.products import load_cards
from helpdesk.progress import ProgressLine
from helpdesk.providing import People, people_at
from helpdesk.service.ages import Ages, since_boot
from helpdesk.service.desk import Desk
from helpdesk.service.diagnosing import Found
from helpdesk.service.keeping import Keeping
from helpdesk.service.local import LocalDesk
from helpdesk.service.provided import ProvidedDirectory
from helpdesk.service.recording import Recorder
from helpdesk.service.telling import Telling
from helpdesk.service.witness import Watched
from helpdesk.stores.atomic import AtomicStorage
from helpdesk.stores.base import TABLES, Directory, Lulls, no_lull
from helpdesk.stores.keys import Keys
from helpdesk.stores.seen import Seen
from helpdesk.stores.sql.ahead import reading
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.directory import SqlDirectory
from helpdesk.stores.sql.documents import SqlDocuments
from helpdesk.stores.sql.importing import (
    Source,
    import_fixture,
    is_empty,
    is_invented,
    unfinished,
)
from helpdesk.stores.sql.leaving import SqlWithdrawals
from helpdesk.stores.sql.migrations import migrate
from helpdesk.stores.sql.own import belong, people_of
from helpdesk.stores.sql.reads import LAG_S, FromReplica, replica_at
from helpdesk.stores.sql.record import SqlStore
from helpdesk.wiring import agent_named, clock, kept_tickets, mail_sender

PORT: Final = 8765


THE_DESK: Final = Agent(id="desk", name="The desk itself", role=Role.LEAD)
"""Who does the chores of all desks; every row they write is in another's name."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What the command line asks for.

    Attributes:
        desk: The provider that people are kept at, by its address, a profile's name, or
            `connectors`; empty where they are in the store.
        store: Where the desk's own record is kept; empty for a file of this machine.
        imported: A fixture to begin with; None to go on with what is there.
        is_dev: Whether agents sign in here, with one-time codes.
        read_from: A replica of a PostgreSQL store, which lists are read from; empty for none.
        read_lag_s: How old a list may be then, in seconds.
    """

    desk: str = ""
    store: str = ""
    read_from: str = ""
    read_lag_s: float = LAG_S
    imported: Path | None = None
    host: str = "127.0.0.1"
    port: int = PORT
    is_dev: bool = False


class SqlDesks:
    """The desks of all agents on one database.

    Several gateways may stand on it: what one of them writes, the others see.

    Args:
        people: Where people are kept; None where the database has them.
    """

    def __init__(
        self,
        database: Database,
        config: Config,
        *,
        is_dev: bool,
        replica: FromReplica | None = None,
        people: People | None = None,
    ) -> None:
        self._database, self._config, self._people = database, config, people
        self._undone = contextlib.ExitStack()
        self._undone.callback(database.close)
        learn((User, Account, Agent, Entry, LogRow, ChainedRow, *TABLES, *KINDS.values()))
        self._cards = people.cards if people else load_cards(config_directory() / "products")
        self._store = SqlStore(database)
        self._directory: Directory = SqlDirectory(database, replica)
        # Of a replica, and of a provider elsewhere, the count of changes does not tell.
        is_here = people is None and replica is None
        self._lulls: Lulls = reading(database) if is_here else no_lull
        if people is not None:
            self._directory = ProvidedDirectory(people.provider, self._store)
        self._connector = people.provider if people else DemoConnector(SqlDocuments(database))
        self._keys, self._watched = Keys(data_directory()), Watched()
        self._told, self._withdrawals = "", SqlWithdrawals(database)
        self._witness = Seen(data_directory(), database.place)
        self._found, self._ages = Found(), Ages(since_boot)
        self._desks: dict[Agent, LocalDesk] = {}
        self._store.load()
        self._is_demo = is_invented(database)
        label = "DEMO DATA" if self._is_demo else "GATEWAY"
        label = clean(people.name, limit=40).upper() if people else label
        self._label = f"{label} · DEV SIGN-IN" if is_dev else label
        self._sender = None if self._is_demo else mail_sender(config)
        self._parts = contextlib.ExitStack()
        self._ticketing = self._parts.enter_context(
            kept_tickets(config, self._store, self._directory, is_invented=self._is_demo)
        )
        self._keeping = self._chores_of_all()

    @property
    def agents(self) -> Sequence[Agent]:
        """The agents that came with the people."""
        return self._store.agents

    def desk(self, agent: Agent) -> Desk:
        """Give the desk of an agent."""
        return self._local(agent)

    def _local(self, agent: Agent) -> LocalDesk:
        if agent not in self._desks:
            self._desks[agent] = self._opened(agent)
        return self._desks[agent]

    async def ready(self) -> None:
        """Raise where the database does not answer."""
        await self._store.refresh()

    async def chores(self) -> None:
        """Carry out what waited long enough, and hold the log against what was seen.

        Raises:
            NoRecord: It is not the one that was seen before; raised once.
        """
        lead = self._local(agent_named(Role.LEAD, self.agents))
        await lead.watch()
        await lead.carry_out_due()
        alarm, told = self._watched.alarm, self._told
        self._told = alarm
        if alarm not in {"", told}:
            raise NoRecord(f"The database {self._database.name}: {alarm}")

    async def withdrawals(self) -> Sequence[Withdrawal]:
        """Give who and which sign-ins count no more, at any gateway on this database."""
        return await self._withdrawals.all()

    async def withdraw(self, withdrawal: Withdrawal) -> None:
        """Keep one more."""
        async with self._store.transaction():
            await self._withdrawals.keep(withdrawal, clock())

    def close(self) -> None:
        """End all desks; blocking."""
        for desk in self._desks.values():
            desk.close()
        self._parts.close()
        self._undone.close()

    def close_with(self, undone: contextlib.ExitStack) -> None:
        """Close these with the desks, the database among them."""
        self._undone = undone

    def _chores_of_all(self) -> Keeping:
        keys, witness, watched = self._keys, self._witness, self._watched
        recorder = Recorder(THE_DESK, self._store, clock, keys, witness, watched)
        lock = asyncio.Lock()
        telling = Telling(self._store, clock, lock, self._sender)
        return Keeping(self._store, recorder, lock, telling)

    def _directory_of_one(self) -> Directory:
        """What an agent finds people in: what a provider leaves out is said to whoever asked."""
        if self._people is None:
            return self._directory
        return ProvidedDirectory(self._people.provider, self._store)

    def _opened(self, agent: Agent) -> LocalDesk:
        config = self._config
        return LocalDesk(
            agent=agent,
            cards=self._cards,
            connector=self._connector,
            store=self._store,
            directory=self._directory_of_one(),
            clock=clock,
            label=self._label,
            is_demo=self._is_demo,
            keys=self._keys,
            witness=self._witness,
            watched=self._watched,
            keeping=self._keeping,
            found=self._found,
            ages=self._ages,
            sender=self._sender,
            contact=config.mail.contact if config.mail else "",
            is_gated=config.prove_callers,
            hold=timedelta(minutes=config.hold_minutes),
            ticketing=self._ticketing,
            lulls=self._lulls,
        )


def desks_at(wanted: Wanted, config: Config) -> SqlDesks:
    """Return the desks on the store that is asked for: the one place where it is chosen.

    Without a word it is SQLite in the data directory. An empty one is filled with what is
    imported, else with the demo.

    Raises:
        BadInput: There is no such kind of store, or it holds other people already, or only a part
            of those that were to be imported.
    """
    file = "gateway-provider.db" if wanted.desk else "gateway.db"
    database = Database(wanted.store or f"sqlite:///{data_directory() / file}")
    with contextlib.ExitStack() as undone:
        undone.callback(database.close)
        people = undone.enter_context(_people(wanted, config)) if wanted.desk else None
        replica = None
        if wanted.read_from:
            if database.is_sqlite:
                raise BadInput("--read-from needs a --store of PostgreSQL: SQLite has no replica.")
            if people is not None:
                raise BadInput("--read-from is for people in the store: these are at a provider.")
            replica = FromReplica(database, replica_at(wanted.read_from), wanted.read_lag_s)
            undone.callback(replica.close)
        migrate(database)
        if people is not None:
            belong(database, people.name, config.agents or _some_agents())
        else:
            _fill(database, wanted)
        desks = SqlDesks(database, config, is_dev=wanted.is_dev, replica=replica, people=people)
        desks.close_with(undone.pop_all())
    return desks


def _people(wanted: Wanted, config: Config) -> contextlib.AbstractContextManager[People]:
    if wanted.imported is not None:
        raise BadInput("--import is for people in the store: these are at a provider.")
    return people_at(config, wanted.desk)


def _some_agents() -> tuple[Agent, ...]:
    """One agent of each role, where the settings name nobody: for `--dev`."""
    return tuple(agent_named(role, ()) for role in Role)


def _fill(database: Database, wanted: Wanted) -> None:
    """Import what is asked for, or the demo where there is nobody."""
    kept = people_of(database)
    if kept:
        raise BadInput(
            f"This store is the record of {clean(kept, limit=100)}: serve it with --desk, or name "
            "another one with --store."
        )
    left = unfinished(database)
    if left is not None and wanted.imported is None:
        raise BadInput(
            f"{clean(left.file)} was imported only in part, {counted(left.people, 'user')}. Go on "
            f"with: helpdesk serve --import {clean(left.file)}"
        )
    if wanted.imported is None and not is_empty(database):
        return
    path = wanted.imported or BUNDLED
    if not path.exists():
        raise BadInput(f"{clean(str(path))}: there is no such file to import.")
    progress = ProgressLine(sys.stderr)
    try:
        import_fixture(database, source_of(path), clock, progress.tell)
    finally:
        progress.end()


def source_of(path: Path) -> Source:
    """Return a file as it is imported; it is read as it is asked for, and not changed.

    Changes that lie beside a long file are written into it first.

    Raises:
        Unreachable: It cannot be read.
    """
    AtomicStorage(str(path)).settle()
    try:
        with path.open("rb") as file:
            begin = hashlib.sha256(file.read(1 << 20)).hexdigest()
            mark = f"{os.fstat(file.fileno()).st_size} {begin}"
    except OSError as error:
        raise Unreachable(f"{clean(str(path))}: {error.strerror}.") from error
    return Source(name=str(path), mark=mark, documents=documents(path))
