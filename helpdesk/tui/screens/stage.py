"""The desk of a rehearsal as twenty people see it: one thing at a time, with room around it."""

from __future__ import annotations

from typing import Final

from textual.containers import Container, Horizontal
from textual.css.query import NoMatches
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from helpdesk.domain.diagnosis.verdicts import CallerSaid
from helpdesk.domain.training.scenario import PERSON
from helpdesk.service.rehearsal import Rehearsal
from helpdesk.tui.keys import ON_STAGE
from helpdesk.tui.screens.desk import DeskScreen
from helpdesk.tui.screens.place import Clock
from helpdesk.tui.screens.training import RehearsalScreen
from helpdesk.tui.widgets.stage import BigCodes, BigWhy, StageWords, Strip

STRIP: Final = 4
"""Lines of the presenter's strip, its border with them."""

WIDE: Final = 120
"""Columns from which the caller's words stand beside the rest."""

DESK, WORDS, WHY, CODES = "desk", "words", "why", "codes"
VIEWS: Final = (WORDS, WHY, CODES, DESK)
"""What can be seen, in the order the key goes through it; the last is the console as it is."""


class StageScreen(RehearsalScreen):
    """The desk, and in front of it one thing at a time.

    Attributes:
        view: Which one, of `VIEWS`.
    """

    view: reactive[str] = reactive(DESK)

    def __init__(self, play: Rehearsal, clock: Clock) -> None:
        super().__init__(play, clock)

    def body(self) -> Widget:
        """The desk, what stands in front of it, the presenter's strip."""
        front = Horizontal(
            StageWords(self.play.scenario),
            BigWhy(id="big-why").data_bind(DeskScreen.case, DeskScreen.verdict),
            BigCodes(id="big-codes").data_bind(DeskScreen.case, DeskScreen.now),
            id="front",
        )
        desk = Container(DeskScreen.body(self), id="behind")
        strip = Strip([(shown, label) for shown, label, _ in ON_STAGE])
        return Container(Container(desk, front, id="stage"), strip, id="theatre")

    def room(self, size: Size) -> Size:
        """Give what the strip leaves of the window."""
        self.set_class(size.width >= WIDE, "-wide")
        self.set_class(size.width < 76 or size.height < 24, "-small")
        return Size(size.width, size.height - STRIP)

    def watch_view(self, view: str) -> None:
        """Show the one, hide the others."""
        for name in VIEWS:
            self.set_class(name == view, f"-see-{name}")

    def next_view(self) -> None:
        """Show the next one."""
        self.view = VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]

    @property
    def strip(self) -> Strip | None:
        """The presenter's strip, once it is there."""
        try:
            return self.query_one(Strip)
        except NoMatches:
            return None

    def take_reply(self, ask: str, reply: str) -> None:
        """Put down what the caller answered to a question that was put by voice."""
        others = tuple(one for one in self.said if one.ask != ask)
        self.verdict, self.said = None, (*others, CallerSaid(ask=ask, reply=reply))
        self.ask_why(PERSON)
