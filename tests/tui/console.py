"""A small vocabulary to use the console in tests: press, type, click, wait for what is shown."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Button

from helpdesk.assets import DEMO
from helpdesk.connectors.demo import DemoConnector
from helpdesk.connectors.tickets.base import TicketSystem
from helpdesk.domain.agents import Agent
from helpdesk.service.desk import Desk
from helpdesk.service.local import LocalDesk
from helpdesk.tui.app import HelpdeskApp
from helpdesk.tui.dialogs.guarded import Dialog, Guarded
from helpdesk.tui.screens.desk import DeskScreen
from tests.desks import fixture_desk
from tests.waiting import PATIENCE_S

NOW = datetime(2026, 5, 4, 14, 5, tzinfo=UTC)
AGES_S = 600.0
"""A guard of a dialog that no machine outlasts, however slow: a test ends it with `hears_now`."""

NAMES = {
    " ": "space", ":": "colon", "-": "minus", "#": "number_sign", "+": "plus", "@": "at",
    ".": "full_stop", "[": "left_square_bracket", "]": "right_square_bracket", "/": "slash",
    "?": "question_mark", ",": "comma", "'": "apostrophe",
}  # fmt: skip


def desk_on(
    file: Path,
    who: str = "support",
    *,
    is_gated: bool = True,
    hold: timedelta = timedelta(0),
    clock: Callable[[], datetime] = lambda: NOW,
    agent: Agent | None = None,
    tickets: TicketSystem | None = None,
    connector: type[DemoConnector] = DemoConnector,
) -> LocalDesk:
    """Give a desk on a fixture file, at a time that stands still where no clock is given."""
    return fixture_desk(
        file,
        clock,
        file.parent / "keys",
        agent or who,
        connector=connector,
        tickets=tickets,
        label="DEMO DATA",
        is_gated=is_gated,
        hold=hold,
    )


def demo_desk(place: Path, who: str = "support", **more: Any) -> LocalDesk:
    """Give a desk on a copy of the bundled demo."""
    copy = place / "demo.json"
    if not copy.exists():
        shutil.copy(DEMO, copy)
    return desk_on(copy, who, **more)


def login_of(user: str) -> str:
    """Give the login of a user of the demo, by which a search finds nobody else."""
    users = json.loads(DEMO.read_text("utf-8"))["users"].values()
    return str(next(each["login"] for each in users if each["id"] == user))


class Console:
    """The console as one uses it.

    Attributes:
        strokes: How many keys were pressed, those of `type` not counted.
    """

    def __init__(self, pilot: Pilot[None]) -> None:
        self.pilot = pilot
        self.app = pilot.app
        self.strokes = 0

    @property
    def lines(self) -> list[str]:
        """What is shown, line by line."""
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        """What is shown, as one text."""
        return "\n".join(self.lines)

    @property
    def flat(self) -> str:
        """What is shown, with line breaks, frames and runs of spaces as one space."""
        plain = "".join(" " if c in "│╭╮╰╯─▐▌┃" else c for c in self.text)
        return " ".join(plain.split())

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, as fast as the console takes them."""
        for key in keys:
            self.strokes += 1
            await self.pilot.press(NAMES.get(key, key))

    async def confirm(self) -> None:
        """Go from the last field to the act's button, and press it: two keys."""
        await self.press("enter")
        await self.until(lambda: self.focused == "do", "the focus on the act")
        await self.press("enter")

    async def type(self, text: str) -> None:
        """Type a text in one go, as a fast hand or a paste without brackets does."""
        for letter in text:
            self.app.post_message(events.Key(NAMES.get(letter, letter), letter))
        await self.pilot.pause()

    async def until(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait until something is so.

        Raises:
            AssertionError: It does not become so.
        """
        end = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < end, f"never came: {what}\n{self.text}"
            await self.pilot.pause(0.01)

    async def sees(self, *texts: str) -> None:
        """Wait until all of these can be read on the screen."""
        for text in texts:
            await self.until(lambda text=text: text in self.flat, text)  # type: ignore[misc]

    async def loses(self, text: str) -> None:
        """Wait until this cannot be read on the screen any more."""
        await self.until(lambda: text not in self.flat, f"the end of {text}")

    async def stands_on_desk(self) -> None:
        """Wait until no dialog is open."""
        await self.until(lambda: not isinstance(self.app.screen, Dialog), "the desk")

    async def has_case(self, user: str) -> None:
        """Wait until a user's case is shown."""
        await self.until(lambda: self.case_user == user, f"the case of {user}")

    @property
    def case_user(self) -> str:
        """Whose case is shown; empty where there is none."""
        screen = next((s for s in self.app.screen_stack if isinstance(s, DeskScreen)), None)
        return screen.case.user.id if screen and screen.case else ""

    @property
    def focused(self) -> str:
        """The id of what has the focus."""
        return (self.app.focused.id or "") if self.app.focused else ""

    async def click(self, text: str, *, nth: int = 0) -> None:
        """Click the nth place where a text can be read."""
        await self.until(lambda: text in self.text, text)
        found = [(line.index(text), y) for y, line in enumerate(self.lines) if text in line]
        x, y = found[nth]
        width = sum(2 if ord(c) > 0x2E80 else 1 for c in self.lines[y][:x])
        await self.pilot.click(offset=(width, y))
        await self.pilot.pause()

    async def press_button(self, label: str) -> None:
        """Click a button of the dialog that is open, once it can be pressed."""
        button = next(b for b in self.app.screen.query(Button) if str(b.label).endswith(label))
        await self.until(lambda: not button.disabled, f"the button {label}")
        await self.pilot.click(button)
        await self.pilot.pause()

    async def find(self, words: str, user: str) -> None:
        """Search for a user and open the case: two keys beside the words."""
        await self.press("/")
        await self.type(words)
        await self.until(lambda: self._first == user, f"{user} on top")
        await self.press("enter")
        await self.has_case(user)

    @property
    def _first(self) -> str:
        screen = self.app.screen
        row = screen.finder.rows.current if isinstance(screen, DeskScreen) else None
        return row.id if row else ""

    async def settles(self) -> None:
        """Wait until nothing is shown anew any more."""
        before = ""
        while before != self.text or not self._has_taken_all:
            before = self.text
            for _ in range(3):
                await self.pilot.pause(0.03)

    @property
    def _has_taken_all(self) -> bool:
        """Whether nothing that was posted waits, and all that changed is drawn."""
        screen = self.app.screen
        is_drawn = not (screen._layout_required or screen._callbacks or screen._dirty_widgets)
        pumps = (self.app, *screen.walk_children(with_self=True))
        return is_drawn and all(pump.message_queue_size == 0 for pump in pumps)


def hears_now(dialog: Screen[Any]) -> None:
    """End a dialog's deafness, as its time does."""
    assert isinstance(dialog, Guarded)
    dialog._hears_at = dialog._presses_at = time.monotonic()


@asynccontextmanager
async def console(
    desk: Desk,
    *,
    size: tuple[int, int] = (130, 34),
    theme: str | None = None,
    clock: Callable[[], datetime] = lambda: NOW,
) -> AsyncIterator[Console]:
    """Open the console on a desk and wait until its list is there."""
    app = HelpdeskApp(desk, theme=theme, clock=clock)
    async with app.run_test(size=size, notifications=True) as pilot:
        opened = Console(pilot)
        await opened.settles()
        yield opened


@contextmanager
def painted(agent: Console) -> Iterator[list[str]]:
    """Give the text of every frame from here on, each as it was painted."""
    frames: list[str] = []
    display = agent.app._display

    def keep(screen: Any, renderable: Any) -> None:
        display(screen, renderable)
        text = "\n".join(strip.text for strip in screen._compositor.render_strips())
        if not frames or frames[-1] != text:
            frames.append(text)

    agent.app._display = keep  # type: ignore[method-assign]
    try:
        yield frames
    finally:
        agent.app._display = display  # type: ignore[method-assign]


class Slow:
    """A desk in front of another one, that lets some answers wait until they are let go.

    Attributes:
        performed: The actions that were carried out, in order.
    """

    def __init__(self, desk: LocalDesk) -> None:
        self._desk = desk
        self.performed: list[object] = []
        self.gates: dict[str, asyncio.Event] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(self._desk, name)

    async def case(self, user: str) -> object:
        """Give a case, once its user's gate is open."""
        found = await self._desk.case(user)
        await self._pass(user)
        return found

    async def perform(self, action: object, *, key: str = "") -> object:
        """Carry out, once the gate of performing is open."""
        self.performed.append(action)
        await self._pass("perform")
        return await self._desk.perform(action, key=key)  # type: ignore[arg-type]

    async def _pass(self, name: str) -> None:
        if name in self.gates:
            await self.gates[name].wait()
