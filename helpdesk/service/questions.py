"""What a local desk can be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec.structs import replace

from helpdesk.connectors.base import Connector, Sender
from helpdesk.domain.actions import ACTIONS, AnyAction
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.audit import LOOK, LogRow
from helpdesk.domain.cases import Case, Preview, Weighed, masked
from helpdesk.domain.challenges import ChallengeLine, challenge_lines
from helpdesk.domain.diagnosis.fleet import FleetFindings
from helpdesk.domain.diagnosis.verdicts import CallerSaid, RankedCause, Verdict
from helpdesk.domain.gate import Answer
from helpdesk.domain.policies import decide
from helpdesk.domain.previews import preview
from helpdesk.domain.products import Product
from helpdesk.domain.search import ChallengeRow, LoopRow, Page, Query, TicketRow, UserRow, matches
from helpdesk.domain.text import folded, mask
from helpdesk.domain.tickets import Complaint
from helpdesk.service import index
from helpdesk.service.diagnosing import Diagnosing
from helpdesk.service.keeping import Keeping
from helpdesk.service.once import Once
from helpdesk.service.recording import Recorder, Signs, Witness
from helpdesk.service.telling import Telling
from helpdesk.service.view import View
from helpdesk.stores.base import Store

RECENT = timedelta(hours=24)
"""How far back *recent* challenges go."""

T = TypeVar("T")
R = TypeVar("R")


class Questions:
    """The half of a local desk that changes nothing."""

    def __init__(  # noqa: PLR0913  (the parts of a desk, each by its name)
        self,
        *,
        agent: Agent,
        cards: Mapping[str, Product],
        connector: Connector,
        store: Store,
        clock: Callable[[], datetime],
        label: str,
        is_demo: bool,
        keys: Signs,
        witness: Witness,
        sender: Sender | None = None,
        contact: str = "",
    ) -> None:
        self.agent, self.cards, self.label, self.is_demo = agent, cards, label, is_demo
        self._view = View(agent, cards, connector, store, clock)
        self._diagnosing = Diagnosing(self._view)
        self._recorder = Recorder(agent, store, clock, keys, witness)
        self._changing = asyncio.Lock()
        self._once = Once(agent.id, store, clock)
        self._telling_all = Telling(store, clock, self._changing, sender, contact)
        self._keeping = Keeping(store, self._recorder, self._changing, self._telling_all)

    @property
    def alarm(self) -> str:
        """What is wrong with the desk's own log; empty where nothing is."""
        return self._recorder.alarm or self._keeping.alarm

    def watch(self) -> None:
        """Hold the log against what this console saw before; blocking."""
        self._recorder.watch()

    async def settle(self) -> None:
        """Write down all that was asked and done; letters go on being sent beside it."""
        await self._keeping.settle()

    def close(self) -> None:
        """End the desk: as `settle`, and try what letters are due; blocking, outside any loop."""
        self._keeping.close()

    async def find(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[UserRow]:
        """Give the users that match, in the query's order."""
        now = await self._now()
        found = [e for e in self._view.entries.values() if index.is_found(e, query, now)]
        rows = index.ordered(found, query, now)
        return window(rows, offset, limit, lambda entry: index.row_of(entry, now))

    async def queue(self, *, offset: int = 0, limit: int = 100) -> Page[UserRow]:
        """Give the users this agent should look at, the hottest first."""
        now = await self._now()
        found = [e for e in self._view.entries.values() if _is_for(self.agent, e, now)]
        found.sort(key=lambda e: (not _has(self.agent, e), *index.heat(e, now)))
        return window(found, offset, limit, lambda entry: index.row_of(entry, now))

    async def case(self, user: str) -> Case:
        """Give everything about one user, masked, with the answer to every act."""
        now = await self._now()
        found = self._view.user(user)
        self._keeping.look(found.id, now)
        return await self._shown(found.id)

    async def challenges(
        self, query: Query, *, offset: int = 0, limit: int = 100
    ) -> Page[ChallengeRow]:
        """Give the challenges of the last day, newest first."""
        now = await self._now()
        whom = replace(query, channel=None)  # here it is the code's way, not the user's factors
        users = [
            e.user.id
            for e in self._view.entries.values()
            if e.user.seen_at and now - e.user.seen_at <= RECENT and index.is_found(e, whom, now)
        ]
        timelines = await self._view.connector.timelines(users)
        lines = [
            line
            for user, timeline in timelines.items()
            for line in challenge_lines(user, timeline, now)
            if now - line.at <= RECENT and _went(line, query)
        ]
        lines.sort(key=lambda line: line.at, reverse=True)
        whose = self._view.whose
        return window(
            lines, offset, limit, lambda one: ChallengeRow(line=_masked(one), **whose(one.user))
        )

    async def loops(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[LoopRow]:
        """Give open loop reports with their cause: hostile first, then the worst, the newest."""
        now = await self._now()
        entries = self._view.entries
        reports = [r for r in self._view.store.loops if r.closed_at is None]
        found = [r for r in reports if self._is_found(r.user, query, now)]
        tops = {r.user: (await self._diagnosing.of(entries[r.user].user)).top for r in found}
        found.sort(key=lambda r: (not _is_hostile(tops[r.user]), -r.rounds, now - r.at))
        return window(
            found,
            offset,
            limit,
            lambda r: LoopRow(
                report=r,
                ticket=entries[r.user].ticket,
                cause=tops[r.user],
                **self._view.whose(r.user),
            ),
        )

    async def tickets(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[TicketRow]:
        """Give open tickets: own first, then unassigned, oldest first."""
        now = await self._now()
        tickets = [t for t in self._view.store.tickets if t.is_open]
        found = [t for t in tickets if self._is_found(t.user, query, now)]
        found.sort(key=lambda t: (t.agent != self.agent.id, t.agent is not None, t.opened_at))
        whose = self._view.whose
        return window(found, offset, limit, lambda t: TicketRow(ticket=t, **whose(t.user)))

    async def log(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[LogRow]:
        """Give what agents did, newest first."""
        await self._now()
        rows = reversed(self._view.store.log)
        found = [
            row
            for row in rows
            if (row.act != LOOK or LOOK in query.words) and self._is_logged(row, query)
        ]
        return window(found, offset, limit, lambda row: row)

    async def why(self, user: str, said: Sequence[CallerSaid] = ()) -> Verdict:
        """Give the verdict on one user, with what the caller said."""
        await self._now()
        return await self._diagnosing.of(self._view.user(user), said)

    async def fleet(self) -> FleetFindings:
        """Give what many users share in these minutes."""
        await self._now()
        return await self._diagnosing.fleet()

    async def weigh(self, action: AnyAction) -> Weighed:
        """Give the policy's answer to an action and what it would do."""
        now = await self._now()
        user = self._view.anybody(action.user)
        card, case = self._view.card(user), await self._view.whole(user)
        answer = await self._weighed(action, card, case, now)
        if user.id not in self._view.entries:
            return Weighed(decision=answer.decision, preview=Preview())
        return Weighed(
            decision=answer.decision, preview=preview(action, card, case, self._view.store.outbox)
        )

    async def _weighed(self, action: AnyAction, card: Product, case: Case, now: datetime) -> Answer:
        """Hold an action against the policy."""
        return Answer(decision=decide(self.agent, action, card, case, now))

    async def _now(self) -> datetime:
        """Bring the view up to date and give the time."""
        await self._view.refresh()
        return self._view.clock()

    async def _shown(self, name: str, *, is_masked: bool = True) -> Case:
        user = self._view.user(name)
        case, card = await self._view.whole(user), self._view.card(user)
        decisions = [
            (await self._weighed(kind(user=user.id), card, case, case.at)).decision
            for kind in ACTIONS.values()
        ]
        case = replace(case, decisions=tuple(decisions))
        return masked(case) if is_masked else case

    def _is_found(self, user: str, query: Query, now: datetime) -> bool:
        entry = self._view.entries.get(user)
        return entry is not None and index.is_found(entry, query, now)

    def _is_logged(self, row: LogRow, query: Query) -> bool:
        entry = self._view.entries.get(row.user)
        if entry is None and self.agent.account is not None:
            return False
        if query.product and (entry is None or entry.user.product not in query.product):
            return False
        name = entry.user.name if entry else ""
        parts = (row.agent, row.role, row.act, row.user, row.ticket, row.reason, row.result, name)
        return matches("\n".join(map(folded, parts)), row.ticket, query.words)


def window(found: Sequence[T], offset: int, limit: int, row: Callable[[T], R]) -> Page[R]:
    """Return the rows of a list from *offset* on, at most *limit* of them."""
    rows = tuple(map(row, found[offset : offset + limit]))
    return Page(total=len(found), offset=offset, rows=rows)


def _went(line: ChallengeLine, query: Query) -> bool:
    """Whether a challenge went the way, and to the end, that the query asks for."""
    ways = {line.channel, line.factor}
    return (query.channel is None or query.channel.value in ways) and query.went in {
        None,
        line.state,
    }


def _masked(line: ChallengeLine) -> ChallengeLine:
    """The line with its destination masked, also where the log did not."""
    return replace(line, to=mask(line.to)) if line.to else line


def _is_hostile(cause: RankedCause | None) -> bool:
    return cause is not None and cause.group == "F"


def _has(agent: Agent, entry: index.Entry) -> bool:
    return entry.ticket is not None and entry.ticket.agent == agent.id


def _is_for(agent: Agent, entry: index.Entry, now: datetime) -> bool:
    """Whether a user is in an agent's queue.

    An account manager's holds the turn-off requests, and those whose day without MFA is over.
    """
    ticket = entry.ticket
    if agent.role is Role.ACCOUNT_MANAGER and index.is_due(entry.user, now):
        return True
    if ticket is None or ticket.agent not in {None, agent.id}:
        return False
    return agent.role is not Role.ACCOUNT_MANAGER or ticket.complaint is Complaint.TURN_OFF
