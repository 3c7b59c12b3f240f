"""The alarms above the log; a press on one opens its user."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.widgets import Static

from helpdesk.domain.limits import Alarm
from helpdesk.tui.render.alarms import alarm_lines
from helpdesk.tui.render.rows import Scene
from helpdesk.tui.widgets.chrome import Open


class AlarmLines(Static):
    """Shows one line an alarm, and nothing where there is none."""

    def __init__(self) -> None:
        self._alarms: tuple[Alarm, ...] = ()
        super().__init__(Content(""), id="alarms", markup=False)
        self.display = False

    def show(self, alarms: tuple[Alarm, ...], scene: Scene) -> None:
        """Show these alarms, the newest first."""
        self._alarms = alarms
        self.update(alarm_lines(alarms, scene))
        self.display = bool(alarms)

    def on_click(self, event: events.Click) -> None:
        """Open the user whose alarm was clicked."""
        number = event.style.meta.get("alarm")
        if isinstance(number, str):
            self.post_message(Open(self._alarms[int(number)].user))
