"""Whole errands: by keyboard alone, by mouse alone, in every place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from helpdesk.domain.search import Query
from helpdesk.domain.users import MfaState
from helpdesk.service.local import LocalDesk
from helpdesk.tui.palette import Palette
from tests.conftest import Clock
from tests.tui.console import NOW, console, login_of

Demo = Callable[..., LocalDesk]
MAYA, LOCKED, INES, SAKURA, UNREACHED = "u1", "u2", "u4", "u69", "u73"


async def test_typing_nothing_shows_the_queue_and_typing_shows_everybody(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.sees("in your queue", "Maya Okafor", "#4821")

        await agent.press("/")
        await agent.type("priya shah")
        await agent.sees("Priya Shah", "found")
        await agent.press("escape")
        await agent.sees("in your queue")


async def test_resting_on_a_row_opens_the_case_and_leaves_the_focus(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.has_case(MAYA)

        await agent.press("down")
        await agent.until(lambda: agent.case_user not in {"", MAYA}, "another case")

        assert agent.focused == "rows"


async def test_a_wrong_filter_says_so_and_keeps_the_list(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.press("/")
        await agent.type("state:sleepy")

        await agent.sees("state:sleepy: no such state.")
        await agent.press(*["backspace"] * 6)
        await agent.type("locked")
        await agent.loses("no such state")


async def test_filters_find_by_product_and_state(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.press("/")
        await agent.type("product:partner state:locked")

        await agent.sees("Maya Lindqvist", "locked")
        await agent.loses("Northwind")


async def test_sorting_is_written_into_the_search_line(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.press("S")

        await agent.sees("sort:name", "240 found")


async def test_ages_in_a_list_go_on_without_the_desk_being_asked(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    clock.now = NOW
    desk = demo(clock=clock)
    async with console(desk, clock=clock) as agent:
        await agent.press("2")
        await agent.sees("12 min ago")
        await agent.settles()
        assert "32 min ago" not in agent.flat
        asked: list[object] = []
        monkeypatch.setattr(desk, "loops", lambda *given, **_: asked.append(given))

        clock.go_on(minutes=20)

        await agent.sees("32 min ago")
        assert not asked


async def test_a_loop_report_leads_to_its_case(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.press("2")
        await agent.sees("open reports", "Rounds", "Who has it")
        await agent.press("/")
        await agent.type("okafor")
        await agent.sees("1 open report")
        await agent.press("enter")

        await agent.sees("Maya Okafor", "Northwind Travel", "in your queue")
        await agent.has_case(MAYA)


async def test_challenges_and_log_are_lists_of_their_own(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.press("3")
        await agent.sees("in 24 h", "Channel", "State")
        await agent.press("5")
        await agent.sees("entries", "Nothing has been done yet.")
        await agent.press("1")
        await agent.sees("in your queue")


async def test_what_is_done_stands_in_the_log(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.find("okafor", MAYA)
        await agent.press("n")
        await agent.sees("Write the note.")
        await agent.type("Called back")
        await agent.confirm()
        await agent.sees("Note: Called back")
        await agent.press("5")

        await agent.sees("✓ done", "dana", "1 entry")


async def test_a_number_on_file_that_no_sms_reaches_is_asked_for_once(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.find(login_of(UNREACHED), UNREACHED)

        await agent.press("O")

        await agent.sees("Give a valid mobile number first, with its country: +44 …")
        assert len(agent.app.screen.query("#field-mobile")) == 1


async def test_turning_on_takes_the_number_first_and_save_as_its_own_step(demo: Demo) -> None:
    desk = demo()
    page = await desk.find(Query(product=("sms-2fa",)), limit=100)
    cases = [await desk.case(row.id) for row in page.rows]
    off = next(c.user.id for c in cases if c.user.mfa is MfaState.OFF and not c.user.flagged)
    async with console(desk) as agent:
        await agent.find(login_of(off), off)
        await agent.press("O")
        await agent.sees("Turn MFA on", "Mobile number")
        await agent.press("shift+tab")
        await agent.type("+447700900999")
        await agent.loses("Give a valid mobile number")
        await agent.confirm()
        await agent.sees("An SMS went to", "Save", "The login by password alone.")
        assert (await desk.case(off)).user.mfa is not MfaState.ON

        await agent.press("tab", "enter")
        await agent.sees("Saved: MFA is on.")

    assert (await desk.case(off)).user.mfa is MfaState.ON


async def test_revealing_shows_personal_data_until_the_user_is_left(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.find("okafor", MAYA)
        await agent.sees("m•••@northwind.example")

        await agent.press("x")
        await agent.sees("maya.okafor@northwind.example", "REVEALED")
        await agent.find("lindqvist", "u2")
        await agent.find("okafor", MAYA)
        await agent.sees("m•••@northwind.example")

    assert (await desk.log(Query(), limit=1)).rows[0].act == "reveal"


async def test_a_ticket_is_taken_with_one_key(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.find("ines carvalho", INES)

        await agent.press("k")
        await agent.sees("Ticket #4824 is yours.", "with dana")


async def test_an_act_that_needs_a_ticket_offers_to_open_one(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.find(login_of(SAKURA), SAKURA)
        await agent.press("R")
        await agent.sees("Open a ticket", "needs a ticket, and this user has none open")
        await agent.type("Lost the phone")
        await agent.confirm()

        await agent.sees("Reset all factors", "Prove the caller first, over two different")
        await agent.press("escape")
        await agent.stands_on_desk()

    assert (await desk.case(SAKURA)).open_tickets[0].subject == "Lost the phone"


async def test_the_palette_runs_an_act_and_says_why_another_is_refused(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.find("okafor", MAYA)
        await agent.press("ctrl+p")
        await agent.type("reset all")
        await agent.sees("Only an administrator of Lead Gen & CRM")
        assert "Screenshot" not in agent.text

        await agent.press("enter")
        await agent.sees("Reset all factors: no")


async def test_the_mouse_alone_finds_acts_and_comes_back(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.click("Maya Lindqvist")
        await agent.has_case("u2")
        await agent.click("✓ Unlock")
        await agent.sees("The lock and the count of failures.")
        await agent.press_button("Unlock")
        await agent.until(lambda: "Unlocked" in agent.flat, "the unlocking")
        await agent.click("2 Loops")
        await agent.sees("open reports")
        await agent.click("? Help")
        await agent.sees("Keys of the loop reports")
        await agent.click("Close")
        await agent.click("1 Desk")
        await agent.sees("in your queue")

    assert (await desk.case("u2")).user.locked_until is None


async def test_every_act_can_be_begun_by_mouse(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.has_case(MAYA)
        await agent.click("✓ Flag")

        await agent.sees("Codes that nobody asked for")
        await agent.click("Codes that nobody asked for")
        await agent.loses("Say what looks wrong.")
        await agent.press_button("Flag")
        await agent.sees("FLAGGED: Codes that nobody asked for")


async def test_themes_follow_each_other_by_one_key(demo: Demo) -> None:
    async with console(demo()) as agent:
        seen = [agent.app.theme]
        for _ in range(4):
            await agent.press("T")
            seen.append(agent.app.theme)

        assert seen == ["dark", "light", "high-contrast", "monochrome", "dark"]


async def test_the_card_shows_rules_and_their_source(demo: Demo) -> None:
    async with console(demo(), size=(130, 60)) as agent:
        await agent.has_case(MAYA)
        await agent.press("c")

        await agent.sees("Constant Contact Lead Gen & CRM", "not documented", "S4.19", ".txt")


async def test_an_account_managers_queue_is_the_requests_to_turn_off(demo: Demo) -> None:
    async with console(demo("account-manager")) as agent:
        await agent.sees("to turn off", "Mayank Rao")

        assert "lost factor" not in agent.text


@pytest.mark.parametrize("width", [80, 130])
async def test_a_desk_that_proves_nobody_says_so_in_its_header(demo: Demo, width: int) -> None:
    async with console(demo(is_gated=False), size=(width, 34)) as agent:
        await agent.sees("CALLERS NOT PROVEN")
    async with console(demo(), size=(width, 34)) as agent:
        await agent.sees("DEMO DATA")
        assert "CALLERS NOT PROVEN" not in agent.flat


async def test_quitting_ends_well(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.press("ctrl+q")
        await agent.pilot.pause()

        assert agent.app.return_code == 0


async def test_a_case_opened_from_a_report_is_not_taken_away_by_the_list(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.has_case(MAYA)
        await agent.press("2")
        await agent.sees("Rounds")
        await agent.press("/")
        await agent.type(login_of("u5"))
        await agent.sees("1 open report")
        await agent.press("enter")

        await agent.has_case("u5")
        await agent.settles()
        assert agent.case_user == "u5"


async def test_an_idle_console_draws_nothing(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.find("priya shah", "u6")
        await agent.settles()
        drawn: list[object] = []
        show = agent.app._display

        def note(*parts: Any) -> None:
            drawn.append(parts)
            show(*parts)

        agent.app._display = note  # type: ignore[method-assign,assignment]

        await asyncio.sleep(2.2)

        assert not drawn
        await agent.press("T")
        await agent.settles()
        assert drawn


async def test_a_lock_counts_down_and_is_gone_once_it_is_over(demo: Demo) -> None:
    clock = Clock()
    clock.now = NOW
    async with console(demo(clock=clock), clock=clock, size=(160, 45)) as agent:
        await agent.find(login_of(LOCKED), LOCKED)
        await agent.sees("LOCKED until 14:40, 35:30 more")

        clock.go_on(minutes=10)
        await agent.sees("LOCKED until 14:40, 25:30 more")
        clock.go_on(minutes=26)

        await agent.loses("LOCKED until")


async def test_how_long_ago_things_were_goes_on_while_nothing_counts_down(demo: Demo) -> None:
    clock = Clock()
    clock.now = NOW
    async with console(demo(clock=clock), clock=clock, size=(160, 45)) as agent:
        await agent.find("okafor", MAYA)
        await agent.sees("#4821 loop · 14 min", "LOOP ×6 in 1 min, 12 min ago")

        clock.go_on(minutes=20)

        await agent.sees("#4821 loop · 34 min", "LOOP ×6 in 1 min, 32 min ago")


async def test_letters_typed_in_one_go_with_find_are_searched_for(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.has_case(MAYA)
        await agent.type("/ines carvalho")

        await agent.sees("/ ines carvalho", "1 found")
        await agent.type(" a/b")
        await agent.sees("/ ines carvalho a/b")


async def test_without_colour_everything_is_told_by_words_glyphs_and_weight(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(demo()) as agent:
        await agent.has_case(MAYA)
        await agent.sees("● Maya Okafor", "LIVE", "✓ Send", "✗ Reset all", "– Resume", "DEMO DATA")

        strips = agent.app.screen._compositor.render_strips()
        styles = [segment.style for strip in strips for segment in strip if segment.style]
        colours = {colour for s in styles for colour in (s.color, s.bgcolor) if colour}
        assert {colour.name for colour in colours} <= {"default"}
        assert any(style.reverse for style in styles)


async def test_a_palette_that_is_closed_while_it_fills_breaks_nothing(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.has_case("u1")
        await agent.press("ctrl+p")
        await agent.until(lambda: isinstance(agent.app.screen, Palette), "the palette")
        palette = agent.app.screen
        assert isinstance(palette, Palette)
        await agent.press("escape")
        await agent.stands_on_desk()

        palette._gather_commands("reset")

        await agent.settles()
        assert agent.app._exception is None
