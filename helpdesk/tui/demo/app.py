"""The app of a demo: the rehearsal's, whose presenter plays the model answer step by step.

F8 ─▶ the clock moves to the step's moment ─▶ the hand plays it ─▶ all is asked anew ─▶ look

Nothing in it happens by the clock on the wall: the same steps give the same screens and record.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final

from textual import work
from textual.events import Event, Key
from textual.geometry import Region
from textual.keys import _character_to_key
from textual.notifications import SeverityLevel
from textual.types import CSSPathType
from textual.widgets import Input

from helpdesk.assets import asset
from helpdesk.domain.feed import Changes
from helpdesk.domain.training import recording as record
from helpdesk.domain.training.prompting import Note, Prompt, notes
from helpdesk.domain.training.recording import AnyLine
from helpdesk.domain.training.scenario import BEGINS, Step
from helpdesk.service.rehearsal import Rehearsal
from helpdesk.tui.demo.hand import AT_ONCE, SHOWN, Hand, Pace, Stuck
from helpdesk.tui.dialogs.guarded import Dialog
from helpdesk.tui.dialogs.pages import HandoverDialog
from helpdesk.tui.dialogs.proving import PhoneDialog, VerifyDialog
from helpdesk.tui.film.frames import Frame, harmless, taken
from helpdesk.tui.keys import Where
from helpdesk.tui.running import run_safely
from helpdesk.tui.screens.place import Place
from helpdesk.tui.screens.stage import CODES, DESK, WHY, WORDS, StageScreen
from helpdesk.tui.training import TrainingApp

LOOK: Final = "high-contrast"
"""The theme of a demo where none is wished for: a beamer washes all others out."""

NEXT, VIEW, RESET = "f8", "f5", "f7"
ALWAYS: Final = frozenset({"ctrl+q", "ctrl+c"})
"""Keys of the presenter, and those that work while the hand plays."""

STILL, BLINK_S, SETTLES_S = 3, 0.01, 8.0
"""Looks at which nothing is under way, seconds between them, seconds after which it goes on."""

DRAWS_S: Final = 0.002
"""Seconds between two looks whether a key's effect is drawn."""

BRIEF: Final = frozenset(
    {"case", "why", "weigh", "ways", "search", "window", "waiting", "approvals", "alarms", "fleet"}
)
"""Groups of work that ends by itself, also while a dialog is open."""

LASTING: Final = frozenset({"hand", "feed", "lock", "age"})
"""Groups of work that is always under way; any other waits for a dialog, or ends by itself."""

HIDING: Final = ((HandoverDialog, ("#qr", "#handover-words #body")), (PhoneDialog, ("#shown",)))
"""Where a frame that is kept hides what is shown once."""

Film = Callable[[Frame, bool, float], None]
"""Takes a frame, whether it is one to be looked at, and for how many seconds."""


