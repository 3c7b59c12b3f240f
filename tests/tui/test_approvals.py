"""A second person at the console: asked, told, agreeing or refusing, and the act carried out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual import events
from textual.widgets import Button

from helpdesk.domain.actions import ResetAll, SendCode, TurnOffMfa
from helpdesk.domain.approvals import Approval, payload_of
from helpdesk.domain.decisions import Need
from helpdesk.domain.errors import NeedsMore
from helpdesk.domain.holds import Ending
from helpdesk.domain.proofs import Method
from helpdesk.domain.search import Query
from helpdesk.domain.users import MfaState
from helpdesk.plain.proving import approvals_text
from helpdesk.service.local import LocalDesk
from helpdesk.tui.dialogs.approving import ApprovalDialog, FiledDialog
from helpdesk.tui.render.proving import standing
from tests.conftest import Clock
from tests.proving import prove
from tests.tui.console import NOW, Console, console, hears_now

Demo = Callable[..., LocalDesk]
KAVYA, TICKET = "u188", "4864"
REASON = "Asked for in writing by the owner"
OFF = TurnOffMfa(user=KAVYA, reason=REASON, ticket=TICKET)
SIZES = [(80, 24), (130, 34), (200, 60)]


async def ask_as(desk: LocalDesk) -> str:
    """Prove the caller and ask for a second person; give the request's id."""
    await prove(desk, KAVYA, Method.CODE, TICKET)
    with pytest.raises(NeedsMore) as caught:
        await desk.perform(OFF)
    return caught.value.decision.needs[0].choices[0]


async def open_kavya(agent: Console) -> None:
    """Open the case of the one who wants the codes off."""
    await agent.find(f"#{TICKET}", KAVYA)


async def polled(agent: Console) -> None:
    """Look at once at what waits, instead of in a few seconds."""
    agent.app.look_for_approvals()  # type: ignore[attr-defined]
    await agent.settles()


async def test_turning_off_goes_from_the_wish_over_a_colleague_to_one_key(demo: Demo) -> None:
    desk, lead = demo("aoife"), demo("greta")
    async with console(desk) as agent:
        await open_kavya(agent)
        await agent.press("o")
        await agent.sees("A second person must agree: it turns the second proof off", "Reason")
        await agent.press("1", "v")
        await agent.sees("a code read back")
        await agent.press("1")
        await agent.sees("3 tries left")
        await agent.type((await desk.phone(KAVYA))[0].secret)
        await agent.press("enter")
        await agent.sees("PROVEN by")
        await agent.press("enter")
        await agent.until(lambda: agent.focused == "field-word", "the ticket's end")
        await agent.type(TICKET)
        await agent.loses("Type the last four")
        await agent.press_button("Ask a colleague")
        await agent.sees("is filed", "waits one hour", "who may account manager, lead or support")
        assert isinstance(agent.app.screen, FiledDialog)
        await agent.press("enter")
        await agent.stands_on_desk()

        request = (await lead.approvals())[0]
        await lead.approve(request.id, is_granted=True, says="seen the letter")
        await polled(agent)
        await agent.sees("greta agreed to Turn MFA off", "4 Approvals¹")
        await agent.press("o")
        await agent.sees("Second person: Turn MFA off", "✓ agreed", "greta", "seen the letter")
        await agent.press("enter")
        await agent.sees("MFA is off")

    case = await desk.case(KAVYA)
    assert case.user.mfa is MfaState.OFF
    done = next(row for row in (await desk.log(Query())).rows if row.act == "turn-off-mfa")
    assert payload_of(TurnOffMfa(user=KAVYA, reason=done.reason, ticket=TICKET)) == request.payload
    assert (await desk.approvals())[0].used_at is not None


