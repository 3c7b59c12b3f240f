from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from helpdesk.connectors.circuit import FAILURES, REST_S, Circuit
from helpdesk.domain.actions import Note, ResetFactor
from helpdesk.domain.audit import Result
from helpdesk.domain.errors import (
    BadInput,
    SignInAgain,
    Stale,
    Unauthorised,
    Unknown,
    Unreachable,
)
from helpdesk.domain.search import Query
from helpdesk.gateway.line import Line, desk_url
from helpdesk.gateway.remote import RemoteDesk
from helpdesk.service.local import LocalDesk
from tests.conftest import Clock
from tests.gateway.lossy import Lossy
from tests.gateway.serving import Spoken, gateway, remote
from tests.waiting import PATIENCE_S

KEY = "k-0123456789abcdef"
NOTE = Note(user="u2", text="called")
RESET = ResetFactor(user="u2", factor="u2-f2", reason="new phone", ticket="4822")


@pytest.fixture
def url(desk_as: Callable[..., LocalDesk], clock: Clock) -> Iterator[str]:
    """The address of a gateway of the sample."""
    # What travels is looked at here, not who is proven.
    with gateway(lambda who: desk_as(who, is_gated=False), clock) as (address, _):
        yield address


class Always(Spoken):
    """Gives one token, however long ago one signed in with it."""

    async def __call__(self, *, max_age_s: int | None = None) -> str:
        return self._word


@contextlib.contextmanager
def over(url: str, lossy: httpx.AsyncBaseTransport, who: str = "dana") -> Iterator[RemoteDesk]:
    """Open the desk over a line that loses things."""
    desk = RemoteDesk(Line(url, Always(who), transport=lossy, total_s=10))
    try:
        yield desk
    finally:
        desk.close()


def is_write(request: httpx.Request) -> bool:
    return "idempotency-key" in request.headers


async def notes(desk: RemoteDesk) -> list[Result]:
    return [row.result for row in (await desk.log(Query())).rows if row.act == "note"]


@pytest.mark.parametrize(
    "plan",
    [
        ["refuse"],
        ["refuse", "refuse", "refuse"],
        ["lose"],
        ["cut"],
        ["lose", "lose"],
        ["cut", "lose", "cut"],
        ["429"],
        ["503"],
        ["500", "lose"],
        ["502", "refuse", "lose"],
    ],
)
async def test_whatever_happens_to_it_a_write_is_done_once(url: str, plan: list[str]) -> None:
    with over(url, Lossy(list(plan), is_write)) as desk:
        outcome = await desk.perform(NOTE)

        assert outcome.case.log[0].act == "note"
        assert await notes(desk) == [Result.DONE]


async def test_what_became_of_it_is_asked_before_it_is_sent_again(url: str) -> None:
    lossy = Lossy(["lose"], is_write)
    with over(url, lossy) as desk:
        await desk.perform(NOTE, key=KEY)

    after = lossy.seen[lossy.seen.index(("POST", "/v1/actions")) + 1 :]
    assert after == [("GET", f"/v1/operations/{KEY}"), ("POST", "/v1/actions")]


async def test_where_it_cannot_be_asked_it_is_unknown_and_not_sent_anew(url: str) -> None:
    lossy = Lossy([], lambda r: is_write(r) or "operations" in r.url.path)
    with over(url, lossy) as desk:
        await desk.case("u2")
        lossy.plan = ["lose", *["refuse"] * 20]
        with pytest.raises(Unknown, match="unknown whether this was done") as caught:
            await desk.perform(NOTE, key=KEY)
        sent = [each for each in lossy.seen if each == ("POST", "/v1/actions")]

    assert caught.value.key == KEY
    assert isinstance(caught.value, Unreachable)
    assert len(sent) == 1
    with remote(url, "dana") as desk:
        assert (await desk.operation(KEY)).result is Result.DONE


