"""Reads that may be a little old, from a replica that follows closely enough; else the primary.

How far a replica is behind is told by the desk's own count of changes, which is copied with all
else: a replica that holds the count the primary had a while ago holds all that was written until
then. No clock of a server, and no opinion of a line that broke unnoticed, is believed.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, Protocol, TypeVar

from helpdesk.domain.errors import BadInput, Unreachable
from helpdesk.stores.sql.connections import changes
from helpdesk.stores.sql.database import Database

T = TypeVar("T")

LAG_S: Final = 2.0
"""How old a list may be, unless it is said otherwise."""

REST_S: Final = 5.0
"""A replica that did not answer is left alone for so long."""

PATIENCE: Final = {"connect_timeout": 2, "tcp_user_timeout": 2_000}
"""A silent replica is not waited for as long as a primary: there is another to ask."""


class Reads(Protocol):
    """Where lists are read from."""

    async def ask(self, question: Callable[..., T], *arguments: Any, is_long: bool = False) -> T:
        """Return what a blocking question gives, as `Database.ask`."""
        ...


class FromReplica:
    """Reads of a replica as long as it is no older than so many seconds, else of the primary.

    Whoever wrote at this gateway reads it at once, and whoever holds the pen reads the primary.

    Attributes:
        from_replica: How many answers came from the replica.
        from_primary: How many it was too far behind for, or did not answer.

    Args:
        primary: Where all is written, and whatever is decided is read.
        replica: Where lists are read.
        lag_s: How old a list may be, in seconds.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        primary: Database,
        replica: Database,
        lag_s: float = LAG_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._primary, self._replica = primary, replica
        self._lag_s, self._clock = lag_s, clock
        # Asked on the loop only, so no two threads are at it.
        self._observed: deque[tuple[float, int]] = deque()
        self._rests_until = -REST_S
        self.from_replica = self.from_primary = 0

    @contextlib.asynccontextmanager
    async def observing(self) -> AsyncIterator[Callable[[int], None]]:
        """Give what takes note of how many changes the primary has, asked for inside."""
        began = self._clock()  # not when the answer came: what was written meanwhile is not in it
        yield lambda count: self._observed.append((began, count))

    async def ask(self, question: Callable[..., T], *arguments: Any, is_long: bool = False) -> T:
        """Return what a blocking question gives, in a thread."""
        needed = self._needed()
        if needed is not None and self._clock() >= self._rests_until:
            found: tuple[T] | None = None
            try:
                found = await self._replica.ask(self._fresh, needed, question, *arguments)
            except Unreachable:
                self._rests_until = self._clock() + REST_S
            if found is not None:
                self.from_replica += 1
                return found[0]
        self.from_primary += 1
        return await self._primary.ask(question, *arguments, is_long=is_long)

    def close(self) -> None:
        """Give back all connections of the replica."""
        self._replica.close()

    def _fresh(self, needed: int, question: Callable[..., T], *arguments: Any) -> tuple[T] | None:
        """Answer on the replica; what is asked second sees at least what was asked first.

        None where it does not hold all that has to be in the answer: an error would end the line.
        """
        with self._replica.connection() as connection:
            if changes(connection) < needed:
                return None
        return (question(*arguments),)

    def _needed(self) -> int | None:
        """How many changes must be there: those the primary may have had when the lag began.

        That is no more than it had when it was first looked at since; None where it was not, or
        where the pen is held.
        """
        while self._observed and self._observed[0][0] < self._clock() - self._lag_s:
            self._observed.popleft()
        if self._primary.is_held or not self._observed:
            return None
        return max(self._observed[0][1], self._primary.written)


def replica_at(address: str) -> Database:
    """Return the replica at an address, with little patience unless the address has its own.

    Raises:
        BadInput: It is no address of PostgreSQL.
    """
    replica = Database(address, patience=PATIENCE)
    if replica.is_sqlite:
        raise BadInput(f"{replica.name}: SQLite has no replica to read from; say postgresql://…")
    return replica
