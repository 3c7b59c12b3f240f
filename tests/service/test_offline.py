"""The console's desk while the line is down, broken or slow, on a real desk at its other end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from helpdesk.domain.actions import (
    ACTIONS,
    AnyAction,
    CloseTicket,
    EndSessions,
    Flag,
    Note,
    ResetFactor,
    Reveal,
    SuspendFactor,
    TakeTicket,
    Unlock,
)
from helpdesk.domain.audit import LogRow
from helpdesk.domain.cases import Case
from helpdesk.domain.errors import (
    BadInput,
    BrokeOff,
    DeskRefused,
    GaveUp,
    KeyTaken,
    NeedsMore,
    NotFound,
    Refused,
    Unauthorised,
    Unknown,
    Unreachable,
    Unsettled,
)
from helpdesk.domain.offline import PURGED_AFTER, READ_ONLY_AFTER, Late, State, late_of
from helpdesk.domain.search import Query, Sort
from helpdesk.domain.text import folded
from helpdesk.service.desk import Desk
from helpdesk.service.local import LocalDesk
from helpdesk.service.offline import OfflineDesk
from helpdesk.service.syncing import synchronise
from helpdesk.stores.boot import boot
from helpdesk.stores.replica import Replica
from tests.conftest import Clock
from tests.service.cut import CutLine
from tests.waiting import PATIENCE_S

Open = Callable[..., LocalDesk]
QUEUED = [name for name, act in ACTIONS.items() if late_of(act(user="u1")) is Late.QUEUED]
NEVER = [name for name, act in ACTIONS.items() if late_of(act(user="u1")) is Late.NEVER]


@pytest.fixture
def line(desk: LocalDesk) -> CutLine:
    return CutLine(desk)


@pytest.fixture
def console_on(line: CutLine, places: Path, clock: Clock) -> Callable[..., Awaitable[OfflineDesk]]:
    """Open a console; several are several consoles on one replica directory."""

    async def open_it(**more: Any) -> OfflineDesk:
        found = OfflineDesk(line, Replica(places / "replica"), clock, **more)
        found.patience_s = 5.0  # a busy machine is not a slow line
        await found.open()
        return found

    return open_it


@pytest.fixture
async def console(console_on: Any) -> OfflineDesk:
    found: OfflineDesk = await console_on()
    await found.queue()
    await settled(found)
    return found


async def settled(console: OfflineDesk) -> None:
    """Wait until nothing goes on beside what was asked."""
    while console._asked or console._chores:
        await asyncio.gather(*console._asked.values(), *console._chores, return_exceptions=True)
        await asyncio.sleep(0)


async def done(desk: LocalDesk) -> list[LogRow]:
    """What was done at the desk, oldest first."""
    rows = (await desk.log(Query(), limit=500)).rows
    return [row for row in reversed(rows) if row.result == "done"]


def states(console: OfflineDesk) -> list[State]:
    return [one.state for one in console.wishes]


async def seen(console: OfflineDesk, user: str = "u1") -> Case:
    """Look at a case, so that it is here."""
    case = await console.case(user)
    await settled(console)
    return case


# Reading


async def test_what_was_seen_can_be_read_when_the_line_is_down(
    console: OfflineDesk, line: CutLine
) -> None:
    case, verdict = await seen(console), await console.why("u1")
    loops, queue = await console.loops(Query()), await console.queue()
    await settled(console)
    line.is_cut = True

    found = await console.case("u1")

    assert replace(found, decisions=()) == replace(case, decisions=())
    assert await console.why("u1") == verdict
    assert (await console.loops(Query())).rows == loops.rows
    assert (await console.queue()).rows == queue.rows


async def test_a_case_read_while_the_line_is_down_allows_only_what_may_wait(
    console: OfflineDesk, line: CutLine
) -> None:
    before = {one.act: one for one in (await seen(console)).decisions}
    line.is_cut = True

    after = {one.act: one for one in (await console.case("u1")).decisions}

    assert all(after[act].is_refused for act in NEVER)
    assert "a code nobody asked for" in after["send-code"].why
    assert all(after[act] == before[act] for act in before if act not in NEVER)
    assert not all(before[act].is_refused for act in NEVER)


async def test_what_was_never_seen_is_not_made_up(console: OfflineDesk, line: CutLine) -> None:
    line.is_cut = True

    with pytest.raises(Unreachable):
        await console.case("u3")
    with pytest.raises(Unreachable):
        await console.log(Query())


async def test_the_first_answer_of_a_new_console_is_here_at_once(
    console: OfflineDesk, console_on: Any, line: CutLine
) -> None:
    before = await console.queue()
    await settled(console)
    line.gate.clear()

    another = await console_on()
    first = await another.queue()

    assert first.rows == before.rows
    assert another.freshness.says.endswith("asking")
    line.gate.set()
    await settled(another)
    assert another.freshness.says == ""
    assert another.freshness.is_live


async def test_a_late_answer_tells_the_screen_and_is_given_when_it_asks_again(
    console: OfflineDesk, line: CutLine, desk_as: Open
) -> None:
    await seen(console)
    await desk_as("lee").perform(Note(user="u1", text="Called back."))
    line.gate.clear()
    console.patience_s = 0.0
    cursor = f"{console._line.turn}|"

    old = await console.case("u1")
    line.gate.set()
    line.is_cut = False
    await asyncio.wait_for(console.changed(cursor), PATIENCE_S)
    new = await console.case("u1")

    assert [row.act for row in old.log if row.act == "note"] == []
    assert [row.act for row in new.log if row.act == "note"] == ["note"]
    assert line.asked.count("case") == 2  # the late answer was not asked for another time


async def test_a_late_answer_ends_a_rest_once_however_often_it_is_late(
    console: OfflineDesk, line: CutLine
) -> None:
    await seen(console)
    console.patience_s = 0.0

    async def late(word: str) -> bool:
        line.gate.clear()
        await console.find(Query(words=(word,)))
        line.gate.set()
        await settled(console)
        console._late.clear()  # nobody asks for it in time
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(console.came_late(), 0.01)
            return True
        return False

    assert [await late(word) for word in ("maya", "maya", "ada")] == [True, False, True]


async def test_the_later_search_is_the_one_that_counts(console: OfflineDesk, line: CutLine) -> None:
    await seen(console)
    console.patience_s = 0.0
    line.gate.clear()

    first = await console.find(Query(words=("ada",)))
    second = await console.find(Query(words=("mayank",)))
    line.gate.set()
    await settled(console)
    again = await console.find(Query(words=("mayank",)))

    assert [row.id for row in second.rows] == [row.id for row in again.rows] == ["u1"]
    assert "u1" not in [row.id for row in first.rows]
    assert line.asked.count("find") == 1  # the first was cancelled before it arrived


async def test_results_come_from_here_meanwhile_in_the_order_asked_for(
    console: OfflineDesk, line: CutLine
) -> None:
    for user in ("u2", "u1"):
        await seen(console, user)
    line.is_cut = True

    everybody = await console.find(Query(sort=Sort.NAME))
    one = await console.find(Query(words=("mayank",)))

    names = [row.name for row in everybody.rows]
    assert names == sorted(names, key=folded)
    assert {"u1", "u2"} <= {row.id for row in everybody.rows}
    assert [row.id for row in one.rows] == ["u1"]


async def test_what_is_here_is_masked_also_after_it_was_revealed(
    console: OfflineDesk, line: CutLine, places: Path
) -> None:
    await seen(console)
    shown = await console.perform(Reveal(user="u1", reason="The caller asks which number it is"))
    await settled(console)
    line.is_cut = True

    kept = await console.case("u1")

    assert not shown.case.is_masked
    assert kept.is_masked
    there = b"".join(file.read_bytes() for file in (places / "replica").iterdir())
    assert b"900123" not in there
    assert b"mayank@rao" not in there


# How old it is


async def test_the_age_is_that_of_the_last_contact_and_ends_in_read_only_and_purge(
    console: OfflineDesk, line: CutLine, clock: Clock
) -> None:
    await seen(console)
    assert console.freshness.is_live
    line.is_cut = True
    await console.case("u1")

    clock.go_on(seconds=READ_ONLY_AFTER.total_seconds() - 1)
    assert not console.freshness.is_read_only
    clock.go_on(seconds=1)
    assert console.freshness.is_read_only
    with pytest.raises(Unreachable, match="nothing waits"):
        await console.perform(Note(user="u1", text="Too late"))
    clock.go_on(seconds=(PURGED_AFTER - READ_ONLY_AFTER).total_seconds())
    await console.tend()

    with pytest.raises(Unreachable):
        await console.case("u1")
    assert console.freshness.says == "never reached"


async def test_a_console_that_was_closed_for_a_day_begins_with_nobody(
    console: OfflineDesk, console_on: Any, line: CutLine, clock: Clock
) -> None:
    await seen(console)
    line.is_cut = True
    clock.go_on(hours=24)

    another = await console_on()

    with pytest.raises(Unreachable):
        await another.case("u1")


async def test_a_machine_that_slept_does_not_call_live_what_is_old(
    console: OfflineDesk, clock: Clock
) -> None:
    await seen(console)
    fresh = console.freshness
    clock.go_on(hours=3)

    assert fresh.is_live
    assert not console.freshness.is_live
    assert console.freshness.is_read_only
    await console.case("u1")
    assert console.freshness.is_live


async def test_forgetting_does_not_wait_for_a_desk_that_does_not_answer(
    console: OfflineDesk, line: CutLine, places: Path
) -> None:
    await seen(console)
    line.gate.clear()
    console.patience_s = 0.0
    await console.case("u1")  # the desk's own answer is under way

    async with asyncio.timeout(PATIENCE_S):
        await console.forget()
    line.gate.set()
    await asyncio.sleep(0.05)

    assert await Replica(places / "replica").kept("case u1") is None


class Elapsed:
    """Seconds since a start of the machine, which nobody can set back."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


