"""The verdict on the user: why it keeps asking, what to ask, to do and to say."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive

from helpdesk.domain.cases import Case
from helpdesk.domain.diagnosis.verdicts import CallerSaid, Verdict
from helpdesk.tui.keys import KEYS
from helpdesk.tui.render import verdict as words
from helpdesk.tui.render.values import QUIET, STRONG, Entry, pressable
from helpdesk.tui.widgets.chrome import Pressed
from helpdesk.tui.widgets.parts import Part

NAMED = {key.act or key.does: (key.key, key.shown, key.label) for key in KEYS}


class Why(Part):
    """Shows `verdict` in at most `room` lines; says `Pressed` when a key in it is clicked.

    Attributes:
        verdict: None while it is being asked for.
        said: What the caller answered so far.
        fault: The sentence that says why there is no verdict; empty where nothing is wrong.
        room: How many lines there are.
    """

    title = " Why "

    verdict: reactive[Verdict | None] = reactive(None, layout=True)
    said: reactive[tuple[CallerSaid, ...]] = reactive((), layout=True)
    fault: reactive[str] = reactive("", layout=True)
    room: reactive[int] = reactive(6, layout=True)

    _height = 1
    _left_out = _said_out = 0
    _read: tuple[Case | None, Verdict | None] = (None, None)
    _events: words.Events = {}  # noqa: RUF012 - replaced, never changed

    def content(self, case: Case, width: int) -> Content:
        """Give the verdict, or what stands in its place."""
        self._left_out = 0
        if self.verdict is None:
            return words.waiting(self.fault, self.room)
        if self._read[0] is not case or self._read[1] is not self.verdict:
            self._read = case, self.verdict
            self._events = words.evidence_events(case.timeline, self.verdict)
        shown = words.why(self.verdict, case, self.said, self._events, NAMED, width, self.room)
        self._left_out = shown.cut
        return shown.content

    def whole(self, width: int) -> list[Entry]:
        """Give all of the verdict, however little of it is shown; nothing where there is none."""
        if self.case is None or self.verdict is None:
            return []
        return words.whole(self.verdict, self.case, self.said, self._events, NAMED, width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Give the lines there are; while a verdict is asked for those there were, in peace."""
        height = super().get_content_height(container, viewport, width)
        self._name_more()
        if self.verdict is None and not self.fault:
            return max(height, min(self._height, self.room))
        self._height = height
        return height

    def _name_more(self) -> None:
        """Say in the frame that not all is shown, and the key that shows it."""
        if self._left_out == self._said_out:
            return
        self._said_out = self._left_out
        key, shown, _ = NAMED["more"]
        more = pressable(Content.assemble(("… more ", QUIET), (shown, STRONG)), key=key)
        is_cut = self._left_out > 0
        title = Content.assemble(self.title, more, " ") if is_cut else Content(self.title)
        self._border_title = title  # as the property would, but all is being drawn anyway

    def on_click(self, event: events.Click) -> None:
        """Do what the clicked key does."""
        name = event.style.meta.get("key")
        key = next((key for key in KEYS if key.key == name), None)
        if key is not None:
            self.post_message(Pressed(key))
