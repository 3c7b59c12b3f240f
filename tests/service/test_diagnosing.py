"""A verdict is given again only while the data it was found in are the data there are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from helpdesk.domain.actions import EndSessions, Note
from helpdesk.domain.search import Query
from helpdesk.service.local import LocalDesk
from tests.service.test_keeping import file_of, opened
from tests.waiting import PATIENCE_S

__all__ = ["opened"]

Open = Callable[..., LocalDesk]
ACT = EndSessions(user="u2", reason="called", ticket="4822")


async def test_a_verdict_is_given_again_while_nothing_changed(opened: Open) -> None:
    desk = opened()

    assert await desk.why("u1") is await desk.why("u1")


async def test_what_is_said_of_a_case_makes_its_verdict_no_other(opened: Open) -> None:
    desk = opened()
    old = await desk.why("u1")

    await desk.perform(Note(user="u1", text="called again"))

    assert await desk.why("u1") is old


async def test_a_verdict_is_found_anew_when_somebody_beside_changed(opened: Open) -> None:
    desk = opened()
    old = await desk.why("u3")

    await desk.perform(ACT)

    assert await desk.why("u3") is not old


async def test_a_verdict_stays_when_somebody_changed_with_another_product(opened: Open) -> None:
    desk = opened()
    old = await desk.why("u1")

    await desk.perform(ACT)

    assert await desk.why("u1") is old


async def test_how_many_loop_is_told_without_a_verdict_on_each(opened: Open) -> None:
    desk = opened()
    file_of(desk).reads = "timelines"  # a verdict would wait for them

    async with asyncio.timeout(PATIENCE_S):
        found = await desk.loops(Query(), limit=0)
    file_of(desk).reads = ""

    assert found.total == (await desk.loops(Query())).total > 0
    assert found.rows == ()


async def test_what_was_being_read_during_an_act_is_read_anew_after_it(opened: Open) -> None:
    desk = opened()
    await desk.queue()
    file = file_of(desk)
    file.reads = "timelines"
    looking = asyncio.create_task(desk.why("u3"))
    await file.has_begun()
    file.reads = ""

    await desk.perform(ACT)
    file.go_on.set()
    await looking
    await desk.why("u3")

    found = desk._diagnosing._found
    crowd = found.crowds["constant-contact"]
    told = {user.id: timeline for user, timeline in crowd.people.pairs}
    assert told["u2"] == await desk._view.connector.timeline("u2")
    assert found.verdicts["u3"].crowd == crowd.number
