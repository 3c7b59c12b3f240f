"""The parts of the case: who it is on top, what one may do below, the rest between."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.geometry import Size
from textual.widget import Widget

from helpdesk.domain.cases import Case
from helpdesk.domain.products import Product
from helpdesk.tui.widgets.case_panel import OfCase
from helpdesk.tui.widgets.latest import Latest
from helpdesk.tui.widgets.parts import Codes, Factors, MayI, Papers, Part, Who
from helpdesk.tui.widgets.request import Request
from helpdesk.tui.widgets.scroll import Scroll
from helpdesk.tui.widgets.timeline import Timeline
from helpdesk.tui.widgets.why import Why

LOW, FEW = 18, 24
"""Lines of the case below which only the essential is shown: of the acts, of the codes."""


class CaseParts(OfCase):
    """Shows `case` in its parts; on a small screen who, codes and may I stay in sight."""

    def __init__(self, cards: Mapping[str, Product]) -> None:
        super().__init__(id="case-parts")
        self._cards = cards

    def compose(self) -> ComposeResult:
        """Who, a request, why, codes, then factors and papers beside the timeline, then may I."""
        yield Who(self._cards).data_bind(
            CaseParts.case, CaseParts.now, CaseParts.verdict, CaseParts.holds
        )
        yield Request(self._cards).data_bind(CaseParts.case, CaseParts.now)
        yield Why(self._cards).data_bind(
            CaseParts.case, CaseParts.verdict, CaseParts.said, fault=CaseParts.why_fault
        )
        yield Codes(self._cards).data_bind(CaseParts.case, CaseParts.now)
        with Scroll(id="middle"):
            with Scroll(id="facts", can_focus=False):
                yield Factors(self._cards).data_bind(CaseParts.case)
                yield Papers(self._cards).data_bind(CaseParts.case, CaseParts.now)
            with Scroll(id="history", can_focus=False) as history:
                history.border_title = " Timeline, UTC, newest first "
                yield Latest(self._cards).data_bind(CaseParts.case)
                yield Timeline().data_bind(CaseParts.case, CaseParts.verdict)
        yield MayI(self._cards).data_bind(CaseParts.case)

    def watch_case(self, old: Case | None, case: Case | None) -> None:
        """Read a new user from the top."""
        if case is not None and (old is None or old.user.id != case.user.id):
            for scroll in self.query(Scroll):
                scroll.scroll_home(animate=False)

    @property
    def is_whole(self) -> bool:
        """Whether all of them are there; where the console ends meanwhile they never are."""
        return all(self.query(one) for one in ("#middle", "#history", "Why", "MayI"))

    def fit(self, size: Size) -> None:
        """Give reasons as many lines as the height of the case leaves them."""
        for part in self.query(Part):
            part.is_low = size.height < (FEW if isinstance(part, Codes | Request) else LOW)
        self.query_one(MayI).room = reasons_room(size.width, size.height)
        self.query_one(Why).room = why_room(size.width, size.height)

    @property
    def scrolls(self) -> Widget:
        """What takes the focus: all of the middle where it is one column, else the history."""
        middle = self.query_one("#middle")
        return middle if middle.can_focus else self.query_one("#history")

    def give_scrolling(self, *, is_one: bool) -> None:
        """Let what scrolls take the focus; what had it hands it on."""
        middle, history = self.query_one("#middle"), self.query_one("#history")
        has_it = self.screen.focused in {middle, history}
        middle.can_focus, history.can_focus = is_one, not is_one
        if has_it:
            self.screen.set_focus(self.scrolls)

    def roll(self, by: int) -> None:
        """Scroll what does not fit by half a page, whichever part of it can be scrolled."""
        for scroll in self.query(Scroll):
            if scroll.max_scroll_y:
                scroll.scroll_relative(y=by * max(1, scroll.size.height // 2), animate=False)


def reasons_room(width: int, height: int) -> int:
    """Return the lines of reasons in a case of this size: the first says how to see them all."""
    if width < 76 or height < 28:
        return 0
    return max(1, min(6, (height - 34) // 3))


def why_room(width: int, height: int) -> int:
    """Return the lines of the verdict in a case of this size: 3 at the least, 18 at most."""
    besides = 14 if width >= 80 else 18  # in few columns the other parts take more lines
    return max(3, min(18, (height - besides) // 2))
