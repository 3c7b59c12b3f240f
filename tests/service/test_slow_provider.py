"""A provider that takes its time keeps nobody from working but on the very same user."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from helpdesk.domain.actions import EndSessions, Note, ResetAll, TakeTicket
from helpdesk.domain.audit import Result
from helpdesk.domain.diagnosis.drift import Drift, DriftState
from helpdesk.domain.errors import (
    BadInput,
    BrokeOff,
    NotFound,
    StillRunning,
    Unreachable,
    Unsettled,
)
from helpdesk.domain.holds import Ending, Hold
from helpdesk.domain.proofs import Asking, Method
from helpdesk.domain.search import Query
from helpdesk.domain.users import Factor, User
from helpdesk.service.beginning import is_lost
from helpdesk.service.local import LocalDesk
from helpdesk.stores.tinyfile import TinyFile
from tests.conftest import Clock
from tests.connectors.elsewhere import Elsewhere
from tests.desks import provider_desk

KEY = "k-0123456789abcdef"
Opened = Callable[..., LocalDesk]


class Slow(Elsewhere):
    """Ends sessions when it is let; meanwhile it says so.

    Attributes:
        doing: Whose sessions it ends just now.
        done: Whose it ended, in order.
        error: What it answers, once.
    """

    takes_part = False

    def __init__(self, file: TinyFile) -> None:
        super().__init__(file)
        self.gates: dict[str, asyncio.Event] = {}
        self.doing: list[str] = []
        self.done: list[str] = []
        self.asked = 0
        self.error: Exception | None = None

    def shut(self, user: str) -> asyncio.Event:
        self.gates[user] = asyncio.Event()
        return self.gates[user]

    async def end_sessions(self, user: User, now: datetime) -> None:
        self.doing.append(user.id)
        try:
            if user.id in self.gates:
                await self.gates[user.id].wait()
            if self.error is not None:
                raise self.error
            self.done.append(user.id)
        finally:
            self.doing.remove(user.id)

    async def reset(self, user: User, factors: tuple[Factor, ...], now: datetime) -> None:
        await self.end_sessions(user, now)

    async def ask_proof(self, person: User, asking: Asking, now: datetime) -> None:
        await self.end_sessions(person, now)

    async def check_proof(self, person: User, asking: Asking, told: str, now: datetime) -> bool:
        await self.end_sessions(person, now)
        return told == "right"

    async def drift(
        self,
        user: User,
        factor: Factor,
        codes: Sequence[str],
        now: datetime,
        others_s: Sequence[float],
    ) -> Drift:
        await self.end_sessions(user, now)
        return Drift(state=DriftState.RIGHT, says="The code is right.", offset_s=0)

    async def timeline(self, user: str) -> tuple:  # type: ignore[type-arg]
        self.asked += 1
        return await super().timeline(user)

    async def is_at(self, user: str) -> None:
        """Wait until it acts on a user."""
        while user not in self.doing:
            await asyncio.sleep(0.005)


@pytest.fixture
def provider(sample_file: Path, clock: Clock) -> Slow:
    return Slow(TinyFile(sample_file, clock))


@pytest.fixture
def opened(provider: Slow, clock: Clock, places: Path) -> Opened:
    """Open a console of its own on one record."""

    def open_as(who: str = "support", **more: object) -> LocalDesk:
        record = places / "own" / "north.json"
        return provider_desk(provider, record, clock, places / "keys", who, is_gated=False, **more)

    return open_as


async def rows(desk: LocalDesk) -> list[tuple[str, str, Result]]:
    """What was done, newest first."""
    found = (await desk.log(Query())).rows
    return [(row.user, row.act, row.result) for row in found]


@pytest.mark.parametrize("who", ["support", "lead"])
async def test_other_users_acts_and_reads_go_on_meanwhile(
    opened: Opened, provider: Slow, who: str
) -> None:
    desk = opened()
    other = desk if who == "support" else opened(who)
    gate = provider.shut("u1")
    slow = asyncio.create_task(desk.perform(EndSessions(user="u1")))
    await provider.is_at("u1")

    ended = await other.perform(EndSessions(user="u2"))
    noted = await other.perform(Note(user="u1", text="waits on the phone"))
    case = await other.case("u1")
    found = await other.find(Query(words=("ada",)))

    assert not slow.done()
    assert ended.says.startswith("Open sessions ended")
    assert (noted.says, case.user.id, found.total) == ("waits on the phone", "u1", 1)
    gate.set()
    await slow
    assert await rows(opened()) == [
        ("u1", "end-sessions", Result.DONE),
        ("u1", "note", Result.DONE),
        ("u2", "end-sessions", Result.DONE),
    ]


@pytest.mark.parametrize("who", ["support", "lead"])
async def test_two_acts_on_one_user_are_carried_out_one_after_the_other(
    opened: Opened, provider: Slow, who: str
) -> None:
    desk = opened()
    other = desk if who == "support" else opened(who)
    gate = provider.shut("u1")
    first = asyncio.create_task(desk.perform(EndSessions(user="u1")))
    await provider.is_at("u1")
    second = asyncio.create_task(other.perform(EndSessions(user="u1")))
    await asyncio.sleep(0.2)

    at_once = list(provider.doing)

    assert at_once == ["u1"]
    gate.set()
    await asyncio.gather(first, second)
    assert provider.done == ["u1", "u1"]
    assert len(await rows(opened())) == 2


async def test_one_key_is_carried_out_once_also_by_two_consoles(
    opened: Opened, provider: Slow
) -> None:
    gate = provider.shut("u1")
    desk, again, other = opened(), opened(), opened()  # to open one waits for the file's lock
    first = asyncio.create_task(desk.perform(EndSessions(user="u1"), key=KEY))
    await provider.is_at("u1")

    second = asyncio.create_task(again.perform(EndSessions(user="u1"), key=KEY))
    with pytest.raises(StillRunning):
        await desk.perform(EndSessions(user="u1"), key=KEY)
    with pytest.raises(StillRunning):
        await other.withdraw(KEY)
    with pytest.raises(StillRunning):
        await other.operation(KEY)
    gate.set()
    outcomes = await asyncio.gather(first, second)

    assert provider.done == ["u1"]
    assert outcomes[0].says == outcomes[1].says
    assert await rows(opened()) == [("u1", "end-sessions", Result.DONE)]


async def test_what_an_act_rests_on_is_not_asked_of_the_provider_again_under_the_pen(
    opened: Opened, provider: Slow
) -> None:
    desk = opened()
    pens: list[int] = []
    transaction = desk._recorder.transaction

    class Watched:
        def __init__(self, **how: bool) -> None:
            self.within = transaction(**how)

        async def __aenter__(self) -> None:
            await self.within.__aenter__()
            pens.append(provider.asked)

        async def __aexit__(self, *given: object) -> None:
            pens.append(provider.asked)
            await self.within.__aexit__(*given)  # type: ignore[arg-type]

    desk._recorder.transaction = Watched  # type: ignore[method-assign, assignment]

    await desk.perform(EndSessions(user="u1"))

    assert pens[0] > 0
    assert len(set(pens)) == 1


async def test_what_the_provider_refuses_is_recorded_and_the_next_act_goes_on(
    opened: Opened, provider: Slow
) -> None:
    desk = opened()
    provider.error = BadInput("Northern does not end them.")

    with pytest.raises(BadInput, match="does not end them"):
        await desk.perform(EndSessions(user="u1"), key=KEY)
    with pytest.raises(BadInput, match="does not end them"):
        await desk.perform(EndSessions(user="u1"), key=KEY)
    provider.error = None
    await desk.perform(EndSessions(user="u1"))

    assert await rows(desk) == [
        ("u1", "end-sessions", Result.DONE),
        ("u1", "end-sessions", Result.FAILED),
    ]


async def test_what_is_done_but_cannot_be_recorded_is_not_told_as_not_done(
    opened: Opened, provider: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, full, fsync = opened(), [OSError(28, "No space left on device")], os.fsync
    gate = provider.shut("u1")
    first = asyncio.create_task(desk.perform(EndSessions(user="u1"), key=KEY))
    await provider.is_at("u1")

    def sync(handle: int) -> None:
        if full:
            raise full.pop()
        fsync(handle)

    monkeypatch.setattr(os, "fsync", sync)

    gate.set()
    with pytest.raises(Unsettled, match="The provider did this, but the desk could not record it"):
        await first

    with pytest.raises(Unsettled, match="The provider did this"):
        await desk.perform(EndSessions(user="u1"), key=KEY)
    assert provider.done == ["u1"]
    assert "The provider did this" in (await desk.log(Query())).rows[0].says


async def test_what_is_done_is_told_as_done_though_the_case_cannot_be_read_then(
    opened: Opened, provider: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that is asked for too often answers no more after the act than before it."""
    desk, end = opened(), provider.end_sessions

    async def busy(user: str) -> tuple:  # type: ignore[type-arg]
        raise Unreachable("It is asked too often: try again in 40 s.")

    async def ended(user: User, now: datetime) -> None:
        await end(user, now)
        monkeypatch.setattr(provider, "timeline", busy)

    monkeypatch.setattr(provider, "end_sessions", ended)

    outcome = await desk.perform(EndSessions(user="u1"), key=KEY)

    assert outcome.says.startswith("Open sessions ended: ")
    assert outcome.says.endswith("cannot be read just now: look at it again.")
    assert (outcome.case.user.id, outcome.case.is_masked) == ("u1", True)
    assert {one.act for one in outcome.case.decisions} >= {"end-sessions", "note"}
    assert provider.done == ["u1"]
    assert await rows(desk) == [("u1", "end-sessions", Result.DONE)]


