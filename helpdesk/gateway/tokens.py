"""Who asks: from an access token to an agent, with every claim checked.

A token is taken where all of this holds: its algorithm is one of ours · its key is the issuer's ·
its signature fits · issuer, audience, times and client are right · it was not revoked ·
it says when the agent signed in, who they are, and which one role they have here.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from joserfc import jws, jwt
from joserfc.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidClaimError,
    JoseError,
    MissingClaimError,
    UnsupportedAlgorithmError,
)
from msgspec import Struct

from helpdesk.domain.actions import Action, Risk
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.errors import Unauthorised
from helpdesk.domain.text import clean
from helpdesk.gateway.issuers import Issuer, Keys, Provider
from helpdesk.service.ages import Ages, since_boot

if TYPE_CHECKING:
    from helpdesk.gateway.issuers import PublicKey

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA", "Ed25519")
"""The only ways a token may be signed; the token itself has no say in it."""

TOKEN_LIMIT: Final = 16_384
"""Characters of a token; real ones have one or two thousand."""

LEEWAY_S: Final = 10
"""Seconds the issuer's clock and ours may differ."""

MOST: Final = 4_096
"""Tokens whose signature is not checked again: those that came first are forgotten first."""

STEP_UP: Final = timedelta(minutes=5)
"""How long after signing in an agent may do what cannot be taken back (RFC 9470)."""

STEP_UP_CHALLENGE: Final = (
    'Bearer error="insufficient_user_authentication", '
    'error_description="Sign in again for this act", '
    f"max_age={STEP_UP.seconds}"
)
"""The `WWW-Authenticate` of the 401 to a destructive act by somebody who signed in too long ago."""

CHALLENGE: Final = 'Bearer error="invalid_token"'
"""The `WWW-Authenticate` of the 401 to a token that is not taken (RFC 6750)."""

_KINDS: Final = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})
_ID_LIMIT: Final = 200


class Signed(Struct, frozen=True, kw_only=True):
    """An agent who signed in.

    Attributes:
        agent: Who they are at this desk.
        authenticated_at: When they last proved to the issuer who they are.
        expires_at: When the token ends; a stream that it opened ends then too.
        subject: The issuer's own name for them.
        sign_in: What stands for this sign-in, in all tokens that are made for it.
        issued_at: When the token was made.
    """

    agent: Agent
    authenticated_at: datetime
    expires_at: datetime
    subject: str
    sign_in: str
    issued_at: datetime


