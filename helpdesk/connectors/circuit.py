"""The circuit: after five failures in a row nothing is asked for half a minute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from helpdesk.domain.errors import Unreachable

FAILURES: Final = 5
REST_S: Final = 30.0


class Circuit:
    """Whether it is worth asking now.

    Args:
        elapsed: Seconds on a clock that never goes back.
        who: Who is asked, as a sentence begins.
    """

    def __init__(self, elapsed: Callable[[], float], who: str = "The desk") -> None:
        self._elapsed, self._who = elapsed, who
        self._failures = 0
        self._closed_at = 0.0

    @property
    def rests_s(self) -> float:
        """Seconds until it is tried again; 0 where it may be tried now."""
        return max(0.0, self._closed_at - self._elapsed())

    @property
    def says(self) -> str:
        """When it is tried again, in a sentence; empty where nothing failed lately."""
        if self.rests_s:
            return f"{self._who} does not answer; it is tried again in {self.rests_s:.0f} s."
        return f"{self._who} did not answer the last time." if self._failures else ""

    def check(self) -> None:
        """Raise `Unreachable` where nothing is asked now; the sentence says when it is again."""
        if self.rests_s:
            raise Unreachable(self.says)

    def note(self, *, is_ok: bool) -> None:
        """Count how it went."""
        self._failures = 0 if is_ok else self._failures + 1
        if self._failures >= FAILURES:
            self._closed_at = self._elapsed() + REST_S
            self._failures = FAILURES - 1  # the next one failing, it rests again
