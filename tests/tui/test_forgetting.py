"""What is gone from the screen is gone from memory too."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from collections.abc import Callable

import pytest

from helpdesk.service.local import LocalDesk
from helpdesk.tui import app
from tests.tui.console import console
from tests.waiting import PATIENCE_S


async def test_what_a_closed_page_painted_is_let_go(
    demo: Callable[..., LocalDesk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "FORGET_S", 0.05)
    async with console(demo()) as agent:
        await agent.has_case("u1")
        await agent.press("question_mark")
        await agent.sees("Close")
        painted = [weakref.ref(one._styles_cache) for one in agent.app.screen.query("*")]

        await agent.press("escape")
        await agent.stands_on_desk()
        end = time.monotonic() + PATIENCE_S
        while any(one() for one in painted) and time.monotonic() < end:
            await asyncio.sleep(0.05)
            gc.collect()

    assert painted
    assert [one() for one in painted if one()] == []
