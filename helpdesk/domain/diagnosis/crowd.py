"""What happened to other users at the same time, as far as it bears on one case."""

from __future__ import annotations

from msgspec import Struct


class Crowd(Struct, frozen=True, kw_only=True):
    """The other users, held against one case.

    Attributes:
        shared: By cause id, the sentence that says who shares it: C5, D4b, E2, B8.
        echoes: By cause id, what one or two others show of it: too few to be a crowd.
        clears: Causes that the others' normal logins speak against.
        colleagues: Whether somebody else of the account was logging in within the same minutes.
    """

    shared: dict[str, str] = {}
    echoes: dict[str, str] = {}
    clears: frozenset[str] = frozenset()
    colleagues: bool = False
