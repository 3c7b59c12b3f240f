"""A database: it answers whoever asks, and keeps in a lull what it answered."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, TypeVar

from helpdesk.stores.sql.connections import ENDED, within
from helpdesk.stores.sql.lull import Inside, Lull, What, lull_of
from helpdesk.stores.sql.transactions import Transactions
from helpdesk.stores.sql.turns import Shared
from helpdesk.stores.whole import whole

T = TypeVar("T")


class Asking:
    """One question to a database, in a lull of it: a thing to be in, and quickly there."""

    __slots__ = ("_database", "_inside")

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __aenter__(self) -> Lull:
        """Begin."""
        begun = await self._database.begun()
        self._inside = begun if isinstance(begun, Inside) else None
        return begun.lull if isinstance(begun, Inside) else begun

    async def __aexit__(self, *_: object) -> None:
        """End."""
        if self._inside is not None:
            self._inside.end()


class Database(Transactions):
    """One database by its address, for whoever asks it and for whoever writes.

    Blocking work is done in threads. Reading sees what is durable, but for whoever holds the pen:
    they see what they wrote.
    """

    async def ask(
        self,
        question: Callable[..., T],
        *arguments: Any,
        is_long: bool = False,
        writes: Sequence[tuple[str, Hashable]] | None = None,
    ) -> T:
        """Return what a blocking question gives; it finds its connection with `connection`.

        SQLite is asked on the spot: rows by their key are there sooner than a thread is. What
        *is_long* goes to a thread in any case. Under the pen nothing is known any more afterwards
        but what it *writes* nothing of, where that is said: parts of what is kept in a lull.
        """
        held = self._held
        if held is not None and (writes is None or writes):
            held.lull.forget(*(writes or ()))
        return await self._put(held, question, *arguments, is_long=is_long)

    async def _put(
        self,
        held: Shared | None,
        question: Callable[..., T],
        *arguments: Any,
        is_long: bool = False,
    ) -> T:
        asked = self._asked if held is None else partial(self._on_the_pen, held)
        with self._telling():
            if self.is_sqlite and not is_long:
                return asked(question, *arguments)
            if held is not None:
                return await whole(asked, question, *arguments)
            inside = partial(contextvars.copy_context().run, asked, question, *arguments)
            return await asyncio.get_running_loop().run_in_executor(self._readers, inside)

    def _on_the_pen(self, held: Shared, question: Callable[..., T], *arguments: Any) -> T:
        if held.later or not held.is_parted:
            self._told(held)
        return within(held.connection, held.known, question, *arguments)

    async def people(self) -> int:
        """Give a number that is another whenever people or what happened to them changed.

        What this process wrote of something else does not change it; what others wrote may.
        """
        count, held = await self.changes(), self._held
        is_known = count <= self._followed if held is None else not held.is_of_people
        return self._people_at if is_known else count

    async def changes(self) -> int:
        """Give how many changes there were, in a lull: before it began."""
        (ENDED.get() or {}).clear()
        lull = lull_of(self)
        if lull is not None:
            return lull.count
        held = self._held
        if held is not None:
            return held.count
        with self._telling():
            return await self._counter.counted()

    def lull(self) -> Asking:
        """Let what is asked inside by `once` be as it was when it was asked before, until a change.

        Whoever asks sees what was written before they did.
        """
        return Asking(self)

    async def begun(self) -> Lull | Inside:
        """Give the lull that a question begins in now; where it is its first, to be ended."""
        held = self._held
        if held is not None:
            return held.lull
        count = await self.changes()
        if lull_of(self) is not None:
            return Lull(count)
        if not self._lull.is_of(count):
            await self._catch_up(count)
        return Inside(self, self._lull if self._lull.is_of(count) else Lull(count))

    async def _catch_up(self, count: int) -> None:
        """Take in what others wrote, up to so many changes."""
        since, news = self._lull.count, None
        if self._lull.is_of(since):
            if count < since:  # whoever asks was held up: another knows more already
                return
            news = await self._put(None, self._heard, since, count)
        if self._lull.count == since:
            self._follow(count, since, news)

    @property
    def _held(self) -> Shared | None:
        """What the task that asks writes; None where it does not hold the pen."""
        return self._writers.get(asyncio.current_task()) if self._writers else None

    def known_of(self, what: What) -> Any:
        """Give what `once` found before, if it is known still; None where it must be asked."""
        held = self._held
        lull = lull_of(self) if held is None else held.lull
        return None if lull is None else lull.get(what)

    async def once(
        self, what: What, question: Callable[..., T], *arguments: Any, is_long: bool = False
    ) -> T:
        """Return what a question gives that only reads, as `ask`; in a lull it is asked once.

        Under the pen it is asked once until something else is asked, which may write.
        """
        held = self._held
        lull = lull_of(self) if held is None else held.lull
        if lull is None:
            return await self._put(held, question, *arguments, is_long=is_long)
        found: T | None = lull.get(what)
        if found is None:
            found = await self._put(held, question, *arguments, is_long=is_long)
            lull.keep(what, found)
        return found
