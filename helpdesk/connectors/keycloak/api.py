"""Keycloak's admin addresses, one method each, and its sign-in by a service account."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from helpdesk.connectors.bare_httpx import httpx
from helpdesk.connectors.exchange import Answer, NoRight, NotSignedIn, Request, not_taken
from helpdesk.connectors.http import Http
from helpdesk.connectors.raw import inner, number, text
from helpdesk.domain.errors import (
    BadInput,
    Conflict,
    DeskRefused,
    HelpdeskError,
    NotFound,
    Unreachable,
)
from helpdesk.domain.text import clean

EARLY_S: Final = 10.0
"""Seconds before its end that a token is asked for anew; it lives a minute or a few."""

PAGE: Final = 100


def error_of(answer: Answer) -> HelpdeskError | None:
    """Give the error that an answer stands for; None for a success, or what says nothing."""
    if answer.is_ok or answer.status >= 500 or answer.status == 429:
        return None
    body = answer.told()
    said = text(body, "error_description") or text(body, "errorMessage") or text(body, "error")
    told = clean(said, limit=160).rstrip(".")
    if answer.status in {400, 401} and answer.url.endswith("/openid-connect/token"):
        return not_taken("Keycloak", told, kind=NotSignedIn)
    if answer.status == 401:
        return not_taken("Keycloak", told)
    if answer.status == 403:
        return NoRight("Keycloak does not let this desk do that: its account lacks a role.")
    if answer.status == 404:
        return NotFound(f"Keycloak: {told or 'there is nothing of that kind'}.")
    if not told:
        return None
    return (BadInput if answer.status == 400 else Conflict)(f"Keycloak refused: {told}.")


class ServiceAccount:
    """Signs in by client credentials; the token lives a minute or a few.

    Args:
        secret: Gives the client's secret when it is first needed.
    """

    def __init__(self, client: str, secret: Callable[[], str], realm: str) -> None:
        self._client, self._secret, self._realm = client, secret, realm
        self._http: Http | None = None
        self._token, self._until = "", 0.0
        self._one = asyncio.Lock()

    def bind(self, http: Http) -> None:
        """Take the line over which a token is asked for."""
        self._http = http

    def refused(self) -> None:
        """Forget the token: another is asked for."""
        self._token = ""

    async def __call__(self, request: Request) -> Mapping[str, str]:
        """Give the token."""
        async with self._one:
            if not self._token or time.monotonic() > self._until:
                await self._sign_in()
            return {"Authorization": f"Bearer {self._token}"}

    async def _sign_in(self) -> None:
        if self._http is None:
            raise AssertionError("bind comes first")
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client,
            "client_secret": self._secret(),
        }
        answer = await self._http.ask(
            "POST",
            f"/realms/{quote(self._realm, safe='')}/protocol/openid-connect/token",
            body=urlencode(form).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            is_signed=False,
        )
        found = answer.read(Any)
        self._token = text(found, "access_token")
        if not self._token:
            raise not_taken("Keycloak", "it gave no token", kind=NotSignedIn)
        self._until = time.monotonic() + max((number(found, "expires_in") or 60) - EARLY_S, 1.0)


class Keycloak:
    """The calls that the desk makes in one realm.

    Attributes:
        http: The line.
        realm: The realm's name.
    """

    def __init__(
        self,
        url: str,
        realm: str,
        signer: ServiceAccount,
        *,
        authorities: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        patience_s: float = 5.0,
    ) -> None:
        self._signer, self.realm = signer, realm
        self.http = Http(
            url,
            "Keycloak",
            signs=signer,
            errs=error_of,
            authorities=authorities,
            transport=transport,
            patience_s=patience_s,
        )
        signer.bind(self.http)
        self._base = f"/admin/realms/{quote(realm, safe='')}"

    async def users(self, query: Mapping[str, Any], most: int) -> tuple[list[Any], bool]:
        """Give at most so many users that a query finds, and whether there are more."""
        found: list[Any] = []
        while len(found) <= most:
            page = {**query, "first": len(found), "max": PAGE}
            listed = (await self._ask("GET", "/users", query=page)).listed()
            found += listed
            if len(listed) < PAGE:
                break
        return found[:most], len(found) > most

    async def user(self, user: str) -> dict[str, Any]:
        """Give a user, whole.

        Raises:
            NotFound: There is none.
        """
        found = (await self._ask("GET", _user(user))).read(Any)
        if not isinstance(found, dict):
            raise Unreachable("Keycloak answered in a form unknown here: no user.")
        return found

    async def change(self, user: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Read a user, change what is read, and write it back: a part alone would empty lists."""
        whole = await self.user(user)
        change(whole)
        await self._ask("PUT", _user(user), body=whole, is_act=True)

    async def credentials(self, user: str) -> list[Any]:
        """Give a user's credentials, the password among them."""
        return (await self._ask("GET", f"{_user(user)}/credentials")).listed()

    async def remove(self, user: str, credential: str) -> None:
        """Remove one credential."""
        path = f"{_user(user)}/credentials/{quote(credential, safe='')}"
        await self._ask("DELETE", path, is_act=True)

    async def sessions(self, user: str) -> int:
        """Give how many sessions are open."""
        return len((await self._ask("GET", f"{_user(user)}/sessions")).listed())

    async def end_sessions(self, user: str) -> None:
        """End all sessions that are not offline ones."""
        await self._ask("POST", f"{_user(user)}/logout", is_act=True)

    async def failures(self, user: str) -> dict[str, Any]:
        """Give what the guard against guessing counts; empty where the desk may not see it."""
        try:
            found = (await self._ask("GET", _guard(user))).read(Any)
        except (NoRight, NotFound):
            return {}
        return found if isinstance(found, dict) else {}

    async def clear_failures(self, user: str) -> None:
        """Clear the count and lift the lock that it made."""
        await self._ask("DELETE", _guard(user), is_act=True)

    async def saves_events(self) -> bool | None:
        """Whether the realm saves its events; None where the desk may not see it."""
        try:
            found = (await self._ask("GET", "/events/config")).read(Any)
        except (NoRight, NotFound):
            return None
        saves = inner(found, "eventsEnabled")
        return saves if isinstance(saves, bool) else None

    async def events(self, query: Mapping[str, Any], most: int) -> tuple[list[Any], bool]:
        """Give at most so many events, the newest first, and whether there are more."""
        found: list[Any] = []
        while len(found) <= most:
            page = {**query, "first": len(found), "max": 1000}
            listed = (await self._ask("GET", "/events", query=page)).listed()
            found += listed
            if len(listed) < 1000:
                break
        return found[:most], len(found) > most

    async def _ask(self, method: str, path: str, **more: Any) -> Answer:
        try:
            return await self.http.ask(method, f"{self._base}{path}", **more)
        except NotSignedIn:
            raise
        except DeskRefused:
            self._signer.refused()  # its token ended; the question was not answered, nothing done
            return await self.http.ask(method, f"{self._base}{path}", **more)


def _user(user: str) -> str:
    return f"/users/{quote(user, safe='')}"


def _guard(user: str) -> str:
    return f"/attack-detection/brute-force/users/{quote(user, safe='')}"
