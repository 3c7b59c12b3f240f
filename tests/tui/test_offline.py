"""The console on a line that breaks: how old it is, what waits, and what the agent decides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from helpdesk.domain.actions import CloseTicket, TakeTicket
from helpdesk.domain.offline import State
from helpdesk.service.local import LocalDesk
from helpdesk.service.offline import OfflineDesk
from helpdesk.stores.replica import Replica
from helpdesk.tui.dialogs.outbox import OutboxDialog
from tests.service.cut import CutLine
from tests.tui.console import NOW, Console, console, demo_desk

MAYA, TICKET = "u1", "4821"


class Time:
    """A time that goes on when told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> Any:
        return self.now


class Set:
    """A console on a desk behind a line.

    Attributes:
        line: The line, to be cut.
        desk: What the console works on.
        colleague: The desk itself, as somebody else.
        time: The time of all of them.
    """

    def __init__(self, place: Path) -> None:
        self.time = Time()
        self.place = place
        self.line = CutLine(demo_desk(place, clock=self.time))
        self.desk = OfflineDesk(self.line, Replica(place / "replica"), self.time)
        self.desk.patience_s = 5.0
        self.colleague = demo_desk(place, "greta", clock=self.time)

    @asynccontextmanager
    async def console(self, **more: Any) -> AsyncIterator[Console]:
        """Open it."""
        await self.desk.open()
        async with console(self.desk, clock=self.time, **more) as agent:
            yield agent


@pytest.fixture
def there(tmp_path: Path) -> Set:
    return Set(tmp_path)


async def fails(there: Set, agent: Console) -> None:
    """Cut the line, and let the console notice."""
    there.line.is_cut = True
    await agent.press("ctrl+r")
    await agent.sees("not live")


async def look(agent: Console) -> None:
    """Let the console look at once at how the line stands."""
    agent.app.stand()  # type: ignore[attr-defined]
    await agent.settles()


async def conflict(there: Set, agent: Console) -> str:
    """Close a ticket offline that a colleague takes meanwhile; give its number."""
    case = await there.desk.case("u188")
    number = case.open_tickets[0].id
    await fails(there, agent)
    await there.desk.perform(CloseTicket(user="u188", ticket=number))
    await there.colleague.perform(TakeTicket(user="u188", ticket=number))
    there.line.is_cut = False
    await there.desk.tend()
    await look(agent)
    return number


@pytest.mark.parametrize("size", [(80, 24), (130, 34)])
async def test_the_header_says_how_old_it_is_and_says_nothing_when_it_is_live(
    there: Set, size: tuple[int, int]
) -> None:
    async with there.console(size=size) as agent:
        live = agent.lines[0]
        await fails(there, agent)
        down = agent.lines[0]
        there.time.now += timedelta(minutes=15)
        await look(agent)
        old, banner = agent.lines[0], agent.lines[1]
        there.line.is_cut = False
        await agent.press("ctrl+r")
        await agent.loses("read only")

        assert "as of" not in live
        assert "as of 14:05, not live" in down
        assert "DEMO DATA" in down
        assert "as of 14:05, read only" in old
        assert "nothing can be changed" in banner
        assert "as of" not in agent.lines[0]


async def test_a_note_written_offline_waits_and_is_told_when_it_is_sent(
    there: Set, demo: Callable[..., LocalDesk]
) -> None:
    async with there.console() as agent:
        await agent.sees("in your queue")
        user = agent.case_user
        await fails(there, agent)
        await agent.press("n")
        await agent.sees("Write the note.")
        await agent.type("Called back, no answer.")
        await agent.press_button("Note")
        await agent.stands_on_desk()
        await look(agent)
        await agent.sees("1 waits to be sent.")
        there.line.is_cut = False
        await there.desk.tend()
        await look(agent)
        await agent.sees("Note: ✓ done. Called back, no answer.")
        await agent.loses("waits to be sent")

    assert [one.state for one in there.desk.wishes] == [State.DONE]
    assert there.desk.wishes[0].user == user


async def test_what_must_not_wait_says_so_before_anything_is_typed(there: Set) -> None:
    async with there.console() as agent:
        await agent.find("#4864", "u188")
        await fails(there, agent)
        await agent.press("p")

        await agent.sees("never left for later", "on the line")

    assert there.desk.wishes == ()


