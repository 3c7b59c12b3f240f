"""From a reset to who comes in: the customer, or a stranger whom everybody hears of at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest

from helpdesk.domain.actions import (
    AnyAction,
    ChangeMobile,
    EnrolTotp,
    ResetAll,
    TemporaryPass,
    TurnOffMfa,
)
from helpdesk.domain.watch import WatchState, watch
from helpdesk.service.local import LocalDesk
from tests.conftest import NOW, Clock, Run, prove

ADA, MAYANK = "u2", "u1"
HOME = {"ip": "192.0.2.7", "browser": "b1", "place": "Leeds, GB", "network": "home"}
NEW_PHONE = {**HOME, "browser": "b2"}
FAR_OFF = {"ip": "203.0.113.66", "browser": "x9", "place": "Hanoi, VN", "network": "hosting"}
RESET = ResetAll(user=ADA, reason="lost the phone", ticket="4822")


def moment(text: str) -> datetime:
    """Read a moment of the file."""
    return datetime.fromisoformat(text)


def entry(at: datetime, name: str, where: dict[str, Any]) -> list[dict[str, Any]]:
    """A whole good login: password, challenge, answer, session."""
    who = {key: where[key] for key in ("ip", "browser")}
    rows: list[tuple[str, dict[str, Any]]] = [
        ("password", {"ok": True, **where}),
        ("challenge", {"challenge": name, "rule": "new-device", "factor": "sms", **where}),
        ("answer", {"challenge": name, "ok": True, **who}),
        ("session", {"challenge": name, "state": "created", **who}),
    ]
    return [
        {"kind": kind, "at": (at + timedelta(seconds=5 * n)).isoformat(), "id": f"{name}-{n}", **it}
        for n, (kind, it) in enumerate(rows)
    ]


@pytest.fixture
def comes_in(sample_file: Path) -> Callable[..., None]:
    """Let somebody come in as a user: the provider writes it, behind the desk's back."""

    def write(at: datetime, where: dict[str, Any], name: str = "n1", user: str = ADA) -> None:
        tables = json.loads(sample_file.read_text("utf-8"))
        meta = tables["meta"]["1"]
        shift = moment(meta.get("at", NOW.isoformat())) - moment(meta["now"])
        told = tables["timelines"].setdefault(user[1:], {"user": user, "events": []})
        told["events"] += entry(at - shift, name, where)
        sample_file.write_text(json.dumps(tables), "utf-8")

    for day in (1, 2, 3):
        for user in (ADA, MAYANK):
            write(NOW - timedelta(days=day), HOME, f"h{day}", user)
    return write


ComesIn = Callable[..., None]
OPENINGS: dict[str, tuple[str, AnyAction]] = {
    "pass": ("dana", TemporaryPass(user=ADA, reason="on a journey", ticket="4822")),
    "MFA off": ("sam", TurnOffMfa(user=MAYANK, reason="asked in writing", ticket="4821")),
    "number": (
        "sam", ChangeMobile(user=MAYANK, mobile="+447700900177", reason="new", ticket="4821"),
    ),
}  # fmt: skip


async def state(desk: LocalDesk, user: str = ADA) -> WatchState | None:
    """What the watch of a case says."""
    found = watch(await desk.case(user), await desk.why(user))
    return found.state if found else None


async def test_after_a_reset_the_customer_comes_back_with_a_new_telephone_and_nobody_stirs(
    desk_as: Callable[..., LocalDesk], clock: Clock, comes_in: ComesIn
) -> None:
    desk = desk_as("dana", is_gated=False)
    await desk.perform(RESET)
    waiting = await state(desk)
    clock.go_on(minutes=20)
    comes_in(clock.now - timedelta(minutes=1), NEW_PHONE)

    assert waiting is WatchState.WAITING
    assert await state(desk) is None
    assert await desk_as("lee").alarms() == ()


