"""What the issuer of `serve --dev` remembers, in memory alone: codes, requests and sign-ins.

one-time code ──┬─► authorization code ──┐
                └─► device request ──────┴─► sign-in: access tokens, one refresh token at a time

Secrets are kept as hashes. A code or a refresh token that comes a second time ends its sign-in:
one of the two who had it stole it (RFC 6749 10.5, RFC 9700 4.14).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from helpdesk.domain.agents import Agent
from helpdesk.domain.errors import Unauthorised
from helpdesk.gateway.issuers import s256

ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Letters that are not mistaken for one another and make no words (RFC 8628 6.1)."""

CODE_S: Final = 60.0
"""Seconds an authorization code counts."""

DEVICE_S: Final = 600.0
"""Seconds a device request waits for its agent."""

WAITING_LIMIT: Final = 200
"""Device requests that may wait at once."""

INTERVAL_S: Final = 5
"""Seconds between two questions about a device request; five more after each that came too soon."""

SIGN_IN_S: Final = 43_200.0
"""Seconds a sign-in lasts, however often it is renewed: a shift."""

WRONG_LIMIT: Final = 20
"""Wrong one-time codes in a minute after which none is read."""


class Denied(Exception):
    """A refusal of the token endpoint: its word in RFC 6749 or RFC 8628."""

    def __init__(self, error: str) -> None:
        self.error = error
        super().__init__(error)


class SignedIn(Struct, kw_only=True):
    """One sign-in of one agent, and all tokens that come from it.

    Attributes:
        id: In every access token as `sid`.
        authenticated_at: Seconds since 1970 when the agent gave a one-time code.
        refresh: The hash of the one refresh token that counts.
    """

    id: str
    agent: Agent
    authenticated_at: float
    refresh: str = ""
    is_ended: bool = False


class CodeRequest(Struct, frozen=True, kw_only=True):
    """What the console asked for when it sent the agent to the issuer."""

    redirect_uri: str
    challenge: str
    nonce: str = ""


class DeviceRequest(Struct, kw_only=True):
    """A console that waits for its agent to sign in elsewhere.

    Attributes:
        asked_from: The address the console asked from: what the agent compares.
        next_at: When it may ask again, in seconds.
    """

    user_code: str
    asked_from: str
    ends_at: float
    interval: float = INTERVAL_S
    next_at: float = 0.0
    sign_in: SignedIn | None = None
    is_denied: bool = False


class _Issued(Struct, kw_only=True):
    request: CodeRequest
    sign_in: SignedIn
    ends_at: float
    is_used: bool = False


class OneTimeCodes:
    """A code for each agent that signs them in once; the next is told when one is used.

    Args:
        agents: Who may sign in.
        tell: Gets each new code: `serve` prints it.
        clock: Seconds.
    """

    def __init__(
        self,
        agents: Sequence[Agent],
        tell: Callable[[Agent, str], None],
        clock: Callable[[], float],
    ) -> None:
        self._tell, self._clock = tell, clock
        self._agents: dict[str, Agent] = {}
        self._wrong: deque[float] = deque(maxlen=WRONG_LIMIT)
        for agent in agents:
            self.renew(agent)

    def renew(self, agent: Agent) -> None:
        """Make an agent's next code and tell it; the one before counts no more."""
        code = letters(12)
        self._agents = {kept: a for kept, a in self._agents.items() if a.id != agent.id}
        self._agents[hashed(plain(code))] = agent
        self._tell(agent, code)

    def use(self, code: str) -> Agent:
        """Return the agent whose code this is; it counts no more.

        Raises:
            Unauthorised: It is nobody's, or there were too many wrong ones.
        """
        now = self._clock()
        if len(self._wrong) == WRONG_LIMIT and now - self._wrong[0] < 60:
            raise Unauthorised("There were too many wrong codes. Wait a minute.")
        agent = self._agents.get(hashed(plain(code)))
        if agent is None:
            self._wrong.append(now)
            raise Unauthorised("This one-time code is wrong or was used. Take the newest one.")
        self.renew(agent)
        return agent


