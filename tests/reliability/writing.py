"""Agents who write without rest, each in a console of their own, and what each of them was told.

act ─▶ answer ─────────────────▶ acknowledged, or refused
 └──▶ answer lost ─▶ by its key ─▶ found · absent        never sent anew
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from helpdesk.connectors.circuit import Circuit
from helpdesk.connectors.exchange import Lost
from helpdesk.domain.actions import AnyAction, Note, ResumeFactor, SuspendFactor
from helpdesk.domain.audit import Result
from helpdesk.domain.cases import Case
from helpdesk.domain.errors import HelpdeskError, NotFound, StillRunning, Unknown, Unreachable
from helpdesk.domain.users import FactorState
from helpdesk.gateway.line import Line, Reply
from helpdesk.gateway.remote import RemoteDesk
from tests.gateway.serving import Spoken
from tests.reliability.people import SHARED, customers


class Told(StrEnum):
    """What an agent knows of an act."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNREACHED = "unreached"
    """The console said that nothing was done."""
    UNKNOWN = "unknown"
    FOUND = "found"
    """It was unknown; asked by its key, the desk said: done."""
    ABSENT = "absent"
    """It was unknown; asked by its key, the desk knew of none."""


@dataclass
class Act:
    """One wish of an agent; the mark is its reason, so that its row is told from every other."""

    mark: str
    key: str
    agent: str
    action: AnyAction
    told: Told = Told.UNKNOWN
    was_unknown: bool = False
    took_s: float = 0.0


@dataclass
class Ledger:
    """What all agents were told, in the order they asked."""

    acts: list[Act] = field(default_factory=list)
    answered_at: list[float] = field(default_factory=list)
    """When an act was acknowledged, on a clock that never goes back."""
    lost_answers: int = 0
    """How many answers to writes never came."""

    def of(self, *told: Told) -> list[Act]:
        """Give the acts of which this was told."""
        return [act for act in self.acts if act.told in told]


class CountedLine(Line):
    """A line that counts the answers it lost.

    Attributes:
        lost: How many writes may have arrived, and no answer came.
    """

    lost = 0

    async def ask(self, *arguments: Any, **more: Any) -> Reply:
        """Ask as ever."""
        try:
            return await super().ask(*arguments, **more)
        except Lost:
            self.lost += 1
            raise


class Writer:
    """An agent at a console.

    Attributes:
        is_stopped: Set it, and the act under way is the last.
    """

    def __init__(self, url: str, agent: str, seed: int, ledger: Ledger) -> None:
        self.line = CountedLine(url, Spoken(agent))
        # It rests after failures as always, but a hundredth of the time: kills follow one another.
        self.line.circuit = Circuit(lambda: time.monotonic() * 100)
        self.desk = RemoteDesk(self.line)
        self.is_stopped = False
        self._agent, self._dice, self._ledger = agent, random.Random(f"{seed} {agent}"), ledger
        self._cases: dict[str, Case] = {}
        self._count = 0

    async def work(self) -> None:
        """Write until stopped; what is unknown is asked for before anything else."""
        while not self.is_stopped:
            whose = self._dice.choice([*customers(self._agent) * 2, SHARED])
            if whose not in self._cases and not await self._look(whose):
                continue
            act = self._wish(whose)
            self._ledger.acts.append(act)
            begun = time.monotonic()
            await self._send(act)
            act.took_s = time.monotonic() - begun
            while act.told is Told.UNKNOWN:
                await self._ask(act)

    def close(self) -> None:
        """Leave the console."""
        self.desk.close()

    async def _look(self, whose: str) -> bool:
        try:
            self._cases[whose] = await self.desk.case(whose)
        except HelpdeskError:
            await asyncio.sleep(0.05)
            return False
        return True

    def _wish(self, whose: str) -> Act:
        self._count += 1
        mark = f"{self._agent}-{self._count}"
        case = self._cases[whose]
        ticket, factor = case.open_tickets[0].id, case.user.factors[0]
        action: AnyAction
        if whose == SHARED or self._dice.random() < 0.2:
            action = Note(user=whose, text=f"Note {mark}.", reason=mark)
        elif factor.state is FactorState.ACTIVE:
            action = SuspendFactor(user=whose, factor=factor.id, reason=mark)
        else:
            action = ResumeFactor(user=whose, factor=factor.id, reason=mark, ticket=ticket)
        return Act(mark=mark, key=secrets.token_urlsafe(18), agent=self._agent, action=action)

    async def _send(self, act: Act) -> None:
        whose = act.action.user
        try:
            outcome = await self.desk.perform(act.action, key=act.key)
        except Unknown:
            act.was_unknown = True
        except Unreachable:
            act.told = Told.UNREACHED
            await asyncio.sleep(0.05)
        except HelpdeskError:
            act.told = Told.REFUSED
        else:
            act.told = Told.ACKNOWLEDGED
            self._ledger.answered_at.append(time.monotonic())
            self._cases[whose] = outcome.case
            return
        self._cases.pop(whose, None)

    async def _ask(self, act: Act) -> None:
        try:
            found = await self.desk.operation(act.key)
        except NotFound:
            act.told = Told.ABSENT
        except (StillRunning, Unreachable):
            await asyncio.sleep(0.05)
        else:
            act.told = Told.FOUND if found.result is Result.DONE else Told.REFUSED


class Crew:
    """Several agents at once, on a loop of their own.

    Args:
        urls: The gateways, each agent at one of them in turn.
    """

    def __init__(self, urls: Sequence[str], agents: Sequence[str], seed: int) -> None:
        self.ledger = Ledger()
        self._writers = [
            Writer(urls[number % len(urls)], agent, seed, self.ledger)
            for number, agent in enumerate(agents)
        ]

    async def work(self) -> None:
        """Write until stopped."""
        await asyncio.gather(*(writer.work() for writer in self._writers))

    def stop(self) -> None:
        """Let each end the act under way."""
        for writer in self._writers:
            writer.is_stopped = True

    def close(self) -> None:
        """Leave all consoles."""
        for writer in self._writers:
            writer.close()
        self.ledger.lost_answers = sum(writer.line.lost for writer in self._writers)
