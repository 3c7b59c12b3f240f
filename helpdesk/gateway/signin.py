"""A sign-in of an agent, kept fresh: the access token for each question to the desk.

token() ─┬─ fresh ──────────────────────────────────► access token
         ├─ old, refresh token there ── renewed ────► access token
         └─ none, refused, or not recent enough ── the agent signs in anew (flows.py),
                                                   once for all who wait

Tokens are held in memory and, the refresh token alone, in a real keyring. They are in no file,
environment, argument, log, `repr` or message of an error.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import msgspec
from msgspec import Struct

from helpdesk.domain.errors import GaveUp, HelpdeskError, Unauthorised, Unreachable
from helpdesk.gateway.flows import Answer, Flows, Prompt, Registration, Way
from helpdesk.gateway.issuers import Provider, read
from helpdesk.gateway.keyrings import Kept, SafeKeeping

MARGIN_S: Final = 10.0
"""Seconds before its end a token counts as old: it has a way to go."""


REST_S: Final = 30.0
"""Seconds for which an agent who gave up is not asked again, but for an act."""

Flow = Coroutine[Any, Any, tuple[Answer, float | None]]


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
        through: Brings a sign-in to its end, or to `GaveUp` where the agent does not go on.
        worth_it: Raises where signing in would lead nowhere: the desk is not there.
        keeping: Where the sign-in outlasts this run.
        clock: Seconds since 1970.
        sleep: Waits some seconds.
    """

    def __init__(  # noqa: PLR0913  (what a sign-in rests on, each by its name)
        self,
        registration: Registration,
        *,
        provider: Provider,
        way: Way,
        on_prompt: Callable[[Prompt], None],
        ask_code: Callable[[], Awaitable[str]] | None = None,
        through: Callable[[Flow], Awaitable[tuple[Answer, float | None]]] | None = None,
        worth_it: Callable[[], Awaitable[object]] | None = None,
        keeping: SafeKeeping | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._flows = Flows(registration, provider, on_prompt, ask_code, clock, sleep)
        self._issuer, self._way = registration.issuer, way
        self._keeping = keeping or SafeKeeping("")
        self._clock = clock
        self._held: _Held | None = None
        self._through, self._worth_it = through, worth_it
        self._renewing = asyncio.Lock()
        self._renewals: set[asyncio.Task[_Held | None]] = set()
        self._asking: asyncio.Task[_Held] | None = None
        self._rests_until, self._outs = 0.0, 0

    async def token(self, *, max_age_s: int | None = None) -> str:
        """Return an access token that is valid now.

        While the agent is asked for one act, other questions go on with the token there is.

        Args:
            max_age_s: How long ago the agent may have signed in at most; they are asked again
                where it is longer ago, or where nobody knows.

        Raises:
            GaveUp: The agent gave up, now or a moment ago.
            Unauthorised: The agent did not sign in, or the answer is not to be trusted.
            Unreachable: The issuer cannot be reached.
        """
        held, outs = self._fresh(max_age_s), self._outs
        if held is None:  # who waits may leave: the next one needs what the issuer answers
            renewing = asyncio.create_task(self._renewed(max_age_s))
            self._renewals.add(renewing)
            renewing.add_done_callback(self._renewals.discard)
            held = await asyncio.shield(renewing)
        if held is None and max_age_s is None and outs != self._outs:
            raise GaveUp("You are signed out here.")  # while this was asked: nobody is asked for it
        return (held or await self._asked(max_age_s)).access

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
        self._outs += 1
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
        """Return the sign-in with a new access token; None where the agent must sign in anew.

        A refresh token counts once: to cancel this would be to lose the next one.
        """
        async with self._renewing, self._keeping.alone():
            if held := self._fresh(max_age_s):
                return held
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

    async def _asked(self, max_age_s: int | None) -> _Held:
        """Ask the agent; all who wait have one sign-in, and none of them ends it by leaving."""
        while (held := self._fresh(max_age_s)) is None:
            asking, is_own = self._asking, self._asking is None
            if asking is None:
                if max_age_s is None and self._clock() < self._rests_until:
                    raise GaveUp("You are not signed in. You are asked again in half a minute.")
                asking = self._asking = asyncio.create_task(self._signed_in(max_age_s))
                asking.add_done_callback(self._note)
            held = await asyncio.shield(asking)
            if is_own:
                break
        return held

    def _note(self, ended: asyncio.Task[_Held]) -> None:
        """Take note of how a sign-in ended, before any of those who wait for it."""
        self._asking = None
        gave_up = not ended.cancelled() and isinstance(ended.exception(), GaveUp)
        self._rests_until = self._clock() + REST_S if gave_up else 0.0

    async def _signed_in(self, max_age_s: int | None) -> _Held:
        if self._worth_it is not None:
            await self._worth_it()
        flow = self._flows.sign_in(self._way, max_age_s)
        answer, authenticated_at = await (self._through(flow) if self._through else flow)
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