async def test_a_refusal_whose_answer_was_lost_is_given_again(url: str) -> None:
    lossy = Lossy([], is_write)
    with over(url, lossy) as desk, remote(url, "lee") as lee:
        await desk.case("u2")
        await lee.perform(NOTE)
        lossy.plan = ["lose"]
        with pytest.raises(Stale, match="look again"):
            await desk.perform(RESET)


async def test_a_question_is_asked_again_and_then_given_up(url: str) -> None:
    lossy = Lossy([])
    with over(url, lossy) as desk:
        lossy.plan = ["cut", "lose"]
        page = await desk.find(Query())
        lossy.plan = ["refuse"] * 20
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1:\d+ cannot be reached"):
            await desk.find(Query())

    assert page.total == 9


async def test_after_five_failures_nothing_is_asked_for_half_a_minute(url: str) -> None:
    lossy = Lossy([])
    with over(url, lossy) as desk:
        lossy.plan = ["refuse"] * 20
        for _ in range(2):
            with pytest.raises(Unreachable):
                await desk.find(Query())
        asked = len(lossy.seen)
        with pytest.raises(Unreachable, match=r"tried again in \d+ s"):
            await desk.find(Query())
        freshness = desk.freshness

        assert len(lossy.seen) == asked
        assert not freshness.is_live
        assert "tried again in" in freshness.says
        assert freshness.at is not None


def test_the_circuit_closes_and_opens() -> None:
    now = [0.0]
    circuit = Circuit(lambda: now[0])
    for _ in range(FAILURES):
        circuit.check()
        circuit.note(is_ok=False)
    with pytest.raises(Unreachable):
        circuit.check()
    now[0] = REST_S
    circuit.check()
    circuit.note(is_ok=False)
    with pytest.raises(Unreachable):
        circuit.check()
    now[0] = 2 * REST_S
    circuit.check()
    circuit.note(is_ok=True)

    circuit.check()
    assert circuit.says == ""


async def test_a_case_that_somebody_changed_must_be_looked_at_again(url: str) -> None:
    with remote(url, "dana") as dana, remote(url, "lee") as lee:
        await dana.case("u2")
        await lee.perform(NOTE)
        for _ in range(2):
            with pytest.raises(Stale, match="look again"):
                await dana.perform(RESET)
        await dana.case("u2")
        outcome = await dana.perform(RESET)

    assert "removed" in outcome.says.lower() or outcome.says


async def test_by_login_or_id_it_is_the_same_case(url: str) -> None:
    with remote(url, "dana") as dana:
        await dana.case("u2")
        await dana.perform(Note(user="ada@lakes.example", text="one"))
        await dana.perform(Note(user="u2", text="two"))
        await dana.perform(Note(user="ada@lakes.example", text="three"))

        assert await notes(dana) == [Result.DONE] * 3


