"""Every dialog is seen for eight tenths of a second before a key or a click counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from helpdesk.domain.cases import Handover
from helpdesk.domain.decisions import Need
from helpdesk.domain.diagnosis.verdicts import Question, Reply, Verdict
from helpdesk.domain.offline import State, Wish
from helpdesk.domain.search import Query
from helpdesk.domain.signing import SignInPrompt
from helpdesk.domain.training.scoring import Score
from helpdesk.service.local import LocalDesk
from helpdesk.tui.dialogs.act import ActDialog
from helpdesk.tui.dialogs.approving import ApprovalDialog, FiledDialog
from helpdesk.tui.dialogs.asking import AskDialog
from helpdesk.tui.dialogs.drift import DriftDialog
from helpdesk.tui.dialogs.ending import CauseDialog, DebriefDialog, SayDialog
from helpdesk.tui.dialogs.event import EventDialog
from helpdesk.tui.dialogs.guarded import Dialog, Guarded
from helpdesk.tui.dialogs.outbox import OutboxDialog
from helpdesk.tui.dialogs.pages import (
    HandoverDialog,
    MoreDialog,
    PageDialog,
    ReasonsDialog,
    RefusedDialog,
)
from helpdesk.tui.dialogs.proving import PhoneDialog, VerifyDialog
from helpdesk.tui.dialogs.signing import SignInDialog
from tests.tui.console import AGES_S, NOW, Console, console, hears_now
from tests.tui.test_approvals import KAVYA, OFF, ask_as

Demo = Callable[..., LocalDesk]
Opens = Callable[[Console, LocalDesk], Awaitable[None]]
MAYA, IMOGEN = "u1", "u84"


def by_key(words: str, user: str, key: str) -> Opens:
    """Open it as an agent does: search, Enter, one key."""

    async def opens(agent: Console, desk: LocalDesk) -> None:
        await agent.find(words, user)
        await agent.settles()
        await agent.press(key)

    return opens


async def asked(agent: Console, desk: LocalDesk) -> None:
    """Ask the caller something."""
    later = Reply(id="later", text="later")
    question = Question(pair="D1/D2", text="When did it come?", lacks="when", replies=(later,))
    agent.app.push_screen(AskDialog(await desk.case(MAYA), Verdict(ask=question), ()))


async def handed_over(agent: Console, desk: LocalDesk) -> None:
    """Show a secret that never was one."""
    handover = Handover(title="Temporary pass", secret="0000", says="Read it out once.")
    agent.app.push_screen(HandoverDialog(handover, NOW))


async def on_the_telephone(agent: Console, desk: LocalDesk) -> None:
    """Show the demo telephone with nothing on it."""
    agent.app.push_screen(PhoneDialog("Maya Okafor", ()))


async def waiting(agent: Console, desk: LocalDesk) -> None:
    """Show a wish that is on its way."""
    wish = Wish(key="k" * 20, agent="dana", title="Note", user=MAYA, at=NOW, state=State.QUEUED)
    agent.app.push_screen(OutboxDialog([wish], NOW))


async def at_length(agent: Console, desk: LocalDesk) -> None:
    """Show a page whose keys can be pressed there."""
    agent.app.push_screen(MoreDialog("Why", [], frozenset({"q"})))


async def signing_in(agent: Console, desk: LocalDesk) -> None:
    """Ask for the one-time code of a new sign-in."""
    says = "Type the code that the desk said."
    agent.app.push_screen(SignInDialog(SignInPrompt(says=says, wants_code=True)))


async def filed(agent: Console, desk: LocalDesk) -> None:
    """Say that a colleague is asked."""
    need = Need(what="second-person", says="A second person must agree.", choices=("a1",))
    agent.app.push_screen(FiledDialog(OFF, need, await desk.case(KAVYA), "o"))


async def told(agent: Console, desk: LocalDesk) -> None:
    """Ask for the words to a customer of a rehearsal."""
    agent.app.push_screen(SayDialog())


async def hung_up(agent: Console, desk: LocalDesk) -> None:
    """Ask what it was, at the end of a rehearsal."""
    agent.app.push_screen(CauseDialog([("D2", "superseded by a newer code")]))


async def debriefed(agent: Console, desk: LocalDesk) -> None:
    """Show the marks of a rehearsal."""
    score = Score(
        scenario="call",
        sha256="",
        title="A call",
        difficulty=1,
        marks=(),
        cause="D2",
        named="D2",
        seconds=60,
        points_out="Use only the newest.",
    )
    agent.app.push_screen(DebriefDialog(score, ()))


async def agreed_to(agent: Console, desk: LocalDesk) -> None:
    """Show a request that may be carried out by one key."""
    await agent.press("4")
    await agent.sees("✓ carry it out")
    await agent.press("enter")


OPENED: dict[type[Guarded[Any]], Opens] = {
    ActDialog: by_key("imogen.ng", IMOGEN, "e"),
    ApprovalDialog: agreed_to,
    AskDialog: asked,
    CauseDialog: hung_up,
    DebriefDialog: debriefed,
    DriftDialog: by_key("imogen.ng", IMOGEN, "d"),
    EventDialog: by_key("okafor", MAYA, "E"),
    FiledDialog: filed,
    HandoverDialog: handed_over,
    MoreDialog: at_length,
    OutboxDialog: waiting,
    PageDialog: by_key("okafor", MAYA, "c"),
    PhoneDialog: on_the_telephone,
    ReasonsDialog: by_key("okafor", MAYA, "i"),
    RefusedDialog: by_key("okafor", MAYA, "R"),
    SayDialog: told,
    SignInDialog: signing_in,
    VerifyDialog: by_key("imogen.ng", IMOGEN, "v"),
}


def kinds(of: type[Dialog[Any]]) -> Iterator[type[Dialog[Any]]]:
    """Give all dialogs that are opened as they are, from the one they all come from."""
    for kind in of.__subclasses__():
        if kind.__module__ != Guarded.__module__:
            yield kind
        yield from kinds(kind)


def test_every_dialog_there_is_stands_in_the_table() -> None:
    assert set(kinds(Dialog)) == set(OPENED)


@pytest.mark.parametrize("kind", OPENED, ids=lambda kind: kind.__name__)
async def test_a_dialog_is_seen_before_a_key_or_a_click_counts(
    kind: type[Guarded[Any]], demo: Demo, guarded: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kind.guard_s >= 0.8
    monkeypatch.setattr(Guarded, "guard_s", AGES_S)  # however slow the machine of the test is
    manager = demo("aoife")
    if kind is ApprovalDialog:
        await demo("greta").approve(await ask_as(manager), is_granted=True)
    desk = manager if kind in {ApprovalDialog, FiledDialog} else demo()
    async with console(desk) as agent:
        before = (await desk.log(Query())).total
        await OPENED[kind](agent, desk)
        await agent.until(lambda: type(agent.app.screen) is kind, kind.__name__)
        dialog = agent.app.screen
        assert isinstance(dialog, Guarded)

        await agent.press("1", "tab", "enter", "w", "f9", "escape", "enter")
        await agent.pilot.click("#cancel")

        assert dialog.is_deaf
        assert agent.app.screen is dialog
        assert (await desk.log(Query())).total == before
        hears_now(dialog)
        await agent.press("escape")
        await agent.until(lambda: agent.app.screen is not dialog, "its end")
