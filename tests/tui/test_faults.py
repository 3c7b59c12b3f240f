"""A fault of the console's own is told where the agent looks, and no list says "nothing" for it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Button, Input

from helpdesk.domain.errors import Unreachable
from helpdesk.domain.proofs import Method
from helpdesk.domain.search import Query
from helpdesk.service.local import LocalDesk
from helpdesk.tui.app import HelpdeskApp
from helpdesk.tui.dialogs.act import ActDialog
from helpdesk.tui.keys import Where
from helpdesk.tui.screens.desk import DeskScreen
from helpdesk.tui.screens.place import Place
from tests.proving import prove
from tests.tui.console import Console, Slow, console

Demo = Callable[..., LocalDesk]
MAYA, IMOGEN = "u1", "u84"
SECRET = "202607"


class Faulty:
    """A desk in front of another one that raises instead of answering some of what is asked.

    Attributes:
        raises: What is raised, by the name of what is asked.
        failed: How often something was raised.
    """

    def __init__(self, desk: LocalDesk, **raises: Exception) -> None:
        self._desk = desk
        self.raises = dict(raises)
        self.failed = 0

    def __getattr__(self, name: str) -> object:
        found = getattr(self._desk, name)

        async def ask(*given: object, **named: object) -> object:
            if name in self.raises:
                self.failed += 1
                raise self.raises[name]
            return await found(*given, **named)

        return ask if inspect.iscoroutinefunction(found) else found


@pytest.fixture(autouse=True)
def errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the log of faults lies."""
    file = tmp_path / "errors.log"
    monkeypatch.setattr("helpdesk.crashes.log_path", lambda: file)
    return file


async def open_reset(agent: Console, desk: LocalDesk) -> ActDialog:
    """Prove a caller twice, open the dialog that resets all factors, and give a reason."""
    await prove(desk, IMOGEN, Method.PUSH, "4841")
    await prove(desk, IMOGEN, Method.CALL_BACK, "4841")
    await agent.find("imogen.ng", IMOGEN)
    await agent.press("R")
    await agent.sees("Reset all factors", "Reason")
    await agent.press("2")
    await agent.loses("Give the reason")
    dialog = agent.app.screen
    assert isinstance(dialog, ActDialog)
    return dialog


async def test_a_list_that_breaks_says_so_and_not_that_there_is_nothing(
    demo: Demo, errors: Path
) -> None:
    desk = Faulty(demo(), loops=OverflowError(f"date value out of range: {SECRET}"))
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.press("2")

        await agent.sees("The list could not be loaded.", "OverflowError")

        assert "No open loop reports." not in agent.flat
        assert SECRET not in agent.flat
    assert "OverflowError" in errors.read_text()
    assert SECRET not in errors.read_text()


async def test_a_list_whose_desk_is_away_does_not_say_that_there_is_nothing(demo: Demo) -> None:
    desk = Faulty(demo(), loops=Unreachable("The desk does not answer."))
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.press("2")

        await agent.sees("The desk does not answer.", "The list could not be loaded.")

        assert "No open loop reports." not in agent.flat


async def test_a_list_that_came_after_all_shows_its_rows(demo: Demo) -> None:
    desk = Faulty(demo(), loops=OverflowError())
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.press("2")
        await agent.sees("The list could not be loaded.")

        del desk.raises["loops"]
        await agent.press("ctrl+r")

        await agent.sees("open reports")
        await agent.loses("The list could not be loaded.")


async def test_a_fault_that_comes_back_every_few_seconds_is_logged_and_told_once(
    demo: Demo, errors: Path
) -> None:
    desk = Faulty(demo(), carry_out_due=OverflowError())
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.sees("OverflowError")
        agent.app.clear_notifications()
        await agent.loses("OverflowError")

        agent.app.look_for_approvals()  # type: ignore[attr-defined]
        await agent.until(lambda: desk.failed > 1, "another look")
        await agent.settles()

        assert "OverflowError" not in agent.flat
    assert errors.read_text().count("OverflowError") == 1


async def test_an_act_that_breaks_is_told_and_leaves_the_keys_alive(demo: Demo) -> None:
    desk = Faulty(demo(), weigh=ZeroDivisionError())
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.has_case(MAYA)
        await agent.press("e")
        await agent.sees("ZeroDivisionError")

        del desk.raises["weigh"]
        await agent.press("e")

        await agent.sees("Open sessions")


async def test_after_a_case_that_breaks_an_act_is_for_whom_the_agent_goes_back_to(
    demo: Demo,
) -> None:
    desk = Faulty(demo())
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.has_case(MAYA)
        desk.raises["case"] = OverflowError()
        await agent.press("down")
        await agent.sees("OverflowError")
        await agent.has_case("")

        del desk.raises["case"]
        await agent.press("up", "n")

        await agent.sees("Write the note.")
        assert agent.case_user == MAYA


async def test_a_verdict_that_breaks_is_not_awaited_any_more(demo: Demo) -> None:
    desk = Faulty(demo(), why=OverflowError())
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.has_case(MAYA)

        await agent.sees("The verdict could not be made.")


