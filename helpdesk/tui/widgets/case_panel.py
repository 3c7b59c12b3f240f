"""The case: a word where nobody is chosen, else its parts, made once the list is there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.reactive import var
from textual.widget import Widget
from textual.widgets import Static

from helpdesk.domain.cases import Case
from helpdesk.domain.diagnosis.verdicts import CallerSaid, Verdict
from helpdesk.domain.holds import Hold
from helpdesk.domain.products import Product
from helpdesk.tui.render.values import QUIET
from helpdesk.tui.widgets.drawn import Below

if TYPE_CHECKING:
    from helpdesk.tui.widgets.case_parts import CaseParts


class OfCase(Below):
    """Shows `case` and what is known of it; its parts bind these values."""

    case: var[Case | None] = var(None)
    now: var[datetime | None] = var(None)
    verdict: var[Verdict | None] = var(None)
    said: var[tuple[CallerSaid, ...]] = var(())
    why_fault: var[str] = var("")
    holds: var[tuple[Hold, ...]] = var(())


class CasePanel(OfCase):
    """Shows `case`, once it is furnished: a list is drawn without waiting for fifteen widgets."""

    def __init__(self, cards: Mapping[str, Product]) -> None:
        super().__init__(id="case")
        self._cards = cards
        self._parts: CaseParts | None = None
        self._is_begun, self._is_furnished = False, asyncio.Event()

    def compose(self) -> ComposeResult:
        """What stands here where nobody is chosen."""
        yield Static(Content.assemble(("Choose a user on the left.", QUIET)), id="no-case")

    async def furnished(self) -> None:
        """Come back once the parts are there: before it no case may be shown."""
        if not self._is_begun:
            self._is_begun = True
            self.call_next(self._furnish)
        await self._is_furnished.wait()

    async def _furnish(self) -> None:
        from helpdesk.tui.widgets.case_parts import CaseParts  # noqa: PLC0415  (loads a third)

        parts = CaseParts(self._cards).data_bind(
            OfCase.case, OfCase.now, OfCase.verdict, OfCase.said, OfCase.why_fault, OfCase.holds,
        )  # fmt: skip
        if self.is_attached:
            await self.mount(parts)
        if not parts.is_whole:
            return  # the console is ending
        self._parts = parts
        self._fit()
        self._is_furnished.set()

    def watch_case(self, case: Case | None) -> None:
        """Show the parts once there is a case."""
        self.set_class(case is not None, "-has-case")

    def on_resize(self, event: events.Resize) -> None:
        """Fit the parts in."""
        del event
        self._fit()

    def _fit(self) -> None:
        if self._parts is None or not self._parts.is_whole:
            return
        if self.outer_size:  # hidden it has none
            self._parts.fit(self.outer_size)
        self._parts.give_scrolling(is_one=self.screen.has_class("-slim"))

    @property
    def scrolls(self) -> Widget | None:
        """What takes the focus: what scrolls of the parts, where they are there."""
        return self._parts.scrolls if self._parts is not None else None

    def give_scrolling(self, *, is_one: bool) -> None:
        """Let what scrolls take the focus; what had it hands it on."""
        if self._parts is not None and self._parts.is_whole:
            self._parts.give_scrolling(is_one=is_one)

    def roll(self, by: int) -> None:
        """Scroll what does not fit by half a page."""
        if self._parts is not None:
            self._parts.roll(by)
