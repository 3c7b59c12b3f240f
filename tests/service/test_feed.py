from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from helpdesk.domain.actions import CloseTicket, Note
from helpdesk.domain.errors import BadInput, CursorTooOld
from helpdesk.domain.feed import Change, Kind
from helpdesk.service.local import LocalDesk
from tests.waiting import PATIENCE_S

Open = Callable[..., LocalDesk]


def note(user: str, text: str = "called") -> Note:
    return Note(user=user, text=text)


async def test_the_feed_begins_now_and_then_tells_what_changed(desk: LocalDesk) -> None:
    begin = await desk.changes()
    await desk.perform(note("u2"))
    after = await desk.changes(begin.cursor)
    rest = await desk.changes(after.cursor)

    assert begin.changes == rest.changes == ()
    assert Change(kind=Kind.USER, id="u2") in after.changes
    assert Change(kind=Kind.LOG, id="1") in after.changes
    assert rest.cursor == after.cursor != begin.cursor


async def test_nothing_is_missed_in_small_pages(desk: LocalDesk, desk_as: Open) -> None:
    cursor = (await desk.changes()).cursor
    for number in range(7):
        await desk_as("lee").perform(note(f"u{number % 2 + 1}", f"call {number}"))

    seen: list[str] = []
    is_more = True
    while is_more:
        page = await desk.changes(cursor, limit=2)
        seen += [one.id for one in page.changes if one.kind is Kind.LOG]
        cursor, is_more = page.cursor, page.is_more

    assert seen == [str(number) for number in range(1, 8)]


async def test_a_ticket_that_changed_is_named(desk: LocalDesk) -> None:
    cursor = (await desk.changes()).cursor
    await desk.perform(CloseTicket(user="u2", ticket="4822"))

    changes = (await desk.changes(cursor)).changes

    assert Change(kind=Kind.TICKET, id="4822") in changes


async def test_an_administrator_is_told_of_their_own_account_only(
    desk: LocalDesk, desk_as: Open
) -> None:
    pia = desk_as("pia")
    cursor = (await pia.changes()).cursor
    await desk.perform(note("u2"))
    page = await pia.changes(cursor)

    assert page.changes == ()
    assert page.cursor != cursor


@pytest.mark.parametrize("cursor", ["%%", "bm9wZQ", "x" * 100, "ÿ", "MS4"])
async def test_what_is_no_cursor_is_said_so(desk: LocalDesk, cursor: str) -> None:
    with pytest.raises((BadInput, CursorTooOld)):
        await desk.changes(cursor)


async def test_the_cursor_of_another_log_is_too_old(desk: LocalDesk, sample_file: Path) -> None:
    tables = json.loads(sample_file.read_text("utf-8"))
    await desk.perform(note("u2"))
    cursor = (await desk.changes()).cursor
    sample_file.write_text(json.dumps(tables), "utf-8")

    with pytest.raises(CursorTooOld):
        await desk.changes(cursor)

    await desk.perform(note("u1", "another log"))
    with pytest.raises(CursorTooOld):
        await desk.changes(cursor)


async def test_whoever_waits_is_woken_by_what_another_console_does(
    desk: LocalDesk, desk_as: Open
) -> None:
    cursor = (await desk.changes()).cursor
    waiting = asyncio.create_task(desk.changed(cursor))
    await asyncio.sleep(0)
    await desk_as("lee").perform(note("u1"))
    newer = await asyncio.wait_for(waiting, PATIENCE_S)

    assert newer != cursor
    assert Change(kind=Kind.USER, id="u1") in (await desk.changes(cursor)).changes


async def test_a_local_desk_is_always_live(desk: LocalDesk) -> None:
    assert desk.freshness.is_live
    assert not desk.freshness.is_read_only