@pytest.mark.parametrize("error", [OverflowError(), Unreachable("The desk does not answer.")])
async def test_an_act_that_could_not_be_weighed_is_weighed_again_by_its_button(
    demo: Demo, error: Exception
) -> None:
    desk = Faulty(demo())
    async with console(desk) as agent:  # type: ignore[arg-type]
        dialog = await open_reset(agent, demo())
        do = dialog.query_one("#do", Button)
        desk.raises["weigh"] = error
        await agent.press("1")
        await agent.until(lambda: str(do.label) == "Look again", "another look")
        assert not dialog.is_ready

        del desk.raises["weigh"]
        agent.app.clear_notifications()  # one may lie over the button
        await agent.press_button("Look again")

        await agent.until(lambda: str(do.label) == "Reset all factors", "the act")
        assert agent.app.screen is dialog
        await agent.sees("Type the last four")


async def test_after_an_error_the_dialog_holds_what_was_given(demo: Demo) -> None:
    desk = Faulty(demo())
    async with console(desk) as agent:  # type: ignore[arg-type]
        dialog = await open_reset(agent, demo())
        reason = dialog.value("reason")
        desk.raises["perform"] = Unreachable("The desk does not answer.")
        await finish(agent, dialog)
        await agent.sees("The desk does not answer.")
        again = agent.app.screen
        assert isinstance(again, ActDialog)
        assert again is not dialog

        del desk.raises["perform"]
        await finish(agent, again)
        await agent.stands_on_desk()

    row = (await demo().log(Query())).rows[0]
    assert (row.act, row.reason) == ("reset-all", reason)


async def test_own_words_and_a_number_stand_there_again_after_an_error(demo: Demo) -> None:
    desk = Faulty(demo(), perform=Unreachable("The desk does not answer."))
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.find("okafor", MAYA)
        await agent.press("n")
        await agent.sees("Write the note.")
        await agent.type("rang back at noon")
        await agent.press_button("Note")

        await agent.sees("The desk does not answer.")

        dialog = agent.app.screen
        assert isinstance(dialog, ActDialog)
        assert dialog.value("text") == "rang back at noon"
        assert dialog.is_ready


async def finish(agent: Console, dialog: ActDialog) -> None:
    """Type the ticket's end and press the button."""
    word = dialog.query_one("#field-word", Input)
    word.focus()
    await agent.type(dialog.action.ticket[-4:])
    await agent.press_button("Reset all factors")


def acts(agent: Console) -> int:
    """Give how many acts are under way."""
    return sum(worker.group == "acts" for worker in agent.app.workers)


async def test_the_end_of_one_act_opens_no_door_while_another_one_asks(demo: Demo) -> None:
    desk = Slow(demo())
    desk.gates["perform"] = asyncio.Event()
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.has_case(MAYA)
        await agent.press("x")  # reveals, with nothing to ask
        await agent.until(lambda: len(desk.performed) == 1, "the first act under way")
        place = agent.app.screen
        assert isinstance(place, DeskScreen)
        await agent.press("n")
        await agent.sees("Write the note.")
        assert acts(agent) == 2

        desk.gates["perform"].set()
        await agent.until(lambda: acts(agent) == 1, "the end of the first act")

        assert place.is_asking
        await agent.press("escape")
        await agent.stands_on_desk()
        await agent.until(lambda: not place.is_asking, "the door open again")


async def test_no_case_of_another_stays_beside_a_person_whose_case_did_not_come(
    demo: Demo,
) -> None:
    desk = Faulty(demo())
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.has_case(MAYA)
        desk.raises["case"] = Unreachable("The desk cannot be reached.")

        await agent.press("/")
        await agent.type("imogen.ng")
        await agent.until(lambda: agent._first == IMOGEN, "Imogen on top")
        await agent.press("enter")
        await agent.has_case("")
        await agent.press("n")
        await agent.sees("Choose a user first.")

        assert "Maya" not in agent.text
        del desk.raises["case"]
        await agent.press("ctrl+r")
        await agent.has_case(IMOGEN)


async def test_the_case_that_is_shown_stays_where_it_does_not_come_anew(demo: Demo) -> None:
    desk = Faulty(demo())
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.has_case(MAYA)
        desk.raises["case"] = Unreachable("The desk cannot be reached.")

        await agent.press("ctrl+r")
        await agent.sees("The desk cannot be reached.")

        assert agent.case_user == MAYA


async def test_what_a_closed_dialog_still_looked_for_is_no_fault(demo: Demo, errors: Path) -> None:
    desk = demo()
    async with console(desk) as agent:
        dialog = await open_reset(agent, desk)
        await agent.press("escape")
        await agent.stands_on_desk()
        dialog._weigh_again()

        await agent.settles()

        assert not errors.exists()
        assert agent.app.is_running


async def test_a_place_that_is_still_being_made_is_told_nothing(demo: Demo) -> None:
    async with console(demo()) as agent:
        app = agent.app
        assert isinstance(app, HelpdeskApp)
        app.switch_mode(Where.LOOPS.value)
        in_the_making = app.screen

        told = list(app.places())

        assert isinstance(in_the_making, Place)
        assert told == []
        await agent.settles()
        assert list(app.places()) == [in_the_making]
