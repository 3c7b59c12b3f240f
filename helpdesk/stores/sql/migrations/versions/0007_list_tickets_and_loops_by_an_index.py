"""List what is open by an index: tickets by who has them and by age, loops by how bad they are."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

FILL = {
    "sqlite": "UPDATE records SET agent = json_extract(CAST(body AS TEXT), '$.agent'), "
    "rounds = json_extract(CAST(body AS TEXT), '$.rounds') WHERE kind = '{kind}'",
    "postgresql": "UPDATE records SET agent = convert_from(body, 'UTF8')::jsonb ->> 'agent', "
    "rounds = (convert_from(body, 'UTF8')::jsonb ->> 'rounds')::integer WHERE kind = '{kind}'",
}


def upgrade() -> None:
    """Keep beside a ticket who has it, and beside a loop its rounds; index what is open of both."""
    op.add_column("records", sa.Column("agent", sa.Text()))
    op.add_column("records", sa.Column("rounds", sa.Integer()))
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    for kind in ("tickets", "loops"):
        connection.exec_driver_sql(FILL[connection.dialect.name].format(kind=kind))
    is_open = "is_open = 1" if is_sqlite else "is_open"
    indexes: list[tuple[str, list[Any], str]] = [
        ("tickets_by_agent", ["agent", "at", "n"], "kind = 'tickets'"),
        ("tickets_taken", ["at", "n", "agent"], "kind = 'tickets' AND agent IS NOT NULL"),
        (
            "loops_by_rounds",
            [sa.text("rounds DESC"), sa.text("at DESC"), "n"],
            "kind = 'loops'",
        ),
    ]
    for name, columns, of in indexes:
        where = sa.text(f"{of} AND {is_open}")
        op.create_index(
            name,
            "records",
            ["kind", *columns, "user", "name", "is_open"],
            sqlite_where=where,
            postgresql_where=where,
        )
