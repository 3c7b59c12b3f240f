"""What stands in the place of everything while nobody is signed in: a sentence and two keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from helpdesk.tui.dialogs.guarded import LEAST, too_small
from helpdesk.tui.render.values import LABEL, QUIET, STRONG, WARN, show
from helpdesk.tui.terminal import SafeScreen


class Curtain(SafeScreen[None]):
    """Shows nobody; Enter asks to go on.

    Attributes:
        says: What came of the last try to go on.
        is_busy: Whether one is under way: then Enter does nothing.

    Args:
        title: Why it is there, in a word or two.
        because: The same in sentences.
        enter: What Enter does.
    """

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "lift", "Go on", show=False),
        Binding("ctrl+q", "app.quit", "Quit", show=False, priority=True),
    ]

    says: reactive[str] = reactive("")
    is_busy: reactive[bool] = reactive(False)

    @dataclass
    class Lifted(Message):
        """The agent wants to go on."""

    def __init__(self, title: str, because: str, enter: str) -> None:
        super().__init__()
        self._title, self._because, self._enter = title, because, enter

    def compose(self) -> ComposeResult:
        """The sentences in the middle of an empty screen."""
        with Vertical(id="curtain"):
            yield Static(id="curtain-says")
        yield too_small()

    def on_mount(self) -> None:
        """Say why it is there."""
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Below the least size say so."""
        is_tiny = event.size.width < LEAST[0] or event.size.height < LEAST[1]
        self.set_class(is_tiny, "-tiny")

    def watch_says(self) -> None:
        """Show what came of the last try."""
        self._draw()

    def watch_is_busy(self) -> None:
        """Show whether something is under way."""
        self._draw()

    def action_lift(self) -> None:
        """Ask to go on."""
        if not self.is_busy:
            self.post_message(self.Lifted())

    def _draw(self) -> None:
        told = "Signing in …" if self.is_busy else self.says
        said = Content.assemble(
            (self._title, STRONG),
            "\n\n",
            show(self._because, limit=600),
            "\n\n",
            ("Enter   ", f"bold {LABEL}"),
            self._enter,
            "\n",
            ("Ctrl+Q  ", f"bold {LABEL}"),
            "quit",
            "\n\n",
            show(told, QUIET if self.is_busy else WARN, limit=600),
        )
        for line in self.query("#curtain-says").results(Static):
            line.update(said)