async def test_the_approver_sees_exactly_what_will_happen_and_agrees_with_a_typed_word(
    demo: Demo,
) -> None:
    desk = demo("greta")
    request = await ask_as(demo("aoife"))
    sha256 = (await desk.approvals())[0].sha256
    async with console(desk) as agent:
        await agent.sees("4 Approvals¹")
        await agent.press("4")
        await agent.sees("▶ waits for you", "Turn MFA off", KAVYA, "aoife")
        await agent.press("enter")
        await agent.sees(
            "u188 · k•••@clinica-v.example · Clínica Vasconcelos",
            "act Turn MFA off (turn-off-mfa)", f"reason {REASON}", f"ticket #{TICKET} Please turn",
            "because it turns the second proof off", "goes The second proof",
            "stays Authentication code by SMS", "told", "proven a code read back over SMS, strong",
            "asked by aoife", f"hash {sha256[:12]} request {request}", "1:00:00 left",
        )  # fmt: skip
        await agent.press("pagedown")
        agree = agent.app.screen.query_one("#agree", Button)
        assert agree.disabled
        await agent.press("tab")
        await agent.until(lambda: agent.focused == "field-word", "the word")
        await agent.type("9999")
        await agent.settles()
        assert agree.disabled
        await agent.press(*["backspace"] * 4)
        await agent.type(TICKET)
        await agent.press_button("Agree")
        await agent.sees("Agreed to: Turn MFA off. aoife is told.", "✓ agreed")
        await agent.sees("4 Approvals ")

    decided = (await desk.approvals())[0]
    assert (decided.approver, decided.is_granted) == ("greta", True)


async def test_a_refusal_takes_a_reason_and_the_requester_is_told_it(demo: Demo) -> None:
    manager = demo("aoife")
    async with console(manager) as asking:
        await polled(asking)
        await ask_as(manager)
        await polled(asking)
        async with console(demo("greta")) as agent:
            await agent.press("4")
            await agent.sees("▶ waits for you")
            await agent.press("enter")
            await agent.sees("To refuse: why")
            assert agent.app.screen.query_one("#refuse", Button).disabled
            await agent.press("tab", "tab")
            await agent.type("no letter on file")
            await agent.press_button("Refuse")
            await agent.sees("Refused: Turn MFA off", "✗ refused")
        await polled(asking)
        await asking.sees("greta refused Turn MFA off: no letter on file")

    assert (await manager.case(KAVYA)).user.mfa is not MfaState.OFF


async def test_nobody_is_shown_a_button_for_their_own_request(demo: Demo) -> None:
    desk = demo("aoife")
    await ask_as(desk)
    async with console(desk) as agent:
        assert "4 Approvals¹" not in agent.flat
        await agent.press("4")
        await agent.sees("◔ waits", "you")
        await agent.press("enter")
        await agent.sees("Second person: Turn MFA off")

        assert not agent.app.screen.query("#agree, #refuse, #carry-out")


@pytest.mark.parametrize("who", ["samuel", "ruth"])
async def test_who_may_not_answer_reads_why(demo: Demo, who: str) -> None:
    await ask_as(demo("aoife"))
    async with console(demo(who)) as agent:
        await agent.press("4")
        await agent.sees("◔ waits")
        await agent.press("enter")
        await agent.sees("not you", "second person is never")

        assert not agent.app.screen.query("#agree")


async def test_a_request_that_waits_is_shown_instead_of_being_asked_twice(demo: Demo) -> None:
    desk = demo("aoife")
    await ask_as(desk)
    async with console(desk) as agent:
        await open_kavya(agent)
        await agent.press("o")
        await agent.sees("◔ waits 1:00:00 left", "Begin anew")
        assert not agent.app.screen.query("#carry-out")

        await agent.press_button("Begin anew")
        await agent.sees("Asked for in writing by the account's owner")

    assert len(await desk.approvals()) == 1


async def test_a_colleague_is_told_when_a_request_comes(demo: Demo) -> None:
    async with console(demo("greta")) as agent:
        await polled(agent)
        await ask_as(demo("aoife"))
        await polled(agent)

        await agent.sees("aoife asks for a second person: Turn MFA off", "4 Approvals¹")


