"""The caller of a rehearsal: what was said, how late it is, and the keys of the play."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from helpdesk.domain.training.scenario import Scenario
from helpdesk.tui.render.values import LABEL, QUIET, STRONG, WARN, Entry, entry, m_ss, show
from helpdesk.tui.widgets.sheet import Sheet

HEADS = {"caller": WARN, "you": "", "desk": QUIET}


class CallerPanel(Vertical):
    """Shows who is on the line and what was said, the newest in sight."""

    def __init__(self, scenario: Scenario, keys: Sequence[tuple[str, str]]) -> None:
        super().__init__(id="caller")
        self._scenario = scenario
        self._keys = keys
        self._entries: list[Entry] = []

    def compose(self) -> ComposeResult:
        """The clock, what was said, the keys."""
        self.border_title = show(f"On the line: {self._scenario.person.name}", limit=80)
        yield Static(id="play-clock")
        with VerticalScroll(id="words", can_focus=False):
            yield Sheet(id="said")
        parts = [Content.assemble((key, f"bold {LABEL}"), f" {says}  ") for key, says in self._keys]
        yield Static(Content.assemble(*parts), id="play-keys")

    def hear(self, who: str, says: str) -> None:
        """Add what somebody said: `caller`, `you`, or the `desk`."""
        self._entries.append(entry(who, show(says, HEADS.get(who, ""), limit=2_000), width=8))
        self.query_one("#said", Sheet).update(self._entries)
        self.call_after_refresh(self.query_one("#words").scroll_end, animate=False)

    def tick(self, seconds: int, speed: int, *, stands: bool) -> None:
        """Show how late it is and how fast the time runs."""
        pace = ("standing still", WARN) if stands else (f"×{speed}", QUIET)
        mood = show(f"   sounds {self._scenario.caller.mood}", QUIET)
        now = Content.assemble((m_ss(seconds), STRONG), "  ", pace, mood)
        self.query_one("#play-clock", Static).update(now)