async def test_a_clock_set_back_makes_nothing_younger(
    console_on: Any, line: CutLine, clock: Clock
) -> None:
    elapsed = Elapsed()
    console = await console_on(elapsed=elapsed)
    await seen(console)
    line.is_cut = True
    with contextlib.suppress(Unreachable):
        await console.case("u3")

    elapsed.seconds += READ_ONLY_AFTER.total_seconds() - 1
    young = console.freshness.is_read_only
    elapsed.seconds += 1
    old = console.freshness.is_read_only
    elapsed.seconds += PURGED_AFTER.total_seconds()
    await console.let_go_if_old()

    assert (young, old) == (False, True)
    with pytest.raises(Unreachable):
        await console.case("u1")


@pytest.mark.skipif(not boot(), reason="this system does not say when it was started")
@pytest.mark.parametrize(
    ("seconds", "is_read_only", "is_kept"),
    [
        (READ_ONLY_AFTER.total_seconds() - 60, False, True),
        (READ_ONLY_AFTER.total_seconds(), True, True),
        (PURGED_AFTER.total_seconds(), True, False),
    ],
)
async def test_a_console_begun_anew_knows_how_old_it_is_whatever_the_clock_says(
    console_on: Any, line: CutLine, seconds: float, is_read_only: bool, is_kept: bool
) -> None:
    elapsed = Elapsed()
    await seen(await console_on(elapsed=elapsed))
    elapsed.seconds += seconds
    line.is_cut = True

    another = await console_on(elapsed=elapsed)
    found = await asyncio.gather(another.case("u1"), return_exceptions=True)

    assert another.freshness.is_read_only is is_read_only
    assert isinstance(found[0], Case) is is_kept


