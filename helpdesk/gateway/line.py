"""The line to a gateway: one question, one answer, within bounds, asked again only where safe.

sent? no (refused, no way there) ─▶ asked again
answered 429 or 503 with Retry-After ─▶ asked again after that
answer lost: a question ─▶ asked again · a write ─▶ `Lost`: whoever sent it asks by its key
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

import httpx
import msgspec
import stamina
from msgspec import Struct

from helpdesk.connectors.circuit import Circuit
from helpdesk.connectors.exchange import (
    MOST_BYTES,
    Lost,
    check_form,
    client_for,
    read_within,
    trust,
)
from helpdesk.domain.addresses import server_url
from helpdesk.domain.errors import (
    HelpdeskError,
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

MOST_LOG_BYTES: Final = 512 * 1024 * 1024
"""Bytes of the whole log, which is the one answer that grows for ever."""

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


class _Again(Exception):
    """It may be asked again, after *wait_s* seconds or when it seems right."""

    def __init__(self, error: HelpdeskError, wait_s: float | None = None) -> None:
        self.error, self.wait_s = error, wait_s
        super().__init__(str(error))


def desk_url(url: str) -> str:
    """Return the address of a gateway: https, or http to this machine.

    Raises:
        BadInput: It is another.
    """
    return server_url(url)


class Line:
    """Asks one gateway.

    Attributes:
        circuit: Whether it is worth asking now.
        skew: How far this machine's clock is ahead of the desk's, as its last answer told.

    Args:
        url: Its address.
        bearer: Gives the token.
        authorities: A file of certificates to trust instead of the system's.
        transport: How bytes travel; None for the network.
        total_s: Seconds one try may take.
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
        self.url = desk_url(url)
        self.circuit = Circuit(time.monotonic)
        self._bearer, self._authorities, self._transport = bearer, authorities, transport
        self._total_s, self._budget_s, self._tries = total_s, budget_s, tries
        self._client: httpx.AsyncClient | None = None
        self.skew = timedelta(0)
        for name in ("httpx", "httpcore"):  # at INFO they log addresses, at DEBUG headers
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.getLogger("stamina").setLevel(logging.ERROR)  # it would write into the screen

    async def ask(
        self,
        method: str,
        path: str,
        *,
        values: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        is_write: bool = False,
        most: int = MOST_BYTES,
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
                return await self._tried(method, path, values, given, is_write, most)
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
        """Forget the sign-in, until one is asked for that is recent."""
        await self._bearer.sign_out()

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
            async with self._open().stream(
                "GET", self.url + path, params=values, headers=given, timeout=timeout
            ) as answer:
                if answer.status_code != 200:
                    raise error_of(answer.status_code, await read_within(answer, MOST_BYTES))
                self.circuit.note(is_ok=True)
                async with aclosing(_lines(answer)) as lines:
                    yield lines
        except (httpx.HTTPError, OSError) as error:
            self.circuit.note(is_ok=False)
            raise Unreachable(f"The line to the desk broke: {type(error).__name__}.") from error

    async def close(self) -> None:
        """Close all connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _tried(
        self,
        method: str,
        path: str,
        values: Mapping[str, Any],
        given: dict[str, str],
        is_write: bool,
        most: int,
    ) -> Reply:
        ends = time.monotonic() + self._budget_s
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
                    self.circuit.check()
                    return await self._once(method, path, values, given, is_write, most)
        except _Again as error:
            raise error.error from None
        raise AssertionError("a retry context ends with an answer or an error")

    async def _once(
        self,
        method: str,
        path: str,
        values: Mapping[str, Any],
        given: dict[str, str],
        is_write: bool,
        most: int,
    ) -> Reply:
        sent: dict[str, Any] = {"params": values} if method == "GET" else {}
        if method != "GET":
            given["Content-Type"] = "application/json"
            sent = {"content": msgspec.json.encode(values)}
        try:
            async with asyncio.timeout(self._total_s):
                request = self._open().stream(method, self.url + path, headers=given, **sent)
                async with request as answer:
                    body = await read_within(answer, most)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            self.circuit.note(is_ok=False)
            raise _Again(self._unreachable(error)) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            self.circuit.note(is_ok=False)
            if is_write:
                raise Lost(f"The answer was lost: {type(error).__name__}.") from error
            raise _Again(self._unreachable(error)) from error
        except Unreachable as error:  # too long, or in another form
            raise (Lost(str(error), error) if is_write else error) from error
        return self._read(answer, body, is_write)

    def _read(self, answer: httpx.Response, body: bytes, is_write: bool) -> Reply:
        status = answer.status_code
        self.circuit.note(is_ok=status < 500)
        self._note_time(answer.headers.get("date", ""))
        if status == 200:
            alarm = clean(unquote(answer.headers.get(wire.ALARM_HEADER, "")), limit=400)
            return Reply(body=body, tag=answer.headers.get("etag", ""), alarm=alarm)
        if 300 <= status < 400:
            raise Unreachable("The desk sends elsewhere, which is not followed.")
        error = error_of(status, body)
        wait = answer.headers.get("retry-after", "")
        if status == 429 or (status == 503 and not is_write):
            wait_s = float(wait) if wait.isascii() and wait.isdigit() else None
            busy = Unreachable(str(error)) if status == 429 else error
            raise _Again(busy, wait_s) if wait_s is not None else busy
        if status >= 500 and is_write:
            raise Lost(str(error), error)
        raise error

    def _note_time(self, date: str) -> None:
        try:
            self.skew = datetime.now(UTC) - parsedate_to_datetime(date)
        except (ValueError, TypeError):
            return  # an answer without a time of its own, or without a zone

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = client_for(trust(self._authorities), self._total_s, self._transport)
        return self._client

    def _unreachable(self, error: Exception) -> Unreachable:
        host = clean(urlsplit(self.url).netloc, limit=200)
        if isinstance(error, TimeoutError | httpx.TimeoutException):
            return Unreachable(f"The desk at {host} did not answer in time.")
        return Unreachable(f"The desk at {host} cannot be reached: {type(error).__name__}.")


def _headers(token: str, more: Mapping[str, str]) -> dict[str, str]:
    return {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Authorization": f"Bearer {token}",
        **more,
    }


def _wait(error: Exception, left_s: float) -> bool | float:
    """Whether it is asked again; a number says after how many seconds, of those that are left."""
    if not isinstance(error, _Again):
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
