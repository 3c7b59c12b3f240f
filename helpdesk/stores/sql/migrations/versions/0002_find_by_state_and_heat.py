"""Find by state, loop and heat without looking at everybody."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

FLAGS = {
    "users_locked": "is_locked",
    "users_flagged": "is_flagged",
    "users_pending": "is_pending",
    "users_suspended": "is_suspended",
}

COLUMNS = ["key", "product", "account"]

SQLITE = (
    """CREATE VIRTUAL TABLE named USING fts5(
        name, content='users', content_rowid='key', prefix='1 2 3', tokenize='unicode61'
    )""",
    "INSERT INTO named(named) VALUES ('rebuild')",
    """CREATE TRIGGER named_new AFTER INSERT ON users BEGIN
        INSERT INTO named(rowid, name) VALUES (new.key, new.name);
    END""",
    """CREATE TRIGGER named_old AFTER DELETE ON users BEGIN
        INSERT INTO named(named, rowid, name) VALUES ('delete', old.key, old.name);
    END""",
    """CREATE TRIGGER named_changed AFTER UPDATE OF name ON users WHEN old.name <> new.name BEGIN
        INSERT INTO named(named, rowid, name) VALUES ('delete', old.key, old.name);
        INSERT INTO named(rowid, name) VALUES (new.key, new.name);
    END""",
)
"""The index of the beginnings of names, kept up by itself."""

POSTGRESQL = "CREATE INDEX users_named ON users USING gin (to_tsvector('simple', name))"

RANK = """CASE WHEN is_locked THEN 0 WHEN is_flagged THEN 1 WHEN rounds > 0 THEN 2
    WHEN is_pending THEN 3 WHEN is_suspended THEN 4 WHEN mfa = 'off' THEN 5
    WHEN mfa = 'none' THEN 6 ELSE 7 END"""

HEAT = """(CASE WHEN is_on_phone THEN 0 ELSE 1 END) * 2305843009213693952
    + (4095 - CASE WHEN rounds > 4095 THEN 4095 ELSE rounds END) * 562949953421312
    + (CASE WHEN is_locked THEN 0 ELSE 1 END) * 281474976710656
    + COALESCE(ticket_at / 1000, 281474976710655)"""


def upgrade() -> None:
    """Add what a user is and how urgent, as numbers, and an index for each question."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.add_column("users", sa.Column("rank", sa.Integer(), nullable=False, server_default="7"))
    op.add_column("users", sa.Column("heat", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(f"UPDATE users SET rank = {RANK}, heat = {HEAT}")  # noqa: S608  (both are above)
    for name, flag in FLAGS.items():
        _where(name, COLUMNS, f"{flag} = 1" if is_sqlite else flag)
    _where("users_looping", COLUMNS, "rounds > 0")
    _where("users_fine", COLUMNS, "rank + 0 = 7")
    _where("users_with_ticket", COLUMNS, "ticket_at IS NOT NULL")
    _where("users_locked_until", ["locked_until"], "locked_until IS NOT NULL")
    op.drop_index("users_that_wait", "users")
    _where("users_that_wait", ["ticket_agent", "heat", "key"], "ticket_at IS NOT NULL")
    _where("users_that_want_off", ["ticket_agent", "heat", "key"], "ticket_complaint = 'turn-off'")
    op.create_index("users_by_mfa", "users", ["mfa", "key"])
    op.create_index("users_by_heat", "users", ["heat", "key"])
    op.create_index("users_by_rank", "users", ["rank", "name", "key"])
    op.create_index("users_by_product_and_name", "users", ["product", "name", "key"])
    op.drop_index("records_open", "records")
    is_open = "is_open = 1" if is_sqlite else "is_open"  # as the question for them is written
    _where("records_open", ["kind", "n"], is_open, table="records")
    for statement in SQLITE if is_sqlite else (POSTGRESQL,):
        op.execute(statement)


def _where(name: str, columns: list[str], condition: str, table: str = "users") -> None:
    only = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=only, postgresql_where=only)
