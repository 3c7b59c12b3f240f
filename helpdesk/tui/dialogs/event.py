"""The event behind a line of the timeline, as its provider wrote it; from there to the next one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from helpdesk.domain.cases import Case
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.originals import NONE, Original
from helpdesk.tui.dialogs.guarded import Box, Guarded, too_small
from helpdesk.tui.render.events import timeline_lines
from helpdesk.tui.render.originals import heading, original_page
from helpdesk.tui.render.values import BAD, QUIET, Entry, show
from helpdesk.tui.widgets.sheet import Sheet

Ask = Callable[[str], Awaitable[Original]]
"""Gives the original of an event, by its id."""


class EventDialog(Guarded[None]):
    """Shows one event of a case, and those before and after it.

    Args:
        case: Whose timeline it is of.
        place: Which event to begin with, counted from the newest.
        ask: Gives its original.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,q", "cancel", "Close", show=False),
        Binding("left", "go(1)", "Older", show=False),
        Binding("right", "go(-1)", "Newer", show=False),
    ]

    def __init__(self, case: Case, place: int, ask: Ask) -> None:
        super().__init__()
        self._lines = timeline_lines(case.timeline)
        self._place, self._ask = place, ask

    def compose(self) -> ComposeResult:
        """Which event it is, its original, the ways on."""
        with Box(classes="page") as box:
            box.border_title = Content("As its provider wrote it")
            yield Static(id="says")
            with VerticalScroll(id="body"):
                yield Sheet(id="original")
            with Horizontal(id="buttons"):
                yield Button("←  Older", id="older", compact=True)
                yield Button("→  Newer", id="newer", compact=True)
                yield Button("Close", id="cancel", compact=True)
        yield too_small()

    def on_mount(self) -> None:
        """Stand on the page, so that arrows scroll it."""
        super().on_mount()
        self.query_one("#body").focus()
        self.action_go(0)

    def action_go(self, by: int) -> None:
        """Go so many events back in time, as far as there are any."""
        self._place = max(0, min(self._place + by, len(self._lines) - 1))
        head = heading(self._lines[self._place], self._place, len(self._lines))
        self.query_one("#says", Static).update(head)
        self.query_one("#older", Button).disabled = self._place == len(self._lines) - 1
        self.query_one("#newer", Button).disabled = self._place == 0
        if self.focused is None:
            self.query_one("#body").focus()
        self._show()

    @work(exclusive=True, group="original", exit_on_error=False)
    async def _show(self) -> None:
        """Ask for the original and show it; a later key is the one that counts."""
        name = self._lines[self._place][0].id
        page = self.query_one("#original", Sheet)
        if name is None:
            page.update([_said(show(NONE))])
            return
        page.update([_said(show("Asking the desk …", QUIET))])
        try:
            page.update(original_page(await self._ask(name)))
        except HelpdeskError as error:
            page.update([_said(show(error, BAD, limit=600))])
        self.query_one("#body").scroll_home(animate=False)

    @on(Button.Pressed, "#older")
    def _older(self) -> None:
        self.action_go(1)

    @on(Button.Pressed, "#newer")
    def _newer(self) -> None:
        self.action_go(-1)

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Close."""
        self.dismiss(None)


def _said(content: Content) -> Entry:
    return Entry(Content(""), content)
