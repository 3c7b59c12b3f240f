"""The line to a privacyIDEA: signed in as the desk's own account, answers out of their envelope.

sign in ─▶ a token for some hours, and the rights of the account ─▶ asked with until it ends
refused with 200 is no error here: `value` and `authentication` say so, and who asks reads them
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from helpdesk.connectors.exchange import Answer, NoRight, not_taken
from helpdesk.connectors.http import Http
from helpdesk.connectors.raw import epoch, inner, number, rows, text
from helpdesk.domain.errors import (
    BadInput,
    DeskRefused,
    HelpdeskError,
    NotFound,
    Unreachable,
)
from helpdesk.domain.text import clean

WHO: Final = "privacyIDEA"

SPARE_S: Final = 60
"""Seconds before its end that a sign-in is renewed."""

PAGE: Final = 500
"""Rows asked for at once."""


class Reply(Struct, frozen=True, kw_only=True):
    """What an answer says, out of its envelope.

    Attributes:
        said: `ACCEPT`, `REJECT`, `CHALLENGE`, `DECLINED`; empty where it is no such answer.
        message: Its own words.
        skipped: Resolvers that did not take part in a search.
    """

    value: Any
    said: str
    message: str
    detail: Any
    skipped: tuple[str, ...] = ()


class Signed(Struct, frozen=True, kw_only=True):
    """A sign-in, and what it lets the desk do; never shown."""

    token: str
    ends_at: datetime | None
    rights: frozenset[str]
    login: str
    version: str

    def __repr__(self) -> str:
        return f"Signed({self.login})"


class PiLine:
    """Asks one privacyIDEA.

    Args:
        http: How it is reached; its signer and its errors are given by `signs` and `error_of`.
        user: The desk's own account: `desk@helpdesk`.
        secret: Gives its password, when it is first needed.
        clock: Gives the time.
    """

    def __init__(
        self, http: Http, user: str, secret: Callable[[], str], clock: Callable[[], datetime]
    ) -> None:
        self.http, self._user, self._secret, self._clock = http, user, secret, clock
        self._signed: Signed | None = None
        self._one_at_a_time = asyncio.Lock()

    async def signed(self) -> Signed:
        """Give the sign-in that counts now; sign in where there is none.

        Raises:
            BadInput: No account is named.
            DeskRefused: It or its password is wrong, or it is no administrator's.
        """
        found = self._signed
        if found is not None and not self._is_over(found):
            return found
        if not self._user:
            raise BadInput("The desk's own account at privacyIDEA is not named: user = … .")
        wish = {"username": self._user, "password": await asyncio.to_thread(self._secret)}
        answer = await self.http.ask("POST", "/auth", body=wish)
        told = _told(answer)
        token = text(told.value, "token")
        if text(told.value, "role") != "admin" or not token:
            raise not_taken(WHO, f"{clean(self._user, limit=60)} is no administrator there")
        rights = inner(told.value, "rights")
        self._signed = Signed(
            token=token,
            ends_at=_end_of(token),
            rights=frozenset(r for r in rights if isinstance(r, str))
            if isinstance(rights, list)
            else frozenset(),
            login=text(told.value, "username"),
            version=text(answer.read(object), "versionnumber"),
        )
        return self._signed

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        is_act: bool = False,
    ) -> Reply:
        """Return what privacyIDEA answers; it is asked anew where its sign-in had ended."""
        for was_refused in (False, True):
            signed = await self.signed()
            headers = {"PI-Authorization": signed.token}
            try:
                answer = await self.http.ask(
                    method, path, query=query, body=body, headers=headers, is_act=is_act
                )
                return _told(answer)
            except DeskRefused:
                if was_refused or self._signed is None:
                    raise
                self._signed = None
        raise AssertionError("the second refusal is raised")

    async def list(
        self, path: str, query: Mapping[str, Any], size: str, *keys: str, most: int
    ) -> list[dict[str, Any]]:
        """Return rows of a paged list, in its own order, at most *most*; *size* names the page."""
        found: list[dict[str, Any]] = []
        page: float | None = 1
        while page is not None and len(found) < most:
            asked = {**query, "page": int(page), size: min(PAGE, most)}
            told = await self.ask("GET", path, query=asked)
            new = rows(told.value, *keys)
            found += new
            following = number(told.value, "next")
            page = following if new and following is not None and following > page else None
        return found[:most]

    def _is_over(self, signed: Signed) -> bool:
        if signed.ends_at is None:
            return False
        return (signed.ends_at - self._clock()).total_seconds() < SPARE_S


def error_of(answer: Answer) -> HelpdeskError | None:
    """Return the error that an answer stands for; None for a success."""
    try:
        raw = answer.read(object)
    except Unreachable as error:
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        return error if is_page and (answer.is_ok or answer.status == 404) else None
    if inner(raw, "result", "status") is not False:
        return None
    code = number(raw, "result", "error", "code")
    says = clean(text(raw, "result", "error", "message"), limit=160).rstrip(".!")
    words = f"{WHO}: {says or 'it did not say why'}."
    return _error(int(code or 0), answer.status, words)


def _error(code: int, status: int, words: str) -> HelpdeskError | None:
    if code in {4304, 4305, 4033}:
        return not_taken(WHO, "its sign-in has ended")
    if status == 401:
        return not_taken(WHO, "its name or password is wrong")
    if code == 303 or status == 403:
        return NoRight(f"The desk's account has no right to do that at {WHO}. {words} {ASK}")
    if code in {601, 904}:
        return NotFound(words)
    if code in {905, 1007} or status == 400:
        return BadInput(words)
    return None


ASK: Final = "Ask whoever runs it for the right."


def _told(answer: Answer) -> Reply:
    raw = answer.read(object)
    if not isinstance(inner(raw, "result"), dict):
        raise answer.odd("in a form unknown here: it has no result")
    skipped = inner(raw, "detail", "skipped_resolvers")
    return Reply(
        value=inner(raw, "result", "value"),
        said=text(raw, "result", "authentication"),
        message=clean(text(raw, "detail", "message"), limit=200),
        detail=inner(raw, "detail"),
        skipped=tuple(map(str, skipped)) if isinstance(skipped, list) else (),
    )


def _end_of(token: str) -> datetime | None:
    """Return when a sign-in ends, as it says itself; None where it does not say."""
    part = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, msgspec.DecodeError, RecursionError):
        return None
    return epoch(number(claims, "exp"))
