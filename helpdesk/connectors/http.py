"""HTTP as every connector speaks it: one question, one answer, within bounds.

sent? no (refused, no way there) ─▶ asked again
answered 429, or 502 to 504 to a question ─▶ asked again after the provider's own wait, if short
answer lost: a question ─▶ asked again · an act ─▶ `Unsettled`: what became of it must be looked at
any other answer ─▶ `Answer`, or an error of our tree with the provider's request id in it
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from helpdesk import __version__
from helpdesk.connectors.bare_httpx import httpx
from helpdesk.connectors.exchange import (
    LOOK_AGAIN,
    MOST_BYTES,
    Answer,
    Busy,
    Lost,
    NoRight,
    NotSignedIn,
    Request,
    not_taken,
    retry_after,
)
from helpdesk.connectors.own_loop import OwnLoop
from helpdesk.connectors.way import Again, Way
from helpdesk.domain.errors import HelpdeskError, NotFound, Unreachable, Unsettled
from helpdesk.domain.text import clean

TOTAL_S: Final = 20.0
"""Seconds one try may take, from the first byte sent to the last one read."""

TRIES: Final = 3
PATIENCE_S: Final = 5.0
"""A wait that the provider asks for is kept up to here; a longer one is said instead."""

T = TypeVar("T")

PAGES: Final = 200
"""Pages of one list that are asked for; a provider that gives more goes in circles."""

Signs = Callable[[Request], Awaitable[Mapping[str, str]]]
"""Gives the headers that say who asks; called anew for each try."""

Errs = Callable[[Answer], HelpdeskError | None]
"""Gives the error that an answer stands for, in the provider's own words; None to let it through.

