from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

import httpx
import pytest
from msgspec import Struct

from helpdesk.connectors.exchange import (
    Answer,
    Busy,
    Request,
    client_for,
    lines_for,
    next_link,
    trust,
)
from helpdesk.connectors.http import Http
from helpdesk.domain.errors import (
    BadInput,
    DeskRefused,
    HelpdeskError,
    NotFound,
    Unreachable,
    Unsettled,
)
from tests.reliability.hostile import Hostile, said
from tests.waiting import PATIENCE_S

URL = "https://north.example/api"
Handler = Callable[[httpx.Request], httpx.Response]


class Thing(Struct):
    """What the provider answers with here."""

    name: str
    size: int | None = None


class Travelling(httpx.AsyncBaseTransport):
    """Answers without a network; the body comes as a stream, as it does from one."""

    def __init__(self, handler: Handler) -> None:
        self._within = httpx.MockTransport(handler)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        found = await self._within.handle_async_request(request)
        is_whole = isinstance(found.stream, httpx.ByteStream)
        stream = httpx.ByteStream(found.content) if is_whole else found.stream
        return httpx.Response(found.status_code, headers=found.headers, stream=stream)


@pytest.fixture
def asks() -> Iterator[Callable[..., Http]]:
    with contextlib.ExitStack() as stack:

        def to(handler: Handler, **more: object) -> Http:
            given = {"patience_s": 0.3, **more}
            http = Http(URL, "Northern", transport=Travelling(handler), **given)  # type: ignore[arg-type]
            stack.callback(http.close)
            return http

        yield to


