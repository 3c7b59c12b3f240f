"""The timeline: what happened, newest first, one line an event."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.errors import NoWidget
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from helpdesk.domain.cases import Case
from helpdesk.domain.diagnosis.verdicts import Verdict
from helpdesk.tui.render.events import Line, per_hour, timeline_lines
from helpdesk.tui.render.values import clock, fit, sparkline
from helpdesk.tui.render.verdict import evidence_events, marks
from helpdesk.tui.widgets.drawn import Dressed

MARGIN, TODAY, EARLIER, WORDS = 2, 9, 13, 18
"""Cells of the margin, of a time of today, of an earlier one, and of an event's words."""

LOOKS = ("mark", "plain", "quiet", "strong", "good", "warn", "bad")
"""What a part of a line may look like, as the style sheet names it."""


class Timeline(Dressed):
    """Shows the events of `case`, below one line of the last 24 hours; marks those of `verdict`.

    Drawn line by line: only what is in sight costs anything.
    """

    class Chosen(Message):
        """An event was clicked; `place` counts from the newest."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    KIND = "timeline"
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"timeline--{look}" for look in LOOKS}

    case: reactive[Case | None] = reactive(None, layout=True)
    verdict: reactive[Verdict | None] = reactive(None)

    def __init__(self) -> None:
        super().__init__(id="timeline")
        self._lines: list[Line] = []
        self._marks: dict[int, str] = {}
        self._time = EARLIER

    @property
    def topmost(self) -> int:
        """The event on the topmost line in sight, counted from the newest; 0 where none is."""
        try:
            place = self.screen.find_widget(self)
        except NoWidget:  # hidden: the window is too small
            return 0
        seen = place.visible_region
        above = seen.y - place.region.y if seen.area else 0
        return max(0, min(above - 1, len(self._lines) - 1))

    def on_click(self, event: events.Click) -> None:
        """Tell which event was clicked."""
        if 1 <= event.y <= len(self._lines):
            self.post_message(self.Chosen(event.y - 1))

    def watch_case(self, case: Case | None) -> None:
        """Put the new events into words."""
        self._lines = timeline_lines(case.timeline) if case else []
        is_today = case is not None and all(e.at.date() == case.at.date() for e in case.timeline)
        self._time = TODAY if is_today else EARLIER
        self.watch_verdict()  # the same verdict may be of new events

    def watch_verdict(self) -> None:
        """Mark what the first cause rests on, and what speaks against it."""
        timeline = self.case.timeline if self.case else ()
        self._marks = marks(evidence_events(timeline, self.verdict), self.verdict)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Give one line an event, one for the day and one where there is nothing."""
        return len(self._lines) + 1 if self._lines else 2

    def draw_line(self, y: int) -> Strip:
        """Draw the day, or one event."""
        width = self.size.width
        if self.case is None or y > max(1, len(self._lines)):
            return self.finished([Segment(" " * width, self._look("plain"))])
        if y == 0:
            counts = per_hour(self.case.timeline, self.case.at)
            says = f"{sparkline(counts)} last 24 h"
            return self.finished([Segment(fit(says, width), self._look("quiet"))])
        if not self._lines:
            return self.finished([Segment(fit("nothing on record", width), self._look("quiet"))])
        return self._event(self._lines[y - 1], width, self.case)

    def _event(self, line: Line, width: int, case: Case) -> Strip:
        event, words, look, details = line
        mark = self._marks.get(id(event), " ")
        segments = [
            Segment(f"{mark} ", self._look("mark")),
            Segment(fit(clock(event.at, case.at, seconds=True), self._time), self._look("quiet")),
            Segment(fit(words, WORDS - 1) + " ", self._look(look)),
        ]
        room = width - MARGIN - self._time - WORDS
        for text, detail_look in details:
            if room < 3:
                break
            shown = fit(text, min(cell_len(text), room))
            segments.append(Segment(shown, self._look(detail_look)))
            segments.append(Segment("  ", self._look("plain")))
            room -= cell_len(shown) + 2
        segments.append(Segment(" " * max(0, room), self._look("plain")))
        return self.finished(segments)
