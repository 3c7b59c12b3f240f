"""What is written down behind the screen: looks, checkpoints that are due, letters to send.

case ─▶ look waits ─1 s─▶ one transaction ─▶ rows      the screen never waits for it
         └── could not be written: waits on, `alarm` says so, written with the next or at the end
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from helpdesk.domain.agents import Agent
from helpdesk.domain.audit import LOOK, Result
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.inspection import EVERY_S
from helpdesk.domain.text import counted
from helpdesk.service.recording import Recorder
from helpdesk.service.telling import Telling
from helpdesk.stores.base import Store

REST_S: Final = 1.0
"""How long a look rests before it is written, so that several are written at once."""

LOOKS_IN: Final = timedelta(minutes=10)
"""One look a user and agent in this time; any other row of theirs about the user tells the same."""

SHARE: Final = 20
"""Writing takes at most one part in so many of the time: where it is slow, looks rest longer."""


class Look(NamedTuple):
    """An agent opened the case of a user."""

    agent: Agent
    user: str
    at: datetime

    @property
    def whose(self) -> tuple[str, str]:
        """Agent and user."""
        return self.agent.id, self.user


class Keeping:
    """The desk's own chores, done under the lock of its changes.

    Desks of several agents on one database share them: their looks are written together.
    """

    def __init__(
        self,
        store: Store,
        recorder: Recorder,
        lock: asyncio.Lock,
        telling: Telling,
    ) -> None:
        self._store, self._recorder, self._lock, self._telling = store, recorder, lock, telling
        self._looks: list[Look] = []
        self._waiting: dict[tuple[str, str], datetime] = {}
        self._written: dict[tuple[str, str], datetime] = {}
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._unwritten = self._unsent = ""
        self._rest_s = REST_S

    def alarm(self, agent: Agent) -> str:
        """What of an agent could not be written down, or not be sent; empty where all is."""
        of = self._looks if self._unwritten else ()
        count = sum(look.agent.id == agent.id for look in of)
        if count:
            cases = counted(count, "case you opened is", "cases you opened are")
            return f"{cases} not in the log yet: {self._unwritten}"
        return f"Letters to customers wait: {self._unsent}" if self._unsent else ""

    def look(self, agent: Agent, user: str, at: datetime) -> None:
        """Write down soon that an agent opened a case."""
        look = Look(agent, user, at)
        known = (self._waiting.get(look.whose), self._written.get(look.whose))
        if not any(then is not None and at - then < LOOKS_IN for then in known):
            self._looks.append(look)
            self._waiting[look.whose] = at
            self.wake()

    def wake(self) -> None:
        """Do the chores soon, from the loop that runs, also while they wait for something later."""
        if self._task is None or self._task.done():
            self._woken = asyncio.Event()  # one of the loop that runs now
            self._task = asyncio.create_task(self._chores(self._woken))
        else:
            self._woken.set()

    async def settle(self) -> None:
        """Write down all that was asked or done so far; letters go on being sent beside it.

        What the chores write just now is waited for, never broken off.

        Raises:
            Unreachable: The file cannot be written.
        """
        await self._write()
        await self._cover()

    async def aclose(self) -> None:
        """Do all chores at the end of a desk, in the loop that it was used in.

        Letters that are due are tried, until the mail server takes one not.
        """
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        if self._is_owing:
            await self._end()

    def close(self) -> None:
        """As `aclose`, after the loop that the desk was used in has ended; blocking.

        Raises:
            RuntimeError: That loop still runs: it would never let go of the lock.
        """
        if self._task is not None and self._task.get_loop().is_running():
            raise RuntimeError("The loop of this desk still runs: await its aclose there.")
        self._task = None
        if self._is_owing:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(asyncio.run, self._end()).result()

    @property
    def _is_owing(self) -> bool:
        return bool(self._looks or self._recorder.uncovered or self._telling.is_sending)

    async def _end(self) -> None:
        await self.settle()
        await self._telling.deliver(is_last=True)

    async def _chores(self, woken: asyncio.Event) -> None:
        while True:
            await asyncio.sleep(self._rest_s)
            woken.clear()
            wait_s = await self._all()
            if wait_s is None and not woken.is_set():
                return
            try:
                async with asyncio.timeout(wait_s):
                    await woken.wait()
            except TimeoutError:
                with contextlib.suppress(HelpdeskError):  # the next row or the end makes it
                    await self._cover()

    async def _all(self) -> float | None:
        """Do each chore once; give the seconds until one is due again, None for none."""
        try:
            await self._write()
        except HelpdeskError:
            return EVERY_S
        try:
            wait_s = await self._telling.deliver()
            self._unsent = ""
        except HelpdeskError as error:
            self._unsent, wait_s = str(error), EVERY_S
        if self._recorder.uncovered:
            wait_s = min(wait_s or EVERY_S, EVERY_S)
        return wait_s

    async def _write(self) -> None:
        """Write the looks that wait, in one transaction; those that come meanwhile wait on."""
        async with self._lock:
            looks, begun = self._looks[:], time.monotonic()
            if not looks:
                return
            try:
                await self._write_looks(looks)
            except HelpdeskError as error:
                self._unwritten = str(error)
                raise
            self._unwritten = ""
            del self._looks[: len(looks)]
            self._waiting = {look.whose: look.at for look in self._looks}
            self._rest_s = max(REST_S, SHARE * (time.monotonic() - begun))

    async def _write_looks(self, looks: Sequence[Look]) -> None:
        """Write what is news, and remember it: then nobody need look into the log for it again."""
        oldest = min(look.at for look in looks) - LOOKS_IN
        self._written = {who: at for who, at in self._written.items() if at > oldest}
        for look in looks:  # nobody takes the pen for what is known
            if await self._is_news(look):
                break
        else:
            return
        written: dict[tuple[str, str], datetime] = {}
        async with self._recorder.transaction(joins=True):
            for look in looks:
                if await self._is_news(look):
                    await self._recorder.record(
                        act=LOOK, user=look.user, result=Result.DONE, at=look.at, by=look.agent
                    )
                    written[look.whose] = look.at
        self._written |= written

    async def _is_news(self, look: Look) -> bool:
        """Whether a look says what no row of its agent says yet."""
        near = await self._store.rows(user=look.user, agent=look.agent.id, since=look.at - LOOKS_IN)
        return not any(abs(look.at - row.at) < LOOKS_IN for row in near)

    async def _cover(self) -> None:
        """Make the checkpoint of the rows that have none yet."""
        async with self._lock:
            await self._recorder.catch_up()
            if not self._recorder.uncovered or self._recorder.alarm:
                return
            async with self._recorder.transaction():
                if self._recorder.uncovered and not self._recorder.alarm:
                    await self._recorder.checkpoint()
