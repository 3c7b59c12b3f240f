"""Pictures of every place and dialog, to be looked at by eye when they change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from helpdesk.domain.cases import Handover
from helpdesk.tui.app import HelpdeskApp
from helpdesk.tui.dialogs.pages import HandoverDialog
from tests.tui.console import NOW, Console, demo_desk, login_of
from tests.tui.looks import SIZES, Walk, looks_the_same

PASS, KEY = "0000000000", "AAAABBBBCCCCDDDD"
"""Never a pass or a key of anybody."""


async def desk(agent: Console) -> None:
    await agent.find("okafor", "u1")


async def queue(agent: Console) -> None:
    await agent.sees("in your queue")


async def loops(agent: Console) -> None:
    await agent.press("2")
    await agent.sees("Rounds")


async def challenges(agent: Console) -> None:
    await agent.press("3")
    await agent.sees("Channel")


async def log(agent: Console) -> None:
    await agent.press("5")
    await agent.sees("Nothing has been done yet.")


async def filled_log(agent: Console) -> None:
    await agent.find("okafor", "u1")
    await agent.press("x")
    await agent.sees("REVEALED")
    await agent.press("5")
    await agent.sees("✓ done")
    agent.app.clear_notifications()


async def send(agent: Console) -> None:
    await agent.find("ines carvalho", "u4")
    await agent.press("s")
    await agent.sees("Send code")
    await agent.press("2")
    await agent.loses("Say which factor")


async def reset(agent: Console) -> None:
    await agent.find("ines carvalho", "u4")
    await agent.press("R")
    await agent.sees("Give the reason")
    await agent.press("1")
    await agent.loses("Give the reason")


async def refusal(agent: Console) -> None:
    await agent.find("okafor", "u1")
    await agent.press("R")
    await agent.sees("Only an administrator")


async def route(agent: Console) -> None:
    await agent.find("okafor", "u1")
    await agent.press("w")
    await agent.sees("To whom")


async def reasons(agent: Console) -> None:
    await agent.find("okafor", "u1")
    await agent.press("i")
    await agent.sees("Reset one factor")


async def card(agent: Console) -> None:
    await agent.find("okafor", "u1")
    await agent.press("c")
    await agent.sees("checked on")


async def help_page(agent: Console) -> None:
    await agent.press("?")
    await agent.sees("Keys of the desk")


async def palette(agent: Console) -> None:
    await agent.find("okafor", "u1")
    await agent.press("ctrl+p")
    agent.app.screen.query_one(Input).cursor_blink = False
    await agent.type("reset")
    await agent.sees("Reset one factor")
    await agent.pilot.pause(0.6)  # it gathers what it found in batches of a quarter second


async def fault(agent: Console) -> None:
    await agent.press("/")
    await agent.type("state:sleepy")
    await agent.sees("no such state")


async def address(agent: Console) -> None:
    await open_form(agent, "u2", "a", "New address")


async def mobile(agent: Console) -> None:
    await open_form(agent, "u8", "m", "Mobile number")


async def turn_on(agent: Console) -> None:
    await open_form(agent, "u33", "O", "empty keeps")


async def turn_off(agent: Console) -> None:
    await open_form(agent, "u3", "o", "Until which day")


async def note(agent: Console) -> None:
    await open_form(agent, "u1", "n", "Write the note.")


async def ticket(agent: Console) -> None:
    await open_form(agent, "u33", "k", "New ticket about")


async def open_form(agent: Console, user: str, key: str, says: str) -> None:
    """Open the dialog of an act on a user."""
    await agent.find(login_of(user), user)
    await agent.press(key)
    await agent.sees(says)


async def handed_pass(agent: Console) -> None:
    until = NOW + timedelta(hours=1)
    says = "Read it out; it works once, for one hour."
    await hand_over(agent, Handover(title="Temporary pass", secret=PASS, says=says, until=until))


async def handed_key(agent: Console) -> None:
    uri = f"otpauth://totp/Example:somebody?secret={KEY}&issuer=Example"
    says = "Scan it, or type the key."
    await hand_over(agent, Handover(title="Authenticator", secret=KEY, says=says, uri=uri))


async def hand_over(agent: Console, handover: Handover) -> None:
    """Show a secret that never was one."""
    agent.app.push_screen(HandoverDialog(handover, NOW))
    await agent.sees("forget it")


PLACES: tuple[Walk, ...] = (desk, queue, loops, challenges, log)
DIALOGS: tuple[Walk, ...] = (send, reset, refusal, route, reasons, card, help_page, palette, fault)
FORMS: tuple[Walk, ...] = (address, mobile, turn_on, note, ticket, handed_pass, handed_key)
THEMES = ("light", "high-contrast", "monochrome")


@pytest.fixture
def picture(snap_compare: Any, tmp_path: Path) -> Callable[..., bool]:
    """Walk somewhere and compare what is shown with the picture kept of it."""

    def take(walk: Walk, size: str, theme: str = "dark", who: str = "support") -> bool:
        app = HelpdeskApp(demo_desk(tmp_path, who), theme=theme, clock=lambda: NOW)
        return looks_the_same(snap_compare, app, size, walk)

    return take


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("walk", PLACES + DIALOGS, ids=lambda walk: walk.__name__)
def test_it_looks_as_it_was_looked_at(picture: Callable[..., bool], walk: Walk, size: str) -> None:
    assert picture(walk, size)


def test_a_log_with_something_in_it_looks_as_it_was_looked_at(picture: Callable[..., bool]) -> None:
    assert picture(filled_log, "80x24")


@pytest.mark.parametrize("walk", FORMS, ids=lambda walk: walk.__name__)
def test_what_is_filled_in_looks_as_it_was_looked_at(
    picture: Callable[..., bool], walk: Walk
) -> None:
    assert picture(walk, "80x24")


def test_a_key_to_be_scanned_looks_as_it_was_looked_at(picture: Callable[..., bool]) -> None:
    assert picture(handed_key, "130x34")


def test_turning_off_looks_as_it_was_looked_at(picture: Callable[..., bool]) -> None:
    assert picture(turn_off, "130x34", who="account-manager")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("walk", [desk, loops, reset], ids=lambda walk: walk.__name__)
def test_it_looks_well_in_every_theme(picture: Callable[..., bool], walk: Walk, theme: str) -> None:
    assert picture(walk, "130x34", theme)
