"""Where Enter goes in a dialog: on to the act, never to what throws work away, never too soon."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.style import Style
from textual.color import Color
from textual.widgets import Button

from helpdesk.domain.proofs import Method
from helpdesk.domain.search import Query
from helpdesk.service.local import LocalDesk
from helpdesk.tui.dialogs.act import ActDialog
from helpdesk.tui.dialogs.guarded import Dialog
from helpdesk.tui.dialogs.pages import HandoverDialog
from helpdesk.tui.themes import NAMES
from tests.proving import prove
from tests.tui.console import Console, console, hears_now

Demo = Callable[..., LocalDesk]
MAYA, IMOGEN, TICKET = "u1", "u84", "4841"
SIZES = [(60, 15), (80, 24), (100, 30), (130, 34), (200, 60)]


async def proven(desk: LocalDesk) -> LocalDesk:
    """Prove Imogen over two channels, enough for any act on her."""
    await prove(desk, IMOGEN, Method.PUSH, TICKET)
    await prove(desk, IMOGEN, Method.CALL_BACK, TICKET)
    return desk


async def reset_all_of_imogen(agent: Console) -> None:
    """Open the box that resets all factors, and stand in its last field."""
    await agent.find("imogen.ng", IMOGEN)
    await agent.press("R")
    await agent.sees("Reset all factors")
    await agent.until(lambda: isinstance(agent.app.screen, ActDialog), "the dialog")
    agent.app.screen.query_one("#field-word").focus()


async def enrol_for_imogen(agent: Console) -> None:
    """Enrol an authenticator, up to the picture."""
    await agent.find("imogen.ng", IMOGEN)
    await agent.press("t")
    await agent.sees("Enrol authenticator", "Reason")
    await agent.press("1", "shift+tab")
    await agent.type(TICKET)
    await agent.confirm()
    await agent.sees("It is shown once")


async def test_enter_in_the_last_field_goes_to_the_act_and_confirms_nothing(demo: Demo) -> None:
    desk = await proven(demo())
    async with console(desk) as agent:
        await reset_all_of_imogen(agent)
        agent.app.screen.query_one("#cancel").focus()
        await agent.press("1")
        agent.app.screen.query_one("#field-word").focus()
        await agent.type(TICKET)

        await agent.press("enter")

        await agent.until(lambda: agent.focused == "do", "the focus on the act")
        assert isinstance(agent.app.screen, ActDialog)
    assert "reset-all" not in [row.act for row in (await desk.log(Query())).rows]


async def test_enter_in_the_last_field_goes_to_what_is_still_missing(demo: Demo) -> None:
    desk = await proven(demo())
    async with console(desk) as agent:
        await reset_all_of_imogen(agent)
        await agent.type(TICKET)

        await agent.press("enter")
        await agent.until(lambda: agent.focused == "choice-reason", "the focus on the reason")
        await agent.press("1", "enter")
        await agent.until(lambda: agent.focused == "do", "the focus on the act")

        assert isinstance(agent.app.screen, ActDialog)


async def test_enter_stays_in_a_last_field_that_is_wrong(demo: Demo) -> None:
    async with console(demo()) as agent:
        await reset_all_of_imogen(agent)
        await agent.type("0000")
        agent.app.screen.query_one("#choice-reason").focus()
        await agent.press("1")
        agent.app.screen.query_one("#field-word").focus()

        await agent.press("enter", "enter")
        await agent.settles()

        assert isinstance(agent.app.screen, ActDialog)
        assert agent.focused == "field-word"


async def test_where_proof_is_missing_enter_goes_to_the_proof(demo: Demo) -> None:
    async with console(demo()) as agent:
        await reset_all_of_imogen(agent)
        await agent.type(TICKET)
        await agent.press("enter")
        await agent.until(lambda: agent.focused == "choice-reason", "the focus on the reason")

        await agent.press("1", "enter")

        await agent.until(lambda: agent.focused == "verify", "the focus on the proof")


@pytest.mark.usefixtures("deaf_for_ages")
async def test_enter_held_down_in_the_last_field_does_not_confirm(demo: Demo) -> None:
    desk = await proven(demo())
    async with console(desk) as agent:
        await agent.find("imogen.ng", IMOGEN)
        await agent.press("R")
        await agent.until(lambda: isinstance(agent.app.screen, ActDialog), "the dialog")
        dialog = agent.app.screen
        assert isinstance(dialog, ActDialog)
        hears_now(dialog)
        await agent.press("1")
        dialog.query_one("#field-word").focus()
        await agent.type(TICKET)
        button = dialog.query_one("#do", Button)
        await agent.until(lambda: not button.disabled, "the button")

        until = []
        for _ in range(4):
            await agent.press("enter")
            until.append(dialog._presses_at)

        assert until == sorted(set(until))  # each key that is repeated puts it off
        assert agent.focused == "do"
        assert agent.app.screen is dialog
        assert "reset-all" not in [row.act for row in (await desk.log(Query())).rows]
        hears_now(dialog)
        await agent.press("enter")
        await agent.sees("2 factors are reset")


async def led_to_the_act(agent: Console) -> Button:
    """Give the act's button of a box filled in, to which Enter led."""
    await reset_all_of_imogen(agent)
    dialog = agent.app.screen
    hears_now(dialog)
    dialog.query_one("#cancel").focus()
    await agent.press("1")
    dialog.query_one("#field-word").focus()
    await agent.type(TICKET)
    await agent.press("enter")
    await agent.until(lambda: agent.focused == "do", "the focus on the act")
    await agent.settles()
    return dialog.query_one("#do", Button)


