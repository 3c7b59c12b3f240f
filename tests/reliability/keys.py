"""Press keys and click at random on every screen of the console; look after each what became of it.

    python -m tests.reliability.keys --seed 1 --walks 2 [--first 7] [--keys 1000]

A walk is a console on a demo of its own, as support agent, account manager or lead: at this
machine, behind a line that breaks, at a gateway, or in a rehearsal. Hands that know nothing press
keys, click, paste, turn the wheel and pull at the window's corner. A dialog is deaf until the walk
lets its time pass, so that no machine is too slow for it. After each key:

- nothing is in the log but what a dialog was asked and answered for (`k` and `x` act at once);
- no dialog that was deaf was answered, none without the ticket's end where that is asked for;
- something has the focus, the stack holds a place and few dialogs, and nothing broke.

A walk that fails prints its seed and its last keys; `--first` plays it again.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import sys
import tempfile
import time
import traceback
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack, chdir, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from textual import events
from textual.geometry import Size
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Button, Input

from helpdesk.domain.actions import ACTIONS, AnyAction, Risk
from helpdesk.domain.audit import LogRow
from helpdesk.domain.search import Query
from helpdesk.service.offline import OfflineDesk
from helpdesk.tui.app import HelpdeskApp
from helpdesk.tui.dialogs.act import WORD, ActDialog
from helpdesk.tui.dialogs.approving import Choice, Chosen
from helpdesk.tui.dialogs.guarded import LEAST, Dialog, Guarded
from helpdesk.tui.keys import KEYS
from helpdesk.tui.palette import Palette
from helpdesk.tui.screens.curtain import Curtain
from helpdesk.tui.screens.place import Place
from helpdesk.tui.training import TrainingApp
from tests.reliability.before import AGENTS, KINDS, elsewhere, stood
from tests.reliability.rows import Tried, is_over, stops_when_told, tell
from tests.tui.console import AGES_S, NAMES, Console, hears_now

KEYS_A_WALK: Final = 1_000
WALKS: Final = 100
QUICK: Final = (6, 20)
"""Walks and keys of each in the quick part."""

LAST: Final = 40
"""Keys of a walk that are told where it failed."""

DEEPEST: Final = 6
"""Screens over one another that are still sane: place, page, act, its proof, telephone, palette."""

GROWTH_MB: Final = 60
"""Megabytes by which a walk may grow after its first keys."""

SETTLED_S: Final = 20.0
"""How long the focus, or a row's reason, may be on its way."""

AT_ONCE: Final = frozenset({"take-ticket", "reveal"})
"""Acts without a dialog: they ask for nothing and change nothing at a provider."""

BY_ANSWER: Final = {
    "prove": "VerifyDialog", "approve": "ApprovalDialog", "drift": "DriftDialog",
    "phone": "PhoneDialog",
}  # fmt: skip
"""What else is in the log, and the dialog in which it is given."""

QUIET: Final = frozenset({"look", "bundle", "undo", "export-log"})
"""What is in the log by one key, because it changes nothing, or takes something back."""

WORDS: Final = ("maya", "okafor", "ines", "imogen.ng", "northwind", "#48", "' OR 1=1", "[/]", "ü")
CHARACTERS: Final = "abcdefghijklmnopqrstuvwxyzRZOUKMEYWST0123456789 -.#@/?![]ÄßЖ漢🙂\u0301"
MOVES: Final = ("tab", "shift+tab", "enter", "escape", "up", "down", "left", "right", "home", "end",
    "pageup", "pagedown", "space", "backspace", "delete", "ctrl+a", "ctrl+e", "ctrl+u", "ctrl+w",
    "ctrl+r", "ctrl+p", "f1", "f2", "f5", "f6", "f8", "f9", "insert", "ctrl+c", "ctrl+v", "ctrl+z",
    "ctrl+at", "ctrl+underscore", "alt+enter", "ctrl+pageup", "shift+f10")  # fmt: skip
BEGINS: Final = tuple(key.key for key in KEYS if key.act or key.does in {
    "verify", "ask", "drift", "reasons", "card", "undo", "event", "more"})  # fmt: skip
"""Keys that open a dialog where there is a case."""

LEAVES: Final = ("ctrl+q", "ctrl+l")
"""Keys that quit: pressed now and then."""

SIZES: Final = ((130, 34), (80, 24), (60, 15), (59, 14), (1, 1), (200, 60), (100, 30), (300, 90))


