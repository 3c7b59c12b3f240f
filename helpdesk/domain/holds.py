"""Holds.

A reset that waits some minutes before it is carried out, so that it can be undone with one key.

held ──due──▶ carried out, weighed anew
  └──undo──▶ undone
"""

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
    RUNS = "runs"
    """A provider carries it out just now; found so later, nobody knows how it ended."""
    UNKNOWN = "unknown"
    """Whoever carried it out is gone, and nobody knows whether it was done."""


class Hold(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One act that waits.

    Attributes:
        payload: The action as canonical JSON; empty where it is a question, such as a proof.
        agent: Who asked for it.
        by: The same as they signed in, by whose rights it is weighed anew; kept, shown to nobody.
        due_at: When it is carried out.
        approval: Id of the request that a second person agreed to; empty where none was needed.
        begun_at: When a provider was told to carry it out; None where it was not, or need not be.
        console: The machine and process that told it.
        key: The idempotency key it was asked under, and *sha256* what tells it from another wish.
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
    begun_at: At | None = None
    console: str = ""
    key: str = ""
    sha256: str = ""

    @property
    def is_held(self) -> bool:
        """Whether it was made to wait; else it only says that an act began."""
        return self.due_at > self.at

    @property
    def is_open(self) -> bool:
        """Whether it waits, or is being carried out."""
        return self.ending in {Ending.WAITS, Ending.RUNS}

    def is_due(self, now: datetime) -> bool:
        """Whether its time has come at *now* and nobody undid it."""
        return self.ending is Ending.WAITS and self.due_at <= now
