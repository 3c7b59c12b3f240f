"""Pictures of whole screens, held against those that are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from tests.tui.console import Console

SIZES = {"80x24": (80, 24), "130x34": (130, 34), "200x60": (200, 60)}

Walk = Callable[[Console], Awaitable[None]]


def looks_the_same(snap_compare: Any, app: App[None], size: str, walk: Walk) -> bool:
    """Whether what is shown after a walk is the picture kept of it."""

    async def go(pilot: Pilot[None]) -> None:
        agent = Console(pilot)
        await agent.settles()
        await walk(agent)
        await agent.settles()

    return bool(snap_compare(app, terminal_size=SIZES[size], run_before=go))
