"""A long log, its rows bound to one another, with checkpoints: in a database, or in a file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import delete, select

from helpdesk.config import Config, data_directory
from helpdesk.domain.agents import Role
from helpdesk.domain.audit import LOOK, LogRow, Result
from helpdesk.domain.chain import Entry, Noted, Tree, sealed
from helpdesk.domain.checkpoints import ORIGIN, checkpoint_body
from helpdesk.domain.inspection import EVERY_ROWS
from helpdesk.hosting import Wanted, desks_at
from helpdesk.stores.keys import Keys
from helpdesk.stores.sql.bulk import Bulk, bulk
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.log import log_row
from helpdesk.stores.sql.schema import checkpoints, log, users
from tests.bench.hosted import AGENTS, SQLITE, Hosted
from tests.bench.many import recruit
from tests.bench.run import Run
from tests.reliability.process import at_home

ACTS: Final = (*["send-code"] * 25, *[LOOK] * 50, *["note"] * 15, *["unlock"] * 9, "reset-factor")
REASONS: Final = ("lost the phone", "asked twice", "a new device", "the code came late", "")
ORIGIN_: Final = f"{ORIGIN}{'0' * 16}"
PEOPLE: Final = 5_000
"""So many users are acted on in turn."""

AT_ONCE: Final = 8_192
EVERY_S: Final = 17
"""Seconds from one row to the next."""

RARE: Final = 9
"""So many rows have a ticket that begins with `rare-`."""


@contextmanager
def logged(run: Run, rows: int) -> Iterator[Hosted]:
    """Give a store with a log of so many rows, made where there is none yet."""
    kept = run.data / f"log-{rows}"
    if not kept.exists():
        part = run.data / f"log-{rows}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        store = f"sqlite:///{part}/desk.db"
        with at_home(part):
            desks_at(Wanted(store=store, imported=run.fixture(1_000)), Config()).close()
        with closing(Database(store)) as database:
            recruit(database, AGENTS)
            lengthen(database, part, rows)
        part.rename(kept)
    home = run.home() / "log"
    shutil.copytree(kept, home)
    try:
        yield Hosted(SQLITE, f"sqlite:///{home}/desk.db", home, 1_000)
    finally:
        shutil.rmtree(home)


def filed(run: Run, rows: int, home: Path) -> Path:
    """Give a fixture with a log of so many rows, signed by the keys of somebody with this home."""
    path = run.fixture(1_000)
    tables = json.loads(path.read_text("utf-8"))
    people = [(one["id"], one["name"]) for one in tables["users"].values()]
    made = [entry for _, _, entry in _made(Keys(home), people, rows)]
    tables["log"] = {str(n): msgspec.to_builtins(entry) for n, entry in enumerate(made, 1)}
    texts = [entry.row for entry in made]
    notes = enumerate(_signed(Keys(home), texts, rows), 1)
    tables["checkpoints"] = {str(n): msgspec.to_builtins(note) for n, note in notes}
    path.write_text(json.dumps(tables), "utf-8")
    return path


def lengthen(database: Database, home: Path, rows: int) -> None:
    """Put a log of so many rows in the place of the one there is, signed by the keys of a home.

    The last is of this moment.
    """
    with at_home(home):
        keys = Keys(data_directory())
    with bulk(database) as filling:
        people = filling.connection.execute(select(users.c.id, users.c.name).limit(PEOPLE)).all()
        later = [one for one in filling.bare(log) if "log" in one]
        filling.connection.execute(delete(log))
        filling.connection.execute(delete(checkpoints))
        made = _made(keys, [(user, name) for user, name in people], rows)
        while some := [*islice(made, AT_ONCE)]:
            place = some[0][0].seq - 1
            filling.add(
                log,
                [
                    log_row(row, name, msgspec.json.encode(entry), place + number)
                    for number, (row, name, entry) in enumerate(some)
                ],
            )
            filling.commit()
        for statement in later:
            filling.connection.exec_driver_sql(statement)
        _note(filling, keys, rows)
        filling.plan()


def _made(
    keys: Keys, people: list[tuple[str, str]], rows: int
) -> Iterator[tuple[LogRow, str, Entry]]:
    first = datetime.now(UTC) - timedelta(seconds=EVERY_S * rows)
    before = None
    for seq in range(1, rows + 1):
        user, name = people[seq * 7 % len(people)]
        is_rare = seq % max(1, rows // RARE) == 0
        act = "note" if is_rare else ACTS[seq * 37 % len(ACTS)]
        row = LogRow(
            seq=seq,
            at=first + timedelta(seconds=EVERY_S * seq),
            agent=f"agent-{seq % 50}",
            role=Role.SUPPORT,
            act=act,
            user=user,
            result=Result.REFUSED if seq % 11 == 0 else Result.DONE,
            says="" if act == LOOK else "It was done as the card says.",
            reason="" if act == LOOK else REASONS[seq % len(REASONS)],
            ticket=f"rare-{seq}" if is_rare else f"{1_000 + seq % 9_000}",
        )
        entry = sealed(row, before, keys, salt=f"{seq:032x}", log=ORIGIN_)
        yield row, name, entry
        before = entry


def _note(filling: Bulk, keys: Keys, rows: int) -> None:
    asked = select(log.c.body).order_by(log.c.place)
    streamed = filling.connection.execution_options(yield_per=AT_ONCE).execute(asked)
    texts = (msgspec.json.decode(body, type=Entry).row for body in streamed.scalars())
    noted = [
        {"n": n, "note": one.note, "made": one.made}
        for n, one in enumerate(_signed(keys, texts, rows), 1)
    ]
    filling.add(checkpoints, noted)


def _signed(keys: Keys, texts: Iterable[str], rows: int) -> Iterator[Noted]:
    """Sign a checkpoint of every so many rows, and of all."""
    wanted = {*range(EVERY_ROWS, rows, EVERY_ROWS), rows}
    for size, root in Tree().extend(texts, wanted).items():
        note = keys.signed(ORIGIN_, checkpoint_body(ORIGIN_, size, root))
        yield Noted(note=note, made=datetime.now(UTC))
