"""Holds.

A reset that waits some minutes before it is carried out, so that it can be undone with one key.

held ──due──▶ carried out, weighed anew
  └──undo──▶ undone
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from helpdesk.domain.agents import Agent
from helpdesk.domain.users import At

HELD_ACTS: Final = frozenset({"reset-factor", "reset-all"})
"""Acts that wait where the desk's settings name minutes to wait."""


class Ending(StrEnum):
    """What became of a hold."""

    WAITS = "waits"
    DONE = "done"
    UNDONE = "undone"
    REFUSED = "refused"
    """Weighed anew when its time had come, the policy said no."""


class Hold(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One act that waits.

    Attributes:
        payload: The action as canonical JSON.
        agent: Who asked for it.
        by: The same as they signed in, by whose rights it is weighed anew; kept, shown to nobody.
        due_at: When it is carried out.
        approval: Id of the request that a second person agreed to; empty where none was needed.
    """

    id: str
    act: str
    user: str
    payload: str
    agent: str
    at: At
    due_at: At
    approval: str = ""
    by: Agent | None = None
    ending: Ending = Ending.WAITS
    ended_at: At | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether its time has come at *now* and nobody undid it."""
        return self.ending is Ending.WAITS and self.due_at <= now
