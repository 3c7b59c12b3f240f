"""What every dialog keeps to: nothing typed ahead, repeated or clicked by chance decides anything.

opens ──▶ deaf (0.8 s, and as long as a key is being repeated) ──▶ listens ──▶ closes

Where Enter in a field leads to the button that acts, the button is deaf to Enter in the same way,
and looks so.
"""

from __future__ import annotations

import time
from functools import partial
from typing import ClassVar, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Offset, Size
from textual.layout import ArrangeResult, Layout
from textual.layouts.vertical import VerticalLayout
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from helpdesk.assets import asset
from helpdesk.tui.render.values import WARN
from helpdesk.tui.terminal import SafeScreen

T = TypeVar("T")
HEARD = (events.Key, events.Paste, events.MouseDown, events.MouseUp, events.Click)
"""What a deaf dialog drops."""

LOW = 20
"""Lines below which a dialog leaves no line empty."""

TIGHT = 70
"""Columns below which buttons stand close together."""

LEAST = (60, 15)
"""Columns and lines below which nothing can be decided."""

LINES = 2
"""Lines of what scrolls that are never given up."""

SCROLLS = ("body", "needs")
"""Ids of what scrolls in a dialog, in the order in which they give up lines."""


class Yielding(VerticalLayout):
    """Puts widgets below each other; where they do not fit, what scrolls gives up lines."""

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        """Give the places, what scrolls made as low as keeps the last of the others in sight."""
        found = list(super().arrange(parent, children, size, greedy))
        bottom = max((one.region.bottom + one.margin.bottom for one in found), default=0)
        lacking = bottom - size.height if size.height else 0  # without one it is only measured
        for at, one in enumerate(found):
            height = one.region.height
            given = min(lacking, height - LINES) if one.widget.id in SCROLLS else 0
            if given <= 0:
                continue
            lacking -= given
            found[at] = one._replace(region=one.region._replace(height=height - given))
            up = Offset(0, -given)
            below = found[at + 1 :]
            found[at + 1 :] = [low._replace(region=low.region.translate(up)) for low in below]
        return found


class Box(Vertical):
    """The frame of a dialog, whose middle scrolls and whose buttons are always in sight."""

    def __init__(self, *, classes: str = "") -> None:
        super().__init__(id="box", classes=classes)
        self._yielding = Yielding()

    @property
    def layout(self) -> Layout:
        """The layout in which what scrolls yields; a style sheet knows layouts by name only."""
        return self._yielding


class Dialog(ModalScreen[T], SafeScreen[T]):
    """A question over a place. A click beside it does nothing; Escape answers with None."""

    CSS_PATH = asset("styles/dialogs.tcss")
    AUTO_FOCUS = ""  # Textual would take the first that can have it, and scroll to it
    WAY_OUT = "#cancel"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("pagedown", "roll(1)", "Down", show=False),
        Binding("pageup", "roll(-1)", "Up", show=False),
    ]

    def on_resize(self, event: events.Resize) -> None:
        """Below the least size say so, in the dialog's place."""
        is_tiny = event.size.width < LEAST[0] or event.size.height < LEAST[1]
        self.set_class(is_tiny, "-tiny")
        self.call_after_refresh(self.give_focus_back)
        self.set_class(event.size.height < LOW, "-low")
        self.set_class(event.size.width < TIGHT, "-tight")

    def action_roll(self, by: int) -> None:
        """Scroll what does not fit by half a page, wherever the focus is."""
        for body in self.query(",".join(f"#{one}" for one in SCROLLS)):
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
    _presses_at: float = 0.0

    def on_mount(self) -> None:
        """Begin to be deaf."""
        self._hears_at = time.monotonic() + self.guard_s

    @property
    def is_deaf(self) -> bool:
        """Whether keys and clicks are still ignored."""
        return self._hears_at is None or time.monotonic() < self._hears_at

    @property
    def is_led(self) -> bool:
        """Whether Enter would still be taken for the one that led to a button."""
        return time.monotonic() < self._presses_at

    def ignores(self, event: events.Event) -> bool:
        """Say whether an event is dropped; a key that is keeps the dialog deaf a little longer."""
        if not self.is_deaf:
            return isinstance(event, events.Key) and self._is_repeated(event)
        if isinstance(event, events.Key):
            pause = min(self.pause_s, self.guard_s)
            self._hears_at = max(self._hears_at or 0, time.monotonic() + pause)
        return isinstance(event, HEARD)

    def lead_to(self, button: Widget) -> None:
        """Let Enter lead to a button; held down or struck twice it does not press it as well."""
        self._presses_at = time.monotonic() + self.guard_s
        self._look_led(button)
        button.focus()

    def _look_led(self, button: Widget) -> None:
        """Let a button look deaf as long as it is, and then ready."""
        left = self._presses_at - time.monotonic()
        button.set_class(left > 0, "-deaf")
        if left > 0:
            self.set_timer(left, partial(self._look_led, button))

    def _is_repeated(self, event: events.Key) -> bool:
        """Whether an Enter comes too soon after the one that led to a button."""
        now = time.monotonic()
        if event.key != "enter" or now >= self._presses_at:
            return False
        self._presses_at = max(self._presses_at, now + self.pause_s)
        return True

    def _forward_event(self, event: events.Event) -> None:
        # Keys come by way of the app, which asks `ignores`; the mouse comes here.
        if not isinstance(event, events.Key) and self.ignores(event):
            return
        super()._forward_event(event)


def too_small() -> Static:
    """Give the line that stands alone when the window is too small."""
    says = f"This window is too small: {LEAST[0]} × {LEAST[1]} is the least."
    return Static(Content.assemble((says, WARN)), id="too-small")
