"""Pictures of proving and of the second person, to be looked at by eye when they change.

All that is random is written here: no picture holds a code, a word or a number that ever counted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from helpdesk.domain.actions import TurnOffMfa
from helpdesk.domain.approvals import Approval, payload_hash, payload_of
from helpdesk.domain.cases import Case, Handover
from helpdesk.domain.decisions import Need
from helpdesk.domain.errors import BadInput
from helpdesk.domain.proofs import Asking, Grade, Method, Proof, Way
from helpdesk.service.local import LocalDesk
from helpdesk.tui.app import HelpdeskApp
from helpdesk.tui.dialogs.approving import ApprovalDialog, FiledDialog
from helpdesk.tui.dialogs.proving import Caller, PhoneDialog, VerifyDialog
from tests.tui.console import NOW, Console, demo_desk
from tests.tui.looks import SIZES, looks_the_same

KAVYA = "u188"
OFF = TurnOffMfa(user=KAVYA, reason="Asked for in writing by the owner", ticket="4864")
WAYS = (
    Way(method=Method.CODE, channel="f1", grade=Grade.STRONG, to="•••• 02"),
    Way(method=Method.CALL_BACK, channel="mobile", grade=Grade.STRONG, to="•••• 02"),
    Way(method=Method.ADMINISTRATOR, channel="administrator:u6", grade=Grade.STRONG, to="Priya"),
    Way(method=Method.IN_PERSON, channel="in-person", grade=Grade.STRONG),
    Way(method=Method.CODE, channel="mail", grade=Grade.WEAK, to="k•••@clinica-v.example"),
    Way(
        method=Method.TOTP,
        channel="f9",
        grade=Grade.STRONG,
        not_for="it was changed in the last 72 hours",
    ),
)
PHONE = (
    Handover(
        title="a code read back, asked 14:05:00",
        secret="123456",
        says="The agent says amber, the customer answers falcon.",
    ),
    Handover(title="Authenticator, now", secret="654321", says=""),
)
PROOF = Proof(
    id="p1", user=KAVYA, agent="dana", ticket="4864", method=Method.CODE, grade=Grade.STRONG,
    channel="f1", at=NOW,
)  # fmt: skip
ASKED = Approval(
    id="a1b2c3",
    act="turn-off-mfa",
    user=KAVYA,
    payload=payload_of(OFF),
    sha256=payload_hash(payload_of(OFF)),
    why="it turns the second proof off",
    requester="aoife",
    asked_at=NOW - timedelta(minutes=8),
)
AGREED = Approval(
    id="a1b2c3",
    act="turn-off-mfa",
    user=KAVYA,
    payload=payload_of(OFF),
    sha256=payload_hash(payload_of(OFF)),
    why="it turns the second proof off",
    requester="dana",
    asked_at=NOW - timedelta(minutes=8),
    approver="greta",
    is_granted=True,
    decided_at=NOW - timedelta(minutes=2),
    says="seen the letter",
)
MINE = replace(ASKED, id="d4e5f6", requester="dana", asked_at=NOW - timedelta(minutes=3))


class Waited:
    """A desk in front of another one, at which three requests are known."""

    def __init__(self, desk: LocalDesk) -> None:
        self._desk = desk

    def __getattr__(self, name: str) -> object:
        return getattr(self._desk, name)

    async def approvals(self) -> tuple[Approval, ...]:
        """Give the requests."""
        return (MINE, ASKED, AGREED)


Show = Callable[[HelpdeskApp, LocalDesk, Console], Awaitable[None]]


def caller(case: Case, *, is_right: bool = True) -> Caller:
    """Give a caller of whom nothing is random."""

    async def ways() -> tuple[Way, ...]:
        return WAYS

    async def ask(way: Way) -> Asking:
        return Asking(
            id="p1", user=KAVYA, agent="dana", ticket="4864", method=way.method, grade=way.grade,
            channel=way.channel, at=NOW, words=("amber", "falcon"),
        )  # fmt: skip

    async def answer(asking: Asking, told: str) -> Proof:
        if not is_right:
            raise BadInput("That is not right. After three wrong answers one must ask anew.")
        return PROOF

    async def lacks() -> str:
        return ""

    async def phone(whose: str) -> tuple[Handover, ...]:
        return PHONE

    return Caller(
        case=case, ticket="4864", wish="Turn MFA off", ways=ways, ask=ask, answer=answer,
        lacks=lacks, clock=lambda: NOW, phone=phone,
    )  # fmt: skip


async def ways(app: HelpdeskApp, desk: LocalDesk, agent: Console) -> None:
    app.push_screen(VerifyDialog(caller(await desk.case(KAVYA))))
    await agent.sees("a call back", "proves nothing")


async def asked(app: HelpdeskApp, desk: LocalDesk, agent: Console) -> None:
    await ways(app, desk, agent)
    await agent.press("1")
    await agent.sees("amber", "falcon")


async def wrong(app: HelpdeskApp, desk: LocalDesk, agent: Console) -> None:
    app.push_screen(VerifyDialog(caller(await desk.case(KAVYA), is_right=False)))
    await agent.sees("a call back")
    await agent.press("1")
    await agent.sees("amber")
    await agent.press("1", "enter")
    await agent.sees("2 tries left")


async def proven(app: HelpdeskApp, desk: LocalDesk, agent: Console) -> None:
    await asked(app, desk, agent)
    await agent.press("1", "enter")
    await agent.sees("PROVEN")


async def phone(app: HelpdeskApp, desk: LocalDesk, agent: Console) -> None:
    app.push_screen(PhoneDialog(KAVYA, PHONE))
    await agent.sees("DEMO")


async def second(app: HelpdeskApp, desk: LocalDesk, agent: Console) -> None:
    await request(app, desk, agent, ASKED, is_mine=False)


async def agreed(app: HelpdeskApp, desk: LocalDesk, agent: Console) -> None:
    await request(app, desk, agent, AGREED, is_mine=True)


async def request(
    app: HelpdeskApp, desk: LocalDesk, agent: Console, approval: Approval, *, is_mine: bool
) -> None:
    """Show a request as one of the two sees it."""
    case, weighed = await desk.case(KAVYA), await desk.weigh(OFF)
    dialog = ApprovalDialog(
        approval, case, desk.cards["sms-2fa"], weighed.preview, NOW, is_mine=is_mine,
        can_begin=True,
    )  # fmt: skip
    app.push_screen(dialog)
    await agent.sees("Second person")


async def filed(app: HelpdeskApp, desk: LocalDesk, agent: Console) -> None:
    says = "A second person must agree: it turns the second proof off. Request a1b2c3 waits."
    need = Need(what="second-person", says=says, choices=("a1b2c3",))
    app.push_screen(FiledDialog(OFF, need, await desk.case(KAVYA), "o"))
    await agent.sees("is filed")


@pytest.fixture
def picture(snap_compare: Any, tmp_path: Path) -> Callable[..., bool]:
    """Show something over the approvals and compare it with the picture kept of it."""

    def take(show: Show, size: str, theme: str = "dark") -> bool:
        desk = demo_desk(tmp_path)
        app = HelpdeskApp(desk, theme=theme, clock=lambda: NOW)

        async def walk(agent: Console) -> None:
            await agent.press("4")
            await agent.sees("Nobody waits for a second person")
            await show(app, desk, agent)

        return looks_the_same(snap_compare, app, size, walk)

    return take


@pytest.mark.parametrize("size", ["80x24", "130x34"])
@pytest.mark.parametrize("show", [ways, asked, second], ids=lambda show: show.__name__)
def test_what_is_decided_on_looks_as_it_was_looked_at(
    picture: Callable[..., bool], show: Show, size: str
) -> None:
    assert picture(show, size)


@pytest.mark.parametrize(
    "show", [wrong, proven, phone, agreed, filed], ids=lambda show: show.__name__
)
def test_what_follows_looks_as_it_was_looked_at(picture: Callable[..., bool], show: Show) -> None:
    assert picture(show, "80x24")


@pytest.mark.parametrize("size", SIZES)
def test_the_requests_look_as_they_were_looked_at(
    snap_compare: Any, tmp_path: Path, size: str
) -> None:
    app = HelpdeskApp(Waited(demo_desk(tmp_path)), clock=lambda: NOW)  # type: ignore[arg-type]

    async def walk(agent: Console) -> None:
        await agent.press("4")
        await agent.sees("requests for a second person")

    assert looks_the_same(snap_compare, app, size, walk)


@pytest.mark.parametrize("theme", ["light", "high-contrast", "monochrome"])
def test_it_looks_well_in_every_theme(picture: Callable[..., bool], theme: str) -> None:
    assert picture(asked, "130x34", theme)
