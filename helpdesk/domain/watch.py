"""The watch after an act that opened or moved a way in: until the customer is in, it is not over.

opened ──▶ not in yet ──▶ a good login ──▶ over
   └──▶ the first entry is a stranger's (F4) ──▶ alarm
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from helpdesk.domain.audit import LogRow, Result
from helpdesk.domain.cases import Case
from helpdesk.domain.diagnosis.log import tidy
from helpdesk.domain.diagnosis.verdicts import RankedCause, Strength, Verdict
from helpdesk.domain.limits import LATE, MOVES, RESETS, STRANGER_IN, WATCHED, Alarm
from helpdesk.domain.timeline import Answer, FactorChange, Password, Reset, Session
from helpdesk.domain.users import At

TAKEN_OVER: Final = "F4"
"""The cause that says that the first entry was a stranger's."""


SURE: Final = 0.6
"""How likely the hostile causes together must be: as much as one that is called strong."""


class WatchState(StrEnum):
    """What is to be said of a case under watch."""

    WAITING = "waiting"
    """Nobody has come in since."""
    ALARM = "alarm"
    """Somebody came in from a place nobody knows."""


class Watch(Struct, frozen=True, kw_only=True):
    """A case under watch.

    Attributes:
        since: When the way in was opened or moved; None for an alarm the desk did not lead up to.
    """

    state: WatchState
    since: At | None = None


def watch(case: Case, verdict: Verdict | None) -> Watch | None:
    """Return what is to be watched in a case; None where nothing is.

    The verdict's word goes first: a login that counts as good may be the wrong person's.
    """
    since = _opened_at(case)
    if _takeover(verdict) is not None:
        return Watch(state=WatchState.ALARM, since=since)
    if since is None or case.at - since > WATCHED or _is_in(case, since):
        return None
    return Watch(state=WatchState.WAITING, since=since)


def opened_by_desk(log: Sequence[LogRow], now: datetime) -> tuple[LogRow, ...]:
    """Return by user the newest act of the week that opened or moved a way in, newest first."""
    found: dict[str, LogRow] = {}
    for row in reversed(log):
        if row.at < now - WATCHED - LATE:
            break
        if now - row.at <= WATCHED and _opens(row):
            found.setdefault(row.user, row)
    return tuple(found.values())


def has_come(case: Case, since: datetime) -> bool:
    """Whether anybody gave a right password or code, or made a way of their own, since then."""
    return _is_in(case, since) or any(
        event.at > since
        and (
            (isinstance(event, Password) and event.ok)
            or (isinstance(event, FactorChange) and event.by == "user")
        )
        for event in case.timeline
    )


def stranger_alarm(case: Case, verdict: Verdict, row: LogRow) -> Alarm | None:
    """Return the alarm that whoever came in after an act of the desk is a stranger, or None."""
    cause = _takeover(verdict)
    if cause is None:
        return None
    evidence = cause.evidence[0] if cause.evidence else None
    named = set(evidence.events) if evidence else set()
    told = [
        event.at
        for number, event in enumerate(tidy(case.timeline))
        if (event.id or f"#{number}") in named
    ]
    why = evidence.says if evidence else "a stranger came in"
    return Alarm(
        what=STRANGER_IN,
        at=max(told, default=case.at),
        says=f"{row.user}: {why} ({row.act} by {row.agent})",
        agent=row.agent,
        user=row.user,
    )


def _takeover(verdict: Verdict | None) -> RankedCause | None:
    """The cause that says that a stranger came in, where it is more than a weak suspicion.

    That the caller may be the attacker too takes nothing from it: both say the same stranger.
    """
    causes = verdict.causes if verdict else ()
    found = next((one for one in causes if one.id == TAKEN_OVER), None)
    if found is None or found.strength is not Strength.WEAK:
        return found
    hostile = sum(one.p for one in causes if one.group == "F")
    is_sure = verdict is not None and verdict.is_hostile and hostile >= SURE
    return found if is_sure and found.p >= hostile / 4 else None


def _opens(row: LogRow) -> bool:
    return row.act in RESETS | MOVES and row.result is Result.DONE


def _opened_at(case: Case) -> At | None:
    """When factors were last reset, or a way in opened or moved by the desk."""
    moments = [event.at for event in case.timeline if isinstance(event, Reset) and event.ok]
    moments += [row.at for row in case.log if _opens(row)]
    return max(moments, default=None)


def _is_in(case: Case, since: datetime) -> bool:
    return any(
        event.at > since
        and (
            (isinstance(event, Answer) and event.ok)
            or (isinstance(event, Session) and event.state == "created")
        )
        for event in case.timeline
    )