class Wrong(Exception):
    """An invariant that does not hold."""


@dataclass
class Answered:
    """How a dialog that gave something was left."""

    dialog: Screen[Any]
    is_deaf: bool
    word: str


@dataclass
class Seen:
    """What a walk saw.

    Attributes:
        dialogs: How often each dialog was open.
        acts: How often each act was done.
        screens: How many keys were pressed on each screen.
    """

    dialogs: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    screens: Counter[str] = field(default_factory=Counter)
    keys: int = 0

    def add(self, other: Seen) -> None:
        """Count another walk in."""
        self.dialogs += other.dialogs
        self.acts += other.acts
        self.screens += other.screens
        self.keys += other.keys


class Watched(HelpdeskApp):
    """A console of which it is known what its dialogs were answered with."""

    def begin_to_note(self, granted: Counter[tuple[str, str]]) -> None:
        """Note from now on, in *granted* what was agreed to; called before the first screen."""
        self.opened: Counter[str] = Counter()
        self.granted = granted
        self.wrongs: list[str] = []
        self._ways_out: dict[Screen[Any], Answered] = {}

    def push_screen(self, screen: Any, *given: Any, **more: Any) -> Any:
        """Open a screen, and note what it will be answered with."""
        awaited = super().push_screen(screen, *given, **more)
        if isinstance(screen, Dialog):
            self.opened[type(screen).__name__] += 1
        if isinstance(awaited, asyncio.Future):
            awaited.add_done_callback(partial(self._answer, screen))
        return awaited

    def pop_screen(self) -> Any:
        """Close a screen, and note how it was left."""
        top = self.screen
        word = "".join(line.value for line in top.query(f"#field-{WORD}").results(Input))
        self._ways_out[top] = Answered(top, isinstance(top, Guarded) and top.is_deaf, word)
        return super().pop_screen()

    def _answer(self, screen: Screen[Any], answer: asyncio.Future[Any]) -> None:
        left = self._ways_out.pop(screen, None)
        if answer.cancelled() or left is None:
            return
        given = answer.result()
        if isinstance(screen, Guarded) and left.is_deaf:
            self.wrongs.append(f"{type(screen).__name__} was answered while it was deaf")
        if isinstance(screen, ActDialog) and given is not None:
            self._confirmed(screen, given, left.word)
        if isinstance(given, Chosen) and given.choice is Choice.CARRY_OUT:
            request = screen._approval  # type: ignore[attr-defined]
            self.granted[request.act, request.user] += 1

    def _confirmed(self, dialog: ActDialog, action: AnyAction, word: str) -> None:
        self.granted[action.name, action.user] += 1
        end = action.ticket.lstrip("#")[-4:]
        is_asked = action.risk is Risk.HIGH and bool(dialog.query(f"#field-{WORD}"))
        if is_asked and (not end or word.casefold() != end.casefold()):
            self.wrongs.append(f"{action.name} without the end of its ticket: {word!r}")


class WatchedTraining(Watched, TrainingApp):
    """The same of a rehearsal."""


