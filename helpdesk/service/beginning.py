"""Acts at a provider elsewhere, which are no part of the store's transaction and may take long.

weighed ─▶ noted as begun ─▶ the pen is put down ─▶ the provider acts ─▶ recorded, the note ends
                                                └─ the console dies ─▶ found begun ─▶ recorded
                                                                       as unknown, never done anew

One act of a user at a time, also of several consoles on one record; others go on meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import platform
import secrets
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from helpdesk.domain.actions import ACTIONS, AnyAction
from helpdesk.domain.agents import Agent
from helpdesk.domain.audit import LogRow, Result
from helpdesk.domain.errors import StillRunning, Unsettled
from helpdesk.domain.holds import Ending, Hold
from helpdesk.domain.text import clean
from helpdesk.service.changing import Changing
from helpdesk.service.once import Once, Wish, ended

AT_PROVIDER: Final = frozenset(ACTIONS) - {
    "route", "note", "take-ticket", "close-ticket", "flag", "reveal",
}  # fmt: skip
"""The acts that a provider carries out; the others write our own record only."""

LONGEST: Final = timedelta(minutes=15)
"""How long an act of another console may run before nobody expects its end any more."""

PATIENCE_S: Final = 30.0
LOOK_S: Final = 0.05
"""How long one waits for another act on the same user, and between two looks."""

HERE: Final = f"{platform.node()}/{os.getpid()}"
"""This machine and this process."""

_RUNNING: Final[set[str]] = set()
"""What this process carries out just now."""

LOST: Final = (
    "It is unknown whether this was done: the desk ended while the provider carried it out. "
    "Look at the user before it is done again."
)


def is_lost(hold: Hold, now: datetime) -> bool:
    """Whether nobody carries out any more what was begun: who did is gone, or too long silent."""
    if hold.console == HERE:
        return hold.id not in _RUNNING
    if hold.begun_at is None or now - hold.begun_at > LONGEST:
        return True  # by now another process may have its number, as after the machine began anew
    machine, _, process = hold.console.rpartition("/")
    is_near = machine == platform.node() and process.isdecimal()
    return is_near and not _is_alive(int(process))


def bare(action: AnyAction) -> AnyAction:
    """Return an act with what its row tells only: no code, number or address is kept of it."""
    kept = ("user", "reason", "ticket", "factor")
    return type(action)(**{name: getattr(action, name) for name in kept if hasattr(action, name)})


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # another user's
    return True


class Beginning(Changing):
    """The part of a local desk that notes what a provider is about to be told."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether acts are carried out outside the store's transaction."""
        return not self._view.connector.takes_part

    async def _acts(self) -> dict[str, Ending]:
        """Give the acts that began or ended of late, before the provider is asked."""
        since = self._view.clock() - 2 * LONGEST
        await self._view.store.refresh()
        return {one.id: one.ending for one in await self._view.store.select(Hold, since=since)}

    async def _alone(self, user: str, seen: dict[str, Ending]) -> bool:
        """Whether no act on a user is under way, and none came since others were *seen*.

        What was lost is recorded first. Inside a transaction.
        """
        since = self._view.clock() - 2 * LONGEST
        for hold in await self._running(user):
            if not is_lost(hold, self._view.clock()):
                return False
            await self._settle_lost(hold)
        mine = await self._view.store.select(Hold, user=user, since=since)
        return all(seen.get(one.id) is one.ending for one in mine)

    async def _running(self, user: str = "") -> list[Hold]:
        waiting = await self._view.store.select(Hold, user=user, only_open=True)
        return [hold for hold in waiting if hold.ending is Ending.RUNS]

    async def _wait(self, user: str) -> None:
        """Wait, without the pen, until no act on a user is under way.

        Raises:
            StillRunning: One still is after a while.
        """
        for _ in range(int(PATIENCE_S / LOOK_S)):
            await self._view.store.refresh()
            running = await self._running(user)
            if all(is_lost(hold, self._view.clock()) for hold in running):
                return
            await asyncio.sleep(LOOK_S)
        raise StillRunning(
            "Another act on this user is being carried out just now: ask again in a moment."
        )

    async def _note_begun(self, act: str, user: str, asked: Wish, payload: str = "") -> Hold:
        """Note, inside a transaction, that an act begins; of a question no *payload* is kept."""
        now = self._view.clock()
        return await self._begin(
            Hold(
                id=f"b{secrets.token_hex(6)}",
                act=act,
                user=user,
                payload=payload,
                agent=self.agent.id,
                by=self.agent,
                at=now,
                due_at=now,
                key=asked.key,
                sha256=asked.sha256,
            )
        )

    async def _begin(self, hold: Hold) -> Hold:
        now = self._view.clock()
        begun = replace(hold, ending=Ending.RUNS, begun_at=now, console=HERE)
        _RUNNING.add(begun.id)
        await self._view.store.keep(begun)
        return begun

    async def _note_ended(self, hold: Hold | None, ending: Ending) -> None:
        """Note, inside a transaction, how an act ended that had begun."""
        if hold is not None:
            now = self._view.clock()
            await self._view.store.keep(replace(hold, ending=ending, ended_at=now))

    def _let_go(self, hold: Hold | None) -> None:
        """Say, after all, that this process does not carry it out any more."""
        if hold is not None:
            _RUNNING.discard(hold.id)

    async def _settle_all_lost(self) -> None:
        """Record as unknown what was begun by whoever is gone."""
        now = self._view.clock()
        if not any(is_lost(hold, now) for hold in await self._running()):
            return
        async with self._changing, self._recorder.transaction():
            await self._view.refresh()
            for hold in await self._running():
                if is_lost(hold, now):
                    await self._settle_lost(hold)

    async def _settle_lost(self, hold: Hold) -> LogRow:
        by: Agent = hold.by or self.agent
        if hold.payload:
            action = msgspec.json.decode(hold.payload, type=AnyAction)
            told = hold.id if hold.is_held else ""
            row = await self._record_action(
                action, hold.user, LOST, Result.FAILED, hold=told, by=by
            )
        else:  # a question, of which nothing else is kept
            row = await self._record(
                act=hold.act, user=hold.user, says=LOST, result=Result.FAILED, by=by
            )
        await self._note_ended(hold, Ending.UNKNOWN)
        wish = Wish(key=hold.key, sha256=hold.sha256)
        theirs = Once(hold.agent, self._view.store, self._view.clock)
        await theirs.keep(wish, ended(Unsettled(clean(LOST))), row.result, row.seq)
        return row