async def test_what_was_agreed_is_carried_out_from_the_list_too(demo: Demo) -> None:
    desk, lead = demo("aoife"), demo("greta")
    request = await ask_as(desk)
    await lead.approve(request, is_granted=True)
    async with console(desk) as agent:
        await agent.press("4")
        await agent.sees("✓ carry it out")
        await agent.press("enter")
        await agent.sees("Carry out")
        assert agent.focused == "cancel"
        await agent.press("tab", "enter")
        await agent.sees("MFA is off", "✓ carried out")

    assert (await desk.case(KAVYA)).user.mfa is MfaState.OFF


async def test_a_request_that_is_chosen_twice_in_one_go_is_shown_once(demo: Demo) -> None:
    desk = demo("aoife")
    await ask_as(desk)
    async with console(desk) as agent:
        await agent.press("4")
        await agent.sees("Turn MFA off")

        for _ in range(3):
            agent.app.post_message(events.Key("enter", "\r"))
        await agent.sees("◔ waits")
        await agent.settles()

        shown = [one for one in agent.app.screen_stack if isinstance(one, ApprovalDialog)]
        assert len(shown) == 1


@pytest.mark.usefixtures("deaf_for_ages")
async def test_no_dialog_of_a_request_hears_a_key_for_the_first_eight_tenths(demo: Demo) -> None:
    desk, lead = demo("aoife"), demo("greta")
    request = await ask_as(desk)
    await lead.approve(request, is_granted=True)
    async with console(desk) as agent:
        await agent.press("4")
        await agent.sees("✓ carry it out")
        await agent.press("enter")
        await agent.until(lambda: isinstance(agent.app.screen, ApprovalDialog), "the dialog")
        dialog = agent.app.screen
        assert isinstance(dialog, ApprovalDialog)

        await agent.press("enter", "escape")

        assert dialog.is_deaf
        assert agent.app.screen is dialog
        assert (await desk.case(KAVYA)).user.mfa is not MfaState.OFF
        hears_now(dialog)
        await agent.press("tab", "enter")
        await agent.sees("MFA is off")


@pytest.mark.usefixtures("deaf_for_ages")
async def test_the_word_that_a_request_is_filed_is_not_closed_by_a_key_typed_ahead(
    demo: Demo,
) -> None:
    desk = demo("aoife")
    case = await desk.case(KAVYA)
    need = Need(what="second-person", says="A second person must agree.", choices=("a1",))
    async with console(desk) as agent:
        dialog = FiledDialog(OFF, need, case, "o")
        agent.app.push_screen(dialog)
        await agent.sees("a1 is filed")

        await agent.press("enter", "escape")

        assert agent.app.screen is dialog
        hears_now(dialog)
        await agent.press("enter")
        await agent.stands_on_desk()


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_mouse_alone_agrees_at_every_size(demo: Demo, size: tuple[int, int]) -> None:
    await ask_as(demo("aoife"))
    desk = demo("greta")
    async with console(desk, size=size) as agent:
        await agent.sees("¹⁹", "¹ ")  # the counts move what stands right of them
        await agent.click("4 Appr")
        await agent.sees("▶ waits for you")
        await agent.click("▶ waits for you")
        await agent.sees("Close", "Refuse", "Agree")
        await agent.pilot.click("#field-word")
        await agent.type(TICKET)
        await agent.press_button("Agree")
        await agent.sees("✓ agreed")

    assert (await desk.approvals())[0].is_granted