def answering(*answers: httpx.Response | Exception) -> tuple[Handler, list[httpx.Request]]:
    """Give a handler that answers so, one after another, the last for ever; and what it saw."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        answer = answers[min(len(seen), len(answers) - 1)]
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handle, seen


async def test_an_answer_is_read_and_unknown_keys_are_let_be(asks: Callable[..., Http]) -> None:
    handle, seen = answering(httpx.Response(200, json={"name": "a", "size": None, "new": [1]}))

    answer = await asks(handle).ask("GET", "/things", query={"q": "ä b", "none": None})

    assert answer.read(Thing) == Thing(name="a")
    assert str(seen[0].url) == f"{URL}/things?q=%C3%A4+b"
    assert seen[0].headers["accept"] == "application/json"
    assert "content-type" not in seen[0].headers


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx.Response(200, html="<h1>hi</h1>"), "answered 200 with a web page, not data"),
        (httpx.Response(200, text="hi"), "with text/plain, not data"),
        (httpx.Response(200, json={"name": None}), "a form unknown here: Expected `str`"),
        (httpx.Response(200, json=[]), "a form unknown here"),
        (httpx.Response(200, content=b'{"na'), "answered with broken data"),
        (httpx.Response(200, content=b'{"new":' + b"[" * 9_000), "answered with broken data"),
        (httpx.Response(200, content=b'{"name":"\xff"}'), "answered with broken data"),
    ],
)
async def test_an_answer_that_cannot_be_read_is_a_sentence(
    asks: Callable[..., Http], answer: httpx.Response, says: str
) -> None:
    handle, _ = answering(answer)

    found = await asks(handle).ask("GET", "/things")

    with pytest.raises(Unreachable, match=says):
        found.read(Thing)


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (302, Unreachable, "sends elsewhere, which is not followed"),
        (400, Unreachable, "Northern answered 400"),
        (401, DeskRefused, "refused the desk's own account"),
        (403, Unreachable, "does not let this desk do that"),
        (404, NotFound, "knows nothing of that kind"),
        (500, Unreachable, "failed with 500"),
        (503, Unreachable, "is not there just now"),
        (429, Busy, "is asked too often: try again in a moment"),
    ],
)
async def test_a_status_becomes_an_error_with_the_request_id(
    asks: Callable[..., Http], status: int, kind: type[HelpdeskError], says: str
) -> None:
    headers = {"x-request-id": "r-17", "location": "https://other.example/"}
    said = httpx.Response(status, content=b"" if status == 404 else b"<p>", headers=headers)
    handle, _ = answering(said)

    with pytest.raises(kind, match=says) as caught:
        await asks(handle).ask("GET", "/things")

    assert "(request r-17)" in str(caught.value)


async def test_a_page_of_what_stands_between_does_not_say_that_something_is_gone(
    asks: Callable[..., Http],
) -> None:
    handle, _ = answering(httpx.Response(404, html="<h1>Not Found</h1>"))

    with pytest.raises(Unsettled, match="answered 404 with a web page"):
        await asks(handle).ask("DELETE", "/things/1", is_act=True)


async def test_an_act_that_a_page_answers_is_not_taken_for_done(asks: Callable[..., Http]) -> None:
    handle, _ = answering(httpx.Response(200, html="<h1>Sign in</h1>"))

    with pytest.raises(Unsettled, match="It may be done or not"):
        await asks(handle).ask("DELETE", "/things/1", is_act=True)


async def test_a_providers_own_words_come_before_ours(asks: Callable[..., Http]) -> None:
    handle, _ = answering(httpx.Response(400, json={"says": "no"}))

    def errs(answer: Answer) -> HelpdeskError | None:
        return BadInput("Northern: no") if answer.status == 400 else None

    with pytest.raises(BadInput, match="Northern: no"):
        await asks(handle, errs=errs).ask("POST", "/things", body={}, is_act=True)


async def test_a_question_is_asked_again_after_a_short_wait(asks: Callable[..., Http]) -> None:
    busy = httpx.Response(429, headers={"retry-after": "0"})
    handle, seen = answering(busy, busy, httpx.Response(200, json={"name": "a"}))

    answer = await asks(handle).ask("GET", "/things")

    assert (answer.status, len(seen)) == (200, 3)


async def test_an_act_that_was_refused_for_haste_is_sent_again(asks: Callable[..., Http]) -> None:
    busy = httpx.Response(429, headers={"x-wait": "0.01"})
    handle, seen = answering(busy, httpx.Response(200, json={}))
    http = asks(handle, waits=lambda answer: float(answer.headers["x-wait"]))

    await http.ask("POST", "/things", body={}, is_act=True)

    assert len(seen) == 2


async def test_a_long_wait_is_said_and_not_waited(asks: Callable[..., Http]) -> None:
    handle, seen = answering(httpx.Response(429, headers={"retry-after": "38"}))

    with pytest.raises(Busy, match="try again in 38 s") as caught:
        await asks(handle).ask("GET", "/things")

    assert (caught.value.wait_s, len(seen)) == (38.0, 1)


async def test_a_retry_after_of_rubbish_counts_as_none(asks: Callable[..., Http]) -> None:
    handle, _ = answering(httpx.Response(429, headers={"retry-after": "soon, or Thursday"}))

    with pytest.raises(Busy, match="in a moment"):
        await asks(handle).ask("GET", "/things")


@pytest.mark.parametrize("answer", [httpx.ReadError(""), httpx.Response(502), httpx.Response(500)])
async def test_an_act_whose_answer_is_lost_is_sent_once(
    asks: Callable[..., Http], answer: httpx.Response | Exception
) -> None:
    handle, seen = answering(answer)

    with pytest.raises(Unsettled, match="It may be done or not"):
        await asks(handle).ask("DELETE", "/things/1", is_act=True)

    assert len(seen) == 1


async def test_an_act_that_was_never_sent_is_sent_again(asks: Callable[..., Http]) -> None:
    handle, seen = answering(httpx.ConnectError(""), httpx.Response(204))

    await asks(handle).ask("DELETE", "/things/1", is_act=True)

    assert len(seen) == 2


async def test_an_act_is_brought_to_its_end_whoever_leaves(asks: Callable[..., Http]) -> None:
    arrived, goes_on, done = threading.Event(), asyncio.Event(), threading.Event()

    async def slowly(request: httpx.Request) -> httpx.Response:
        arrived.set()
        await asyncio.sleep(0.05)
        done.set()
        return httpx.Response(204)

    http = asks(slowly)
    work = asyncio.create_task(http.ask("DELETE", "/things/1", is_act=True))
    assert await asyncio.to_thread(arrived.wait, PATIENCE_S)
    work.cancel()
    goes_on.set()

    assert await asyncio.to_thread(done.wait, PATIENCE_S)


async def test_too_long_an_answer_is_not_read_to_its_end(asks: Callable[..., Http]) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1024

    http = asks(lambda _: httpx.Response(200, content=endless()))

    with pytest.raises(Unreachable, match="more than 1 MB"):
        await http.ask("GET", "/things", most=64 * 1024)


async def test_an_answer_that_would_fill_the_memory_is_not_unpacked(
    asks: Callable[..., Http],
) -> None:
    many = b"[" + b"{}," * 200_000 + b"{}]"
    handle, _ = answering(httpx.Response(200, content=many))

    found = await asks(handle).ask("GET", "/things")

    with pytest.raises(Unreachable, match="more than can be read at once"):
        found.read(list[object])


async def test_an_answer_in_a_form_not_asked_for_is_refused(asks: Callable[..., Http]) -> None:
    packed = httpx.Response(200, content=b"\x1f\x8b", headers={"content-encoding": "br"})
    handle, _ = answering(packed)

    with pytest.raises(Unreachable, match="a form that was not asked for"):
        await asks(handle).ask("GET", "/things")


async def test_an_answer_that_drips_ends_after_the_total_time() -> None:
    def drip(listener: socket.socket, over: threading.Event) -> None:
        with contextlib.suppress(OSError), listener.accept()[0] as line:
            line.recv(65536)
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
            while not over.wait(0.02):
                line.sendall(b"x")

    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener, over))
        thread.start()
        port = listener.getsockname()[1]
        http = Http(f"http://127.0.0.1:{port}", "Northern", total_s=0.3, tries=1)
        try:
            with pytest.raises(Unreachable, match="did not answer in time"):
                await http.ask("GET", "/things")
        finally:
            over.set()
            thread.join()
            http.close()


async def by_question(url: str) -> bytes:
    with contextlib.closing(Http(url, "Northern", total_s=PATIENCE_S, tries=1)) as http:
        return (await http.ask("GET", "/things")).body


async def by_client(url: str) -> bytes:
    async with client_for(lines_for(trust()), PATIENCE_S) as client:
        return (await client.get(f"{url}/things")).content


@pytest.mark.parametrize("asks_by", [by_question, by_client])
async def test_no_proxy_of_the_environment_sees_a_request(
    asks_by: Callable[[str], Awaitable[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(listener: socket.socket) -> None:
        with contextlib.suppress(OSError), listener.accept()[0] as line:
            line.recv(65536)
            line.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"name": "it"}')

    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            found = await asks_by(url)
        finally:
            listener.close()
            thread.join()

    assert found == b'{"name": "it"}'


async def test_no_secret_goes_to_another_host(asks: Callable[..., Http]) -> None:
    handle, seen = answering(httpx.Response(200, json={}))

    with pytest.raises(Unreachable, match=r"another host, evil\.example"):
        await asks(handle).ask("GET", "https://evil.example/api/things")

    assert seen == []


async def test_each_try_is_signed_anew_with_its_whole_address(asks: Callable[..., Http]) -> None:
    handle, seen = answering(httpx.ConnectError(""), httpx.Response(200, json={}))
    signed: list[Request] = []

    async def sign(request: Request) -> Mapping[str, str]:
        signed.append(request)
        return {"Authorization": f"n{len(signed)}"}

    await asks(handle, signs=sign).ask("POST", "/things", query={"a": 1}, body={"b": 2})

    assert [one.headers["authorization"] for one in seen] == ["n1", "n2"]
    assert (signed[0].url, signed[0].body) == (f"{URL}/things?a=1", b'{"b":2}')


async def test_pages_follow_the_providers_own_cursor(asks: Callable[..., Http]) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("after", "0"))
        links = [("link", f'<{URL}/things>; rel="self"')]
        if page < 2:
            links.append(("link", f'<{URL}/things?after={page + 1}&limit=1,5>; rel="next"'))
        return httpx.Response(200, json={"name": str(page)}, headers=links)

    http = asks(handle)

    names = [page.read(Thing).name async for page in http.pages("/things", {}, next_link)]

    assert names == ["0", "1", "2"]


async def test_pages_that_go_in_circles_end(asks: Callable[..., Http]) -> None:
    headers = {"link": f'<{URL}/things?after=1>; rel="next"'}
    handle, seen = answering(httpx.Response(200, json={}, headers=headers))

    with pytest.raises(Unreachable, match="the same page again"):
        [page async for page in asks(handle).pages("/things", {}, next_link)]

    assert len(seen) == 2


async def test_pages_may_be_asked_for_by_number(asks: Callable[..., Http]) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"name": request.url.params["page"]})

    def after(answer: Answer) -> dict[str, int] | None:
        page = int(answer.read(Thing).name)
        return {"page": page + 1} if page < 3 else None

    found = [p.read(Thing).name async for p in asks(handle).pages("/things", {"page": 1}, after)]

    assert found == ["1", "2", "3"]


async def test_after_five_failures_nothing_is_asked_for_a_while(asks: Callable[..., Http]) -> None:
    handle, seen = answering(httpx.ConnectError(""))
    http = asks(handle)
    for _ in range(2):
        with pytest.raises(Unreachable):
            await http.ask("GET", "/things")
    count = len(seen)

    with pytest.raises(Unreachable, match="Northern does not answer; it is tried again in"):
        await http.ask("GET", "/things")

    assert len(seen) == count


def test_a_provider_is_asked_from_one_loop_after_another(asks: Callable[..., Http]) -> None:
    handle, seen = answering(httpx.Response(200, json={}))
    http = asks(handle)

    for _ in range(3):
        asyncio.run(http.ask("GET", "/things"))

    assert len(seen) == 3


def test_the_difference_of_the_clocks_is_known(asks: Callable[..., Http]) -> None:
    headers = {"date": "Mon, 04 May 2026 14:05:00 GMT"}
    handle, _ = answering(httpx.Response(200, json={}, headers=headers))
    http = asks(handle)

    asyncio.run(http.ask("GET", "/things"))

    assert http.skew is not None


@pytest.mark.parametrize(
    "url", ["http://north.example", "https://a:b@north.example", "ftp://x", ""]
)
def test_a_provider_is_reached_in_no_unsafe_way(url: str) -> None:
    with pytest.raises(BadInput, match="is reached by https"):
        Http(url, "Northern")


def test_the_client_of_a_stream_takes_its_token_nowhere_it_is_sent() -> None:
    stranger = Hostile(said())

    async def ask(url: str) -> int:
        async with client_for(lines_for(trust()), 5.0) as client:
            return (await client.get(url, headers={"authorization": "Bearer canary"})).status_code

    with stranger.standing() as away, Hostile(said(b"", 302, location=away)).standing() as url:
        status = asyncio.run(ask(url))

    assert status == 302
    assert stranger.heard == []
