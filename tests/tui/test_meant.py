"""Whom a key is about: the row and the search the agent means, however late the desk answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import events

from helpdesk.domain.errors import Unreachable
from helpdesk.domain.search import Page, Query, UserRow
from helpdesk.service.local import LocalDesk
from helpdesk.tui.screens.desk import DeskScreen
from helpdesk.tui.widgets.chrome import Open
from helpdesk.tui.widgets.rowlist import RowList
from tests.tui.console import Console, Slow, console

Demo = Callable[..., LocalDesk]
SIZE = 130, 24
MAYA = "u1"


class SlowToFind(Slow):
    """A desk that lets the beginning of what a search finds wait until it is let go."""

    async def find(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[UserRow]:
        """Give a window of the users that match."""
        found = await self._desk.find(query, offset=offset, limit=limit)
        if query.words and not offset:
            await self._pass("find")
        return found


class Counted(Slow):
    """A desk that keeps whose cases it was asked for.

    Attributes:
        asked: Their ids, in order.
    """

    def __init__(self, desk: LocalDesk) -> None:
        super().__init__(desk)
        self.asked: list[str] = []

    async def case(self, user: str) -> object:
        """Give a case, and keep that it was asked for."""
        self.asked.append(user)
        return await super().case(user)


class LostWhileFinding(SlowToFind):
    """A desk that lets a search wait, and then cannot be reached."""

    async def find(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[UserRow]:
        """Give nobody."""
        await super().find(query, offset=offset, limit=limit)
        raise Unreachable("The desk does not answer.")


def rows_of(agent: Console) -> RowList[UserRow]:
    """Give the list of the desk."""
    assert isinstance(agent.app.screen, DeskScreen)
    return agent.app.screen.finder.rows


@asynccontextmanager
async def searching_while_an_act_ends(desk: SlowToFind, *keys: str) -> AsyncIterator[Console]:
    """Search while an act on the fourth of the queue is under way, whose end comes first."""
    act, found = (desk.gates.setdefault(name, asyncio.Event()) for name in ("perform", "find"))
    async with console(desk, size=SIZE) as agent:  # type: ignore[arg-type]
        await agent.press("down", "down", "down")
        await agent.settles()
        await agent.press("x")
        await agent.until(lambda: bool(desk.performed), "the act")
        await agent.press("/")
        await agent.type("maya")
        await agent.press(*keys)
        act.set()
        await agent.sees("Personal data was shown")
        found.set()
        await agent.sees("found")
        await agent.until(lambda: not agent.app.screen.finder.is_awaited, "the users")  # type: ignore[attr-defined]
        await agent.settles()
        yield agent


async def test_an_act_that_ends_while_one_searches_opens_nobody_further_down(demo: Demo) -> None:
    async with searching_while_an_act_ends(SlowToFind(demo()), "enter") as agent:
        first = rows_of(agent)._rows[0]

        assert rows_of(agent).current == first
        await agent.has_case(first.id)


async def test_an_act_that_ends_while_one_searches_leaves_no_other_case_beside_the_row(
    demo: Demo,
) -> None:
    async with searching_while_an_act_ends(SlowToFind(demo())) as agent:
        current = rows_of(agent).current

        assert current is not None
        await agent.has_case(current.id)


async def test_rows_of_the_search_that_is_awaited_are_not_mixed_with_those_shown(
    demo: Demo,
) -> None:
    desk = SlowToFind(demo())
    async with console(desk, size=SIZE) as agent:  # type: ignore[arg-type]
        await agent.press("/")
        await agent.type("sort:name")
        await agent.sees("240 found")
        rows = rows_of(agent)
        desk.gates["find"] = asyncio.Event()
        await agent.type(" a")

        rows.action_end(1)
        await agent.settles()

        assert (rows.total, rows.cursor) == (240, 239)
        desk.gates["find"].set()
        await agent.until(lambda: rows.total < 240, "those found")
        assert rows.cursor == 0


@pytest.mark.parametrize(("key", "shown"), [("Y", "clipboard"), ("i", "dialog"), ("c", "dialog")])
async def test_what_is_read_or_copied_right_after_a_move_is_of_the_row_moved_to(
    demo: Demo, key: str, shown: str
) -> None:
    desk = Slow(demo())
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.settles()
        here, there = rows_of(agent)._rows[0].id, rows_of(agent)._rows[1].id
        await agent.has_case(here)
        gate = desk.gates[there] = asyncio.Event()

        agent.app.post_message(events.Key("down", None))
        agent.app.post_message(events.Key(key, key))
        await agent.settles()
        early: Any = (agent.app.clipboard, len(agent.app.screen_stack))
        gate.set()
        await agent.has_case(there)

        assert early == ("", 1)
        if shown == "clipboard":
            await agent.until(lambda: there in agent.app.clipboard.split(), "the case copied")
        else:
            await agent.until(lambda: len(agent.app.screen_stack) == 2, "the dialog")


@pytest.mark.parametrize("key", ["k", "s", "i"])
@pytest.mark.parametrize(
    ("kind", "says"), [(SlowToFind, "Nobody found"), (LostWhileFinding, "does not answer")]
)
async def test_an_act_typed_ahead_of_a_search_that_finds_nobody_is_about_nobody(
    demo: Demo, kind: type[SlowToFind], says: str, key: str
) -> None:
    desk = kind(demo())
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.has_case(MAYA)
        gate = desk.gates["find"] = asyncio.Event()
        await agent.press("/")
        await agent.type("zzzzz")
        await agent.press("enter", key)
        await agent.settles()

        gate.set()

        await agent.sees(says, "Choose a user first.")
        assert (desk.performed, len(agent.app.screen_stack)) == ([], 1)


async def test_enter_after_a_search_that_cannot_be_read_opens_nobody(demo: Demo) -> None:
    desk = Slow(demo())
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.has_case(MAYA)
        await agent.type("/state:nowhere")
        await agent.sees("▲")

        await agent.press("enter", "k")
        await agent.settles()

        assert (desk.performed, agent.focused) == ([], "search")


async def test_a_list_that_was_rolled_and_is_asked_anew_takes_no_case_away(demo: Demo) -> None:
    async with console(demo(), size=SIZE) as agent:
        await agent.press("/")
        await agent.type("sort:name")
        await agent.sees("240 found")
        await agent.press("tab")
        desk, rows = agent.app.screen, rows_of(agent)
        assert isinstance(desk, DeskScreen)
        desk.open_user("u50")
        await agent.has_case("u50")
        for _ in range(40):
            await agent.pilot._post_mouse_events([events.MouseScrollDown], widget=rows)
        await agent.settles()
        before = rows._top

        desk.search(keep=True)
        await agent.settles()

        assert (rows._top, agent.case_user) == (before, "u50")
        assert before > 0


async def test_a_case_opened_from_another_place_has_the_lists_cursor(demo: Demo) -> None:
    desk = Counted(demo())
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.has_case(MAYA)
        rows = rows_of(agent)
        other = rows._rows[3].id
        desk.asked.clear()
        await agent.press("2")
        await agent.sees("Rounds")
        agent.app.screen.post_message(Open(other))
        await agent.has_case(other)
        await agent.settles()

        assert rows.current is not None
        assert (rows.current.id, rows.is_apart, agent.case_user) == (other, False, other)
        assert desk.asked == [other]
        assert [line for line in agent.lines if "▌" in line] == [agent.lines[rows.region.y + 3]]
        await agent.press("down")
        await agent.has_case(rows._rows[4].id)


async def test_a_case_that_is_not_in_the_list_leaves_the_cursor_looking_as_if_it_rested(
    demo: Demo,
) -> None:
    async with console(demo()) as agent:
        await agent.find("okafor", MAYA)
        rows = rows_of(agent)
        await agent.press("2")
        await agent.sees("Rounds")
        agent.app.screen.post_message(Open("u5"))
        await agent.has_case("u5")
        await agent.settles()

        assert rows.is_apart
        line = agent.lines[rows.region.y]
        assert "Maya" in line
        assert "▌" not in line
        assert rows.has_focus
        await agent.press("ctrl+r")
        await agent.settles()
        assert (rows.is_apart, agent.case_user) == (True, "u5")
        await agent.press("enter")
        await agent.has_case(MAYA)
        await agent.settles()
        assert "▌" in agent.lines[rows.region.y]


async def test_a_user_who_left_the_list_while_their_case_is_open_takes_the_cursors_look_along(
    demo: Demo,
) -> None:
    async with console(demo()) as agent:
        await agent.has_case(MAYA)
        screen = agent.app.screen
        assert isinstance(screen, DeskScreen)
        rows, held = screen.finder.rows, dict(screen.finder.rows._rows)
        left = tuple(held[at] for at in sorted(held) if held[at].id != MAYA)

        rows.show(Page(rows=left, offset=0, total=len(left)), keep=True)
        screen.listed(kept=True)
        assert rows.is_apart
        rows.show(Page(rows=tuple(held.values()), offset=0, total=len(held)), keep=True)
        screen.listed(kept=True)

        assert rows.current is not None
        assert (rows.current.id, rows.is_apart, agent.case_user) == (MAYA, False, MAYA)
