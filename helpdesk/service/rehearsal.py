"""What a screen can see and do of a rehearsal beside the desk: the caller, the clock, the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:  # every header knows the label, and most consoles rehearse nothing
    from collections.abc import Callable
    from datetime import datetime

    from helpdesk.domain.training.recording import AnyLine
    from helpdesk.domain.training.scenario import Scenario
    from helpdesk.domain.training.scoring import Score
    from helpdesk.service.desk import Desk

AGAIN: Final = 75
"""What the process of a play on a page ends with where the trainee wants it from the start."""

TRAINING: Final = "TRAINING"
"""The label of a rehearsal's desk, which every screen of it shows."""


class Rehearsal(Protocol):
    """One play of a scenario, on a desk of its own.

    Attributes:
        on_line: Is told of every line of the record as it is written; None for nobody.
    """

    on_line: Callable[[AnyLine], None] | None

    @property
    def scenario(self) -> Scenario:
        """What is played."""
        ...

    @property
    def front(self) -> Desk:
        """Where the trainee works; everything done at it is recorded."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether the cause was named."""
        ...

    @property
    def now(self) -> datetime:
        """The time in the play's own world."""
        ...

    @property
    def seconds(self) -> int:
        """Whole seconds since the beginning."""
        ...

    @property
    def record(self) -> bytes:
        """The record so far, as it is kept."""
        ...

    @property
    def lines(self) -> tuple[AnyLine, ...]:
        """The record so far, without its key."""
        ...

    async def begin(self) -> None:
        """Let the caller speak; the clock stands until `advance`."""
        ...

    async def advance(self, to: datetime) -> None:
        """Move the time on; what is due by then happens, each at its own moment, in order."""
        ...

    async def ask(self, pair: str) -> str:
        """Put a question of the verdict; give the caller's words."""
        ...

    def tell(self, says: str) -> None:
        """Say something to the customer."""
        ...

    async def reading(self) -> tuple[str, str]:
        """Give the word and the code the caller answers with; empty where they cannot."""
        ...

    def end(self, cause: str, keys: int = 0) -> Score:
        """Name the cause and hang up; give the marks."""
        ...

    async def leave(self) -> None:
        """End what goes on beside the play, before its loop ends."""
        ...
