"""What other processes wrote of: each tells with its writes, and only that is forgotten.

one process:   BEGIN ─ writes ─ tells what they are of ─ COMMIT
another:       how many changes? ─ more ─▶ what was told since? ─ each ─▶ forgets those parts
                                                                └ a gap ▶ forgets everything

Whoever does not tell, such as an older release, leaves a gap: the count grew, nobody says by what.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, select, text

from helpdesk.stores.sql.connections import Connections
from helpdesk.stores.sql.lull import Lull
from helpdesk.stores.sql.prepared import Prepared
from helpdesk.stores.sql.schema import documents

Part = tuple[str, str | tuple[str, ...]]
"""A part of what is kept in a lull: a kind, and what it is about."""

KIND: Final = "told"

LAST: Final = 64
"""So many transactions are told of; the next one is told of in the place of the first."""

MOST: Final = 500
"""More parts are not told of, but that it was everything."""

TELL: Final = Prepared(
    text(
        'INSERT INTO documents (kind, "key", name, "user", body) VALUES (:kind, :place, :no, :no, '
        ':body) ON CONFLICT (kind, "key") DO UPDATE SET body = excluded.body'
    )
)

HEARD: Final = Prepared(
    select(documents.c.body).where(
        documents.c.kind == KIND, documents.c.key.between(bindparam("first"), bindparam("last"))
    )
)


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What one transaction wrote of.

    Attributes:
        count: How many changes there were with it.
        before: How many there were before.
        is_of_people: Whether it changes people or what happened to them.
        parts: The parts of what is kept in a lull that may be others since; None for all.
    """

    count: int
    before: int
    is_of_people: bool
    parts: Sequence[Part] | None

    @property
    def row(self) -> dict[str, Any]:
        """What `TELL` is given."""
        is_much = len(self.parts or ()) > MOST
        body = msgspec.json.encode(msgspec.structs.replace(self, parts=None) if is_much else self)
        return {"kind": KIND, "place": self.count % LAST, "no": "", "body": body}


def heard(connection: Connection, since: int, count: int) -> Sequence[Told] | None:
    """Return what was written after so many changes, up to a count of them; blocking.

    None where not each told of it, or it is too long ago.
    """
    if not 0 <= since < count <= since + LAST:
        return None
    first, last = (since + 1) % LAST, count % LAST
    if first > last:
        first, last = 0, LAST - 1
    each: dict[int, Told] = {}
    for body in HEARD.column(connection, {"first": first, "last": last}):
        with contextlib.suppress(msgspec.DecodeError):  # a newer release may tell otherwise
            one = msgspec.json.decode(body, type=Told)
            each[one.count] = one
    news: list[Told] = []
    while count > since:
        told = each.get(count)
        if told is None or told.before >= count:
            return None
        news.append(told)
        count = told.before
    return news if count == since else None


class Others(Connections):
    """One database that others write, too: what is known of it, and since when.

    Args:
        address: Where it is.
        patience: What is said to a server about its silence, instead of `PATIENCE`.
    """

    def __init__(self, address: str, *, patience: Mapping[str, Any] | None = None) -> None:
        super().__init__(address, patience=patience)
        # Which change of people is the last, and up to which change that is known.
        self._people_at = self._followed = 0

    def _heard(self, since: int, count: int) -> Sequence[Told] | None:
        with self.connection() as connection:
            return heard(connection, since, count)

    def _follow(self, count: int, since: int, news: Sequence[Told] | None) -> None:
        """Forget what others wrote of, up to so many changes; all, where they did not tell.

        Args:
            count: How many changes there were.
            since: After how many of them the news begins.
            news: What was written from there on; None where not each told.
        """
        lull = self._lull
        if lull.is_of(count):
            return
        told = news if lull.is_of(since) else None
        # Fewer, and no lull lasts: the database was put back.
        if count > self._followed or (told is None and count < self._followed):
            if told is None or since > self._followed or any(one.is_of_people for one in told):
                self._people_at = count
            self._followed = count
        changed = [one.parts for one in told or ()]
        if told is None or None in changed:
            self._lull = Lull(count)
        else:
            parts = [part for parts in changed for part in parts or ()]
            # What is read anew of a user is read at once.
            parts += [("ahead", of) for kind, of in parts if kind == "rows"]
            self._lull = lull.without(parts, count)
