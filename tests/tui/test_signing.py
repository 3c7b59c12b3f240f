"""A new sign-in that is needed while the console runs: asked for in a dialog, then it goes on."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from helpdesk.domain.audit import Result
from helpdesk.domain.errors import GaveUp
from helpdesk.domain.search import Query
from helpdesk.domain.signing import SignInPrompt
from helpdesk.domain.users import FactorState
from helpdesk.fixture.cast import AGENTS
from helpdesk.gateway.devissuer import DevIssuer
from helpdesk.gateway.line import Line
from helpdesk.gateway.remote import RemoteDesk
from helpdesk.gateway.server import Gateway
from helpdesk.reaching import kept_here
from helpdesk.service.desk import Desk
from helpdesk.service.local import LocalDesk
from helpdesk.signing import Signing
from helpdesk.tui.dialogs.act import ActDialog
from helpdesk.tui.dialogs.signing import SignInDialog
from tests.conftest import Clock
from tests.gateway.serving import PLENTY, SomeDesks, free_port, served
from tests.tui.console import NOW, Console, console, demo_desk
from tests.tui.test_proving import SAKURA, way_of
from tests.waiting import PATIENCE_S

OFTEN = pytest.mark.parametrize("size", [(80, 24), (130, 34)], ids=["80x24", "130x34"])
DEVICE = SignInPrompt(
    says="Open the address in a browser on your own computer and type the code.",
    url="https://login.example/device",
    user_code="WDJB-MJHT",
)


class Served:
    """A demo behind a gateway whose issuer tells one-time codes.

    Attributes:
        codes: The newest code of each agent.
        clock: The time of all of them.
        remote: The console's own desk there, signed in as a support agent.
    """

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}
        self.clock = Clock(NOW)
        self.remote: RemoteDesk
        self.dev: DevIssuer

    def tell(self, agent: Any, code: str) -> None:
        """Take note of a code."""
        self.codes[agent.id] = code

    def end_sign_ins(self) -> None:
        """End all sign-ins at the issuer, as an administrator would."""
        for name in list(self.dev.grants._sign_ins):
            self.dev.grants.end(name)

    async def resets(self) -> list[str]:
        """Give what the log says of resets."""
        rows = (await self.remote.log(Query(), limit=40)).rows
        return [row.result.value for row in rows if row.act == "reset-factor"]


@pytest.fixture
async def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """Sign in at the gateway of a demo in the terminal, as a console does before it opens."""
    found, listener = Served(), free_port()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    found.dev = DevIssuer(
        f"{url}/issuer", AGENTS, tell=found.tell, clock=lambda: found.clock().timestamp()
    )

    def open_as(who: str) -> LocalDesk:
        return demo_desk(tmp_path, who, is_gated=True, clock=found.clock)

    desks = SomeDesks(open_as)
    made = Gateway(
        desks,
        found.dev.tokens(),
        allowance=PLENTY,
        now=found.clock,
        pages=[found.dev.router()],
        described=found.dev.issuer.described(url),
    )
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{found.codes['dana']}\n"))
    with contextlib.ExitStack() as stack:
        stack.callback(desks.close)
        stack.enter_context(served(made.app(), listener))
        bearer = Signing(url, None, None, lambda: found.clock().timestamp())
        found.remote = await asyncio.to_thread(RemoteDesk, Line(url, bearer))
        stack.callback(found.remote.close)
        yield found


async def reset(agent: Console, far: Served) -> None:
    """Press the keys from the line to a reset with proof, its own button pressed."""
    await agent.find("sakura.takahashi", SAKURA)
    await agent.press("r")
    await agent.sees("needs a ticket")
    await agent.type("lost her phone")
    await agent.loses("Say what the ticket is about")
    await agent.confirm()
    await agent.sees("Reset one factor", "Prove the caller first")
    await agent.press("1", "1", "v")
    await agent.sees("Verify the caller", "proves nothing: it is the very factor")
    await agent.press(way_of(agent, "a code read back"))
    await agent.sees("the caller reads back")
    shown = [one for one in await far.remote.phone(SAKURA) if one.says]
    await agent.type(shown[-1].secret)
    await agent.press("enter")
    await agent.sees("PROVEN by a code read back")
    await agent.press("enter")
    await agent.until(lambda: agent.focused == "field-word", "the ticket's end")
    await agent.loses("Prove the caller first")
    await agent.type((await far.remote.case(SAKURA)).open_tickets[0].id[-4:])
    await agent.loses("Type the last four")
    await agent.confirm()
    await asked(agent)


async def asked(agent: Console) -> None:
    """Wait until the console asks for a sign-in."""
    await agent.until(lambda: asks(agent), "the question for a sign-in")
    await agent.sees("Sign in again")


def asks(agent: Console) -> bool:
    """Whether the console asks for a sign-in."""
    return isinstance(agent.app.screen, SignInDialog)


async def sign_in(agent: Console, far: Served) -> str:
    """Type the newest code that the issuer told; give it."""
    code = far.codes["dana"]
    await agent.type(code)
    await agent.press("enter")
    return code


async def test_a_reset_asks_for_a_new_sign_in_and_then_goes_on_by_itself(far: Served) -> None:
    far.clock.go_on(minutes=10)
    async with console(far.remote, clock=far.clock) as agent:
        await reset(agent, far)
        before = await far.resets()

        code = await sign_in(agent, far)
        await agent.sees("Reset: ")

        assert code not in agent.text
    states = [one.state for one in (await far.remote.case(SAKURA)).user.factors]
    assert before.count(Result.DONE.value) == 0
    assert (await far.resets()).count(Result.DONE.value) == 1
    assert states == [FactorState.REMOVED, FactorState.ACTIVE]


async def test_who_gives_up_the_sign_in_has_done_nothing_and_may_try_again(far: Served) -> None:
    far.clock.go_on(minutes=10)
    async with console(far.remote, clock=far.clock) as agent:
        await reset(agent, far)

        await agent.press("escape")
        await agent.sees("You did not sign in: nothing was done.")

        assert isinstance(agent.app.screen, ActDialog)
        assert Result.DONE.value not in await far.resets()
        await agent.press("escape")
        await agent.stands_on_desk()
        await agent.find("imogen.ng", "u84")


async def test_while_the_agent_is_asked_for_one_act_the_console_goes_on(far: Served) -> None:
    far.clock.go_on(minutes=10)
    async with console(far.remote, clock=far.clock) as agent:
        await reset(agent, far)

        found = await asyncio.wait_for(far.remote.queue(), PATIENCE_S)

        assert found.total > 0
        assert far.remote.freshness.is_live
        assert asks(agent)
        await agent.press("escape")
        await agent.sees("nothing was done")


async def test_a_reset_over_a_kept_desk_waits_for_the_sign_in_too(far: Served) -> None:
    far.clock.go_on(minutes=10)
    kept: Desk = await asyncio.to_thread(kept_here, far.remote, "https://desk.example")
    async with console(kept, clock=far.clock) as agent:
        await reset(agent, far)

        await sign_in(agent, far)
        await agent.sees("Reset: ")

    assert (await far.resets()).count(Result.DONE.value) == 1


async def test_a_sign_in_that_was_ended_is_asked_for_once_and_all_goes_on(far: Served) -> None:
    async with console(far.remote, clock=far.clock) as agent:
        far.end_sign_ins()
        asking = [asyncio.ensure_future(far.remote.queue()) for _ in range(3)]
        await asked(agent)
        asking[0].cancel()  # who asked first leaves: the dialog stays

        await sign_in(agent, far)
        found = await asyncio.gather(*asking[1:])

        assert all(page.total > 0 for page in found)
        await agent.stands_on_desk()


async def test_who_gives_up_is_left_alone_and_every_question_has_its_answer(far: Served) -> None:
    async with console(far.remote, clock=far.clock) as agent:
        far.end_sign_ins()
        asking = [asyncio.ensure_future(far.remote.queue()) for _ in range(3)]
        await asked(agent)

        await agent.press("escape")
        ended = await asyncio.gather(*asking, return_exceptions=True)
        later = await asyncio.gather(far.remote.queue(), return_exceptions=True)

        assert [type(one) for one in (*ended, *later)] == [GaveUp] * 4
        assert "asked again in half a minute" in str(later[0])
        await agent.stands_on_desk()
        far.clock.go_on(seconds=31)
        await asked(agent)


async def test_who_quits_while_asked_leaves_no_question_waiting(far: Served) -> None:
    async with console(far.remote, clock=far.clock) as agent:
        far.end_sign_ins()
        asking = [asyncio.ensure_future(far.remote.queue()) for _ in range(2)]
        await asked(agent)

        agent.app.exit()
    ended = await asyncio.wait_for(asyncio.gather(*asking, return_exceptions=True), PATIENCE_S)

    assert [type(one) for one in ended] == [GaveUp] * 2


async def test_a_sign_in_elsewhere_closes_its_dialog_by_itself(
    demo: Callable[..., LocalDesk],
) -> None:
    async with console(demo()) as agent:
        app: Any = agent.app
        asking = asyncio.ensure_future(app.ask_sign_in(DEVICE))
        await agent.sees("Sign in again", DEVICE.url, DEVICE.user_code, "somebody sent you")

        asking.cancel()

        await agent.stands_on_desk()


async def test_what_was_typed_before_the_dialog_heard_gives_nothing_up(
    demo: Callable[..., LocalDesk], guarded: float
) -> None:
    prompt = SignInPrompt(says="Type the code.", wants_code=True)
    async with console(demo()) as agent:
        app: Any = agent.app
        asking = asyncio.ensure_future(app.ask_sign_in(prompt))
        await agent.until(lambda: asks(agent), "the dialog")

        await agent.press("x", "escape", "enter")

        assert guarded > 0
        assert asks(agent)
        assert agent.app.screen.query_one(Input).value == ""
        asking.cancel()
        await agent.stands_on_desk()


@OFTEN
@pytest.mark.parametrize("prompt", [DEVICE, SignInPrompt(says="Type it.", wants_code=True)])
async def test_the_dialog_fits_with_all_its_buttons(
    demo: Callable[..., LocalDesk], size: tuple[int, int], prompt: SignInPrompt
) -> None:
    async with console(demo(), size=size) as agent:
        app: Any = agent.app
        asking = asyncio.ensure_future(app.ask_sign_in(prompt))

        await agent.sees("Sign in again", "Give up", "Escape gives up: nothing is done.")

        asking.cancel()
        await agent.stands_on_desk()
