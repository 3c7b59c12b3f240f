"""What is done behind the screen is done soon, whole, once, and never keeps anybody waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from helpdesk.connectors.base import Sender
from helpdesk.domain.actions import ChangeAddress, Note, TurnOffMfa, Unlock
from helpdesk.domain.errors import BadFile, Unreachable
from helpdesk.domain.notices import Channel, Notice, Posted, TrayRow
from helpdesk.domain.search import parse
from helpdesk.service import keeping
from helpdesk.service.inspecting import inspected
from helpdesk.service.local import LocalDesk
from tests.conftest import Clock
from tests.desks import fixture_desk
from tests.slow import SlowFile
from tests.waiting import PATIENCE_S

OFF = TurnOffMfa(user="u1", reason="asked in writing", ticket="4821")
LOOKS = parse("look", [])
Open = Callable[..., LocalDesk]


class Refusing:
    """A mail server that is away."""

    async def send(self, notice: Notice) -> None:
        """Send nothing."""
        raise Unreachable("The mail server cannot be reached.")


class Slow:
    """A mail server that takes a letter only when it is let."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.count = 0

    async def send(self, notice: Notice) -> None:
        """Count a letter, some time after it was begun."""
        self.begun.set()
        await asyncio.to_thread(self.go_on.wait, 10)
        self.count += 1


@pytest.fixture
async def slow() -> AsyncIterator[Slow]:
    """A slow mail server."""
    server = Slow()
    yield server
    server.go_on.set()


@pytest.fixture
def opened(
    sample_file: Path, clock: Clock, places: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., LocalDesk]:
    """Open the sample desk with a sender, with chores that rest for a moment only."""
    monkeypatch.setattr(keeping, "REST_S", 0.01)
    monkeypatch.setattr(keeping, "SHARE", 0)

    def open_with(sender: Sender | None = None, who: str = "sam") -> LocalDesk:
        return fixture_desk(
            sample_file, clock, places / "keys", who,
            file=SlowFile, label="KEPT", sender=sender, is_gated=False,
        )  # fmt: skip

    return open_with


def file_of(desk: LocalDesk) -> SlowFile:
    file = desk._view.store._file  # type: ignore[attr-defined]
    assert isinstance(file, SlowFile)
    return file


async def letter(desk: LocalDesk) -> TrayRow:
    rows = (await desk.tray("u1")).rows
    return next(row for row in rows if row.channel is Channel.EMAIL)


async def looks(desk: LocalDesk) -> int:
    return (await desk.log(LOOKS)).total


async def test_a_look_is_written_soon_also_while_a_letter_waits_for_its_next_try(
    opened: Open,
) -> None:
    desk = opened(Refusing())
    await desk.perform(OFF)
    async with asyncio.timeout(PATIENCE_S):
        while (await letter(desk)).tries == 0:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)

    await desk.case("u2")

    async with asyncio.timeout(PATIENCE_S):
        while await looks(desk) == 0:
            await asyncio.sleep(0.01)


async def test_writing_down_neither_waits_for_the_mail_server_nor_breaks_it_off(
    opened: Open, slow: Slow
) -> None:
    desk = opened(slow)
    await desk.perform(OFF)
    await asyncio.to_thread(slow.begun.wait, PATIENCE_S)
    await desk.case("u2")

    async with asyncio.timeout(PATIENCE_S):
        await desk.settle()
    at_once = slow.count, await looks(desk)
    slow.go_on.set()
    async with asyncio.timeout(PATIENCE_S):
        while (await letter(desk)).state is Posted.WAITING:
            await asyncio.sleep(0.01)

    assert at_once == (0, 1)
    assert slow.count == 1


def test_a_letter_under_way_at_the_end_is_marked_and_goes_once(opened: Open) -> None:
    server = Slow()
    desk = opened(server)

    async def quit_in_the_middle() -> None:
        await desk.perform(OFF)
        await asyncio.to_thread(server.begun.wait, PATIENCE_S)
        threading.Timer(0.1, server.go_on.set).start()

    asyncio.run(quit_in_the_middle())
    desk.close()

    assert asyncio.run(letter(desk)).state is Posted.SENT
    assert server.count == 1


def test_the_end_tries_one_letter_of_a_server_that_is_away(opened: Open) -> None:
    desk = opened(Refusing(), "dana")
    desk._keeping._rest_s = PATIENCE_S  # else the chores try letters before the end
    move = ChangeAddress(user="u6", address="new@agency.example", reason="moved", ticket="4824")
    asyncio.run(desk.perform(move))

    desk.close()

    tries = [row.tries for row in asyncio.run(desk.tray()).rows if row.channel is Channel.EMAIL]
    assert len(tries) > 1
    assert sum(tries) == 1


async def test_writing_down_waits_for_what_is_written_just_now(opened: Open) -> None:
    desk = opened()
    await desk.perform(Note(user="u1", text="before"))
    await desk.settle()
    file = file_of(desk)
    file.ends = True
    await desk.case("u2")
    await file.has_begun()

    settling = asyncio.create_task(desk.settle())
    await asyncio.sleep(0.05)
    is_waiting = not settling.done()
    file.go_on.set()
    await settling

    assert is_waiting
    assert await looks(desk) == 1
    assert (await inspected(desk)).is_sound


async def test_the_alarm_says_what_waits_and_ends_with_it(opened: Open, sample_file: Path) -> None:
    desk = opened()
    await desk.case("u1")
    good = sample_file.read_bytes()
    sample_file.write_bytes(b"")

    with pytest.raises(BadFile):
        await desk.settle()
    said = desk.alarm
    sample_file.write_bytes(good)
    await desk.settle()

    assert said.startswith("1 case you opened is not in the log yet: ")
    assert desk.alarm == ""


async def test_no_alarm_speaks_of_cases_when_only_letters_wait(
    opened: Open, sample_file: Path
) -> None:
    desk = opened(Refusing())
    await desk.perform(OFF)
    async with asyncio.timeout(PATIENCE_S):
        while not all(one.tries for one in await desk._view.store.select(Notice, only_open=True)):
            await asyncio.sleep(0.01)
    good = sample_file.read_bytes()
    sample_file.write_bytes(b"")
    desk._keeping.wake()

    async with asyncio.timeout(PATIENCE_S):
        while not desk.alarm:
            await asyncio.sleep(0.01)
    said = desk.alarm
    sample_file.write_bytes(good)
    await desk.perform(Unlock(user="u4"))
    async with asyncio.timeout(PATIENCE_S):
        while desk.alarm:
            await asyncio.sleep(0.01)

    assert said.startswith("Letters to customers wait: ")


async def test_a_desk_is_ended_in_its_own_loop_while_its_chores_write(opened: Open) -> None:
    desk = opened(None, "dana")
    await desk.case("u1")
    async with desk._changing:  # where a chore that writes holds it
        await asyncio.sleep(0.05)
        with pytest.raises(RuntimeError, match="aclose"):
            desk.close()
        ending = asyncio.create_task(desk.aclose())
        await asyncio.sleep(0.01)

    await ending

    assert (await desk.log(LOOKS)).total == 1
