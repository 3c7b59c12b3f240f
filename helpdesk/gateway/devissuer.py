"""The issuer of `helpdesk serve --dev`: agents of the desk sign in with one-time codes.

For a laptop or a class. It answers this machine alone, its keys are made at start and live in
memory, and no password is ever asked. The server mounts `DevIssuer.router()` below its own
address and reads tokens with `DevIssuer.tokens()`, which sees the end of a sign-in at once.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from helpdesk.domain.agents import Agent
from helpdesk.domain.errors import NotFound
from helpdesk.domain.text import clean
from helpdesk.gateway.devgrants import INTERVAL_S, Denied, Grants, OneTimeCodes, SignedIn
from helpdesk.gateway.issuers import DEVICE_GRANT, ONE_TIME_GRANT, Issuer
from helpdesk.gateway.tokens import Tokens

if TYPE_CHECKING:
    from litestar import Router

    from helpdesk.gateway.issuers import PublicKey

ACCESS_S: Final = 300
"""Seconds an access token counts."""

AUDIENCE: Final = "helpdesk"
CLIENT: Final = "helpdesk-console"


class DevIssuer:
    """An OIDC issuer for the agents of one desk.

    Args:
        url: Where it is mounted, such as `http://127.0.0.1:8765/issuer`.
        agents: Who may sign in.
        tell: Gets an agent and their next one-time code: at start, and after each use.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        url: str,
        agents: Sequence[Agent],
        *,
        tell: Callable[[Agent, str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.issuer = Issuer(url=url, audience=AUDIENCE, client_id=CLIENT)
        self.grants = Grants(clock)
        self.codes = OneTimeCodes(agents, tell, clock)
        self._agents = {agent.id: agent for agent in agents}
        self._clock = clock
        self._key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)

    def tokens(self) -> Tokens:
        """Return what reads this issuer's tokens, without asking it over HTTP."""
        return Tokens(self.issuer, keys=self, clock=self._clock, is_revoked=self._is_revoked)

    def router(self) -> Router:
        """Return the issuer's addresses, to be mounted where its url says."""
        from helpdesk.gateway.devpages import issuer_router  # noqa: PLC0415  (Litestar)

        return issuer_router(self)

    async def key(self, name: str) -> PublicKey | None:
        """Return the public key called *name*; there is one."""
        public = ECKey.import_key(self._key.as_dict(private=False))
        return public if name in {"", self._key.kid} else None

    def new_code(self, agent: str) -> None:
        """Make and tell the next one-time code of the agent with this id.

        Raises:
            NotFound: There is no such agent.
        """
        if agent not in self._agents:
            raise NotFound(f"There is no agent {clean(agent)} at this desk.")
        self.codes.renew(self._agents[agent])

    def metadata(self) -> dict[str, Any]:
        """Return the discovery document."""
        url = self.issuer.url
        return {
            "issuer": url,
            "jwks_uri": f"{url}/jwks",
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "device_authorization_endpoint": f"{url}/device_authorization",
            "revocation_endpoint": f"{url}/revoke",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "grant_types_supported": [
                "authorization_code",
                "refresh_token",
                DEVICE_GRANT,
                ONE_TIME_GRANT,
            ],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "authorization_response_iss_parameter_supported": True,
        }

    def key_set(self) -> dict[str, Any]:
        """Return the public keys."""
        return {"keys": [self._key.as_dict(private=False)]}

    def granted(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Return the tokens a form of the token endpoint asks for.

        Raises:
            Denied: It gets none.
            Unauthorised: Its one-time code is not taken.
        """
        if form.get("client_id") != CLIENT:
            raise Denied("invalid_client")
        nonce = ""
        match form.get("grant_type"):
            case "authorization_code":
                sign_in, nonce = self.grants.redeem(
                    form.get("code", ""),
                    form.get("redirect_uri", ""),
                    form.get("code_verifier", ""),
                )
            case "refresh_token":
                sign_in = self.grants.refreshed(form.get("refresh_token", ""))
            case grant if grant == DEVICE_GRANT:
                sign_in = self.grants.polled(form.get("device_code", ""))
            case grant if grant == ONE_TIME_GRANT:
                sign_in = self.grants.begin(self.codes.use(form.get("code", "")))
            case _:
                raise Denied("unsupported_grant_type")
        return self._answer(sign_in, nonce)

    def device_begun(self, form: Mapping[str, str], asked_from: str) -> dict[str, Any]:
        """Return the answer to a console that asks for a device code.

        Raises:
            Denied: It is another program.
        """
        if form.get("client_id") != CLIENT:
            raise Denied("invalid_client")
        code, request = self.grants.begin_device(asked_from)
        address = f"{self.issuer.url}/device"
        return {
            "device_code": code,
            "user_code": request.user_code,
            "verification_uri": address,
            "verification_uri_complete": f"{address}?user_code={request.user_code}",
            "expires_in": int(request.ends_at - self._clock()),
            "interval": INTERVAL_S,
        }

    def revoke(self, token: str) -> None:
        """End the sign-in an access or refresh token belongs to; nothing happens for any other."""
        if token.count(".") == 2:
            try:
                name = str(jwt.decode(token, self._key, algorithms=["ES256"]).claims.get("sid"))
            except (JoseError, ValueError, TypeError):
                return  # RFC 7009 2.2: what is no token is ended already
            self.grants.end(name)
            return
        self.grants.end(token.partition(".")[0])

    def _answer(self, sign_in: SignedIn, nonce: str) -> dict[str, Any]:
        return {
            "access_token": self._signed(self._access_claims(sign_in), "at+jwt"),
            "token_type": "Bearer",
            "expires_in": ACCESS_S,
            "refresh_token": self.grants.refresh_token(sign_in),
            "id_token": self._signed(self._id_claims(sign_in, nonce), "JWT"),
        }

    def _signed(self, claims: dict[str, Any], kind: str) -> str:
        header = {"alg": "ES256", "typ": kind, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=["ES256"])

    def _claims(self, sign_in: SignedIn, audience: str) -> dict[str, Any]:
        now = int(self._clock())
        return {
            "iss": self.issuer.url,
            "aud": audience,
            "sub": sign_in.agent.id,
            "iat": now,
            "exp": now + ACCESS_S,
            "auth_time": int(sign_in.authenticated_at),
        }

    def _access_claims(self, sign_in: SignedIn) -> dict[str, Any]:
        agent = sign_in.agent
        claims = self._claims(sign_in, AUDIENCE) | {
            "client_id": CLIENT,
            "jti": secrets.token_urlsafe(16),
            "sid": sign_in.id,
            "name": agent.name,
            "preferred_username": agent.login or agent.id,
            "roles": [agent.role.value],
        }
        return claims | ({"account": agent.account} if agent.account else {})

    def _id_claims(self, sign_in: SignedIn, nonce: str) -> dict[str, Any]:
        claims = self._claims(sign_in, CLIENT)
        return claims | ({"nonce": nonce} if nonce else {})

    def _is_revoked(self, claims: Mapping[str, Any]) -> bool:
        return not self.grants.is_live(str(claims.get("sid")))
