"""What an OIDC issuer says of itself: its addresses and its keys, fetched within bounds and kept.

Nothing here follows an address that came in a sign-in: keys come from the issuer's own discovery
document, over https with certificates verified, or over http from this machine alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from helpdesk import __version__
from helpdesk.connectors.bare_httpx import httpx
from helpdesk.connectors.exchange import client_for, lines_for, read_within, trust
from helpdesk.connectors.unreached import reason
from helpdesk.domain.addresses import is_loopback
from helpdesk.domain.agents import Role
from helpdesk.domain.errors import BadInput, HelpdeskError, Unreachable
from helpdesk.domain.text import clean

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    PublicKey = RSAKey | ECKey | OKPKey

T = TypeVar("T")

DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"

ONE_TIME_GRANT: Final = "urn:helpdesk:grant-type:one-time-code"
"""The grant of a console that asks its agent for the one-time code of `serve --dev` itself."""

RESOURCE_PATH: Final = "/.well-known/oauth-protected-resource"
"""Where a desk says who vouches for its agents (RFC 9728)."""

TOTAL_S: Final = 10.0
"""Seconds one question to the issuer may take, from the first byte sent to the last one read."""

BODY_LIMIT: Final = 262_144
"""Bytes of an answer that are read; the largest real key sets are a tenth of it."""

FRESH_S: Final = 600.0
"""Seconds after which keys are fetched anew."""

STALE_S: Final = 3_600.0
"""Seconds for which keys still count while the issuer cannot be reached."""

PATIENCE_S: Final = 1.0
"""Seconds that whoever asks waits for newer keys, where those that are there still count."""

AGAIN_S: Final = 10.0
"""Seconds between two fetches for keys nobody knows: made-up names must not make us flood it."""


class Issuer(Struct, frozen=True, kw_only=True):
    """Who vouches for agents, and how its claims are read.

    Attributes:
        url: The issuer, exactly as in its discovery document.
        audience: What an access token for this desk names as its audience.
        client_id: The console, as the issuer knows it.
        roles_claim: Where roles stand; `realm_access.roles` reads `roles` within `realm_access`.
        role_map: The issuer's role name to ours; empty where the issuer uses ours.
        agent_claim: The claim that is the agent's id at this desk.
        login_claim: The claim that is the agent's own login: nobody acts on themselves.
        account_claim: The claim with the one account a product administrator administers.
        resource: What the console names to the issuer so that its tokens are for this desk
            (RFC 8707); empty where the issuer need not be told.
        authorities: A file of certificates to trust instead of the system's.
    """

    url: str
    audience: str
    client_id: str
    roles_claim: str = "roles"
    role_map: dict[str, Role] = {}
    agent_claim: str = "sub"
    login_claim: str = "preferred_username"
    account_claim: str = "account"
    resource: str = ""
    authorities: str = ""

    def described(self, desk: str) -> dict[str, Any]:
        """Return what the desk at this address tells consoles about signing in (RFC 9728).

        It is served at `RESOURCE_PATH`.
        """
        return {
            "resource": desk,
            "authorization_servers": [self.url],
            "bearer_methods_supported": ["header"],
            "helpdesk_client_id": self.client_id,
            "helpdesk_resource": self.resource,
        }


class Metadata(Struct, frozen=True, kw_only=True):
    """What of a discovery document is used here (OpenID Connect Discovery 1.0, RFC 8414)."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    device_authorization_endpoint: str = ""
    revocation_endpoint: str = ""
    authorization_response_iss_parameter_supported: bool = False


class Keys(Protocol):
    """Gives the key of a name, as an issuer publishes it."""

    async def key(self, name: str) -> PublicKey | None:
        """Return the key called *name*; None where the issuer has none of that name."""
        ...


