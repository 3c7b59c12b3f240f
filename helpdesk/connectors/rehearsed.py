"""The provider of a rehearsal: the fixture's, with things that happen, and go wrong, on cue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from helpdesk.connectors.demo import DemoConnector
from helpdesk.connectors.documents import Documents
from helpdesk.domain.decisions import Decision, Need, Weight
from helpdesk.domain.errors import NeedsMore
from helpdesk.domain.products import Product
from helpdesk.domain.timeline import AnyEvent, Delivery, Lock
from helpdesk.domain.users import Factor, FactorKind, User

WAIT_S = 30.0
"""What the provider says one must wait after *too many requests*, as Okta does for its SMS."""

GREYLISTED = "451"
"""The answer of a mail server that wants to be asked again (RFC 6647)."""


class RehearsedConnector(DemoConnector):
    """People of a world of their own.

    Attributes:
        late: By how much a message of the desk is late; zero for not at all.
        is_busy: Whether the provider takes no more requests for codes.
        on_late: Is told of each message that is late: when it comes, whose it is, the event.
    """

    def __init__(self, file: Documents, on_late: Callable[[datetime, str, AnyEvent], None]) -> None:
        super().__init__(file)
        self.late, self.is_busy, self.on_late = timedelta(0), False, on_late

    async def send_code(self, user: User, factor: Factor, card: Product, now: datetime) -> None:
        """Send a new code, unless the provider is busy.

        Raises:
            NeedsMore: It takes no more requests for now.
        """
        if self.is_busy:
            says = f"Too many requests (429): the provider takes the next in {WAIT_S:.0f} s."
            need = Need(what="wait", says=says, seconds=WAIT_S)
            raise NeedsMore(Decision(act="send-code", weight=Weight.NEEDS, needs=(need,)))
        await super().send_code(user, factor, card, now)

    async def number(self, user: User, at: datetime) -> str:
        """Give what the user's first authenticator shows at a moment of its own clock.

        Raises:
            NotFound: They have none.
        """
        kinds = [f.id for f in user.factors if f.kind is FactorKind.TOTP] or [""]
        totp = await asyncio.to_thread(self._totp, user.id, kinds[0])
        return str(totp.at(at))

    async def happen(self, user: str, event: AnyEvent) -> None:
        """Let something happen to a user, inside the transaction under way."""
        await super()._append(user, event)
        until = event.until if isinstance(event, Lock) else None
        if until is not None and until > event.at:
            await self._edit(user, lambda old: replace(old, locked_until=until))

    async def _append(self, user: str, *events: AnyEvent) -> None:
        kept = [self._held_up(user, event) for event in events] if self.late else events
        await super()._append(user, *kept)

    def _held_up(self, user: str, event: AnyEvent) -> AnyEvent:
        """The event as it is where mail is late: deferred, and delivered later."""
        if not isinstance(event, Delivery):
            return event
        comes = event.at + self.late
        name = f"{event.id}-late"
        self.on_late(comes, user, replace(event, at=comes, id=name, state="delivered"))
        return replace(event, state="deferred", code=GREYLISTED)
