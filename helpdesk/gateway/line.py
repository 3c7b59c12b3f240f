"""The line to a gateway: one question, one answer, within bounds, asked again only where safe.

sent? no (refused, no way there) ─▶ asked again
answered 429 or 503 with Retry-After ─▶ asked again after that
answer lost: a question ─▶ asked again · a write ─▶ `Lost`: whoever sent it asks by its key
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from helpdesk.connectors.bare_httpx import httpx
from helpdesk.connectors.exchange import (
    MOST_BYTES,
    Answer,
    Lost,
    Request,
    check_form,
    read_within,
    retry_after,
)
from helpdesk.connectors.unreached import reason
from helpdesk.connectors.way import Again, Way
from helpdesk.domain.addresses import server_url
from helpdesk.domain.errors import (
    HelpdeskError,
    OfProvider,
    OtherAgent,
    SignInAgain,
    Unauthorised,
    Unreachable,
)
from helpdesk.domain.signing import AskSignIn
from helpdesk.domain.text import clean
from helpdesk.gateway import wire
from helpdesk.gateway.problems import error_of

TOTAL_S: Final = 25.0
"""Seconds one try may take, from the first byte sent to the last one read."""

BUDGET_S: Final = 30.0
TRIES: Final = 4

OUT_S: Final = 3.0
"""Seconds a desk has to hear that somebody signs out."""

QUIET_S: Final = 45.0
"""Seconds a stream of events may say nothing: every quarter of a minute it says it is there."""

LINE_BYTES: Final = 8_192
"""Bytes of one line of a stream of events; those of a desk have some eighty."""


class Bearer(Protocol):
    """Gives the token to ask with; signs in anew where it must."""

    async def __call__(self, *, max_age_s: int | None = None) -> str:
        """Give it; where the agent signed in longer ago than *max_age_s*, they are asked again."""
        ...

    def refused(self, token: str) -> None:
        """Take note that the desk did not take a token: another is given next."""
        ...

    def prompt_with(self, ask: AskSignIn | None) -> None:
        """Let *ask* ask the agent from now on; None for the usual way."""
        ...

    async def sign_out(self) -> None:
        """Forget the sign-in; from now on only who asks for a recent one is given a new one."""
        ...


class Reply(Struct, frozen=True, kw_only=True):
    """An answer of 200."""

    body: bytes
    tag: str = ""
    alarm: str = ""


def desk_url(url: str) -> str:
    """Return the address of a gateway: https, or http to this machine.

    Raises:
        BadInput: It is another.
    """
    return server_url(url)


class Line(Way):
    """Asks one gateway.

    Args:
        bearer: Gives the token.
        budget_s: Seconds all tries of one question may take together.

    Raises, from any question:
        Unreachable: No answer of the desk came.
        HelpdeskError: What the desk answered.
    """

    def __init__(
        self,
        url: str,
        bearer: Bearer,
        *,
        authorities: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        total_s: float = TOTAL_S,
        budget_s: float = BUDGET_S,
        tries: int = TRIES,
    ) -> None:
        super().__init__(
            desk_url(url), "The desk", total_s=total_s, authorities=authorities, transport=transport
        )
        self._bearer, self._budget_s, self._tries = bearer, budget_s, tries
        self._taken = ""  # the token that the desk took last
        logging.getLogger("stamina").setLevel(logging.ERROR)  # it would write into the screen

    async def ask(
        self,
        method: str,
        path: str,
        *,
        values: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        is_write: bool = False,
        max_age_s: int | None = None,
    ) -> Reply:
        """Return the answer to one question, or to one write.

        Raises:
            Lost: A write's answer was lost.
        """
        for was_refused in (False, True):
            self.circuit.check()
            # An agent may take minutes to sign in: that is no time of the tries.
            token = await self._bearer(max_age_s=max_age_s)
            given = _headers(token, headers or {})
            try:
                reply = await self._tried(method, path, values, given, is_write)
                self._taken = token
                return reply
            except Unauthorised as error:
                # It was not done; a token may look fresh here and be ended there.
                if was_refused or isinstance(error, SignInAgain | OtherAgent):
                    raise
                self._bearer.refused(token)
        raise AssertionError("the second refusal is raised")

    def prompt_with(self, ask: AskSignIn | None) -> None:
        """Let *ask* ask the agent who must sign in; None for the usual way."""
        self._bearer.prompt_with(ask)

    async def sign_out(self) -> None:
        """Forget the sign-in, until one is asked for that is recent; the desk takes it no more."""
        token, self._taken = self._taken, ""
        await asyncio.gather(self._bearer.sign_out(), self._told_out(token))

    async def _told_out(self, token: str) -> None:
        """Tell the desk, if it answers soon: an issuer ends no token that is out."""
        if not token:
            return
        sent = self._request("POST", wire.SIGN_OUT, {}, _headers(token, {}))
        with contextlib.suppress(HelpdeskError, Again, Lost, TimeoutError):
            async with asyncio.timeout(OUT_S):
                await self.once(sent, is_act=False, most=MOST_BYTES)

    @asynccontextmanager
    async def stream(
        self, path: str, values: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[AsyncIterator[str]]:
        """Open a stream of events, as lines."""
        async with AsyncExitStack() as opened:
            for was_refused in (False, True):
                self.circuit.check()
                token = await self._bearer()
                given = _headers(token, {**(headers or {}), "Accept": "text/event-stream"})
                try:
                    lines = await opened.enter_async_context(self._streamed(path, values, given))
                    break
                except Unauthorised as error:
                    if was_refused or isinstance(error, SignInAgain | OtherAgent):
                        raise
                    self._bearer.refused(token)
            yield lines

    @asynccontextmanager
    async def _streamed(
        self, path: str, values: Mapping[str, Any], given: dict[str, str]
    ) -> AsyncIterator[AsyncIterator[str]]:
        timeout = httpx.Timeout(self._total_s, read=QUIET_S)
        try:
            async with AsyncExitStack() as opened:
                async with asyncio.timeout(self._total_s):  # else each byte of its head may wait
                    opening = self.opened().stream(
                        "GET", self.url + path, params=values, headers=given, timeout=timeout
                    )
                    answer = await opened.enter_async_context(opening)
                    if answer.status_code != 200:
                        raise error_of(answer.status_code, await read_within(answer, MOST_BYTES))
                self.circuit.note(is_ok=True)
                async with aclosing(_lines(answer)) as lines:
                    yield lines
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            self.circuit.note(is_ok=False)
            raise Unreachable(f"The line to the desk broke: {reason(error)}.") from error

    async def close(self) -> None:
        """Close all connections."""
        await self.hang_up()

    def is_there(self, answer: Answer) -> bool:
        """Whether the desk is there: also where it says that its provider is not."""
        said = super().is_there(answer)
        return said or isinstance(error_of(answer.status, answer.body), OfProvider)

    async def _tried(
        self,
        method: str,
        path: str,
        values: Mapping[str, Any],
        given: dict[str, str],
        is_write: bool,
    ) -> Reply:
        sent = self._request(method, path, values, given)
        begun = time.monotonic()
        try:
            return await self._try(sent, is_write=is_write)
        except Again as error:
            return await self._again(sent, error, begun, is_write=is_write)

    async def _try(self, sent: Request, *, is_write: bool) -> Reply:
        self.circuit.check()
        answer = await self.once(sent, is_act=is_write, most=MOST_BYTES)
        return self._read(answer, is_write)

    async def _again(
        self, sent: Request, first: Again | None, begun: float, *, is_write: bool
    ) -> Reply:
        """Ask as often as may be, after a first try that came to nothing."""
        import stamina  # noqa: PLC0415  (where all is well nobody waits for it)

        ends = begun + self._budget_s
        tries = stamina.retry_context(
            on=lambda error: _wait(error, ends - time.monotonic()),
            attempts=self._tries,
            timeout=self._budget_s,
            wait_initial=0.1,
            wait_max=2.0,
            wait_jitter=0.5,
        )
        try:
            async for attempt in tries:
                with attempt:
                    if first is not None:
                        failed, first = first, None
                        raise failed
                    return await self._try(sent, is_write=is_write)
        except Again as error:
            raise error.error from None
        raise AssertionError("a retry context ends with an answer or an error")

    def _request(
        self, method: str, path: str, values: Mapping[str, Any], given: Mapping[str, str]
    ) -> Request:
        if method == "GET":
            url = self.address(path, values)
            return Request(method=method, url=url, body=b"", headers=given)
        headers = {**given, "Content-Type": "application/json"}
        body = msgspec.json.encode(values)
        return Request(method=method, url=self.url + path, body=body, headers=headers)

    def _read(self, answer: Answer, is_write: bool) -> Reply:
        status = answer.status
        if status == 200:
            alarm = clean(unquote(answer.headers.get(wire.ALARM_HEADER, "")), limit=400)
            return Reply(body=answer.body, tag=answer.headers.get("etag", ""), alarm=alarm)
        if 300 <= status < 400:
            raise Unreachable("The desk sends elsewhere, which is not followed.")
        error = error_of(status, answer.body)
        if status == 429 or (status == 503 and not is_write):
            wait_s = retry_after(answer)
            busy = Unreachable(str(error)) if status == 429 else error
            raise Again(busy, wait_s) if wait_s is not None else busy
        if status >= 500 and is_write and not isinstance(error, OfProvider):
            raise Lost(str(error), error)  # else the desk said itself what became of it
        raise error


def _headers(token: str, more: Mapping[str, str]) -> dict[str, str]:
    return {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Authorization": f"Bearer {token}",
        **more,
    }


def _wait(error: Exception, left_s: float) -> bool | float:
    """Whether it is asked again; a number says after how many seconds, of those that are left."""
    if not isinstance(error, Again):
        return False
    if error.wait_s is None:
        return True
    return error.wait_s if error.wait_s < left_s else False


async def _lines(answer: httpx.Response) -> AsyncGenerator[str, None]:
    """Give the lines of a stream, as they come.

    Raises:
        Unreachable: One is too long, or the stream is in a form that was not asked for.
    """
    check_form(answer)
    rest = b""
    async for part in answer.aiter_raw():
        *lines, rest = (rest + part).split(b"\n")
        if len(rest) > LINE_BYTES:
            raise Unreachable("The desk answered with a line that has no end.")
        for line in lines:
            yield line.removesuffix(b"\r").decode("utf-8", "replace")


async def events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, str]]:
    """Give name and cursor of each event of a stream."""
    name = cursor = ""
    async for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "id":
            cursor = value
        elif not line and name:
            yield name, cursor
            name = ""
