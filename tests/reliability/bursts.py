"""Type ahead at every dialog there is, at random; nothing is confirmed that was not read.

    python -m tests.reliability bursts [--quick]

A burst is up to thirty keys, and the time between them: none, or what hands take. Time is let pass
without waiting for it. Most begin with the key that opens the dialog, so that keys come before it
does. A dialog that is answered must have stood for 0.8 s by a clock of the burst's own, and hold
the end of the ticket where that is asked for; nothing is in the log that no dialog was asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from textual.pilot import Pilot
from textual.widgets import Input

from helpdesk.domain.actions import ACTIONS, Risk
from helpdesk.domain.search import Query
from helpdesk.tui.dialogs.act import ActDialog
from helpdesk.tui.dialogs.approving import ApprovalDialog, FiledDialog
from helpdesk.tui.dialogs.drift import DriftDialog
from helpdesk.tui.dialogs.event import EventDialog
from helpdesk.tui.dialogs.guarded import Guarded
from helpdesk.tui.dialogs.pages import PageDialog, ReasonsDialog, RefusedDialog
from helpdesk.tui.dialogs.proving import VerifyDialog
from helpdesk.tui.keys import KEYS, Where
from helpdesk.tui.screens.desk import DeskScreen
from tests.reliability.before import Before
from tests.reliability.keys import SETTLED_S, Walk, Watched, Wrong, broken_by, deaf_until_told
from tests.reliability.rows import Tried, is_over, tell
from tests.tui.console import Console, demo_desk, hears_now
from tests.tui.test_approvals import ask_as
from tests.tui.test_deaf import IMOGEN, MAYA, OPENED

EACH: Final = 500
"""Bursts at each dialog."""

AT_ONE: Final = 10
"""Bursts at one console; the next has one of its own."""

QUICK: Final = (ActDialog, VerifyDialog)
"""Dialogs of the quick part, and how many bursts at each."""

STANDS_S: Final = 0.8
"""Seconds for which a dialog is seen before it may be answered."""

REAL: Final = Guarded.guard_s, Guarded.pause_s
"""How long the console lets a dialog be deaf."""

GAPS_S: Final = (0.0, 0.0, 0.03, 0.08, 0.15, 0.3, 0.6)
"""Seconds between two keys: struck together, held down, typed."""

DANGEROUS: Final = tuple(key.key for key in KEYS if key.act and ACTIONS[key.act].risk is Risk.HIGH)
"""Keys of what asks for the end of the ticket."""

BY_KEY: Final[dict[type[Guarded[Any]], tuple[str, tuple[str, ...]]]] = {
    ActDialog: (IMOGEN, ("e", "s", "n", *DANGEROUS)),
    DriftDialog: (IMOGEN, ("d",)),
    EventDialog: (MAYA, ("E",)),
    PageDialog: (MAYA, ("c",)),
    ReasonsDialog: (MAYA, ("i",)),
    RefusedDialog: (MAYA, ("R",)),
    VerifyDialog: (IMOGEN, ("v",)),
}
"""Dialogs that a key opens at a case: whose, and the keys."""

LEADS: Final = ("enter", "enter", "enter", "tab", "space", "y", "1", "2", "w", "down", "escape")
"""Keys that lead on in a dialog."""


class Done(Exception):
    """What a dialog is about was carried out: there is nothing to type ahead at any more."""


class Timed(Watched):
    """A console that knows how long each of its dialogs stood, with the time that was let pass."""

    passed_s = 0.0

    def push_screen(self, screen: Any, *given: Any, **more: Any) -> Any:
        """Open a screen, and note since when it stands."""
        self.since[screen] = time.monotonic() + self.passed_s
        return super().push_screen(screen, *given, **more)

    def begin_to_note(self, granted: Any) -> None:
        """Note from now on."""
        self.since: dict[Any, float] = {}
        super().begin_to_note(granted)

    def pop_screen(self) -> Any:
        """Close a screen that has stood long enough."""
        stood = time.monotonic() + self.passed_s - self.since.pop(self.screen, 0.0)
        if stood < STANDS_S and isinstance(self.screen, Guarded):
            self.wrongs.append(f"{type(self.screen).__name__} was answered after {stood:.2f} s")
        return super().pop_screen()

    def let_pass(self, seconds: float) -> None:
        """Let time pass for every dialog that is open."""
        self.passed_s += seconds
        for dialog in self.screen_stack:
            if isinstance(dialog, Guarded):
                dialog._hears_at = dialog._hears_at and dialog._hears_at - seconds
                dialog._presses_at -= seconds


class Ahead(Walk):
    """Bursts at one kind of dialog, each a step of a walk."""

    def __init__(self, kind: type[Guarded[Any]], seed: int, number: int, place: Path) -> None:
        super().__init__(seed, number, place)
        self.kind = "local"  # whatever walk has that number
        self.dice = random.Random(f"{kind.__name__}/{seed}/{number}")
        self.kind_of_dialog = kind
        self._has_agreed = False
        self.who = "aoife" if kind in {ApprovalDialog, FiledDialog} else "dana"

    async def opened(self, stack: AsyncExitStack) -> Watched:
        """Give a console on a desk of the burst's own; without proofs where they hide an act."""
        is_gated = self.kind_of_dialog is not ActDialog
        desk = self.desk = demo_desk(self.place, self.who, is_gated=is_gated)
        stack.push_async_callback(desk.aclose)
        if self.kind_of_dialog is ApprovalDialog and not self._has_agreed:
            self._has_agreed = True  # and stands until it is carried out, whoever opens a console
            lead = demo_desk(self.place, "greta")
            stack.push_async_callback(lead.aclose)
            await lead.approve(await ask_as(desk), is_granted=True)
            self._rows = max(row.seq for row in (await desk.log(Query(), limit=200)).rows)
        self.before = Before(desk, desk, self.place / "demo.json")
        app = Timed(desk, clock=self.before.now)
        app.begin_to_note(self.granted)
        return app

    async def _step(self, app: Watched, pilot: Pilot[None]) -> None:
        assert isinstance(app, Timed)
        keys = await self._opening(app, Console(pilot))
        keys += [self._ahead() for _ in range(self.dice.randrange(2, 30))]
        if self.dice.random() < 0.2:
            keys += [*"4821", "enter", "enter"]
        is_hurried = self.dice.random() < 0.3
        for key in keys:
            self._key(app, key)
            if not is_hurried:
                await self._drained(app)
                app.let_pass(self.dice.choice(GAPS_S))
        await self._drained(app)
        await self.holds(app)
        await self._leave(app)

    def _ahead(self) -> str:
        return self.dice.choice(LEADS) if self.dice.random() < 0.5 else self._any_key()

    async def _opening(self, app: Timed, agent: Console) -> list[str]:
        """Open the dialog, or give the key that does."""
        if self.kind_of_dialog is ApprovalDialog and self.seen.acts["turn-off-mfa"]:
            raise Done
        if self.kind_of_dialog not in BY_KEY:
            for _ in range(2):
                await self._leave(app)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SETTLED_S / 4):
                        await OPENED[self.kind_of_dialog](agent, self.desk)
                    return []
            raise Done
        user, keys = BY_KEY[self.kind_of_dialog]
        ends = time.monotonic() + SETTLED_S
        while not (isinstance(app.screen, DeskScreen) and _stands_at(app.screen, user)):
            if time.monotonic() > ends:
                raise Wrong(f"{user} is not shown: {type(app.screen).__name__}, {app.focused}")
            await self._leave(app)
            if isinstance(app.screen, DeskScreen):
                app.screen.open_user(user)
                app.screen.finder.rows.focus()
            await asyncio.sleep(0.05)
        return [self.dice.choice(keys)]

    async def _leave(self, app: Timed) -> None:
        """Close all dialogs, and go back to the desk, as one does who has time."""
        for _ in range(20):
            if isinstance(app.screen, Guarded):
                app.let_pass(STANDS_S)
                hears_now(app.screen)
            elif len(app.screen_stack) == 1:
                break
            self._key(app, "escape")
            await self._drained(app)
            await asyncio.sleep(0)
        if len(app.screen_stack) == 1:
            app.switch_mode(Where.DESK.value)
        self._key(app, "escape")
        await self._drained(app)


