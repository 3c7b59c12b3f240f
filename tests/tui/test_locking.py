"""A console that was left alone: it shows nobody, keeps nobody, and wants a new sign-in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from helpdesk.domain.actions import EndSessions, Note
from helpdesk.domain.offline import PURGED_AFTER, State
from helpdesk.domain.search import Query
from helpdesk.domain.signing import SignInPrompt
from helpdesk.reaching import kept_here
from helpdesk.service.desk import Desk
from helpdesk.service.local import LocalDesk
from helpdesk.service.offline import OfflineDesk
from helpdesk.stores.replica import Replica
from helpdesk.tui.app import HelpdeskApp
from helpdesk.tui.dialogs.pages import PageDialog
from helpdesk.tui.screens.curtain import Curtain
from tests.service.cut import CutLine
from tests.tui.console import Console, demo_desk
from tests.tui.test_offline import Time
from tests.tui.test_signing import Served, far, sign_in  # noqa: F401  (a fixture)

MAYA = "Maya Okafor"
LOCK_S = 15 * 60.0


@contextlib.asynccontextmanager
async def console(
    desk: Desk, clock: Callable[[], Any], size: tuple[int, int] = (130, 34), **more: Any
) -> AsyncIterator[Console]:
    """Open the console with an idle lock."""
    app = HelpdeskApp(desk, clock=clock, lock_s=more.pop("lock_s", LOCK_S), **more)
    async with app.run_test(size=size, notifications=True) as pilot:
        opened = Console(pilot)
        await opened.settles()
        yield opened


class Set:
    """A console on a desk behind a line that can be cut."""

    def __init__(self, place: Path) -> None:
        self.time = Time()
        self.line = CutLine(demo_desk(place, clock=self.time))
        self.directory = place / "replica"
        self.desk = self.another()

    def another(self) -> OfflineDesk:
        """Give another console on the same directory."""
        desk = OfflineDesk(self.line, Replica(self.directory), self.time)
        desk.patience_s = 5.0
        return desk

    @property
    def kept(self) -> bytes:
        """All that lies on this machine."""
        return b"".join(file.read_bytes() for file in self.directory.iterdir())


@pytest.fixture
async def there(tmp_path: Path) -> Set:
    found = Set(tmp_path)
    await found.desk.open()
    return found


async def leave_alone(agent: Console, time: Any, **span: float) -> None:
    """Let time pass without a key, and let the console look."""
    time.now += timedelta(**span)
    agent.app.look_whether_alone()  # type: ignore[attr-defined]
    await agent.settles()


def is_locked(agent: Console) -> bool:
    return isinstance(agent.app.screen, Curtain)


def signed_out(far: Served) -> bool:  # noqa: F811
    """Whether every sign-in was ended at the issuer."""
    return all(one.is_ended for one in far.dev.grants._sign_ins.values())


@pytest.mark.parametrize("size", [(80, 24), (130, 34), (60, 15)])
async def test_left_alone_it_shows_and_keeps_nobody(there: Set, size: tuple[int, int]) -> None:
    async with console(there.desk, there.time, size) as agent:
        await agent.find("maya okafor", "u1")
        await agent.until(lambda: MAYA.encode() in there.kept, "her case on this machine")
        agent.app.notify("Somebody new", title=MAYA)

        await leave_alone(agent, there.time, minutes=15)
        await agent.until(lambda: is_locked(agent), "the curtain")
        await agent.sees("Locked", "Nobody pressed a key for 15 min.", "Enter", "Ctrl+Q")
        await agent.until(lambda: MAYA.encode() not in there.kept, "an empty replica")
        agent.app.notify("Another one", title=MAYA)
        await agent.settles()

        assert "Maya" not in agent.text
        assert "u1" not in agent.text
        assert [type(one) for one in agent.app.screen_stack] == [Curtain]
        assert list(agent.app._screen_stacks) == ["curtain"]


async def test_what_a_place_opens_while_the_curtain_falls_goes_with_it(there: Set) -> None:
    async with console(there.desk, there.time) as agent:
        app: Any = agent.app

        async def open_late() -> None:
            while not app.is_locked:
                await asyncio.sleep(0)
            await app.push_screen_wait(PageDialog(MAYA, []))

        app.screen.run_worker(open_late(), exit_on_error=False)
        await agent.settles()

        await leave_alone(agent, there.time, minutes=15)
        await agent.until(lambda: is_locked(agent), "the curtain alone")

        assert [type(one) for one in app.screen_stack] == [Curtain]


async def test_a_key_in_time_keeps_it_open(there: Set) -> None:
    async with console(there.desk, there.time) as agent:
        await leave_alone(agent, there.time, minutes=14)
        await agent.press("down")
        await leave_alone(agent, there.time, minutes=14)

        assert not is_locked(agent)


async def test_where_it_is_turned_off_it_stays_open(there: Set) -> None:
    async with console(there.desk, there.time, lock_s=0.0) as agent:
        await leave_alone(agent, there.time, hours=3)

        assert not is_locked(agent)


async def test_a_desk_of_this_machine_stays_open(demo: Callable[..., LocalDesk]) -> None:
    time = Time()
    async with console(demo(), time) as agent:
        await leave_alone(agent, time, hours=3)

        assert not is_locked(agent)


async def test_what_was_typed_into_dialogs_is_gone(there: Set) -> None:
    async with console(there.desk, there.time) as agent:
        await agent.find("maya okafor", "u1")
        await agent.press("n")
        await agent.sees("Write the note.")
        await agent.type("her secret")
        app: Any = agent.app
        asking = asyncio.ensure_future(
            app.ask_sign_in(SignInPrompt(says="Type the code.", wants_code=True))
        )
        await agent.sees("Sign in again")
        await agent.type("123456")

        await leave_alone(agent, there.time, minutes=15)
        await agent.until(lambda: is_locked(agent), "the curtain")
        ended = await asyncio.gather(asking, return_exceptions=True)
        await agent.press("enter")
        await agent.stands_on_desk()
        await agent.sees("in your queue")

        assert [type(one).__name__ for one in ended] == ["GaveUp"]
        assert "her secret" not in agent.text
        assert "secret" not in str(there.kept)


async def test_an_answer_that_comes_after_the_lock_is_not_kept(there: Set) -> None:
    async with console(there.desk, there.time) as agent:
        await agent.settles()
        there.desk.patience_s = 0.0
        there.line.gate.clear()
        asking = asyncio.ensure_future(there.desk.case("u1"))
        await leave_alone(agent, there.time, minutes=15)
        await agent.until(lambda: is_locked(agent), "the curtain")
        await agent.until(lambda: b'"queue"' not in there.kept, "an empty replica")

        there.line.gate.set()
        await asyncio.gather(asking, return_exceptions=True)
        await there.desk.settle()

        assert MAYA.encode() not in there.kept


async def test_what_waits_and_what_is_unknown_lose_their_words_by_a_lock(there: Set) -> None:
    async with console(there.desk, there.time):
        await there.desk.case("u1")
        there.line.loses = 1
        with contextlib.suppress(Exception):
            await there.desk.perform(EndSessions(user="u1"))
        there.line.is_cut = True
        await there.desk.perform(Note(user="u1", text="Maya Okafor wants a call"))

        await there.desk.lock()

        assert {one.state for one in there.desk.wishes} == {State.EXPIRED, State.UNKNOWN}
        assert MAYA.encode() not in there.kept


async def test_the_agent_signs_in_anew_and_goes_on(
    far: Served,  # noqa: F811
    tmp_path: Path,
) -> None:
    kept: Any = await asyncio.to_thread(kept_here, far.remote, "https://desk.example")
    async with console(kept, far.clock) as agent:
        await agent.find("maya okafor", "u1")
        far.clock.go_on(minutes=15)
        agent.app.look_whether_alone()  # type: ignore[attr-defined]
        await agent.until(lambda: is_locked(agent), "the curtain")
        await agent.until(lambda: signed_out(far), "the end of the sign-in")
        asked = await asyncio.gather(far.remote.find(Query()), return_exceptions=True)

        await agent.press("enter")
        await agent.sees("Sign in again")
        await agent.press("escape")
        await agent.sees("You did not sign in: nothing was done.", "Locked")
        assert "Maya" not in agent.text
        await agent.press("enter")
        await agent.sees("Sign in again")
        await sign_in(agent, far)
        await agent.sees("in your queue")

        assert [type(one).__name__ for one in asked] == ["GaveUp"]
        await agent.find("maya okafor", "u1")


async def test_somebody_else_does_not_lift_the_curtain(far: Served) -> None:  # noqa: F811
    kept: Any = await asyncio.to_thread(kept_here, far.remote, "https://desk.example")
    async with console(kept, far.clock) as agent:
        agent.app.lock_up()  # type: ignore[attr-defined]
        await agent.until(lambda: is_locked(agent), "the curtain")
        await agent.until(lambda: signed_out(far), "the end of the sign-in")

        await agent.press("enter")
        await agent.sees("Sign in again")
        await agent.type(far.codes["greta"])
        await agent.press("enter")

        await agent.sees("You signed in as greta", "Locked")
        await agent.until(lambda: signed_out(far), "the end of that sign-in too")


async def test_what_is_too_old_goes_while_every_question_hangs(there: Set) -> None:
    async with console(there.desk, there.time, lock_s=0.0) as agent:
        await agent.find("maya okafor", "u1")
        await agent.until(lambda: MAYA.encode() in there.kept, "her case on this machine")
        there.line.gate.clear()

        await leave_alone(agent, there.time, seconds=PURGED_AFTER.total_seconds())

        await agent.until(lambda: MAYA.encode() not in there.kept, "an empty replica")
