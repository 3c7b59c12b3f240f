"""What goes wrong at the provider behind a gateway, as the console at its other end is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

import msgspec
import pytest

from helpdesk.connectors.circuit import FAILURES
from helpdesk.connectors.demo import DemoConnector
from helpdesk.connectors.exchange import NotSignedIn, not_taken
from helpdesk.domain.actions import AnyAction, ResetFactor, SendCode
from helpdesk.domain.audit import LogRow, Result
from helpdesk.domain.errors import (
    BrokeOff,
    DeskRefused,
    OfProvider,
    Unauthorised,
    Unreachable,
    Unsettled,
)
from helpdesk.domain.products import Product
from helpdesk.domain.search import Query
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.users import Factor, User
from helpdesk.gateway.line import Line
from helpdesk.gateway.problems import error_of, problem_of
from helpdesk.gateway.remote import RemoteDesk
from helpdesk.service.local import LocalDesk
from tests.conftest import Clock
from tests.gateway.serving import Spoken, gateway

KEY = "k-0123456789abcdef"
RESET = ResetFactor(user="u2", factor="u2-f2", reason="new phone", ticket="4822")
SEND = SendCode(user="u2", factor="u2-f1", reason="asked", ticket="4822")
LOST = Unsettled("The answer of Okta was lost. It may be done or not: look at the user again.")
GONE = "Okta at okta.example cannot be reached: the connection was refused."
HALF = BrokeOff("The reset broke off. Gone: 1 of 9.", "Gone: SMS a. Left: SMS b, SMS c.")


class Failing(DemoConnector):
    """A provider whose acts end as a test says, after it took them."""

    fault: ClassVar[Exception] = LOST
    told: ClassVar[list[str]] = []

    async def reset(self, user: User, factors: tuple[Factor, ...], now: datetime) -> None:
        self.told.append("reset")
        raise self.fault

    async def send_code(self, user: User, factor: Factor, card: Product, now: datetime) -> None:
        self.told.append("send")
        raise self.fault


@pytest.mark.parametrize("action", [RESET, SEND])
@pytest.mark.parametrize(
    "fault", [not_taken("Okta", "its token ended"), not_taken("Okta", "", kind=NotSignedIn), LOST,
              HALF],
)  # fmt: skip
async def test_the_agent_is_told_as_the_desk_is_and_the_provider_once(
    desk_as: Callable[..., LocalDesk],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    action: AnyAction,
    fault: OfProvider,
) -> None:
    monkeypatch.setattr(Failing, "fault", fault)
    monkeypatch.setattr(Failing, "told", [])
    spoken = Spoken("dana")

    with gateway(lambda who: desk_as(who, is_gated=False, connector=Failing), clock) as (url, _):
        desk = RemoteDesk(Line(url, spoken))
        with pytest.raises(OfProvider) as caught:
            await desk.perform(action, key=KEY)
        rows = (await desk.log(Query())).rows
        desk.close()

    assert str(caught.value) == str(fault)
    assert len(Failing.told) == 1
    assert spoken.refusals == []  # nobody is asked to sign in anew
    assert [row.says for row in rows if row.result is Result.FAILED] == [
        fault.whole if isinstance(fault, BrokeOff) else str(fault)
    ]


class Away(DemoConnector):
    """A provider elsewhere that is not reached."""

    takes_part = False
    told: ClassVar[list[str]] = []

    async def timeline(self, user: str) -> tuple[AnyEvent, ...]:
        if self.told:
            raise Unreachable(GONE)
        return await super().timeline(user)

    async def send_code(self, user: User, factor: Factor, card: Product, now: datetime) -> None:
        self.told.append("send")
        raise Unreachable(GONE)


async def test_a_provider_that_is_not_reached_is_not_taken_for_the_desk(
    desk_as: Callable[..., LocalDesk], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After five failures of a desk nothing is asked of it for half a minute, not even its log."""
    monkeypatch.setattr(Away, "told", [])

    with gateway(lambda who: desk_as(who, is_gated=False, connector=Away), clock) as (url, _):
        desk = RemoteDesk(Line(url, Spoken("dana")))
        with pytest.raises(OfProvider) as caught:
            await desk.perform(SEND, key=KEY)
        for _ in range(FAILURES):
            with pytest.raises(OfProvider):
                await desk.case("u2")
        rows = (await desk.log(Query())).rows
        is_live = desk.freshness.is_live
        desk.close()

    assert (str(caught.value), Away.told) == (GONE, ["send"])
    assert [(row.act, row.says) for row in rows if row.result is Result.FAILED] == [
        ("send-code", GONE)
    ]
    assert is_live


async def test_what_nobody_knows_is_not_done_again_with_the_same_key(
    desk_as: Callable[..., LocalDesk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Failing, "fault", LOST)
    monkeypatch.setattr(Failing, "told", [])
    desk = desk_as("dana", is_gated=False, connector=Failing)

    for _ in range(2):
        with pytest.raises(Unsettled, match="It may be done or not"):
            await desk.perform(SEND, key=KEY)

    assert Failing.told == ["send"]
    assert (await desk.operation(KEY)).result is Result.FAILED


@pytest.mark.parametrize("fault", [not_taken("Okta", "no", kind=NotSignedIn), LOST, HALF])
def test_an_error_of_the_provider_travels_as_what_it_is(fault: OfProvider) -> None:
    problem = problem_of(fault)

    again = error_of(problem.status, msgspec.json.encode(problem))
    assert isinstance(fault, type(again))
    assert isinstance(again, DeskRefused | BrokeOff | Unsettled)
    assert (problem.status, str(again)) == (503, str(fault))


def test_the_desks_own_account_is_not_the_agents_sign_in() -> None:
    refused = not_taken("Okta", "its token ended.")

    assert str(refused) == (
        "Okta refused the desk's own account: its token ended. Tell whoever runs the desk; your "
        "own sign-in is not the matter."
    )
    assert (refused.exit_code, isinstance(refused, Unauthorised)) == (Unreachable.exit_code, False)


class Held(DemoConnector):
    """A provider elsewhere that takes its time to reset."""

    takes_part = False
    began, let = threading.Event(), threading.Event()

    async def reset(self, user: User, factors: tuple[Factor, ...], now: datetime) -> None:
        self.began.set()
        while not self.let.is_set():
            await asyncio.sleep(0.01)


async def test_a_held_act_goes_to_its_end_where_who_asked_for_it_waits_no_more(
    desk_as: Callable[..., LocalDesk], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A console asks for what is due; broken off, an act that the provider does is unknown."""
    monkeypatch.setattr(Held, "began", threading.Event())
    monkeypatch.setattr(Held, "let", threading.Event())

    def opened(who: str) -> LocalDesk:
        return desk_as(who, is_gated=False, connector=Held, hold_minutes=5)

    with gateway(opened, clock, time_limit_s=0.5) as (url, _):
        desk = RemoteDesk(Line(url, Spoken("dana"), tries=1))
        await desk.perform(RESET, key=KEY)
        clock.go_on(minutes=6)
        with pytest.raises(Unreachable, match="took too long"):
            await desk.carry_out_due()
        Held.let.set()
        rows: list[LogRow] = []
        while not any(row.act == "reset-factor" and row.result is not Result.HELD for row in rows):
            await desk.carry_out_due()
            rows = [*(await desk.log(Query())).rows]
        desk.close()

    assert rows[0].says.startswith("Held from 09:00. Reset: ")
