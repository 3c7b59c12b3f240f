"""Numbered lines of which one is chosen, by number, arrows or mouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from helpdesk.tui.render.values import GOOD, QUIET, STRONG, lines, pressable, show


class Choices(Widget, can_focus=True):
    """Shows numbered lines; `chosen` is the index of one, or None.

    Says `Changed` when another line is chosen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", show=False),
        Binding("down", "step(1)", show=False),
    ]

    chosen: reactive[int | None] = reactive(None)

    @dataclass
    class Changed(Message):
        """Another line is chosen."""

        choices: Choices

        @property
        def control(self) -> Choices:
            """The choices it happened in."""
            return self.choices

    def __init__(
        self,
        options: Sequence[tuple[str, str]],
        *,
        chosen: int | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
    ) -> None:
        super().__init__(id=id)
        self.options = tuple(options)
        self.set_reactive(Choices.chosen, chosen)

    @property
    def value(self) -> str:
        """The chosen value; empty while none is."""
        return "" if self.chosen is None else self.options[self.chosen][0]

    def render(self) -> Content:
        """One line an option: number, mark, words."""
        shown = []
        for index, (_, says) in enumerate(self.options):
            is_chosen = index == self.chosen
            mark = ("●", GOOD) if is_chosen else ("○", QUIET)
            line = Content.assemble(
                (f"{index + 1} ", STRONG), mark, " ", show(says, STRONG if is_chosen else "")
            )
            shown.append(pressable(line, option=str(index)))
        return lines(shown)

    def choose(self, number: int) -> bool:
        """Choose the line with a number from 1; say whether there is one."""
        if not 1 <= number <= len(self.options):
            return False
        self.chosen = number - 1
        return True

    def watch_chosen(self) -> None:
        """Tell that another line is chosen."""
        self.post_message(self.Changed(self))

    def action_step(self, by: int) -> None:
        """Choose the next line, or the one before."""
        start = -1 if self.chosen is None and by > 0 else self.chosen or 0
        self.chosen = max(0, min(len(self.options) - 1, start + by))

    def on_click(self, event: events.Click) -> None:
        """Choose the line that was clicked."""
        index = event.style.meta.get("option")
        if isinstance(index, str):
            self.chosen = int(index)