class Tokens:
    """Reads the tokens of one issuer.

    Args:
        issuer: Who vouches, and how its claims are read.
        keys: Where its keys are; None for its own discovery document.
        clock: Seconds since 1970.
        is_revoked: Whether a token with these claims was ended before its time.
        elapsed: Seconds on a clock that nobody sets: a token that was seen once ends by it too.
    """

    def __init__(
        self,
        issuer: Issuer,
        *,
        keys: Keys | None = None,
        clock: Callable[[], float] = time.time,
        is_revoked: Callable[[Mapping[str, Any]], bool] = lambda _: False,
        elapsed: Callable[[], float] = since_boot,
    ) -> None:
        authorities = Path(issuer.authorities).expanduser() if issuer.authorities else None
        self.issuer = issuer
        self._keys = keys or Provider(issuer.url, authorities=authorities)
        self._clock = clock
        self._is_revoked = is_revoked
        self._tokens, self._sign_ins = Ages(elapsed), Ages(elapsed)
        self._verified: dict[str, Verified] = {}

    async def agent(self, bearer: str) -> Signed:
        """Return the agent an access token stands for.

        Raises:
            Unauthorised: It is not taken; the sentence says why and shows nothing of it.
            Unreachable: The issuer's keys cannot be had now.
        """
        digest = hashlib.sha256(bearer.encode("utf-8", "surrogatepass")).hexdigest()
        claims = await self._claims(bearer, digest)
        now = datetime.fromtimestamp(self._clock(), UTC)
        # Set back, the wall clock would let a token or a recent sign-in live on.
        late = self._lateness(self._tokens, digest, now)
        self._check(claims, late)
        signed_in = f"{claims['sub']} {claims['auth_time']}"
        later = max(late, self._lateness(self._sign_ins, signed_in, now))
        return Signed(
            agent=self._agent(claims),
            authenticated_at=_moment(claims["auth_time"] - later, "when you signed in"),
            expires_at=_moment(claims["exp"] - late, "when it ends"),
            subject=claims["sub"],
            sign_in=hashlib.sha256(f"{signed_in} {claims.get('sid')}".encode()).hexdigest(),
            issued_at=_moment(claims["iat"], "when it was made"),
        )

    async def _claims(self, bearer: str, digest: str) -> dict[str, Any]:
        """Return the claims of a token; its signature is checked once while its key is the same."""
        known = self._verified.get(digest)
        if known is None or await self._keys.key(known.kid) is not known.key:
            known = self._verified[digest] = await verified(bearer, self._keys)
            if len(self._verified) > MOST:
                del self._verified[next(iter(self._verified))]
        return known.claims

    def _lateness(self, ages: Ages, what: str, now: datetime) -> int:
        """Return the seconds by which the wall clock went back since *what* was seen first."""
        return max(0, int((ages.reckoned(what, now) - now).total_seconds()))

    def _check(self, claims: dict[str, Any], late: int) -> None:
        who, audience = self.issuer.url, self.issuer.audience
        now = self._clock() + late
        check_claims(claims, who, audience, now, essential=("auth_time",))
        wanted = self.issuer.client_id
        for claim in ("client_id", "azp"):
            if claims.get(claim, wanted) != wanted:
                raise Unauthorised("This sign-in was given to another program, not this console.")
        if "nonce" in claims or "at_hash" in claims:
            raise Unauthorised("This is proof of who signed in, not leave to use this desk.")
        if "cnf" in claims:  # RFC 7800: of use only to who has a key, which nobody proves here
            raise Unauthorised("This sign-in is bound to a key, which this desk cannot check.")
        if self._is_revoked(claims):
            raise Unauthorised("This sign-in was ended. Sign in again.")
        if _seconds(claims.get("auth_time")) > now + LEEWAY_S:
            raise Unauthorised("This sign-in is dated in the future. The issuer's clock is wrong.")

    def _agent(self, claims: Mapping[str, Any]) -> Agent:
        login = _text(claims, self.issuer.login_claim)
        role = self._role(claims)
        is_bound = role is Role.PRODUCT_ADMINISTRATOR
        return Agent(
            id=_text(claims, self.issuer.agent_claim),
            name=_text(claims, "name") if claims.get("name") else login,
            role=role,
            login=login,
            account=_text(claims, self.issuer.account_claim) if is_bound else None,
        )

    def _role(self, claims: Mapping[str, Any]) -> Role:
        """Return the one role of ours among the issuer's; others it may have do not concern us."""
        said = _claim(claims, self.issuer.roles_claim)
        names = [said] if isinstance(said, str) else said if isinstance(said, list) else []
        table = self.issuer.role_map or {role.value: role for role in Role}
        roles = {table[name] for name in names if isinstance(name, str) and name in table}
        if len(roles) == 1:
            return roles.pop()
        told = clean(", ".join(str(name) for name in names), limit=200)
        if roles:
            raise Unauthorised(f"You have several roles at this desk ({told}); it takes one.")
        raise Unauthorised(
            f"The issuer gives you no role at this desk ({told or 'it names none'}). "
            "Ask who administers it."
        )


class _Algorithms(jws.JWSRegistry):
    """Our algorithms, whatever a token's header names; headers of other standards do no harm."""

    max_header_length = 2_048

    def __init__(self) -> None:
        super().__init__(algorithms=ALGORITHMS, strict_check_header=False)

    def get_alg(self, name: str) -> Any:
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


class _Header(Struct, frozen=True):
    alg: str
    kid: str = ""
    typ: str = ""


class Verified(NamedTuple):
    """A token whose signature fits.

    Attributes:
        kid: What its key is called.
        claims: None of them is checked.
    """

    kid: str
    key: PublicKey
    claims: dict[str, Any]