What it lets through of 4xx and 5xx becomes the usual error of its status.
"""

Waits = Callable[[Answer], float | None]
"""Gives the seconds that an answer of 429 or 503 asks to wait; None where it does not say."""


class Http(Way):
    """Asks one provider, on a loop of its own: who asks may be in any loop, or in a new one.

    Args:
        signs: Gives the headers that say who asks.
        errs: Maps its errors to ours.
        waits: Reads how long it wants to be left alone.
        hooks: Called with each request and each whole answer, as tests hold both to a description.

    Raises, from any question:
        Unreachable: No answer came, or none that can be read; `Busy` where it wants to be left
            alone.
        HelpdeskError: What it answered, by *errs*.
    """

    def __init__(  # noqa: PLR0913  (each of them differs with the provider)
        self,
        url: str,
        who: str,
        *,
        signs: Signs | None = None,
        errs: Errs | None = None,
        waits: Waits = retry_after,
        id_headers: tuple[str, ...] = ("x-request-id",),
        authorities: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        hooks: Callable[[Request, Answer], None] | None = None,
        total_s: float = TOTAL_S,
        tries: int = TRIES,
        patience_s: float = PATIENCE_S,
    ) -> None:
        super().__init__(
            url,
            who,
            total_s=total_s,
            authorities=authorities,
            transport=transport,
            id_headers=id_headers,
        )
        self._signs, self._errs, self._waits, self._hooks = signs, errs, waits, hooks
        self._tries, self._patience_s = tries, patience_s
        self._loop: OwnLoop | None = None
        self._opening = threading.Lock()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        is_act: bool = False,
        is_signed: bool = True,
        most: int = MOST_BYTES,
    ) -> Answer:
        """Return the answer to one question, or to one act.

        Args:
            method: The verb.
            path: From the provider's address on, or a whole address that the provider gave, which
                must be its own.
            query: Parameters; those that are None are left out, a list is given several times.
            body: What is sent as JSON; bytes as they are.
            headers: More headers.
            is_act: Whether it changes something: then it is sent once.
            is_signed: Whether it says who asks.
            most: Bytes of the answer that are read.

        Raises:
            Unsettled: The answer to an act was lost.
        """
        work = self._asked(method, path, query, body, headers or {}, is_act, is_signed, most)
        found = self._run(work)
        return await (asyncio.shield(found) if is_act else found)

    async def pages(
        self,
        path: str,
        query: Mapping[str, Any],
        after: Callable[[Answer], str | Mapping[str, Any] | None],
        *,
        most: int = PAGES,
    ) -> AsyncIterator[Answer]:
        """Give the pages of a list, asked for by the provider's own cursor.

        Args:
            path: The first page.
            query: Its parameters.
            after: Reads an answer: the address of the next page, or the parameters that are
                different for it; None at the end.
            most: How many pages at most.

        Raises:
            Unreachable: A page is given for the second time.
        """
        asked: Mapping[str, Any] | None = query
        seen: set[str] = set()
        for _ in range(most):
            answer = await self.ask("GET", path, query=asked)
            yield answer
            found = after(answer)
            if found is None:
                return
            if isinstance(found, str):
                path, asked = found, None
            else:
                asked = {**(asked or {}), **found}
            mark = f"{path} {sorted((asked or {}).items())}"
            if mark in seen:
                raise Unreachable(f"{self.who} gives the same page again and again.")
            seen.add(mark)

    def close(self) -> None:
        """Close all connections; blocking, from outside the loop they are on."""
        with self._opening:
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.close(self.hang_up)

    def _run(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        with self._opening:
            if self._loop is None:
                self._loop = OwnLoop(f"provider {self.who}")
            loop = self._loop
        return loop.run(work)

    async def _asked(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Any,
        headers: Mapping[str, str],
        is_act: bool,
        is_signed: bool,
        most: int,
    ) -> Answer:
        url = self._whole(path, query)
        raw = (
            b"" if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
        )
        given = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": f"helpdesk/{__version__}",
            **({"Content-Type": "application/json"} if body is not None else {}),
            **headers,
        }
        request = Request(method=method, url=url, body=raw, headers=given)
        for left in range(self._tries - 1, -1, -1):
            self.circuit.check()
            signed = await self._signs(request) if self._signs and is_signed else {}
            self._check_secret({**headers, **signed})
            sent = msgspec.structs.replace(request, headers={**given, **signed})
            try:
                answer = await self.once(sent, is_act=is_act, most=most)
                if self._hooks is not None:
                    self._hooks(sent, answer)
                return self._read(msgspec.structs.replace(answer, is_act=is_act), is_act)
            except Busy as error:
                wait_s = 0.2 if error.wait_s is None else error.wait_s
                if not left or wait_s > self._patience_s:
                    raise
                await asyncio.sleep(wait_s)
            except Lost as error:
                raise Unsettled(str(error)) from error
            except Again as error:
                if not left:
                    raise error.error from error
                await asyncio.sleep(0.1)
        raise AssertionError("the last try ends with an answer or an error")

    def _check_secret(self, signed: Mapping[str, str]) -> None:
        """Raise where a secret, or what a sign-in gave, is nothing that a header can hold."""
        if not all(value.isascii() and value.isprintable() for value in signed.values()):
            why = "its secret holds a character that cannot be sent"
            raise not_taken(self.who, why, kind=NotSignedIn)

    def _whole(self, path: str, query: Mapping[str, Any] | None) -> str:
        """Return the whole address of a path; a secret is sent to no other host.

        Raises:
            Unreachable: It is another's.
        """
        given = {name: value for name, value in (query or {}).items() if value is not None}
        url = self.address(path if "://" in path else f"/{path.lstrip('/')}", given)
        own, other = urlsplit(self.url), urlsplit(url)
        if (own.scheme, own.netloc) != (other.scheme, other.netloc):
            where = clean(other.netloc, limit=80)
            raise Unreachable(f"{self.who} sends to another host, {where}, which is not followed.")
        return url

    def _read(self, answer: Answer, is_act: bool) -> Answer:
        status = answer.status
        if 300 <= status < 400:
            raise Unreachable(f"{self.who} sends elsewhere, which is not followed{answer.ref}.")
        if status == 404 and answer.media == "text/html":
            answer.check_media()  # what stands between knows nothing, not the provider
        told = self._errs(answer) if self._errs else None
        if status == 429 or (status in {502, 503, 504} and not is_act):
            wait_s = self._waits(answer)
            if isinstance(told, Busy):
                raise told
            raise Busy(str(told) if told else _busy(answer, wait_s), wait_s)
        if told is not None:
            raise told
        if status >= 500:
            says = f"{self.who} failed with {status}{answer.ref}."
            raise Unsettled(f"{says} {LOOK_AGAIN}") if is_act else Unreachable(says)
        if status >= 400:
            raise _usual(answer)
        if is_act and answer.body:  # what stands between may answer a page for the provider
            answer.check_media()
        return answer


def _busy(answer: Answer, wait_s: float | None) -> str:
    when = "try again in a moment" if wait_s is None else f"try again in {wait_s:.0f} s"
    if answer.status == 429:
        return f"{answer.who} is asked too often: {when}{answer.ref}."
    return f"{answer.who} is not there just now ({answer.status}): {when}{answer.ref}."


def _usual(answer: Answer) -> HelpdeskError:
    """Return the error of a status that the provider said nothing more about."""
    if answer.status == 401:
        return not_taken(answer.who, "", answer.ref)
    if answer.status == 403:
        return NoRight(f"{answer.who} does not let this desk do that{answer.ref}.")
    if answer.status == 404:
        return NotFound(f"{answer.who} knows nothing of that kind{answer.ref}.")
    return Unreachable(f"{answer.who} answered {answer.status}{answer.ref}.")
