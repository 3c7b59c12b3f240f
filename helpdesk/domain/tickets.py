"""Tickets and login-loop reports: what people told the desk."""

from enum import StrEnum

from msgspec import Struct

from helpdesk.domain.users import At


class Complaint(StrEnum):
    """What the customer says is wrong, in the words of the case format."""

    KEEPS_ASKING = "keeps-asking"
    NO_CODE = "no-code"
    CODE_REFUSED = "code-refused"
    LOOP = "loop"
    LOCKED = "locked"
    LOST_FACTOR = "lost-factor"
    UNASKED_CODES = "unasked-codes"
    TURN_OFF = "turn-off"

    @property
    def words(self) -> str:
        """The complaint as one reads it: `code refused`."""
        return self.value.replace("-", " ")


class Ticket(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request of one user.

    Attributes:
        agent: Id of the agent who has it; None while nobody has.
        on_phone: Whether the customer waits on the line.
        closed_at: None while it is open.
        system: Name of the ticket system it is kept in; empty where this desk keeps it itself.
    """

    id: str
    user: str
    subject: str
    opened_at: At
    complaint: Complaint | None = None
    agent: str | None = None
    on_phone: bool = False
    closed_at: At | None = None
    notes: tuple[str, ...] = ()
    system: str = ""

    @property
    def is_open(self) -> bool:
        """Whether work on it goes on."""
        return self.closed_at is None


class LoopReport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody is asked again and again, or sent in circles.

    Attributes:
        rounds: How often the browser came back to the same question.
        seconds: In how long.
        by: Who noticed: `user`, `agent` or `system`.
    """

    id: str
    user: str
    at: At
    rounds: int
    seconds: int
    by: str = "user"
    says: str = ""
    closed_at: At | None = None