class DemoApp(TrainingApp):
    """The console on a stage.

    Args:
        pace: How fast the hand plays, and in a film seems to.
        tell: Takes where the demo stands, each time that changes; for the presenter's notes.
        film: Takes every frame; None where nothing is filmed.

    Attributes:
        played: How many steps were played.
        is_busy: Whether the hand is at work.
        stuck: Why the last one could not be; empty where it could.
    """

    TITLE = "helpdesk demo"
    CSS_PATH: ClassVar[CSSPathType | None] = [
        asset("styles/app.tcss"),
        asset("styles/training.tcss"),
        asset("styles/stage.tcss"),
    ]
    PLACES: ClassVar[Mapping[Where, Callable[[], type[Place]]]] = {
        **TrainingApp.PLACES,
        Where.DESK: lambda: StageScreen,
    }

    def __init__(
        self,
        play: Rehearsal,
        *,
        theme: str | None = None,
        pace: Pace = SHOWN,
        film_pace: Pace | None = None,
        tell: Callable[[Prompt], None] | None = None,
        film: Film | None = None,
    ) -> None:
        super().__init__(play, theme=theme or LOOK)
        self.pace = self._pace = pace
        self._film_pace = film_pace or pace
        self._tell, self._film = tell, film
        self._stands = True
        self._presser = Hand(self)
        self._notes = notes(play.scenario)
        self._by_hand: list[Key] = []
        self._told = ""
        self._says = ("", True)
        self._is_playing = self._may_look = self.is_busy = False
        self.played = 0
        self.stuck = ""

    @property
    def desk(self) -> StageScreen:
        """The desk, whatever lies in front of it; from another place one is brought back first."""
        return next(screen for screen in self.screen_stack if isinstance(screen, StageScreen))

    @property
    def steps(self) -> tuple[Step | None, ...]:
        """All there is to play; None for opening the case, which comes first."""
        return (None, *self.play.scenario.model)

    @property
    def is_over(self) -> bool:
        """Whether all is played."""
        return self.played >= len(self.steps)

    def on_ready(self) -> None:
        """Show what comes first."""
        self._show()

    def follow(self) -> Any:
        """Follow nothing by itself: after each step all is asked anew."""

    def look_for_approvals(self) -> None:
        """Look only where a step ends."""
        if self._may_look:
            super().look_for_approvals()

    def look_for_alarms(self) -> Any:
        """Look only where a step ends."""
        return super().look_for_alarms() if self._may_look else None

    async def on_event(self, event: Event) -> None:
        """Take the presenter's own keys first; while the hand plays no others but to quit."""
        if isinstance(event, Key) and not event.is_forwarded:
            is_by_hand = any(event is one for one in self._by_hand)
            if not is_by_hand and self._presents(event):
                return
            if not is_by_hand and self.is_busy and event.key not in ALWAYS:
                return
        await super().on_event(event)

    def _presents(self, event: Key) -> bool:
        """Do what a key of the presenter does; say whether it was one."""
        if event.key == NEXT:
            if self.is_busy:
                self.pace = AT_ONCE
            else:
                self.go_on()
        elif event.key == VIEW:
            for screen in self.screen_stack:
                if isinstance(screen, StageScreen):
                    screen.next_view()
        elif event.key == RESET:
            self.action_over()
        else:
            return False
        return True

    def action_over(self) -> None:
        """Begin anew from the exact start, at once: nothing is lost but a demo."""
        self.is_again = True
        self.exit()

    @work(group="hand", exit_on_error=False)
    async def go_on(self) -> None:
        """Play the next step."""
        await self.play_next()

    async def play_next(self) -> bool:
        """Play the next step to its end; say whether there was one and it could be played."""
        if self.is_busy or self.is_over:
            return False
        if self.current_mode != Where.DESK.value:
            await self.switch_mode(Where.DESK.value)
        if isinstance(self.screen, Dialog):
            self._say("A dialog is open: close it first (Esc), then F8.", is_good=False)
            return False
        self.is_busy = self._is_playing = self._stands = True
        self.pace, self.stuck = self._pace, ""
        step = self.steps[self.played]
        self._say("")
        try:
            await self._play(step)
        except Stuck as error:
            self.stuck = str(error)
            self._say(f"{self.stuck} F8 tries again; F7 begins anew.", is_good=False)
            return False
        finally:
            self.is_busy = self._is_playing = False
            self._show()
        return True

    async def _play(self, step: Step | None) -> None:
        """Let the time come, play the step, ask all anew, and look at what came of it."""
        desk = self.desk
        if step is None:
            await self._presser.open_case()
        else:
            await self._wait_for(step)
            await self.refresh_all()
            await self._presser.play(step)
        self.played += 1
        if step is None or not step.end:
            desk.view = _view(step)
            await self.refresh_all()
        self._is_playing = False
        self._show()
        await self.settle()
        self._keep(self._notes[self.played - 1].came, self._film_pace.look_s * 1.5)

    async def _wait_for(self, step: Step) -> None:
        """Move the clock of the call to the step's moment, so that it can be seen to run."""
        moment = BEGINS + step.at.delta
        while self.play.now < moment:
            await self.play.advance(min(self.play.now + timedelta(seconds=1), moment))
            if self.pace.second_s:
                self.desk.now = self.play.now
                self._show()
                await asyncio.sleep(self.pace.second_s)

    async def refresh_all(self) -> None:
        """Ask anew for all that is shown, as if the desk had told of every change."""
        self._may_look = True
        self.look_for_approvals()
        self.look_for_alarms()
        self._may_look = False
        for place in self.places():
            place.heed_changes(Changes(cursor=""))
        self.desk.now = self.play.now
        self._show()
        await self.settle()

    async def press(self, key: str) -> None:
        """Press one key, and wait until it has done what it does."""
        letter = key if len(key) == 1 else None
        name = _character_to_key(key) if letter and not key.isalnum() else key
        event = Key(name, letter)
        self._by_hand = [event]
        self.post_message(event)
        await (self._drawn() if letter and isinstance(self.focused, Input) else self.settle())
        self._keep("", self._film_pace.letter_s if letter else self._film_pace.key_s)

    async def look(self, *, caption: str = "") -> None:
        """Wait until nothing changes any more, look at it, and keep it."""
        await self.settle()
        at = min(self.played, len(self._notes) - 1)
        self._keep(caption or self._notes[at].does, self._film_pace.look_s)
        await asyncio.sleep(self.pace.look_s)

    def _keep(self, caption: str, lasts: float) -> None:
        """Give a frame to the film; one with a caption is to be looked at."""
        if self._film is None:
            return
        hidden: list[Region] = []
        for kind, places in HIDING:
            if isinstance(self.screen, kind):
                hidden += [one.region for place in places for one in self.screen.query(place)]
        self._film(taken(self, caption, hidden=hidden), bool(caption), lasts)

    async def _drawn(self) -> None:
        """Wait until all that was posted is taken, and all that changed is drawn."""
        await asyncio.sleep(0)
        for _ in range(int(SETTLES_S / DRAWS_S)):
            if self._is_drawn and not self._is_working:
                return
            await asyncio.sleep(DRAWS_S)

    @property
    def _is_working(self) -> bool:
        """Whether work is under way that does not wait for whoever sits here."""
        screen = self.screen
        if isinstance(screen, VerifyDialog) and not screen.is_settled:
            return True
        is_asked = isinstance(screen, Dialog)
        groups = {worker.group for worker in self.workers if not worker.is_finished}
        return self._is_moving or bool(groups & BRIEF if is_asked else groups - LASTING)

    @property
    def _is_drawn(self) -> bool:
        screen = self.screen
        is_done = not (screen._layout_required or screen._callbacks or screen._dirty_widgets)
        pumps = (self, *screen.walk_children(with_self=True))
        return is_done and all(pump.message_queue_size == 0 for pump in pumps)

    async def settle(self) -> None:
        """Wait until no work that ends by itself is under way and nothing changes any more."""
        end, still = time.monotonic() + SETTLES_S, 0
        while still < STILL and time.monotonic() < end:
            await asyncio.sleep(BLINK_S)
            still = still + 1 if self._is_drawn and not self._is_working else 0

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Put what the console says into the strip, where it stays until the next step."""
        del title, timeout, markup
        self._say(message, is_good=severity == "information")

    def _say(self, words: str, *, is_good: bool = True) -> None:
        self._says = harmless(words), is_good
        self._show()

    def _show_clock(self) -> None:
        super()._show_clock()
        self._show()

    def _heard(self, line: AnyLine) -> None:
        super()._heard(line)
        if isinstance(line, record.Said | record.Told | record.Asked):
            for screen in self.screen_stack:
                if isinstance(screen, StageScreen) and not screen.case:
                    screen.view = WORDS  # before the case is open the caller's words are all
        self._show()

    def said_aloud(self, secret: str) -> str:
        """Give what is heard of a secret that is read out: the audience need not know it."""
        return "•" * len(secret)

    def _show(self) -> None:
        """Show in the strip, and tell the presenter's notes, where the demo stands."""
        at = min(self.played, len(self._notes) - 1)
        for screen in self.screen_stack:
            strip = screen.strip if isinstance(screen, StageScreen) else None
            if strip is not None:
                strip.does, strip.done, strip.of = (
                    self._notes[at].does,
                    self.played,
                    len(self.steps),
                )
                strip.told, strip.seconds = self._says, self.play.seconds
                strip.is_playing = self._is_playing
        if self._tell is not None:
            self._tell(self.prompt)

    @property
    def prompt(self) -> Prompt:
        """Where the demo stands."""
        now = self.played if self._is_playing else self.played - 1
        last: Note | None = self._notes[now] if now >= 0 else None
        following = now + 1
        return Prompt(
            pid=os.getpid(),
            title=self.play.scenario.title,
            done=self.played,
            of=len(self.steps),
            seconds=self.play.seconds,
            is_playing=self._is_playing,
            told=self._says[0],
            last=last,
            next=self._notes[following] if following < len(self._notes) else None,
        )


def _view(step: Step | None) -> str:
    """What is looked at after a step: what it changed."""
    if step is None or step.ask:
        return WHY
    if step.act:
        return CODES if step.act == "send-code" else DESK
    return WORDS


def run(
    play: Rehearsal, *, theme: str | None = None, tell: Callable[[Prompt], None] | None = None
) -> tuple[int, bool]:
    """Run a demo; give the exit code, and whether to begin anew."""
    app = DemoApp(play, theme=theme, tell=tell)
    code = run_safely(app)
    return code, app.is_again
