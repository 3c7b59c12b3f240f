"""What small servers share: a plain ASGI application, and its faults at a switch."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

import httpx

from tests.labs.okta.lists import with_more, with_nulls
from tests.labs.troubles import Cut, Fault, Troubled, body_of

Answered = tuple[int, Any]


class Small(Troubled, ABC):
    """A server in memory; whoever derives from it gives `reply`.

    Attributes:
        asked: What was asked, oldest first: verb and path with its query.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    @abstractmethod
    def reply(
        self, method: str, path: str, query: str, body: bytes, headers: dict[str, str]
    ) -> Answered:
        """Give status and body, None for no body; *path* is as it was sent, escapes and all."""

    @abstractmethod
    def broken(self, fault: Fault) -> Answered:
        """Give how this server says a fault that it says in its own words."""

    async def __call__(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Answer one request."""
        body = await body_of(scope, receive, send)
        if body is None:
            return
        headers = {k.decode().lower(): v.decode() for k, v in scope["headers"]}
        path = scope["raw_path"].decode().partition("?")[0]
        query = scope["query_string"].decode()
        self.asked.append(f"{scope['method']} {unquote(path)}{f'?{query}' if query else ''}")
        status, found, media = self._told(scope["method"], path, query, body, headers)
        raw = found if isinstance(found, bytes) else json.dumps(found).encode()
        raw = b"" if found is None else raw
        given = [(b"date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()).encode())]
        given += [(b"content-type", media.encode())] if raw else []
        await send({"type": "http.response.start", "status": status, "headers": given})
        await send({"type": "http.response.body", "body": raw})

    def _told(
        self, method: str, path: str, query: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, Any, str]:
        fault = self.fault_at(f"{method} {path}")
        if fault is Fault.CUT:
            raise Cut
        if fault is Fault.WEB_PAGE:
            return 200, b"<!doctype html><title>Sign in</title>", "text/html"
        if fault is Fault.BROKEN:
            return 200, b'{"id": "00u', "application/json"
        if fault in {Fault.FAILS, Fault.ORG_LIMIT, Fault.NO_RIGHT}:
            return *self.broken(fault), "application/json"
        status, found = self.reply(method, path, query, body, headers)
        if fault is Fault.CUT_AFTER:
            raise Cut
        found = with_more(found) if fault is Fault.UNKNOWN_FIELDS else found
        found = with_nulls(found) if fault is Fault.NULLS else found
        return status, found, "application/json"


class Wire(httpx.AsyncBaseTransport):
    """Carries requests to a small server; a cut there is a cut here."""

    def __init__(self, server: Any) -> None:
        self._inner = httpx.ASGITransport(server)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one."""
        try:
            return await self._inner.handle_async_request(request)
        except Cut as error:
            raise httpx.ReadError("cut") from error
