"""What is written down behind the screen: looks, checkpoints that are due, letters to send.

case ─▶ look waits ─1 s─▶ one transaction ─▶ rows          the screen never waits for it
└── could not be written: waits on, `alarm` says so, written with the next or at
the end
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final

from helpdesk.domain.audit import LOOK, Result
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.inspection import EVERY_S
from helpdesk.service.recording import LOOKS_IN, Recorder
from helpdesk.service.telling import Telling
from helpdesk.stores.base import Store

REST_S: Final = 1.0
"""How long a look rests before it is written, so that several are written at once."""

SHARE: Final = 20
"""Writing takes at most one part in so many of the time: where it is slow, looks rest longer."""


class Keeping:
    """The desk's own chores, done under the lock of its changes.

    Attributes:
        alarm: What could not be written down so far; empty where all is.
    """

    def __init__(
        self,
        store: Store,
        recorder: Recorder,
        lock: asyncio.Lock,
        telling: Telling,
    ) -> None:
        self._store, self._recorder, self._lock, self._telling = store, recorder, lock, telling
        self._looks: list[tuple[str, datetime]] = []
        self._task: asyncio.Task[None] | None = None
        self._failed = ""
        self._rest_s = REST_S

    @property
    def alarm(self) -> str:
        """What could not be written down; empty where all is."""
        if not self._failed:
            return ""
        return f"{len(self._looks)} cases you opened are not in the log yet: {self._failed}"

    def look(self, user: str, at: datetime) -> None:
        """Write down soon that a case was opened."""
        if not any(each == user and at - then < LOOKS_IN for each, then in self._looks):
            self._looks.append((user, at))
            self.wake()

    def wake(self) -> None:
        """Do the chores soon, from the loop that runs."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._chores())

    async def settle(self) -> None:
        """Do all chores now; afterwards nothing that was asked or done is unwritten.

        Raises:
            Unreachable: The file cannot be written.
        """
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self._write()
        await self._telling.deliver()
        if self._recorder.uncovered and not self._recorder.alarm:
            async with self._lock, self._store.transaction():
                await self._store.refresh()
                await self._recorder.checkpoint()

    def close(self) -> None:
        """Do all chores at the end of a desk, whatever loop ran before; blocking."""
        if not (self._looks or self._recorder.uncovered or self._telling.is_due):
            return
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, self.settle()).result()

    async def _chores(self) -> None:
        await asyncio.sleep(self._rest_s)
        while True:
            try:
                await self._write()
                wait_s = await self._telling.deliver()
                if self._recorder.uncovered:
                    wait_s = min(wait_s or EVERY_S, EVERY_S)
                self._failed = ""
            except HelpdeskError as error:
                self._failed, wait_s = str(error), EVERY_S
            if wait_s is None:
                return
            await asyncio.sleep(wait_s)
            await self._cover()

    async def _write(self) -> None:
        """Write the looks that wait, in one transaction; those that come meanwhile wait on."""
        looks = tuple(self._looks)
        if not looks:
            return
        begun = time.monotonic()
        async with self._lock, self._store.transaction():
            await self._store.refresh()
            for user, at in looks:
                if self._recorder.is_news(user, at):
                    await self._recorder.record(act=LOOK, user=user, result=Result.DONE, at=at)
        self._looks = [look for look in self._looks if look not in looks]
        self._rest_s = max(REST_S, SHARE * (time.monotonic() - begun))

    async def _cover(self) -> None:
        """Make the checkpoint that is due a minute after the last row."""
        with contextlib.suppress(HelpdeskError):  # the next row or the end of the desk makes it
            if self._recorder.uncovered and not self._recorder.alarm:
                async with self._lock, self._store.transaction():
                    await self._store.refresh()
                    await self._recorder.checkpoint()
