"""Whether the desk is reached: when it last was, and who waits to hear that it is again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

from helpdesk.domain.errors import (
    HelpdeskError,
    OfProvider,
    SignInAgain,
    Unauthorised,
    Unreachable,
)
from helpdesk.domain.feed import Freshness
from helpdesk.domain.offline import PURGED_AFTER, SILENT_AFTER, age, freshness

T = TypeVar("T")

NOTED_EACH: Final = timedelta(seconds=30)
"""How often the time of the last contact is written down while the line is up."""


class Line:
    """The way to a desk elsewhere, as its answers show it.

    Attributes:
        contact: When the desk was last reached; None for never.
        is_up: Whether it was reached by the last try; None where none was made yet.
        turn: Grows whenever something shown here is not as it was.
        shown: When what was given from this machine was true, by what it is.

    Args:
        clock: Gives the present; somebody may set it back.
        elapsed: Gives seconds that nobody can set back.
        came_back: Is told when the desk is reached that was not.
        noted: Is told the time of a contact now and then, by both.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        elapsed: Callable[[], float],
        came_back: Callable[[], None],
        noted: Callable[[datetime, float], None],
    ) -> None:
        self._clock, self._elapsed = clock, elapsed
        self._came_back, self._noted = came_back, noted
        self._noted_at: datetime | None = None
        self._turned = asyncio.Event()
        self._contact_s: float | None = None
        self.contact: datetime | None = None
        self.is_up: bool | None = None
        self.turn = 0
        self.shown: dict[str, datetime] = {}

    @property
    def freshness(self) -> Freshness:
        """How old what one sees is."""
        oldest, is_silent = min(self.shown.values(), default=None), self.age >= SILENT_AFTER
        is_up = self.is_up is None or (self.is_up and not is_silent)
        return freshness(self.contact, self._clock(), is_up=is_up, shown=oldest, age=self.age)

    @property
    def is_read_only(self) -> bool:
        """Whether the desk was not reached for so long that nothing may be changed here."""
        return self.freshness_when_down.is_read_only

    @property
    def freshness_when_down(self) -> Freshness:
        """How old what one sees is, if the line is down."""
        return freshness(self.contact, self._clock(), is_up=False, age=self.age)

    @property
    def is_to_be_purged(self) -> bool:
        """Whether the desk was not reached for so long that nothing may stay on this machine."""
        return self.contact is not None and self.age >= PURGED_AFTER

    @property
    def age(self) -> timedelta:
        """How long ago the desk was last reached, whatever became of the clock; 0 for never."""
        if self.contact is None:
            return timedelta(0)
        passed = 0.0 if self._contact_s is None else self._elapsed() - self._contact_s
        return age(self.contact, self._clock(), timedelta(seconds=passed))

    def resume(self, contact: datetime | None, contact_s: float | None) -> None:
        """Take up where another console was: when the desk was last reached, by both clocks.

        The second is None where the machine was started since.
        """
        self.contact, self._contact_s = contact, contact_s

    def forget(self) -> None:
        """Be as if the desk had never been reached."""
        self.contact = self._contact_s = None
        self.bump()

    async def ask(self, asked: Awaitable[T]) -> T:
        """Give what the desk answers, and note whether it was reached; a refusal is an answer."""
        try:
            answer = await asked
        except (OfProvider, SignInAgain):
            self._up()
            raise
        except Unreachable:
            self._down()
            raise
        except Unauthorised:  # the agent is not signed in: nothing here comes from the desk
            if self.is_up is None:
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
        was_up, self.is_up = self.is_up, True
        self.contact, self._contact_s = now, self._elapsed()
        if self._noted_at is None or abs(now - self._noted_at) >= NOTED_EACH:
            self._noted_at = now
            self._noted(now, self._contact_s)
        if was_up is not True:
            self.bump()
            self._came_back()

    def _down(self) -> None:
        was_up, self.is_up = self.is_up, False
        if was_up is not False:
            self.bump()