@pytest.mark.parametrize(
    ("hours", "is_kept"), [(-9, False), (-0.01, True), (7.9, True), (8, False)]
)
async def test_where_the_contact_lies_ahead_of_the_clock_nobody_is_left(
    console: OfflineDesk, console_on: Any, line: CutLine, clock: Clock, hours: float, is_kept: bool
) -> None:
    await seen(console)
    line.is_cut = True
    clock.go_on(hours=hours)

    another = await console_on()
    found = await asyncio.gather(another.case("u1"), return_exceptions=True)

    assert isinstance(found[0], Case) is is_kept


async def test_a_desk_that_says_nothing_for_a_minute_is_not_live(
    console: OfflineDesk, clock: Clock
) -> None:
    live = console.freshness
    clock.go_on(minutes=1)

    silent = console.freshness

    assert live.is_live
    assert not silent.is_live
    assert silent.says.endswith("not live")


async def test_who_does_not_sign_in_sees_nothing_as_live(
    console: OfflineDesk, console_on: Any, line: CutLine
) -> None:
    await seen(console)
    another = await console_on()
    line.is_signed_out = True

    with pytest.raises(GaveUp):
        await another.perform(Note(user="u1", text="x"))

    assert not another.freshness.is_live


async def test_forgetting_leaves_nobody_and_goes_on_with_the_desk(
    console: OfflineDesk, line: CutLine
) -> None:
    await seen(console)

    await console.forget()

    assert (await console.case("u1")).user.id == "u1"
    line.is_cut = True
    with pytest.raises(Unreachable):
        await console.case("u2")


