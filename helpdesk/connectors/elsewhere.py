"""What connectors to people kept elsewhere share: ids, a short memory, and what is not possible.

A connector names what its provider lacks, and writes the acts that are left; every other one says
why it is not possible, should anybody try in spite of `supports`.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final, TypeVar

from helpdesk.connectors.parts import one_by_one, removals
from helpdesk.domain.cases import Handover
from helpdesk.domain.diagnosis.drift import Drift
from helpdesk.domain.errors import BadInput, NotFound
from helpdesk.domain.lacks import Lack, lack_of
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import Asking
from helpdesk.domain.text import clean
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.users import Factor, User

FRESH_S: Final = 3.0
"""Seconds that what a provider said of a user is taken for true: one screen asks more than once."""

T = TypeVar("T")


class Elsewhere(ABC):
    """A provider whose acts are not possible yet.

    Attributes:
        name: What the settings call it; ids of its users begin so.
        lacks: What the provider cannot do, of all organisations.

    Args:
        elapsed: Seconds on a clock that never goes back.
    """

    lacks: ClassVar[tuple[Lack, ...]] = ()
    takes_part = False

    def __init__(self, name: str, elapsed: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._elapsed = elapsed
        self._kept: dict[str, tuple[float, Any]] = {}
        self._acts = 0

    async def refresh(self) -> int:
        """Give a number that grows with each act of this desk; the provider tells of no others."""
        return self._acts

    @abstractmethod
    async def read(self, native: str) -> User | None:
        """Ask for a user with their factors; None, or `NotFound`, where there is none."""

    @abstractmethod
    async def events(self, native: str) -> tuple[AnyEvent, ...]:
        """Ask for what happened to a user who is there, oldest first."""

    async def person(self, user: str) -> User | None:
        """Give a user by id with their factors; None where there is none of exactly this id.

        A provider that takes other names than its ids must not lend one person two ids.
        """
        try:
            native = self.native(user)
            found = await self.fresh(f"user {native}", lambda: self.read(native))
        except NotFound:
            return None
        return found if found is not None and found.id == user else None

    async def people(self, users: Sequence[str]) -> Mapping[str, User]:
        """Give these users by id; whoever is not known is left out."""
        found = await asyncio.gather(*(self.person(user) for user in dict.fromkeys(users)))
        return {user.id: user for user in found if user is not None}

    async def timeline(self, user: str) -> tuple[AnyEvent, ...]:
        """Give what happened to a user, oldest first.

        Raises:
            NotFound: There is no such user: an empty timeline would say that nothing happened.
        """
        native = self.native(user)
        if await self.person(user) is None:
            raise NotFound(f"There is no user {clean(user, limit=200)} here.")
        return await self.fresh(f"log {native}", lambda: self.events(native))

    async def timelines(self, users: Sequence[str]) -> Mapping[str, tuple[AnyEvent, ...]]:
        """Give the timelines of several users at once."""
        found = await asyncio.gather(*(self.timeline(user) for user in users))
        return dict(zip(users, found, strict=True))

    async def send_code(self, user: User, factor: Factor, card: Product, now: datetime) -> None:
        """Not possible here."""
        raise self.cannot("send-code")

    async def send_confirmation(self, user: User, mobile: str, now: datetime) -> None:
        """Not possible here."""
        raise self.cannot("change-mobile")

    async def reset(self, user: User, factors: tuple[Factor, ...], now: datetime) -> None:
        """Not possible here."""
        raise self.cannot("reset-factor")

    async def turn_off(self, user: User, now: datetime, until: datetime | None) -> None:
        """Not possible here."""
        raise self.cannot("turn-off-mfa")

    async def turn_on(self, user: User, now: datetime) -> None:
        """Not possible here."""
        raise self.cannot("turn-on-mfa")

    async def change_address(self, user: User, address: str, now: datetime) -> None:
        """Not possible here."""
        raise self.cannot("change-address")

    async def change_mobile(self, user: User, mobile: str, now: datetime) -> None:
        """Not possible here."""
        raise self.cannot("change-mobile")

    async def unlock(self, user: User, now: datetime) -> None:
        """Not possible here."""
        raise self.cannot("unlock")

    async def end_sessions(self, user: User, now: datetime) -> None:
        """Not possible here."""
        raise self.cannot("end-sessions")

    async def suspend(self, user: User, factor: Factor, now: datetime) -> None:
        """Not possible here."""
        raise self.cannot("suspend-factor")

    async def resume(self, user: User, factor: Factor, now: datetime) -> None:
        """Not possible here."""
        raise self.cannot("resume-factor")

    async def make_pass(self, user: User, now: datetime, until: datetime) -> str:
        """Not possible here."""
        raise self.cannot("temporary-pass")

    async def replace_lost(self, user: User, factor: Factor, now: datetime, until: datetime) -> str:
        """Not possible here."""
        raise self.cannot("lost-factor")

    async def begin_totp(self, user: User, issuer: str, now: datetime) -> tuple[str, str]:
        """Not possible here."""
        raise self.cannot("enrol-totp")

    async def confirm_totp(self, user: User, code: str, now: datetime) -> bool:
        """Not possible here."""
        raise self.cannot("enrol-totp")

    async def drift(
        self,
        user: User,
        factor: Factor,
        codes: Sequence[str],
        now: datetime,
        others_s: Sequence[float],
    ) -> Drift:
        """Not possible here."""
        raise self.cannot("drift")

    async def ask_proof(self, person: User, asking: Asking, now: datetime) -> str | None:
        """Not possible here."""
        raise self.cannot(f"prove:{asking.method.value}")

    async def check_proof(self, person: User, asking: Asking, told: str, now: datetime) -> bool:
        """Not possible here."""
        raise self.cannot(f"prove:{asking.method.value}")

    async def shown(self, person: User, askings: Sequence[Asking], now: datetime) -> list[Handover]:
        """Give nothing: what a device shows is the customer's."""
        return []

    async def flag(self, user: User, reason: str, now: datetime) -> None:  # noqa: B027  (nothing to do)
        """Leave it to the desk's own record: the provider has no place for it."""

    def cannot(self, what: str) -> BadInput:
        """Give the error that says why something is not possible: asking again is of no use."""
        lack = lack_of(self.lacks, what)
        return BadInput(lack.says if lack else "Not possible with this provider.")

    def native(self, user: str) -> str:
        """Give the provider's own id of a user.

        Raises:
            NotFound: The user is another provider's.
        """
        own, _, native = user.partition(":")
        if own != self.name or not native:
            raise NotFound(f"There is no user {clean(user, limit=200)} here.")
        return native

    async def act(self, user: User, work: Awaitable[T]) -> T:
        """Carry out an act; whatever becomes of it, the user is read anew."""
        try:
            return await work
        finally:
            self._acts += 1
            self.forget(user.id)

    def forget(self, user: str) -> None:
        """Ask anew for all that is about a user."""
        end = f" {self.native(user)}"
        for key in [key for key in self._kept if key.endswith(end)]:
            del self._kept[key]

    async def fresh(self, key: str, ask: Callable[[], Awaitable[T]], life_s: float = FRESH_S) -> T:
        """Give what was asked for within the last seconds, or ask.

        The key of what is about a user is a word, a blank and the native id.
        """
        until, kept = self._kept.get(key, (0.0, None))
        if self._elapsed() < until:
            found: T = kept
            return found
        acts, found = self._acts, await ask()
        now = self._elapsed()
        for old in [old for old, (ends, _) in self._kept.items() if ends <= now]:
            del self._kept[old]  # each may be long, and nobody is given it any more
        if acts == self._acts:  # else it may be of before the act
            self._kept[key] = now + life_s, found
        return found

    async def remove_each(self, native: str, factors: Sequence[Factor], before: str = "") -> None:
        """Remove factors one after the other; *before* says what was done already.

        Raises:
            BrokeOff: It broke off; the sentence says what is gone and what is left.
        """

        async def still() -> Collection[str]:
            return await self.still_there(native)

        parts = removals(factors, lambda factor: self.remove_one(native, factor))
        await one_by_one("The reset", parts, verb="Gone", still=still, before=before)

    @abstractmethod
    async def remove_one(self, native: str, factor: Factor) -> None:
        """Remove a factor; one that is gone already is no error, or `NotFound`."""

    @abstractmethod
    async def still_there(self, native: str) -> Collection[str]:
        """Give the ids of the factors that a user has now, asked anew."""
