"""Agents who are withdrawn, and sign-ins that are ended, at every gateway of a desk."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx
import pytest
from msgspec.structs import replace

from helpdesk.config import Config
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.errors import BadInput, NoRecord, Unauthorised
from helpdesk.domain.holds import Hold
from helpdesk.domain.signing import AskSignIn
from helpdesk.domain.withdrawals import Withdrawal
from helpdesk.gateway.leaving import Leaving
from helpdesk.gateway.line import Line
from helpdesk.gateway.remote import RemoteDesk
from helpdesk.gateway.server import Gateway
from helpdesk.gateway.tokens import Signed
from helpdesk.hosting import SqlDesks
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.record import SqlStore
from helpdesk.withdrawing import Wish, carry_out
from tests.conftest import NOW
from tests.gateway.issuing import SECONDS, IssuerSite, good_claims, make_key, signed
from tests.gateway.serving import PLENTY, served
from tests.reliability.process import at_home
from tests.sample import write_sample
from tests.sql import imported
from tests.waiting import PATIENCE_S

KEY = make_key()
LEE = Agent(id="lee", name="Lee", role=Role.LEAD)
LATER = NOW + timedelta(seconds=1)


class Two(NamedTuple):
    """Two gateways on one store, and where it is."""

    store: str
    one: httpx.Client
    other: httpx.Client


def present() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    place = tmp_path_factory.mktemp("two")
    store = f"sqlite:///{place / 'desk.db'}"
    imported(store, write_sample(place / "sample.json"), present).close()
    with at_home(place), contextlib.ExitStack() as stack:
        yield Two(store, stack.enter_context(at(store)), stack.enter_context(at(store)))


@contextlib.contextmanager
def at(store: str) -> Iterator[httpx.Client]:
    with contextlib.closing(Database(store)) as database:
        desks = SqlDesks(database, Config(), is_dev=False)
        tokens = IssuerSite(KEY).tokens()
        made = Gateway(desks, tokens, allowance=PLENTY, now=lambda: NOW)
        with (
            served(made.app()) as url,
            httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S) as http,
        ):
            yield http
        desks.close()


def token(**claims: Any) -> str:
    return signed(good_claims(**claims), KEY)


def asked(http: httpx.Client, bearer: str) -> httpx.Response:
    return http.get("/v1/desk", headers={"Authorization": f"Bearer {bearer}"})


def until(http: httpx.Client, bearer: str, status: int) -> httpx.Response:
    ends = time.monotonic() + PATIENCE_S
    while (answer := asked(http, bearer)).status_code != status and time.monotonic() < ends:
        time.sleep(0.05)
    return answer


def test_a_withdrawn_agent_is_refused_at_every_gateway_and_their_stream_ends(two: Two) -> None:
    sam, lee = token(sub="sam"), token(sub="lee", roles=["lead"])
    with two.other.stream("GET", "/v1/events", headers={"Authorization": f"Bearer {sam}"}) as told:
        before = asked(two.one, sam).status_code
        says = carry_out(Wish(agent="sam", store=two.store, reason="left us"))
        rest = list(told.iter_lines())

    refused = [until(http, sam, 401).json()["detail"] for http in (two.one, two.other)]
    assert before == 200
    assert "event: begun" in rest
    assert says[0].startswith("sam is withdrawn: ")
    assert refused == ["You were withdrawn from this desk. Ask who runs it."] * 2
    assert asked(two.other, lee).status_code == 200
    assert carry_out(Wish(store=two.store)) == ["Withdrawn: sam"]


def test_whoever_is_let_in_again_signs_in_anew(two: Two) -> None:
    old = token(sub="tess", roles=["trainer"])
    carry_out(Wish(agent="tess", store=two.store))
    carry_out(Wish(agent="tess", store=two.store, lets_in=True))

    ends = time.monotonic() + PATIENCE_S
    while "were ended" not in (answer := asked(two.one, old)).text and time.monotonic() < ends:
        time.sleep(0.05)

    assert answer.json()["detail"] == "Your sign-ins at this desk were ended. Sign in again."
    assert "insufficient_user_authentication" in answer.headers["www-authenticate"]


def test_what_a_withdrawn_agent_asked_for_and_waits_is_undone(two: Two) -> None:
    """Whoever is withdrawn for what they do would still have it done some minutes later."""
    asked_for = held(id="h1", agent="bea"), held(id="h2", agent="sue")

    async def keep() -> None:
        async with store.transaction():
            for one in asked_for:
                await store.keep(one)

    async def kept() -> list[str]:
        found = [await store.get(Hold, one.id) for one in asked_for]
        return [one.ending.value for one in found if one is not None]

    with contextlib.closing(Database(two.store)) as database:
        store = SqlStore(database)
        asyncio.run(keep())
        ended = carry_out(Wish(agent="bea", store=two.store, ends_sign_ins=True))
        after = asyncio.run(kept())
        says = carry_out(Wish(agent="bea", store=two.store))
        endings = asyncio.run(kept())
        (row,) = asyncio.run(store.rows(acts=("undo",)))

    assert not any("Undone" in line for line in ended)
    assert after == ["waits", "waits"]
    assert says[1] == "Undone: reset-all of u1, h1."
    assert endings == ["undone", "waits"]
    assert (row.agent, row.user, row.idempotency) == ("desk", "u1", "h1")


def held(**given: Any) -> Hold:
    """Give a reset that waits."""
    due = NOW + timedelta(minutes=5)
    return Hold(act="reset-all", user="u1", payload="{}", at=NOW, due_at=due, **given)


def test_whoever_is_withdrawn_is_not_let_in_by_ending_their_sign_ins(two: Two) -> None:
    """Who ends sign-ins wants fewer of them to count, not more."""
    carry_out(Wish(agent="greta", store=two.store))

    with pytest.raises(BadInput, match="greta is withdrawn already"):
        carry_out(Wish(agent="greta", store=two.store, ends_sign_ins=True))

    assert "Withdrawn: greta" in carry_out(Wish(store=two.store))


def test_only_the_id_of_an_agent_whom_the_desk_does_not_know_is_doubted(two: Two) -> None:
    known = carry_out(Wish(agent="ari", store=two.store, lets_in=True))
    unknown = carry_out(Wish(agent="arri", store=two.store, lets_in=True))

    assert known == ["ari may sign in again, anew."]
    assert unknown[1].startswith("No row of 90 days is by arri: ")


def test_who_signs_out_at_one_gateway_is_out_at_all_and_other_sign_ins_go_on(two: Two) -> None:
    mine, renewed = token(sid="a"), token(sid="a", exp=SECONDS + 301)
    elsewhere = token(sid="b")

    two.one.post("/v1/sign-out", json={}, headers={"Authorization": f"Bearer {mine}"})

    assert until(two.other, mine, 401).json()["detail"] == "This sign-in was ended. Sign in again."
    assert until(two.other, renewed, 401).status_code == 401
    assert asked(two.other, elsewhere).status_code == 200


def test_a_console_that_signs_out_tells_the_desk(two: Two) -> None:
    bearer = Kept(token(sid="c"))
    desk = RemoteDesk(Line(str(two.one.base_url), bearer))

    asyncio.run(desk.sign_out())
    desk.close()

    assert until(two.other, bearer.token, 401).status_code == 401


class Kept:
    """Gives one token."""

    def __init__(self, token: str) -> None:
        self.token = token

    async def __call__(self, *, max_age_s: int | None = None) -> str:
        return self.token

    def refused(self, token: str) -> None:
        """Give it again."""

    def prompt_with(self, ask: AskSignIn | None) -> None:
        """Ask nobody."""

    async def sign_out(self) -> None:
        """Forget nothing."""


def sign_in(**given: Any) -> Signed:
    """Give a sign-in of dana."""
    dana = Agent(id="dana", name="Dana", role=Role.SUPPORT)
    made = Signed(
        agent=dana,
        subject="dana",
        sign_in="one",
        authenticated_at=NOW,
        issued_at=NOW,
        expires_at=NOW,
    )
    return replace(made, **given)


@pytest.mark.parametrize(
    ("withdrawal", "refused", "taken"),
    [
        ({"is_barred": True}, {"authenticated_at": LATER}, {"agent": LEE}),
        ({}, {"authenticated_at": NOW}, {"authenticated_at": LATER}),
        ({"sign_in": "one"}, {"issued_at": NOW}, {"issued_at": LATER}),
        ({"sign_in": "one"}, {"issued_at": NOW}, {"sign_in": "two"}),
    ],
)
def test_a_withdrawal_ends_what_it_names_and_nothing_else(
    withdrawal: dict[str, Any], refused: dict[str, Any], taken: dict[str, Any]
) -> None:
    leaving = Leaving(of(Withdrawal(agent="dana", at=NOW, **withdrawal)))

    with pytest.raises(Unauthorised):
        asyncio.run(leaving.check(sign_in(**refused)))
    asyncio.run(leaving.check(sign_in(**taken)))


async def test_where_nobody_can_look_no_request_goes_on_and_streams_end() -> None:
    async def look() -> tuple[Withdrawal, ...]:
        raise NoRecord("The database went away.")

    leaving = Leaving(look)
    looking = asyncio.create_task(leaving.go_on())
    with leaving.stream(sign_in()) as over:
        await asyncio.wait_for(over.wait(), PATIENCE_S)
    looking.cancel()

    with pytest.raises(NoRecord):
        await leaving.check(sign_in())


def of(*all_: Withdrawal) -> Callable[[], Any]:
    async def look() -> tuple[Withdrawal, ...]:
        return all_

    return look
