"""The ways an agent signs in: in a browser, by a device code, by a one-time code.

Each shows the agent what to do, waits, and gives the issuer's answer. What came back by the
browser is believed only with our `state`, from the issuer that was asked (RFC 9207), with our
PKCE verifier (RFC 7636), and with an id token that repeats our `nonce`.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

from helpdesk.domain.addresses import is_loopback
from helpdesk.domain.errors import BadInput, Unauthorised, Unreachable
from helpdesk.domain.text import clean
from helpdesk.gateway.issuers import (
    DEVICE_GRANT,
    ONE_TIME_GRANT,
    RESOURCE_PATH,
    Metadata,
    Provider,
    read,
    s256,
    safe_url,
)
from helpdesk.gateway.loopback import Loopback

BROWSER_S: Final = 300.0
"""Seconds an agent has to sign in in the browser."""

DEVICE_LIMIT_S: Final = 900.0
"""Seconds a device code is waited for at most, whatever the issuer says."""

SLOWER_S: Final = 5.0
"""Seconds added when the issuer says `slow_down` (RFC 8628 3.5)."""

SLOWEST_S: Final = 60.0

SHIFT_S: Final = 43_200
"""Seconds for which the issuer may take the browser's word that the agent signed in: a shift."""


class Way(StrEnum):
    """How an agent signs in."""

    BROWSER = "browser"
    DEVICE = "device"
    ONE_TIME = "one-time"


class Registration(Struct, frozen=True, kw_only=True):
    """How the console is known to the issuer.

    Attributes:
        issuer: Its url.
        client_id: The console there.
        resource: What the access token is for, where the issuer must be told (RFC 8707).
        scope: What is asked for; `offline_access` gives a refresh token.
    """

    issuer: str
    client_id: str
    resource: str = ""
    scope: str = "openid profile offline_access"


class _Described(Struct, frozen=True, kw_only=True):
    resource: str
    authorization_servers: list[str]
    helpdesk_client_id: str
    helpdesk_resource: str = ""


async def registration_at(desk: str, provider: Provider) -> Registration:
    """Return how the console signs in for a desk of this machine, as the desk says (RFC 9728).

    A desk elsewhere is not asked, and one of this machine names an issuer of this machine alone:
    one that lies, or whoever listens in its place, could name the issuer of another desk, and would
    be sent tokens for that one. Such an issuer stands in helpdesk.toml.

    Args:
        desk: The desk's address, without a slash at its end.
        provider: Asks the desk.

    Raises:
        BadInput: The address, or that of the issuer, is not of this machine.
        Unreachable: The desk cannot be reached, or speaks for another.
    """
    _check_here(desk, desk)
    said = read(await provider.get(f"{desk}{RESOURCE_PATH}"), _Described, desk)
    if said.resource != desk or not said.authorization_servers:
        raise Unreachable(f"{clean(desk, limit=200)} does not say who signs agents in there.")
    _check_here(said.authorization_servers[0], desk)
    return Registration(
        issuer=said.authorization_servers[0],
        client_id=said.helpdesk_client_id,
        resource=said.helpdesk_resource,
    )


def _check_here(url: str, desk: str) -> None:
    if not is_loopback(urlsplit(safe_url(url)).hostname or ""):
        raise BadInput(
            f"{clean(desk, limit=200)}: helpdesk.toml must say who signs agents in there: "
            "issuer and client_id in the profile of this desk."
        )


class Prompt(Struct, frozen=True, kw_only=True):
    """What the agent is shown while the console waits.

    Attributes:
        way: How they sign in.
        url: The address to open; ASCII, https or of this machine.
        code: What to type there; empty in the browser flow.
        says: The whole as sentences.
        ends_at: When it is too late.
    """

    way: Way
    url: str
    code: str = ""
    says: str
    ends_at: datetime


class Answer(Struct, frozen=True, kw_only=True):
    """What the token endpoint gives (RFC 6749 5.1); its `repr` shows nothing."""

    access_token: str
    token_type: str
    expires_in: float = 60.0
    refresh_token: str = ""
    id_token: str = ""

    def __repr__(self) -> str:
        return "Answer(…)"


class _Device(Struct, frozen=True, kw_only=True):
    device_code: str
    user_code: str
    verification_uri: str
    expires_in: float
    interval: float = 5.0


class _Refusal(Struct, frozen=True, kw_only=True):
    error: str = ""