async def test_an_urgent_act_that_waits_is_loud_in_every_place(there: Set) -> None:
    async with there.console(size=(80, 24)) as agent:
        user = agent.case_user
        await fails(there, agent)
        await agent.press("e")
        await agent.settles()
        if agent.app.screen.is_modal:
            await agent.press_button("End sessions")
        await look(agent)
        await agent.sees(
            f"NOT DONE YET: End sessions on {user}; tried until 14:15. Call a colleague."
        )
        for key in ("2", "5", "1"):
            await agent.press(key)
            await look(agent)
            assert "NOT DONE YET" in agent.lines[1]
        there.time.now += timedelta(minutes=10)
        await there.desk.tend()
        await look(agent)
        await agent.sees("1 expired. ! shows it")


async def test_a_conflict_shows_both_sides_and_goes_on_when_told_to(there: Set) -> None:
    async with there.console() as agent:
        number = await conflict(there, agent)
        await agent.sees("1 in conflict. ! shows it")
        await agent.press("!")
        await agent.sees(
            "Not settled: 1 of 1", "Close ticket", "u188", "≠ not as it was",
            "you saw 14:05", "it is", f"#{number} whose", "greta", "you want",
        )  # fmt: skip
        assert isinstance(agent.app.screen, OutboxDialog)
        assert agent.focused == "cancel"
        await agent.press_button("Do it all the same")
        await agent.until(lambda: there.desk.wishes[0].state is State.DONE, "its end")
        await look(agent)
        await agent.sees("Close ticket: ✓ done.")
        await agent.loses("in conflict")


async def test_a_conflict_is_let_go_of(there: Set) -> None:
    async with there.console() as agent:
        await conflict(there, agent)
        await agent.press("!")
        await agent.sees("Not settled")
        await agent.press_button("Let go")
        await agent.sees("Nothing waits: all is settled.")

    assert there.desk.wishes == ()


async def test_a_lost_answer_closes_the_dialog_and_is_asked_for(there: Set) -> None:
    there.line.swallows = 1
    async with there.console() as agent:
        await agent.sees("in your queue")
        await agent.press("n")
        await agent.sees("Write the note.")
        await agent.type("Called back.")
        await agent.press_button("Note")
        await agent.stands_on_desk()
        await agent.sees("The line broke before the desk answered")
        await look(agent)
        await agent.sees("1 not known whether done. ! shows it")
        await agent.press("!")
        await agent.sees("? not known whether done", "Ask now")
        assert not agent.app.screen.query_one("#let-go").display
        there.time.now += timedelta(minutes=2)
        await agent.press_button("Ask now")
        await agent.sees("never arrived: not done")


async def test_what_a_colleague_does_comes_by_itself_and_moves_nothing(there: Set) -> None:
    async with there.console() as agent:
        await agent.press("down", "down")
        await agent.settles()
        user, focus = agent.case_user, agent.focused
        number = (await there.colleague.case(user)).open_tickets[0].id
        assert "with greta" not in agent.flat
        await there.colleague.perform(TakeTicket(user=user, ticket=number))

        await agent.sees("with greta")

        assert (agent.case_user, agent.focused) == (user, focus)


async def test_keys_answer_while_the_line_hangs(there: Set) -> None:
    async with there.console() as agent:
        await agent.settles()
        there.desk.patience_s = 0.05
        there.line.gate.clear()
        await agent.press("down")
        await agent.press("2")
        await agent.sees("2 Loops")
        await agent.press("1", "slash")
        await agent.type("maya")
        await agent.until(lambda: agent.focused == "search", "the search")
        await agent.sees("asking")
        there.line.gate.set()
        await agent.loses("asking")


async def test_locking_forgets_everybody_and_quits(there: Set, tmp_path: Path) -> None:
    async with there.console() as agent:
        await agent.settles()
        name = (await there.desk.case(agent.case_user)).user.name
        await agent.press("ctrl+l")
        await agent.until(lambda: not agent.app.is_running or agent.app._exit, "the end")

    kept = b"".join(file.read_bytes() for file in (tmp_path / "replica").iterdir())
    assert name.encode() not in kept


async def test_on_a_desk_of_this_machine_nothing_waits(demo: Callable[..., LocalDesk]) -> None:
    async with console(demo()) as agent:
        await agent.press("!")
        await agent.sees("Nothing waits: all is settled.")
        await agent.press("ctrl+l")
        await agent.sees("there is no copy to forget")

        assert not agent.app.screen.query_one("#banner").display
