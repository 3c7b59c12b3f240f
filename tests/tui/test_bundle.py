"""One key writes the case bundle, masked, and never over a file that is there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from helpdesk.service.local import LocalDesk
from tests.labs.djangohelpdesk.line import on
from tests.labs.djangohelpdesk.server import Server
from tests.tui.console import console, login_of

Demo = Callable[..., LocalDesk]
MAYA = "u1"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory the console is started in."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


async def test_one_key_writes_text_and_json_and_says_their_names(demo: Demo, here: Path) -> None:
    async with console(demo()) as agent:
        await agent.find("maya okafor", MAYA)
        await agent.press("b")
        await agent.sees(
            "Written to", "20260504T140500.md", "20260504T140500.json", "140500.case.json", "masked"
        )

    text = (here / "u1-20260504T140500.md").read_text("utf-8")
    data = json.loads((here / "u1-20260504T140500.json").read_text("utf-8"))
    assert "Maya Okafor" in text
    assert "superseded" in text
    assert data["user"] == MAYA
    assert login_of(MAYA) not in text + json.dumps(data)


async def test_the_files_are_their_owners_alone_and_never_written_over(
    demo: Demo, here: Path
) -> None:
    async with console(demo()) as agent:
        await agent.find("maya okafor", MAYA)
        await agent.press("b")
        await agent.sees("Written to")
        files = sorted(here.iterdir())
        before = [file.read_bytes() for file in files]
        await agent.press("b")
        await agent.sees("is there already")

    assert [file.stat().st_mode & 0o777 for file in files] == [0o600] * 3
    assert [file.read_bytes() for file in files] == before


async def test_a_bundle_is_offered_to_the_ticket_that_a_system_keeps(
    demo: Demo, here: Path
) -> None:
    server = Server()
    number = server.file("No code", login_of(MAYA))
    system = on(server)
    async with console(demo("dana", tickets=system)) as agent:
        await agent.find("maya okafor", MAYA)
        await agent.press("b")
        await agent.sees("Put on the ticket", f"becomes a comment on ticket #{number}")
        await agent.press("tab", "enter")
        await agent.sees(f"The case bundle is on ticket #{number} as a comment")
    system.shut()

    assert "# Maya Okafor" in server.comments(number)[-1]
    assert login_of(MAYA) not in server.comments(number)[-1]
    assert len([*here.iterdir()]) == 3


async def test_a_directory_that_cannot_be_written_is_a_sentence(demo: Demo, here: Path) -> None:
    async with console(demo()) as agent:
        await agent.find("maya okafor", MAYA)
        here.rmdir()
        await agent.press("b")

        await agent.sees("cannot be")
        assert agent.app.is_running
