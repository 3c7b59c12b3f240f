"""The tables, as SQLAlchemy speaks of them; the migrations make them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    text,
)

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

MICROSECOND: Final = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An aware time as whole microseconds since 1970: the same order in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return a time as it is kept."""
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return a time as it was."""
        return None if value is None else EPOCH + int(value) * MICROSECOND


metadata = MetaData()

Number = BigInteger().with_variant(Integer(), "sqlite")
"""A number that SQLite takes for the place of the row itself."""

pen = Table(
    "pen",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("changes", BigInteger, nullable=False),
    Column("ticket", BigInteger, nullable=False),
    comment="One row. Whoever writes holds it: one change after the other.",
)

documents = Table(
    "documents",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("documents_by_name", "kind", "name"),
    Index("documents_by_user", "kind", "user"),
    comment="What a provider keeps beside people: accounts, secrets, meta, agents.",
)

users = Table(
    "users",
    metadata,
    Column("key", Number, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("account", Text, nullable=False),
    Column("account_name", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("blob", Text, nullable=False),
    Column("numbers", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("seen", Moment),
    Column("mfa", Text, nullable=False),
    Column("off_until", Moment),
    Column("locked_until", Moment),
    Column("is_locked", Boolean, nullable=False),
    Column("is_flagged", Boolean, nullable=False),
    Column("is_pending", Boolean, nullable=False),
    Column("is_suspended", Boolean, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("rounds", Integer, nullable=False),
    Column("ticket", LargeBinary),
    Column("ticket_agent", Text),
    Column("ticket_at", Moment),
    Column("ticket_complaint", Text),
    Column("is_on_phone", Boolean, nullable=False),
    Column("rank", Integer, nullable=False, server_default="7"),
    Column("heat", BigInteger, nullable=False, server_default="0"),
    Column("name_shape", Text, nullable=False, server_default=""),
    Column("login_shape", Text, nullable=False, server_default=""),
    Index("users_by_login", "login"),
    Index("users_by_seen", "seen"),
    Index("users_by_account", "account", "key"),
    Index("users_by_product", "product", "key"),
    Index("users_by_name", "name", "key"),
    Index("users_by_mfa", "mfa", "key"),
    Index("users_by_heat", "heat", "key"),
    Index("users_by_name_shape", "name_shape"),
    Index("users_by_login_shape", "login_shape"),
    Index("users_by_rank", "rank", "name", "key"),
    Index("users_by_product_and_name", "product", "name", "key"),
    comment="People, folded once for the search, with what the desk knows of each.",
)

LOCKED_HEAT: Final = 1 << 48
"""What `heat` is less by where somebody is locked; see `documents.user_row`."""

OFF_ASKED: Final = "turn-off"
"""The complaint of whoever asks for MFA to be turned off."""


def _where(name: str, columns: Sequence[Any], sqlite: str, postgresql: str = "") -> None:
    """Index only those rows of which something holds, as the questions for them are written."""
    Index(name, *columns, sqlite_where=text(sqlite), postgresql_where=text(postgresql or sqlite))


_FLAGGED: Final = (users.c.key, users.c.product, users.c.account)
_where("users_locked", _FLAGGED, "is_locked = 1", "is_locked")
_where("users_flagged", _FLAGGED, "is_flagged = 1", "is_flagged")
_where("users_pending", _FLAGGED, "is_pending = 1", "is_pending")
_where("users_suspended", _FLAGGED, "is_suspended = 1", "is_suspended")
_where("users_looping", _FLAGGED, "rounds > 0")
_where("users_fine", _FLAGGED, "rank + 0 = 7")
_where("users_with_ticket", _FLAGGED, "ticket_at IS NOT NULL")
_where("users_locked_until", [users.c.locked_until], "locked_until IS NOT NULL")
_where(
    "users_that_wait_locked",
    (users.c.ticket_agent, users.c.locked_until),
    "ticket_at IS NOT NULL AND locked_until IS NOT NULL",
)
_where("users_off", [users.c.off_until], "off_until IS NOT NULL")
_WAITING: Final = (users.c.ticket_agent, users.c.heat, users.c.key)
_where("users_that_wait", _WAITING, "ticket_at IS NOT NULL")
_where("users_that_want_off", _WAITING, f"ticket_complaint = '{OFF_ASKED}'")

events = Table(
    "events",
    metadata,
    Column("user", BigInteger, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    comment="Timelines, an event a row: one more is one insert, however long it is.",
)

records = Table(
    "records",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
    Column("user", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("agent", Text),
    Column("rounds", Integer),
    Index("records_by_user", "kind", "user"),
    Index("records_by_place", "kind", "n"),
    Index("records_by_time", "kind", "at"),
    comment="Tickets, loops, proofs, askings, requests, notices, holds, answers to keys.",
)
_where("records_open", [records.c.kind, records.c.n], "is_open = 1", "is_open")


def _open(name: str, columns: Sequence[Any], holds: str) -> None:
    """Index what is open of one kind in the order of its list, with all that is looked at."""
    columns = (records.c.kind, *columns, records.c.user, records.c.name, records.c.is_open)
    _where(name, columns, f"{holds} AND is_open = 1", f"{holds} AND is_open")


_BY_AGE: Final = (records.c.at, records.c.n)
_open("tickets_by_agent", (records.c.agent, *_BY_AGE), "kind = 'tickets'")
_open("tickets_taken", (*_BY_AGE, records.c.agent), "kind = 'tickets' AND agent IS NOT NULL")
_WORST: Final = (records.c.rounds.desc(), records.c.at.desc(), records.c.n)
_open("loops_by_rounds", _WORST, "kind = 'loops'")

log = Table(
    "log",
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=False),
    Column("place", BigInteger),
    Column("at", Moment, nullable=False),
    Column("agent", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("ticket", Text, nullable=False),
    Column("blob", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("log_by_place", "place", unique=True),
    Index("log_by_user", "user", "seq"),
    Index("log_by_time", "at"),
    Index("log_by_act", "act", "at"),
    comment="Rows of the log; place counts those that are bound to one another, from 0.",
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
    Column("made", Moment, nullable=False),
    comment="Signed checkpoints of the log.",
)
