"""When time itself changes lists of people next: a lock ends, or the day comes to turn MFA on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import bindparam, func, select, union_all

from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.lull import Lull, What
from helpdesk.stores.sql.schema import Moment, users

TURN: Final[What] = ("turn", "*")
"""What it is known by in a lull: when it was asked for, and when it is."""

NEVER: Final = datetime.max.replace(tzinfo=UTC)

_NOW: Final[Any] = bindparam("now", type_=Moment)

_EACH: Final = union_all(
    *(
        select(func.min(column).label("at")).where(column > _NOW)
        for column in (users.c.locked_until, users.c.off_until)
    )
).subquery()

NEXT: Final = select(func.min(_EACH.c.at))


async def turn_after(database: Database, lull: Lull, now: datetime) -> datetime:
    """Give until when lists of people stay as they are at *now*, while nobody writes."""
    known: tuple[datetime, datetime] | None = lull.get(TURN)
    if known is None or not known[0] <= now < known[1]:
        known = now, await database.ask(_turn, database, now, writes=())
        lull.keep(TURN, known)
    return known[1]


def _turn(database: Database, now: datetime) -> datetime:
    with database.connection() as connection:
        at: Any = connection.execute(NEXT, {"now": now}).scalar_one()
    return NEVER if at is None else at
