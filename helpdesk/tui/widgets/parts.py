"""The parts of a case, each of which shows one side of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from textual import events
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.visual import Visual

from helpdesk.domain.cases import Case
from helpdesk.domain.diagnosis.verdicts import Verdict
from helpdesk.domain.holds import Hold
from helpdesk.domain.products import Product
from helpdesk.tui.keys import KEYS
from helpdesk.tui.render import case as words
from helpdesk.tui.render.codes import codes
from helpdesk.tui.render.proving import caller, held, watching
from helpdesk.tui.render.values import QUIET, Entry, cells, hanging, lines, pressable
from helpdesk.tui.widgets.drawn import Drawn


@dataclass
class Wish(Message):
    """The agent wants to act on the user."""

    act: str


LINES_KNOWN = 300
"""Drawn lines that a part remembers, each about a kilobyte."""


class Part(Drawn):
    """Shows one side of `case`, under a title in its upper border.

    Attributes:
        case: What is shown; nothing while it is None.
        is_low: Whether lines are few, so that only the essential is shown.
    """

    title: ClassVar[str] = ""

    case: reactive[Case | None] = reactive(None, layout=True)
    is_low: reactive[bool] = reactive(False, layout=True)

    _worded: dict[tuple[int, int], Content] = {}  # noqa: RUF012 - replaced before it is filled
    _strips: list[Strip] | None = None

    def __init__(self, cards: Mapping[str, Product]) -> None:
        super().__init__(classes="part")
        self.auto_links = False  # what can be pressed here is no link
        self._cards = cards
        self._known: dict[object, Strip] = {}
        self.border_title = self.title or None

    def render(self) -> Content:
        """Show the side of the case, or nothing."""
        return self._content(self.content_size.width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Give as many lines as the content takes at a width; none where there is no width."""
        return self._content(width).get_height({}, width) if width > 0 else 0

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Show anew; with *layout* measured anew even while another layout is awaited."""
        if not regions:
            self._worded = {}
        if layout:
            # Its key stands still from the wish for a layout to the layout: a height measured
            # between two changes would otherwise outlive the second.
            self._box_model_cache.clear()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def forget_drawn(self) -> None:
        """Let all lines be drawn anew, in the same words."""
        self._strips = None
        super().forget_drawn()

    def notify_style_update(self) -> None:
        """Forget the lines in the last style."""
        self._known = {}
        super().notify_style_update()

    def draw_line(self, y: int) -> Strip:
        """Draw one line of the content."""
        if self._strips is None:
            content = self._content(self.outer_size.width)
            self._strips = self._remembered(content) or [*map(self.finished, self._drawn(content))]
        return self._strips[y] if y < len(self._strips) else self.finished(())

    def _drawn(self, content: Content) -> list[Strip]:
        """Draw content as Textual does, broken where it is wider."""
        return Visual.to_strips(self, content, self.outer_size.width, None, self.visual_style)

    def _remembered(self, content: Content) -> list[Strip]:
        """Draw content line by line, where none is wider; the same line there only once.

        Cards say the same of many users. What was revealed is not remembered.
        """
        width, known = self.outer_size.width, self._known
        found = content.split("\n", allow_blank=True)
        is_masked = self.case is not None and self.case.is_masked
        if not is_masked or self.text_selection or any(cells(one) > width for one in found):
            return []
        # A line tells the mouse where in the content it is: elsewhere it is another.
        keys = [(y, one.plain, *one.spans, width, *self._filters) for y, one in enumerate(found)]
        if len(known) > LINES_KNOWN:
            known.clear()
        new = [Content("") if key in known else one for key, one in zip(keys, found, strict=True)]
        if any(one.plain for one in new):
            drawn = self._drawn(Content("\n").join(new))
            if len(drawn) != len(keys):
                return []
            for key, strip in zip(keys, drawn, strict=True):
                if key not in known:
                    known[key] = self.finished(strip)
        return [known.get(key) or self.finished(()) for key in keys]

    def _content(self, width: int) -> Content:
        if self.case is None:
            return Content("")
        key = width, self.app.size.height
        if key not in self._worded:
            self._worded[key] = self.content(self.case, width)
        return self._worded[key]

    def content(self, case: Case, width: int) -> Content:
        """Give what is shown of a case in lines of *width* cells."""
        raise NotImplementedError

    def card(self, case: Case) -> Product | None:
        """The product's card, or None where there is none."""
        return self._cards.get(case.user.product)


class Unproven(Message):
    """The agent wants to prove the caller."""


class Who(Part):
    """Shows who calls, and how sure the desk is of it; says `Unproven` when that is clicked."""

    now: reactive[datetime | None] = reactive(None)
    verdict: reactive[Verdict | None] = reactive(None, layout=True)
    holds: reactive[tuple[Hold, ...]] = reactive((), layout=True)

    def content(self, case: Case, width: int) -> Content:
        """Name, account, product, role, ticket; login, where codes go; proof, watch, alarms."""
        now = max(self.now or case.at, case.at)
        standing = (
            pressable(caller(case, now), verify="yes"),
            *(held(hold, now) for hold in self.holds if hold.user == case.user.id),
            watching(case, self.verdict),
        )
        return words.who(case, self.card(case), now, width, standing, brief=self.is_low)

    def on_click(self, event: events.Click) -> None:
        """Wish to prove the caller."""
        if event.style.meta.get("verify"):
            self.post_message(Unproven())


class Codes(Part):
    """Shows which code is live, counting down by `now`."""

    title = " Codes "

    now: reactive[datetime | None] = reactive(None)

    def content(self, case: Case, width: int) -> Content:
        """Each code with its word, the live one with what is left of it, then the card's rules."""
        return codes(
            case, self.card(case), max(self.now or case.at, case.at), width, brief=self.is_low
        )


class Factors(Part):
    """Shows what the user can prove themselves with."""

    title = " Factors "

    def content(self, case: Case, width: int) -> Content:
        """Each factor with where it goes and its state, then the kinds not enrolled."""
        return words.factors(case, self.card(case), case.at)


class Papers(Part):
    """Shows tickets and notes."""

    title = " Tickets and notes "

    now: reactive[datetime | None] = reactive(None)

    def content(self, case: Case, width: int) -> Content:
        """Tickets with their notes, then what the desk did."""
        return words.papers(case, max(self.now or case.at, case.at), width)


ACT_KEYS = {key.act: (key.shown, key.label) for key in KEYS if key.act}


class MayI(Part):
    """Shows every act with its key and whether it may be done; says `Wish` when one is clicked.

    Attributes:
        room: How many lines of reasons there is room for.
    """

    title = " May I "

    room: reactive[int] = reactive(0, layout=True)

    def content(self, case: Case, width: int) -> Content:
        """The acts, then the reasons of what is refused."""
        reasons = words.may_i_reasons(case, ACT_KEYS)
        shown = reasons[: self.room]
        if self.room and len(reasons) > self.room:
            left = len(reasons) - self.room + 1
            more = "more reasons" if self.room > 1 else "reasons why not"
            says = Content.assemble((f"… {left} {more}: press i", QUIET))
            shown[-1:] = [Entry(Content(""), says)]
        chips = words.may_i_chips(case, ACT_KEYS, width, brief=self.is_low)
        return lines((chips, hanging(shown, width)))

    def on_click(self, event: events.Click) -> None:
        """Wish for the act that was clicked."""
        act = event.style.meta.get("act")
        if isinstance(act, str):
            self.post_message(Wish(act))
