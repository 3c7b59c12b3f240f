"""Proving the caller at the console: the ways, the word pair, the answer, and the act after it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.widgets import Input

from helpdesk.domain.actions import AnyAction
from helpdesk.domain.cases import Weighed
from helpdesk.domain.errors import Unreachable
from helpdesk.domain.proofs import Method, Proof
from helpdesk.domain.search import Query
from helpdesk.domain.users import FactorState
from helpdesk.service.local import LocalDesk
from helpdesk.tui.dialogs.act import ActDialog
from helpdesk.tui.dialogs.proving import PhoneDialog, VerifyDialog
from tests.conftest import Clock
from tests.proving import prove
from tests.tui.console import NOW, Console, Slow, console, hears_now, login_of

Demo = Callable[..., LocalDesk]
IMOGEN, SAKURA, TAKEN = "u84", "u69", "u173"
PUSH = "a push confirmed"
TICKET = "4841"
SIZES = [(80, 24), (130, 34), (200, 60)]


async def code_of(desk: LocalDesk, user: str) -> str:
    """Give what the telephone of the demo shows for what was asked last."""
    shown = [one for one in await desk.phone(user) if one.says]
    return shown[-1].secret


def wrong(code: str) -> str:
    """Give another code of the same form."""
    return str((int(code) + 1) % 10**6).zfill(6)


def way_of(agent: Console, words: str) -> str:
    """Give the number of a way as the screen shows it."""
    line = next(line for line in agent.lines if f" {words}" in line and " ✓" not in line)
    return line.partition(words)[0].strip("│ ○●")[-1]


async def answer(agent: Console, desk: LocalDesk, user: str) -> None:
    """Read back what the caller's telephone shows."""
    await agent.sees("the caller reads back")
    await agent.type(await code_of(desk, user))
    await agent.press("enter")


async def verify(agent: Console, user: str, login: str) -> None:
    """Open a user's case and the dialog that proves the caller."""
    await agent.find(login, user)
    await agent.press("v")
    await agent.sees("Verify the caller", PUSH)


async def test_from_the_line_to_proven_reset_logged_and_told_in_twenty_four_keys(
    demo: Demo,
) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.find("sakura.takahashi", SAKURA)
        await agent.press("r")
        await agent.sees("needs a ticket")
        await agent.type("lost her phone")
        await agent.loses("Say what the ticket is about")
        await agent.confirm()
        await agent.sees("Reset one factor", "Which factor", "Prove the caller first")
        await agent.press("1", "1", "v")
        await agent.sees("Verify the caller", "proves nothing: it is the very factor")
        await agent.press(way_of(agent, "a code read back"))
        await answer(agent, desk, SAKURA)
        await agent.sees("PROVEN by a code read back")
        await agent.press("enter")
        await agent.until(lambda: agent.focused == "field-word", "the ticket's end")
        await agent.loses("Prove the caller first")
        await agent.type((await desk.case(SAKURA)).open_tickets[0].id[-4:])
        await agent.loses("Type the last four")
        await agent.confirm()
        await agent.sees("Reset: ")

    rows = (await desk.log(Query(), limit=10)).rows
    done = [row.act for row in rows if row.result.value == "done"]
    case = await desk.case(SAKURA)
    told = (await desk.tray(SAKURA)).rows
    assert done[:3] == ["reset-factor", "prove", "prove"]
    assert {(row.act, row.seq) for row in told} == {("reset-factor", rows[0].seq)}
    assert [f.state for f in case.user.factors] == [FactorState.REMOVED, FactorState.ACTIVE]
    assert agent.strokes <= 24


