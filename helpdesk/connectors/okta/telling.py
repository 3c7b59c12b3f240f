"""The timeline while it is told: what belongs to one asking, and what later events mend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from helpdesk.connectors.okta.rows import Row
from helpdesk.domain.text import clean
from helpdesk.domain.timeline import AnyEvent, Challenge, Lock, Other

OPEN_FOR: Final = timedelta(minutes=10)
"""How long what follows is taken for an answer to one asking; our own measure."""


@dataclass(slots=True)
class Asked:
    """One asking for a second proof, while events that belong to it may still come."""

    id: str
    at: datetime
    place: int
    browser: str | None
    touched_at: datetime
    is_done: bool = False
    is_used: bool = False


class Telling:
    """The timeline as far as it is told; what comes later may still mend what came before."""

    def __init__(self, user: str, desk: str = "") -> None:
        self.user, self.desk = user, desk
        self.events: list[AnyEvent | None] = []
        self._asked: dict[str, Asked] = {}
        self._last: Asked | None = None
        self._sent: dict[str, str] = {}
        self._names: Counter[str] = Counter()
        self._lock: int | None = None

    def who(self, row: Row) -> str:
        """Give who did what a row tells: `user`, `agent` or `administrator`."""
        if row.actor == self.user:
            return "user"
        return "agent" if self.desk and row.actor == self.desk else "administrator"

    def add(self, *events: AnyEvent) -> int:
        """Add events; give the place of the first."""
        self.events.extend(events)
        return len(self.events) - len(events)

    def asked(self, row: Row, at: datetime) -> Asked | None:
        """The asking that is open where a row belongs, or None."""
        for context in row.contexts:
            one = self._asked.get(context)
            if one and not one.is_done and at - one.touched_at <= OPEN_FOR:
                return one
        one = self._last
        near = one is not None and not one.is_done and at - one.touched_at <= OPEN_FOR
        if one is None or not near or self._is_apart(row, one):
            return None
        return one

    def _is_apart(self, row: Row, one: Asked) -> bool:
        """Whether a row is of another sign-in than the newest asking."""
        other = bool(row.browser and one.browser and row.browser != one.browser)
        named = any(context in self._asked for context in row.contexts)
        return other or named or (row.kind.startswith(("user.", "policy.")) and bool(row.contexts))

    def ask(self, row: Row, at: datetime, factor: str | None, *, is_told: bool) -> Asked:
        """Begin an asking; *is_told* where an event says so, else the answer is the sign of it."""
        name = row.contexts[0] if row.contexts else row.id or at.isoformat()
        self._names[name] += 1
        taken = self._names[name] - 1
        event = Challenge(
            at=at,
            id=row.id or None if is_told else f"{row.id}-asked" if row.id else None,
            challenge=f"{name}#{taken + 1}" if taken else name,
            rule=row.rule if is_told else None,
            factor=factor,
            trust="none" if row.is_new_device else None,
            extra={} if is_told else {"inferred": True},
            **row.where,
        )
        one = Asked(event.challenge, at, self.add(event), row.browser, at)
        self._last = one
        for context in row.contexts:
            self._asked[context] = one
        return one

    def keep(self, row: Row, at: datetime, one: Asked, factor: str | None) -> None:
        """Take note that a row belongs to an asking, and what it tells of it."""
        one.touched_at, one.is_used = at, True
        for context in row.contexts:
            self._asked[context] = one
        event = self.events[one.place]
        if isinstance(event, Challenge) and event.factor is None and factor:
            self.events[one.place] = replace(event, factor=factor)

    def again(self, row: Row, at: datetime, one: Asked) -> None:
        """Take note that another policy asked for the same: the page is one."""
        one.touched_at = at
        event = self.events[one.place]
        if isinstance(event, Challenge) and event.rule is None:
            trust = "none" if row.is_new_device else event.trust
            self.events[one.place] = replace(event, rule=row.rule, trust=trust)

    def passed_first(self, row: Row, at: datetime) -> None:
        """Move an asking that nothing used yet behind the password that just fitted."""
        one = self.asked(row, at)
        event = self.events[one.place] if one else None
        if one and not one.is_used and isinstance(event, Challenge):
            one.at = one.touched_at = at
            self.events[one.place] = None
            one.place = self.add(replace(event, at=at))

    def needed_no_more(self, row: Row, at: datetime) -> None:
        """Drop an asking that was for the password only: they are in, and nothing else was used."""
        one = self.asked(row, at)
        if one and not one.is_used:
            self.events[one.place], one.is_done = None, True

    def challenge_of(self, row: Row) -> str | None:
        """The id of the newest asking that shares a context with a row, open or not."""
        return next((self._asked[c].id for c in row.contexts if c in self._asked), None)

    def sent(self, row: Row, at: datetime, channel: str, *keys: str) -> str:
        """Give a send its id, findable by these keys of the carrier."""
        name = row.id or f"{channel}-{at.isoformat()}"
        for key in (*keys, f"last {channel}"):
            if key:
                self._sent[key] = name
        return name

    def send_of(self, channel: str, *keys: str) -> str | None:
        """Give the send that a carrier's row is about, else the last one of the channel."""
        found = (self._sent.get(key) for key in keys if key)
        return next((name for name in found if name), self._sent.get(f"last {channel}"))

    def lock(self, event: Lock) -> None:
        """Add a lock that holds until it is lifted."""
        self._lock = self.add(event)

    def lifted(self, at: datetime) -> None:
        """Let the lock end that is in force, if one is."""
        if self._lock is not None:
            event = self.events[self._lock]
            if isinstance(event, Lock):
                self.events[self._lock] = replace(event, until=at)
            self._lock = None


Told = Callable[[Telling, Row, datetime], None]
"""What adds to the timeline that which one row tells, at its moment."""


def other(telling: Telling, row: Row, at: datetime) -> None:
    """Tell of an event that has no word of ours: by its own name, judged by nobody."""
    kind = clean(row.kind, limit=100) or "an event without a name"
    told = {"at": at.isoformat(), "kind": kind, "id": row.id, "outcome": row.result}
    raw = {key: clean(value, limit=200) for key, value in told.items() if value}
    telling.add(Other(at=at, kind=kind, id=row.id or None, raw=raw))


def cause_of(row: Row, first: str) -> str:
    """Give why something happened: our words, then Okta's, cleaned."""
    return clean(f"{first}: {row.reason}" if row.reason else first, limit=200)


def second_id(row: Row, word: str) -> str | None:
    """Give the id of the second thing that a row tells of."""
    return f"{row.id}-{word}" if row.id else None
