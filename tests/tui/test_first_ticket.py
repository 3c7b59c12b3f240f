"""The first ticket of the README, key by key."""

from __future__ import annotations

from collections.abc import Callable

from helpdesk.domain.search import Query
from helpdesk.service.local import LocalDesk
from tests.readme import README
from tests.tui.console import console

MAYA = "u1"
STEPS = README.read_text("utf-8").partition("## A first ticket")[2].partition("\n## ")[0]


async def test_the_first_ticket_of_the_readme_is_worked_as_it_says(
    demo: Callable[..., LocalDesk],
) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.find("maya okafor", MAYA)
        await agent.sees("Northwind Travel", "superseded by a newer code", "LIVE", "not documented")
        await agent.press("s")
        await agent.sees("not yet another code voids the live one", "Which factor")
        await agent.press("1")
        await agent.loses("Say which factor")
        await agent.press("tab", "enter")
        await agent.sees("A code went to")
        await agent.press("R")
        await agent.sees("Priya Shah", "User Accounts")
        await agent.press("escape")
        await agent.stands_on_desk()
        await agent.press("n")
        await agent.sees("Write the note")
        await agent.type("newest code")
        await agent.loses("Write the note")
        await agent.confirm()
        await agent.stands_on_desk()
        await agent.press("K")
        await agent.sees("Cancel Close ticket")
        await agent.press("tab", "enter")
        await agent.stands_on_desk()
        await agent.press("5")
        await agent.sees("Close ticket")

    acts = [(row.act, row.result.value) for row in (await desk.log(Query(), limit=3)).rows]
    assert acts[::-1] == [
        ("send-code", "done"),
        ("note", "done"),
        ("close-ticket", "done"),
    ]


def test_the_readme_names_the_keys_of_the_first_ticket() -> None:
    for key in ("/", "Enter", "s", "1", "Tab", "R", "Esc", "n", "K", "5"):
        assert f"`{key}`" in STEPS
