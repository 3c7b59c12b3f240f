"""Begin with people, records and the log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helpdesk.stores.sql.schema import Moment

revision = "0001"
down_revision = None

SQLITE = (
    """CREATE VIRTUAL TABLE found USING fts5(
        blob, numbers, content='users', content_rowid='key', tokenize='trigram case_sensitive 1'
    )""",
    """CREATE VIRTUAL TABLE begun USING fts5(
        words, content='users', content_rowid='key', prefix='1 2', tokenize='unicode61'
    )""",
    """CREATE TRIGGER found_new AFTER INSERT ON users BEGIN
        INSERT INTO found(rowid, blob, numbers) VALUES (new.key, new.blob, new.numbers);
        INSERT INTO begun(rowid, words) VALUES (new.key, new.words);
    END""",
    """CREATE TRIGGER found_old AFTER DELETE ON users BEGIN
        INSERT INTO found(found, rowid, blob, numbers)
        VALUES ('delete', old.key, old.blob, old.numbers);
        INSERT INTO begun(begun, rowid, words) VALUES ('delete', old.key, old.words);
    END""",
    """CREATE TRIGGER found_changed AFTER UPDATE OF blob, numbers, words ON users
    WHEN old.blob <> new.blob OR old.numbers <> new.numbers BEGIN
        INSERT INTO found(found, rowid, blob, numbers)
        VALUES ('delete', old.key, old.blob, old.numbers);
        INSERT INTO found(rowid, blob, numbers) VALUES (new.key, new.blob, new.numbers);
        INSERT INTO begun(begun, rowid, words) VALUES ('delete', old.key, old.words);
        INSERT INTO begun(rowid, words) VALUES (new.key, new.words);
    END""",
)
"""The indexes of all parts of three letters and of the beginnings of words, kept up by itself."""

POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX users_by_parts ON users USING gin (blob gin_trgm_ops, numbers gin_trgm_ops)",
    "CREATE INDEX users_by_words ON users USING gin (to_tsvector('simple', words))",
)


def upgrade() -> None:
    """Make the tables and the indexes of the search."""
    op.create_table(
        "checkpoints",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("made", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("n"),
        comment="Signed checkpoints of the log.",
    )
    op.create_table(
        "documents",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key"),
        comment="What a provider keeps beside people: accounts, secrets, meta, agents.",
    )
    op.create_index("documents_by_name", "documents", ["kind", "name"], unique=False)
    op.create_index("documents_by_user", "documents", ["kind", "user"], unique=False)
    op.create_table(
        "events",
        sa.Column("user", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("user", "n"),
        comment="Timelines, an event a row: one more is one insert, however long it is.",
    )
    op.create_table(
        "log",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("place", sa.BigInteger(), nullable=True),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        comment="Rows of the log; place counts those that are bound to one another, from 0.",
    )
    op.create_index("log_by_place", "log", ["place"], unique=True)
    op.create_index("log_by_time", "log", ["at"], unique=False)
    op.create_index("log_by_user", "log", ["user", "seq"], unique=False)
    op.create_table(
        "pen",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.Column("ticket", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        comment="One row. Whoever writes holds it: one change after the other.",
    )
    op.create_table(
        "records",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name"),
        comment="Tickets, loops, proofs, askings, requests, notices, holds, answers to keys.",
    )
    op.create_index("records_by_time", "records", ["kind", "at"], unique=False)
    op.create_index("records_by_user", "records", ["kind", "user"], unique=False)
    op.create_index(
        "records_open",
        "records",
        ["kind", "at"],
        unique=False,
        postgresql_where=sa.text("is_open"),
        sqlite_where=sa.text("is_open"),
    )
    op.create_table(
        "users",
        sa.Column(
            "key",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("account_name", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("seen", Moment(), nullable=True),
        sa.Column("mfa", sa.Text(), nullable=False),
        sa.Column("off_until", Moment(), nullable=True),
        sa.Column("locked_until", Moment(), nullable=True),
        sa.Column("is_locked", sa.Boolean(), nullable=False),
        sa.Column("is_flagged", sa.Boolean(), nullable=False),
        sa.Column("is_pending", sa.Boolean(), nullable=False),
        sa.Column("is_suspended", sa.Boolean(), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("ticket", sa.LargeBinary(), nullable=True),
        sa.Column("ticket_agent", sa.Text(), nullable=True),
        sa.Column("ticket_at", Moment(), nullable=True),
        sa.Column("ticket_complaint", sa.Text(), nullable=True),
        sa.Column("is_on_phone", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id"),
        comment="People, folded once for the search, with what the desk knows of each.",
    )
    op.create_index("users_by_account", "users", ["account", "key"], unique=False)
    op.create_index("users_by_login", "users", ["login"], unique=False)
    op.create_index("users_by_name", "users", ["name", "key"], unique=False)
    op.create_index("users_by_product", "users", ["product", "key"], unique=False)
    op.create_index("users_by_seen", "users", ["seen"], unique=False)
    op.create_index(
        "users_off",
        "users",
        ["off_until"],
        unique=False,
        postgresql_where=sa.text("off_until IS NOT NULL"),
        sqlite_where=sa.text("off_until IS NOT NULL"),
    )
    op.create_index(
        "users_that_wait",
        "users",
        ["ticket_at"],
        unique=False,
        postgresql_where=sa.text("ticket_at IS NOT NULL"),
        sqlite_where=sa.text("ticket_at IS NOT NULL"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for statement in SQLITE:
            op.execute(statement)
    else:
        for statement in POSTGRESQL:
            op.execute(statement)
