"""Who is without MFA, and since when: one key, one search, one look at the queue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from helpdesk.domain.actions import TurnOffMfa
from helpdesk.service.local import LocalDesk
from tests.conftest import Clock, Run
from tests.tui.console import NOW, console

Demo = Callable[..., LocalDesk]


@pytest.fixture
def clock() -> Clock:
    """A clock that begins with the demo."""
    found = Clock()
    found.now = NOW
    return found


async def turned_off(desk: LocalDesk, clock: Clock, days: int) -> str:
    """Turn off the first user who asked for it until tomorrow, and let days go by."""
    row = (await desk.queue()).rows[0]
    assert row.ticket is not None
    until = f"{NOW + timedelta(days=1):%Y-%m-%d}"
    await desk.perform(
        TurnOffMfa(user=row.id, reason="asked in writing", ticket=row.ticket.id, until=until)
    )
    clock.go_on(days=days)
    return row.name


async def test_one_key_lists_them_with_the_days(demo: Demo, clock: Clock) -> None:
    desk = demo("account-manager", clock=clock, is_gated=False)
    row = (await desk.queue()).rows[0]
    assert row.ticket is not None
    await desk.perform(TurnOffMfa(user=row.id, reason="asked", ticket=row.ticket.id))
    clock.go_on(days=34)

    async with console(desk, clock=clock) as manager:
        await manager.press("W")
        await manager.sees("/ state:off", "9 found", "MFA off 34 d", "MFA off")


async def test_whose_day_has_come_is_in_the_queue_and_says_so(demo: Demo, clock: Clock) -> None:
    desk = demo("account-manager", clock=clock, is_gated=False)
    await turned_off(desk, clock, days=3)

    async with console(desk, clock=clock) as manager:
        await manager.sees("MFA off, due")


def test_the_search_says_since_when_and_until_when(run: Run, turn_off: Callable[..., None]) -> None:
    until = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
    turn_off("--set", f"until={until}")

    code, out, _ = run("find", "state:off")

    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert "off since 20" in lines["u1"]
    assert f"until {until}" in lines["u1"]
    assert "off, since when unknown" in lines["u8"]