def _stands_at(screen: DeskScreen, user: str) -> bool:
    """Whether a case is shown and its keys are heard."""
    is_shown = screen.case is not None and screen.case.user.id == user
    return is_shown and screen.focused is not None and not isinstance(screen.focused, Input)


def row(seed: int, is_quick: bool) -> Tried:
    """Type ahead at every dialog; quickly, a few times at two."""
    tried, failures, opened = 0, list[str](), Counter[str]()
    for kind, number, count in _turns(is_quick):
        left, again = count, 0
        while left > 0 and not is_over():
            one, says = _burst(kind, seed, number + again, left)
            left, again = left - max(1, one.seen.keys), again + 1_000
            tried += one.seen.keys
            opened += one.seen.dialogs
            if not one.seen.keys and not says:
                says = "it was never opened"
            failures += [f"{kind.__name__} {number + again}: {says}"] if says else []
            if says:
                tell(failures[-1])
        if not is_quick:
            tell(f"{kind.__name__} {number}: {tried:,} bursts, {len(failures)} failed")
    if not is_quick:
        tell(f"opened: {dict(opened.most_common())}")
    return Tried(tried, tuple(failures))


def _burst(kind: type[Guarded[Any]], seed: int, number: int, count: int) -> tuple[Ahead, str]:
    """Type ahead so many times at one console; give it, and what was wrong."""
    with tempfile.TemporaryDirectory(prefix="burst-") as name, deaf_until_told(Path(name)):
        Guarded.guard_s, Guarded.pause_s = REAL
        one, says = Ahead(kind, seed, number, Path(name)), ""
        try:
            asyncio.run(one.walk(count))
        except Done:
            pass
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  (whatever broke it)
            says = f"{error}" if isinstance(error, Wrong) else broken_by(error)
            says += f"; the last keys: {' '.join(one.last)}"
    return one, says


def _turns(is_quick: bool) -> Iterator[tuple[type[Guarded[Any]], int, int]]:
    """Give which dialog, which console and how many bursts, each dialog in turn."""
    if is_quick:
        yield from ((kind, 0, 5) for kind in QUICK)
        return
    for number in range(EACH // AT_ONE):
        yield from ((kind, number, AT_ONE) for kind in OPENED)
