"""What a database holds against what agents were told: nothing lost, doubled or half done."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from helpdesk.config import Config
from helpdesk.connectors.demo import DemoConnector
from helpdesk.domain.actions import Note, ResumeFactor, SuspendFactor
from helpdesk.domain.agents import Role
from helpdesk.domain.audit import LogRow, Result
from helpdesk.domain.notices import Notice
from helpdesk.domain.operations import Operation
from helpdesk.domain.tickets import Ticket
from helpdesk.domain.timeline import FactorChange
from helpdesk.domain.users import FactorState
from helpdesk.hosting import SqlDesks
from helpdesk.service.inspecting import inspected
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.documents import SqlDocuments
from helpdesk.stores.sql.record import SqlStore
from helpdesk.wiring import agent_named
from tests.reliability.people import SHARED, agents, customers
from tests.reliability.process import at_home
from tests.reliability.writing import Act, Ledger, Told

CHANGES = {"suspended": SuspendFactor, "resumed": ResumeFactor}
"""The changes at the provider, and the acts that leave them."""


@dataclass(frozen=True)
class Found:
    """What a checker found.

    Attributes:
        resolved: Answers that were lost: asked for by their key, by the console or by the agent.
        lost: Acts that were acknowledged, or found by their key, and are not there.
        doubled: Acts that are there more than once.
        contradicted: Acts of which it was told that nothing was done, and that are there.
        half: What has no counterpart: a row, an effect, a notice or a kept answer, in sentences.
    """

    acknowledged: int
    resolved: int
    rows: int
    effects: int
    notices: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    contradicted: tuple[str, ...]
    half: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.contradicted or self.half)

    def __str__(self) -> str:
        return (
            f"{self.acknowledged} acknowledged, {len(self.lost)} lost, {len(self.doubled)} "
            f"doubled, {self.resolved} unknown resolved; {len(self.contradicted)} told wrongly, "
            f"{len(self.half)} half done; {self.rows} rows = {self.effects} effects, "
            f"{self.notices} notices"
        )


def check(address: str, ledger: Ledger, directory: Path) -> Found:
    """Read a database, with nobody writing to it any more; the directory is the gateway's."""
    with at_home(directory), closing(Database(address)) as database:
        return asyncio.run(_checked(database, ledger))


async def _checked(database: Database, ledger: Ledger) -> Found:
    store = SqlStore(database)
    rows = await store.rows()
    done = [row for row in rows if row.result is Result.DONE]
    there = Counter(row.reason for row in done if row.reason)
    asked = [await store.operation(act.agent, act.key) for act in ledger.acts]
    kept = [one for one in asked if one is not None]
    by_row = Counter(notice.seq for notice in await store.select(Notice))
    effects, wrong = await _effects(database, done)
    desk_says = await _of_the_desk(database)
    claimed = ledger.of(Told.ACKNOWLEDGED, Told.FOUND)
    denied = ledger.of(Told.UNREACHED, Told.ABSENT, Told.REFUSED)
    told = [row.seq for row in done if row.act in {"suspend-factor", "resume-factor"}]
    return Found(
        acknowledged=len(ledger.of(Told.ACKNOWLEDGED)),
        resolved=ledger.lost_answers,
        rows=len(told),
        effects=effects,
        notices=sum(by_row.values()),
        lost=tuple(act.mark for act in claimed if not there[act.mark]),
        doubled=tuple(mark for mark, count in there.items() if count > 1),
        contradicted=tuple(f"{act.mark}: {act.told}" for act in denied if there[act.mark]),
        half=(
            *wrong,
            *_answers(ledger.acts, done, kept),
            *(f"row {seq} has no notice" for seq in told if not by_row[seq]),
            *(f"a notice names row {seq}" for seq in by_row if seq not in told),
            *(f"{act.mark} was never resolved" for act in ledger.of(Told.UNKNOWN)),
            *await _notes(store, done),
            *desk_says,
        ),
    )


def _answers(acts: Sequence[Act], done: Sequence[LogRow], kept: Sequence[Operation]) -> list[str]:
    """Every act that is done has its answer under its key, and every answer its row."""
    rows = {row.reason: row.seq for row in done}
    answers = {one.id: one for one in kept if one.result is Result.DONE}
    marks = {act.key: act.mark for act in acts}
    return [
        *(
            f"{act.mark} is done, and under its key stands no answer of that row"
            for act in acts
            if act.mark in rows
            and (act.key not in answers or answers[act.key].seq != rows[act.mark])
        ),
        *(f"an answer without a row: {marks.get(key)}" for key in answers
          if marks.get(key) not in rows),
    ]  # fmt: skip


async def _effects(database: Database, done: Sequence[LogRow]) -> tuple[int, list[str]]:
    """How many changes the provider tells of, and which do not fit the rows of their customer."""
    connector = DemoConnector(SqlDocuments(database))
    names = [SHARED, *(one for agent in agents() for one in customers(agent))]
    people, timelines = await connector.people(names), await connector.timelines(names)
    count, wrong = 0, []
    for name in names:
        changes = [
            one.change
            for one in timelines[name]
            if isinstance(one, FactorChange) and one.by == "agent"
        ]
        count += len(changes)
        theirs = [row.act for row in done if row.user == name]
        asked = [act for act in theirs if act in {"suspend-factor", "resume-factor"}]
        expected = [str(CHANGES[change].__struct_config__.tag) for change in changes]
        if asked != expected:
            wrong.append(f"{name}: {len(asked)} rows of changes, {len(expected)} changes in a row")
        state = people[name].factors[0].state
        if changes and (changes[-1] == "suspended") != (state is FactorState.SUSPENDED):
            wrong.append(f"{name}: is {state}, and was {changes[-1]} last")
    return count, wrong


async def _notes(store: SqlStore, done: Sequence[LogRow]) -> list[str]:
    """Every note stands on its ticket as often as in the log: once."""
    tickets = await store.select(Ticket)
    written = Counter(note for ticket in tickets for note in ticket.notes)
    noted = Counter(row.says for row in done if row.act == Note.__struct_config__.tag)
    return [
        f"{note}: {written[note]} on tickets, {noted[note]} in the log"
        for note in written.keys() | noted.keys()
        if not written[note] == noted[note] == 1
    ]


async def _of_the_desk(database: Database) -> list[str]:
    """What the desk itself says of its log."""
    desks = SqlDesks(database, Config(), is_dev=False)
    desk = desks.desk(agent_named(Role.LEAD, desks.agents))
    inspection, reconciliation = await inspected(desk), await desk.reconcile_log()
    alarm = (f"the desk says: {desk.alarm}",) if desk.alarm else ()
    return [*alarm, *inspection.broken, *reconciliation.differ]
