"""Find who waits for an agent while they are locked for a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

HOLDS = sa.text("ticket_at IS NOT NULL AND locked_until IS NOT NULL")


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        "users_that_wait_locked",
        "users",
        ["ticket_agent", "locked_until"],
        unique=False,
        postgresql_where=HOLDS,
        sqlite_where=HOLDS,
    )
