"""The desk on this machine: weigh, carry out, record, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec.structs import replace

from helpdesk.connectors.base import Connector
from helpdesk.domain.actions import AnyAction, Reveal
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.audit import LogRow, Result
from helpdesk.domain.cases import Case, Outcome, Person, Weighed, masked
from helpdesk.domain.challenges import challenge_lines
from helpdesk.domain.codes import code_clock
from helpdesk.domain.decisions import Decision
from helpdesk.domain.errors import HelpdeskError, NeedsMore, NotFound, Refused
from helpdesk.domain.policies import decide, decide_all, factor_of
from helpdesk.domain.previews import preview
from helpdesk.domain.products import Product
from helpdesk.domain.search import ChallengeRow, LoopRow, Page, Query, TicketRow, UserRow, matches
from helpdesk.domain.text import clean, folded
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.users import Account, User
from helpdesk.service import index
from helpdesk.service.steps import STEPS, Done, Parts
from helpdesk.stores.base import Store

RECENT = timedelta(hours=24)
"""How far back *recent* challenges go."""

T = TypeVar("T")
R = TypeVar("R")


class LocalDesk:
    """A `Desk` on a connector and a store of this process."""

    def __init__(
        self,
        *,
        agent: Agent,
        cards: Mapping[str, Product],
        connector: Connector,
        store: Store,
        clock: Callable[[], datetime],
        label: str,
        is_demo: bool,
    ) -> None:
        self.agent, self.cards, self.label, self.is_demo = agent, cards, label, is_demo
        self._connector, self._store, self._clock = connector, store, clock
        self._changing = asyncio.Lock()
        self._entries: dict[str, index.Entry] = {}
        self._generations = (-1, -1)

    async def find(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[UserRow]:
        """Give the users that match, in the query's order."""
        await self._refresh()
        now = self._clock()
        found = [e for e in self._entries.values() if index.is_found(e, query, now)]
        rows = index.ordered(found, query, now)
        return _window([*rows], offset, limit, lambda entry: index.row_of(entry, now))

    async def queue(self, *, offset: int = 0, limit: int = 100) -> Page[UserRow]:
        """Give the users this agent should look at, the hottest first."""
        await self._refresh()
        now = self._clock()
        mine = self.agent.role is Role.ACCOUNT_MANAGER
        found = [e for e in self._entries.values() if _is_for(self.agent, e, turn_off_only=mine)]
        found.sort(
            key=lambda e: (e.ticket is None or e.ticket.agent != self.agent.id, *index.heat(e, now))
        )
        return _window(found, offset, limit, lambda entry: index.row_of(entry, now))

    async def case(self, user: str) -> Case:
        """Give everything about one user, masked, with the answer to every act."""
        await self._refresh()
        self._see(user)
        return await self._shown(await self._whole(user), is_masked=True)

    async def challenges(
        self, query: Query, *, offset: int = 0, limit: int = 100
    ) -> Page[ChallengeRow]:
        """Give the challenges of the last day, newest first."""
        await self._refresh()
        now = self._clock()
        users = [
            e.user.id
            for e in self._entries.values()
            if e.user.seen_at and now - e.user.seen_at <= RECENT and index.is_found(e, query, now)
        ]
        timelines = await self._connector.timelines(users)
        lines = [
            line
            for user, timeline in timelines.items()
            for line in challenge_lines(user, timeline, now)
            if now - line.at <= RECENT
        ]
        lines.sort(key=lambda line: line.at, reverse=True)
        return _window(
            lines, offset, limit, lambda line: ChallengeRow(line=line, **self._who(line.user))
        )

    async def loops(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[LoopRow]:
        """Give open loop reports, worst first, then newest."""
        await self._refresh()
        now = self._clock()
        found = [
            r
            for r in self._store.loops
            if r.closed_at is None and self._is_found(r.user, query, now)
        ]
        found.sort(key=lambda report: (-report.rounds, now - report.at))
        return _window(
            found,
            offset,
            limit,
            lambda r: LoopRow(report=r, ticket=self._entries[r.user].ticket, **self._who(r.user)),
        )

    async def tickets(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[TicketRow]:
        """Give open tickets: own first, then unassigned, oldest first."""
        await self._refresh()
        now = self._clock()
        found = [t for t in self._store.tickets if t.is_open and self._is_found(t.user, query, now)]
        found.sort(key=lambda t: (t.agent != self.agent.id, t.agent is not None, t.opened_at))
        return _window(found, offset, limit, lambda t: TicketRow(ticket=t, **self._who(t.user)))

    async def log(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[LogRow]:
        """Give what agents did, newest first."""
        await self._refresh()
        found = [row for row in reversed(self._store.log) if self._is_logged(row, query)]
        return _window(found, offset, limit, lambda row: row)

    async def weigh(self, action: AnyAction) -> Weighed:
        """Give the policy's answer to an action and what it would do."""
        await self._refresh()
        case = await self._whole(action.user)
        card = self._card(case.user)
        decision = decide(self.agent, action, card, case, self._clock())
        return Weighed(decision=decision, preview=preview(action, card, case))

    async def perform(self, action: AnyAction) -> Outcome:
        """Weigh an action, carry it out, record it, and give the new case."""
        async with self._changing:
            try:
                done, decision = await self._change(action)
            except (Refused, NeedsMore, NotFound):
                raise
            except HelpdeskError as error:
                await self._record_failure(action, error)
                raise
        if decision.is_refused:
            raise Refused(decision)
        if done is None:
            raise NeedsMore(decision)
        await self._refresh()
        is_masked = not isinstance(action, Reveal)
        case = await self._shown(await self._whole(action.user), is_masked=is_masked)
        return Outcome(case=case, says=done.says, handover=done.handover)

    async def _change(self, action: AnyAction) -> tuple[Done | None, Decision]:
        """Weigh anew under the lock, carry out, record: all of it in one transaction."""
        async with self._store.transaction():
            await self._refresh(in_change=True)
            case = await self._whole(action.user)
            card, now = self._card(case.user), self._clock()
            decision = decide(self.agent, action, card, case, now)
            done = None
            if decision.is_allowed:
                parts = Parts(
                    connector=self._connector,
                    store=self._store,
                    card=card,
                    case=case,
                    agent=self.agent,
                    now=now,
                )
                done = await STEPS[type(action)](action, parts)
            await self._record(
                action, case.user.id, done.says if done else _said(decision), _result(decision)
            )
        return done, decision

    async def _record(self, action: AnyAction, user: str, says: str, result: Result) -> None:
        row = LogRow(
            seq=max((row.seq for row in self._store.log), default=0) + 1,
            at=self._clock(),
            agent=self.agent.id,
            role=self.agent.role,
            act=action.name,
            user=user,
            result=result,
            says=clean(says),
            reason=clean(action.reason),
            ticket=clean(action.ticket.lstrip("#")),
            factor=clean(factor_of(action)),
        )
        await self._store.record(row)

    async def _record_failure(self, action: AnyAction, error: HelpdeskError) -> None:
        """Keep that an act failed, after its own transaction was dropped.

        The failure itself comes first.
        """
        try:
            async with self._store.transaction():
                await self._refresh(in_change=True)
                await self._record(action, action.user, str(error), Result.FAILED)
        except HelpdeskError:
            return  # the file cannot be written at all; the first error says so

    async def _refresh(self, *, in_change: bool = False) -> None:
        """Take in what changed.

        While a change is under way only the change itself looks at the file.
        """
        if self._changing.locked() and not in_change and self._entries:
            return
        generations = (await self._connector.refresh(), await self._store.refresh())
        if generations != self._generations:
            users, accounts = self._connector.users.values(), self._connector.accounts
            # Whoever administers one account has no business with the people of another.
            seen = [u for u in users if self.agent.account in {None, u.account}]
            self._entries = index.build(seen, accounts, self._store.tickets, self._store.loops)
            self._generations = generations

    async def _whole(self, name: str) -> Case:
        """The case of a user by id or login, not masked, without decisions."""
        user = self._connector.users.get(name) or self._by_login(name)
        now = self._clock()
        timeline = await self._connector.timeline(user.id)
        account = self._connector.accounts.get(user.account) or Account(
            id=user.account, name=user.account, product=user.product
        )
        people = (self._connector.users.get(person) for person in account.administrators)
        return Case(
            at=now,
            user=user,
            account=account,
            administrators=tuple(Person(id=p.id, name=p.name) for p in people if p),
            manager=next((a for a in self._store.agents if a.id == account.manager), None),
            timeline=timeline,
            codes=code_clock(self._card(user), timeline, now),
            challenges=tuple(challenge_lines(user.id, timeline, now)),
            tickets=tuple(t for t in self._store.tickets if t.user == user.id),
            loops=tuple(r for r in self._store.loops if r.user == user.id),
            log=tuple(row for row in reversed(self._store.log) if row.user == user.id),
        )

    async def _shown(self, case: Case, *, is_masked: bool) -> Case:
        decisions = decide_all(self.agent, self._card(case.user), case, case.at)
        case = replace(case, decisions=decisions)
        return masked(case) if is_masked else case

    def _by_login(self, name: str) -> User:
        wanted = name.casefold()
        found = [e.user for e in self._entries.values() if e.user.login.casefold() == wanted]
        if len(found) != 1:
            raise NotFound(f"There is no user {clean(name)} here. Try: helpdesk find {clean(name)}")
        return found[0]

    def _see(self, name: str) -> None:
        """Make sure that this agent may see the user at all."""
        if name in self._connector.users and name not in self._entries:
            raise NotFound(f"User {clean(name)} is not of the account you administer.")

    def _card(self, user: User) -> Product:
        if user.product not in self.cards:
            product = clean(user.product)
            raise NotFound(f"User {clean(user.id)} is of the product {product}, which has no card.")
        return self.cards[user.product]

    def _who(self, user: str) -> dict[str, str]:
        entry = self._entries[user]
        return {"name": entry.user.name, "product": entry.user.product, "account": entry.account}

    def _is_found(self, user: str, query: Query, now: datetime) -> bool:
        return user in self._entries and index.is_found(self._entries[user], query, now)

    def _is_logged(self, row: LogRow, query: Query) -> bool:
        entry = self._entries.get(row.user)
        if entry is None and self.agent.account is not None:
            return False
        if query.product and (entry is None or entry.user.product not in query.product):
            return False
        name = entry.user.name if entry else ""
        parts = (row.agent, row.role, row.act, row.user, row.ticket, row.reason, row.result, name)
        return matches("\n".join(map(folded, parts)), row.ticket, query.words)


def _is_for(agent: Agent, entry: index.Entry, *, turn_off_only: bool) -> bool:
    ticket = entry.ticket
    if ticket is None or (ticket.agent is not None and ticket.agent != agent.id):
        return False
    return not turn_off_only or ticket.complaint is Complaint.TURN_OFF


def _result(decision: Decision) -> Result:
    if decision.is_allowed:
        return Result.DONE
    return Result.REFUSED if decision.is_refused else Result.NEEDS


def _said(decision: Decision) -> str:
    return decision.why if decision.is_refused else " ".join(need.says for need in decision.needs)


def _window(found: Sequence[T], offset: int, limit: int, row: Callable[[T], R]) -> Page[R]:
    return Page(
        total=len(found), offset=offset, rows=tuple(map(row, found[offset : offset + limit]))
    )
