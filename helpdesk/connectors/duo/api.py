"""Duo's Admin API, one method each call, and its errors as ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from msgspec import Struct

from helpdesk.connectors.bare_httpx import httpx
from helpdesk.connectors.duo.signing import Signature
from helpdesk.connectors.exchange import Answer, NoRight, not_taken, retry_after
from helpdesk.connectors.http import Http
from helpdesk.connectors.raw import inner, text
from helpdesk.domain.errors import (
    BadInput,
    Conflict,
    HelpdeskError,
    NotFound,
    Unsettled,
)
from helpdesk.domain.text import clean

PAGE: Final = 300
LOG_PAGE: Final = 1000


class Push(Struct, frozen=True, kw_only=True):
    """A verification push that waits, and the number that caller and desk must both see."""

    id: str
    number: str


def error_of(answer: Answer) -> HelpdeskError | None:
    """Give the error that an answer stands for; None for a success, or what says nothing."""
    if answer.is_ok or answer.status >= 500 or answer.status == 429:
        return None
    body = answer.told()
    said = ", ".join(p for p in (text(body, "message"), text(body, "message_detail")) if p)
    code = text(body, "code")
    told = clean(f"{said} ({code})" if code else said, limit=160)
    if answer.status == 401:
        return not_taken("Duo", told)
    if answer.status == 403:
        return NoRight(f"Duo did not grant this desk that: {told or 'no reason'}.")
    if answer.status == 404:
        return NotFound(f"Duo: {told or 'there is nothing of that kind'}.")
    if not told:
        return None
    return (BadInput if answer.status == 400 else Conflict)(f"Duo refused: {told}.")


def wait_of(answer: Answer) -> float | None:
    """Give the seconds to wait: Duo names none, and its own client begins with one."""
    told = retry_after(answer)
    return 1.0 if told is None else told


class Duo:
    """The calls that the desk makes.

    Attributes:
        http: The line.
    """

    def __init__(
        self,
        url: str,
        signer: Signature,
        *,
        authorities: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        patience_s: float = 5.0,
    ) -> None:
        self.http = Http(
            url,
            "Duo",
            signs=signer,
            errs=error_of,
            waits=wait_of,
            authorities=authorities,
            transport=transport,
            patience_s=patience_s,
        )

    async def users(self, query: Mapping[str, Any], most: int) -> tuple[list[Any], bool]:
        """Give at most so many users that a query finds, and whether there are more."""
        found: list[Any] = []
        offset = "0"
        while len(found) <= most and offset:
            page = {**query, "limit": PAGE, "offset": offset}
            answer = await self.http.ask("GET", "/admin/v1/users", query=page)
            body = answer.read(Any)
            listed = answer.listed("response", of=body)
            found += listed
            told = text(body, "metadata", "next_offset")
            offset = told if listed and told != offset else ""
        return found[:most], len(found) > most

    async def user(self, user: str) -> Any:
        """Give a user with phones, tokens and passkeys.

        Raises:
            NotFound: There is none.
        """
        answer = await self.http.ask("GET", f"/admin/v1/users/{quote(user, safe='')}")
        return inner(answer.read(Any), "response")

    async def log(self, query: Mapping[str, Any], most: int) -> tuple[list[Any], bool]:
        """Give at most so many records, the newest first; both ends are in milliseconds."""
        found: list[Any] = []
        page: dict[str, Any] = {**query, "limit": min(most, LOG_PAGE), "sort": "ts:desc"}
        seen: set[str] = set()
        while len(found) < most:
            answer = await self.http.ask("GET", "/admin/v2/logs/authentication", query=page)
            body = answer.read(Any)
            listed = answer.listed("response", "authlogs", of=body)
            found += listed
            told = inner(body, "response", "metadata", "next_offset")
            after = ",".join(str(part) for part in told) if isinstance(told, list) else ""
            if not after or not listed or after in seen:
                return found[:most], len(found) > most
            seen.add(after)
            page["next_offset"] = after
        return found[:most], True

    async def change(self, user: str, parts: Mapping[str, str]) -> None:
        """Change these parts of a user."""
        await self._act("POST", f"/admin/v1/users/{quote(user, safe='')}", dict(parts))

    async def remove(self, user: str, what: str, name: str) -> None:
        """Take a phone or a token from a user: *what* is `phones` or `tokens`."""
        path = f"/admin/v1/users/{quote(user, safe='')}/{what}/{quote(name, safe='')}"
        await self._act("DELETE", path)

    async def remove_passkey(self, key: str) -> None:
        """Remove a WebAuthn credential, which Duo keeps by its own key and not by its user's."""
        await self._act("DELETE", f"/admin/v1/webauthncredentials/{quote(key, safe='')}")

    async def bypass_code(self, user: str, seconds: int) -> str:
        """Make one code that lets in once; those made before stay."""
        body = {
            "count": "1",
            "reuse_count": "1",
            "valid_secs": f"{seconds}",
            "preserve_existing": "true",
        }
        path = f"/admin/v1/users/{quote(user, safe='')}/bypass_codes"
        found = inner((await self._act("POST", path, body)).read(Any), "response")
        return text({"": found[0]}, "") if isinstance(found, list) and found else ""

    async def push(self, user: str, phone: str) -> Push:
        """Send a verification push."""
        path = f"/admin/v1/users/{quote(user, safe='')}/send_verification_push"
        found = (await self._act("POST", path, {"phone_id": phone})).read(Any)
        push = text(found, "response", "push_id")
        if not push:
            raise Unsettled("Duo sent a push, and did not say how to ask about it.")
        return Push(id=push, number=text(found, "response", "confirmation_code"))

    async def pushed(self, user: str, push: str) -> str:
        """Give what became of a push: `approve`, `deny`, `fraud`, `waiting`, or empty.

        Raises:
            NotFound: It waits no more.
        """
        path = f"/admin/v1/users/{quote(user, safe='')}/verification_push_response"
        answer = await self.http.ask("GET", path, query={"push_id": push})
        return text(answer.read(Any), "response", "result").lower()

    async def _act(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Answer:
        return await self.http.ask(method, path, body=body, is_act=True)
