"""The console as one app: five places on one desk."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, Final

from textual import events, on, work
from textual._styles_cache import StylesCache
from textual.binding import BindingType
from textual.command import Provider
from textual.events import Event
from textual.notifications import SeverityLevel
from textual.theme import Theme
from textual.types import CSSPathType

from helpdesk.assets import asset
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.limits import ALARM_TITLES, concerning
from helpdesk.domain.text import clean
from helpdesk.service.desk import Desk
from helpdesk.tui import dialogs, screens
from helpdesk.tui.dialogs.guarded import Guarded
from helpdesk.tui.keys import Where
from helpdesk.tui.locking import LockingApp
from helpdesk.tui.running import run_safely
from helpdesk.tui.screens.desk import DeskScreen
from helpdesk.tui.screens.holding import HoldingPlace
from helpdesk.tui.screens.place import Clock, Place
from helpdesk.tui.screens.waiting import Strangers, Waiting
from helpdesk.tui.themes import NAMES, THEMES
from helpdesk.tui.widgets.chrome import Open

ALARM_S = 5.0
"""How often the console looks whether the log is still the one it saw."""


def present() -> datetime:
    """Return the present, aware, in UTC."""
    return datetime.now(UTC)


POLL_S = 4.0
"""Seconds between two looks at what waits for a second person."""

STRANGERS_S = 15.0
"""Seconds between two looks at the alarms: each asks why for all whose case is on watch."""

FORGET_S = 60.0
"""Seconds after which what was painted of widgets that are gone is let go."""

YOUNG = 200_000
"""So many new values make the garbage collector look at once, where no `Sweep` came before it."""

TOLD_S = 12.0
"""Seconds a notice about a request is shown."""


def keys_provider() -> type[Provider]:
    """Give what the palette looks through; it is loaded when it first opens."""
    from helpdesk.tui.palette import KeysProvider  # noqa: PLC0415

    return KeysProvider


_COLOURS: Final[dict[str, tuple[Theme, dict[str, str]]]] = {}
"""The colours of each theme, by its name."""


class HelpdeskApp(LockingApp):
    """The console on a desk.

    Args:
        theme: One of `themes.NAMES`; the dark one where it is none of them.
        clock: Gives the time shown; the desk's own for a demo or a test.
        lock_s: Seconds without a key after which a desk elsewhere is locked; 0 for never.
    """

    TITLE = "helpdesk"
    CSS_PATH: ClassVar[CSSPathType | None] = asset("styles/app.tcss")
    DEFAULT_MODE = Where.DESK.value
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {keys_provider}
    BINDINGS: ClassVar[list[BindingType]] = []
    PLACES: ClassVar[Mapping[Where, Callable[[], type[Place]]]] = {
        Where.DESK: lambda: screens.DeskScreen,
        Where.LOOPS: lambda: screens.LoopsScreen,
        Where.CHALLENGES: lambda: screens.ChallengesScreen,
        Where.APPROVALS: lambda: screens.ApprovalsScreen,
        Where.LOG: lambda: screens.LogScreen,
    }

    def __init__(
        self,
        desk: Desk,
        *,
        theme: str | None = None,
        clock: Clock = present,
        lock_s: float = 0.0,
    ) -> None:
        super().__init__(desk, clock, lock_s=lock_s)
        for each in THEMES:
            self.register_theme(each)
        self.theme = theme if theme in NAMES else NAMES[0]
        self.stylesheet.set_variables(self.get_css_variables())  # before the first is parsed
        self.animation_level = "none"
        self._told = ""
        self._waiting = Waiting(desk.agent)
        self._strangers = Strangers()
        self._is_looking = False
        self.begin_modes()

    def begin_modes(self) -> None:
        """Add what the console begins with."""
        self.add_places()

    def take(self, desk: Desk) -> None:
        """Be the console of another desk from now on, before any of its places is shown."""
        self._desk, self._waiting = desk, Waiting(desk.agent)
        desk.prompt_with(self.ask_sign_in)

    def add_places(self) -> None:
        """Add the modes of all places."""
        for where in self.PLACES:
            self.add_mode(where.value, partial(self._begun, where))

    def _begun(self, where: Where) -> Place:
        place = self.place(self.PLACES[where]())
        place.lay_out(self.size, is_new=True)
        return place

    def place(self, place: type[Place]) -> Place:
        """Give one of the places, on this desk."""
        return place(self._desk, self._clock)

    def get_css_variables(self) -> dict[str, str]:
        """Give the theme's colours, worked out once."""
        theme = self.current_theme
        if theme.name not in _COLOURS:
            _COLOURS[theme.name] = theme, super().get_css_variables()
        known, self.theme_variables = _COLOURS[theme.name]
        return self.theme_variables if known is theme else super().get_css_variables()

    async def on_event(self, event: Event) -> None:
        """Drop keys that a dialog does not hear yet.

        Also one that nobody below took, and that comes back here: meanwhile a dialog may have
        opened, whose keys it would be looked up among. A list that let it by sees that it came to
        its end.
        """
        is_typed = isinstance(event, events.Key | events.Paste)
        is_back = is_typed and event.is_forwarded
        if not (is_typed and self._is_unheard(event)):
            await super().on_event(event)
        if is_back:
            event.stop()

    def _is_unheard(self, event: Event) -> bool:
        if not (self.screen_stack and isinstance(self.screen, Guarded)):
            return False
        return self.screen.is_deaf if event.is_forwarded else self.screen.ignores(event)

    def action_command_palette(self) -> None:
        """Open the palette, unless it is open."""
        from helpdesk.tui.palette import Palette  # noqa: PLC0415  (as its keys)

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Show a notice; while something is handed over it waits until that is closed."""
        tell = partial(
            super().notify, message, title=title, severity=severity, timeout=timeout, markup=markup
        )
        if self.screen_stack and isinstance(self.screen, dialogs.HandoverDialog):
            self.screen.later.append(tell)
        else:
            tell()

    def on_ready(self) -> None:
        """Keep what was loaded out of the way of the garbage collector: no key waits for it."""
        if not gc.isenabled():  # nor the first frame: what can be let go by now is too little
            gc.freeze()
            gc.set_threshold(YOUNG)  # what a key makes is let go without it
            gc.enable()
        self._tell_alarm()
        self.set_interval(ALARM_S, self._tell_alarm)
        self.look_for_approvals()
        self.set_interval(POLL_S, self.look_for_approvals)
        self.look_for_alarms()
        self.set_interval(STRANGERS_S, self.look_for_alarms)
        self.set_interval(FORGET_S, self._forget)
        self.begin_to_follow()
        self.begin_to_watch()

    def _forget(self) -> None:
        """Let go of widgets that are gone: a cache of Textual's holds them (its issue 6665)."""
        StylesCache.get_inner_outer.cache_clear()

    @work(exclusive=True, group="alarms", exit_on_error=False)
    async def look_for_alarms(self) -> None:
        """Show the alarms that concern this agent, and tell at once of a stranger who came in."""
        try:
            alarms = concerning(await self._desk.alarms(), self._desk.agent)
        except HelpdeskError:
            return  # the next look, or whatever the agent does, says what is wrong
        for one in self._strangers.news(alarms):
            title = f"{ALARM_TITLES[one.what]}: {clean(one.user)}"
            self.notify(clean(one.says), title=title, severity="error", timeout=60, markup=False)
        for place in self.places():
            place.heed_alarms(alarms)

    def _tell_alarm(self) -> None:
        """Say once what is wrong with the desk's own log."""
        alarm = self._desk.alarm
        if alarm not in {"", self._told}:
            says = clean(alarm)
            self.notify(says, title="The log", severity="error", timeout=60, markup=False)
        self._told = alarm

    def look_for_approvals(self) -> None:
        """Look for requests and held acts, unless the last look is still under way."""
        if not self._is_looking:
            self._is_looking = True
            self._look()

    @work(group="approvals", exit_on_error=False)
    async def _look(self) -> None:
        """Carry out what waited long enough, and tell what came or was answered."""
        try:
            await self._desk.carry_out_due()
            holds, approvals = await self._desk.holds(), await self._desk.approvals()
        except HelpdeskError:
            return  # the next look, or whatever the agent does, says what is wrong
        finally:
            self._is_looking = False
        for user, says, is_good in self._waiting.news(approvals, self._clock()):
            self.notify(
                says,
                title=user,
                severity="information" if is_good else "warning",
                timeout=TOLD_S,
                markup=False,
            )
        for place in self.places():
            place.heed(approvals)
            if isinstance(place, HoldingPlace):
                place.heed_holds(holds)

    @on(Open)
    def _open(self, message: Open) -> None:
        self.switch_mode(Where.DESK.value)
        self.call_after_refresh(self._open_user, message.user)

    def _open_user(self, user: str) -> None:
        if isinstance(self.screen, DeskScreen):
            self.screen.open_user(user)


def run(desk: Desk, *, theme: str | None = None, lock_s: float = 0.0) -> int:
    """Run the console on a desk and return the exit code of the process."""
    return run_safely(HelpdeskApp(desk, theme=theme, lock_s=lock_s))
