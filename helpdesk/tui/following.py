"""The console that follows its desk: what changes is shown by itself, and how old it is.

desk.changed ─▶ what changed ─▶ the place in sight asks again: no focus moves, no row is left
             └▶ header, banner ─▶ every place
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from textual import work

from helpdesk.domain.errors import CursorTooOld, HelpdeskError
from helpdesk.domain.feed import Changes
from helpdesk.service.desk import Desk
from helpdesk.service.waiting import Waits
from helpdesk.tui import dialogs
from helpdesk.tui.render.offline import banner_line, worth_showing
from helpdesk.tui.screens.place import Clock, Place
from helpdesk.tui.screens.standing import Standing
from helpdesk.tui.terminal import SafeApp

if TYPE_CHECKING:
    from helpdesk.tui.dialogs.outbox import Decided

REST_S: Final = 1.0
"""Seconds between two looks at what changed: a busy desk does not make the screen flicker."""

STAND_S: Final = 1.0
"""How often header and banner are looked at: what one sees grows older by itself."""

TOLD_S: Final = 20.0
"""Seconds a notice about the end of a wish is shown."""


class FollowingApp(SafeApp):
    """An app whose places show what changes at the desk."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        super().__init__()
        self._desk, self._clock = desk, clock
        self._standing = Standing()

    def begin_to_follow(self) -> None:
        """Follow the desk from now on."""
        self.stand()
        self.set_interval(STAND_S, self.stand)
        self.follow()

    def places(self) -> Iterator[Place]:
        """Give the places in sight; one that is still being made asks for itself once it is."""
        for screen in self.screen_stack:
            if isinstance(screen, Place) and screen.is_mounted:
                yield screen

    @work(group="feed", exit_on_error=False)
    async def follow(self) -> None:
        """Wait for changes, and let the places in sight know of them."""
        cursor = ""
        while True:
            try:
                if not cursor:
                    cursor = (await self._desk.changes()).cursor
                await self._desk.changed(cursor)
                self.stand()
                found = await self._desk.changes(cursor)
            except CursorTooOld:
                cursor, found = "", Changes(cursor="")
            except HelpdeskError:
                await asyncio.sleep(REST_S)
                continue
            cursor = found.cursor
            for place in self.places():
                place.heed_changes(found)
            await self._rested()

    async def _rested(self) -> None:
        """Wait a moment; what the agent asked for, and did not get at once, ends it."""
        desk = self._desk
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REST_S):
                await (desk.came_late() if isinstance(desk, Waits) else asyncio.sleep(REST_S))

    def stand(self) -> None:
        """Show in every place in sight how old what one sees is, and what waits."""
        desk = self._desk
        wishes = desk.wishes if isinstance(desk, Waits) else ()
        says, is_loud = desk.banner if isinstance(desk, Waits) else ("", False)
        line = banner_line(says, is_loud=is_loud, can_see=bool(worth_showing(wishes)))
        for place in self.places():
            place.stand(desk.freshness.says, line)
            place.grow_older()
        for user, told, is_good in self._standing.news(wishes):
            severity = "information" if is_good else "error"
            self.notify(told, title=user, severity=severity, timeout=TOLD_S, markup=False)  # type: ignore[arg-type]

    @work(group="outbox", exit_on_error=False)
    async def show_outbox(self) -> None:
        """Show what is not settled, and do what is decided about it, until nothing is left."""
        if isinstance(self.screen, dialogs.OutboxDialog):
            return  # its key was struck twice
        desk = self._desk
        while isinstance(desk, Waits):
            wishes = worth_showing(desk.wishes)
            if not wishes:
                break
            decided: Decided | None = await self.push_screen_wait(
                dialogs.OutboxDialog(wishes, self._now())
            )
            if decided is None:
                return
            try:
                if decided.what is dialogs.What.ASK:
                    await desk.tend()
                else:
                    await desk.decide(decided.key, goes_on=decided.what is dialogs.What.GO_ON)
            except HelpdeskError as error:
                self.notify(str(error), severity="error", timeout=10, markup=False)
            self.stand()
        self.notify("Nothing waits: all is settled.", markup=False)

    @work(group="outbox", exit_on_error=False)
    async def lock(self) -> None:
        """Forget all users this machine keeps of a desk elsewhere, sign out, and quit."""
        if not isinstance(self._desk, Waits):
            self.notify("This desk is on this machine: there is no copy to forget.", markup=False)
            return
        try:
            await self._desk.lock()
        except HelpdeskError as error:
            self.notify(str(error), severity="error", timeout=10, markup=False)
            return
        self.exit()

    def _now(self) -> datetime:
        return self._clock()
