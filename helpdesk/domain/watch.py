"""The watch after an act that opened or moved a way in: until the customer is in, it is not over.

opened ──▶ not in yet ──▶ a good login ──▶ over
   └──▶ the first entry is a stranger's (F4) ──▶ alarm
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from helpdesk.domain.audit import Result
from helpdesk.domain.cases import Case
from helpdesk.domain.diagnosis.verdicts import Strength, Verdict
from helpdesk.domain.limits import MOVES, RESETS
from helpdesk.domain.timeline import Answer, Reset, Session
from helpdesk.domain.users import At

WATCHED: Final = timedelta(days=7)
"""How long one waits for the customer: our own measure, as long as a takeover is looked for."""

TAKEN_OVER: Final = "F4"
"""The cause that says that the first entry was a stranger's."""


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
    if verdict is not None and any(
        cause.id == TAKEN_OVER and cause.strength is not Strength.WEAK for cause in verdict.causes
    ):
        return Watch(state=WatchState.ALARM, since=since)
    if since is None or case.at - since > WATCHED or _is_in(case, since):
        return None
    return Watch(state=WatchState.WAITING, since=since)


def _opened_at(case: Case) -> At | None:
    """When factors were last reset, or a way in opened or moved by the desk."""
    moments = [event.at for event in case.timeline if isinstance(event, Reset) and event.ok]
    moments += [
        row.at for row in case.log if row.act in RESETS | MOVES and row.result is Result.DONE
    ]
    return max(moments, default=None)


def _is_in(case: Case, since: At) -> bool:
    return any(
        event.at > since
        and (
            (isinstance(event, Answer) and event.ok)
            or (isinstance(event, Session) and event.state == "created")
        )
        for event in case.timeline
    )
