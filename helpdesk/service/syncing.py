"""Bringing the working set up to date: what waits is sent, then what changed is asked for.

    feed ─▶ nothing changed ─▶ done
      └───▶ something, or not known ─▶ queue ─▶ tickets ─▶ loops ─▶ cases of own tickets ─▶ cursor

Steps are noted when they are done, with what they brought, so that what is broken off goes on where
it was; cases several at once, for each note is a write of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

from helpdesk.domain.errors import CursorTooOld, NotFound
from helpdesk.domain.feed import Kind
from helpdesk.domain.search import Query
from helpdesk.service.offline import OfflineDesk
from helpdesk.service.working_set import ROWS_MOST

Told = Callable[[int, int, str], None]
"""Is told how many steps are done, of how many, and what is next."""

AT_ONCE: Final = 5
"""Cases that are asked for at once, and written at once."""

CASES_MOST: Final = 50
"""Cases of own tickets that are brought over; each is a look, and written down as one."""


async def synchronise(desk: OfflineDesk, told: Told) -> int:
    """Send what waits and bring the working set up to date; give how many steps that took.

    Raises:
        Unreachable: The desk is not reached; what was done so far stays.
    """
    await desk.tend()
    mark = await desk.mark()
    cursor = mark.cursor
    try:
        found = await desk.desk_changes(cursor)
        is_same = bool(cursor) and all(one.kind is Kind.LOG for one in found.changes)
        gone = [f"case {one.id}" for one in found.changes if one.kind is Kind.USER and one.is_gone]
    except CursorTooOld:
        found, is_same, gone = await desk.desk_changes(""), False, []
    await desk.let_go(gone)
    if is_same and not found.is_more and not mark.steps:
        await desk.note(cursor=found.cursor)
        return 0
    with desk.gathering():
        steps = await _steps(desk)
        done = [one for one in mark.steps if one in steps]
        for names in _together([name for name in steps if name not in done]):
            told(len(done), len(steps), names[0])
            ended = await asyncio.gather(*(steps[n]() for n in names), return_exceptions=True)
            wrong = [one for one in ended if isinstance(one, BaseException)]
            done += [n for n, one in zip(names, ended, strict=True) if one not in wrong]
            await desk.note(steps=tuple(done))
            if wrong:
                raise wrong[0]
    told(len(steps), len(steps), "")
    await desk.settle()
    await desk.note(cursor=found.cursor, steps=())
    return len(steps)


def _together(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Give what is done at once: a list alone, cases several together."""
    lists = [name for name in names if " " not in name]
    cases = [name for name in names if " " in name]
    yield from ([name] for name in lists)
    yield from (cases[n : n + AT_ONCE] for n in range(0, len(cases), AT_ONCE))


async def _steps(desk: OfflineDesk) -> dict[str, Callable[[], Awaitable[object]]]:
    """What is brought over, each by its name; the tickets are asked for to know whose cases."""
    page = await desk.tickets(Query(), limit=ROWS_MOST)
    mine = [row.ticket.user for row in page.rows if row.ticket.agent == desk.agent.id]
    steps: dict[str, Callable[[], Awaitable[object]]] = {
        "queue": lambda: desk.queue(limit=ROWS_MOST),
        "loops": lambda: desk.loops(Query(), limit=ROWS_MOST),
    }
    for user in list(dict.fromkeys(mine))[:CASES_MOST]:
        steps[f"case {user}"] = lambda user=user: _look(desk, user)  # type: ignore[misc]
    return steps


async def _look(desk: OfflineDesk, user: str) -> None:
    try:
        await desk.case(user)
        await desk.why(user)
    except NotFound:
        await desk.let_go([f"case {user}", f"why {user}"])
