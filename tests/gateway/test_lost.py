"""A write whose answer was lost, on a line that breaks: nobody is told it was not done."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from helpdesk.domain.actions import Note
from helpdesk.domain.audit import Result
from helpdesk.domain.errors import Unknown
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
