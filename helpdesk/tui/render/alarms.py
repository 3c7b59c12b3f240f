"""Alarms as lines above the log: what is wrong, when, with whom; the newest first."""

from __future__ import annotations

from typing import Final

from textual.content import Content

from helpdesk.domain.limits import ALARM_TITLES, Alarm
from helpdesk.tui.render.rows import Scene
from helpdesk.tui.render.values import BAD, QUIET, STRONG, clock, lines, pressable, show

MOST: Final = 6
"""Alarms that are shown; the command lists all."""


def alarm_lines(alarms: tuple[Alarm, ...], scene: Scene) -> Content:
    """Return one line an alarm, each a press away from its user; empty where there is none."""
    rest = len(alarms) - MOST
    more = (f"  and {rest} more: helpdesk alarms", QUIET) if rest > 0 else ""
    return lines((*(_line(one, scene) for one in alarms[:MOST]), Content.assemble(more)))


def _line(alarm: Alarm, scene: Scene) -> Content:
    head = Content.assemble(
        ("▲ ", BAD),
        (f"{clock(alarm.at, scene.now)} ", STRONG),
        (f"{ALARM_TITLES.get(alarm.what, 'alarm')}: ", BAD),
    )
    line = Content.assemble(head, show(alarm.says))
    return pressable(line, user=alarm.user) if alarm.user else line
