"""The way to another machine: one client that pools, one try at a time, its circuit and its clock.

What asks it may be asked again of stands in its words: `Again` was not done, `Lost` may have been.
Whether and when it is asked again is for those who stand on this: `Http` asks providers, and the
gateway's line asks a desk.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from helpdesk.connectors.bare_httpx import httpx
from helpdesk.connectors.circuit import Circuit
from helpdesk.connectors.exchange import (
    LOOK_AGAIN,
    Answer,
    Lost,
    Request,
    client_for,
    lines_for,
    read_within,
    trust,
)
from helpdesk.connectors.unreached import reason
from helpdesk.domain.addresses import server_url
from helpdesk.domain.errors import HelpdeskError, Unreachable
from helpdesk.domain.text import clean


class Again(Exception):
    """It was not sent, or only asked: it may be asked again.

    Attributes:
        error: What is said where it is not.
        wait_s: Seconds after which it may be; None where nobody said.
    """

    def __init__(self, error: HelpdeskError, wait_s: float | None = None) -> None:
        self.error, self.wait_s = error, wait_s
        super().__init__(str(error))


class Way:
    """Carries one exchange after the other to one machine; whose loop it is, is for its user.

    Attributes:
        url: Where it is.
        who: Its name as a sentence begins with it: `The desk`.
        circuit: Whether it is worth asking now.
        skew: How far this machine's clock is ahead of its own; None until it told a time.
        request_id: Of its newest answer; may be empty.

    Args:
        url: The scheme, the host and what all its paths begin with.
        who: Its name.
        total_s: Seconds one try may take, from the first byte sent to the last one read.
        authorities: A file of certificates to trust instead of the system's.
        transport: How bytes travel; None for the network.
        id_headers: The headers that carry its request id, lower case, the best first.

    Raises:
        BadInput: The address is none that may be asked.
    """

    def __init__(
        self,
        url: str,
        who: str,
        *,
        total_s: float,
        authorities: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        id_headers: tuple[str, ...] = (),
    ) -> None:
        self.url, self.who = server_url(url, clean(who)), who
        self.circuit = Circuit(time.monotonic, who)
        self.skew: timedelta | None = None
        self.request_id = ""
        self._total_s, self._ids = total_s, id_headers
        self._authorities, self._transport = authorities, transport
        self._patience = dict.fromkeys(("connect", "read", "write", "pool"), total_s)
        self._pool: httpx.AsyncBaseTransport | None = None
        self._client: httpx.AsyncClient | None = None
        for name in ("httpx", "httpcore"):  # at INFO they log addresses, at DEBUG headers
            logging.getLogger(name).setLevel(logging.WARNING)

    async def once(self, sent: Request, *, is_act: bool, most: int) -> Answer:
        """Return the answer to one try, of whatever status; *most* bytes of it are read.

        Raises:
            Again: It did not arrive, or it was a question whose answer was lost.
            Lost: It was an act, and its answer was lost.
            Unreachable: The answer is too long, or in a form that was not asked for.
        """
        try:
            async with asyncio.timeout(self._total_s):
                got, body = await self._carried(sent, most)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            self.circuit.note(is_ok=False)
            raise Again(self._unreachable(error)) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            self.circuit.note(is_ok=False)
            if is_act:
                raise Lost(self._lost()) from error
            raise Again(self._unreachable(error)) from error
        except Unreachable as error:  # too long, or in another form
            raise (Lost(self._lost(), error) if is_act else error) from error
        answer = self._answer(sent, got, body)
        self.circuit.note(is_ok=self.is_there(answer))
        return answer

    def is_there(self, answer: Answer) -> bool:
        """Whether an answer shows that it is worth asking."""
        return answer.status < 500

    async def _carried(self, sent: Request, most: int) -> tuple[httpx.Response, bytes]:
        """Carry one exchange over the pool itself.

        What a client does beside costs as much again, and is not wanted: cookies, redirects, ways
        of signing in, hooks.
        """
        request = httpx.Request(
            sent.method,
            _parsed(sent.url),
            headers=sent.headers,
            content=sent.body or None,
            extensions={"timeout": self._patience},
        )
        got = await self._lines().handle_async_request(request)
        try:
            return got, await read_within(got, most, self.who)
        finally:
            await got.aclose()

    def address(self, path: str, query: Mapping[str, Any]) -> str:
        """Return a whole address, with its query; *path* begins with a slash or is whole.

        Raises:
            Unreachable: It is too long, or none.
        """
        url = path if "://" in path else self.url + path
        try:
            return str(httpx.URL(url, params=query)) if query else url
        except httpx.InvalidURL as error:
            raise self._unreachable(error) from error

    def opened(self) -> httpx.AsyncClient:
        """Return the client, which belongs to the loop it is first used in."""
        if self._client is None:
            self._client = client_for(self._lines(), self._total_s)
        return self._client

    async def hang_up(self) -> None:
        """Close all connections; what is asked next opens new ones."""
        pool, self._pool, self._client = self._pool, None, None
        if pool is not None:
            await pool.aclose()

    def _lines(self) -> httpx.AsyncBaseTransport:
        if self._pool is None:
            # What carries bytes itself, or stays on this machine, needs no certificates, and to
            # read them takes long; without any, no other machine would be believed.
            is_near = self.url.startswith("http:")
            none = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if is_near else None
            self._pool = self._transport or lines_for(none or trust(self._authorities))
        return self._pool

    def _answer(self, sent: Request, got: httpx.Response, body: bytes) -> Answer:
        headers: dict[str, str] = {}
        for name, value in got.headers.multi_items():
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        self._note_time(headers.get("date", ""))
        self.request_id = next((headers[name] for name in self._ids if headers.get(name)), "")
        return Answer(
            who=self.who,
            status=got.status_code,
            url=sent.url,
            body=body,
            headers=headers,
            request_id=self.request_id,
        )

    def _note_time(self, date: str) -> None:
        try:
            self.skew = datetime.now(UTC) - _moment(date)
        except (ValueError, TypeError, OverflowError):
            return  # an answer without a time of its own, or without a zone

    def _lost(self) -> str:
        return f"{self.who} was asked, and the answer was lost. {LOOK_AGAIN}"

    def _unreachable(self, error: Exception) -> Unreachable:
        host = clean(urlsplit(self.url).netloc, limit=200)
        if isinstance(error, TimeoutError | httpx.TimeoutException):
            return Unreachable(f"{self.who} at {host} did not answer in time.")
        why = "it has no such address" if isinstance(error, httpx.InvalidURL) else reason(error)
        return Unreachable(f"{self.who} at {host} cannot be reached: {why}.")


@functools.lru_cache(maxsize=64)
def _parsed(url: str) -> httpx.URL:
    """Return an address as it is sent; most questions go to the same few."""
    return httpx.URL(url)


@functools.lru_cache(maxsize=8)
def _moment(date: str) -> datetime:
    """Return what a header says; the answers of one second say the same."""
    return parsedate_to_datetime(date)
