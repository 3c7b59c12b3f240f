"""A sign-in of an agent, kept fresh: the access token for each question to the desk.

token() ─┬─ fresh ──────────────────────────────────► access token
         ├─ old, refresh token there ── renewed ────► access token
         └─ none, refused, or not recent enough ── the agent signs in anew (flows.py)

Tokens are held in memory and, the refresh token alone, in a real keyring. They are in no file,
environment, argument, log, `repr` or message of an error.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from msgspec import Struct

from helpdesk.domain.errors import HelpdeskError, Unauthorised, Unreachable
from helpdesk.gateway.flows import Answer, Flows, Prompt, Registration, Way
from helpdesk.gateway.issuers import Provider, read
from helpdesk.gateway.keyrings import Kept, SafeKeeping

MARGIN_S: Final = 10.0
"""Seconds before its end a token counts as old: it has a way to go."""


class _Held(Struct, frozen=True, kw_only=True):
    access: str
    ends_at: float
    refresh: str = ""
    authenticated_at: float | None = None

    def __repr__(self) -> str:
        return "_Held(…)"


class SignIn:
    """Gives valid access tokens; asks the agent only where nothing else helps.

    Args:
        registration: The issuer, and the console there.
        provider: Asks the issuer.
        way: How the agent signs in.
        on_prompt: Shows the agent what to do; called once for each sign-in, must return at once.
        ask_code: Asks the agent for a one-time code; only for `Way.ONE_TIME`.
        keeping: Where the sign-in outlasts this run.
        clock: Seconds since 1970.
        sleep: Waits some seconds.
    """

    def __init__(
        self,
        registration: Registration,
        *,
        provider: Provider,
        way: Way,
        on_prompt: Callable[[Prompt], None],
        ask_code: Callable[[], Awaitable[str]] | None = None,
        keeping: SafeKeeping | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._flows = Flows(registration, provider, on_prompt, ask_code, clock, sleep)
        self._issuer, self._way = registration.issuer, way
        self._keeping = keeping or SafeKeeping("")
        self._clock = clock
        self._held: _Held | None = None
        self._renewing, self._asking = asyncio.Lock(), asyncio.Lock()

    async def token(self, *, max_age_s: int | None = None) -> str:
        """Return an access token that is valid now.

        While the agent is asked for one act, other questions go on with the token there is.

        Args:
            max_age_s: How long ago the agent may have signed in at most; they are asked again
                where it is longer ago, or where nobody knows.

        Raises:
            Unauthorised: The agent did not sign in, or the answer is not to be trusted.
            Unreachable: The issuer cannot be reached.
        """
        if held := self._fresh(max_age_s):
            return held.access
        async with self._renewing:
            if held := self._fresh(max_age_s) or await self._renewed(max_age_s):
                return held.access
        async with self._asking:
            held = self._fresh(max_age_s) or await self._signed_in(max_age_s)
        return held.access

    def refused(self, token: str) -> None:
        """Take note that the desk did not take a token: the next `token` renews or asks.

        A token that was replaced since changes nothing. It may look fresh here and yet be of no
        use: the issuer ended the sign-in, or began anew with other keys.
        """
        held = self._held
        if held is not None and held.access == token:
            self._held = msgspec.structs.replace(held, ends_at=0.0)

    async def sign_out(self) -> None:
        """Forget the sign-in here, then end it at the issuer.

        Raises:
            Unreachable: The issuer could not be told; here it is forgotten all the same.
        """
        async with self._renewing:
            kept = await self._kept()
            self._held = None
            await self._keeping.forget()
        if kept is None:
            return
        try:
            await self._flows.revoke(kept.refresh)
        except HelpdeskError as error:
            says = f"You are signed out here, but the issuer does not know it. {error}"
            raise Unreachable(says) from None

    def _fresh(self, max_age_s: int | None) -> _Held | None:
        held, now = self._held, self._clock()
        if held is None or held.ends_at - MARGIN_S <= now:
            return None
        return held if _is_recent(held.authenticated_at, max_age_s, now) else None

    async def _kept(self) -> Kept | None:
        """Return the newest refresh token: another console may have renewed the one in memory."""
        kept = await self._keeping.read()
        held = self._held
        if kept is None and held is not None and held.refresh:
            return Kept(refresh=held.refresh, authenticated_at=held.authenticated_at)
        return kept

    async def _renewed(self, max_age_s: int | None) -> _Held | None:
        """Return the sign-in with a new access token; None where the agent must sign in anew."""
        async with self._keeping.alone():
            kept = await self._kept()
            if kept is None or not _is_recent(kept.authenticated_at, max_age_s, self._clock()):
                return None
            status, body = await self._flows.renewed(kept.refresh)
            if status >= 500 or status == 429:
                raise Unreachable(f"The issuer answered {status}. Try again in a while.")
            if status != 200:  # it has ended the sign-in
                self._held = None
                await self._keeping.forget()
                return None
            answer = read(body, Answer, self._issuer)
            return await self._hold(answer, kept.authenticated_at, kept.refresh)

    async def _signed_in(self, max_age_s: int | None) -> _Held:
        answer, authenticated_at = await self._flows.sign_in(self._way, max_age_s)
        if _is_too_old(authenticated_at, max_age_s, self._clock()):
            raise Unauthorised("The issuer did not ask you to sign in anew, as this act needs.")
        async with self._renewing:
            return await self._hold(answer, authenticated_at, "")

    async def _hold(self, answer: Answer, authenticated_at: float | None, before: str) -> _Held:
        """Hold an answer; the refresh token *before* goes on where it brings none."""
        is_bearer = answer.token_type.casefold() == "bearer"
        if not (is_bearer and answer.access_token.isascii() and answer.access_token.isprintable()):
            raise Unreachable("The issuer answered with a token that cannot be used.")
        held = self._held = _Held(
            access=answer.access_token,
            ends_at=self._clock() + answer.expires_in,
            refresh=answer.refresh_token or before,
            authenticated_at=authenticated_at,
        )
        if held.refresh:
            await self._keeping.write(Kept(refresh=held.refresh, authenticated_at=authenticated_at))
        return held


def _is_too_old(authenticated_at: float | None, max_age_s: int | None, now: float) -> bool:
    """Whether a new sign-in is known to be none; clocks may differ a little."""
    if max_age_s is None or authenticated_at is None:
        return False
    return now - authenticated_at > max_age_s + MARGIN_S


def _is_recent(authenticated_at: float | None, max_age_s: int | None, now: float) -> bool:
    if max_age_s is None:
        return True
    return authenticated_at is not None and now - authenticated_at < max_age_s - MARGIN_S