async def test_no_address_and_no_log_line_holds_personal_data(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    lossy = Lossy([])
    with caplog.at_level(logging.DEBUG), over(url, lossy) as desk:
        await desk.case("ada@lakes.example")
        await desk.find(Query(words=("brien",)))
        await desk.perform(Note(user="ada@lakes.example", text="canary"))
        lossy.plan = ["refuse"]
        await desk.log(Query(words=("canary",)))

    told = "\n".join(f"{r.getMessage()} {r.__dict__.get('args')}" for r in caplog.records)
    for secret in ("ada@", "brien", "canary", "Bearer"):
        assert not any(secret in path for _, path in lossy.seen)
        assert secret not in told


async def test_a_recent_sign_in_is_asked_for_where_an_act_needs_one(url: str) -> None:
    signed = Spoken("dana, 6 minutes")
    asked: list[int | None] = []

    class Counted(Always):
        async def __call__(self, *, max_age_s: int | None = None) -> str:
            asked.append(max_age_s)
            return await signed(max_age_s=max_age_s)

    desk = RemoteDesk(Line(url, Counted("")))
    try:
        await desk.perform(NOTE)
        assert set(asked) == {None}
        await desk.perform(RESET)
    finally:
        desk.close()

    assert [age for age in asked if age is not None] == [270]


async def test_whoever_cannot_sign_in_anew_is_told(url: str) -> None:
    with over(url, Lossy([]), "dana, 6 minutes") as desk, pytest.raises(SignInAgain):
        await desk.perform(RESET)
    with pytest.raises(Unauthorised, match="no sign-in"), over(url, Lossy([]), "nobody"):
        pass


@pytest.mark.parametrize(
    "address",
    [
        "http://desk.example",
        "http://10.0.0.1:80",
        "ftp://127.0.0.1",
        "https://",
        "https://me:secret@desk.example",
        "https://desk.example/?token=1",
        "http://127.0.0.1:99999",
        "http://127.0.0.1.evil.example",
    ],
)
def test_a_desk_elsewhere_is_reached_by_https_only(address: str) -> None:
    with pytest.raises(BadInput, match="by https, or by http on this machine only"):
        desk_url(address)


@pytest.mark.parametrize("address", ["https://desk.example", "http://[::1]:80", "http://localhost"])
def test_an_address_may_end_in_a_slash(address: str) -> None:
    assert desk_url(f"{address}/") == address


def answer(status: int, body: bytes, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, stream=httpx.ByteStream(body))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (answer(302, b"", location="https://evil.example"), "not followed"),
        (answer(200, b"<html>"), "does not know"),
        (answer(200, b"x" * (16 * 1024 * 1024 + 1)), "more than 16 MB"),
        (answer(200, gzip.compress(b"x"), content_encoding="gzip"), "not asked for"),
        (answer(418, b"teapot"), "answered 418"),
        (answer(200, b"[" * 100_000), "does not know"),
    ],
    ids=["redirect", "html", "huge", "packed", "teapot", "deep"],
)
def test_what_is_no_answer_of_a_desk_is_said_so(answer: httpx.Response, says: str) -> None:
    with (
        pytest.raises(Unreachable, match=says),
        over("https://desk.example", httpx.MockTransport(lambda _: answer)),
    ):
        pass


async def test_a_desk_that_drips_is_given_up(url: str) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    line = Line(f"http://127.0.0.1:{port}", Always("dana"), total_s=0.2, tries=2)
    begun = time.monotonic()
    async with server:
        with pytest.raises(Unreachable, match="did not answer in time"):
            await line.ask("GET", "/v1/desk", values={})
        await line.close()
        while len(asyncio.all_tasks()) > 1:  # what drips notices that nobody listens
            await asyncio.sleep(0.02)

    assert time.monotonic() - begun < 60


@pytest.mark.parametrize("seconds", ["3600", "9" * 400])
async def test_who_is_told_to_wait_longer_than_a_question_may_take_does_not_wait(
    seconds: str,
) -> None:
    busy = httpx.MockTransport(lambda _: answer(429, b"{}", retry_after=seconds))
    line = Line("https://desk.example", Always("dana"), transport=busy, budget_s=2)

    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(Unreachable):
            await line.ask("GET", "/v1/desk", values={})


async def test_a_stream_of_one_endless_line_is_given_up(url: str) -> None:
    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nid: ")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"x" * 4_096)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    line = Line(f"http://127.0.0.1:{port}", Always("dana"))
    async with server, asyncio.timeout(PATIENCE_S):
        with pytest.raises(Unreachable, match="no end"):
            async with line.stream("/v1/events", {}) as lines:
                async for _ in lines:
                    pass
        await line.close()
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.02)


async def test_a_packed_stream_is_not_unpacked() -> None:
    packed = answer(200, gzip.compress(b"id: x\n\n"), content_encoding="gzip")
    line = Line(
        "https://desk.example", Always("d"), transport=httpx.MockTransport(lambda _: packed)
    )

    with pytest.raises(Unreachable, match="not asked for"):
        async with line.stream("/v1/events", {}) as lines:
            async for _ in lines:
                pass


async def test_a_clock_that_is_wrong_is_known(url: str) -> None:
    with remote(url, "dana") as desk:
        skew = desk.skew()

    assert abs(skew.total_seconds()) < 60
