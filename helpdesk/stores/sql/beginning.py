"""Whose words begin with one or two letters, as PostgreSQL keeps it: counted, and in order.

Its indexes gather all who match before the first is given: half a second for a letter of a million.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, text

KEYS: Final = 4_096
"""So many keys that follow one another are told of in one row."""

WINDOW: Final = text("""
SELECT part, before, total, keys FROM (
    SELECT part, count, keys, sum(count) OVER () AS total,
        sum(count) OVER (ORDER BY is_other, part) - count AS before
    FROM beginnings WHERE piece = :piece AND count > 0
) each WHERE before < :reach AND before + count > :offset ORDER BY before
""")

COUNTED: Final = text("SELECT coalesce(sum(count), 0) FROM beginnings WHERE piece = :piece")


def begun(connection: Connection, piece: str, offset: int, limit: int) -> tuple[int, Sequence[int]]:
    """Return how many begin so, and the keys of a window on them: by name first, then by key."""
    place = {"piece": piece, "offset": offset, "reach": offset + limit}
    rows = connection.execute(WINDOW, place).all()
    if not rows:
        return int(connection.execute(COUNTED, place).scalar_one()), ()
    found = [part * KEYS + key for part, _, _, keys in rows for key in sorted(keys)]
    begins, total = rows[0][1:3]
    return total, found[offset - begins :][:limit]
