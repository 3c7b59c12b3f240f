"""Names, notes and answers that try to be more than text, through every list and dialog."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from tests.sample import sample
from tests.tui.console import console, desk_on

HOSTILE = {
    "markup": "[/] [bold]x[/bold] [@click=app.quit]quit[/] [link=http://evil.example]y[/link]",
    "escape": "\x1b]52;c;aGk=\x07\x1b[2J\x9b31mred\x00\x7f",
    "newline": "Alice\nADMIN\r\ttab",
    "direction": "abc\u202egpj.exe\u200b\u2066x",
    "wide": "陳美玲" * 20 + "👩‍👩‍👧‍👦🇻🇳é" + "z\u0301" * 40,
    "surrogate": "lone \\ud800 half",
    "huge": "A" * 1_000_000,
    "variables": "$name {administrators} %s {0}",
}


JOINER = "\u200d"
"""What holds an emoji of several together: the one invisible character that may stay."""


def hostile_file(place: Path, text: str) -> Path:
    """Write a fixture with a text in every field that people fill in."""
    tables: dict[str, Any] = sample()
    for user in tables["users"].values():
        user["name"] = text
        user["flagged"] = text[:2_000]
        for factor in user.get("factors", ()):
            factor["to"] = text[:2_000]
    for account in tables["accounts"].values():
        account["name"] = text
    for ticket in tables["tickets"].values():
        ticket["subject"] = text
        ticket["notes"] = [text]
    for loop in tables["loops"].values():
        loop["says"] = text
    for agent in tables["agents"].values():
        agent["name"] = text
    for timeline in tables["timelines"].values():
        for event in timeline["events"]:
            event |= {"ip": text[:300], "browser": text[:300], "rule": text[:300]}
        timeline["events"].append(
            {"id": "x1", "at": "2026-05-04T14:04:30Z", "kind": text[:300] or "x", "detail": text}
        )
    path = place / "hostile.json"
    path.write_text(json.dumps(tables), "utf-8")
    return path


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_text_is_only_text_in_every_place_and_dialog(
    tmp_path: Path, name: str
) -> None:
    desk = desk_on(hostile_file(tmp_path, HOSTILE[name]), "dana")
    async with console(desk) as agent:
        for keys in ("1", "2", "3", "4", "5", "1"):
            await agent.press(keys)
            await agent.settles()
            assert_only_text(agent.lines, 130)
        await agent.press("/")
        await agent.type("u6")
        await agent.press("escape", "escape")
        await agent.find("agency.example", "u6")
        for key in ("s", "r", "R", "o", "a", "f", "n", "w", "i", "c", "K", "ctrl+p"):
            await agent.press(key)
            await agent.until(lambda: len(agent.app.screen_stack) > 1, f"what {key} opens")
            await agent.pilot.pause(0.05)
            assert_only_text(agent.lines, 130)
            await agent.press("escape")
            await agent.until(lambda: len(agent.app.screen_stack) == 1, "the desk")
        assert agent.app.is_running


def assert_only_text(lines: list[str], width: int) -> None:
    """Check that no control character is shown and that no line is broken."""
    for line in lines:
        assert all(c.isprintable() or c == JOINER for c in line), repr(line)
        assert "\u202e" not in line
        assert cell_len(line) == width, repr(line)


async def test_a_hostile_name_clicked_does_nothing(tmp_path: Path) -> None:
    desk = desk_on(hostile_file(tmp_path, "[@click=app.quit]quit now[/]"), "dana")
    async with console(desk) as agent:
        await agent.press("enter")
        await agent.settles()
        places = [
            (line.index("quit now"), y) for y, line in enumerate(agent.lines) if "quit now" in line
        ]
        assert places
        for x, y in places:
            await agent.pilot.click(offset=(x, y))
            await agent.settles()

        assert agent.app.is_running


async def test_what_the_agent_types_is_shown_as_typed(tmp_path: Path) -> None:
    desk = desk_on(hostile_file(tmp_path, "Plain"), "dana")
    async with console(desk) as agent:
        await agent.find("ada", "u2")
        await agent.press("n")
        await agent.sees("Write the note.")
        await agent.type("see [b]bold[/b] here")
        await agent.confirm()

        await agent.sees("Note: see [b]bold[/b] here")
