"""An issuer for tests: its keys, its tokens and its answers, over httpx's own mock transport."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, Key

from helpdesk.gateway.issuers import Issuer, Provider
from helpdesk.gateway.tokens import Tokens
from tests.conftest import NOW

URL = "https://id.example"
AUDIENCE = "helpdesk"
CLIENT = "helpdesk-console"
SECONDS = int(NOW.timestamp())

ISSUER = Issuer(url=URL, audience=AUDIENCE, client_id=CLIENT)

METADATA = {
    "issuer": URL,
    "jwks_uri": f"{URL}/keys",
    "authorization_endpoint": f"{URL}/authorize",
    "token_endpoint": f"{URL}/token",
    "device_authorization_endpoint": f"{URL}/device",
    "revocation_endpoint": f"{URL}/revoke",
    "authorization_response_iss_parameter_supported": True,
}


def make_key(name: str = "one") -> ECKey:
    """Make a key for ES256."""
    return ECKey.generate_key("P-256", {"kid": name, "use": "sig"})


def good_claims(**changes: Any) -> dict[str, Any]:
    """The claims of a token that is taken; a change to None leaves a claim out."""
    claims: dict[str, Any] = {
        "iss": URL,
        "aud": AUDIENCE,
        "sub": "dana",
        "exp": SECONDS + 300,
        "iat": SECONDS,
        "auth_time": SECONDS - 60,
        "client_id": CLIENT,
        "name": "Dana Whitfield",
        "preferred_username": "dana@desk.example",
        "roles": ["support"],
    }
    claims |= changes
    return {name: value for name, value in claims.items() if value is not None}


def signed(claims: dict[str, Any], key: Key, **header: Any) -> str:
    """Sign claims; the header may be changed."""
    whole = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid, **header}
    return jwt.encode(whole, claims, key, algorithms=[whole["alg"]])


class IssuerSite:
    """What an issuer answers: discovery, keys, and whatever a test puts there."""

    def __init__(self, *keys: Key, metadata: dict[str, Any] | None = None) -> None:
        self.keys = list(keys)
        self.metadata = metadata or METADATA
        self.asked: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.answers: dict[str, Callable[[dict[str, str]], httpx.Response]] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append(path)
        if path in self.answers:
            form = dict(httpx.QueryParams(request.content.decode()))
            self.forms.append(form)
            return self.answers[path](form)
        if path == "/.well-known/openid-configuration":
            return answer(self.metadata)
        if path == "/keys":
            return answer({"keys": [key.as_dict(private=False) for key in self.keys]})
        return httpx.Response(404)

    def provider(self, elapsed: Callable[[], float] = lambda: 0.0) -> Provider:
        """The issuer, asked without a network."""
        return Provider(URL, transport=httpx.MockTransport(self), elapsed=elapsed)

    def tokens(self, issuer: Issuer = ISSUER, **given: Any) -> Tokens:
        """A reader of this issuer's tokens, at a time that stands still."""
        given.setdefault("keys", self.provider())
        return Tokens(issuer, clock=NOW.timestamp, **given)


def answer(body: Any, status: int = 200) -> httpx.Response:
    """Answer JSON as bytes that are still to be read."""
    data = json.dumps(body).encode()
    return httpx.Response(status, stream=httpx.ByteStream(data))
