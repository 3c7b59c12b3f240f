"""The console that locks itself when nobody presses a key, where its desk is elsewhere.

no key for a while ─▶ curtain, every place and dialog gone ─▶ this machine forgets, signs out
Enter ─▶ sign in anew, as the same agent ─▶ the places begin anew
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events, work
from textual.events import Event
from textual.notifications import SeverityLevel

from helpdesk.domain.errors import HelpdeskError
from helpdesk.service.desk import Desk
from helpdesk.service.waiting import Waits
from helpdesk.tui import screens
from helpdesk.tui.keys import Where
from helpdesk.tui.screens.place import Clock, Place
from helpdesk.tui.signing import SigningApp

if TYPE_CHECKING:
    from helpdesk.tui.screens.curtain import Curtain

CURTAIN: Final = "curtain"
"""The mode of the screen that shows nobody."""

LOOK_S: Final = 5.0
"""Seconds between two looks at how long nobody pressed a key."""

TOUCHED: Final = (events.Key, events.Paste, events.MouseDown, events.MouseScrollDown,
                  events.MouseScrollUp)  # fmt: skip
"""What shows that somebody is there; a pointer that only moves does not."""


class Idle:
    """How long nobody pressed a key.

    Measured by two clocks, and the one that says more counts: one of them stands still while the
    machine sleeps, the other can be set back.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.touch()

    def touch(self) -> None:
        """Take note that somebody is there."""
        self._at, self._at_s = self._clock(), time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since."""
        return max((self._clock() - self._at).total_seconds(), time.monotonic() - self._at_s)


class LockingApp(SigningApp):
    """An app that shows nobody any more once it was left alone.

    Attributes:
        PLACES: What can be shown; each gives its screen, which is loaded then.
        is_locked: Whether it shows nobody now.

    Args:
        lock_s: Seconds without a key after which it locks; 0 for never.
    """

    PLACES: ClassVar[Mapping[Where, Callable[[], type[Place]]]] = {}

    def __init__(self, desk: Desk, clock: Clock, *, lock_s: float = 0.0) -> None:
        super().__init__(desk, clock)
        self._lock_s, self._idle = lock_s, Idle(clock)
        self.is_locked = False

    def add_places(self) -> None:
        """Add the modes of all places."""
        raise NotImplementedError

    def begin_to_watch(self) -> None:
        """Look now and then whether somebody is there."""
        self.set_interval(LOOK_S, self.look_whether_alone)

    async def on_event(self, event: Event) -> None:
        """Take note of whoever is there."""
        if isinstance(event, TOUCHED):
            self._idle.touch()
        await super().on_event(event)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a notice; none while all is locked, for it may name somebody."""
        if not self.is_locked:
            super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def look_whether_alone(self) -> None:
        """Lock where nobody pressed a key for long; let go of what is too old to be kept."""
        if not isinstance(self._desk, Waits) or self.is_locked:
            return
        if self._lock_s and self._idle.seconds >= self._lock_s:
            self.lock_up()
        else:
            self.let_go_if_old()

    @work(exclusive=True, group="age", exit_on_error=False)
    async def let_go_if_old(self) -> None:
        """Let go of what is too old to be kept, also while every question hangs."""
        if isinstance(self._desk, Waits):
            try:
                await self._desk.let_go_if_old()
            except HelpdeskError:
                return  # the next look tries again

    def lock_up(self) -> None:
        """Show nobody any more, forget them on this machine, and sign out."""
        if isinstance(self._desk, Waits) and not self.is_locked:
            self.is_locked = True
            self._lock_up(self._desk)

    @work(group="lock", exit_on_error=False)
    async def _lock_up(self, desk: Waits) -> None:
        self.clear_notifications()
        minutes = round(self._lock_s / 60)
        self.give_up_questions()
        await self._show_curtain(
            screens.Curtain(
                "Locked",
                f"Nobody pressed a key for {minutes} min. No case is shown here, and none is kept "
                "on this machine any more.",
                "sign in again, and go on",
            )
        )
        try:
            await desk.lock()
        except HelpdeskError as error:
            self._tell_curtain(str(error))

    async def _show_curtain(self, curtain: Curtain) -> None:
        """Put a curtain in the place of all places and dialogs, which are gone afterwards."""
        self.add_mode(CURTAIN, lambda: curtain)
        await self.switch_mode(CURTAIN)
        self.workers.cancel_group(self, "outbox")
        for where in self.PLACES:
            await self.remove_mode(where.value)
        for _ in self.screen_stack[1:]:  # what a place opened while the curtain fell
            await self.screen.dismiss()

    def on_curtain_lifted(self, message: Curtain.Lifted) -> None:
        """Begin to sign in anew."""
        del message
        if isinstance(self.screen, screens.Curtain) and isinstance(self._desk, Waits):
            self.screen.is_busy = True
            self._lift(self._desk, self.screen)

    @work(group="lock", exit_on_error=False)
    async def _lift(self, desk: Waits, curtain: Curtain) -> None:
        """Let the agent sign in anew; where they did not, all stays as it is."""
        try:
            await desk.unlock()
        except HelpdeskError as error:
            curtain.says = str(error)
            return
        finally:
            curtain.is_busy = False
        await self.raise_curtain()

    async def raise_curtain(self) -> None:
        """Begin all places anew."""
        self._idle.touch()
        self.is_locked = False
        self.add_places()
        await self.switch_mode(Where.DESK.value)
        await self.remove_mode(CURTAIN)

    def _tell_curtain(self, says: str) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, screens.Curtain):
                screen.says = says