class Grants:
    """Sign-ins and the requests that lead to them.

    Args:
        clock: Seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sign_ins: dict[str, SignedIn] = {}
        self._codes: dict[str, _Issued] = {}
        self._devices: dict[str, DeviceRequest] = {}

    def begin(self, agent: Agent) -> SignedIn:
        """Begin a sign-in of an agent who gave a one-time code just now."""
        self._forget_old()
        found = SignedIn(id=secrets.token_urlsafe(16), agent=agent, authenticated_at=self._clock())
        self._sign_ins[found.id] = found
        return found

    def is_live(self, sign_in: str) -> bool:
        """Whether a sign-in goes on: neither ended nor older than a shift."""
        found = self._sign_ins.get(sign_in)
        return found is not None and not found.is_ended and not self._is_old(found)

    def end(self, sign_in: str) -> None:
        """End a sign-in with all its tokens."""
        if sign_in in self._sign_ins:
            self._sign_ins[sign_in].is_ended = True

    def code(self, agent: Agent, request: CodeRequest) -> str:
        """Return an authorization code for an agent who signed in just now."""
        code = secrets.token_urlsafe(32)
        ends_at = self._clock() + CODE_S
        issued = _Issued(request=request, sign_in=self.begin(agent), ends_at=ends_at)
        self._codes[hashed(code)] = issued
        return code

    def redeem(self, code: str, redirect_uri: str, verifier: str) -> tuple[SignedIn, str]:
        """Return the sign-in of an authorization code, and the nonce that was asked for.

        Raises:
            Denied: It is not one, was used, is too old, or belongs to another request.
        """
        issued = self._codes.get(hashed(code))
        if issued is None or self._clock() > issued.ends_at:
            raise Denied("invalid_grant")
        if issued.is_used:
            self.end(issued.sign_in.id)
            raise Denied("invalid_grant")
        issued.is_used = True
        proof = hmac.compare_digest(s256(verifier), issued.request.challenge)
        if not proof or redirect_uri != issued.request.redirect_uri:
            self.end(issued.sign_in.id)
            raise Denied("invalid_grant")
        return issued.sign_in, issued.request.nonce

    def refresh_token(self, sign_in: SignedIn) -> str:
        """Return a sign-in's next refresh token; the one before counts no more."""
        secret = secrets.token_urlsafe(32)
        sign_in.refresh = hashed(secret)
        return f"{sign_in.id}.{secret}"

    def refreshed(self, token: str) -> SignedIn:
        """Return the sign-in of a refresh token.

        Raises:
            Denied: It is not the newest of a sign-in that goes on; an older one ends it.
        """
        name, _, secret = token.partition(".")
        if not self.is_live(name):
            raise Denied("invalid_grant")
        found = self._sign_ins[name]
        if not hmac.compare_digest(hashed(secret), found.refresh):
            self.end(name)
            raise Denied("invalid_grant")
        return found

    def begin_device(self, asked_from: str) -> tuple[str, DeviceRequest]:
        """Return a new device request and its secret code.

        Raises:
            Denied: Too many wait already.
        """
        self._forget_old()
        if len(self._devices) >= WAITING_LIMIT:
            raise Denied("temporarily_unavailable")
        code = secrets.token_urlsafe(32)
        request = DeviceRequest(
            user_code=letters(8), asked_from=asked_from, ends_at=self._clock() + DEVICE_S
        )
        self._devices[hashed(code)] = request
        return code, request

    def device(self, user_code: str) -> DeviceRequest:
        """Return the request that waits for its agent under a user code.

        Raises:
            Unauthorised: None does.
        """
        wanted = plain(user_code)
        for request in self._devices.values():
            is_open = request.sign_in is None and not request.is_denied
            if plain(request.user_code) == wanted and is_open and self._clock() < request.ends_at:
                return request
        raise Unauthorised("No console waits under this code. Begin again at the console.")

    def polled(self, code: str) -> SignedIn:
        """Return the sign-in that came of a device request, once.

        Raises:
            Denied: There is none yet, it was refused, is too old, or was asked for too soon.
        """
        request = self._devices.get(hashed(code))
        if request is None:
            raise Denied("invalid_grant")
        now = self._clock()
        if now > request.ends_at:
            raise Denied("expired_token")
        if request.is_denied:
            raise Denied("access_denied")
        if request.sign_in is None:
            is_too_soon = now < request.next_at
            request.interval += INTERVAL_S if is_too_soon else 0
            request.next_at = now + request.interval
            raise Denied("slow_down" if is_too_soon else "authorization_pending")
        del self._devices[hashed(code)]
        return request.sign_in

    def _is_old(self, sign_in: SignedIn) -> bool:
        return self._clock() - sign_in.authenticated_at > SIGN_IN_S

    def _forget_old(self) -> None:
        now = self._clock()
        self._sign_ins = {k: s for k, s in self._sign_ins.items() if not self._is_old(s)}
        self._codes = {k: c for k, c in self._codes.items() if now <= c.ends_at}
        self._devices = {k: d for k, d in self._devices.items() if now <= d.ends_at}


def letters(count: int) -> str:
    """Return random letters of the alphabet in groups of four."""
    text = "".join(secrets.choice(ALPHABET) for _ in range(count))
    return "-".join(text[at : at + 4] for at in range(0, count, 4))


def plain(code: str) -> str:
    """Return a typed code as it is compared: its letters, in capitals."""
    return "".join(c for c in code.upper() if c in ALPHABET)


def hashed(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