async def test_the_limit_of_the_desk_counts_down_in_the_dialog(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await agent.find("imogen.ng", "u84")
        await agent.press("s")
        await agent.sees("Send code")
        await agent.press_button("Send code")
        await agent.stands_on_desk()
        await agent.press("s")
        await agent.sees("until the desk's limit lets it")

        assert agent.app.screen.query_one("#do", Button).disabled
    assert [row.act for row in (await desk.log(Query())).rows] == ["send-code"]


async def test_a_wait_in_a_dialog_goes_on_by_the_desks_clock_however_it_runs(demo: Demo) -> None:
    clock = Clock(NOW)
    desk = demo(clock=clock)
    for _ in range(3):
        await desk.perform(SendCode(user="u84"))
        clock.go_on(minutes=2)
    async with console(desk, clock=clock) as agent:
        await agent.find("imogen.ng", "u84")
        await agent.press("s")
        await agent.sees("until the desk's limit lets it")
        do = agent.app.screen.query_one("#do", Button)
        assert do.disabled

        clock.go_on(minutes=10)

        await agent.until(lambda: not do.disabled, "the end of the wait")


async def test_a_request_to_turn_off_says_who_asked_how_proven_the_card_and_the_loss(
    demo: Demo,
) -> None:
    desk = demo("aoife")
    async with console(desk) as agent:
        await open_kavya(agent)
        await agent.sees(
            "Asked to turn MFA off", f"asked #{TICKET} Please turn the text message codes off",
            "proven not yet: v proves", "card This role may turn it off here. (S3.14)",
            "lost The second proof: from then on the password alone lets in.",
        )  # fmt: skip
        await agent.find("maya okafor", "u1")

        await agent.loses("Asked to turn MFA off")


@pytest.mark.parametrize(
    ("ending", "at_the_console", "at_the_command_line"),
    [
        (None, "✓ carried out", "agreed by greta, carried out"),
        (Ending.WAITS, "◔ held", "agreed by greta, held"),
        (Ending.DONE, "✓ carried out", "agreed by greta, carried out"),
        (Ending.UNDONE, "– undone", "agreed by greta, undone"),
        (Ending.REFUSED, "✗ not done", "agreed by greta, not carried out"),
    ],
)
def test_a_request_says_what_became_of_what_was_agreed_to(
    ending: Ending | None, at_the_console: str, at_the_command_line: str
) -> None:
    request = Approval(
        id="a1", act="reset-all", user="u84", requester="dana", asked_at=NOW, sha256="",
        payload=payload_of(ResetAll(user="u84", reason="new phone")), why="it resets everything",
        approver="greta", is_granted=True, decided_at=NOW, used_at=NOW, ending=ending,
    )  # fmt: skip

    assert standing(request, NOW)[0] == at_the_console
    assert f"{at_the_command_line}  " in approvals_text((request,))


async def test_turning_off_may_have_an_end_and_a_day_that_is_none_is_said(demo: Demo) -> None:
    desk, lead = demo("aoife"), demo("greta")
    await prove(desk, KAVYA, Method.CODE, TICKET)
    async with console(desk) as agent:
        await open_kavya(agent)
        await agent.press("o")
        await agent.sees("Until which day")
        await agent.press("1")
        await agent.pilot.click("#field-until")
        await agent.type("2026-02-30")
        await agent.sees("2026-02-30 is no day of the coming year")
        await agent.press(*["backspace"] * 10)
        await agent.type("2026-06-30")
        await agent.loses("no day of the coming year")
        await agent.press("tab", "tab", "tab")
        await agent.until(lambda: agent.focused == "field-word", "the ticket's end")
        await agent.type(TICKET)
        await agent.press_button("Ask a colleague")
        await agent.sees("is filed")
        await lead.approve((await lead.approvals())[0].id, is_granted=True)
        await agent.press("enter")
        await agent.stands_on_desk()
        await polled(agent)
        await agent.press("o")
        await agent.sees("✓ agreed", "On 2026-06-30 it is in your queue again.")
        await agent.press_button("Carry out")
        await agent.sees("MFA is off")

    assert "2026-06-30" in (await desk.log(Query(), limit=1)).rows[0].says