class Walk:
    """One walk: a console, hands, and what must hold after each of their keys."""

    def __init__(self, seed: int, number: int, place: Path, url: str = "") -> None:
        self.dice = random.Random(f"{seed}/{number}")
        self.kind = KINDS[number % len(KINDS)]
        turn = number // 2 if self.kind == "local" else number // len(KINDS)
        self.who = AGENTS[turn % len(AGENTS)]
        self.place, self.url = place, url
        self.granted: Counter[tuple[str, str]] = Counter()  # what waits is done by a later console
        self.last: deque[str] = deque(maxlen=LAST)
        self.seen = Seen()
        self.wrong = ""
        self._rows = 0
        self._signature: object = None

    async def walk(self, keys: int) -> Seen:
        """Take so many steps.

        Raises:
            Wrong: Something does not hold.
        """
        while self.seen.keys < keys and not is_over():
            async with AsyncExitStack() as stack:
                app = await self.opened(stack)
                pilot = await stack.enter_async_context(
                    app.run_test(size=(130, 34), notifications=True)
                )
                try:
                    await self._through(app, pilot, keys)
                except Wrong as wrong:  # told once the console has closed
                    self.wrong = str(wrong)
                finally:
                    self.seen.dialogs += app.opened
            if self.wrong:
                raise Wrong(self.wrong)
        return self.seen

    async def _through(self, app: Watched, pilot: Pilot[None], keys: int) -> None:
        console = Console(pilot)
        await console.settles()
        self._rows = 0 if self.kind == "training" else self._rows
        at_first = 0.0
        while self.seen.keys < keys and not is_over():
            self.seen.screens[type(app.screen).__name__] += 1
            self._happen(app)
            await self._step(app, pilot)
            self.seen.keys += 1
            if app._exit:
                break
            await self.holds(app)
            if not at_first and self.seen.keys > keys // 2:
                at_first = resident_mb()
        if app._exception is not None:
            raise Wrong(f"the console broke: {app._exception!r}")
        if at_first and resident_mb() - at_first > GROWTH_MB:
            raise Wrong(f"grew by {resident_mb() - at_first:.0f} MB")
        for _ in range(3):  # what was begun comes to its end
            # One that quit is asked in vain, and takes what was struck before its screens are gone.
            await (asyncio.sleep(0.02) if app._exit else pilot.pause(0.02))
            if not app._exit:
                await self.holds(app)

    async def opened(self, stack: AsyncExitStack) -> Watched:
        """Give a console on a desk of the walk's own; what it needs ends with the stack."""
        self.before = await stood(self.kind, self.who, self.place, self.url, stack)
        play, desk = self.before.play, self.before.desk
        app = WatchedTraining(play) if play else Watched(desk, clock=self.before.now)
        app.begin_to_note(self.granted)
        return app

    def _happen(self, app: Watched) -> None:
        """Now and then, where a line is between: let something become of it; or lock."""
        dice = self.dice.random()
        if isinstance(app.screen, Palette) and dice > 0.7:  # what is typed there leads nowhere else
            self._key(app, "escape")
        if isinstance(self.before.desk, OfflineDesk) and dice < 0.02:
            self._note(self.before.happen(self.dice))
            if dice < 0.002:
                self._key(app, "ctrl+l")

    # What hands do

    async def _step(self, app: Watched, pilot: Pilot[None]) -> None:
        dice = self.dice.random()
        screen = app.screen
        if dice < 0.11 and isinstance(screen, Guarded):
            self._note("(time)")
            hears_now(screen)
        elif dice < 0.2 and isinstance(screen, Guarded):
            self._fill(app, screen)
        elif dice < 0.27:
            await self._click(app, pilot)
        elif dice < 0.29:
            await self._resize(app)
        elif dice < 0.31:
            self._paste(app)
        elif dice < 0.34:
            for _ in range(self.dice.randrange(2, 30)):  # typed ahead, in one go
                self._key(app, self._any_key())
        elif dice < 0.5 and isinstance(screen, Place):
            self._key(app, "escape")
            self._key(app, self.dice.choice(BEGINS))
        elif dice < 0.53 and isinstance(screen, Place):
            self._key(app, "/")
            self._type(app, self.dice.choice(WORDS))
            self._key(app, "enter")
        else:
            self._key(app, self._any_key())
        await self._drained(app)

    def _any_key(self) -> str:
        dice = self.dice.random()
        if dice < 0.45:
            return self.dice.choice([key.key for key in KEYS if key.key not in LEAVES])
        if dice < 0.5:
            return self.dice.choice(["enter", "tab"])
        if dice < 0.501:
            return self.dice.choice(LEAVES)
        if dice < 0.75:
            return self.dice.choice(MOVES)
        return self.dice.choice(CHARACTERS)

    def _key(self, app: Watched, key: str) -> None:
        self._note(key)
        character = next((c for c, name in NAMES.items() if name == key), None)
        character = key if len(key) == 1 else character
        app.post_message(events.Key(NAMES.get(key, key), character))

    def _type(self, app: Watched, text: str) -> None:
        for character in text:
            self._key(app, character)

    def _fill(self, app: Watched, dialog: Guarded[Any]) -> None:
        """Do what leads on: choose, give the ticket's end, go to the button and press it."""
        hears_now(dialog)
        self._note("(fill)")
        end = dialog.action.ticket.lstrip("#")[-4:] if isinstance(dialog, ActDialog) else ""
        for line in dialog.query(Input):
            is_word = line.id == f"field-{WORD}"
            line.value = end if is_word and self.dice.random() < 0.7 else self._words()
        for number in "1", "2":
            self._key(app, number)
        others = [one for one in dialog.query(Button) if one.id != "cancel" and not one.disabled]
        if others and self.dice.random() < 0.7:
            self.dice.choice(others).focus()
            self._key(app, "enter")

    def _words(self) -> str:
        return self.dice.choice(("asked by telephone", "", "4821", "000000", *WORDS))

    def _paste(self, app: Watched) -> None:
        self._note("(paste)")
        app.post_message(events.Paste(self.dice.choice(("ry\n\x1b[201~ry", "4821", "x" * 5_000))))

    async def _click(self, app: Watched, pilot: Pilot[None]) -> None:
        size = app.size
        at = (self.dice.randrange(max(1, size.width)), self.dice.randrange(max(1, size.height)))
        buttons = [one for one in app.screen.query(Button) if one.region]
        if buttons and self.dice.random() < 0.5:
            x, y, width, height = self.dice.choice(buttons).region
            at = (x + width // 2, y + height // 2)
        if not (0 <= at[0] < size.width and 0 <= at[1] < size.height):
            return
        self._note(f"(click {at[0]},{at[1]})")
        kinds: tuple[type[events.MouseEvent], ...] = (
            events.MouseMove, events.MouseDown, events.MouseUp,
        )  # fmt: skip
        if self.dice.random() < 0.2:
            kinds = (self.dice.choice((events.MouseScrollDown, events.MouseScrollUp)),)
        for kind in kinds:
            pressed = 0 if kind is events.MouseMove else 1
            x, y = at
            app.screen._forward_event(
                kind(
                    widget=None, x=x, y=y, delta_x=0, delta_y=0, button=pressed, shift=False,
                    meta=False, ctrl=False, screen_x=x, screen_y=y,
                )
            )  # fmt: skip
            await self._drained(app)

    async def _resize(self, app: Watched) -> None:
        for _ in range(self.dice.randrange(1, 8)):
            width, height = self.dice.choice(SIZES)
            self._note(f"(size {width}×{height})")
            app.post_message(events.Resize(Size(width, height), Size(width, height)))
        if self.dice.random() < 0.8:
            app.post_message(events.Resize(Size(130, 34), Size(130, 34)))

    def _note(self, key: str) -> None:
        self.last.append(key)

    async def _drained(self, app: Watched) -> None:
        """Let all that was posted be taken, but not what a thread is still about."""
        for _ in range(400):
            await asyncio.sleep(0)
            if app._exit:
                return
            pumps = (app, *app.screen.walk_children(with_self=True))
            if all(pump.message_queue_size == 0 for pump in pumps):
                return

    # What must hold

    async def holds(self, app: Watched) -> None:
        """Look at all of it.

        Raises:
            Wrong: Something does not hold.
        """
        if app._exception is not None:
            raise Wrong(f"the console broke: {app._exception!r}")
        if app.wrongs:
            raise Wrong("; ".join(app.wrongs))
        stack = app.screen_stack
        if not isinstance(stack[0], Place | Curtain) or len(stack) > DEEPEST:
            raise Wrong(f"the stack is {[type(one).__name__ for one in stack]}")
        await self._has_focus(app)
        await self._is_granted(app)
        if list(self.place.rglob("errors.log*")):
            text = next(self.place.rglob("errors.log*")).read_text("utf-8")
            raise Wrong(f"a fault was put down: {' '.join(text.split())[:1500]}")

    async def _has_focus(self, app: Watched) -> None:
        ends = time.monotonic() + SETTLED_S
        while app.focused is None and not _needs_none(app) and not app._exit:
            if time.monotonic() > ends:
                raise Wrong(f"nothing has the focus on {type(app.screen).__name__}")
            await asyncio.sleep(0.01)

    async def _is_granted(self, app: Watched) -> None:
        """Every row that is new in the log has its dialog."""
        stat = self.before.file.stat()
        if (stat.st_ino, stat.st_mtime_ns) == self._signature:
            return
        page = await self.before.witness.log(Query(), limit=200)
        self._signature = (stat.st_ino, stat.st_mtime_ns)
        fresh = [row for row in page.rows if row.seq > self._rows]
        self._rows = max([self._rows, *(row.seq for row in fresh)])
        for row in fresh:
            self.seen.acts[row.act] += 1
            if not self._may(row, app):
                raise Wrong(f"row {row.seq}, {row.act} of {row.user}, was asked for by no dialog")

    def _may(self, row: LogRow, app: Watched) -> bool:
        if row.agent != self.before.desk.agent.id or row.act in AT_ONCE | QUIET:
            return True
        if row.act not in ACTIONS:
            kind = BY_ANSWER.get(row.act, "")  # of this console, or one that quit meanwhile
            return self.seen.dialogs[kind] + app.opened[kind] > 0
        if app.granted[row.act, row.user] < 1:
            return False
        app.granted[row.act, row.user] -= 1
        return True


def _needs_none(app: Watched) -> bool:
    """Whether nothing can have the focus: the window is too small, or it is locked."""
    is_tiny = app.size.width < LEAST[0] or app.size.height < LEAST[1]
    return is_tiny or isinstance(app.screen, Curtain)


def resident_mb() -> float:
    """Return how much memory this process holds, in megabytes; 0 where that cannot be known."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return 0.0
    return int(status.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def deaf_until_told(place: Path) -> Iterator[None]:
    """Let dialogs be deaf until a walk lets time pass, and faults and bundles be put in a place."""
    before, home = (Guarded.guard_s, Guarded.pause_s), os.environ.get("XDG_STATE_HOME")
    Guarded.guard_s = Guarded.pause_s = AGES_S
    os.environ["XDG_STATE_HOME"] = str(place)
    try:
        with chdir(place):
            yield
    finally:
        Guarded.guard_s, Guarded.pause_s = before
        os.environ.pop("XDG_STATE_HOME")
        os.environ |= {} if home is None else {"XDG_STATE_HOME": home}


def walked(seed: int, number: int, keys: int) -> tuple[Seen, str]:
    """Take one walk; give what it saw, and what was wrong, empty for nothing."""
    gc.unfreeze()  # what the console of the walk before keeps out of the collector's way
    gc.collect()
    with tempfile.TemporaryDirectory(prefix="walk-") as name, deaf_until_told(Path(name)):
        with elsewhere(KINDS[number % len(KINDS)], Path(name)) as url:
            one = Walk(seed, number, Path(name), url)
            try:
                asyncio.run(one.walk(keys))
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  (it may raise anything)
                says = f"{error}" if isinstance(error, Wrong) else broken_by(error)
            else:
                return one.seen, ""
        return one.seen, (
            f"seed {seed}, walk {number} ({one.who}, {one.kind}), key {one.seen.keys}: {says}; "
            f"the last keys: {' '.join(one.last)}"
        )


def broken_by(error: BaseException) -> str:
    """Say what a console broke of, and where."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = " < ".join(f"{Path(one.filename).name}:{one.lineno}" for one in reversed(frames))
    return f"{type(error).__name__}: {error} at {places}"


def row(seed: int, is_quick: bool) -> Tried:
    """Walk; quickly, before each desk there is."""
    walks, keys = QUICK if is_quick else (WALKS, KEYS_A_WALK)
    whole, failures = all_walked(seed, range(walks), keys, is_told=not is_quick)
    return Tried(whole.keys, tuple(failures))


def all_walked(
    seed: int, numbers: Iterable[int], keys: int, *, is_told: bool
) -> tuple[Seen, list[str]]:
    """Take walks, until told to stop; give what they saw, and what was wrong."""
    whole, failures, began = Seen(), list[str](), time.monotonic()
    for number in numbers:
        if is_over():
            break
        seen, says = walked(seed, number, keys)
        whole.add(seen)
        failures += [says] if says else []
        if is_told:
            passed, kind = time.monotonic() - began, KINDS[number % len(KINDS)]
            tell(f"{number} {kind}: {whole.keys:,} keys, {passed:.0f} s, {resident_mb():.0f} MB")
            if says:
                tell(says)
    if is_told:
        for what, counted in vars(whole).items():
            tell(f"{what}: {dict(counted.most_common()) if what != 'keys' else counted}")
    return whole, failures


def main() -> int:
    """Walk by the command line, telling how far; 1 where something did not hold."""
    given = argparse.ArgumentParser(prog="python -m tests.reliability.keys")
    given.add_argument("--seed", type=int, default=1)
    given.add_argument("--walks", type=int, default=4)
    given.add_argument("--first", type=int, default=0, help="the number of the first walk")
    given.add_argument("--keys", type=int, default=KEYS_A_WALK, help="of each walk")
    asked = given.parse_args()
    stops_when_told()
    numbers = range(asked.first, asked.first + asked.walks)
    _, failures = all_walked(asked.seed, numbers, asked.keys, is_told=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
