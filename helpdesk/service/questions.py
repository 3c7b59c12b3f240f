"""What a local desk can be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from msgspec.structs import replace

from helpdesk.connectors.base import Connector, Sender
from helpdesk.domain import entries
from helpdesk.domain.actions import ACTIONS, AnyAction
from helpdesk.domain.agents import Agent
from helpdesk.domain.audit import LogRow, Result
from helpdesk.domain.cases import Case, Preview, Weighed, masked
from helpdesk.domain.challenges import ChallengeLine, challenge_lines
from helpdesk.domain.decisions import Decision, Need, Weight
from helpdesk.domain.diagnosis.fleet import FleetFindings
from helpdesk.domain.diagnosis.verdicts import CallerSaid, Verdict
from helpdesk.domain.errors import NeedsMore, NotFound
from helpdesk.domain.gate import Answer, Standing
from helpdesk.domain.notices import Notice
from helpdesk.domain.originals import Original, original, without_row
from helpdesk.domain.policies import decide
from helpdesk.domain.previews import preview
from helpdesk.domain.products import Product
from helpdesk.domain.search import ChallengeRow, LoopRow, Page, Query, TicketRow, UserRow
from helpdesk.domain.text import clean, mask
from helpdesk.domain.timeline import Other
from helpdesk.domain.users import User
from helpdesk.service.ages import Ages
from helpdesk.service.diagnosing import Diagnosing, Found
from helpdesk.service.keeping import Keeping
from helpdesk.service.once import Once
from helpdesk.service.recording import Recorder, Signs
from helpdesk.service.telling import Telling
from helpdesk.service.ticketing import OwnTickets, Ticketing, Tickets
from helpdesk.service.view import View, whose
from helpdesk.service.witness import Watched, Witness
from helpdesk.stores.base import Directory, Lull, Lulls, Store, no_lull

RECENT = timedelta(hours=24)
"""How far back *recent* challenges go."""

REVEALED = timedelta(minutes=15)
"""How long after a reveal an agent may see what the provider wrote, not masked."""

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
        directory: Directory,
        clock: Callable[[], datetime],
        label: str,
        is_demo: bool,
        keys: Signs,
        witness: Witness,
        watched: Watched | None = None,
        keeping: Keeping | None = None,
        found: Found | None = None,
        sender: Sender | None = None,
        contact: str = "",
        ticketing: Ticketing | None = None,
        ages: Ages | None = None,
        lulls: Lulls = no_lull,
    ) -> None:
        self.agent, self.cards, self.label, self.is_demo = agent, cards, label, is_demo
        self._view = View(agent, cards, connector, store, directory, clock, ages)
        self._ticketing, self._lulls = ticketing, lulls
        self._tickets: Tickets = ticketing or OwnTickets(store)
        self._diagnosing = Diagnosing(self._view, found)
        self._recorder = Recorder(agent, store, clock, keys, witness, watched)
        self._changing = asyncio.Lock()
        self._once = Once(agent.id, store, clock)
        self._telling_all = Telling(store, clock, self._changing, sender, contact)
        self._keeping = keeping or Keeping(store, self._recorder, self._changing, self._telling_all)

    @property
    def alarm(self) -> str:
        """What is wrong with the desk's own log; empty where nothing is."""
        recorder = self._recorder
        return recorder.alarm or recorder.unkept or self._keeping.alarm(self.agent)

    async def watch(self) -> None:
        """Hold the log against what this console saw before."""
        await self._recorder.watch()

    async def settle(self) -> None:
        """Write down all that was asked and done; letters go on being sent beside it."""
        await self._keeping.settle()

    async def aclose(self) -> None:
        """End the desk in the loop it was used in: as `settle`, and try what letters are due."""
        await self._keeping.aclose()

    def close(self) -> None:
        """As `aclose`, after that loop has ended; blocking.

        Raises:
            RuntimeError: That loop still runs.
        """
        self._keeping.close()

    async def find(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[UserRow]:
        """Give the users that match, in the query's order."""
        async with self._lulls() as lull:
            now, account = await self._now(), self.agent.account
            what = ("find", query, offset, limit, account)  # the same for all who may see these
            known: Page[UserRow] | None = lull.answer(what, now)
            if known is not None:
                return known
            found = await self._view.directory.find(
                query, now, account=account, offset=offset, limit=limit
            )
            until = await lull.still(now)
            page = _people(found, offset, now, lull, until)
            page = self._paged(page, clean(self._view.directory.says))
            return lull.answered(what, now, page, until)

    async def queue(self, *, offset: int = 0, limit: int = 100) -> Page[UserRow]:
        """Give the users this agent should look at, the hottest first."""
        async with self._lulls() as lull:
            now = await self._now()
            what = (self, "queue", offset, limit, self._tickets_say)
            known: Page[UserRow] | None = lull.answer(what, now)
            if known is not None:
                return known
            found = await self._view.directory.queue(self.agent, now, offset=offset, limit=limit)
            until = await lull.still(now)
            page = self._paged(_people(found, offset, now, lull, until), self._tickets_say)
            return lull.answered(what, now, page, until)

    def _paged(self, page: Page[T], says: str = "") -> Page[T]:
        """Return a page of the directory with why there may be more than it says."""
        most = self._view.directory.counts_to
        return replace(page, says=says, is_capped=0 < most <= page.total)

    async def case(self, user: str) -> Case:
        """Give everything about one user, masked, with the answer to every act."""
        async with self._lulls() as lull:
            now = await self._now()
            await lull.ahead(user, account=self.agent.account)
            found = await self._view.user(user)
            self._keeping.look(self.agent, found.id, now)
            what = (self, "case", found.id)
            known: Case | None = lull.answer(what, now)
            return known or lull.answered(what, now, await self._shown(found.id))

    async def original(self, user: str, event: str, *, is_clear: bool = False) -> Original:
        """Give an event of a user as its provider told it, masked unless it was revealed."""
        now = await self._now()
        found = await self._view.user(user)
        self._keeping.look(self.agent, found.id, now)
        timeline = await self._view.timeline(found.id)
        one = next((one for one in timeline if one.id == event), None)
        if one is None:
            of = clean(found.id)
            raise NotFound(f"The timeline of user {of} has no event {clean(event, limit=100)}.")
        if is_clear and not await self._has_revealed(found.id, now):
            minutes = int(REVEALED.total_seconds() // 60)
            need = Need(
                what="reveal",
                says=f"Reveal the case first: what was revealed is seen for {minutes} minutes.",
            )
            raise NeedsMore(Decision(act="reveal", weight=Weight.NEEDS, needs=(need,)))
        provider = (await self._view.connector.supports(found)).provider
        return original(one, provider, found, is_masked=not is_clear)

    async def _has_revealed(self, user: str, now: datetime) -> bool:
        """Whether this agent revealed a user a little while ago, which the log tells."""
        rows = await self._view.store.rows(
            user=user, agent=self.agent.id, acts=("reveal",), since=now - REVEALED
        )
        return any(row.result is Result.DONE for row in rows)

    async def challenges(
        self, query: Query, *, offset: int = 0, limit: int = 100
    ) -> Page[ChallengeRow]:
        """Give the challenges of the last day, newest first."""
        now = await self._now()
        whom = replace(query, channel=None)  # here it is the code's way, not the user's factors
        seen = await self._view.directory.seen(now - RECENT, account=self.agent.account)
        users = {e.user.id: e for e in seen if entries.is_found(e, whom, now)}
        timelines = await self._view.connector.timelines([*users])
        lines = [
            line
            for user in users  # in their order, in which timelines come only where none is kept
            if user in timelines
            for line in challenge_lines(user, timelines[user], now)
            if now - line.at <= RECENT and _went(line, query)
        ]
        lines.sort(key=lambda line: line.at, reverse=True)
        return window(
            lines,
            offset,
            limit,
            lambda one: ChallengeRow(line=_masked(one), **whose(users[one.user])),
        )

    async def loops(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[LoopRow]:
        """Give open loop reports with their cause: hostile first, then the worst, the newest."""
        async with self._lulls():
            now = await self._now()
            listing = partial(self._view.directory.loops, query, now, account=self.agent.account)
            total, found, tops = await self._diagnosing.listed(listing, offset, limit)
            rows = (
                LoopRow(report=one, ticket=of.ticket, cause=tops[one.user], **whose(of))
                for one, of in found
            )
            return self._paged(Page(total=total, offset=offset, rows=tuple(rows)))

    async def tickets(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[TicketRow]:
        """Give open tickets: own first, then unassigned, oldest first."""
        async with self._lulls() as lull:
            now = await self._now()
            what = (self, "tickets", query, offset, limit, self._tickets_say)
            known: Page[TicketRow] | None = lull.answer(what, now)
            if known is not None:
                return known
            total, found = await self._view.directory.tickets(
                self.agent, query, now, offset=offset, limit=limit
            )
            rows = tuple(TicketRow(ticket=one, **whose(of)) for one, of in found)
            page = self._paged(Page(total=total, offset=offset, rows=rows), self._tickets_say)
            return lull.answered(what, now, page, await lull.still(now))

    async def log(self, query: Query, *, offset: int = 0, limit: int = 100) -> Page[LogRow]:
        """Give what agents did, newest first."""
        async with self._lulls() as lull:
            now, what = await self._now(), ("log", query, offset, limit, self.agent.account)
            known: Page[LogRow] | None = lull.answer(what, now)
            if known is not None:
                return known
            total, rows = await self._view.directory.logged(
                query, account=self.agent.account, offset=offset, limit=limit
            )
            return lull.answered(what, now, Page(total=total, offset=offset, rows=tuple(rows)))

    async def why(self, user: str, said: Sequence[CallerSaid] = ()) -> Verdict:
        """Give the verdict on one user, with what the caller said."""
        async with self._lulls() as lull:
            await self._now()
            await lull.ahead(user, account=self.agent.account)
            return await self._diagnosing.of(await self._view.user(user), said)

    async def fleet(self) -> FleetFindings:
        """Give what many users share in these minutes; of users who are not seen here, only that.

        A finding is made of everybody, and counts everybody; it names those this agent may see.
        """
        await self._now()
        found = (await self._diagnosing.fleet()).findings
        mine = await self._view.entries([user for one in found for user in one.users])
        shown = [
            replace(one, users=tuple(user for user in one.users if user in mine)) for one in found
        ]
        return FleetFindings(findings=tuple(one for one in shown if one.users))

    async def weigh(self, action: AnyAction) -> Weighed:
        """Give the policy's answer to an action and what it would do."""
        async with self._lulls() as lull:
            now = await self._now()
            await lull.ahead(action.user, account=self.agent.account)
            user = await self._view.anybody(action.user)
            card, case = self._view.card(user), await self._view.whole(user)
            answer = self._weighed(action, card, case, await self._standing(user), now)
            if await self._view.entry(user.id) is None:
                return Weighed(decision=answer.decision, preview=Preview())
            told = await self._view.store.select(Notice, user=user.id)
            # A refusal says itself why; what is only of no use is said beside what it would do.
            verdict = None if answer.decision.is_refused else await self._diagnosing.of(user)
            shown = preview(action, card, case, told, verdict)
            return Weighed(decision=answer.decision, preview=shown)

    async def _standing(self, user: User) -> Standing:
        """Give what an action is weighed by beside the case."""
        return Standing()

    def _weighed(
        self, action: AnyAction, card: Product, case: Case, standing: Standing, now: datetime
    ) -> Answer:
        """Hold an action against the policy."""
        return Answer(decision=decide(self.agent, action, card, case, now))

    async def _now(self) -> datetime:
        """Bring the view up to date and give the time."""
        await self._view.refresh()
        return self._view.clock()

    @property
    def _tickets_say(self) -> str:
        """What one must know of the ticket system; who works for one customer is told nothing."""
        is_ours = self.agent.account is None
        return self._ticketing.says if self._ticketing is not None and is_ours else ""

    async def _take_in_tickets(self) -> None:
        """Write down what changed in the ticket system; a change under way is not waited for."""
        if self._ticketing is None or self._changing.locked():
            return
        found = await self._ticketing.look()
        if not found:
            return
        async with self._changing, self._recorder.transaction():
            for ticket in found:
                await self._view.store.keep(ticket)
        await self._view.refresh()

    async def _freshen(self, ticket: str) -> None:
        """Write down how the ticket that an act names is at this moment, before it is weighed.

        Raises:
            Unreachable: The ticket system does not answer.
        """
        if self._ticketing is None or not ticket:
            return
        await self._view.refresh()
        found = await self._ticketing.fresh(ticket)
        if found is not None:
            async with self._changing, self._recorder.transaction():
                await self._view.store.keep(found)

    async def _shown(self, name: str, *, is_masked: bool = True) -> Case:
        user = await self._view.user(name)
        case = await self._view.whole(user)
        return self._decided(case, await self._standing(user), is_masked=is_masked)

    def _decided(self, case: Case, standing: Standing, *, is_masked: bool = True) -> Case:
        """Return a whole case as it is shown, with the answer to every act."""
        card = self._view.card(case.user)
        decisions = [
            self._weighed(kind(user=case.user.id), card, case, standing, case.at).decision
            for kind in ACTIONS.values()
        ]
        events: Sequence[Any] = case.timeline
        timeline = tuple(
            without_row(event) if type(event) is Other or event.extra else event for event in events
        )
        case = replace(case, decisions=tuple(decisions), timeline=timeline)
        return masked(case) if is_masked else case


def _people(
    found: tuple[int, Sequence[entries.Entry]],
    offset: int,
    now: datetime,
    lull: Lull,
    until: datetime | None,
) -> Page[UserRow]:
    """Return a page of lines; that of a user is the same in every list of one moment."""
    total, window = found
    known: dict[str, UserRow] | None = lull.answer(UserRow, now)
    if known is None:
        known = lull.answered(UserRow, now, {}, until)
    for entry in window:
        if entry.user.id not in known:
            known[entry.user.id] = entries.row_of(entry, now)
    rows = tuple(known[entry.user.id] for entry in window)
    return Page(total=total, offset=offset, rows=rows)


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