async def verified(token: str, keys: Keys) -> Verified:
    """Return the claims of a token whose signature fits a key of the issuer; none is checked yet.

    Raises:
        Unauthorised: It is no signed token of the issuer.
        Unreachable: The issuer's keys cannot be had now.
    """
    if len(token) > TOKEN_LIMIT:
        raise Unauthorised(f"This sign-in is too long to be one: over {TOKEN_LIMIT} characters.")
    if not token.isascii():
        raise Unauthorised(_UNREADABLE)
    header = _header(token)
    if header.alg.casefold() == "none":
        raise Unauthorised("This sign-in is not signed.")
    if header.alg not in ALGORITHMS:
        way = clean(header.alg, limit=20)
        raise Unauthorised(f"This sign-in is signed in a way that is not taken here: {way}.")
    if header.typ.casefold() not in _KINDS:
        raise Unauthorised("This is no access token, but a token of another kind.")
    key = await keys.key(header.kid)
    if key is None:
        raise Unauthorised("This sign-in is signed with a key that its issuer does not have.")
    return Verified(header.kid, key, _claims(token, key))


def check_claims(
    claims: dict[str, Any], issuer: str, audience: str, now: float, *, essential: tuple[str, ...]
) -> None:
    """Check issuer, audience and times: joserfc takes expired tokens unless this is asked apart.

    Args:
        claims: Those of a token whose signature fits.
        issuer: Who must have issued it.
        audience: Whom it must be for.
        now: Seconds since 1970.
        essential: What must be there besides issuer, audience, subject and times.

    Raises:
        Unauthorised: One does not hold, or is not there.
    """
    options: dict[str, jwt.ClaimsOption] = {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": audience},
    }
    options |= {name: {"essential": True} for name in ("sub", "exp", "iat", *essential)}
    wanted = jwt.JWTClaimsRegistry(int(now), LEEWAY_S, **options)
    try:
        wanted.validate(claims)
    except ExpiredTokenError as error:
        raise Unauthorised("This sign-in has expired. Sign in again.") from error
    except MissingClaimError as error:
        names = sorted(str(error.claim).split(","))
        raise Unauthorised(f"This sign-in does not say {_listed(names)}.") from error
    except InvalidClaimError as error:
        raise Unauthorised(_WRONG.get(str(error.claim), _UNREADABLE)) from error
    except (JoseError, TypeError, ValueError, OverflowError) as error:
        raise Unauthorised(_UNREADABLE) from error


def needs_step_up(signed: Signed, now: datetime) -> bool:
    """Whether the agent signed in too long ago for what cannot be taken back."""
    return now - signed.authenticated_at > STEP_UP


def asks_step_up(action: Action) -> bool:
    """Whether an act is one that asks for a recent sign-in: those of high risk."""
    return action.risk is Risk.HIGH


_UNREADABLE: Final = "This is no sign-in that can be read."

_WRONG: Final = {
    "iss": "This sign-in comes from another issuer than this desk's.",
    "aud": "This sign-in is meant for another service, not for this desk.",
    "nbf": "This sign-in is not valid yet. Check the clocks.",
    "iat": "This sign-in is dated in the future. Check the clocks.",
}

_MISSING: Final = {
    "iss": "who issued it (iss)",
    "aud": "what it is for (aud)",
    "sub": "whom it is about (sub)",
    "exp": "when it ends (exp)",
    "iat": "when it was made (iat)",
    "auth_time": "when you signed in (auth_time)",
}


def _listed(names: list[str]) -> str:
    return ", ".join(_MISSING.get(name, clean(name, limit=40)) for name in names)


def _header(token: str) -> _Header:
    try:
        found = jws.extract_compact(token.encode("ascii"), registry=_Algorithms())
        return msgspec.convert(found.headers(), _Header)
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Unauthorised(_UNREADABLE) from error


def _claims(token: str, key: PublicKey) -> dict[str, Any]:
    try:
        return jwt.decode(token, key, registry=_Algorithms()).claims
    except BadSignatureError as error:
        raise Unauthorised("This sign-in was changed: its signature does not fit.") from error
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Unauthorised(_UNREADABLE) from error


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name, or by its path where no claim has the whole name."""
    if name in claims or "." not in name:
        return claims.get(name)
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _text(claims: Mapping[str, Any], name: str) -> str:
    said = _claim(claims, name)
    if not isinstance(said, str) or not said.strip():
        raise Unauthorised(f"This sign-in does not say your {clean(name, limit=60)}.")
    if len(said) > _ID_LIMIT or clean(said) != said:
        raise Unauthorised(f"Your {clean(name, limit=60)} in this sign-in is no plain name.")
    return said


def _seconds(said: object) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise Unauthorised("This sign-in does not say in seconds when you signed in (auth_time).")
    return said


def _moment(seconds: float, what: str) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise Unauthorised(f"This sign-in does not say well {what}.") from error