# What waits


ACTS: dict[str, AnyAction] = {
    "note": Note(user="u1", text="Called back."),
    "flag": Flag(user="u1", reason="Two voices on the line"),
    "take-ticket": TakeTicket(user="u1", subject="Calls the desk"),
    "close-ticket": CloseTicket(user="u1"),
}


@pytest.mark.parametrize("name", QUEUED)
async def test_what_may_wait_waits_and_is_sent_once_when_the_line_is_back(
    console: OfflineDesk, line: CutLine, desk: LocalDesk, name: str
) -> None:
    await seen(console)
    line.is_cut = True

    outcome = await console.perform(ACTS[name], key="k" * 24)

    assert outcome.says == "Queued: it is sent when the line is back."
    assert states(console) == [State.QUEUED]
    line.is_cut = False
    await console.tend()
    await console.tend()
    assert states(console) == [State.DONE]
    assert [row.act for row in await done(desk)] == [name]
    assert line.keys == ["k" * 24]


async def test_what_waits_goes_on_waiting_while_nobody_signs_in(
    console: OfflineDesk, line: CutLine, desk: LocalDesk
) -> None:
    await seen(console)
    line.is_cut = True
    await console.perform(Note(user="u1", text="called back"), key="k" * 24)
    line.is_cut, line.is_signed_out = False, True

    await console.tend()
    waited = states(console)
    line.is_signed_out = False
    await console.tend()

    assert waited == [State.QUEUED]
    assert states(console) == [State.DONE]
    assert line.keys == ["k" * 24]


async def test_what_waits_goes_on_waiting_while_the_sign_in_is_not_taken(
    console: OfflineDesk, line: CutLine, desk: LocalDesk
) -> None:
    await seen(console)
    line.is_cut = True
    await console.perform(Note(user="u1", text="called back"), key="k" * 24)
    line.is_cut, line.refusal = False, Unauthorised("Nobody signed in in the browser.")

    await console.tend()
    waited = states(console)
    line.refusal = None
    await console.tend()

    assert waited == [State.QUEUED]
    assert states(console) == [State.DONE]
    assert [row.says for row in await done(desk)] == ["called back"]


@pytest.mark.parametrize(
    "told",
    [
        BrokeOff("The reset broke off. Gone: SMS f1. Left: Push f2."),
        DeskRefused("Okta refused the desk's own account."),
        Unsettled("The answer of Okta was lost. It may be done or not."),
    ],
)
async def test_what_the_desk_says_of_its_provider_is_said_as_it_is_and_the_line_is_up(
    console: OfflineDesk, line: CutLine, told: Unreachable
) -> None:
    await seen(console)
    line.refusal = told

    with pytest.raises(type(told)) as caught:
        await console.perform(ResetFactor(user="u1", factor="u1-f1", reason="lost"), key="k" * 24)

    assert str(caught.value) == str(told)
    assert states(console) == []
    assert console.freshness.is_live


class FullDisk(Replica):
    """A replica on a disk that is full once something was kept that is sent."""

    async def drop(self, key: str) -> None:
        raise Unreachable("outbox.json cannot be written: No space left on device.")


async def test_what_was_done_is_not_denied_where_this_machine_cannot_write_it_down(
    line: CutLine, places: Path, clock: Clock, desk: LocalDesk
) -> None:
    console = OfflineDesk(line, FullDisk(places / "replica"), clock)
    await console.open()

    outcome = await console.perform(EndSessions(user="u1"))

    assert outcome.says.startswith("Open sessions ended")
    assert [row.act for row in await done(desk)] == ["end-sessions"]
    assert states(console) == [State.SENT]
    await console.tend()
    assert states(console) == [State.DONE]
    assert len(line.keys) == 1


