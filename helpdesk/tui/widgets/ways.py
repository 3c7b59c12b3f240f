"""Numbered ways of proving a caller, of which one is chosen; those that prove nothing are grey."""

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

from helpdesk.domain.cases import Case
from helpdesk.domain.proofs import Way
from helpdesk.tui.render.proving import way_line
from helpdesk.tui.render.values import QUIET, lines


class WayList(Widget, can_focus=True):
    """Shows ways in their order; says `Chosen` for a number, Enter or a click."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", show=False),
        Binding("down", "step(1)", show=False),
        Binding("enter", "choose", show=False),
    ]

    at: reactive[int] = reactive(1)

    @dataclass
    class Chosen(Message):
        """A way was chosen."""

        way: Way

    def __init__(self, case: Case) -> None:
        super().__init__(id="ways")
        self._case = case
        self._ways: tuple[Way, ...] = ()

    @property
    def open_ways(self) -> tuple[Way, ...]:
        """Those that prove something, in the order of their numbers."""
        return tuple(way for way in self._ways if not way.not_for)

    @property
    def is_filled(self) -> bool:
        """Whether the desk has answered which ways there are."""
        return bool(self._ways)

    def show(self, ways: Sequence[Way]) -> None:
        """Show other ways."""
        self._ways = tuple(ways)
        self.set_reactive(WayList.at, 1)
        self.refresh(layout=True)

    def render(self) -> Content:
        """One line a way, the grey ones with their reason below."""
        shown: list[Content] = []
        number = 0
        for way in self._ways:
            number += not way.not_for
            is_at = number == self.at and self.has_focus
            shown.append(way_line(way, number, self._case, is_at=is_at))
        return lines(shown) if shown else Content.assemble(("Asking the desk …", QUIET))

    def choose(self, number: int) -> None:
        """Choose the way with a number from 1, where there is one."""
        if 1 <= number <= len(self.open_ways):
            self.at = number
            self.post_message(self.Chosen(self.open_ways[number - 1]))

    def action_step(self, by: int) -> None:
        """Stand on the next way, or the one before."""
        self.at = max(1, min(len(self.open_ways), self.at + by))

    def action_choose(self) -> None:
        """Choose the way one stands on."""
        self.choose(self.at)

    def on_click(self, event: events.Click) -> None:
        """Choose the way that was clicked."""
        number = event.style.meta.get("way")
        if isinstance(number, str):
            self.choose(int(number))
