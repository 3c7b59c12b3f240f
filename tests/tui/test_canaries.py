"""Secrets planted, and every frame that was painted searched for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from helpdesk.service.local import LocalDesk
from helpdesk.tui.dialogs.pages import HandoverDialog
from tests.tui.console import console, painted
from tests.tui.test_dialogs import INES
from tests.tui.test_proving import PUSH, code_of, verify, way_of, wrong

IMOGEN = "u84"


def keys_on_file(place: Path) -> list[str]:
    """Give all keys of authenticators and what the fixture makes codes with."""
    tables = json.loads((place / "demo.json").read_text("utf-8"))
    keys = [row["totp"] for row in tables["secrets"].values()]
    return [*keys, *(row["key"] for row in tables["meta"].values() if "key" in row)]


async def test_no_frame_shows_what_a_caller_reads_back(
    demo: Callable[..., LocalDesk], tmp_path: Path
) -> None:
    desk = demo(is_gated=True)
    async with console(desk) as agent:
        with painted(agent) as frames:
            await verify(agent, IMOGEN, "imogen.ng")
            await agent.press(way_of(agent, PUSH))
            await agent.sees("3 tries left")
            code = await code_of(desk, IMOGEN)
            await agent.type(wrong(code))
            await agent.press("enter")
            await agent.sees("2 tries left")
            await agent.type(code)
            await agent.press("enter")
            await agent.sees("PROVEN")
            await agent.press("enter")
            await agent.stands_on_desk()
            await agent.press("5")
            await agent.sees("Verify caller")

    secrets = [code, wrong(code), *keys_on_file(tmp_path)]
    assert len(frames) > 5
    assert [one for one in secrets if any(one in frame for frame in frames)] == []


async def test_a_pass_is_painted_while_it_is_handed_over_and_never_else(
    demo: Callable[..., LocalDesk], tmp_path: Path
) -> None:
    desk = demo(is_gated=False)
    async with console(desk) as agent:
        with painted(agent) as frames:
            await agent.find("ines carvalho", INES)
            await agent.press("p")
            await agent.sees("Temporary pass", "Reason")
            await agent.press("1", "shift+tab")
            await agent.type("4824")
            await agent.confirm()
            await agent.sees("It is shown once")
            assert isinstance(agent.app.screen, HandoverDialog)
            assert agent.app.screen._handover is not None
            secret = agent.app.screen._handover.secret
            await agent.sees(secret)
            await agent.press("enter")
            await agent.stands_on_desk()
            await agent.settles()
            closed = len(frames)
            await agent.press("5")
            await agent.sees("pass")

    assert any(secret in frame for frame in frames[:closed])
    assert not any(secret in frame for frame in frames[closed - 1 :])
    keys = keys_on_file(tmp_path)
    assert [key for key in keys if any(key in frame for frame in frames)] == []
