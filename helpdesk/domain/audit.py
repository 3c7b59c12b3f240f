"""The desk's own log: who asked or did what, to whom, why, and how it ended."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from helpdesk.domain.agents import Role
from helpdesk.domain.users import At


class Result(StrEnum):
    """How an act ended."""

    DONE = "done"
    REFUSED = "refused"
    NEEDS = "needs"
    FAILED = "failed"


class LogRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the log.

    Attributes:
        seq: Its number, without gaps, from 1.
        act: The action's name on the command line.
        says: The sentence the agent was given. Never a code, a key or a pass.
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