@pytest.mark.parametrize("name", NEVER)
async def test_what_must_not_wait_is_refused_with_the_reason_and_not_kept(
    console: OfflineDesk, line: CutLine, desk: LocalDesk, name: str
) -> None:
    await seen(console)
    action = ACTIONS[name](user="u1", reason="He asks for it", ticket="4821")
    line.is_cut = True

    with pytest.raises(Unreachable, match="Nothing was done"):
        await console.perform(action)

    weighed = await console.weigh(action)
    assert weighed.decision.is_refused
    assert "never left for later" in weighed.decision.why
    line.is_cut = False
    await console.tend()
    assert console.wishes == ()
    assert await done(desk) == []


async def test_the_other_writes_are_never_queued(console: OfflineDesk, line: CutLine) -> None:
    await seen(console)
    line.is_cut = True

    for write in (
        console.drift("u1", "", ["123456"]),
        console.answer_proof("u1", "123456"),
        console.approve("a1", is_granted=True),
        console.undo("h1"),
    ):
        with pytest.raises(Unreachable, match="Nothing was done"):
            await write

    assert console.wishes == ()


async def test_the_policy_holds_for_what_waits(console: OfflineDesk, line: CutLine) -> None:
    await seen(console, "u2")
    line.is_cut = True

    with pytest.raises(NeedsMore):
        await console.perform(Flag(user="u2"))
    with pytest.raises(Unreachable, match="not here"):
        await console.perform(Note(user="u3", text="Never seen"))

    assert console.wishes == ()


async def test_an_urgent_act_waits_ten_minutes_with_a_banner_and_then_expires(
    console: OfflineDesk, line: CutLine, desk: LocalDesk, clock: Clock
) -> None:
    await seen(console)
    line.is_cut = True

    outcome = await console.perform(EndSessions(user="u1"))

    assert outcome.says.startswith("NOT DONE YET")
    assert console.banner[0].startswith("NOT DONE YET: End sessions on u1; tried until")
    assert console.banner[1]
    clock.go_on(minutes=10)
    await console.tend()
    assert states(console) == [State.EXPIRED]
    assert "NOT done" in console.wishes[0].says
    line.is_cut = False
    await console.tend()
    assert await done(desk) == []


async def test_an_urgent_act_is_sent_when_the_line_is_back_in_time(
    console: OfflineDesk, line: CutLine, desk: LocalDesk, clock: Clock
) -> None:
    await seen(console)
    factor = (await seen(console)).user.live_factors[0].id
    line.is_cut = True
    await console.perform(SuspendFactor(user="u1", factor=factor))
    await console.perform(Note(user="u1", text="Suspended, he lost it."))
    clock.go_on(minutes=9)
    line.is_cut = False

    await console.case("u1")
    await settled(console)

    assert states(console) == [State.DONE, State.DONE]
    assert [row.act for row in await done(desk)] == ["suspend-factor", "note"]
    assert console.banner == ("", False)


async def test_two_consoles_on_one_directory_send_each_wish_once(
    console: OfflineDesk, console_on: Any, line: CutLine, desk: LocalDesk
) -> None:
    another = await console_on()
    await seen(console)
    line.is_cut = True
    for number in range(12):
        await (console, another)[number % 2].perform(Note(user="u1", text=f"Call {number}"))
    line.is_cut = False

    await asyncio.gather(console.tend(), another.tend(), console.tend(), another.tend())

    assert len(line.keys) == len(set(line.keys)) == 12
    assert sorted(row.says for row in await done(desk)) == sorted(f"Call {n}" for n in range(12))
    await another.tend()
    assert console.wishes == another.wishes


async def test_what_waits_outlasts_the_console(
    console: OfflineDesk, console_on: Any, line: CutLine, desk: LocalDesk
) -> None:
    await seen(console)
    line.is_cut = True
    await console.perform(Note(user="u1", text="Called back."))
    line.is_cut = False

    another = await console_on()
    await another.queue()
    await settled(another)

    assert [row.says for row in await done(desk)] == ["Called back."]


# What is unknown


async def test_a_lost_answer_is_asked_for_and_the_act_is_not_sent_anew(
    console: OfflineDesk, line: CutLine, desk: LocalDesk
) -> None:
    line.loses = 1

    with pytest.raises(Unknown, match="not known whether End sessions was done"):
        await console.perform(EndSessions(user="u1"))

    assert states(console) == [State.UNKNOWN]
    assert console.banner == ("1 not known whether done.", True)
    await console.tend()
    assert states(console) == [State.DONE]
    assert console.wishes[0].says == "Open sessions ended: 2; remembered browsers forgotten: 3."
    assert len(line.keys) == 1
    assert [row.act for row in await done(desk)] == ["end-sessions"]


