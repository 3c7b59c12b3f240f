"""A verdict is given again only while the data it was found in are the data there are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from helpdesk.domain.actions import EndSessions
from helpdesk.service.local import LocalDesk
from tests.service.test_keeping import file_of, opened

__all__ = ["opened"]


async def test_a_verdict_found_before_an_act_is_not_given_after_it(
    opened: Callable[..., LocalDesk],
) -> None:
    desk = opened()
    await desk.queue()
    file = file_of(desk)
    file.reads = "timelines"
    looking = asyncio.create_task(desk.why("u1"))
    await file.has_begun()
    file.reads = ""

    await desk.perform(EndSessions(user="u2", reason="called", ticket="4822"))
    file.go_on.set()
    old = await looking

    assert await desk.why("u1") is not old