class Provider:
    """Asks one issuer, in few and short questions.

    Args:
        url: The issuer.
        authorities: A file of certificates to trust instead of the system's.
        transport: How bytes travel; None for the network.
        elapsed: Seconds on a clock that never goes back.

    Raises, from any question:
        BadInput: An address is neither https nor of this machine.
        Unreachable: The issuer cannot be reached, or what it says cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        authorities: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = safe_url(url)
        self._authorities = authorities
        self._transport = transport
        self._elapsed = elapsed
        self._metadata: Metadata | None = None
        self._keys: dict[str, PublicKey] = {}
        self._keys_at: float | None = None
        self._tried_at: float | None = None
        self._one_at_a_time = asyncio.Lock()
        self._renewing: asyncio.Task[None] | None = None
        self._renewing_at = 0.0
        self._tls: ssl.SSLContext | None = None

    async def metadata(self) -> Metadata:
        """Return the discovery document, fetched once; its `issuer` is the one that was asked."""
        if self._metadata is None:
            address = f"{self.url.rstrip('/')}/.well-known/openid-configuration"
            found = self._read(await self.get(address), Metadata)
            if found.issuer != self.url:
                other = clean(found.issuer, limit=200)
                raise Unreachable(f"{clean(self.url)} says it is another issuer: {other}.")
            self._check_addresses(found)
            self._metadata = found
        return self._metadata

    def _check_addresses(self, found: Metadata) -> None:
        """Raise where an issuer elsewhere names an address of this machine, or one in clear."""
        named = [str(getattr(found, name)) for name in found.__struct_fields__]
        if self.url.startswith("https:") and any(one.startswith("http:") for one in named):
            raise Unreachable(f"{clean(self.url)} names an address that is not https.")

    async def key(self, name: str) -> PublicKey | None:
        """Return the issuer's key called *name*; asks the issuer once more where it is not known.

        An empty name means the only key there is. For an issuer that does not answer nobody waits
        longer than a moment, while the keys there are still count.
        """
        if self._known(name) is None:
            await self._fetch_once(name)
        elif self._is_older(self._keys_at, FRESH_S):
            await self._renewed_in_a_moment(name)
        if self._is_older(self._keys_at, STALE_S):
            raise Unreachable(f"{_host(self.url)} could not be reached a moment ago.")
        return self._known(name)

    def expect_another_key(self) -> None:
        """Fetch the keys for the next unknown name, however soon: a person signs in."""
        self._tried_at = None

    async def get(self, url: str) -> bytes:
        """Return the body of an answer of 200.

        Raises:
            Unreachable: It was another one.
        """
        status, body = await self._ask("GET", url, None)
        if status != 200:
            raise Unreachable(f"{_host(url)} answered {status} where sign-in was asked for.")
        return body

    async def post(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """Send a form; return status and body of the answer."""
        return await self._ask("POST", url, form)

    def _read(self, body: bytes, kind: type[T]) -> T:
        return read(body, kind, self.url)

    def _known(self, name: str) -> PublicKey | None:
        if self._is_older(self._keys_at, STALE_S):
            return None
        if not name and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(name)

    def _may_fetch(self, name: str) -> bool:
        """Whether keys are old, or a name is new, and the last try is long enough ago."""
        is_due = self._is_older(self._keys_at, FRESH_S) or self._known(name) is None
        return is_due and self._is_older(self._tried_at, AGAIN_S)

    def _is_older(self, at: float | None, seconds: float) -> bool:
        return at is None or self._elapsed() - at > seconds

    async def _renewed_in_a_moment(self, name: str) -> None:
        """Fetch the keys beside what is asked; wait for them only at the beginning of the fetch."""
        if self._renewing is None or self._renewing.done():
            if not self._may_fetch(name):
                return
            self._renewing, self._renewing_at = (
                asyncio.create_task(self._renew(name)),
                self._elapsed(),
            )
        left_s = PATIENCE_S - (self._elapsed() - self._renewing_at)
        if left_s > 0:
            await asyncio.wait({self._renewing}, timeout=left_s)

    async def _renew(self, name: str) -> None:
        with contextlib.suppress(HelpdeskError):  # it is tried again; whoever needs it is told then
            await self._fetch_once(name)

    async def _fetch_once(self, name: str) -> None:
        """Fetch the keys, for all who wait."""
        async with self._one_at_a_time:
            if self._may_fetch(name):
                try:
                    await self._fetch_keys()
                finally:
                    self._tried_at = self._elapsed()

    async def _fetch_keys(self) -> None:
        """Fetch the keys; a failure counts only where none are left that may still be used."""
        try:
            metadata = await self.metadata()
            self._keys = usable_keys(await self.get(metadata.jwks_uri), self.url)
        except Unreachable:
            if self._is_older(self._keys_at, STALE_S):
                raise
        else:
            self._keys_at = self._elapsed()

    async def _ask(
        self, method: str, url: str, form: Mapping[str, str] | None
    ) -> tuple[int, bytes]:
        safe_url(url)
        try:
            async with asyncio.timeout(TOTAL_S), self._client() as client:
                headers = {
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                    "User-Agent": f"helpdesk/{__version__}",  # shown beside a device code
                }
                async with client.stream(method, url, data=form, headers=headers) as answer:
                    return answer.status_code, await _body(answer)
        except TimeoutError as error:
            raise Unreachable(f"{_host(url)} did not answer within {TOTAL_S:.0f} s.") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise Unreachable(f"{_host(url)} cannot be reached: {reason(error)}.") from error

    def _client(self) -> httpx.AsyncClient:
        if self._tls is None:
            self._tls = trust(self._authorities)
        return client_for(self._transport or lines_for(self._tls), TOTAL_S)


def safe_url(url: str) -> str:
    """Return *url* where it is https, or http to this machine.

    Raises:
        BadInput: It is not.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    is_plain = not parts.username and not parts.fragment and url.isascii() and url.isprintable()
    if is_plain and host and (parts.scheme == "https" or _is_local(parts.scheme, host)):
        return url
    raise BadInput(
        f"{clean(url, limit=200)}: an address to sign in at is https, or http on this machine only."
    )


