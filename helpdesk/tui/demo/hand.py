"""The hand that plays a step at the console: it presses the keys that a person would press.

It waits for what it wants to see, as a person does, and for dialogs to hear; what the desk refuses
it cannot do either. What is filled in it looks at before it goes on: there frames are taken.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Button

from helpdesk.domain.training.scenario import PERSON, Step
from helpdesk.service.rehearsal import Rehearsal
from helpdesk.tui.dialogs.act import WORD, ActDialog
from helpdesk.tui.dialogs.approving import ApprovalDialog, FiledDialog
from helpdesk.tui.dialogs.asking import AskDialog
from helpdesk.tui.dialogs.ending import CauseDialog, DebriefDialog, SayDialog
from helpdesk.tui.dialogs.guarded import Dialog, Guarded
from helpdesk.tui.dialogs.pages import HandoverDialog
from helpdesk.tui.dialogs.proving import VerifyDialog
from helpdesk.tui.keys import KEYS
from helpdesk.tui.screens.stage import StageScreen
from helpdesk.tui.widgets.choices import Choices
from helpdesk.tui.widgets.chrome import HeaderLine
from helpdesk.tui.widgets.ways import WayList

D = TypeVar("D", bound=Screen[Any])

PATIENCE_S: Final = 12.0
"""Seconds the hand waits for what it wants to see."""

POLL_S: Final = 0.01
DIALOGS: Final = 8
"""Dialogs one act opens after each other at most."""

WRONG: Final = "000000"
"""What is typed where the caller reads nothing out, as a proof that fails."""

BY_ACT: Final = {key.act: key.key for key in KEYS if key.act}


class Stuck(Exception):
    """The step cannot be played: its words say what was not to be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the hand is: seconds per letter, per key, per look, and per second of the call."""

    letter_s: float = 0.0
    key_s: float = 0.0
    look_s: float = 0.0
    second_s: float = 0.0


SHOWN: Final = Pace(letter_s=0.035, key_s=0.45, look_s=2.2, second_s=0.03)
"""Slow enough to be followed from the back row."""

AT_ONCE: Final = Pace()


class Stage(Protocol):
    """The app that the hand plays on."""

    play: Rehearsal
    pace: Pace

    @property
    def screen(self) -> Screen[Any]:
        """What is in front."""
        ...

    @property
    def desk(self) -> StageScreen:
        """The desk, whatever lies in front of it."""
        ...

    @property
    def focused(self) -> Widget | None:
        """What has the focus."""
        ...

    async def press(self, key: str) -> None:
        """Press one key, and wait until it has done what it does."""
        ...

    async def look(self, *, caption: str = "") -> None:
        """Wait until nothing changes any more, and look at it."""
        ...

    async def settle(self) -> None:
        """Wait until nothing changes any more."""
        ...


class Hand:
    """Plays steps on a stage."""

    def __init__(self, app: Stage) -> None:
        self._app = app

    async def open_case(self) -> None:
        """Open the case of the person who calls: by its row, or by their login."""
        desk, login = self._app.desk, self._app.play.scenario.person.login
        await self._until(lambda: desk.finder.rows.total > 0, "the list")
        row = desk.finder.rows.current
        if row is None or row.id != PERSON:
            await self._press("slash")
            await self._type(login)
            await self._until(lambda: _at(desk) == PERSON, "the caller in the list")
        await self._press("enter")
        await self._until(lambda: desk.case is not None and desk.case.user.id == PERSON, "the case")
        await self._until(lambda: desk.verdict is not None, "the verdict")

    async def play(self, step: Step) -> None:
        """Play a step to its end.

        Raises:
            Stuck: Something that it needs was not to be seen.
        """
        if isinstance(self._app.screen, Dialog):
            raise Stuck("A dialog is open: close it first.")
        if step.ask:
            await self._ask(step)
        elif step.say:
            await self._say(step.say)
        elif step.act:
            await self._act(step)
        elif step.prove is not None:
            await self._prove(step)
        else:
            await self._end(step.end)

    async def _ask(self, step: Step) -> None:
        """Put the verdict's question and put down the reply; another one is put by voice."""
        desk = self._app.desk
        await self._until(lambda: desk.verdict is not None, "the verdict")
        answers = self._app.play.scenario.caller.answers
        reply = step.reply or next((one.reply for one in answers if one.ask == step.ask), "")
        if desk.verdict is None or desk.verdict.ask is None or desk.verdict.ask.pair != step.ask:
            await self._app.play.ask(step.ask)
            desk.take_reply(step.ask, reply or "?")
            await self._until(lambda: desk.verdict is not None, "the verdict")
            return
        await self._press("q")
        dialog = await self._dialog(AskDialog)
        await self._app.look()
        values = [value for value, _ in dialog.query_one(Choices).options]
        if reply in values:
            await self._press(str(values.index(reply) + 1))
        else:
            await self._go_to(dialog.query_one("#words"))
            await self._type(reply or "?")
            await self._press("enter")
        await self._closes(dialog)

    async def _say(self, says: str) -> None:
        await self._press("f2")
        dialog = await self._dialog(SayDialog)
        await self._type(says)
        await self._app.look()
        await self._press("enter")
        await self._closes(dialog)

    async def _act(self, step: Step) -> None:
        """Press the act's key, and answer whatever dialog comes until none does."""
        filled: ActDialog | None = None
        await self._press(BY_ACT[step.act])
        for _ in range(DIALOGS):
            await self._done_or_asked()
            dialog = self._app.screen
            if not isinstance(dialog, Dialog):
                return
            await self._hears(dialog)
            if isinstance(dialog, ActDialog) and filled is None:
                filled = dialog
                await self._fill(dialog, step)
            else:  # what is refused, failed or cannot be filled is read, and nothing is done
                await self._app.look()
                await self._press("enter" if self._goes_on(dialog) else "escape")
            await self._closes(dialog)

    async def _fill(self, dialog: ActDialog, step: Step) -> None:
        """Fill in what a dialog asks for, look at it, and press the button of the act."""
        given = {"reason": step.reason or "Said on the telephone.", "factor": step.factor}
        given |= {name: str(value) for name, value in step.set.items()}
        for stop in dialog.query("Input, Choices").results(Widget):
            name = (stop.id or "").partition("-")[2]
            wanted = dialog.action.ticket[-4:] if name == WORD else given.get(name, "")
            if isinstance(stop, Choices):
                await self._choose(stop, wanted, must=name == "factor")
            elif wanted and dialog.value(name) != wanted:
                await self._go_to(stop)
                await self._type(wanted)
        do = dialog.query_one("#do", Button)
        await self._app.settle()  # what was filled in is weighed
        await self._app.look()
        if do.disabled:
            await self._press("escape")
            return
        await self._go_to(do)
        await self._press("enter")

    async def _choose(self, stop: Choices, wanted: str, *, must: bool) -> None:
        values = [value for value, _ in stop.options]
        if stop.value == wanted or not values or (wanted not in values and not must):
            return
        await self._go_to(stop)
        await self._press(str(values.index(wanted) + 1 if wanted in values else 1))

    async def _prove(self, step: Step) -> None:
        """Ask over the channel, and type what the caller reads out."""
        await self._press("v")
        dialog = await self._dialog(VerifyDialog)
        ways = dialog.query_one(WayList)
        await self._until(lambda: ways.is_filled, "the ways")
        await self._app.look()
        fits = [
            number
            for number, way in enumerate(ways.open_ways, 1)
            if way.method is step.prove and way.channel.startswith(step.channel)
        ]
        if not fits:
            await self._press("escape")
            await self._closes(dialog)
            return
        await self._press(str(fits[0]))
        await self._until(lambda: dialog.is_settled, "that the caller was asked")
        if dialog.is_asked:
            await self._app.look()
            _, answer = await self._app.play.reading()
            await self._type(answer or WRONG)
            await self._press("enter")
            await self._until(lambda: dialog.is_settled, "that the answer was checked")
        await self._app.look()
        await self._press("escape")
        await self._closes(dialog)

    async def _end(self, cause: str) -> None:
        await self._press("f6")
        dialog = await self._dialog(CauseDialog)
        values = [value for value, _ in dialog.query_one(Choices).options]
        if cause not in values:
            raise Stuck(f"The cause {cause} cannot be chosen.")
        await self._press(str(values.index(cause) + 1))
        await self._press("enter")
        await self._app.look()
        await self._until(lambda: not dialog.is_led, "that the dialog hears")
        await self._press("enter")
        await self._until(lambda: isinstance(self._app.screen, DebriefDialog), "the marks")

    async def _done_or_asked(self) -> None:
        """Wait until an act is carried out, or another dialog is open."""
        desk = self._app.desk
        header = desk.query_one(HeaderLine)
        await self._until(
            lambda: isinstance(self._app.screen, Dialog) or not (header.busy or desk.is_asking),
            "the end of the act",
        )
        await self._app.settle()
        if header.busy:
            await self._until(
                lambda: isinstance(self._app.screen, Dialog) or not header.busy, "its end"
            )
            await self._app.settle()

    async def _dialog(self, kind: type[D]) -> D:
        """Wait for a dialog that hears.

        Raises:
            Stuck: It does not come.
        """
        await self._until(lambda: isinstance(self._app.screen, kind), f"the {_words(kind)}")
        found = self._app.screen
        if not isinstance(found, kind):
            raise Stuck(f"The {_words(kind)} went away.")
        await self._hears(found)
        return found

    async def _hears(self, dialog: Screen[Any]) -> None:
        if isinstance(dialog, Guarded):
            await self._until(lambda: not dialog.is_deaf, "that the dialog hears")
        await self._app.settle()

    async def _closes(self, dialog: Screen[Any]) -> None:
        await self._until(lambda: self._app.screen is not dialog, f"the end of {_words(dialog)}")

    def _goes_on(self, dialog: Screen[Any]) -> bool:
        """Whether Enter goes on: what was handed over or filed is read, what was agreed is done."""
        focused = self._app.focused
        name = focused.id if focused is not None else ""
        is_agreed = isinstance(dialog, ApprovalDialog) and name == "carry-out"
        return is_agreed or isinstance(dialog, FiledDialog | HandoverDialog)

    async def _go_to(self, widget: Widget) -> None:
        """Press Tab until a widget has the focus."""
        for _ in range(20):
            if self._app.focused is widget:
                return
            await self._press("tab")
        raise Stuck(f"The field {widget.id} cannot be reached.")

    async def _press(self, key: str) -> None:
        await self._app.press(key)
        await asyncio.sleep(self._app.pace.key_s)

    async def _type(self, text: str) -> None:
        for letter in text:
            await self._app.press(letter)
            await asyncio.sleep(self._app.pace.letter_s)

    async def _until(self, is_so: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not is_so():
            if time.monotonic() > end:
                raise Stuck(f"This did not come: {what}.")
            await asyncio.sleep(POLL_S)


def _at(desk: StageScreen) -> str:
    row = desk.finder.rows.current
    return row.id if row else ""


def _words(dialog: object) -> str:
    kind = dialog if isinstance(dialog, type) else type(dialog)
    return kind.__name__.removesuffix("Dialog").lower() + " dialog"
