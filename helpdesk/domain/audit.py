"""The desk's own log: who asked or did what, to whom, why, and how it ended."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.agents import Role
from helpdesk.domain.users import At

LOOK: Final = "look"
"""The act of a row that says: this agent opened the case of this user."""

ACCEPT: Final = "accept-log"
"""The act of a row that says: a lead took another log for the one that was seen before."""

UNDO: Final = "undo"
"""The act of a row that says: this agent undid an act that was held; its key is the held row's."""

DISOWNED: Final = "not-me"
"""The act of a row that says: asked to prove the caller, the customer said it is not they."""

TITLES: Final = {
    **{name: action.title for name, action in ACTIONS.items()},
    "prove": "Verify caller",
    "approve": "Answer request",
    "drift": "Measure clock",
    "withdraw": "Withdraw agent",
    "export-log": "Export log",
    "erase-log": "Erase from log",
    ACCEPT: "Accept log",
    LOOK: "Look at case",
    UNDO: "Undo",
    DISOWNED: "Not the caller",
}
"""What a screen calls each act that may stand in the log, by its name on the command line."""


def title_of(act: str) -> str:
    """Return what a screen calls an act; one of another version by its name, from outside."""
    return TITLES.get(act, act)


ERASED: Final = "(erased)"
"""Stands for a user whose rows were parted from their personal data."""


class Result(StrEnum):
    """How an act ended."""

    DONE = "done"
    REFUSED = "refused"
    NEEDS = "needs"
    FAILED = "failed"
    HELD = "held"
    """It waits, and can be undone."""


class LogRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the log.

    Attributes:
        seq: Its number, without gaps, from 1.
        act: The action's name on the command line; `look` where a case was only opened.
        user: Whom it was about; empty where it was about nobody.
        says: The sentence the agent was given. Never a code, a key or a pass.
        proof: Id of the proof of the caller that was used up; empty where there was none.
        idempotency: What makes several rows one act: the id of a hold, in the row that holds it, in
            the row that ends it and in that of its undoing; empty for none.
    """

    seq: int
    at: At
    agent: str
    role: Role
    act: str
    user: str
    result: Result
    says: str = ""
    reason: str = ""
    ticket: str = ""
    factor: str = ""
    proof: str = ""
    idempotency: str = ""
