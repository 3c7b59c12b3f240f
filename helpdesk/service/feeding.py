"""What became of a write, and what changed since somebody looked."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from helpdesk.domain.feed import Changes, Freshness
from helpdesk.domain.operations import Operation
from helpdesk.service import feed
from helpdesk.service.logbook import Logbook

LOOK_S: Final = 0.5
"""How often a file is looked at by whoever waits for a change."""

MOST: Final = 500
"""Rows of the log that one answer of the feed is made of, at most."""


class Feeding(Logbook):
    """The half of a local desk that other programs live on."""

    @property
    def freshness(self) -> Freshness:
        """How old what one sees is: a desk of this process is always live."""
        return Freshness()

    async def operation(self, key: str) -> Operation:
        """Give what became of a write of this agent's."""
        return await self._once.of(key)

    async def changes(self, after: str = "", *, limit: int = MOST) -> Changes:
        """Give what changed after a cursor, oldest first; without one, only where to begin."""
        await self._now()
        limit = max(1, min(limit, MOST))
        return await feed.changes_after(self._view.store, after, limit, self._seen)

    async def changed(self, after: str) -> str:
        """Wait until something changed after a cursor; give the new one."""
        store, rung = self._view.store, -1
        begin = await self.changes(after, limit=1)  # raises for a cursor of another log
        after = after or begin.cursor
        while (newest := await feed.newest(store)) == after:
            rung = await store.news(LOOK_S, rung)
            await store.refresh()
        return newest

    async def _seen(self, users: Collection[str]) -> Collection[str]:
        """Those of these users whom this agent may see; rows of nobody are for who sees all."""
        return users if self.agent.account is None else await self._view.entries([*users])
