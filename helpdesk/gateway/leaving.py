"""Who may not go on: looked up all the time, held against each request and each open stream.

look, every 0.25 s ─▶ withdrawals ─┬─▶ each request, and each change as it is weighed
                                  └─▶ each stream of events: over
no look came through for 0.5 s ──────▶ a request looks itself, streams are over
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from helpdesk.domain.errors import HelpdeskError, Unauthorised
from helpdesk.domain.withdrawals import Withdrawal, check_withdrawn
from helpdesk.gateway.tokens import Signed

EVERY_S: Final = 0.25
"""How often one looks; what was withdrawn ends within a second everywhere."""

OLD_S: Final = 2 * EVERY_S

KEPT: Final = timedelta(days=1)
"""How long the end of one sign-in is kept at least; a token lives for minutes."""


class Leaving:
    """What a gateway knows of withdrawals.

    Args:
        look: Gives all withdrawals.
        elapsed: Seconds on a clock that nobody sets.
    """

    def __init__(
        self,
        look: Callable[[], Awaitable[Sequence[Withdrawal]]],
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look, self._elapsed = look, elapsed
        self._known: Mapping[str, Sequence[Withdrawal]] = {}
        self._looked_at = -OLD_S
        self._open: dict[asyncio.Event, Signed] = {}
        self._is_over = False

    async def check(self, signed: Signed) -> None:
        """Raise where a sign-in counts no more.

        Raises:
            Unauthorised: It does not, or the agent does not.
            NoRecord: That cannot be looked up now.
        """
        if self._is_old:
            await self._look_now()
        self.hold_against(signed)

    def hold_against(self, signed: Signed) -> None:
        """As `check`, by what was looked up last."""
        for one in self._known.get(signed.agent.id, ()):
            check_withdrawn(
                one,
                sign_in=signed.sign_in,
                authenticated_at=signed.authenticated_at,
                issued_at=signed.issued_at,
            )

    @contextlib.contextmanager
    def stream(self, signed: Signed) -> Iterator[asyncio.Event]:
        """Give what is set when a stream of this sign-in is to end."""
        over = asyncio.Event()
        self._open[over] = signed
        if self._is_over:
            over.set()
        try:
            yield over
        finally:
            del self._open[over]

    def end(self) -> None:
        """End all streams, and those that are opened later."""
        self._is_over = True
        for over in [*self._open]:
            over.set()

    async def go_on(self) -> None:
        """Look for ever, and end the streams of whoever was withdrawn."""
        while True:
            with contextlib.suppress(HelpdeskError):
                await self._look_now()
            for over, signed in [*self._open.items()]:
                if self._is_old or self._is_withdrawn(signed):
                    over.set()
            await asyncio.sleep(EVERY_S)

    @property
    def _is_old(self) -> bool:
        return self._elapsed() - self._looked_at > OLD_S

    def _is_withdrawn(self, signed: Signed) -> bool:
        try:
            self.hold_against(signed)
        except Unauthorised:
            return True
        return False

    async def _look_now(self) -> None:
        begun = self._elapsed()
        found: dict[str, list[Withdrawal]] = {}
        for one in await self._look():
            found.setdefault(one.agent, []).append(one)
        self._known, self._looked_at = found, begun


def signed_out(signed: Signed, now: datetime) -> Withdrawal:
    """Return what ends one sign-in: no token counts that was made for it up to now."""
    at = max(now, signed.issued_at)
    ends_at = max(signed.expires_at, at + KEPT)
    return Withdrawal(agent=signed.agent.id, at=at, sign_in=signed.sign_in, ends_at=ends_at)