async def test_a_lost_refusal_is_asked_for_too(console: OfflineDesk, line: CutLine) -> None:
    line.loses = 1
    # The desk raises the refusal itself; only its answer is lost.
    line._desk.perform = _losing(line._desk.perform)  # type: ignore[method-assign]

    with pytest.raises(Unknown):
        await console.perform(Unlock(user="u1", reason="x", ticket="1"))
    await console.tend()

    assert states(console) == [State.REFUSED]
    assert console.wishes[0].says


def _losing(perform: Any) -> Any:
    async def lost(action: AnyAction, *, key: str = "") -> Any:
        try:
            return await perform(action, key=key)
        except (Refused, NeedsMore) as error:
            raise Unknown("The answer was lost.", key) from error

    return lost


async def test_what_never_arrived_is_said_to_be_not_done_but_only_after_a_while(
    console: OfflineDesk, line: CutLine, desk: LocalDesk, clock: Clock
) -> None:
    line.swallows = 1
    with pytest.raises(Unknown):
        await console.perform(Unlock(user="u1", reason="x", ticket="1"))

    await console.tend()
    early = states(console)
    clock.go_on(seconds=61)
    await console.tend()

    assert early == [State.UNKNOWN]
    assert states(console) == [State.LOST]
    assert console.wishes[0].says == "The desk never had it: nothing was done."
    assert await done(desk) == []


async def test_what_another_gateway_does_late_is_never_said_to_be_not_done(
    console: OfflineDesk, line: CutLine, desk: LocalDesk, desk_as: Open, clock: Clock
) -> None:
    elsewhere, note = desk_as("dana"), EndSessions(user="u1")
    line.swallows = 1
    with pytest.raises(Unknown):
        await console.perform(note, key="k" * 24)
    clock.go_on(seconds=61)
    taken_back = desk.withdraw

    async def after_another_one(key: str) -> Any:
        await elsewhere.perform(note, key=key)
        return await taken_back(key)

    desk.withdraw = after_another_one  # type: ignore[method-assign]
    await console.tend()

    assert states(console) == [State.DONE]
    assert [row.act for row in await done(desk)] == ["end-sessions"]


async def test_what_was_said_to_be_not_done_is_not_done_by_anybody_later(
    console: OfflineDesk, line: CutLine, desk: LocalDesk, desk_as: Open, clock: Clock
) -> None:
    line.swallows = 1
    with pytest.raises(Unknown):
        await console.perform(EndSessions(user="u1"), key="k" * 24)
    clock.go_on(seconds=61)
    await console.tend()

    with pytest.raises(KeyTaken):
        await desk_as("dana").perform(EndSessions(user="u1"), key="k" * 24)

    assert states(console) == [State.LOST]
    assert await done(desk) == []


async def test_a_queued_note_that_never_arrived_is_sent_with_the_same_key(
    console: OfflineDesk, line: CutLine, desk: LocalDesk, clock: Clock
) -> None:
    await seen(console)
    line.is_cut = True
    await console.perform(Note(user="u1", text="Called back."), key="k" * 24)
    line.is_cut, line.swallows = False, 1
    await console.tend()
    unknown = states(console)

    clock.go_on(seconds=61)
    await console.tend()

    assert unknown == [State.UNKNOWN]
    assert states(console) == [State.DONE]
    assert line.keys == ["k" * 24]
    assert [row.says for row in await done(desk)] == ["Called back."]


async def test_the_same_act_is_not_sent_while_the_one_before_is_unknown(
    console: OfflineDesk, line: CutLine, desk: LocalDesk
) -> None:
    line.swallows = 1
    with pytest.raises(Unknown):
        await console.perform(EndSessions(user="u1"))

    with pytest.raises(Unknown, match="do not do it again"):
        await console.perform(EndSessions(user="u1"))

    assert line.keys == []
    assert await done(desk) == []
    await console.perform(EndSessions(user="u2"))
    assert len(line.keys) == 1


