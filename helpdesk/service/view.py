"""What an agent may see of connector and store, kept up to date."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import cast

from helpdesk.connectors.base import Connector
from helpdesk.domain.agents import Agent
from helpdesk.domain.alike import Double
from helpdesk.domain.approvals import ASKED_FOR, HOLDS_FOR, Approval
from helpdesk.domain.audit import DISOWNED
from helpdesk.domain.cases import DOUBLES, Case, Person
from helpdesk.domain.challenges import challenge_lines
from helpdesk.domain.codes import code_clock
from helpdesk.domain.entries import Entry
from helpdesk.domain.errors import NotFound
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import PROOF_LIFE, Asking, Proof
from helpdesk.domain.text import clean
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.domain.timeline import AnyEvent, Report
from helpdesk.domain.users import Account, User
from helpdesk.service.ages import Ages
from helpdesk.service.still import Still
from helpdesk.stores.base import Directory, Store


class View:
    """The users an agent may see, and the case of each.

    Whoever administers one account has no business with the people of another.

    Attributes:
        mark: Another with every change that was taken in; None before the first.
        ages: How long what lives for a while only has been known here.
    """

    def __init__(
        self,
        agent: Agent,
        cards: Mapping[str, Product],
        connector: Connector,
        store: Store,
        directory: Directory,
        clock: Callable[[], datetime],
        ages: Ages | None = None,
    ) -> None:
        self.ages = ages or Ages(lambda: clock().timestamp())
        self.agent, self.cards, self.clock = agent, cards, clock
        stands = connector if connector.takes_part else cast(Connector, Still(connector))
        self.connector, self.store, self.directory = stands, store, directory
        self.mark: tuple[int, int, int] | None = None

    async def refresh(self) -> None:
        """Take in what changed, here or elsewhere."""
        self.mark = (
            await self.connector.refresh(),
            await self.store.refresh(),
            await self.directory.refresh(),
        )

    async def entries(self, users: Sequence[str]) -> Mapping[str, Entry]:
        """Give the entries of those of these users whom this agent may see."""
        found = await self.directory.entries(users)
        return {user: entry for user, entry in found.items() if self.sees(entry)}

    async def entry(self, user: str) -> Entry | None:
        """Give the entry of a user by id; None where this agent sees none."""
        return (await self.entries([user])).get(user)

    def sees(self, entry: Entry) -> bool:
        """Whether this agent may see a user."""
        return self.agent.account in {None, entry.user.account}

    async def user(self, name: str) -> User:
        """Give a user by id or login.

        Raises:
            NotFound: There is none, or several have that login, or this agent may not see them.
        """
        entry = await self.entry(name)
        if entry is not None:
            return entry.user
        found = [entry for entry in await self.directory.named(name) if self.sees(entry)]
        if len(found) == 1:
            return found[0].user
        if await self.directory.entries([name]):
            raise NotFound(f"User {clean(name)} is not of the account you administer.")
        raise NotFound(f"There is no user {clean(name)} here. Try: helpdesk find {clean(name)}")

    async def anybody(self, name: str) -> User:
        """Give a user by id or login, seen or not: the policy says why one may not act on them."""
        found = await self.directory.entries([name])
        return found[name].user if found else await self.user(name)

    def card(self, user: User) -> Product:
        """Give the card of a user's product.

        Raises:
            NotFound: The product has none.
        """
        if user.product not in self.cards:
            product = clean(user.product)
            raise NotFound(f"User {clean(user.id)} is of the product {product}, which has no card.")
        return self.cards[user.product]

    async def timeline(self, user: str) -> tuple[AnyEvent, ...]:
        """Give what happened to a user, oldest first, with what they told this desk itself.

        That they said on their own device that it is not they is in no provider's log at once.
        """
        told = await self.connector.timeline(user)
        rows = await self.store.rows(user=user, acts=(DISOWNED,))
        if not rows:
            return told
        said = [
            Report(
                at=row.at,
                id=f"desk-{row.seq}",
                what="not-me",
                factor="push",
                detail="asked by this desk",
            )
            for row in rows
        ]
        return tuple(sorted((*told, *said), key=lambda event: event.at))

    async def whole(self, user: User) -> Case:
        """Give the case of a user, not masked, without decisions."""
        now, store = self.clock(), self.store
        timeline = await self.timeline(user.id)
        account = await self.connector.account(user.account) or Account(
            id=user.account, name=user.account, product=user.product
        )
        people = await self.connector.people(account.administrators)
        rows = await store.rows(user=user.id, looks=False)
        return Case(
            at=now,
            user=user,
            account=account,
            administrators=tuple(Person(id=p.id, name=p.name) for p in people.values()),
            manager=next((a for a in store.agents if a.id == account.manager), None),
            timeline=timeline,
            codes=code_clock(self.card(user), timeline, now),
            challenges=tuple(challenge_lines(user.id, timeline, now)),
            tickets=tuple(await store.select(Ticket, user=user.id)),
            loops=tuple(await store.select(LoopReport, user=user.id)),
            log=tuple(reversed(rows)),
            proofs=await self._proofs(user, now),
            lacks=(await self.connector.supports(user)).lacks,
            doubles=await self._doubles(user),
        )

    async def reckon(self, now: datetime) -> None:
        """Take note of all that lives for a while only, so that its time runs from now on."""
        for proof in await self.store.select(Proof, since=now - PROOF_LIFE):
            self.is_proven(proof, now)
        for asking in await self.store.select(Asking, since=now - PROOF_LIFE):
            self.is_open(asking, now)
        for one in await self.store.select(Approval, since=now - ASKED_FOR - HOLDS_FOR):
            self.is_asked(one, now)
            self.is_agreed(one, now)

    def is_open(self, asking: Asking, now: datetime) -> bool:
        """Whether a caller who was asked may still answer, by both clocks."""
        reckoned = self.ages.reckoned(f"{asking.id} asked", now, asking.at)
        return asking.is_open(now) and asking.is_open(reckoned)

    def is_proven(self, proof: Proof, now: datetime) -> bool:
        """Whether a proof may still be used, by both clocks."""
        reckoned = self.ages.reckoned(proof.id, now, proof.at)
        return proof.is_fresh(now) and proof.is_fresh(reckoned)

    def is_asked(self, approval: Approval, now: datetime) -> bool:
        """Whether a request still waits for its answer, by both clocks."""
        reckoned = self.ages.reckoned(approval.id, now, approval.asked_at)
        return approval.is_open(now) and approval.is_open(reckoned)

    def is_agreed(self, approval: Approval, now: datetime) -> bool:
        """Whether a request was granted and may still be carried out, by both clocks."""
        if approval.decided_at is None:
            return False
        reckoned = self.ages.reckoned(f"{approval.id} granted", now, approval.decided_at)
        return approval.holds(now) and approval.holds(reckoned)

    async def _doubles(self, user: User) -> tuple[Double, ...]:
        """Those of whom this agent may see who could be taken for this user."""
        found = await self.directory.doubles(user, account=self.agent.account, limit=DOUBLES)
        return tuple(
            Double(
                id=entry.user.id,
                name=entry.user.name,
                login=entry.user.login,
                product=entry.user.product,
                account=entry.account,
            )
            for entry in found
        )

    async def _proofs(self, user: User, now: datetime) -> tuple[Proof, ...]:
        """The proofs that this agent may act on, or that what a second person is asked rests on."""
        asked = {
            proof
            for one in await self.store.select(Approval, user=user.id)
            if self.is_asked(one, now) or self.is_agreed(one, now)
            for proof in one.proofs
        }
        return tuple(
            proof
            for proof in await self.store.select(Proof, user=user.id)
            if proof.id in asked or (proof.agent == self.agent.id and self.is_proven(proof, now))
        )


def whose(entry: Entry) -> dict[str, str]:
    """Return name, product and account of a user, for the line of a list."""
    return {"name": entry.user.name, "product": entry.user.product, "account": entry.account}