@pytest.mark.usefixtures("deaf_for_ages")
@pytest.mark.parametrize("is_plain", [False, True], ids=["", "NO_COLOR"])
@pytest.mark.parametrize("theme", NAMES)
async def test_a_button_looks_deaf_as_long_as_it_does_not_hear_enter(
    demo: Demo, theme: str, is_plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither as at rest nor as ready, and its words stand out from their ground."""
    if is_plain:
        monkeypatch.setenv("NO_COLOR", "1")
    async with console(await proven(demo()), theme=theme) as agent:
        button = await led_to_the_act(agent)

        deaf = drawn(agent, button)
        button.remove_class("-deaf")
        await agent.settles()
        ready = drawn(agent, button)
        agent.app.screen.query_one("#cancel").focus()
        await agent.settles()
        rest = drawn(agent, button)

        assert len({str(look) for look in (deaf, ready, rest)}) == 3
        if not is_plain:
            assert deaf.color is not None
            assert deaf.bgcolor is not None
            assert contrast(deaf) >= 4.5


@pytest.mark.usefixtures("guarded")
async def test_a_button_that_hears_looks_ready(demo: Demo) -> None:
    async with console(await proven(demo())) as agent:
        button = await led_to_the_act(agent)

        await agent.until(lambda: not button.has_class("-deaf"), "the button that looks ready")

        assert isinstance(agent.app.screen, ActDialog)
        assert not agent.app.screen.is_led


def drawn(agent: Console, button: Button) -> Style:
    """Give the look of a button's first letter as it is painted."""
    region = button.region
    line = agent.app.screen._compositor.render_strips()[region.y].crop(region.x, region.right)
    return next(one.style for one in line if one.text.strip() and one.style)


def contrast(look: Style) -> float:
    """Give how far letters stand out from their ground: 1 not at all, 21 black on white."""
    assert look.color is not None
    assert look.bgcolor is not None
    colours = (Color.from_rich_color(look.color), Color.from_rich_color(look.bgcolor))
    low, high = sorted(map(luminance, colours))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: Color) -> float:
    """Give how bright a colour is, as WCAG counts it: 0 to 1."""
    parts = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized)
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


async def test_the_first_code_goes_into_its_field_at_once(demo: Demo) -> None:
    async with console(await proven(demo()), size=(200, 60)) as agent:
        await enrol_for_imogen(agent)
        await agent.press("enter")
        await agent.sees("Type the first code")

        await agent.type("12")

        assert agent.focused == "field-code"
        await agent.sees("12")


async def test_an_app_whose_first_code_is_not_given_is_not_lost_silently(demo: Demo) -> None:
    async with console(await proven(demo()), size=(200, 60)) as agent:
        await enrol_for_imogen(agent)
        await agent.press("enter")
        await agent.sees("Type the first code")

        await agent.press("escape")

        await agent.sees("The new app is not enrolled", "Press t to begin anew")


async def test_no_notice_lies_on_the_picture_and_none_is_lost(demo: Demo) -> None:
    async with console(await proven(demo()), size=(80, 24)) as agent:
        await enrol_for_imogen(agent)
        before = agent.text

        agent.app.notify("greta agreed to Turn MFA off", title=MAYA, markup=False)
        await agent.settles()

        assert isinstance(agent.app.screen, HandoverDialog)
        assert agent.text == before
        await agent.press("enter")
        await agent.sees("greta agreed to Turn MFA off", "Enrol authenticator:")


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("is_gated", [False, True], ids=["", "gated"])
async def test_needs_of_many_lines_push_no_button_out_of_sight(
    demo: Demo, size: tuple[int, int], is_gated: bool
) -> None:
    async with console(demo(is_gated=is_gated), size=size) as agent:
        await agent.find("imogen.ng", IMOGEN)
        await agent.press("r")
        await agent.sees("needs ")
        await agent.press("1")
        await agent.settles()

        last = agent.lines[agent.app.screen.query_one("#box").region.bottom - 2]
        assert "Cancel" in last
        assert "Ask a colleague" in last or "Reset one factor" in last
        assert agent.app.screen.query_one("#body").region.height >= 2


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_all_that_an_act_needs_is_named_each_on_its_own_line(
    demo: Demo, size: tuple[int, int]
) -> None:
    """Where they do not all fit the keys that scroll a dialog come to the rest."""
    async with console(demo(), size=size) as agent:
        await agent.find("imogen.ng", IMOGEN)
        await agent.press("R")
        await agent.sees("needs Prove the caller")
        await agent.settles()

        shown = agent.lines
        if size[1] < 24:
            await agent.press("pagedown", "pagedown", "pagedown")
            await agent.settles()
            shown += agent.lines

        rows = [" ".join(line.strip("│ ╭╮").split()) for line in shown]
        for need in ("Prove the caller", "Give the reason.", "Type the last four"):
            assert any(need in row for row in rows), "\n".join(shown)
        assert not any("Give the reason" in row and "Prove" in row for row in rows)
        assert "more)" not in "".join(rows)
        assert "Cancel" in agent.lines[agent.app.screen.query_one("#box").region.bottom - 2]


async def test_a_day_is_asked_for_in_words(demo: Demo) -> None:
    async with console(demo("account-manager"), size=(80, 24)) as agent:
        await agent.find("mayank.rao", "u3")
        await agent.press("o")
        await agent.sees("Turn MFA off")

        agent.app.screen.query_one("#field-until").scroll_visible(animate=False)

        await agent.sees("year-month-day, or nothing")


async def test_the_box_that_closes_a_ticket_names_it(demo: Demo) -> None:
    desk = demo()
    ticket = (await desk.case(MAYA)).open_tickets[0]
    async with console(desk, size=(80, 24)) as agent:
        await agent.find("okafor", MAYA)
        await agent.press("K")

        await agent.sees("Close ticket", f"closes #{ticket.id.lstrip('#')} {ticket.subject}")
        assert isinstance(agent.app.screen, Dialog)
