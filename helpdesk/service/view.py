"""What an agent may see of connector and store, kept up to date."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from helpdesk.connectors.base import Connector
from helpdesk.domain.agents import Agent
from helpdesk.domain.audit import LOOK
from helpdesk.domain.cases import Case, Person
from helpdesk.domain.challenges import challenge_lines
from helpdesk.domain.codes import code_clock
from helpdesk.domain.errors import NotFound
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import Proof
from helpdesk.domain.text import clean
from helpdesk.domain.users import Account, User
from helpdesk.service import index
from helpdesk.stores.base import Store


class View:
    """The users an agent may see, folded for the search, and the case of each.

    Attributes:
        entries: By user id, in the provider's order; an administrator of one account sees that
            one only.
        generation: Grows with every change that was taken in.
    """

    def __init__(
        self,
        agent: Agent,
        cards: Mapping[str, Product],
        connector: Connector,
        store: Store,
        clock: Callable[[], datetime],
    ) -> None:
        self.agent, self.cards, self.clock = agent, cards, clock
        self.connector, self.store = connector, store
        self.entries: dict[str, index.Entry] = {}
        self.generation = 0
        self._seen = (-1, -1)

    async def refresh(self) -> None:
        """Take in what changed, here or elsewhere."""
        seen = (await self.connector.refresh(), await self.store.refresh())
        if seen != self._seen:
            users = self.connector.users.values()
            # Whoever administers one account has no business with the people of another.
            mine = [user for user in users if self.agent.account in {None, user.account}]
            store = self.store
            self.entries = index.build(mine, self.connector.accounts, store.tickets, store.loops)
            self._seen = seen
            self.generation += 1

    def user(self, name: str) -> User:
        """Give a user by id or login.

        Raises:
            NotFound: There is none, or several have that login, or this agent may not see them.
        """
        if name in self.entries:
            return self.entries[name].user
        wanted = name.casefold()
        found = [e.user for e in self.entries.values() if e.user.login.casefold() == wanted]
        if len(found) == 1:
            return found[0]
        if name in self.connector.users:
            raise NotFound(f"User {clean(name)} is not of the account you administer.")
        raise NotFound(f"There is no user {clean(name)} here. Try: helpdesk find {clean(name)}")

    def anybody(self, name: str) -> User:
        """Give a user by id or login, seen or not: the policy says why one may not act on them."""
        return self.connector.users.get(name) or self.user(name)

    def card(self, user: User) -> Product:
        """Give the card of a user's product.

        Raises:
            NotFound: The product has none.
        """
        if user.product not in self.cards:
            product = clean(user.product)
            raise NotFound(f"User {clean(user.id)} is of the product {product}, which has no card.")
        return self.cards[user.product]

    def whose(self, user: str) -> dict[str, str]:
        """Give name, product and account of a user, for the line of a list."""
        entry = self.entries[user]
        return {"name": entry.user.name, "product": entry.user.product, "account": entry.account}

    async def whole(self, user: User) -> Case:
        """Give the case of a user, not masked, without decisions."""
        now = self.clock()
        timeline = await self.connector.timeline(user.id)
        account = self.connector.accounts.get(user.account) or Account(
            id=user.account, name=user.account, product=user.product
        )
        people = (self.connector.users.get(person) for person in account.administrators)
        return Case(
            at=now,
            user=user,
            account=account,
            administrators=tuple(Person(id=p.id, name=p.name) for p in people if p),
            manager=next((a for a in self.store.agents if a.id == account.manager), None),
            timeline=timeline,
            codes=code_clock(self.card(user), timeline, now),
            challenges=tuple(challenge_lines(user.id, timeline, now)),
            tickets=tuple(t for t in self.store.tickets if t.user == user.id),
            loops=tuple(r for r in self.store.loops if r.user == user.id),
            log=tuple(
                row for row in reversed(self.store.log) if row.user == user.id and row.act != LOOK
            ),
            proofs=self._proofs(user, now),
        )

    def _proofs(self, user: User, now: datetime) -> tuple[Proof, ...]:
        """The proofs that this agent may act on, or that what a second person is asked rests on."""
        asked = {
            proof
            for one in self.store.approvals
            if one.user == user.id and (one.is_open(now) or one.holds(now))
            for proof in one.proofs
        }
        return tuple(
            proof
            for proof in self.store.proofs
            if proof.user == user.id
            and (proof.id in asked or (proof.agent == self.agent.id and proof.is_fresh(now)))
        )