async def test_whoever_is_broken_off_leaves_an_act_of_which_nobody_knows(
    opened: Opened, provider: Slow
) -> None:
    desk = opened()
    provider.shut("u1")
    broken = asyncio.create_task(desk.perform(EndSessions(user="u1"), key=KEY))
    await provider.is_at("u1")
    broken.cancel()
    with pytest.raises(asyncio.CancelledError):
        await broken
    provider.gates.clear()

    await opened("lead").carry_out_due()

    assert await rows(desk) == [("u1", "end-sessions", Result.FAILED)]
    with pytest.raises(Unsettled, match="It is unknown whether this was done"):
        await desk.perform(EndSessions(user="u1"), key=KEY)
    assert provider.done == []
    await desk.perform(EndSessions(user="u1"))
    assert provider.done == ["u1"]


async def test_a_console_that_dies_in_the_middle_leaves_a_row_that_says_unknown(
    opened: Opened, sample_file: Path, places: Path
) -> None:
    died = subprocess.run(
        [sys.executable, "-m", "tests.service.dying", str(sample_file), str(places)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert died.returncode == 9, died.stderr

    await opened().perform(Note(user="u1", text="looks again"))
    desk = opened()
    before = (await desk.log(Query())).rows
    await desk.perform(EndSessions(user="u1"))

    assert "end-sessions" not in [row.act for row in before]
    found = (await desk.log(Query())).rows
    assert [(row.user, row.result) for row in found[:2]] == [
        ("u1", Result.DONE),
        ("u1", Result.FAILED),
    ]
    assert "It is unknown whether this was done" in found[1].says
    assert found[1].agent == "support"


@pytest.mark.parametrize(("minutes", "lost"), [(14, False), (16, True)])
def test_another_process_that_has_its_number_keeps_nobody_waiting_for_ever(
    clock: Clock, minutes: int, lost: bool
) -> None:
    hold = Hold(
        id="b0",
        act="end-sessions",
        user="u1",
        payload="",
        agent="support",
        at=clock(),
        due_at=clock(),
        ending=Ending.RUNS,
        begun_at=clock(),
        console=f"{platform.node()}/{os.getppid()}",
    )
    clock.go_on(minutes=minutes)

    found = is_lost(hold, clock())

    assert found is lost


async def test_a_held_act_that_is_slow_keeps_nobody_either(
    opened: Opened, provider: Slow, clock: Clock
) -> None:
    desk = opened(hold=timedelta(minutes=5))
    ticket = await desk.perform(TakeTicket(user="u2", subject="lost phone"))
    number = ticket.case.open_tickets[0].id
    await desk.perform(ResetAll(user="u2", reason="lost phone", ticket=number))
    (held,) = await desk.holds()
    clock.go_on(minutes=6)
    gate = provider.shut("u2")
    chores = asyncio.create_task(opened("lead").carry_out_due())
    await provider.is_at("u2")

    await desk.perform(EndSessions(user="u1"))

    assert await desk.holds() == ()
    gate.set()
    await chores
    found = await desk._view.store.get(Hold, held.id)
    await desk._view.store.refresh()
    found = await desk._view.store.get(Hold, held.id)
    assert found is not None
    assert found.ending is Ending.DONE
    assert provider.done == ["u1", "u2"]


@pytest.mark.parametrize("minutes", [0, 5])
async def test_of_an_act_that_was_done_in_part_everybody_is_told(
    opened: Opened, provider: Slow, clock: Clock, minutes: int
) -> None:
    """Else whoever lets an act break off changes a way in and nobody hears of it."""
    desk = opened(hold=timedelta(minutes=minutes))
    ticket = await desk.perform(TakeTicket(user="u2", subject="lost phone"))
    number = ticket.case.open_tickets[0].id
    provider.error = BrokeOff("The reset broke off. Gone: SMS a. Left: SMS b. Do it again.")

    with pytest.raises(BrokeOff) if not minutes else contextlib.nullcontext():
        await desk.perform(ResetAll(user="u2", reason="lost phone", ticket=number))
    clock.go_on(minutes=6)
    await desk.carry_out_due()

    newest = (await desk.log(Query())).rows[0]
    told = (await desk.tray("u2")).rows
    assert (newest.act, newest.result) == ("reset-all", Result.FAILED)
    assert {one.seq for one in told} == {newest.seq}


# -- what a provider is asked, not told -----------------------------------------------------------


Asked = Callable[[LocalDesk, Slow], Awaitable[Callable[[], Awaitable[object]]]]


async def ask_code(desk: LocalDesk, provider: Slow) -> Callable[[], Awaitable[object]]:
    """Ask the caller for a code."""
    ticket = await ticket_of(desk)
    return lambda: desk.ask_proof("u2", Method.CODE, channel="u2-f1", ticket=ticket, key=KEY)


async def answer_code(desk: LocalDesk, provider: Slow) -> Callable[[], Awaitable[object]]:
    """Check what the caller read back."""
    await (await ask_code(desk, provider))()
    return lambda: desk.answer_proof("u2", "right", key=f"{KEY}2")


async def measure(desk: LocalDesk, provider: Slow) -> Callable[[], Awaitable[object]]:
    """Measure the caller's clock."""
    return lambda: desk.drift("u2", "u2-f2", ["123456"], key=KEY)


async def ticket_of(desk: LocalDesk) -> str:
    """Take a ticket of the caller's; give its number."""
    taken = await desk.perform(TakeTicket(user="u2", subject="cannot log in"))
    return taken.case.open_tickets[0].id


QUESTIONS = pytest.mark.parametrize("asks", [ask_code, answer_code, measure])


@QUESTIONS
async def test_others_go_on_while_a_provider_answers(
    opened: Opened, provider: Slow, asks: Asked
) -> None:
    desk, other = opened(), opened("lead")
    ask = await asks(desk, provider)
    gate = provider.shut("u2")
    slow = asyncio.ensure_future(ask())
    await provider.is_at("u2")

    await desk.perform(EndSessions(user="u1"))
    await other.perform(Note(user="u2", text="waits on the phone"))
    same = asyncio.create_task(other.perform(EndSessions(user="u2")))
    await asyncio.sleep(0.2)

    assert not slow.done()
    assert provider.doing == ["u2"]
    gate.set()
    await slow
    await same
    assert provider.done[-1] == "u2"
    found = [(user, act) for user, act, _ in await rows(opened())]
    assert found[:2] == [("u2", "end-sessions"), ("u2", found[1][1])]
    assert found[1][1] in {"prove", "drift"}


@QUESTIONS
async def test_a_question_that_is_broken_off_is_recorded_as_unknown_and_may_be_put_anew(
    opened: Opened, provider: Slow, asks: Asked
) -> None:
    desk = opened()
    ask = await asks(desk, provider)
    gate = provider.shut("u2")
    slow = asyncio.ensure_future(ask())
    await provider.is_at("u2")
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    gate.set()

    await opened("lead").carry_out_due()

    _, act, result = (await rows(desk))[0]
    assert (act in {"prove", "drift"}, result) == (True, Result.FAILED)
    with pytest.raises(Unsettled, match="It is unknown whether this was done"):
        await ask()
    assert await desk._view.store.select(Hold, only_open=True) == []


@QUESTIONS
async def test_a_provider_that_is_not_reached_leaves_the_question_as_if_it_had_not_been(
    opened: Opened, provider: Slow, asks: Asked
) -> None:
    desk = opened()
    ask = await asks(desk, provider)
    before = await rows(desk)
    provider.error = Unreachable("Northern does not answer.")

    with pytest.raises(Unreachable):
        await ask()

    assert await rows(desk) == before
    provider.error = None
    await ask()
    assert (await rows(desk))[0][2] is Result.DONE


async def test_a_wrong_answer_is_counted_and_the_right_one_proves(
    opened: Opened, provider: Slow
) -> None:
    desk = opened()
    await (await ask_code(desk, provider))()
    for _ in range(2):
        with pytest.raises(BadInput, match="That is not right"):
            await desk.answer_proof("u2", "wrong")

    proof = await desk.answer_proof("u2", "right")

    assert proof.channel == "u2-f1"
    assert [proof.id for proof in (await desk.case("u2")).proofs] == [proof.id]
    with pytest.raises(NotFound, match="Nothing is waiting"):
        await desk.answer_proof("u2", "right")


async def test_a_question_is_not_weighed_by_the_provider_under_the_pen(
    opened: Opened, provider: Slow
) -> None:
    desk = opened()
    ask = await measure(desk, provider)
    pens: list[int] = []
    transaction = desk._recorder.transaction

    @contextlib.asynccontextmanager
    async def watched(*, joins: bool = False) -> AsyncIterator[None]:
        async with transaction(joins=joins):
            pens.append(provider.asked)
            yield
            pens.append(provider.asked)

    desk._recorder.transaction = watched  # type: ignore[method-assign]

    await ask()

    assert pens[0] == pens[1] > 0
    assert pens[2] == pens[3]
