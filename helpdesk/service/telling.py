"""Telling everybody: notices written with the act, sent afterwards, tried again until they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from helpdesk.connectors.base import Sender
from helpdesk.domain.actions import AnyAction
from helpdesk.domain.errors import BadInput, Unreachable
from helpdesk.domain.notices import Channel, Notice, Posted, notices_of
from helpdesk.domain.products import Product
from helpdesk.domain.text import clean
from helpdesk.domain.users import User
from helpdesk.stores.base import Store

LEASE: Final = timedelta(minutes=2)
"""How long one console has a letter to itself while it sends it."""

AGAIN: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120))
"""How long until a letter is tried again, after each failure; after the last it is given up."""


class Telling:
    """The notices of a desk.

    Args:
        sender: Sends letters; None where they stay in the desk's own tray.
        contact: How the customer says that it was somebody else; empty for the usual words.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        lock: asyncio.Lock,
        sender: Sender | None = None,
        contact: str = "",
    ) -> None:
        self._store, self._clock, self._lock = store, clock, lock
        self._sender, self._contact = sender, contact

    async def tell(self, action: AnyAction, card: Product, before: User, seq: int) -> None:
        """Write the notices of an act into the outbox, inside the transaction of the act."""
        now = self._clock()
        for notice in notices_of(
            action, card, before, self._store.outbox, now, seq=seq, contact=self._contact
        ):
            await self._store.keep(self._posted(notice))

    @property
    def is_due(self) -> bool:
        """Whether letters wait that could be sent now."""
        return self._sender is not None and any(map(self._is_due, self._store.outbox))

    async def deliver(self) -> float | None:
        """Send the letters that are due; give the seconds until the next is, None for none."""
        if self._sender is None:
            return None
        for notice in await self._leased():
            await self._settled(await self._sent(self._sender, notice))
        waiting = [n.due_at for n in self._store.outbox if n.state is Posted.WAITING and n.due_at]
        if not waiting:
            return None
        return max(1.0, (min(waiting) - self._clock()).total_seconds())

    def _posted(self, notice: Notice) -> Notice:
        if self._sender is None or notice.channel is Channel.NONE:
            return notice
        if notice.channel is Channel.SMS:
            return replace(notice, says="This desk has no way to send an SMS; it stays here.")
        return replace(notice, state=Posted.WAITING, due_at=notice.at)

    async def _leased(self) -> tuple[Notice, ...]:
        """Take the letters that are due for this console, so that no other sends them too."""
        await self._store.refresh()
        if not self.is_due:
            return ()
        async with self._lock, self._store.transaction():
            await self._store.refresh()
            due = tuple(notice for notice in self._store.outbox if self._is_due(notice))
            for notice in due:
                await self._store.keep(replace(notice, due_at=self._clock() + LEASE))
        return due

    def _is_due(self, notice: Notice) -> bool:
        now = self._clock()
        return notice.state is Posted.WAITING and (notice.due_at is None or notice.due_at <= now)

    async def _sent(self, sender: Sender, notice: Notice) -> Notice:
        now, tries = self._clock(), notice.tries + 1
        try:
            await sender.send(notice)
        except BadInput as error:
            return replace(
                notice, state=Posted.FAILED, tries=tries, says=clean(str(error)), due_at=None
            )
        except Unreachable as error:
            if tries > len(AGAIN):
                says = f"Given up after {tries} tries: {clean(str(error))}"
                return replace(notice, state=Posted.FAILED, tries=tries, says=says, due_at=None)
            due = now + AGAIN[tries - 1]
            return replace(notice, tries=tries, says=clean(str(error)), due_at=due)
        return replace(
            notice, state=Posted.SENT, tries=tries, says="", due_at=None, sent_at=self._clock()
        )

    async def _settled(self, notice: Notice) -> None:
        async with self._lock, self._store.transaction():
            await self._store.refresh()
            if any(each.id == notice.id and each.to for each in self._store.outbox):
                await self._store.keep(notice)
        await self._store.refresh()
