"""Who asks: a token of Okta's own kind, or a service app that signs with its key.

app signs ─▶ token ─▶ Bearer, or DPoP with a new proof for each request (RFC 7523, RFC 9449)
                 ◀─ "prove it is yours", "with this nonce" ─▶ signs again
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from helpdesk.connectors.exchange import NotSignedIn, Request, not_taken
from helpdesk.connectors.http import Http
from helpdesk.connectors.okta.faults import WantsProof
from helpdesk.connectors.raw import number, text
from helpdesk.domain.errors import BadInput

SCOPES: Final = (
    "okta.users.read",
    "okta.users.manage",
    "okta.logs.read",
    "okta.authenticators.read",
)
"""What the desk asks for; an app that was not granted one of them is not signed in at all."""

SIGN_IN: Final = "/oauth2/v1/token"
ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFE_S: Final = 300
"""Seconds that what the app signs is good for; Okta takes at most an hour."""

EARLY_S: Final = 60
"""Seconds before its end that a token is asked for anew."""

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Signer(Protocol):
    """Gives the headers that say who asks.

    Attributes:
        app: The client id under which Okta's log names this desk; empty for a token, whose owner
            it names.
    """

    app: str

    def bind(self, http: Http) -> None:
        """Take the line over which a token is asked for."""
        ...

    async def __call__(self, request: Request) -> Mapping[str, str]:
        """Give the headers for one request."""
        ...

    def refused(self) -> bool:
        """Take note that Okta did not take it; give whether another can be had."""
        ...


class ApiToken:
    """A token that an administrator made; it has that administrator's rights."""

    app = ""

    def __init__(self, secret: Callable[[], str]) -> None:
        self._secret = secret

    def bind(self, http: Http) -> None:
        """Need no line."""

    async def __call__(self, request: Request) -> Mapping[str, str]:
        """Give it as it is."""
        return {"Authorization": f"SSWS {self._secret()}"}

    def refused(self) -> bool:
        """There is no other."""
        return False


