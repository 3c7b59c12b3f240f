"""Dialogs: nothing typed ahead, repeated, clicked by chance or answered late decides anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events

from helpdesk.domain.actions import SendCode
from helpdesk.domain.proofs import Method
from helpdesk.domain.search import Query
from helpdesk.service.local import LocalDesk
from helpdesk.tui.dialogs.act import ActDialog
from helpdesk.tui.dialogs.guarded import Dialog
from helpdesk.tui.dialogs.pages import HandoverDialog
from helpdesk.tui.render.qr import qr_lines, shortened
from helpdesk.tui.screens.desk import DeskScreen
from helpdesk.tui.screens.lists import LoopsScreen
from tests.proving import prove
from tests.tui.console import NOW, Console, Slow, console, hears_now, login_of

Demo = Callable[..., LocalDesk]
MAYA, LINDQVIST, INES, IMOGEN = "u1", "u2", "u4", "u84"
TICKET = "4841"


async def reset_all_of_ines(agent: Console) -> None:
    """Open the dialog that resets all factors."""
    await agent.find("ines carvalho", INES)
    await agent.press("R")
    await agent.sees("Reset all factors", "Reason")


async def open_as_proven(agent: Console, desk: LocalDesk, key: str, title: str) -> None:
    """Prove Imogen over two channels, and open the dialog of an act on her."""
    await prove(desk, IMOGEN, Method.PUSH, TICKET)
    await prove(desk, IMOGEN, Method.CALL_BACK, TICKET)
    await agent.find("imogen.ng", IMOGEN)
    await agent.press(key)
    await agent.sees(title, "Reason")


@pytest.mark.usefixtures("deaf_for_ages")
async def test_keys_and_clicks_within_the_first_eight_tenths_do_nothing(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.has_case(MAYA)
        await agent.press("e")
        await agent.until(lambda: isinstance(agent.app.screen, ActDialog), "the dialog")
        dialog = agent.app.screen
        assert isinstance(dialog, ActDialog)

        await agent.press("tab", "enter", "escape", "enter")
        await agent.pilot.click("#cancel")
        await agent.pilot.click("#do")

        assert dialog.is_deaf
        assert agent.app.screen is dialog
        hears_now(dialog)
        await agent.press("escape")
        await agent.stands_on_desk()

    assert (await desk.log(Query())).total == 0


@pytest.mark.usefixtures("deaf_for_ages")
async def test_a_key_held_down_keeps_the_dialog_deaf(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.has_case(MAYA)
        await agent.press("e")
        await agent.until(lambda: isinstance(agent.app.screen, ActDialog), "the dialog")
        dialog = agent.app.screen
        assert isinstance(dialog, ActDialog)

        until: list[float] = []
        for _ in range(3):
            assert dialog._hears_at is not None
            until.append(dialog._hears_at)
            await agent.press("enter")

        assert until == sorted(set(until))  # each key that is repeated puts it off
        assert dialog.is_deaf
        assert agent.app.screen is dialog


async def test_the_focus_stands_on_cancel_and_enter_there_does_nothing(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.has_case(MAYA)
        await agent.press("e")
        await agent.sees("Open sessions")
        assert agent.focused == "cancel"

        await agent.press("enter")
        await agent.stands_on_desk()

    assert (await desk.log(Query())).total == 0


async def test_a_click_beside_the_dialog_leaves_it_open(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.has_case(MAYA)
        await agent.press("e")
        await agent.sees("Open sessions")

        await agent.pilot.click(offset=(1, 1))
        await agent.pilot.pause()

        assert isinstance(agent.app.screen, ActDialog)


async def test_a_dialog_names_the_user_by_id_address_and_account(demo: Demo) -> None:
    async with console(demo()) as agent:
        await reset_all_of_ines(agent)

        await agent.sees("u4 · i•••@saltmarsh.example · Saltmarsh Theatre")


async def test_a_dialog_says_what_goes_what_stays_who_is_signed_out_and_who_is_told(
    demo: Demo,
) -> None:
    async with console(demo(), size=(130, 40)) as agent:
        await reset_all_of_ines(agent)

        await agent.sees(
            "first Send the article", "goes Push by Okta Verify", "stays Password and account data",
            "sessions Open sessions stay", " told ", "then The customer chooses",
            "rule S2.1", "002_91c66129d73cdd39.txt",
        )  # fmt: skip


async def test_the_button_waits_for_reason_and_the_end_of_the_ticket(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await open_as_proven(agent, desk, "R", "Reset all factors")
        button = agent.app.screen.query_one("#do")
        assert button.disabled

        await agent.press("2")
        await agent.loses("Give the reason")
        assert button.disabled
        await agent.press("shift+tab")
        await agent.type("484")
        await agent.sees("Type the last four characters of the ticket.")
        assert button.disabled
        await agent.type("1")
        await agent.until(lambda: not button.disabled, "the button")


async def test_own_words_stand_before_a_chosen_reason(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await open_as_proven(agent, desk, "R", "Reset all factors")
        await agent.press("1", "shift+tab", "shift+tab")
        await agent.type("Dropped in a lake")
        await agent.press("enter")
        await agent.type(TICKET)
        await agent.confirm()
        await agent.sees("2 factors are reset")

    assert (await desk.log(Query())).rows[0].reason == "Dropped in a lake"


async def test_a_refusal_gives_why_instead_steps_rules_and_the_route_by_one_key(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.find("okafor", MAYA)
        await agent.press("R")
        await agent.sees(
            "Reset all factors: no", "Only an administrator", "Priya Shah",
            "1. Click Settings", "5. Click the red Reset button", "S4.16",
        )  # fmt: skip

        await agent.press("w")
        await agent.sees("To whom", "Route")
        await agent.press("tab", "enter")
        await agent.sees("Handed to")

    assert (await desk.log(Query())).rows[0].act == "route"


async def test_a_refusal_is_copied_only_when_asked(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.find("okafor", MAYA)
        await agent.press("R")
        await agent.sees("Reset all factors: no")
        assert agent.app.clipboard == ""

        await agent.press("y")

        assert "Only an administrator" in agent.app.clipboard


async def test_all_reasons_are_one_key_away_and_lead_to_the_act(demo: Demo) -> None:
    async with console(demo(), size=(130, 60)) as agent:
        await agent.find("okafor", MAYA)
        await agent.press("i")
        await agent.sees(
            "Reset one factor", "Only an administrator", "S4.14", "May be done as it is."
        )

        await agent.press("R")
        await agent.sees("Reset all factors: no")


async def test_a_pass_is_shown_once_and_is_nowhere_afterwards(demo: Demo, tmp_path: Path) -> None:
    desk = demo()
    async with console(desk) as agent:
        await open_as_proven(agent, desk, "p", "Temporary pass")
        await agent.press("1", "shift+tab")
        await agent.type(TICKET)
        await agent.confirm()
        await agent.sees("It is shown once")
        dialog = agent.app.screen
        assert isinstance(dialog, HandoverDialog)
        assert dialog._handover is not None
        secret = dialog._handover.secret
        await agent.sees(secret)

        await agent.press("enter")
        await agent.stands_on_desk()
        await agent.settles()

        assert secret not in agent.text
        assert agent.app.clipboard == ""
        assert dialog._handover is None
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("demo.json*"))
    assert secret.encode() not in kept


async def test_a_lost_factor_is_chosen_beside_the_reason_and_said_to_be_disabled(
    demo: Demo,
) -> None:
    desk = demo()
    async with console(desk, size=(130, 50)) as agent:
        await open_as_proven(agent, desk, "p", "Temporary pass")
        await agent.sees("What is lost", "Nothing is lost: it is only out of reach today")
        await agent.press("2", "shift+tab", "shift+tab")
        await agent.until(lambda: agent.focused == "choice-lost", "the choice of what is lost")
        await agent.press("2")
        await agent.sees("is disabled: it lets nobody in until it is resumed")
        await agent.sees("A password takes its place until 2026-05-07")


async def test_an_authenticator_is_shown_as_a_picture_and_its_first_code_is_checked(
    demo: Demo,
) -> None:
    desk = demo()
    async with console(desk, size=(80, 24)) as agent:
        await open_as_proven(agent, desk, "t", "Enrol authenticator")
        await agent.press("1", "shift+tab")
        await agent.type(TICKET)
        await agent.confirm()
        await agent.sees("Authenticator key", "█▀▀▀▀▀█")
        await agent.press("enter")
        await agent.sees("First code", "Type the first code the customer reads out.")
        await agent.type("000000")
        await agent.confirm()

        await agent.sees("That code does not fit the new entry.")
        assert isinstance(agent.app.screen, Dialog)


async def test_a_picture_that_does_not_fit_says_how_wide_it_must_be(demo: Demo) -> None:
    desk = demo()
    async with console(desk, size=(70, 24)) as agent:
        await open_as_proven(agent, desk, "t", "Enrol authenticator")
        await agent.press("1", "shift+tab")
        await agent.type(TICKET)
        await agent.confirm()

        await agent.sees("Make the window", "or larger to see the picture.")
        assert "█▀▀▀▀▀█" not in agent.text


def test_the_picture_has_a_quiet_zone_on_every_side() -> None:
    rows = qr_lines("otpauth://totp/Desk:maya@agency.example?secret=JBSWY3DPEHPK3PXP")

    assert not rows[0].strip()
    assert not rows[-1].strip()
    assert all(row.startswith("  ") and row.endswith("  ") for row in rows)
    assert len({len(row) for row in rows}) == 1


def test_an_address_of_a_megabyte_has_no_picture_and_nobody_waits_for_one() -> None:
    with pytest.raises(ValueError, match="no QR code holds that much"):
        qr_lines("otpauth://totp/" + "x" * 1_000_000)


def test_the_address_in_the_picture_says_nothing_twice() -> None:
    uri = "otpauth://totp/My%20Desk:maya%40agency.example?secret=ABCD&issuer=My%20Desk"

    assert shortened(uri) == "otpauth://totp/My%20Desk:maya@agency.example?secret=ABCD"


async def test_a_late_case_of_another_user_does_not_pull_the_agent_back(demo: Demo) -> None:
    desk = Slow(demo())
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.has_case(MAYA)
        gate = desk.gates[LINDQVIST] = asyncio.Event()
        await agent.press("/")
        await agent.type("lindqvist")
        await agent.press("enter")
        await agent.press("/")
        await agent.type("ines carvalho")
        await agent.until(lambda: agent.case_user == INES, "Ines")

        gate.set()
        await agent.settles()

        assert agent.case_user == INES


async def test_a_late_outcome_of_another_user_does_not_pull_the_agent_back(demo: Demo) -> None:
    desk = Slow(demo())
    gate = desk.gates["perform"] = asyncio.Event()
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.has_case(MAYA)
        await agent.press("e")
        await agent.sees("Open sessions")
        await agent.press("tab", "enter")
        await agent.sees("working …")
        await agent.find("ines carvalho", INES)

        gate.set()
        await agent.sees("End sessions: Open sessions ended")

        assert agent.case_user == INES
        await agent.loses("working …")


async def test_two_changes_run_beside_each_other_and_none_is_dropped(demo: Demo) -> None:
    desk = Slow(demo())
    gate = desk.gates["perform"] = asyncio.Event()
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.find("ines carvalho", INES)
        await agent.press("e")
        await agent.sees("Open sessions")
        await agent.press("tab", "enter")
        await agent.sees("working …")
        await agent.press("s")
        await agent.sees("Which factor")
        await agent.press("2")
        await agent.loses("Say which factor")
        await agent.press("tab", "enter")
        await agent.until(lambda: len(desk.performed) == 2, "two changes")

        gate.set()
        await agent.sees("End sessions: Open sessions ended", "Send code: A code went to")

    assert (await desk._desk.log(Query())).total == 2


async def test_an_error_of_the_desk_becomes_a_sentence(demo: Demo, tmp_path: Path) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.has_case(MAYA)
        (tmp_path / "demo.json").write_text("{", "utf-8")

        await agent.press("e")

        await agent.sees("demo.json")
        assert agent.app.is_running


async def test_a_wait_between_codes_counts_down_in_the_dialog(demo: Demo) -> None:
    desk = demo()
    page = await desk.find(Query(product=("partner-portal",)), limit=100)
    cases = [await desk.case(row.id) for row in page.rows]
    waiting = next(
        (c for c in cases if c.codes.next_send_at and c.codes.next_send_at > NOW and
         not c.decision("send-code").is_refused),  # type: ignore[union-attr]
        None,
    )  # fmt: skip
    if waiting is None:
        user = next(c.user.id for c in cases if not c.decision("send-code").is_refused)  # type: ignore[union-attr]
        await desk.perform(SendCode(user=user))
    else:
        user = waiting.user.id
    async with console(desk) as agent:
        await agent.find(login_of(user), user)
        await agent.press("s")

        await agent.sees("until the next code may be sent")
        assert agent.app.screen.query_one("#do").disabled


async def test_an_act_typed_ahead_of_the_search_is_about_the_user_searched(demo: Demo) -> None:
    desk = Slow(demo())
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.has_case(MAYA)
        gate = desk.gates[INES] = asyncio.Event()

        agent.app.post_message(events.Key("slash", "/"))
        await agent.type("ines carvalho")
        await agent.press("enter")
        agent.app.post_message(events.Key("e", "e"))
        await agent.settles()
        assert not isinstance(agent.app.screen, ActDialog)
        gate.set()

        await agent.sees("u4 · i•••@saltmarsh.example", "Open sessions")


async def test_an_act_typed_right_after_a_move_is_about_the_row_moved_to(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.has_case(MAYA)

        agent.app.post_message(events.Key("down", None))
        agent.app.post_message(events.Key("n", "n"))

        await agent.sees("Write the note.")
        assert "u1 ·" not in agent.flat


async def test_keys_struck_in_one_go_with_one_that_leads_elsewhere_are_heard_there(
    demo: Demo,
) -> None:
    async with console(demo()) as agent:
        await agent.press("2", "1")
        await agent.settles()
        desk = agent.app.screen

        for key in ("2", "down", "down"):
            agent.app.post_message(events.Key(key, None))
        await agent.settles()

        loops = agent.app.screen
        assert isinstance(desk, DeskScreen)
        assert isinstance(loops, LoopsScreen)
        assert (desk.finder.rows.cursor, loops.finder.rows.cursor) == (0, 2)


async def test_closing_the_ticket_keeps_the_agent_on_the_user(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.has_case(MAYA)
        await agent.press("K")
        await agent.until(lambda: isinstance(agent.app.screen, ActDialog), "the dialog")
        await agent.press("tab", "enter")
        await agent.sees("Ticket #4821 is closed.", "no open ticket")
        await agent.settles()

        assert agent.case_user == MAYA
