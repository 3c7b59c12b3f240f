"""A lead sees the desk's alarms above the log; an agent sees who came in after their own reset."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from helpdesk.domain.actions import ResetAll
from helpdesk.domain.limits import STRANGER_IN, Alarm, concerning
from helpdesk.service.local import LocalDesk
from helpdesk.tui.app import HelpdeskApp
from helpdesk.tui.screens.waiting import Strangers
from tests.conftest import Clock
from tests.factories import agent as agent_in
from tests.service.test_strangers import FAR_OFF, entry, moment
from tests.tui.console import NOW, Console, console

Demo = Callable[..., LocalDesk]
NIKOS = "u189"
RESET = ResetAll(user=NIKOS, reason="lost the phone", ticket="4865")


@pytest.fixture
def clock() -> Clock:
    """A clock that begins with the demo."""
    found = Clock()
    found.now = NOW
    return found


def come_in(file: Path, clock: Clock) -> None:
    """Let a stranger come in as Nikos a minute ago, behind the desk's back."""
    tables = json.loads(file.read_text("utf-8"))
    meta = tables["meta"]["1"]
    shift = moment(meta["at"]) - moment(meta["now"])
    at = clock.now - timedelta(minutes=1) - shift
    told = next(row for row in tables["timelines"].values() if row["user"] == NIKOS)
    told["events"] += entry(at, "n1", FAR_OFF)
    file.write_text(json.dumps(tables), "utf-8")


async def reset_and_entered(demo: Demo, clock: Clock, tmp_path: Path) -> None:
    """Dana resets Nikos; twenty minutes later a stranger is in."""
    await demo("support", clock=clock, is_gated=False).perform(RESET)
    clock.go_on(minutes=20)
    come_in(tmp_path / "demo.json", clock)


def badge(agent: Console) -> str:
    """The header's word for the log."""
    return agent.lines[0].partition("5 ")[2].split()[0]


async def test_the_lead_sees_it_above_the_log_and_a_key_opens_the_case(
    demo: Demo, clock: Clock, tmp_path: Path
) -> None:
    await reset_and_entered(demo, clock, tmp_path)

    async with console(demo("lead", clock=clock)) as lead:
        await lead.until(lambda: badge(lead) == "Log¹", "the badge")
        await lead.press("5")
        await lead.sees(
            "▲ 14:2",
            "STRANGER IN: u189: factors were reset, first entry from Hanoi",
            "(reset-all by dana)",
        )
        await lead.press("g")
        await lead.has_case(NIKOS)
        await lead.sees("ALARM: first entry from an unknown place")


async def test_a_click_on_an_alarm_opens_its_user(demo: Demo, clock: Clock, tmp_path: Path) -> None:
    await reset_and_entered(demo, clock, tmp_path)

    async with console(demo("lead", clock=clock)) as lead:
        await lead.press("5")
        await lead.click("STRANGER IN")

        await lead.has_case(NIKOS)


async def test_the_agent_who_did_it_is_told_as_soon_as_it_is_seen(
    demo: Demo, clock: Clock, tmp_path: Path
) -> None:
    desk = demo("support", clock=clock, is_gated=False)
    await desk.perform(RESET)

    async with console(desk) as agent:
        await agent.settles()
        before = badge(agent)
        clock.go_on(minutes=20)
        come_in(tmp_path / "demo.json", clock)
        assert isinstance(agent.app, HelpdeskApp)
        agent.app.look_for_alarms()
        await agent.sees("STRANGER IN: u189", "Hanoi")
        await agent.until(lambda: badge(agent) == "Log¹", "the badge")

    assert before == "Log"


async def test_another_agent_is_not_bothered_with_it(
    demo: Demo, clock: Clock, tmp_path: Path
) -> None:
    await reset_and_entered(demo, clock, tmp_path)

    async with console(demo("account-manager", clock=clock)) as agent:
        await agent.press("5")
        await agent.sees("Reset all factors")
        await agent.settles()
        assert "STRANGER IN" not in agent.text
        assert badge(agent) == "Log"
        await agent.press("g")
        await agent.sees("There is no alarm about a user.")


async def test_without_an_alarm_the_log_has_its_whole_height(demo: Demo) -> None:
    async with console(demo("lead")) as lead:
        await lead.press("5")
        await lead.settles()

        assert "▲" not in lead.text
        assert lead.lines[1].startswith("╭")


def test_a_lead_sees_strangers_first_and_each_alarm_once_and_others_their_own() -> None:
    stranger = Alarm(what=STRANGER_IN, at=NOW, says="u1: in", user="u1", agent="g-support")
    many = [
        Alarm(
            what="many-resets", at=NOW + timedelta(minutes=n), says="dana did three", agent="dana"
        )
        for n in (9, 5)
    ]

    told = [*many, stranger]

    assert concerning(told, agent_in("lead")) == (stranger, many[0])
    assert concerning(told, agent_in("auditor")) == (stranger, many[0])
    assert concerning(told, agent_in("support")) == (stranger,)
    assert concerning(told, agent_in("account-manager")) == ()


def test_what_was_there_first_is_no_news() -> None:
    old, new = (
        Alarm(what=STRANGER_IN, at=NOW + timedelta(minutes=n), says="", user="u1") for n in (0, 9)
    )
    many = Alarm(what="many-resets", at=NOW, says="")
    seen = Strangers()

    first, again, then = seen.news((old,)), seen.news((old, many)), seen.news((new, old))

    assert (first, again, then) == ([], [], [new])