class ServiceApp:
    """An app of the organisation that signs in with its own key.

    Attributes:
        app: Its client id.

    Args:
        client: Its client id.
        key: Gives its private key when it is first needed: RSA or P-256, as PEM or as a JWK.
        scopes: What it asks for.

    Raises, when it is asked for headers:
        BadInput: The key cannot be read.
    """

    def __init__(self, client: str, key: Callable[[], str], scopes: Sequence[str] = SCOPES) -> None:
        self.app, self._scopes, self._secret = client, " ".join(scopes), key
        self._key: tuple[Key, str] | None = None
        self._http: Http | None = None
        self._token, self._until, self._kind = "", 0.0, "Bearer"
        self._own: ec.EllipticCurvePrivateKey | None = None
        self._nonce = ""
        self._one = asyncio.Lock()

    def bind(self, http: Http) -> None:
        """Take the line over which a token is asked for."""
        self._http = http

    def refused(self) -> bool:
        """Forget the token: another can be had."""
        self._token = ""
        return True

    async def __call__(self, request: Request) -> Mapping[str, str]:
        """Give the token, and the proof that it is ours where Okta wants one."""
        async with self._one:
            if not self._token or time.monotonic() > self._until:
                await self._sign_in()
        if self._own is None or self._kind != "DPoP":
            return {"Authorization": f"Bearer {self._token}"}
        digest = hashlib.sha256(self._token.encode()).digest()
        proof = self._proof(request.method, request.url, ath=_b64(digest))
        return {"Authorization": f"DPoP {self._token}", "DPoP": proof}

    async def _sign_in(self) -> None:
        for _ in range(3):
            try:
                await self._ask_for_token()
            except WantsProof as error:
                self._own = self._own or ec.generate_private_key(ec.SECP256R1())
                self._nonce = error.nonce or self._nonce
            else:
                return
        raise not_taken("Okta", "it does not take the proof of its app (DPoP)", kind=NotSignedIn)

    async def _ask_for_token(self) -> None:
        if self._http is None:
            raise AssertionError("bind comes first")
        url = f"{self._http.url}{SIGN_IN}"
        form = {
            "grant_type": "client_credentials",
            "scope": self._scopes,
            "client_assertion_type": ASSERTION,
            "client_assertion": self._assertion(url),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self._own is not None:
            headers["DPoP"] = self._proof("POST", url)
        body = urlencode(form).encode()
        answer = await self._http.ask("POST", SIGN_IN, body=body, headers=headers, is_signed=False)
        found = answer.read(dict[str, Any])
        token, life_s = text(found, "access_token"), number(found, "expires_in") or 0.0
        if not token:
            raise not_taken("Okta", "it gave no token", answer.ref, kind=NotSignedIn)
        self._token, self._kind = token, text(found, "token_type")
        self._until = time.monotonic() + max(life_s - EARLY_S, 1.0)

    def _assertion(self, url: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.app,
            "sub": self.app,
            "aud": url,
            "iat": now,
            "exp": now + LIFE_S,
            "jti": secrets.token_urlsafe(16),
        }
        if self._key is None:
            self._key = key_of(self._secret())
        key, name = self._key
        return signed(key, {"kid": name} if name else {}, claims)

    def _proof(self, method: str, url: str, **more: str) -> str:
        if self._own is None:
            raise AssertionError("a proof needs its key")
        claims: dict[str, Any] = {
            "htm": method,
            "htu": url.partition("?")[0],
            "iat": int(time.time()),
            "jti": secrets.token_urlsafe(16),
            **more,
        }
        if self._nonce and "ath" not in more:
            claims["nonce"] = self._nonce
        head = {"typ": "dpop+jwt", "jwk": public_jwk(self._own)}
        return signed(self._own, head, claims)


def key_of(words: str) -> tuple[Key, str]:
    """Give the private key that a PEM or a JWK holds, and its id where it names one.

    Raises:
        BadInput: It is none, or of a kind that is not signed with here.
    """
    try:
        if words.lstrip().startswith("{"):
            raw = json.loads(words)
            return _from_jwk(raw), str(raw.get("kid", ""))
        key = serialization.load_pem_private_key(words.encode(), None)
    except (ValueError, TypeError, KeyError, AttributeError, UnsupportedAlgorithm) as error:
        raise BadInput("The app's key cannot be read: give it as PEM or as a JWK.") from error
    if isinstance(key, rsa.RSAPrivateKey):
        return key, ""
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key, ""
    raise BadInput("The app's key must be RSA or on the curve P-256.")


def _from_jwk(raw: Mapping[str, str]) -> Key:
    def whole(name: str) -> int:
        return int.from_bytes(base64.urlsafe_b64decode(raw[name] + "=="))

    if raw["kty"] == "RSA":
        public = rsa.RSAPublicNumbers(whole("e"), whole("n"))
        p, q, d = whole("p"), whole("q"), whole("d")
        parts = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
        return rsa.RSAPrivateNumbers(p, q, d, *parts, public).private_key()
    if raw["kty"] == "EC" and raw["crv"] == "P-256":
        return ec.derive_private_key(whole("d"), ec.SECP256R1())
    raise ValueError(raw["kty"])


def public_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    """Give the public half of a key as a JWK."""
    numbers = key.public_key().public_numbers()
    x, y = (_b64(n.to_bytes(32)) for n in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def signed(key: Key, head: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """Give claims as a JWT signed with a key: RS256, or ES256 on a curve."""
    is_rsa = isinstance(key, rsa.RSAPrivateKey)
    full = {"alg": "RS256" if is_rsa else "ES256", "typ": "JWT", **head}
    said = ".".join(_b64(json.dumps(part).encode()) for part in (full, claims))
    if isinstance(key, rsa.RSAPrivateKey):
        mark = key.sign(said.encode(), padding.PKCS1v15(), hashes.SHA256())
    else:
        r, s = decode_dss_signature(key.sign(said.encode(), ec.ECDSA(hashes.SHA256())))
        mark = r.to_bytes(32) + s.to_bytes(32)
    return f"{said}.{_b64(mark)}"


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