async def test_a_console_that_died_while_sending_leaves_an_unknown_that_is_asked_for(
    console: OfflineDesk, console_on: Any, line: CutLine, desk: LocalDesk
) -> None:
    line.loses = 1
    with pytest.raises(Unknown):
        await console.perform(EndSessions(user="u1"), key="k" * 24)
    wish = console.wishes[0]
    dead = console._replica
    await dead.put(type(wish)(**{**_fields(wish), "state": State.SENT, "by": "dead"}))

    another = await console_on()
    await another.tend()

    assert states(another) == [State.DONE]
    assert len(await done(desk)) == 1


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__struct_fields__}


async def test_what_is_unknown_cannot_be_let_go_of(console: OfflineDesk, line: CutLine) -> None:
    line.swallows = 1
    with pytest.raises(Unknown):
        await console.perform(EndSessions(user="u1"))

    with pytest.raises(BadInput, match="not known yet"):
        await console.decide(console.wishes[0].key, goes_on=False)
    with pytest.raises(NotFound):
        await console.decide("another", goes_on=False)


async def test_a_cancelled_write_is_unknown_until_the_desk_is_asked(
    console: OfflineDesk, line: CutLine, desk: LocalDesk
) -> None:
    hung = asyncio.Event()
    perform = desk.perform

    async def slow(action: AnyAction, *, key: str = "") -> Any:
        await perform(action, key=key)
        hung.set()
        await asyncio.sleep(60)

    desk.perform = slow  # type: ignore[method-assign]
    task = asyncio.create_task(console.perform(EndSessions(user="u1")))
    await hung.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert states(console) == [State.UNKNOWN]
    await console.tend()
    assert states(console) == [State.DONE]


# Conflicts


async def close_meanwhile(console: OfflineDesk, line: CutLine, colleague: LocalDesk) -> str:
    """Queue the end of a ticket that a colleague takes meanwhile; give its number."""
    case = await seen(console)
    number = case.open_tickets[0].id
    line.is_cut = True
    await console.perform(CloseTicket(user="u1"))
    await colleague.perform(TakeTicket(user="u1", ticket=number))
    line.is_cut = False
    await console.tend()
    return number


async def test_what_changed_meanwhile_is_a_conflict_that_shows_both_sides(
    console: OfflineDesk, line: CutLine, desk_as: Open, desk: LocalDesk
) -> None:
    number = await close_meanwhile(console, line, desk_as("lee"))

    wish = console.wishes[0]
    assert wish.state is State.CONFLICT
    assert wish.action == CloseTicket(user="u1", ticket=number)
    before = {one.what: one.value for one in wish.seen}
    after = {one.what: one.value for one in wish.found}
    assert before[f"#{number} whose"] != after[f"#{number} whose"] == "lee"
    assert "perform" not in line.asked
    await console.tend()
    assert "perform" not in line.asked


async def test_a_conflict_goes_on_when_the_agent_says_so(
    console: OfflineDesk, line: CutLine, desk_as: Open, desk: LocalDesk
) -> None:
    await close_meanwhile(console, line, desk_as("lee"))

    await console.decide(console.wishes[0].key, goes_on=True)
    await console.tend()

    assert states(console) == [State.DONE]
    assert [row.act for row in await done(desk)] == ["take-ticket", "close-ticket"]


async def test_a_conflict_is_let_go_of_when_the_agent_says_so(
    console: OfflineDesk, line: CutLine, desk_as: Open, desk: LocalDesk
) -> None:
    await close_meanwhile(console, line, desk_as("lee"))

    await console.decide(console.wishes[0].key, goes_on=False)
    await console.tend()

    assert console.wishes == ()
    assert [row.act for row in await done(desk)] == ["take-ticket"]


async def test_what_one_wish_changes_is_no_conflict_for_the_next(
    console: OfflineDesk, line: CutLine, desk: LocalDesk
) -> None:
    case = await seen(console)
    number = case.open_tickets[0].id
    line.is_cut = True
    for act in (
        TakeTicket(user="u1", ticket=number),
        Note(user="u1", text="Solved.", ticket=number),
        CloseTicket(user="u1", ticket=number),
    ):
        await console.perform(act)
    line.is_cut = False

    await console.tend()

    assert states(console) == [State.DONE] * 3
    assert [row.act for row in await done(desk)] == ["take-ticket", "note", "close-ticket"]


