"""A notice on the screen, and how long it stays there."""

from __future__ import annotations

from typing import Final

from textual.notifications import Notification

LEAST_S: Final = 0.1
"""So long a notice is shown at least: one of Textual's timers of no time at all never ends."""


class Notice(Notification):
    """A notice that may be over before it is drawn: the timer that takes it away ends even then."""

    @property
    def time_left(self) -> float:
        """Seconds it is to be shown; some, however late it is drawn."""
        return max(LEAST_S, super().time_left)

    @property
    def has_expired(self) -> bool:
        """Whether its time is over."""
        return super().time_left <= 0
