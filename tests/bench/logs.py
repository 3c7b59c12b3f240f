"""A long log in a database: rows bound to one another, with checkpoints, written in bulk.

python -m tests.bench.logs STORE HOME ROWS
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import delete, select

from helpdesk.config import data_directory
from helpdesk.domain.agents import Role
from helpdesk.domain.audit import LOOK, LogRow, Result
from helpdesk.domain.chain import Entry, Noted, Tree, sealed
from helpdesk.domain.checkpoints import ORIGIN, checkpoint_body
from helpdesk.domain.inspection import EVERY_ROWS
from helpdesk.stores.keys import Keys
from helpdesk.stores.sql.bulk import Bulk, bulk
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.record import log_row
from helpdesk.stores.sql.schema import checkpoints, log, users
from tests.reliability.process import at_home

ACTS: Final = (*["send-code"] * 25, *[LOOK] * 50, *["note"] * 15, *["unlock"] * 9, "reset-factor")
REASONS: Final = ("lost the phone", "asked twice", "a new device", "the code came late", "")
PEOPLE: Final = 5_000
"""So many users are acted on in turn."""

AT_ONCE: Final = 8_192
EVERY_S: Final = 17
"""Seconds from one row to the next."""

RARE: Final = 100_003
"""Every so manieth row has a ticket that no other has: `rare-`, and its number."""


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
        act = ACTS[seq * 37 % len(ACTS)]
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
            ticket=f"rare-{seq}" if seq % RARE == 0 else f"{1_000 + seq % 9_000}",
        )
        entry = sealed(row, before, keys, salt=f"{seq:032x}", log=f"{ORIGIN}{'0' * 16}")
        yield row, name, entry
        before = entry


def _note(filling: Bulk, keys: Keys, rows: int) -> None:
    """Sign a checkpoint of every so many rows, and of all."""
    tree, origin = Tree(), f"{ORIGIN}{'0' * 16}"
    wanted, noted = {*range(EVERY_ROWS, rows, EVERY_ROWS), rows}, list[dict[str, Any]]()
    asked = select(log.c.body).order_by(log.c.place)
    texts = (
        msgspec.json.decode(body, type=Entry).row
        for body in filling.connection.execution_options(yield_per=AT_ONCE).execute(asked).scalars()
    )
    for size, root in tree.extend(texts, wanted).items():
        note = keys.signed(origin, checkpoint_body(origin, size, root))
        kept = Noted(note=note, made=datetime.now(UTC))
        noted.append({"n": len(noted) + 1, "note": kept.note, "made": kept.made})
    filling.add(checkpoints, noted)


if __name__ == "__main__":
    with closing(Database(sys.argv[1])) as store:
        lengthen(store, Path(sys.argv[2]), int(sys.argv[3]))
