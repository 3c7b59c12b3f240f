"""A rehearsal: the real desk on a world of its own, a caller with a script, and a record of it all.

script ─▶ due, in order ─▶ world (the file) ─▶ desk ─▶ trainee ─▶ record
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from helpdesk.connectors.rehearsed import RehearsedConnector
from helpdesk.domain.actions import TakeTicket
from helpdesk.domain.diagnosis.drift import STEP_S
from helpdesk.domain.diagnosis.verdicts import CallerSaid, Verdict
from helpdesk.domain.errors import (
    HelpdeskError,
    NeedsMore,
    NotFound,
    Refused,
    Stale,
)
from helpdesk.domain.events import encode_event
from helpdesk.domain.proofs import Asking, Method
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.training import recording as record
from helpdesk.domain.training.checking import PROVE
from helpdesk.domain.training.recording import AnyLine, Key, line_bytes
from helpdesk.domain.training.scenario import (
    BEGINS,
    PERSON,
    TICKET,
    Fault,
    Scenario,
    event_at,
    when,
)
from helpdesk.domain.training.scoring import NEUTRAL, Score, score
from helpdesk.service.cutting import FrontDesk
from helpdesk.service.desk import Desk
from helpdesk.service.local import LocalDesk
from helpdesk.service.rehearsed import RehearsedDesk

LEAST: Final = 0.05
"""Causes that are less likely are not written down."""

AT_A_LOSS: Final = "I could not tell you."
NOT_ME: Final = "I cannot do that just now. Can we not go on without it?"
READS: Final = "One moment. Yes, I have it, I read it to you."
"""What a caller says whose script has no words for it."""

SEEN: Final = "Passport, by video."

CHANGED: Final = "Somebody else changed this case since you looked: look again. Nothing was done."


class Stage:
    """One play: the time, what is due, who is on the line, and the record.

    Args:
        key: What it is marked by, the first line of the record.
        scenario: What is played.
        write: Takes each line of the record.

    Attributes:
        now: The time in the world; `advance` alone moves it.
        desk: The desk itself, in the world.
        front: Where the trainee works: the desk itself, or the offline desk before it where the
            line breaks in this call.
        asked: By asking, how the caller was to be proven; `asking` is the last of them.
    """

    def __init__(self, key: Key, scenario: Scenario, write: Callable[[bytes], None]) -> None:
        self.scenario, self._write = scenario, write
        self.now = BEGINS
        self.desk: RehearsedDesk
        self.front: Desk
        self.connector: RehearsedConnector
        self.colleague: LocalDesk
        self.on_line: Callable[[AnyLine], None] | None = None
        self.is_over = False
        self.asked: dict[str, Method] = {}
        self.asking: Asking | None = None
        self._said: tuple[CallerSaid, ...] = ()
        self._opened = ""
        self._saw: record.Saw | None = None
        self._faults: set[str] = set()
        self._due: list[tuple[datetime, int, Callable[[], Any]]] = []
        self._count = 0
        self._lines: list[AnyLine] = [key]
        write(line_bytes(key))

    @property
    def seconds(self) -> int:
        """Whole seconds since the beginning."""
        return int((self.now - BEGINS).total_seconds())

    @property
    def record(self) -> bytes:
        """The record so far, as it is kept."""
        return b"".join(map(line_bytes, self._lines))

    @property
    def lines(self) -> tuple[AnyLine, ...]:
        """The record so far, without its key."""
        return tuple(self._lines[1:])

    def clock(self) -> datetime:
        """Give the time in the world."""
        return self.now

    async def begin(self) -> None:
        """Put what the script has into order, and let the caller speak."""
        self._schedule()
        if isinstance(self.front, FrontDesk):
            await self.front.open()
        await self.desk.watch()
        self._note(record.Said(at=0, says=self.scenario.caller.says))

    async def advance(self, to: datetime) -> None:
        """Move the time on; what is due by then happens, each at its own moment, in order."""
        while self._due and self._due[0][0] <= to and not self.is_over:
            moment, _, happen = heapq.heappop(self._due)
            self.now = max(self.now, moment)
            done = happen()
            if done is not None:
                await done
        if not self.is_over:
            self.now = max(self.now, to)

    async def ask(self, pair: str) -> str:
        """Put a question of the verdict; give the caller's words."""
        reply = next((one for one in self.scenario.caller.answers if one.ask == pair), None)
        says = await self._filled(reply.says) if reply else AT_A_LOSS
        self._note(record.Asked(at=self.seconds, ask=pair, says=says))
        return says

    async def _filled(self, says: str) -> str:
        """The caller's words with the numbers that their phone shows."""
        if "{code}" not in says:
            return says
        person = await self.desk.person()
        shown = self.now + self.scenario.caller.ahead.delta
        first = await self.connector.number(person, shown)
        second = await self.connector.number(person, shown + timedelta(seconds=STEP_S))
        return says.replace("{code}", first).replace("{next}", second)

    def tell(self, says: str) -> None:
        """Say something to the customer."""
        if says.strip():
            self._note(record.Told(at=self.seconds, says=says.strip()))

    async def reading(self) -> tuple[str, str]:
        """Give the word and the code the caller answers with; empty where they cannot."""
        asking = self.asking
        if asking is None or not self.can(asking.method):
            return "", ""
        if asking.method is Method.IN_PERSON:
            return asking.words[1], SEEN
        kind, _, other = asking.channel.partition(":")
        shown = await self.desk.phone(other if kind == "administrator" else PERSON)
        by_app = [one for one in shown if not one.says]
        sent = [one for one in shown if f"says {asking.words[0]}," in one.says]
        found = by_app if asking.method is Method.TOTP else sent[-1:]
        return asking.words[1], found[0].secret if found else ""

    def end(self, cause: str, keys: int = 0) -> Score:
        """Name the cause and hang up; give the marks."""
        self._note(record.Ended(at=self.seconds, cause=cause, keys=keys))
        self.is_over = True
        return score(self.record)

    async def leave(self) -> None:
        """End what goes on beside the play; in its own loop, for `close` blocks that."""
        if isinstance(self.front, FrontDesk):
            await self.front.stop()

    async def aclose(self) -> None:
        """Write down what the desks of the play have not yet, in the loop of the play."""
        await self.desk.aclose()
        await self.colleague.aclose()

    def close(self) -> None:
        """As `aclose`, after that loop has ended; blocking."""
        self.desk.close()
        self.colleague.close()

    def can(self, method: Method) -> bool:
        """Whether the caller answers rightly to a way of being proven."""
        told = next((p for p in self.scenario.caller.proofs if p.method is method), None)
        return told.can if told else not self.scenario.caller.is_attacker

    def stumble(self, act: str) -> None:
        """Raise what goes wrong with an act just now."""
        if "conflict" in self._faults and act not in NEUTRAL:
            self._faults.discard("conflict")
            raise Stale(CHANGED)

    async def note_act(self, act: str) -> None:
        """Record an act that was done; what the script has after it becomes due."""
        if act != PROVE:
            self._note(record.Did(at=self.seconds, act=act, result="done"))
        self._after(act)
        await self._look()

    def note_queued(self, act: str) -> None:
        """Record an act that waits until the line is back."""
        self._note(record.Did(at=self.seconds, act=act, result="queued"))

    async def note_failure(self, act: str, error: HelpdeskError) -> None:
        """Record an act that was not done, and why; a colleague who is asked answers soon."""
        at = self.seconds
        if isinstance(error, Refused):
            self._note(record.Did(at=at, act=act, result="refused", why=error.decision.why))
        elif isinstance(error, NeedsMore):
            needs = error.decision.needs
            lacks = tuple(need.what for need in needs)
            self._note(record.Did(at=at, act=act, result="needs", lacks=lacks))
            if lacks == ("second-person",) and needs[0].choices:
                lag = self.scenario.colleague.after.delta
                self._at(self.now + lag, lambda: self._agree(act, needs[0].choices[0]))
        else:
            why = "" if isinstance(error, NotFound) else str(error)
            self._note(record.Did(at=at, act=act, result="failed", why=why))

    async def note_opened(self, user: str) -> None:
        """Record that another case was opened."""
        if user != self._opened:
            self._opened = user
            self._note(record.Opened(at=self.seconds, user=user))
            await self._look()

    async def note_heard(self, said: tuple[CallerSaid, ...], verdict: Verdict) -> None:
        """Record what was newly put down of the caller's answers, as the desk understood it."""
        if said == self._said:
            return
        before, self._said = set(self._said), said
        understood = {heard.ask: heard.reply for heard in verdict.heard}
        for one in said:
            if one not in before:
                reply = understood.get(one.ask, "")
                self._note(record.Heard(at=self.seconds, ask=one.ask, reply=reply))
        await self._look()

    def note_proof(self, method: Method, result: Any) -> None:
        """Record a step of proving the caller; when they are asked, with their words."""
        says = ""
        if result == "asked":
            told = next((p for p in self.scenario.caller.proofs if p.method is method), None)
            says = told.says if told else (READS if self.can(method) else NOT_ME)
        self._note(record.Proved(at=self.seconds, method=method.value, result=result, says=says))

    def late(self, comes: datetime, user: str, event: AnyEvent) -> None:
        """Let a message that is late come at its moment."""
        self._at(comes, lambda: self._happen(user, event, is_told=False))

    def _schedule(self) -> None:
        """Make everything due that has a moment of its own."""
        for aside in self.scenario.caller.meanwhile:
            if aside.at is not None:
                self._say_at(BEGINS + aside.at.delta, aside.says)
        for user, raws in self._scripts():
            for raw in raws:
                told = when(raw)
                if told.at is not None:
                    self._happen_at(BEGINS + told.at.delta, user, raw)
        for fault in self.scenario.faults:
            self._go(fault)

    def _scripts(self) -> list[tuple[str, tuple[dict[str, Any], ...]]]:
        others = zip(self.scenario.others_ids, self.scenario.others, strict=True)
        return [(PERSON, self.scenario.then), *((name, other.then) for name, other in others)]

    def _after(self, act: str) -> None:
        for aside in self.scenario.caller.meanwhile:
            if aside.after == act:
                self._say_at(self.now + aside.lag.delta, aside.says)
        for user, raws in self._scripts():
            for raw in raws:
                told = when(raw)
                if told.after == act:
                    self._happen_at(self.now + told.lag.delta, user, raw)

    def _at(self, moment: datetime, happen: Callable[[], Any]) -> None:
        """Make something due; of two of one moment, what was due first comes first."""
        self._count += 1
        heapq.heappush(self._due, (moment, self._count, happen))

    def _say_at(self, moment: datetime, says: str) -> None:
        self._at(moment, lambda: self._note(record.Said(at=self.seconds, says=says)))

    def _happen_at(self, moment: datetime, user: str, raw: dict[str, Any]) -> None:
        name = f"w{self._count}"
        self._at(moment, lambda: self._happen(user, event_at(raw, moment, name)))

    async def _happen(self, user: str, event: AnyEvent, *, is_told: bool = True) -> None:
        await self.desk.happen(user, event)
        told = encode_event(event)
        # The desk's own messages have names that fall by chance; a script's have not.
        bare = {k: v for k, v in told.items() if k not in {"id", "at"} and (is_told or k != "send")}
        self._note(record.Came(at=self.seconds, user=user, event=bare))
        await self._look()

    def _go(self, fault: Fault) -> None:
        begins = BEGINS + fault.at.delta
        self._at(begins, lambda: self._went(fault, is_on=True))
        self._at(begins + fault.lasts.delta, lambda: self._went(fault, is_on=False))

    async def _went(self, fault: Fault, *, is_on: bool) -> None:
        (self._faults.add if is_on else self._faults.discard)(fault.kind)
        if fault.kind == "late-mail":
            self.connector.late = fault.delay.delta if is_on else timedelta(0)
        if fault.kind == "too-many":
            self.connector.is_busy = is_on
        self._note(record.Went(at=self.seconds, fault=fault.kind, is_on=is_on))
        if fault.kind == "conflict" and is_on and "line-down" in self._faults:
            self._faults.discard("conflict")  # whoever is cut off meets it when the line is back
            await self.colleague.perform(TakeTicket(user=PERSON, ticket=TICKET))
        if fault.kind == "line-down" and isinstance(self.front, FrontDesk):
            await self.front.cut(is_cut=is_on)
            await self._look()

    async def _agree(self, act: str, request: str) -> None:
        """Let the colleague answer, at a desk of their own."""
        colleague = self.scenario.colleague
        says = colleague.says or "Looked at it."
        await self.colleague.approve(request, is_granted=colleague.agrees, says=says)
        self._note(record.Agreed(at=self.seconds, act=act, is_granted=colleague.agrees))

    async def _look(self) -> None:
        """Write down what the verdict says now, where it says something else than before."""
        if self._opened != PERSON or self.is_over or self._is_cut_off:
            return
        verdict = await self.desk.look(self._said)
        causes = tuple((one.id, round(one.p, 2)) for one in verdict.causes[:3] if one.p >= LEAST)
        saw = record.Saw(at=0, causes=causes, ask=verdict.ask.pair if verdict.ask else "")
        if saw != self._saw:
            self._saw = saw
            self._note(msgspec.structs.replace(saw, at=self.seconds))

    @property
    def _is_cut_off(self) -> bool:
        return isinstance(self.front, FrontDesk) and self.front.is_cut

    def _note(self, line: AnyLine) -> None:
        if self.is_over:
            return
        self._lines.append(line)
        self._write(line_bytes(line))
        if self.on_line is not None:
            self.on_line(line)