async def test_a_wish_the_desk_refuses_says_why(
    console: OfflineDesk, line: CutLine, desk: LocalDesk
) -> None:
    await seen(console)
    line.is_cut = True
    await console.perform(Note(user="u1", text="Called back."), key="k" * 24)
    line.is_cut = False
    await desk.perform(Note(user="u1", text="Something else"), key="k" * 24)

    await console.tend()

    assert states(console) == [State.REFUSED]
    assert "key" in console.wishes[0].says


# The clock


@pytest.mark.parametrize("seconds", [301, -301])
async def test_with_a_clock_that_is_far_off_nothing_is_changed(
    console_on: Any, line: CutLine, seconds: int
) -> None:
    console = await console_on(skew=lambda: timedelta(seconds=seconds))

    with pytest.raises(Refused, match="clock"):
        await console.perform(Note(user="u1", text="x"))
    with pytest.raises(Refused, match="clock"):
        await console.approve("a1", is_granted=True)

    assert line.keys == []
    assert "Nothing can be changed" in console.banner[0]


async def test_with_a_clock_a_little_off_one_is_told_and_goes_on(
    console_on: Any, line: CutLine
) -> None:
    console = await console_on(skew=lambda: timedelta(seconds=40))

    await console.perform(Note(user="u1", text="x"))

    assert console.banner == ("This machine's clock is 40 s ahead of the desk's.", True)


# The feed


async def test_a_change_of_a_colleague_is_heard(console: OfflineDesk, desk_as: Open) -> None:
    begin = (await console.changes()).cursor
    heard = asyncio.create_task(console.changed(begin))

    await desk_as("lee").perform(Note(user="u1", text="x"))
    cursor = await asyncio.wait_for(heard, PATIENCE_S)

    found = await console.changes(begin)
    assert ("user", "u1") in {(one.kind.value, one.id) for one in found.changes}
    assert cursor != begin


async def test_what_is_other_here_is_told_once_and_hides_nothing_of_the_desk(
    console: OfflineDesk, desk_as: Open
) -> None:
    begin = (await console.changes()).cursor
    await desk_as("lee").perform(Note(user="u1", text="x"))
    console._line.bump()
    await asyncio.wait_for(console.changed(begin), PATIENCE_S)

    found = await console.changes(begin)

    assert found.changes == ()  # anything may be other: not only what the desk tells of
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(console.changed(found.cursor), 0.1)


async def test_the_end_of_contact_is_heard_and_its_return(
    console: OfflineDesk, line: CutLine
) -> None:
    await seen(console)
    cursor = (await console.changes()).cursor
    line.is_cut = True
    heard = asyncio.create_task(console.changed(cursor))
    await console.case("u1")
    cursor = await asyncio.wait_for(heard, PATIENCE_S)
    assert not console.freshness.is_live

    line.is_cut = False
    heard = asyncio.create_task(console.changed(cursor))
    await console.case("u1")
    await asyncio.wait_for(heard, PATIENCE_S)

    assert console.freshness.is_live


def _is_desk(desk: Desk) -> Desk:
    """The type checker's word that it is one."""
    return desk


async def test_it_is_a_desk(console: OfflineDesk, desk: LocalDesk) -> None:
    assert _is_desk(console).agent == desk.agent
    asked = {name for name, value in vars(Desk).items() if not name.startswith("_") and value}
    assert all(hasattr(console, name) for name in asked)


# Bringing over


async def test_what_is_brought_over_can_be_read_without_the_line(
    console: OfflineDesk, line: CutLine
) -> None:
    told: list[tuple[int, int, str]] = []

    count = await synchronise(console, lambda *step: told.append(step))
    again = await synchronise(console, lambda *step: told.append(step))

    assert count == told[-1][0] == told[-1][1]
    assert again == 0
    line.is_cut = True
    assert (await console.loops(Query())).rows
    assert (await console.queue()).rows


async def test_what_was_broken_off_goes_on_where_it_was(
    console: OfflineDesk, line: CutLine
) -> None:
    names: list[str] = []

    def cut_at_loops(done: int, of: int, what: str) -> None:
        names.append(what)
        line.is_cut = what == "loops"

    with pytest.raises(Unreachable):
        await synchronise(console, cut_at_loops)
    line.is_cut = False
    first, names[:] = list(names), []
    await synchronise(console, lambda done, of, what: names.append(what))

    assert first == ["queue", "loops"]
    assert names[0] == "loops"
    assert (await console.mark()).steps == ()
