"""Okta's addresses, one method each; what comes back is raw and read elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from msgspec import Struct

from helpdesk.connectors.bare_httpx import httpx
from helpdesk.connectors.exchange import Answer, NoRight, NotSignedIn, Request, next_link
from helpdesk.connectors.http import Http
from helpdesk.connectors.okta.faults import error_of, wait_of
from helpdesk.connectors.okta.signing import Signer
from helpdesk.connectors.raw import inner, moment, number, text
from helpdesk.domain.errors import DeskRefused, NotFound, Unreachable, Unsettled

PAGE: Final = 1000
"""Rows of the log in one page; Okta gives no more."""

LOG_DAYS: Final = 90
"""How far back the log is asked for; Okta keeps it so long."""


class Push(Struct, frozen=True, kw_only=True):
    """A push that waits.

    Attributes:
        poll: The address under which Okta tells what became of it.
        number: What the caller must choose on the device; empty where nothing is to be chosen.
    """

    poll: str
    number: str = ""


class Okta:
    """The calls that the desk makes.

    Attributes:
        http: The line.
    """

    def __init__(
        self,
        url: str,
        signer: Signer,
        *,
        authorities: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        hooks: Callable[[Request, Answer], None] | None = None,
        total_s: float = 20.0,
        patience_s: float = 5.0,
    ) -> None:
        self._signer = signer
        self.http = Http(
            url,
            "Okta",
            signs=signer,
            errs=error_of,
            waits=wait_of,
            id_headers=("x-okta-request-id",),
            authorities=authorities,
            transport=transport,
            hooks=hooks,
            total_s=total_s,
            patience_s=patience_s,
        )
        signer.bind(self.http)

    async def user(self, name: str) -> Any:
        """Give a user by id or login, with what blocks them.

        Raises:
            NotFound: There is none.
        """
        answer = await self._ask("GET", _user(name), query={"expand": "blocks"})
        return answer.read(Any)

    async def desk(self) -> str:
        """Give the id by which the log names whoever this desk is: its app, else its token's owner.

        Empty where Okta does not tell.
        """
        try:
            found = self._signer.app or text((await self._ask("GET", _user("me"))).read(Any), "id")
        except (NoRight, NotFound):
            return ""
        return found

    async def users(self, query: Mapping[str, Any], most: int) -> tuple[list[Any], bool]:
        """Give at most so many users that a query finds, and whether there are more."""
        limit = min(most, 200)
        found: list[Any] = []
        async for answer in self._pages("/api/v1/users", {**query, "limit": limit}):
            found += answer.listed()
            if len(found) >= most:
                return found[:most], next_link(answer) is not None or len(found) > most
        return found, False

    async def factors(self, user: str) -> list[Any]:
        """Give the factors that the policy shows this desk."""
        return (await self._ask("GET", f"{_user(user)}/factors")).listed()

    async def enrolments(self, user: str) -> list[Any] | None:
        """Give the enrolments; None where this organisation or token has no such list."""
        try:
            return (await self._ask("GET", f"{_user(user)}/authenticator-enrollments")).listed()
        except (NoRight, NotFound):
            return None

    async def log(
        self, filter_: str, since: datetime, *, most: int, newest_first: bool = True
    ) -> tuple[list[Any], bool]:
        """Give at most so many rows of the log since a moment, and whether there are more."""
        query = {
            "since": _stamp(since),
            "filter": filter_ or None,
            "limit": min(most, PAGE),
            "sortOrder": "DESCENDING" if newest_first else "ASCENDING",
        }
        if newest_first:
            # Without an end Okta keeps the next page open for what is still to come.
            query["until"] = _stamp(datetime.now(since.tzinfo) + timedelta(days=1))
        found: list[Any] = []
        async for answer in self._pages("/api/v1/logs", query):
            page = answer.listed()
            found += page
            if len(found) >= most:
                return found[:most], next_link(answer) is not None or len(found) > most
            if not page:
                break
        return found, False

    async def challenge(self, user: str, factor: str) -> None:
        """Send a new code, or a push that waits for a plain yes."""
        await self._ask("POST", f"{_factor(user, factor)}/verify", is_act=True)

    async def push(self, user: str, factor: str) -> Push:
        """Send a push that asks for a number; give where to ask what became of it."""
        body = {"useNumberMatchingChallenge": True}
        answer = await self._ask("POST", f"{_factor(user, factor)}/verify", body=body, is_act=True)
        found = answer.read(Any)
        poll = text(found, "_links", "poll", "href")
        if not poll:
            raise Unsettled(f"Okta sent a push, and not where to ask about it{answer.ref}.")
        chosen = number(inner(found, "_embedded", "challenge"), "correctAnswer")
        return Push(poll=poll, number="" if chosen is None else f"{chosen:.0f}")

    async def poll(self, address: str) -> str:
        """Give what became of a push: WAITING, SUCCESS, REJECTED, TIMEOUT, or empty."""
        return text((await self._ask("GET", address)).read(Any), "factorResult")

    async def check(self, user: str, factor: str, code: str) -> bool:
        """Whether a code that was read back is right.

        Raises:
            WrongCode: It is not, or was used before.
        """
        body = {"passCode": code}
        answer = await self._ask("POST", f"{_factor(user, factor)}/verify", body=body, is_act=True)
        return text(answer.read(Any), "factorResult") == "SUCCESS"

    async def resend(self, user: str, factor: str, kind: str) -> None:
        """Send the code of an enrolment that waits once more."""
        path = f"{_factor(user, factor)}/resend"
        await self._ask("POST", path, body={"factorType": kind}, is_act=True)

    async def remove(self, user: str, factor: str) -> None:
        """Remove one factor."""
        await self._ask("DELETE", _factor(user, factor), is_act=True)

    async def remove_enrolment(self, user: str, enrolment: str) -> None:
        """Remove one enrolment."""
        path = f"{_user(user)}/authenticator-enrollments/{quote(enrolment, safe='')}"
        await self._ask("DELETE", path, is_act=True)

    async def reset(self, user: str) -> None:
        """Remove all factors, at once."""
        await self._ask("POST", f"{_user(user)}/lifecycle/reset_factors", is_act=True)

    async def unlock(self, user: str) -> None:
        """Lift the lock, and what blocks devices."""
        await self._ask("POST", f"{_user(user)}/lifecycle/unlock", is_act=True)

    async def end_sessions(self, user: str, *, forget_devices: bool) -> None:
        """End all sessions; Okta forgets the browsers too unless it is told not to."""
        query = {"forgetDevices": "true" if forget_devices else "false"}
        await self._ask("DELETE", f"{_user(user)}/sessions", query=query, is_act=True)

    async def change(self, user: str, profile: Mapping[str, str]) -> None:
        """Change these parts of the profile and leave the others."""
        await self._ask("POST", _user(user), body={"profile": dict(profile)}, is_act=True)

    async def temporary_authenticator(self) -> str:
        """Give the id of the authenticator that makes temporary codes; empty where there is none.

        One that is switched off counts as none.
        """
        found = (await self._ask("GET", "/api/v1/authenticators")).listed()
        return next(
            (
                text(raw, "id")
                for raw in found
                if text(raw, "key") == "tac" and text(raw, "status") in {"ACTIVE", ""}
            ),
            "",
        )

    async def temporary_code(
        self, user: str, authenticator: str, minutes: int
    ) -> tuple[str, datetime | None]:
        """Make a temporary code; give it and its end. An older one ends by it."""
        # The description has the minutes as words, its own example as a number: the number works
        # with both readings of it that were seen.
        body = {"authenticatorId": authenticator, "profile": {"ttl": minutes, "multiUse": False}}
        path = f"{_user(user)}/authenticator-enrollments/tac"
        found = (await self._ask("POST", path, body=body, is_act=True)).read(Any)
        return text(found, "profile", "tac"), moment(found, "profile", "expiresAt")

    async def unbounce(self, addresses: Sequence[str]) -> list[Any]:
        """Let mail be sent again to addresses that bounced; give what Okta says against it."""
        body = {"emailAddresses": [{"emailAddress": address} for address in addresses]}
        path = "/api/v1/org/email/bounces/remove-list"
        found = (await self._ask("POST", path, body=body, is_act=True)).read(Any)
        errors = inner(found, "errors")
        return errors if isinstance(errors, list) else []

    async def _ask(self, method: str, path: str, **more: Any) -> Answer:
        """Ask; where the app's token has ended, sign in anew and ask once more: it was not done."""
        try:
            return await self.http.ask(method, path, **more)
        except NotSignedIn:
            raise
        except DeskRefused:
            if not self._signer.refused():
                raise
            return await self.http.ask(method, path, **more)

    async def _pages(self, path: str, query: Mapping[str, Any]) -> AsyncIterator[Answer]:
        answer = await self._ask("GET", path, query=query)
        yield answer
        seen: set[str] = set()
        while (on := next_link(answer)) is not None:
            if on in seen:
                raise Unreachable("Okta gives the same page again and again.")
            seen.add(on)
            answer = await self._ask("GET", on)
            yield answer


def _user(name: str) -> str:
    return f"/api/v1/users/{quote(name, safe='')}"


def _factor(user: str, factor: str) -> str:
    return f"{_user(user)}/factors/{quote(factor, safe='')}"


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
