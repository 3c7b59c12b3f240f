"""Several providers as one: each user's own is asked, by what their id begins with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from helpdesk.connectors.base import Found, Provider, Supports
from helpdesk.domain.cases import Handover
from helpdesk.domain.diagnosis.drift import Drift
from helpdesk.domain.errors import NotFound
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import Asking
from helpdesk.domain.text import clean
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.users import Account, Factor, User


class Several:
    """A `Provider` made of others.

    Args:
        providers: By the name that the ids of their users and accounts begin with.
    """

    name = "several"
    takes_part = False

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._by_name = {provider.name: provider for provider in providers}

    def of(self, name: str) -> Provider:
        """Give the provider of a user or an account, by id.

        Raises:
            NotFound: It is of none of them.
        """
        provider = self._by_name.get(name.partition(":")[0])
        if provider is None:
            raise NotFound(f"There is no user {clean(name)} here.")
        return provider

    async def supports(self, user: User) -> Supports:
        """Give what the user's own provider can do."""
        return await self.of(user.id).supports(user)

    async def find(self, words: Sequence[str], *, limit: int) -> Found:
        """Give people of all of them; what one of them left out is said."""
        found = await asyncio.gather(
            *(each.find(words, limit=limit) for each in self._by_name.values())
        )
        users = tuple(user for one in found for user in one.users)
        return Found(users=users, says=" ".join(one.says for one in found if one.says))

    async def named(self, login: str) -> Sequence[User]:
        """Give the users of this login, of all providers."""
        found = await asyncio.gather(*(each.named(login) for each in self._by_name.values()))
        return [user for users in found for user in users]

    async def since(self, at: datetime, *, limit: int) -> Sequence[str]:
        """Give who did something since a moment: of each provider as many as come to the limit."""
        share = max(1, limit // max(1, len(self._by_name)))
        found = await asyncio.gather(
            *(each.since(at, limit=share) for each in self._by_name.values())
        )
        return [user for users in found for user in users]

    async def inspect(self) -> Sequence[str]:
        """Say what holds of each of them."""
        return [
            f"{name}: {says}"
            for name, each in self._by_name.items()
            for says in await each.inspect()
        ]

    def close(self) -> None:
        """Let go of all connections; blocking."""
        for each in self._by_name.values():
            each.close()

    async def refresh(self) -> int:
        """Give a number that changes when anything has at any of them."""
        return sum([await each.refresh() for each in self._by_name.values()])

    async def people(self, users: Sequence[str]) -> Mapping[str, User]:
        """Give these users by id; whoever is not known is left out."""
        found: dict[str, User] = {}
        for name, each in self._by_name.items():
            theirs = [user for user in users if user.partition(":")[0] == name]
            if theirs:
                found |= await each.people(theirs)
        return {user: found[user] for user in users if user in found}

    async def account(self, name: str) -> Account | None:
        """Give the account of this id, or None."""
        each = self._by_name.get(name.partition(":")[0])
        return None if each is None else await each.account(name)

    async def timeline(self, user: str) -> tuple[AnyEvent, ...]:
        """Give what happened to a user, oldest first."""
        return await self.of(user).timeline(user)

    async def timelines(self, users: Sequence[str]) -> Mapping[str, tuple[AnyEvent, ...]]:
        """Give the timelines of several users at once."""
        found: dict[str, tuple[AnyEvent, ...]] = {}
        for name in dict.fromkeys(user.partition(":")[0] for user in users):
            theirs = [user for user in users if user.partition(":")[0] == name]
            found |= await self.of(theirs[0]).timelines(theirs)
        return found

    async def send_code(self, user: User, factor: Factor, card: Product, now: datetime) -> None:
        """Send a new code."""
        await self.of(user.id).send_code(user, factor, card, now)

    async def send_confirmation(self, user: User, mobile: str, now: datetime) -> None:
        """Send the SMS that confirms a number."""
        await self.of(user.id).send_confirmation(user, mobile, now)

    async def reset(self, user: User, factors: tuple[Factor, ...], now: datetime) -> None:
        """Remove factors."""
        await self.of(user.id).reset(user, factors, now)

    async def turn_off(self, user: User, now: datetime, until: datetime | None) -> None:
        """Stop asking for a second proof."""
        await self.of(user.id).turn_off(user, now, until)

    async def turn_on(self, user: User, now: datetime) -> None:
        """Ask for a second proof from now on."""
        await self.of(user.id).turn_on(user, now)

    async def change_address(self, user: User, address: str, now: datetime) -> None:
        """Send codes to another address from now on."""
        await self.of(user.id).change_address(user, address, now)

    async def change_mobile(self, user: User, mobile: str, now: datetime) -> None:
        """Put another mobile number on record."""
        await self.of(user.id).change_mobile(user, mobile, now)

    async def unlock(self, user: User, now: datetime) -> None:
        """Lift locks and clear failure counts."""
        await self.of(user.id).unlock(user, now)

    async def end_sessions(self, user: User, now: datetime) -> None:
        """End all sessions and forget remembered browsers."""
        await self.of(user.id).end_sessions(user, now)

    async def suspend(self, user: User, factor: Factor, now: datetime) -> None:
        """Let nobody in by this factor until it is resumed."""
        await self.of(user.id).suspend(user, factor, now)

    async def resume(self, user: User, factor: Factor, now: datetime) -> None:
        """Let the user in by this factor again."""
        await self.of(user.id).resume(user, factor, now)

    async def make_pass(self, user: User, now: datetime, until: datetime) -> str:
        """Make a temporary way in and give it once."""
        return await self.of(user.id).make_pass(user, now, until)

    async def replace_lost(self, user: User, factor: Factor, now: datetime, until: datetime) -> str:
        """Switch a lost factor off, and give once a password that stands in for it."""
        return await self.of(user.id).replace_lost(user, factor, now, until)

    async def begin_totp(self, user: User, issuer: str, now: datetime) -> tuple[str, str]:
        """Make a pending authenticator; give its key and its address once."""
        return await self.of(user.id).begin_totp(user, issuer, now)

    async def confirm_totp(self, user: User, code: str, now: datetime) -> bool:
        """Check the first code of the pending authenticator."""
        return await self.of(user.id).confirm_totp(user, code, now)

    async def drift(
        self,
        user: User,
        factor: Factor,
        codes: Sequence[str],
        now: datetime,
        others_s: Sequence[float],
    ) -> Drift:
        """Measure a phone's clock by codes read out."""
        return await self.of(user.id).drift(user, factor, codes, now, others_s)

    async def ask_proof(self, person: User, asking: Asking, now: datetime) -> str | None:
        """Send what proves the caller."""
        return await self.of(person.id).ask_proof(person, asking, now)

    async def check_proof(self, person: User, asking: Asking, told: str, now: datetime) -> bool:
        """Whether what the caller read back is right."""
        return await self.of(person.id).check_proof(person, asking, told, now)

    async def shown(self, person: User, askings: Sequence[Asking], now: datetime) -> list[Handover]:
        """Give what a person's devices show now: nothing that a desk could know."""
        return []

    async def flag(self, user: User, reason: str, now: datetime) -> None:
        """Mark the user as suspicious."""
        await self.of(user.id).flag(user, reason, now)
