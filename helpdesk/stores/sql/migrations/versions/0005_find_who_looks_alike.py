"""Find who looks like somebody else by name or by login."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from helpdesk.domain.alike import shape

revision = "0005"
down_revision = "0004"

AT_ONCE = 5_000

USERS = sa.table(
    "users",
    sa.column("key", sa.BigInteger),
    sa.column("body", sa.LargeBinary),
    sa.column("name_shape", sa.Text),
    sa.column("login_shape", sa.Text),
)


class Named(msgspec.Struct):
    """What is looked at of a user."""

    name: str
    login: str


def upgrade() -> None:
    """Add what names and logins look like, work it out for everybody, and index it."""
    for name in ("name_shape", "login_shape"):
        op.add_column("users", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    _fill(op.get_bind())
    for name in ("name_shape", "login_shape"):
        op.create_index(f"users_by_{name}", "users", [name])


def _fill(connection: sa.Connection) -> None:
    change = sa.update(USERS).where(USERS.c.key == sa.bindparam("of"))
    after = -1
    while True:
        wanted = sa.select(USERS.c.key, USERS.c.body).where(USERS.c.key > after)
        rows = connection.execute(wanted.order_by(USERS.c.key).limit(AT_ONCE)).all()
        if not rows:
            return
        after = rows[-1][0]
        connection.execute(change, [_shaped(key, body) for key, body in rows])


def _shaped(key: int, body: bytes) -> dict[str, Any]:
    who = msgspec.json.decode(body, type=Named)
    return {"of": key, "name_shape": shape(who.name), "login_shape": shape(who.login)}
