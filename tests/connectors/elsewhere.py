"""A provider elsewhere that is a fixture: searched as one, and it lacks what a test says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from helpdesk.connectors.base import Found, Supports
from helpdesk.connectors.demo import DemoConnector
from helpdesk.domain.lacks import Lack
from helpdesk.domain.text import folded
from helpdesk.domain.users import Factor, User
from helpdesk.stores.tinyfile import TinyFile


class Elsewhere(DemoConnector):
    """The people of a fixture behind the questions of a provider."""

    def __init__(self, file: TinyFile, *lacks: Lack, name: str = "north", most: int = 500) -> None:
        super().__init__(file)
        self.name, self.lacks, self.most, self.closed = name, lacks, most, False
        self._tiny = file

    async def supports(self, user: User) -> Supports:
        return Supports(provider="Northern", lacks=self.lacks)

    async def find(self, words: Sequence[str], *, limit: int) -> Found:
        most = min(limit, self.most)
        found = [u for u in self._all() if all(w in folded(f"{u.name} {u.login}") for w in words)]
        says = f"Northern gave the first {most} only." if len(found) > most else ""
        return Found(users=tuple(found[:most]), says=says)

    async def named(self, login: str) -> Sequence[User]:
        return [user for user in self._all() if user.login.casefold() == login.casefold()]

    async def since(self, at: datetime, *, limit: int) -> Sequence[str]:
        seen = [(u.seen_at, u.id) for u in self._all() if u.seen_at and u.seen_at >= at]
        return [name for _, name in sorted(seen, reverse=True)][:limit]

    async def reset(self, user: User, factors: tuple[Factor, ...], now: datetime) -> None:
        with self._tiny.transaction():  # in none of the desk's own
            await super().reset(user, factors, now)

    async def flag(self, user: User, reason: str, now: datetime) -> None:
        pass  # the desk keeps the mark itself

    async def inspect(self) -> Sequence[str]:
        return ["It answers."]

    def close(self) -> None:
        self.closed = True

    def _all(self) -> list[User]:
        rows = self._tiny.rows("users")
        return [self._tiny.decoded("users", key, row, User) for key, row in rows]
