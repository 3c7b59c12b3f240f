"""A write whose answer was lost, on a line that breaks: nobody is told it was not done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from helpdesk.domain.actions import Note
from helpdesk.domain.audit import Result
from helpdesk.domain.cases import Case
from helpdesk.domain.errors import NotFound, Unknown, Unreachable
from helpdesk.domain.proofs import Method
from helpdesk.domain.search import Query
from helpdesk.gateway.line import Line
from helpdesk.gateway.remote import RemoteDesk
from helpdesk.service.local import LocalDesk
from tests.conftest import Clock
from tests.gateway.serving import Spoken, gateway


class LosesThenRefuses(httpx.AsyncHTTPTransport):
    """Loses the answer to the first write; no other write reaches the desk."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/v1/actions":
            return await super().handle_async_request(request)
        self.writes += 1
        if self.writes > 1:
            raise httpx.ConnectError("refused")
        await (await super().handle_async_request(request)).aread()
        raise httpx.ReadError("lost")


class DelaysThenSignsOut(httpx.AsyncHTTPTransport):
    """Keeps the first write on its way; the desk takes the sign-in of the second no more."""

    def __init__(self) -> None:
        super().__init__()
        self.late: httpx.Request | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/actions" and self.late is None:
            self.late = request
            raise httpx.ReadError("lost")
        if request.url.path == "/v1/actions":
            request.headers["Authorization"] = "Bearer nobody"
        return await super().handle_async_request(request)


async def test_what_may_still_be_on_its_way_is_not_denied_where_the_sign_in_has_ended(
    desk_as: Callable[..., LocalDesk], clock: Clock
) -> None:
    with gateway(desk_as, clock) as (url, _):
        desk = RemoteDesk(Line(url, Spoken("dana"), transport=DelaysThenSignsOut(), tries=2))

        with pytest.raises(Unknown):
            await desk.perform(Note(user="u1", text="Called back."), key="k" * 20)

        desk.close()


class OfAnotherVersion(httpx.AsyncHTTPTransport):
    """Gives the answer to a write in a form that is not known yet."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        if request.url.path != "/v1/actions":
            return answer
        await answer.aread()
        return httpx.Response(200, stream=httpx.ByteStream(b'{"outcome": "of tomorrow"}'))


async def test_what_was_done_is_not_denied_where_its_answer_cannot_be_read(
    desk_as: Callable[..., LocalDesk], clock: Clock
) -> None:
    with gateway(desk_as, clock) as (url, _):
        desk = RemoteDesk(Line(url, Spoken("dana"), transport=OfAnotherVersion()))

        with pytest.raises(Unknown, match="does not know"):
            await desk.perform(Note(user="u1", text="Called back."), key="k" * 20)

        assert (await desk.operation("k" * 20)).result is Result.DONE
        desk.close()


async def test_what_was_done_is_unknown_and_not_undone_where_its_answer_cannot_be_fetched(
    desk_as: Callable[..., LocalDesk], clock: Clock
) -> None:
    with gateway(desk_as, clock) as (url, _):
        desk = RemoteDesk(Line(url, Spoken("dana"), transport=LosesThenRefuses(), tries=2))

        with pytest.raises(Unknown) as told:
            await desk.perform(Note(user="u1", text="Called back."), key="k" * 20)

        assert told.value.key == "k" * 20
        assert (await desk.operation("k" * 20)).result is Result.DONE
        desk.close()


class TooLate(httpx.AsyncHTTPTransport):
    """Answers every write that it was too much, while another gateway has the first in hand.

    Args:
        is_done: Whether that one carries it out in the end, when nobody counts on it any more.
    """

    def __init__(self, *, is_done: bool) -> None:
        super().__init__()
        self._is_done = is_done
        self._first: httpx.Request | None = None
        self._is_over = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/withdrawal"):
            self._is_over = True
            if self._is_done and self._first is not None:
                await (await super().handle_async_request(self._first)).aread()
        elif request.url.path == "/v1/actions" and not self._is_over:
            self._first = self._first or request
            return httpx.Response(503, stream=httpx.ByteStream(b""))
        return await super().handle_async_request(request)


@pytest.mark.parametrize("is_done", [True, False])
async def test_what_the_desk_did_not_answer_is_not_done_only_once_it_is_taken_back(
    desk_as: Callable[..., LocalDesk], clock: Clock, is_done: bool
) -> None:
    note, key = Note(user="u1", text="Called back."), "k" * 20
    with gateway(desk_as, clock) as (url, _):
        line = Line(url, Spoken("dana"), transport=TooLate(is_done=is_done), tries=2)
        desk = RemoteDesk(line)

        ended = (await asyncio.gather(desk.perform(note, key=key), return_exceptions=True))[0]
        kept = await desk.operation(key)
        notes = [row.result for row in (await desk.log(Query())).rows if row.act == "note"]
        desk.close()

    assert not isinstance(ended, Unknown)
    assert isinstance(ended, Unreachable) is not is_done
    assert kept.is_withdrawn is not is_done
    assert notes == ([Result.DONE] if is_done else [])


async def test_what_is_done_is_told_as_done_though_the_case_cannot_be_read_then(
    desk_as: Callable[..., LocalDesk], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller has the code; only how the case is since is not known."""

    async def away(desk: LocalDesk, user: str) -> Case:
        raise NotFound("There is no user just now.")

    with gateway(desk_as, clock) as (url, _):
        desk = RemoteDesk(Line(url, Spoken("dana")))
        seen = await desk.case("u2")
        monkeypatch.setattr(LocalDesk, "case", away)

        asking = await desk.ask_proof("u2", Method.CALL_BACK, ticket=seen.open_tickets[0].id)
        desk.close()

    assert (asking.user, asking.method) == ("u2", Method.CALL_BACK)
