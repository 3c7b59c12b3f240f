"""Limits and alarms: how often an act may happen to one user, by one agent, at the whole desk.

All of it is read from the log, where the change itself is recorded, so that no console can forget a
count.
The figures are the desk's own; no product documents any. They are stricter than a slip and looser
than an attack.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.audit import ACCEPT, DISOWNED, UNDO, LogRow, Result
from helpdesk.domain.decisions import Need
from helpdesk.domain.users import At

RESETS: Final = frozenset(
    {"reset-factor", "reset-all", "turn-off-mfa", "temporary-pass", "enrol-totp"}
)
"""Acts that open a way in."""

MOVES: Final = frozenset({"change-address", "change-mobile"})
"""Acts that send codes elsewhere."""


class Whose(StrEnum):
    """Whose acts are counted."""

    USER = "user"
    AGENT = "agent"
    DESK = "desk"


class Limit(Struct, frozen=True, kw_only=True):
    """At most *most* of some acts within a span."""

    acts: frozenset[str]
    whose: Whose
    most: int
    within: timedelta
    says: str


LIMITS: Final[tuple[Limit, ...]] = (
    Limit(
        acts=frozenset({"send-code"}),
        whose=Whose.USER,
        most=1,
        within=timedelta(seconds=60),
        says="one code a minute",
    ),
    Limit(
        acts=frozenset({"send-code"}),
        whose=Whose.USER,
        most=3,
        within=timedelta(minutes=15),
        says="three codes in a quarter of an hour",
    ),
    Limit(
        acts=frozenset({"send-code"}),
        whose=Whose.USER,
        most=10,
        within=timedelta(days=1),
        says="ten codes a day",
    ),
    Limit(
        acts=frozenset({"reset-factor", "reset-all"}),
        whose=Whose.USER,
        most=1,
        within=timedelta(days=1),
        says="one reset a day for a user",
    ),
    Limit(
        acts=RESETS,
        whose=Whose.AGENT,
        most=5,
        within=timedelta(hours=1),
        says="five such acts an hour for an agent",
    ),
    Limit(
        acts=RESETS,
        whose=Whose.AGENT,
        most=20,
        within=timedelta(days=1),
        says="twenty such acts a day for an agent",
    ),
    Limit(
        acts=frozenset({"reveal"}),
        whose=Whose.AGENT,
        most=60,
        within=timedelta(minutes=1),
        says="sixty reveals a minute",
    ),
)
"""What is refused for a while."""

COUNTED: Final = frozenset({Result.DONE, Result.HELD})
"""What counts: a wish that was refused opened nothing, nor did a held act that came to nothing."""

WATCHED: Final = timedelta(days=7)
"""How long the first entry through a way in that was opened is looked for; our own measure."""

LATE: Final = timedelta(hours=6)
"""How much older than its neighbours a row may be: looks are written when there is time for it."""

SPAN: Final = timedelta(days=1) + LATE
"""How far back the rows go that any limit or alarm looks at."""

BREAKER: Final = Limit(
    acts=RESETS,
    whose=Whose.DESK,
    most=20,
    within=timedelta(hours=1),
    says="twenty such acts an hour at the whole desk: from here on each takes a second person",
)
"""Beyond it nothing stops, but nobody acts alone."""

LIMITED: Final = BREAKER.acts.union({UNDO}, *(limit.acts for limit in LIMITS))
"""The acts of the rows that any limit looks at."""

OF_USER: Final = frozenset(
    act
    for act in LIMITED - BREAKER.acts - {UNDO}
    if all(limit.whose is Whose.USER for limit in LIMITS if act in limit.acts)
)
"""Those of them that bear on nobody but the user they happened to."""


def reached(
    act: str, agent: str, user: str, log: Sequence[LogRow], now: datetime
) -> tuple[Need, ...]:
    """Return a `limit` need for each limit that an act would break now, the longest wait last."""
    needs = []
    for limit in LIMITS:
        if act in limit.acts:
            at = sorted(_counted(limit, agent, user, log, now))
            if len(at) >= limit.most:
                seconds = (at[-limit.most] + limit.within - now).total_seconds()
                says = f"The desk's limit is {limit.says}: wait {_span(seconds)}."
                needs.append(Need(what="limit", says=says, seconds=seconds))
    return tuple(sorted(needs, key=lambda need: need.seconds))


def is_breaker_open(act: str, log: Sequence[LogRow], now: datetime) -> bool:
    """Whether the whole desk has done so much that nobody may act alone."""
    return act in RESETS and len(list(_counted(BREAKER, "", "", log, now))) >= BREAKER.most


def _counted(
    limit: Limit, agent: str, user: str, log: Sequence[LogRow], now: datetime
) -> Iterable[datetime]:
    """The moments of the acts a limit counts.

    The log is oldest first, so it is read from its end.
    """
    since = now - limit.within
    counted: set[str] = set()
    for row in reversed(log):
        if row.at <= since - LATE:
            return
        if row.act == UNDO or row.result not in COUNTED:
            counted |= {row.idempotency} - {""}
        if row.at <= since or row.act not in limit.acts or row.result not in COUNTED:
            continue
        # Held and then carried out, begun and then confirmed: one act, two rows.
        marks = {row.idempotency, row.proof} - {""}
        if marks & counted:
            continue
        counted |= marks
        mine = {Whose.USER: row.user == user, Whose.AGENT: row.agent == agent, Whose.DESK: True}
        if mine[limit.whose]:
            yield row.at


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.0f} h"


class Alarm(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something in the log that a lead should look at now."""

    what: str
    at: At
    says: str
    agent: str = ""
    user: str = ""


