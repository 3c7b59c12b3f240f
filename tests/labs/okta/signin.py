"""Who may ask: a token of Okta's own form, or a service app that signs with its key."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from tests.connectors.okta.system_log import ADMIN
from tests.labs.okta.tenant import Json, Wrong

TOKEN = "00aDeskTokenOfTheLab"
CLIENT = "0oaHelpdeskApp"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPES = frozenset(
    {
        "okta.users.read",
        "okta.users.manage",
        "okta.logs.read",
        "okta.orgs.manage",
        "okta.authenticators.read",
    }
)


class SignIn:
    """What the organisation takes for a sign-in.

    Attributes:
        scopes: What the app was granted.
        wants_dpop: Whether the app must prove that the token is its own.
        needs_nonce: Whether that proof must hold the organisation's nonce.
    """

    def __init__(self, org: str) -> None:
        self.org = org
        self.scopes = SCOPES
        self.key: RSAKey | ECKey | None = None
        self.wants_dpop = self.needs_nonce = False
        self.nonce = "nonce-1"
        self.granted: dict[str, tuple[frozenset[str], str]] = {}
        self.seen: set[str] = set()

    def token(self, headers: Json, body: bytes) -> tuple[int, Json, Json]:
        """Answer the token endpoint: status, body, more headers."""
        form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        try:
            self._is_app(form)
        except (JoseError, ValueError) as error:
            return 401, _oauth("invalid_client", f"The client_assertion is invalid: {error}"), {}
        wanted = frozenset(form.get("scope", "").split())
        if not wanted or wanted - self.scopes:
            return 400, _oauth("invalid_scope", "One or more scopes are not granted."), {}
        thumb = ""
        if self.wants_dpop:
            if "dpop" not in headers:
                return 400, _oauth("invalid_dpop_proof", "The DPoP proof header is missing."), {}
            claims, thumb = self._proof(headers["dpop"], "POST", f"{self.org}/oauth2/v1/token")
            if self.needs_nonce and claims.get("nonce") != self.nonce:
                says = "Authorization server requires nonce in DPoP proof."
                return 400, _oauth("use_dpop_nonce", says), {"dpop-nonce": self.nonce}
        token = secrets.token_urlsafe(24)
        self.granted[token] = wanted, thumb
        kind = "DPoP" if self.wants_dpop else "Bearer"
        given = {"access_token": token, "token_type": kind, "expires_in": 3600}
        return 200, {**given, "scope": " ".join(sorted(wanted))}, {}

    def check(self, headers: Json, method: str, url: str, scope: str) -> str:
        """Let whoever asks in and give who it is, as the log names them; or raise as Okta does."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if not token and kind.startswith("SSWS"):  # the vendor's own client leaves the blank out
            kind, token = "SSWS", kind[4:]
        if kind == "SSWS" and token == TOKEN:
            return ADMIN
        granted = self.granted.get(token)
        if granted is None or kind not in {"Bearer", "DPoP"}:
            raise Wrong(401, "E0000011", "Invalid token provided")
        scopes, thumb = granted
        if thumb:
            claims, found = self._proof(headers.get("dpop", ""), method, url)
            digest = hashlib.sha256(token.encode()).digest()
            if kind != "DPoP" or found != thumb or claims.get("ath") != _b64(digest):
                raise Wrong(401, "E0000011", "Invalid token provided")
        if scope not in scopes:
            says = "The access token provided does not contain the required scopes."
            raise Wrong(403, "E0000006", says)
        return CLIENT

    def _is_app(self, form: Json) -> None:
        """Check what the app signed, or raise."""
        if form.get("grant_type") != "client_credentials":
            raise ValueError("grant_type")
        if form.get("client_assertion_type") != ASSERTION or self.key is None:
            raise ValueError("client_assertion_type")
        claims = jwt.decode(form["client_assertion"], KeySet([self.key])).claims
        now = time.time()
        if claims["iss"] != CLIENT or claims["sub"] != CLIENT:
            raise ValueError("iss and sub must be the client_id")
        if claims["aud"] != f"{self.org}/oauth2/v1/token":
            raise ValueError("aud must be the token endpoint")
        if not now - 60 < claims["exp"] <= now + 3600:
            raise ValueError("exp must be within an hour")
        self._once(claims.get("jti", ""))

    def _proof(self, proof: str, method: str, url: str) -> tuple[dict[str, Any], str]:
        """The claims of a proof and the thumbprint of its key."""
        try:
            head = json.loads(base64.urlsafe_b64decode(proof.split(".", maxsplit=1)[0] + "=="))
            key = ECKey.import_key(head["jwk"])
            claims = jwt.decode(proof, key, algorithms=["ES256"]).claims
            if head["typ"] != "dpop+jwt" or claims["htm"] != method:
                raise ValueError("typ or htm")
            if claims["htu"] != url.partition("?")[0]:
                raise ValueError("htu")
            self._once(claims["jti"])
        except (JoseError, ValueError, KeyError, IndexError) as error:
            raise Wrong(401, "E0000011", f"Invalid DPoP proof: {error}") from error
        return claims, key.thumbprint()

    def _once(self, name: str) -> None:
        if not name or name in self.seen:
            raise ValueError("jti must be new")
        self.seen.add(name)


def _oauth(code: str, says: str) -> Json:
    return {"error": code, "error_description": says}


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