class Flows:
    """Signs an agent in at one issuer.

    Args:
        registration: The issuer, and the console there.
        provider: Asks the issuer.
        on_prompt: Shows the agent what to do; must return at once.
        ask_code: Asks the agent for a one-time code.
        clock: Seconds since 1970.
        sleep: Waits some seconds.
    """

    def __init__(
        self,
        registration: Registration,
        provider: Provider,
        on_prompt: Callable[[Prompt], None],
        ask_code: Callable[[], Awaitable[str]] | None,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._known_as, self._provider = registration, provider
        self._on_prompt, self._ask_code = on_prompt, ask_code
        self._clock, self._sleep = clock, sleep

    async def sign_in(self, way: Way, max_age_s: int | None) -> tuple[Answer, float | None]:
        """Return the issuer's answer, and when the agent signed in, in seconds since 1970.

        None where the issuer does not say when.

        Raises:
            Unauthorised: The agent did not sign in, or the answer is not to be trusted.
            Unreachable: The issuer cannot be reached.
        """
        flow = {
            Way.BROWSER: self._by_browser,
            Way.DEVICE: self._by_device,
            Way.ONE_TIME: self._by_one_time_code,
        }[way]
        answer, nonce = await flow(await self._provider.metadata(), max_age_s)
        # The issuer may have begun anew a moment ago; it is a person's pace, not a stranger's.
        self._provider.expect_another_key()
        return answer, await self._authenticated_at(answer, nonce)

    async def renewed(self, refresh: str) -> tuple[int, bytes]:
        """Return status and body of the answer to a refresh token."""
        metadata = await self._provider.metadata()
        form = {"grant_type": "refresh_token", "refresh_token": refresh} | self._resource()
        return await self._post(metadata.token_endpoint, form)

    async def revoke(self, refresh: str) -> None:
        """Tell the issuer to end a sign-in, where it can be told (RFC 7009)."""
        metadata = await self._provider.metadata()
        if metadata.revocation_endpoint:
            await self._post(metadata.revocation_endpoint, {"token": refresh})

    async def _by_browser(self, metadata: Metadata, max_age_s: int | None) -> tuple[Answer, str]:
        verifier, state, nonce = (secrets.token_urlsafe(48) for _ in range(3))
        async with Loopback(state) as back:
            query = self._asked_for(max_age_s) | {
                "client_id": self._known_as.client_id,
                "response_type": "code",
                "redirect_uri": back.address,
                "code_challenge": s256(verifier),
                "code_challenge_method": "S256",
                "state": state,
                "nonce": nonce,
            }
            self._show_browser(_with_query(safe_url(metadata.authorization_endpoint), query))
            try:
                async with asyncio.timeout(BROWSER_S):
                    said = await back.answer()
            except TimeoutError as error:
                raise Unauthorised("Nobody signed in in the browser. Sign in again.") from error
            address = back.address
        form = {
            "grant_type": "authorization_code",
            "code": self._code(said, metadata),
            "redirect_uri": address,
            "code_verifier": verifier,
        }
        return await self._redeemed(metadata, form | self._resource()), nonce

    def _show_browser(self, url: str) -> None:
        self._on_prompt(
            Prompt(
                way=Way.BROWSER,
                url=url,
                says=f"Open this address in a browser on this computer and sign in: {url}",
                ends_at=self._at(BROWSER_S),
            )
        )

    def _code(self, said: Mapping[str, str], metadata: Metadata) -> str:
        """Return the code the browser brought, from the issuer that was asked (RFC 9207)."""
        is_due = metadata.authorization_response_iss_parameter_supported
        if said.get("iss", "" if is_due else metadata.issuer) != metadata.issuer:
            raise Unauthorised("Another issuer answered than the one that was asked. Stop here.")
        if "error" in said or not said.get("code"):
            raise Unauthorised(_refusal(said.get("error", "")))
        return said["code"]

    async def _by_device(self, metadata: Metadata, max_age_s: int | None) -> tuple[Answer, str]:
        if not metadata.device_authorization_endpoint:
            raise Unauthorised("This issuer has no sign-in with a device code. Use the browser.")
        status, body = await self._post(
            metadata.device_authorization_endpoint, self._asked_for(max_age_s)
        )
        if status != 200:
            raise Unauthorised(_refusal(_error(body)))
        begun = read(body, _Device, self._known_as.issuer)
        seconds = min(begun.expires_in, DEVICE_LIMIT_S)
        self._show_device(
            safe_url(begun.verification_uri), clean(begun.user_code, limit=40), seconds
        )
        form = {"grant_type": DEVICE_GRANT, "device_code": begun.device_code} | self._resource()
        return await self._polled(metadata, form, begun.interval, self._clock() + seconds), ""

    def _show_device(self, url: str, code: str, seconds: float) -> None:
        here = clean(socket.gethostname(), limit=60)
        self._on_prompt(
            Prompt(
                way=Way.DEVICE,
                url=url,
                code=code,
                says=f"Open {url} in a browser on your own computer and type the code {code}. "
                f"It lets the console on {here} work as you: stop if the page names another "
                "place. Never type a code that somebody sent you.",
                ends_at=self._at(seconds),
            )
        )

    async def _polled(
        self, metadata: Metadata, form: dict[str, str], interval: float, ends_at: float
    ) -> Answer:
        wait = min(max(interval, 1.0), SLOWEST_S)
        while self._clock() + wait < ends_at:
            await self._sleep(wait)
            try:
                status, body = await self._post(metadata.token_endpoint, form)
            except Unreachable:
                wait = min(wait * 2, SLOWEST_S)  # RFC 8628 3.5: fewer questions on a bad line
                continue
            if status == 200:
                return read(body, Answer, self._known_as.issuer)
            error = _error(body)
            if error == "slow_down":
                wait += SLOWER_S
            elif error != "authorization_pending":
                raise Unauthorised(_refusal(error))
        raise Unauthorised(_refusal("expired_token"))

    async def _by_one_time_code(self, metadata: Metadata, _: int | None) -> tuple[Answer, str]:
        if self._ask_code is None:
            raise Unauthorised("Nobody is here to type a one-time code.")
        code = await self._ask_code()
        if not code:
            raise Unauthorised("No code was given. Sign in again, and type the one-time code.")
        form = {"grant_type": ONE_TIME_GRANT, "code": code}
        return await self._redeemed(metadata, form), ""

    async def _redeemed(self, metadata: Metadata, form: dict[str, str]) -> Answer:
        status, body = await self._post(metadata.token_endpoint, form)
        if status != 200:
            raise Unauthorised(_refusal(_error(body)))
        return read(body, Answer, self._known_as.issuer)

    async def _authenticated_at(self, answer: Answer, nonce: str) -> float | None:
        """Return when the agent signed in, from an id token that is checked; None without one."""
        if not answer.id_token:
            if nonce:
                raise Unauthorised("The issuer does not say who signed in. Sign in again.")
            return None
        from helpdesk.gateway.tokens import check_claims, verified  # noqa: PLC0415

        issuer, client = self._known_as.issuer, self._known_as.client_id
        claims = (await verified(answer.id_token, self._provider)).claims
        check_claims(claims, issuer, client, self._clock(), essential=())
        if nonce and not hmac.compare_digest(str(claims.get("nonce")).encode(), nonce.encode()):
            raise Unauthorised("The issuer answers another sign-in than yours. Sign in again.")
        said = claims.get("auth_time")
        return float(said) if isinstance(said, int) and not isinstance(said, bool) else None

    def _asked_for(self, max_age_s: int | None) -> dict[str, str]:
        # `consent` is what OpenID Connect Core 11 wants for a refresh token. Only who is asked for
        # an age must say when the agent signed in (3.1.2.1), so one is always asked for.
        age = SHIFT_S if max_age_s is None else max_age_s
        prompt = "consent" if max_age_s is None else "login consent"
        asked = {"scope": self._known_as.scope, "prompt": prompt, "max_age": str(age)}
        return asked | self._resource()

    def _resource(self) -> dict[str, str]:
        return {"resource": self._known_as.resource} if self._known_as.resource else {}

    async def _post(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        return await self._provider.post(url, {"client_id": self._known_as.client_id, **form})

    def _at(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(self._clock() + seconds, UTC)


def usual_way(environment: Mapping[str, str]) -> Way:
    """Return the way that works here: over ssh a browser would open on the wrong machine."""
    return Way.DEVICE if environment.get("SSH_CONNECTION") else Way.BROWSER


def _with_query(url: str, query: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


def _error(body: bytes) -> str:
    try:
        return read(body, _Refusal, "").error
    except Unreachable:
        return ""


def _refusal(error: str) -> str:
    known = {
        "access_denied": "The sign-in was refused. Sign in again if that was a mistake.",
        "expired_token": "The code is too old. Sign in again.",
        "invalid_grant": "The code was not taken. Sign in again.",
        "invalid_client": "The issuer does not know this console. Ask who administers it.",
        "unauthorized_client": "The issuer does not let this console sign in that way.",
    }
    plain = clean(error, limit=60)
    return known.get(error, f"The issuer did not sign you in ({plain or 'it does not say why'}).")