ALARM_TITLES: Final = {
    "many-resets": "many resets",
    "too-fast": "too fast",
    "moved-and-reset": "moved and reset",
    "other-log": "other log",
    "stranger-in": "STRANGER IN",
    "not-me": "NOT THEM",
}
"""Kinds of alarms in words."""

STRANGER_IN: Final = "stranger-in"
"""The alarm that somebody unknown came first through a way that an agent had opened."""

WATCHERS: Final = frozenset({Role.LEAD, Role.AUDITOR})
"""Who is shown the alarms of the whole desk."""


def concerning(alarms: Iterable[Alarm], agent: Agent) -> tuple[Alarm, ...]:
    """Return the alarms an agent is shown: a lead all, others what became of their own acts.

    Strangers come first; of alarms in the same words the newest stands for all.
    """
    found: dict[tuple[str, str], Alarm] = {}
    for one in sorted(alarms, key=lambda one: (one.what == STRANGER_IN, one.at), reverse=True):
        is_own = one.what == STRANGER_IN and one.agent == agent.id
        if is_own or agent.role in WATCHERS:
            found.setdefault((one.what, one.says), one)
    return tuple(found.values())


def alarms(log: Sequence[LogRow], now: datetime) -> tuple[Alarm, ...]:
    """Return the alarms of the last day, newest first.

    Three resets by one agent in fifteen minutes; a look and then a reset within twenty seconds; a
    number or address changed and factors reset for one user within a day; another log accepted; a
    customer who said on their own device that it is not they.
    """
    recent = [row for row in log if timedelta(0) <= now - row.at <= timedelta(days=1)]
    done = [row for row in recent if row.result is Result.DONE]
    found = [
        *_many_resets(done),
        *_too_fast(recent),
        *_moved_and_reset(done),
        *_other_log(done),
        *_disowned(recent),
    ]
    return tuple(sorted(found, key=lambda alarm: alarm.at, reverse=True))


def _many_resets(done: Sequence[LogRow]) -> Iterable[Alarm]:
    by_agent: dict[str, list[LogRow]] = {}
    for row in done:
        if row.act in RESETS:
            mine = by_agent.setdefault(row.agent, [])
            mine.append(row)
            if len(mine) >= 3 and row.at - mine[-3].at <= timedelta(minutes=15):
                says = f"{row.agent} did three resets or the like within fifteen minutes"
                yield Alarm(what="many-resets", at=row.at, agent=row.agent, says=says)


def _too_fast(recent: Sequence[LogRow]) -> Iterable[Alarm]:
    looked: dict[tuple[str, str], datetime] = {}
    for row in recent:
        key = (row.agent, row.user)
        if row.act in {"look", "reveal"}:
            looked.setdefault(key, row.at)
        elif row.act in RESETS and row.result is Result.DONE:
            first = looked.get(key)
            if first is not None and row.at - first < timedelta(seconds=20):
                says = f"{row.agent} opened {row.user} and did {row.act} within twenty seconds"
                yield Alarm(what="too-fast", at=row.at, agent=row.agent, user=row.user, says=says)


def _moved_and_reset(done: Sequence[LogRow]) -> Iterable[Alarm]:
    moved: dict[str, LogRow] = {}
    reset: dict[str, LogRow] = {}
    for row in done:
        if row.act in MOVES:
            moved[row.user] = row
        elif row.act in RESETS:
            reset[row.user] = row
        other = (reset if row.act in MOVES else moved).get(row.user)
        if row.act in MOVES | RESETS and other is not None:
            says = f"{row.user}: {other.act} and {row.act} within a day"
            yield Alarm(
                what="moved-and-reset", at=row.at, agent=row.agent, user=row.user, says=says
            )


def _disowned(recent: Sequence[LogRow]) -> Iterable[Alarm]:
    for row in recent:
        if row.act == DISOWNED:
            says = f"{row.user} said on their own device that it is not they who call"
            yield Alarm(what="not-me", at=row.at, agent=row.agent, user=row.user, says=says)


def _other_log(done: Sequence[LogRow]) -> Iterable[Alarm]:
    for row in done:
        if row.act == ACCEPT:
            says = f"{row.agent} accepted another log than the one that was seen before"
            yield Alarm(what="other-log", at=row.at, agent=row.agent, says=says)
