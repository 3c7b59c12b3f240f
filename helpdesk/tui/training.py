"""The console of a rehearsal: the same screens, a caller who speaks, and a clock one may hurry."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.events import Event, Key, Unmount
from textual.types import CSSPathType
from textual.widgets import Input

from helpdesk.assets import asset
from helpdesk.domain.diagnosis import CAUSES
from helpdesk.domain.diagnosis.questions import PAIRS
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.training import recording as record
from helpdesk.domain.training.debriefing import FAULTS, replay
from helpdesk.domain.training.recording import AnyLine, read_record
from helpdesk.domain.training.scoring import Score
from helpdesk.domain.training.spans import clock_words
from helpdesk.service.rehearsal import Rehearsal
from helpdesk.tui.app import HelpdeskApp
from helpdesk.tui.dialogs.ending import CauseDialog, DebriefDialog, SayDialog
from helpdesk.tui.dialogs.guarded import Dialog
from helpdesk.tui.keys import Where
from helpdesk.tui.running import run_safely
from helpdesk.tui.screens.place import Place
from helpdesk.tui.screens.training import RehearsalScreen
from helpdesk.tui.widgets.caller import CallerPanel

SPEEDS: Final = (1, 2, 5, 10, 30, 60)
TICK_S: Final = 0.25
"""Seconds between two looks at the clock."""

TWICE_S: Final = 3.0
"""Seconds in which a key that throws the play away must be pressed again."""

CLOCK: Final = frozenset({"f3", "f4"})
"""Keys that turn the clock: no work at the desk, so they cost no marks."""

MOST: Final = 9
"""Causes to choose from in the end: one a number."""


class TrainingApp(HelpdeskApp):
    """The console on a rehearsal.

    Args:
        hand: Gives the seconds by which the clock of the play goes on, as `time.monotonic` does.

    Attributes:
        is_again: Whether the trainee wants the play anew.
        score: The marks, once the trainee hung up.
    """

    TITLE = "helpdesk training"
    CSS_PATH: ClassVar[CSSPathType | None] = [
        asset("styles/app.tcss"),
        asset("styles/training.tcss"),
    ]
    PLACES: ClassVar[Mapping[Where, Callable[[], type[Place]]]] = {
        **HelpdeskApp.PLACES,
        Where.DESK: lambda: RehearsalScreen,
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "say", "Say", show=False),
        Binding("f3", "pause", "Stop or go on", show=False),
        Binding("f4", "speed", "Faster", show=False),
        Binding("f6", "end", "Hang up", show=False),
        Binding("f7", "over", "Over again", show=False),
    ]

    def __init__(
        self,
        play: Rehearsal,
        *,
        theme: str | None = None,
        hand: Callable[[], float] = time.monotonic,
    ) -> None:
        self.play, self._hand = play, hand
        super().__init__(play.front, theme=theme, clock=lambda: play.now)
        self.is_again = False
        self.score: Score | None = None
        self._speed, self._stands, self._is_moving = SPEEDS[0], False, False
        self._thinks = False
        self._at = self._hand()
        self._strokes = 0
        self._over_at = 0.0

    def place(self, place: type[Place]) -> Place:
        """Give one of the places; the desk knows of the caller."""
        if issubclass(place, RehearsalScreen):
            return place(self.play, self._clock)
        return super().place(place)

    def get_css_variables(self) -> dict[str, str]:
        """Give the theme's colours; what marks demo data marks training, in another colour."""
        found = super().get_css_variables()
        changed = {"demo": found.get("train"), "demo-text": found.get("train-text")}
        return found | {name: value for name, value in changed.items() if value}

    async def on_event(self, event: Event) -> None:
        """Count the keys, but neither letters that are typed into a line nor those of the clock."""
        if isinstance(event, Key) and not event.is_forwarded and not self._is_typed(event):
            self._strokes += event.key not in CLOCK
        await super().on_event(event)

    def _is_typed(self, event: Key) -> bool:
        return isinstance(self.focused, Input) and event.is_printable

    @on(Unmount)
    async def _left(self) -> None:
        await self.play.leave()

    def on_ready(self) -> None:
        """Let the call begin; what the console itself begins, it begins beside this."""
        self.play.on_line = self._heard
        self._begin()

    @work(group="play", exit_on_error=True)
    async def _begin(self) -> None:
        await self.play.begin()
        self._at = self._hand()
        self._show_clock()
        self.set_interval(TICK_S, self._tick)

    def _tick(self) -> None:
        """Move the time on by as much as went by, as fast as is wanted."""
        now = self._hand()
        if self._is_moving:
            return
        gone, self._at = now - self._at, now
        if self._stands or self._thinks or self.play.is_over:
            return
        self._is_moving = True
        self._move(gone * self._speed)

    @work(group="play", exit_on_error=True)
    async def _move(self, seconds: float) -> None:
        try:
            await self.play.advance(self.play.now + timedelta(seconds=seconds))
        finally:
            self._is_moving = False
        self._show_clock()

    @property
    def _panel(self) -> CallerPanel | None:
        for screen in self.screen_stack:
            if isinstance(screen, RehearsalScreen):
                try:
                    return screen.query_one(CallerPanel)
                except NoMatches:
                    return None
        return None

    def _show_clock(self) -> None:
        panel = self._panel
        if panel is not None:
            panel.tick(self.play.seconds, self._speed, stands=self._stands)
        for screen in self.screen_stack:
            if isinstance(screen, RehearsalScreen):
                screen.now = self.play.now.replace(microsecond=0)

    def _heard(self, line: AnyLine) -> None:
        """Put what was said into the panel; what the log shows, the desk shows."""
        panel = self._panel
        if panel is None:
            return
        match line:
            case record.Said(says=says) | record.Asked(says=says):
                panel.hear("caller", says)
            case record.Proved(result="asked", says=says):
                self._read_out(says)
            case record.Told(says=says):
                panel.hear("you", says)
            case record.Went(fault=fault, is_on=is_on) if fault != "conflict":
                panel.hear("desk", FAULTS[fault][0 if is_on else 1])

    @work(group="play", exit_on_error=True)
    async def _read_out(self, says: str) -> None:
        """Let the caller answer to a proof: with what their telephone shows, if it is theirs."""
        word, secret = "", ""
        with contextlib.suppress(HelpdeskError):
            word, secret = await self.play.reading()
        panel = self._panel
        if panel is not None:
            read = self.said_aloud(secret)
            panel.hear("caller", f"“{word}.” {says} {read}".rstrip() if word else says)

    def said_aloud(self, secret: str) -> str:
        """Give what is heard of a secret that is read out: all of it."""
        return secret

    def action_pause(self) -> None:
        """Let the time stand still, or run on."""
        self._stands = not self._stands
        self._show_clock()

    def action_speed(self) -> None:
        """Let the time run faster; after the fastest as it does."""
        self._speed = SPEEDS[(SPEEDS.index(self._speed) + 1) % len(SPEEDS)]
        self._show_clock()

    @work(group="play", exit_on_error=True)
    async def action_say(self) -> None:
        """Say something to the customer."""
        if isinstance(self.screen, Dialog) or self.play.is_over:
            return
        says = await self.push_screen_wait(SayDialog())
        if says:
            self.play.tell(says)

    @work(group="play", exit_on_error=True)
    async def action_end(self) -> None:
        """Hang up: name the cause, and see the marks."""
        if isinstance(self.screen, Dialog) or self.play.is_over:
            return
        self._thinks = True
        cause = await self.push_screen_wait(CauseDialog(self._causes()))
        self._thinks = False
        if not cause:
            return
        self.score = self.play.end(cause, self._strokes)
        call = [(clock_words(one.at), one.who, one.says) for one in replay(self._record())]
        wants = await self.push_screen_wait(DebriefDialog(self.score, call))
        self.is_again = wants == "again"
        self.exit()

    def action_over(self) -> None:
        """Begin anew from the exact start; asked for twice, for the try is lost."""
        now = time.monotonic()
        if now - self._over_at > TWICE_S:
            self._over_at = now
            self.notify("Press F7 again to begin anew. This try is not marked.", markup=False)
            return
        self.is_again = True
        self.exit()

    def _record(self) -> Any:
        return read_record(self.play.record)

    def _causes(self) -> list[tuple[str, str]]:
        """The causes to choose from: the right ones, what was seen, and what they look like."""
        scenario = self.play.scenario
        names = [scenario.cause]
        for line in reversed(self.play.lines):
            if isinstance(line, record.Saw):
                names += [name for name, _ in line.causes]
        names += [end for ask in scenario.asks for end in ask.split("/") if end in CAUSES]
        for pair in PAIRS.values():
            names += [end for end in pair.ends if scenario.cause in pair.ends and end in CAUSES]
        near = [name for name in CAUSES if name[0] == scenario.cause[0]]
        far = [name for name in CAUSES if name[0] != scenario.cause[0]]
        names += near[: MOST // 2] + far[scenario.seed % 7 :: 7]
        chosen = list(dict.fromkeys(names))[:MOST]
        return [(name, CAUSES[name].title) for name in sorted(chosen)]


def run(play: Rehearsal, *, theme: str | None = None) -> tuple[int, bool, Score | None]:
    """Run the console on a play; give the exit code, whether to play anew, and the marks."""
    app = TrainingApp(play, theme=theme)
    code = run_safely(app)
    return code, app.is_again, app.score