def s256(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier (RFC 7636 4.2)."""
    from joserfc.util import urlsafe_b64encode  # noqa: PLC0415

    digest = hashlib.sha256(verifier.encode("utf-8", "surrogatepass")).digest()
    return urlsafe_b64encode(digest).decode()


def read(body: bytes, kind: type[T], who: str) -> T:
    """Return an issuer's JSON as *kind*.

    Raises:
        Unreachable: It is not of that form.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreachable(f"What {clean(who, limit=200)} answered cannot be read.") from error


def usable_keys(body: bytes, who: str) -> dict[str, PublicKey]:
    """Return a key set's public keys for signatures, by name.

    Passed over: shared secrets, keys for encryption, RSA below 2048 bits, and what cannot be read.
    """
    found: dict[str, PublicKey] = {}
    for entry in read(body, dict[str, Any], who).get("keys") or []:
        key = _key(entry)
        if key is not None:
            found[str(entry.get("kid") or "")] = key
    return found


def _key(entry: object) -> PublicKey | None:
    from joserfc.errors import JoseError  # noqa: PLC0415
    from joserfc.jwk import ECKey, OKPKey, RSAKey  # noqa: PLC0415  (slow to import)

    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    try:
        match entry.get("kty"):
            case "RSA" if len(str(entry.get("n"))) >= 342:  # 2048 bits in base64
                return RSAKey.import_key(entry)
            case "EC":
                return ECKey.import_key(entry)
            case "OKP":
                return OKPKey.import_key(entry)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None


async def _body(answer: httpx.Response) -> bytes:
    return await read_within(answer, BODY_LIMIT, _host(str(answer.url)))


def _is_local(scheme: str, host: str) -> bool:
    return scheme == "http" and is_loopback(host)


def _host(url: str) -> str:
    return clean(urlsplit(url).netloc, limit=200)
