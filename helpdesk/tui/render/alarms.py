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
    shown = (_line(number, one, scene) for number, one in enumerate(alarms[:MOST]))
    return lines((*shown, Content.assemble(more)))


def _line(number: int, alarm: Alarm, scene: Scene) -> Content:
    head = Content.assemble(
        ("▲ ", BAD),
        (f"{clock(alarm.at, scene.now)} ", STRONG),
        (f"{ALARM_TITLES.get(alarm.what, 'alarm')}: ", BAD),
    )
    line = Content.assemble(head, show(alarm.says))
    # By its number: what is pressed is copied as often as it is drawn, and an id may be long.
    return pressable(line, alarm=str(number)) if alarm.user else line
