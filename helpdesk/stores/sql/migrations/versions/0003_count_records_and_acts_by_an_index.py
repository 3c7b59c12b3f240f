"""Count records and acts by an index, however many there are."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the indexes."""
    op.create_index("records_by_place", "records", ["kind", "n"], unique=False)
    op.create_index("log_by_act", "log", ["act", "at"], unique=False)
