"""What waits to be sent, what is unknown and what is in conflict: one wish after the other.

conflict ─▶ do it all the same · let go      refused, expired, never arrived ─▶ read
unknown, waiting ─▶ ask now                  any ─▶ next
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button

from helpdesk.domain.offline import TO_DECIDE, State, Wish
from helpdesk.tui.dialogs.guarded import Guarded, too_small
from helpdesk.tui.render.offline import wish_entries
from helpdesk.tui.widgets.sheet import Sheet


class What(StrEnum):
    """What was decided about a wish."""

    GO_ON = "go-on"
    LET_GO = "let-go"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, and on which wish."""

    what: What
    key: str


class OutboxDialog(Guarded[Decided]):
    """Shows wishes, one at a time; gives what was decided about one, or None.

    Args:
        wishes: At least one, in the order in which they are shown.
        now: The present.
    """

    BESIDES = 7
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "turn(1)", "Next", show=False),
        Binding("p", "turn(-1)", "Before", show=False),
    ]

    def __init__(self, wishes: list[Wish], now: datetime) -> None:
        super().__init__()
        self._wishes, self._now, self._at = wishes, now, 0

    @property
    def wish(self) -> Wish:
        """The wish that is shown."""
        return self._wishes[self._at]

    def compose(self) -> ComposeResult:
        """The wish, and what can be decided about it."""
        with Vertical(id="box"):
            with VerticalScroll(id="body", can_focus=False):
                yield Sheet((), id="preview")
            with Horizontal(id="buttons"):
                yield Button("Close", id="cancel", compact=True)
                yield Button("Next", id="next", compact=True)
                yield Button("Ask now", id="ask", compact=True)
                yield Button("Let go", id="let-go", compact=True)
                yield Button("Do it all the same", id="go-on", variant="primary", compact=True)
        yield too_small()

    def on_mount(self) -> None:
        """Stand on Close and show the first one."""
        super().on_mount()
        self.query_one("#cancel").focus()
        self._show()

    def _show(self) -> None:
        wish, count = self.wish, len(self._wishes)
        self.query_one("#box").border_title = Content(f"Not settled: {self._at + 1} of {count}")
        self.query_one(Sheet).update(wish_entries(wish, self._now))
        is_conflict = wish.state is State.CONFLICT
        shown = {
            "next": count > 1,
            "ask": wish.state in {State.QUEUED, State.UNKNOWN, State.SENT},
            "let-go": wish.state in TO_DECIDE or wish.state is State.QUEUED,
            "go-on": is_conflict,
        }
        for name, is_shown in shown.items():
            self.query_one(f"#{name}").display = is_shown
        read = wish.state in TO_DECIDE and not is_conflict
        self.query_one("#let-go", Button).label = Content("Read" if read else "Let go")

    def action_turn(self, by: int) -> None:
        """Show the next wish, or the one before."""
        self._at = (self._at + by) % len(self._wishes)
        self._show()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        name = event.button.id or ""
        if name == "next":
            self.action_turn(1)
        elif name in {what.value for what in What}:
            self.dismiss(Decided(What(name), self.wish.key))
        else:
            self.dismiss(None)
