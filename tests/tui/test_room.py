"""Little room, and a mouse: what matters stays, what is cut says so, one click shows it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from textual import events
from textual.widgets import OptionList

from helpdesk.domain.diagnosis.verdicts import (
    Evidence,
    Question,
    RankedCause,
    Reply,
    Strength,
    Verdict,
)
from helpdesk.domain.search import Query
from helpdesk.domain.timeline import Send
from helpdesk.service.local import LocalDesk
from helpdesk.tui.dialogs.pages import PageDialog
from helpdesk.tui.keys import Where, keys_of
from tests.tui.console import Console, console
from tests.tui.test_why import Telling, why_of

Demo = Callable[..., LocalDesk]
MAYA, INES, SAKURA = "u1", "u4", "u69"
SIZES = [(80, 24), (100, 30), (130, 34), (200, 60)]
WEAK = [
    RankedCause(id=name, title="a weaker cause", p=0.05, strength=Strength.WEAK)
    for name in ("C3", "C2")
]
TOP = RankedCause(
    id="D2",
    title="superseded by a newer code",
    p=0.9,
    strength=Strength.STRONG,
    evidence=(Evidence(says="refused as superseded", weight=3.0),),
)
FULL = Verdict(
    causes=(TOP, *WEAK),
    ask=Question(
        pair="D2/C3",
        text="Is there a later message on the phone, and when did it come in?",
        lacks="",
        replies=(Reply(id="a", text="yes"),),
    ),
    say="Use only the newest message. " + "Delete all of the others, one after the other. " * 3,
    act_says="Show which code is live; send no other, however long the caller asks you to do so.",
)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(
    "verdict",
    [FULL, replace(FULL, ask=None), replace(FULL, nothing_is_broken=True)],
    ids=["asks", "says", "by-design"],
)
async def test_what_to_ask_do_and_say_wins_over_weaker_causes(
    demo: Demo, size: tuple[int, int], verdict: Verdict
) -> None:
    desk = Telling(demo())
    desk.instead = verdict
    async with console(desk, size=size) as agent:  # type: ignore[arg-type]
        await agent.find("okafor", MAYA)
        await agent.sees("superseded by a newer code")
        await agent.settles()

        told = why_of(agent)
        assert "Say y copy Use only" in told
        assert "Do Show which code" in told
        assert "Ask q reply Is there" in told or verdict.ask is None
        is_whole = "one after the other. Delete all of the others, one after" in told
        assert is_whole or "a weaker cause" not in told


@pytest.mark.parametrize("how", ["key", "mouse"])
async def test_what_is_cut_says_so_and_is_shown_whole(demo: Demo, how: str) -> None:
    desk = Telling(demo())
    desk.instead = FULL
    async with console(desk, size=(80, 24)) as agent:  # type: ignore[arg-type]
        await agent.find("okafor", MAYA)
        await agent.sees("Why … more M", "Say y copy")
        assert "a weaker cause" not in agent.flat

        await (agent.press("M") if how == "key" else agent.click("… more M"))

        await agent.until(lambda: isinstance(agent.app.screen, PageDialog), "the page")
        await agent.sees("C3 a weaker cause", "refused as superseded", "asks you to do so.")
        await agent.press("q")
        await agent.sees("Ask the caller")


async def test_where_all_is_shown_nothing_says_more(demo: Demo) -> None:
    desk = Telling(demo())
    desk.instead = Verdict(causes=(TOP,), say="Wait.")
    async with console(desk, size=(200, 60)) as agent:  # type: ignore[arg-type]
        await agent.find("okafor", MAYA)
        await agent.sees("Say y copy Wait.")
        await agent.settles()

        assert "more M" not in agent.flat


async def test_a_hostile_case_says_what_to_do_in_few_lines_too(demo: Demo) -> None:
    top = replace(TOP, id="F1", title="codes nobody asked for: somebody has the password " * 2)
    desk = Telling(demo())
    desk.instead = Verdict(
        causes=(top, *WEAK), say="Change it now. " * 9, act_says="End them.", is_hostile=True
    )
    async with console(desk, size=(100, 30)) as agent:  # type: ignore[arg-type]
        await agent.find("okafor", MAYA)
        await agent.sees("■ STOP", "✓ Sessions", "Say y copy Change it now.")


@pytest.mark.parametrize("how", ["key", "mouse"])
async def test_what_hits_many_can_be_read_to_its_end(demo: Demo, how: str) -> None:
    desk = demo()
    title = "a stale cookie after a release"
    async with console(desk, size=(80, 24)) as agent:
        await agent.press("2")
        await agent.sees("are sent in circles", "… more M")
        assert title not in agent.flat

        await (agent.press("M") if how == "key" else agent.click("are sent in circles"))

        await agent.sees("What hits many users at once", title)


@pytest.mark.parametrize(
    ("size", "name"), [((60, 15), "DW"), ((80, 24), "Dana"), ((100, 30), "Dana Whitfield")], ids=str
)
async def test_the_header_names_the_agent(demo: Demo, size: tuple[int, int], name: str) -> None:
    async with console(demo(), size=size) as agent:
        await agent.until(lambda: agent.lines[0].rstrip().endswith(f" {name}"), name)

        assert "DEMO DATA" in agent.lines[0]


async def test_revealing_from_the_list_opens_the_case_it_stands_in(demo: Demo) -> None:
    async with console(demo(), size=(80, 24)) as agent:
        await agent.sees("in your queue")
        await agent.has_case(MAYA)

        await agent.press("x")

        await agent.sees("maya.okafor@northwind.example", "REVEALED")
        await agent.press("escape")
        await agent.sees("in your queue")


async def wheel(agent: Console, widget: str, text: str) -> None:
    """Turn the wheel over a widget until a text can be read."""
    for _ in range(30):
        if text in agent.text:
            return
        await agent.pilot._post_mouse_events([events.MouseScrollDown], widget)
        await agent.settles()
    raise AssertionError(f"never came into sight: {text}\n{agent.text}")


async def find_by_mouse(agent: Console, words: str, name: str, user: str) -> None:
    """Click into the search, type, and click the row."""
    await agent.click("/ Find")
    await agent.until(lambda: agent.focused == "search", "the search")
    await agent.type(words)
    await agent.sees("1 found")
    await agent.click(name)
    await agent.has_case(user)


async def test_the_mouse_finds_sends_and_comes_back(demo: Demo) -> None:
    desk = demo()
    async with console(desk, size=(80, 24)) as agent:
        await find_by_mouse(agent, "ines carvalho", "Inês", INES)
        await agent.click("✓ Send")
        await agent.sees("Send code", "Which factor")
        await wheel(agent, "#body", "○ Text message")
        await agent.click("○ Text message")
        await agent.press_button("Send code")
        await agent.sees("A code went to")
        await agent.click("Esc Back")
        await agent.sees("1 found")

    sends = [event for event in (await desk.case(INES)).timeline if isinstance(event, Send)]
    assert sends[-1].channel == "sms"
    assert agent.strokes == 0


async def test_the_mouse_proves_a_caller_and_resets(demo: Demo) -> None:
    desk = demo()
    async with console(desk, size=(80, 24)) as agent:
        name = (await desk.case(SAKURA)).user.name
        await find_by_mouse(agent, "sakura.takahashi", name[:3], SAKURA)
        await agent.click("r ✓ Reset")
        await agent.sees("needs a ticket")
        await agent.type("lost her phone")
        await agent.press_button("Open a ticket")
        await agent.sees("Reset one factor", "Prove the caller first")
        await wheel(agent, "#body", "1 ○")
        await agent.click("1 ○")
        await wheel(agent, "#body", "○ Phone lost")
        await agent.click("○ Phone lost")
        await agent.settles()
        await agent.press_button("Verify the caller")
        await agent.sees("a code read back")
        await agent.click("a code read back")
        await agent.sees("the caller reads back")
        await agent.press_button("Demo telephone")
        code = [one for one in await desk.phone(SAKURA) if one.says][-1].secret
        await agent.sees(f"{code[:3]} {code[3:]}")
        await agent.press_button("Close")
        await agent.sees("the caller reads back")
        await agent.pilot.click("#answer")
        await agent.type(code)
        await agent.press_button("Check")
        await agent.sees("PROVEN by a code read back")
        await agent.press_button("Done")
        await agent.loses("Prove the caller first")
        await agent.type((await desk.case(SAKURA)).open_tickets[0].id[-4:])
        await agent.press_button("Reset one factor")
        await agent.sees("Reset: ")

    assert (await desk.log(Query(), limit=1)).rows[0].act == "reset-factor"
    assert agent.strokes == 0


async def test_every_key_of_a_place_is_a_line_of_the_palette_that_can_be_clicked(
    demo: Demo,
) -> None:
    async with console(demo(), size=(80, 24)) as agent:
        await agent.find("okafor", MAYA)
        await agent.click("^p Palette")
        keys = [key for key in keys_of(Where.DESK) if key.does != "palette"]
        listed = agent.app.screen.query_one(OptionList)
        await agent.until(lambda: listed.option_count == len(keys), "all keys")

        await wheel(agent, "CommandList", "Show the product's card")
        await agent.click("Show the product's card")

        await agent.sees("Constant Contact Lead Gen & CRM", "checked on")


@pytest.mark.parametrize("place", ["2 Loops", "3 Challenges", "4 Approvals", "5 Log"])
async def test_every_place_is_reached_and_left_by_mouse(demo: Demo, place: str) -> None:
    async with console(demo(), size=(80, 24)) as agent:
        await agent.sees("2 Loops¹⁹", "in your queue")
        await agent.settles()
        await agent.click(place)
        await agent.loses("in your queue")
        await agent.settles()

        await agent.click("1 Desk")

        await agent.sees("in your queue")
