"""What every dialog keeps to: nothing typed ahead, repeated or clicked by chance decides anything.

opens ──▶ deaf (0.8 s, and as long as a key is being repeated) ──▶ listens ──▶ closes
"""

from __future__ import annotations

import time
from typing import ClassVar, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from helpdesk.assets import asset
from helpdesk.tui.render.values import WARN

T = TypeVar("T")
HEARD = (events.Key, events.Paste, events.MouseDown, events.MouseUp, events.Click)
"""What a deaf dialog drops."""

LOW = 20
"""Lines below which a dialog leaves no line empty."""

LEAST = (60, 15)
"""Columns and lines below which nothing can be decided."""


class Dialog(ModalScreen[T]):
    """A question over a place. A click beside it does nothing; Escape answers with None."""

    CSS_PATH = asset("styles/dialogs.tcss")
    BESIDES: ClassVar[int] = 10
    """Lines a dialog has beside those that scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("pagedown", "roll(1)", "Down", show=False),
        Binding("pageup", "roll(-1)", "Up", show=False),
    ]

    def on_resize(self, event: events.Resize) -> None:
        """Below the least size say so, in the dialog's place."""
        is_tiny = event.size.width < LEAST[0] or event.size.height < LEAST[1]
        is_low = event.size.height < LOW
        self.set_class(is_tiny, "-tiny")
        self.set_class(is_low, "-low")
        # What scrolls takes what the rest leaves, so that the buttons are always in sight.
        for body in self.query("#body"):
            body.styles.max_height = max(2, event.size.height - self.BESIDES + 3 * is_low)

    def action_roll(self, by: int) -> None:
        """Scroll what does not fit by half a page, wherever the focus is."""
        for body in self.query("#body"):
            body.scroll_relative(y=by * max(1, body.size.height // 2), animate=False)

    def action_cancel(self) -> None:
        """Close; nothing is done."""
        self.dismiss(None)


class Guarded(Dialog[T]):
    """A dialog that hears no key and no click until it has stood for a while.

    Attributes:
        guard_s: Seconds it stays deaf.
        pause_s: Seconds without a key that end a repetition; longer than a keyboard's own pace.
    """

    guard_s: ClassVar[float] = 0.8
    pause_s: ClassVar[float] = 0.25

    _hears_at: float | None = None

    def on_mount(self) -> None:
        """Begin to be deaf."""
        self._hears_at = time.monotonic() + self.guard_s

    @property
    def is_deaf(self) -> bool:
        """Whether keys and clicks are still ignored."""
        return self._hears_at is None or time.monotonic() < self._hears_at

    def ignores(self, event: events.Event) -> bool:
        """Say whether an event is dropped; a key that is keeps the dialog deaf a little longer."""
        if not self.is_deaf:
            return False
        if isinstance(event, events.Key):
            pause = min(self.pause_s, self.guard_s)
            self._hears_at = max(self._hears_at or 0, time.monotonic() + pause)
        return isinstance(event, HEARD)

    def _forward_event(self, event: events.Event) -> None:
        # Keys come by way of the app, which asks `ignores`; the mouse comes here.
        if not isinstance(event, events.Key) and self.ignores(event):
            return
        super()._forward_event(event)


def too_small() -> Static:
    """Give the line that stands alone when the window is too small."""
    says = f"This window is too small: {LEAST[0]} × {LEAST[1]} is the least."
    return Static(Content.assemble((says, WARN)), id="too-small")
