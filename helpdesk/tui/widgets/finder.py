"""Search and list as one: what is typed, how many there are, and the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import Reactive, var
from textual.widgets import Input, Static

from helpdesk.domain.search import Page
from helpdesk.tui.render.rows import Column, Scene
from helpdesk.tui.render.values import BAD, LABEL, WARN, show
from helpdesk.tui.widgets.drawn import Below, Beside
from helpdesk.tui.widgets.rowlist import RowList

T = TypeVar("T")
TYPED = 200
"""Characters a search may have."""

BUSY_S = 0.15
"""Seconds after which one is told that an answer is awaited."""

UNLOADED = "The list could not be loaded."
"""What stands where the rows would be when none came."""


class SearchInput(Input):
    """The line one types a search into; arrows move the list below without leaving it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", show=False),
        Binding("down", "step(1)", show=False),
        Binding("escape", "leave", show=False),
    ]

    # Textual would lay the whole screen out anew with every letter, for a line as long as before.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False)

    @dataclass
    class Step(Message):
        """Move the list's cursor."""

        by: int

    class Left(Message):
        """The agent leaves the search: Escape."""

    def action_step(self, by: int) -> None:
        """Move the list's cursor while the typing goes on."""
        self.post_message(self.Step(by))

    def action_leave(self) -> None:
        """Clear the search; where it is clear already, leave it."""
        if self.value:
            self.value = ""
        else:
            self.post_message(self.Left())


class Finder(Below, Generic[T]):
    """Shows a search line above a list; says `Asked` with what was typed.

    Attributes:
        fault: The sentence that says what is wrong with the search; empty where nothing is.
        title: What stands after the number of rows; `one` after the number 1, where it differs.
        is_awaited: Whether something was typed whose answer is not shown yet, and may yet come.
    """

    fault: var[str] = var("")
    title: var[str] = var("")
    one: var[str] = var("")
    is_busy: var[bool] = var(False)

    @dataclass
    class Asked(Message):
        """Another search was typed."""

        text: str

    def __init__(
        self,
        columns: tuple[Column[T], ...],
        identity: Callable[[T], str],
        scene: Callable[[], Scene],
        *,
        placeholder: str,
        has_head: bool = False,
    ) -> None:
        super().__init__(id="finder")
        self.rows: RowList[T] = RowList(columns, identity, scene, has_head=has_head, id="rows")
        self.search = SearchInput(
            placeholder=placeholder,
            compact=True,
            select_on_focus=True,
            max_length=TYPED,
            id="search",
            classes="-valid",  # which Textual finds at the first letter, and styles it all anew
        )
        self.search.cursor_blink = False
        self.is_awaited = False
        self._chooses = self._is_capped = False
        self._note = self._said = self._counted = ""

    def compose(self) -> ComposeResult:
        """Search line, its fault or count, then the rows."""
        with Beside(id="search-line"):
            yield Static(Content("/"), id="slash")
            yield self.search
        yield Static(Content(""), id="fault", markup=False)
        yield self.rows

    def show(self, page: Page[T], *, keep: bool = False) -> None:
        """Show an answer and how many rows it has in all; choose, if that was asked for."""
        self._note, self.fault, self._is_capped = page.says, "", page.is_capped
        self._tell()
        self.is_awaited = False
        self.rows.show(page, keep=keep)
        self._count()
        if self._chooses:
            self._choose()

    def fail(self, says: str) -> None:
        """Say why no answer came; a list that has no rows says that they are not known."""
        self.refuse(says)
        self.rows.fail(UNLOADED)
        self._count()

    def refuse(self, says: str) -> None:
        """Say why nothing can be asked for: what is shown is no answer to what was typed."""
        self.fault = says
        self.is_awaited = self._chooses = False

    def _count(self) -> None:
        dots = " …" if self.is_busy else ""
        title = self.one if self.one and self.rows.total == 1 else self.title
        more = " or more" if self._is_capped else ""
        counted = f"{self.rows.total:,}{more} {title}{dots}"
        if counted != self._counted:
            self._counted = counted
            # Set as the property would, but only the line it stands in is drawn anew.
            self._border_title = Content.assemble((counted, LABEL))
            self.refresh(Region(-1, -1, self.outer_size.width, 1))

    def watch_is_busy(self, is_busy: bool) -> None:
        """Show that an answer is awaited, unless it comes at once."""
        if is_busy:
            self.set_timer(BUSY_S, self._count)
        elif self.is_mounted:
            self._count()

    def watch_fault(self, fault: str) -> None:
        """Show what is wrong with the search, and keep the rows."""
        if self.is_mounted:
            self._tell()

    def _tell(self) -> None:
        """Say what is wrong with the search, else why it may have left some out."""
        says = self.fault or self._note
        if says == self._said:
            return
        self._said = says
        line = self.query_one("#fault", Static)
        line.update(Content.assemble(("▲ ", BAD), show(says, WARN, limit=400)))
        line.display = bool(says)

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.is_awaited = True
        self._chooses = False
        self.post_message(self.Asked(event.value))

    @on(Input.Submitted, "#search")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self.fault and not self.is_awaited:
            return  # those still shown are none of those searched for
        self.screen.set_focus(self.rows)
        # Typed ahead, Enter means the first of those to come, not of those still shown.
        if self.is_awaited:
            self._chooses = True
        else:
            self._choose()

    def _choose(self) -> None:
        self._chooses = False
        # By way of the list's own queue: what a parent makes its child say stops at the parent.
        self.rows.call_later(self.rows.action_choose)

    @on(SearchInput.Step)
    def _stepped(self, event: SearchInput.Step) -> None:
        event.stop()
        self.rows.call_later(self.rows.action_move, event.by)

    @on(SearchInput.Left)
    def _left(self, event: SearchInput.Left) -> None:
        event.stop()
        self.rows.focus()
