"""Whether the desk is reached: when it last was, and who waits to hear that it is again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

from helpdesk.domain.errors import HelpdeskError, Unreachable
from helpdesk.domain.feed import Freshness
from helpdesk.domain.offline import PURGED_AFTER, freshness

T = TypeVar("T")

NOTED_EACH: Final = timedelta(seconds=30)
"""How often the time of the last contact is written down while the line is up."""

SILENT_AFTER: Final = timedelta(minutes=1)
"""A line that was up, and of which nothing was heard for so long, counts as down until it is.

A console asks every few seconds; one that slept does not know yet what became of its line.
"""


class Line:
    """The way to a desk elsewhere, as its answers show it.

    Attributes:
        is_up: Whether it was reached by the last try; None where none was made yet.
        turn: Grows whenever something shown here is not as it was.
        shown: When what was given from this machine was true, by what it is.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        came_back: Callable[[], None],
        noted: Callable[[datetime], None],
    ) -> None:
        self._clock, self._came_back, self._noted = clock, came_back, noted
        self._noted_at: datetime | None = None
        self._turned = asyncio.Event()
        self._contact: datetime | None = None
        self._contact_s = 0.0
        self.is_up: bool | None = None
        self.turn = 0
        self.shown: dict[str, datetime] = {}

    @property
    def contact(self) -> datetime | None:
        """When the desk was last reached; None for never."""
        return self._contact

    @contact.setter
    def contact(self, at: datetime | None) -> None:
        """Take it that the desk was last reached then; not later than now."""
        now = self._clock()
        self._contact = at = None if at is None else min(at, now)
        self._contact_s = _elapsed_s() - ((now - at).total_seconds() if at else 0.0)

    @property
    def freshness(self) -> Freshness:
        """How old what one sees is."""
        oldest = min(self.shown.values(), default=None)
        is_up = self.is_up is not False and not self._is_silent
        return freshness(self.contact, self._now, is_up=is_up, shown=oldest)

    @property
    def is_read_only(self) -> bool:
        """Whether the desk was not reached for so long that nothing may be changed here."""
        return self.is_up is not True and self.freshness_when_down.is_read_only

    @property
    def freshness_when_down(self) -> Freshness:
        """How old what one sees is, if the line is down."""
        return freshness(self.contact, self._now, is_up=False)

    @property
    def is_to_be_purged(self) -> bool:
        """Whether the desk was not reached for so long that nothing may stay on this machine."""
        return self.contact is not None and self._now - self.contact >= PURGED_AFTER

    @property
    def _now(self) -> datetime:
        """The present; a clock that is set back makes nothing younger."""
        now = self._clock()
        if self.contact is None:
            return now
        return max(now, self.contact + timedelta(seconds=_elapsed_s() - self._contact_s))

    @property
    def _is_silent(self) -> bool:
        is_known = self.is_up is True and self.contact is not None
        return is_known and self._now - (self.contact or self._now) >= SILENT_AFTER

    async def ask(self, asked: Awaitable[T]) -> T:
        """Give what the desk answers, and note whether it was reached; a refusal is an answer."""
        try:
            answer = await asked
        except Unreachable:
            self._down()
            raise
        except HelpdeskError:
            self._up()
            raise
        self._up()
        return answer

    def bump(self) -> None:
        """Tell who waits that something is not as it was."""
        self.turn += 1
        self._turned.set()
        self._turned = asyncio.Event()

    async def turned(self, after: int) -> int:
        """Wait until something is not as it was at a turn; give the turn of now."""
        while self.turn <= after:
            await self._turned.wait()
        return self.turn

    def _up(self) -> None:
        now = self._clock()
        was_up, self.is_up, self.contact = self.is_up, True, now
        if self._noted_at is None or abs(now - self._noted_at) >= NOTED_EACH:
            self._noted_at = now
            self._noted(now)
        if was_up is not True:
            self.bump()
            self._came_back()

    def _down(self) -> None:
        was_up, self.is_up = self.is_up, False
        if was_up is not False:
            self.bump()


def _elapsed_s() -> float:
    """Seconds on a clock that nobody sets, those that the machine slept counted where they are."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)