async def test_a_case_says_that_the_caller_is_not_proven_and_then_by_what(demo: Demo) -> None:
    clock = Clock(NOW)
    desk = demo(clock=clock)
    async with console(desk, clock=clock) as agent:
        await verify(agent, IMOGEN, "imogen.ng")
        await agent.sees("for any act on this ticket", f"#{TICKET}")
        await agent.press(way_of(agent, PUSH))
        await agent.sees("you say", "is what the caller answers", "10:00 left", "3 tries left")
        await agent.type(await code_of(desk, IMOGEN))
        await agent.press("enter")
        await agent.sees("PROVEN by a push confirmed")
        await agent.press("enter")
        await agent.stands_on_desk()
        await agent.sees("PROVEN by a push confirmed · 10:00")

        clock.go_on(seconds=19)
        await agent.sees("PROVEN by a push confirmed · 9:41")

        clock.go_on(minutes=10)
        await agent.sees("caller NOT PROVEN v")


async def test_a_wrong_answer_says_so_with_the_tries_left_and_three_end_it(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await verify(agent, IMOGEN, "imogen.ng")
        await agent.press(way_of(agent, PUSH))
        await agent.sees("3 tries left")
        right = await code_of(desk, IMOGEN)

        for left in ("2 tries left", "1 try left"):
            await agent.type(wrong(right))
            await agent.press("enter")
            await agent.sees("That is not right", left)
        await agent.type(wrong(right))
        await agent.press("enter")
        await agent.sees("Three wrong answers", PUSH)

        assert isinstance(agent.app.screen, VerifyDialog)
        await agent.press("escape")
        await agent.sees("caller NOT PROVEN")


async def test_what_was_asked_and_not_answered_in_ten_minutes_is_gone(demo: Demo) -> None:
    clock = Clock(NOW)
    async with console(demo(clock=clock), clock=clock) as agent:
        await verify(agent, IMOGEN, "imogen.ng")
        await agent.press(way_of(agent, PUSH))
        await agent.sees("10:00 left")

        clock.go_on(minutes=10)

        await agent.sees("waited for ten minutes and is gone", PUSH)


async def test_the_agent_reads_one_word_and_the_telephone_has_both(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await verify(agent, IMOGEN, "imogen.ng")
        await agent.press(way_of(agent, PUSH))
        await agent.sees("you say", "is what the caller answers")
        words = next(one.says for one in await desk.phone(IMOGEN) if one.says)
        mine, theirs = words.split()[3].rstrip(","), words.split()[-1].rstrip(".")

        assert f"you say {mine}" in agent.flat
        assert f"answer {theirs}" in agent.flat


async def test_nothing_that_is_read_back_is_ever_on_the_screen(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await verify(agent, IMOGEN, "imogen.ng")
        await agent.press(way_of(agent, PUSH))
        await agent.sees("3 tries left")
        code = await code_of(desk, IMOGEN)
        await agent.type(code)
        await agent.until(lambda: agent.app.screen.query_one("#answer", Input).value == code, "it")
        await agent.settles()

        assert code not in agent.flat
        await agent.press("enter")
        await agent.sees("PROVEN")
        assert code not in agent.flat
        assert not agent.app.screen.query_one("#answer", Input).value


async def test_the_demo_telephone_is_one_key_away_and_says_that_it_is_a_demo(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await verify(agent, IMOGEN, "imogen.ng")
        await agent.press(way_of(agent, PUSH))
        await agent.sees("F9 shows the customer's telephone")
        code = await code_of(desk, IMOGEN)

        await agent.press("f9")
        await agent.sees("DEMO: the customer's telephone", f"{code[:3]} {code[3:]}")
        await agent.press("f9")
        await agent.until(lambda: isinstance(agent.app.screen, VerifyDialog), "the dialog again")

        assert f"{code[:3]} {code[3:]}" not in agent.flat


async def test_a_desk_that_is_no_demo_has_no_telephone(demo: Demo) -> None:
    desk = demo()
    desk.is_demo = False
    async with console(desk) as agent:
        await verify(agent, IMOGEN, "imogen.ng")
        await agent.press(way_of(agent, PUSH))
        await agent.sees("3 tries left")
        await agent.press("f9")
        await agent.settles()

        assert not isinstance(agent.app.screen, PhoneDialog)
        assert "F9" not in agent.flat


async def test_an_act_that_lacks_proof_opens_the_ways_for_it_and_comes_back_with_all_given(
    demo: Demo,
) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.find("imogen.ng", IMOGEN)
        await agent.press("r")
        await agent.sees("Which factor")
        number = next(line for line in agent.lines if "○" in line and "ush" in line)
        await agent.press(number.partition(" ○ ")[0].strip(" │")[-1], "2")
        await agent.press("v")
        await agent.sees("for Reset one factor", "it is the very factor that is being changed")
        await agent.press("escape")
        await agent.until(lambda: isinstance(agent.app.screen, ActDialog), "the act again")

        dialog = agent.app.screen
        assert isinstance(dialog, ActDialog)
        assert dialog.value("reason") == "New phone, the old one is gone"
        assert dialog.value("factor") == "f2"
        assert not dialog.is_ready


async def test_a_reset_of_everything_asks_for_a_second_channel(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.find("imogen.ng", IMOGEN)
        await agent.press("R")
        await agent.sees("Reset all factors", "over two different channels")
        await agent.press("1", "v")
        await agent.sees(PUSH)
        await agent.press(way_of(agent, PUSH))
        await agent.sees("the caller's device shows")
        await agent.type(await code_of(desk, IMOGEN))
        await agent.press("enter")
        await agent.sees("once more, over another channel", "it has proven already")
        await agent.press(way_of(agent, "a call back"))
        await agent.sees("hears on the number on record")
        await agent.type(await code_of(desk, IMOGEN))
        await agent.press("enter")
        await agent.sees("PROVEN by a push confirmed and a call back")
        await agent.press("enter")
        await agent.loses("Prove the caller")
        await agent.type(TICKET)
        await agent.loses("Type the last four")
        await agent.confirm()
        await agent.sees("2 factors are reset")

    assert not (await desk.case(IMOGEN)).user.live_factors


async def test_who_was_seen_is_written_in_words_and_shown_while_it_is_typed(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await verify(agent, IMOGEN, "imogen.ng")
        await agent.press(way_of(agent, "seen in person"))
        await agent.sees("What was seen")
        assert "you say" not in agent.flat
        await agent.type("passport")
        await agent.sees("passport")
        await agent.press("enter")
        await agent.sees("PROVEN by seen in person")


async def test_another_way_may_be_taken_before_the_answer(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await verify(agent, IMOGEN, "imogen.ng")
        await agent.press(way_of(agent, PUSH))
        await agent.sees("3 tries left")
        await agent.press_button("Another way")
        await agent.sees("Type the number of a way")
        await agent.press(way_of(agent, "a call back"))
        await agent.sees("hears on the number on record")

    assert [row.act for row in (await desk.log(Query())).rows] == ["prove", "prove"]


async def test_a_watch_begins_with_the_reset_and_says_since_when(demo: Demo) -> None:
    desk = demo()
    await prove(desk, IMOGEN, Method.PUSH, TICKET)
    async with console(desk) as agent:
        await agent.find("imogen.ng", IMOGEN)
        assert "watch:" not in agent.flat
        await agent.press("r")
        await agent.sees("Which factor")
        await agent.press("1", "1", "shift+tab", *TICKET)
        await agent.loses("Type the last four")
        await agent.confirm()
        await agent.sees("watch: not in yet since 14:05")


async def test_a_takeover_is_an_alarm_in_the_first_lines(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.find(login_of(TAKEN), TAKEN)

        await agent.sees("ALARM: first entry from an unknown place")


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_mouse_alone_proves_a_caller_at_every_size(
    demo: Demo, size: tuple[int, int]
) -> None:
    desk = demo()
    async with console(desk, size=size) as agent:
        await agent.find("imogen.ng", IMOGEN)
        await agent.click("caller NOT PROVEN")
        await agent.sees("Verify the caller")
        await agent.click(PUSH)
        await agent.sees("3 tries left")
        await agent.type(await code_of(desk, IMOGEN))
        await agent.press_button("Check")
        await agent.sees("PROVEN by a push confirmed")
        await agent.press_button("Done")
        await agent.stands_on_desk()
        await agent.sees("PROVEN by")


@pytest.mark.usefixtures("deaf_for_ages")
async def test_the_dialog_hears_no_key_for_the_first_eight_tenths(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.find("imogen.ng", IMOGEN)
        await agent.press("v")
        await agent.until(lambda: isinstance(agent.app.screen, VerifyDialog), "the dialog")
        dialog = agent.app.screen
        assert isinstance(dialog, VerifyDialog)

        await agent.press("1", "enter", "escape")

        assert dialog.is_deaf
        assert agent.app.screen is dialog
        assert (await desk.log(Query())).total == 0
        hears_now(dialog)
        await agent.press(way_of(agent, PUSH))
        await agent.sees("3 tries left")


async def test_an_auditor_is_told_that_they_prove_nobody(demo: Demo) -> None:
    async with console(demo("ruth")) as agent:
        await verify(agent, IMOGEN, "imogen.ng")
        await agent.press(way_of(agent, PUSH))

        await agent.sees("An auditor reads and changes nothing")


async def test_a_proof_of_another_agent_is_none_of_this_one(demo: Demo) -> None:
    other = demo("tomasz")
    await other.ask_proof(IMOGEN, Method.PUSH, ticket=TICKET)
    await other.answer_proof(IMOGEN, await code_of(other, IMOGEN))
    async with console(demo()) as agent:
        await agent.find("imogen.ng", IMOGEN)

        await agent.sees("caller NOT PROVEN")


async def test_an_enrolment_is_proven_once_for_both_of_its_steps(demo: Demo) -> None:
    desk = demo()
    async with console(desk, size=(200, 60)) as agent:
        await verify(agent, IMOGEN, "imogen.ng")
        await agent.press(way_of(agent, PUSH))
        await agent.sees("3 tries left")
        await agent.type(await code_of(desk, IMOGEN))
        await agent.press("enter")
        await agent.sees("PROVEN")
        await agent.press("enter")
        await agent.stands_on_desk()
        await agent.press("t")
        await agent.sees("Enrol authenticator", "Reason")
        await agent.press("1")
        await agent.pilot.click("#field-word")
        await agent.type(TICKET)
        await agent.press_button("Enrol authenticator")
        await agent.sees("It is shown once")
        shown = await desk.phone(IMOGEN)
        await agent.press("enter")
        await agent.sees("Type the first code")

        assert "Prove the caller" not in agent.flat
        await agent.pilot.click("#field-code")
        await agent.type("000000" if shown[-1].secret != "000000" else "111111")
        await agent.press_button("First code")
        await agent.sees("That code does not fit the new entry")


class LostOnceProven(Slow):
    """A desk that cannot be reached any more once a caller is proven."""

    _is_lost = False

    async def answer_proof(self, user: str, answer: str, *, asking: str = "") -> Proof:
        """Check what was read back."""
        proof = await self._desk.answer_proof(user, answer, asking=asking)
        self._is_lost = True
        return proof

    async def weigh(self, action: AnyAction) -> Weighed:
        """Weigh an act, while the desk is there."""
        if self._is_lost:
            raise Unreachable("The desk does not answer.")
        return await self._desk.weigh(action)


async def test_a_proof_counts_where_what_is_still_needed_cannot_be_found_out(demo: Demo) -> None:
    desk = demo()
    async with console(LostOnceProven(desk)) as agent:  # type: ignore[arg-type]
        await agent.find("imogen.ng", IMOGEN)
        await agent.press("R")
        await agent.sees("Reset all factors", "Prove the caller first")
        await agent.press("v")
        await agent.sees("Verify the caller", "a call back")
        await agent.press(way_of(agent, "a call back"))
        await agent.sees("The code the caller hears")
        await agent.type(await code_of(desk, IMOGEN))
        await agent.press("enter")

        await agent.sees("The desk does not answer.")

        dialog = agent.app.screen
        assert isinstance(dialog, VerifyDialog)
        assert not dialog.is_asked
        assert "proven" in agent.flat
        assert "fault of the console" not in agent.flat
