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
from helpdesk.stores.whole import whole

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
        now, earlier = self._clock(), await self._store.select(Notice, user=before.id)
        for notice in notices_of(
            action, card, before, earlier, now, seq=seq, contact=self._contact
        ):
            await self._store.keep(self._posted(notice))

    @property
    def is_sending(self) -> bool:
        """Whether letters leave this desk at all."""
        return self._sender is not None

    async def deliver(self, *, is_last: bool = False) -> float | None:
        """Send the letters that are due; give the seconds until the next is, None for none.

        The last time a letter that is not taken ends it: whoever quits does not wait for each.
        """
        if self._sender is None:
            return None
        while (notice := await self._leased()) is not None:
            ended = await self._carried(self._sender, notice)
            if is_last and ended.state is Posted.WAITING:
                break
        letters = await self._store.select(Notice, only_open=True)
        waiting = [letter.due_at for letter in letters if letter.due_at]
        if not waiting:
            return None
        return max(1.0, (min(waiting) - self._clock()).total_seconds())

    def _posted(self, notice: Notice) -> Notice:
        if self._sender is None or notice.channel is Channel.NONE:
            return notice
        if notice.channel is Channel.SMS:
            return replace(notice, says="This desk has no way to send an SMS; it stays here.")
        return replace(notice, state=Posted.WAITING, due_at=notice.at)

    async def _leased(self) -> Notice | None:
        """Take the next letter that is due for this console, so that no other sends it too."""
        await self._store.refresh()
        if await self._next() is None:
            return None
        async with self._lock, self._store.transaction():
            await self._store.refresh()
            notice = await self._next()
            if notice is not None:
                await self._store.keep(replace(notice, due_at=self._clock() + LEASE))
        return notice

    async def _carried(self, sender: Sender, notice: Notice) -> Notice:
        """Send a letter and mark what became of it, also where the task is cancelled meanwhile.

        In a thread with a loop of its own, for the end of this loop would break the sending off,
        and a letter that went without a mark goes twice.
        """
        ended: list[Notice] = []
        try:
            await whole(lambda: ended.append(asyncio.run(self._sent(sender, notice))))
        finally:
            for each in ended:
                await self._settled(each)
        return ended[0]

    async def _next(self) -> Notice | None:
        """The letter that is due, the oldest first."""
        now = self._clock()
        waiting = await self._store.select(Notice, only_open=True)
        return next((one for one in waiting if one.due_at is None or one.due_at <= now), None)

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
            there = await self._store.get(Notice, notice.id)
            if there is not None and there.to:
                await self._store.keep(notice)
        await self._store.refresh()
