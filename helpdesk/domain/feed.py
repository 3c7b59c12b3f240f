"""The feed: what changed since somebody looked, and how old what one sees is."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from helpdesk.domain.users import At


class Kind(StrEnum):
    """What changed."""

    USER = "user"
    TICKET = "ticket"
    LOOP = "loop"
    APPROVAL = "approval"
    PROOF = "proof"
    HOLD = "hold"
    LOG = "log"


class Change(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is not as it was.

    Attributes:
        id: Its id, for the log a row's number; empty where any of its kind may have changed.
        is_gone: Whether it is there no more.
    """

    kind: Kind
    id: str = ""
    is_gone: bool = False


class Changes(Struct, frozen=True, kw_only=True):
    """What changed after a cursor, oldest first; each thing once.

    Attributes:
        cursor: Where to go on, in nobody's words but the desk's.
        is_more: Whether there is more after this cursor already.
    """

    cursor: str
    changes: tuple[Change, ...] = ()
    is_more: bool = False


class Freshness(Struct, frozen=True, kw_only=True):
    """How old what one sees is.

    Attributes:
        at: When it was true for sure; None where it is true now.
        is_live: Whether questions reach the desk itself.
        says: That in a sentence, for the header; empty where there is nothing to say.
        is_read_only: Whether it is too old to change anything by.
    """

    at: At | None = None
    is_live: bool = True
    says: str = ""
    is_read_only: bool = False
