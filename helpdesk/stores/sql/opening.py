"""Opening a database by its address: what it is, how long one waits for it, how durable it is."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from helpdesk.domain.errors import BadInput
from helpdesk.domain.text import clean

KINDS: Final = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
"""The databases that are known, and with what they are spoken to."""

BUSY_S: Final = 10
"""How long one waits for the pen of another process."""

PORT: Final = 5432

HIDDEN: Final = ("password", "sslpassword")
"""What PostgreSQL also takes after the `?`, and no sentence shows."""

PATIENCE: Final = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    # Of a gateway whose machine went away: it holds the pen no longer.
    # Of one that holds it and answers no more: one waits for the pen as long as with SQLite.
    # No question of ours lasts so long that compiling it is worth the time that takes.
    "options": "-c idle_in_transaction_session_timeout=60000 -c jit=off"
    f" -c lock_timeout={BUSY_S * 1_000}",
}
"""How long a silent PostgreSQL is believed in, unless its address says otherwise: so that another
server is asked in seconds, not in hours."""


def engine_at(address: str, patience: Mapping[str, Any]) -> Engine:
    """Return what gives connections to the database at an address; *patience* is for a server.

    Raises:
        BadInput: The address is none of a database that is known.
    """
    kind = address.partition(":")[0]
    if kind not in KINDS:
        raise BadInput(
            f"{_shown(address)} is no address of a database; say sqlite:///FILE or postgresql://…"
        )
    try:
        url = make_url(_one_by_one(address)).set(drivername=KINDS[kind])
        if kind == "postgresql":
            given = {name: value for name, value in patience.items() if name not in url.query}
            server = create_engine(
                url, connect_args=given, pool_size=10, max_overflow=20, pool_pre_ping=True
            )
            event.listen(server, "connect", _reading_ahead)
            event.listen(server, "do_execute", _planned_anew)
            return server
        if url.database and not url.database.startswith((":", "file:")):
            _make_private(Path(url.database))
        engine = create_engine(url, connect_args={"timeout": BUSY_S}, pool_size=10)
    except (ArgumentError, NoSuchModuleError, OSError, ValueError) as error:
        raise BadInput(f"{_shown(address)}: {clean(str(error), limit=200)}") from error
    event.listen(engine, "connect", _prepared)
    return engine


def _shown(address: str) -> str:
    """Return an address as it may be shown: without what stands before the host, and after `?`."""
    kind, mark, rest = address.partition("://")
    plain = rest.rpartition("@")[2].partition("?")[0]
    return clean(f"{kind}{mark}{plain}" if mark else kind.partition(":")[0], limit=60)


def _make_private(path: Path) -> None:
    """Make a database's file that nobody else may read; those that SQLite puts beside it follow."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _one_by_one(address: str) -> str:
    """Return an address of several servers, as PostgreSQL writes it, as SQLAlchemy reads it.

    `postgresql://desk@one:5432,two:5432/desk` names each host beside the database.
    """
    kind, _, rest = address.partition("://")
    place = re.search(r"[/?]", rest)
    network, path = (rest[: place.start()], rest[place.start() :]) if place else (rest, "")
    who, at, hosts = network.rpartition("@")
    if "," not in hosts:
        return address
    each = "&".join(
        f"host={host if ':' in host else f'{host}:{PORT}'}" for host in hosts.split(",")
    )
    name, _, more = path.partition("?")
    return f"{kind}://{who}{at}{name or '/'}?{each}{f'&{more}' if more else ''}"


AHEAD: Final = """
SELECT set_config(name, '256', false) FROM pg_settings
WHERE name = 'effective_io_concurrency' AND max_val::integer >= 256
"""
"""So many pages are read at once of those that hold who is found, where the server can do that."""


def _reading_ahead(connection: Any, _: Any) -> None:
    """Let a server read ahead: who is found lies all over a large table, seldom in memory."""
    connection.autocommit = True  # else it is taken back with the first transaction
    connection.execute(AHEAD)
    connection.autocommit = False


PLAN_ANEW: Final = {"is_planned_anew": True}
"""The execution options of a question whose best way depends on what is looked for: of one that is
prepared, PostgreSQL makes a plan for whatever may be looked for from the sixth time on."""


def _planned_anew(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
    """Ask such a question without preparing it; whether that was done."""
    if not context.execution_options.get("is_planned_anew"):
        return False
    cursor.execute(statement, parameters, prepare=False)
    return True


def _prepared(connection: Any, _: Any) -> None:
    """Make SQLite durable at every commit, and leave the beginning of a transaction to us."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "secure_delete=ON",
        "foreign_keys=ON",
        "mmap_size=268435456",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
