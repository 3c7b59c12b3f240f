"""A demo played without a terminal, and every frame of it kept: for a strip and for a cast."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from helpdesk.domain.errors import HelpdeskError
from helpdesk.service.rehearsal import Rehearsal
from helpdesk.tui.demo.app import DemoApp
from helpdesk.tui.demo.hand import AT_ONCE, SHOWN
from helpdesk.tui.film.frames import Frame

SIZE: Final = (80, 24)
"""Columns and lines of a film where none are wished for."""

BEGINS: Final = "The call begins"


@dataclass(frozen=True, slots=True)
class Film:
    """The frames of a demo in order.

    Attributes:
        looks: Those that are looked at, two or more a step, with captions: for a strip.
        frames: All of them, each letter that is typed too, and for how many seconds: for a cast.
    """

    looks: list[Frame] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def take(self, frame: Frame, is_look: bool, lasts: float) -> None:
        """Keep one frame."""
        if is_look and not (self.looks and self.looks[-1] == frame):
            self.looks.append(frame)
        if self.frames and replace(self.frames[-1], caption="") == replace(frame, caption=""):
            self.seconds[-1] += lasts
            return
        self.frames.append(frame)
        self.seconds.append(lasts)


async def filmed(
    play: Rehearsal, *, size: tuple[int, int] = SIZE, theme: str | None = None
) -> Film:
    """Return the film of a play's model answer.

    Raises:
        HelpdeskError: A step could not be played; the sentence says which, and why.
    """
    film = Film()
    app = DemoApp(play, theme=theme, pace=AT_ONCE, film_pace=SHOWN, film=film.take)
    async with app.run_test(size=size):
        await app.look(caption=BEGINS)
        while not app.is_over:
            if not await app.play_next():
                at = f"Step {app.played + 1} of {len(app.steps)}"
                raise HelpdeskError(f"{at} could not be played. {app.stuck}")
    return film