async def test_after_a_reset_a_stranger_comes_first_and_everybody_hears_of_it(
    desk_as: Callable[..., LocalDesk], clock: Clock, comes_in: ComesIn
) -> None:
    desk = desk_as("dana", is_gated=False)
    await desk.perform(RESET)
    clock.go_on(minutes=20)
    came_at = clock.now - timedelta(minutes=1)
    comes_in(came_at, FAR_OFF)

    verdict = await desk.why(ADA)
    (alarm,) = await desk_as("lee").alarms()

    assert [one.id for one in verdict.causes][:1] == ["F4"]
    assert verdict.is_hostile
    assert await state(desk) is WatchState.ALARM
    assert (alarm.what, alarm.user, alarm.agent) == ("stranger-in", ADA, "dana")
    assert came_at <= alarm.at <= came_at + timedelta(minutes=1)
    assert "Hanoi" in alarm.says


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize(("where", "is_alarm"), [(FAR_OFF, True), (NEW_PHONE, False)])
async def test_whatever_opened_the_way_the_first_through_it_is_looked_at(
    desk_as: Callable[..., LocalDesk],
    clock: Clock,
    comes_in: ComesIn,
    opening: str,
    where: dict[str, Any],
    is_alarm: bool,
) -> None:
    who, act = OPENINGS[opening]
    await desk_as(who, is_gated=False).perform(act)
    clock.go_on(minutes=20)
    comes_in(clock.now - timedelta(minutes=1), where, user=act.user)

    alarms = await desk_as("lee").alarms()

    assert [one.what for one in alarms] == (["stranger-in"] if is_alarm else [])
    assert (await state(desk_as("dana"), act.user) is WatchState.ALARM) is is_alarm


async def test_an_authenticator_enrolled_for_a_caller_is_looked_at_too(
    desk_as: Callable[..., LocalDesk], clock: Clock, comes_in: ComesIn
) -> None:
    desk = desk_as("dana", is_gated=False)
    begun = await desk.perform(EnrolTotp(user=ADA, reason="new phone", ticket="4822"))
    assert begun.handover
    code = pyotp.TOTP(begun.handover.secret).at(clock.now)
    await desk.perform(EnrolTotp(user=ADA, code=code, reason="new phone", ticket="4822"))
    clock.go_on(minutes=20)
    comes_in(clock.now - timedelta(minutes=1), FAR_OFF)

    alarms = await desk_as("lee").alarms()

    assert [one.what for one in alarms] == ["stranger-in"]


async def test_the_alarm_is_there_on_monday_and_gone_after_a_week(
    desk_as: Callable[..., LocalDesk], clock: Clock, comes_in: ComesIn
) -> None:
    await desk_as("dana", is_gated=False).perform(RESET)
    clock.go_on(minutes=20)
    comes_in(clock.now - timedelta(minutes=1), FAR_OFF)

    clock.go_on(days=3)
    monday = await desk_as("lee").alarms()
    clock.go_on(days=5)

    assert [one.what for one in monday] == ["stranger-in"]
    assert await desk_as("lee").alarms() == ()


async def test_an_administrator_of_one_account_hears_of_its_own_users_only(
    desk_as: Callable[..., LocalDesk], clock: Clock, comes_in: ComesIn
) -> None:
    await desk_as("dana", is_gated=False).perform(RESET)
    clock.go_on(minutes=20)
    comes_in(clock.now - timedelta(minutes=1), FAR_OFF)

    assert await desk_as("pia").alarms() == ()


def test_the_command_lists_it(run: Run, comes_in: ComesIn) -> None:
    prove(run, ADA, "4822", "dana", "--channel", "u2-f1")
    wish = ("perform", "reset-factor", ADA, "--factor", "u2-f2", "--reason", "lost")
    done = run("--as", "dana", *wish, "--ticket", "4822")
    comes_in(datetime.now(NOW.tzinfo), FAR_OFF)
    code, out, err = run("--as", "lee", "alarms")

    assert done[0] == 0, done
    assert (code, err) == (0, "")
    assert "stranger-in" in out
    assert "Hanoi" in out
