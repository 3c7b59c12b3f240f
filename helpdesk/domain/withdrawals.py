"""Agents and sign-ins that count no more at a desk, though a token of the issuer's still would."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from helpdesk.domain.errors import SignInAgain, Unauthorised


class Withdrawal(Struct, frozen=True, kw_only=True):
    """What an agent has no more at this desk.

    Attributes:
        agent: Whose sign-ins it is about, by id.
        at: What was begun up to then counts no more.
        is_barred: Whether nothing counts, what is begun later neither.
        sign_in: The one sign-in it is about; empty for all of them.
        ends_at: When it is of no use any more, since no token lives so long; None for never.
    """

    agent: str
    at: datetime
    is_barred: bool = False
    sign_in: str = ""
    ends_at: datetime | None = None


def check_withdrawn(
    withdrawal: Withdrawal, *, sign_in: str, authenticated_at: datetime, issued_at: datetime
) -> None:
    """Hold a withdrawal against a sign-in of its agent.

    Args:
        withdrawal: It.
        sign_in: What stands for the sign-in.
        authenticated_at: When the agent last proved who they are.
        issued_at: When the token was made that is shown now.

    Raises:
        Unauthorised: The agent was withdrawn, or this sign-in was ended.
        SignInAgain: All sign-ins of then were ended; a new one counts.
    """
    if withdrawal.is_barred:
        raise Unauthorised("You were withdrawn from this desk. Ask who runs it.")
    if withdrawal.sign_in:
        if withdrawal.sign_in == sign_in and issued_at <= withdrawal.at:
            raise Unauthorised("This sign-in was ended. Sign in again.")
    elif authenticated_at <= withdrawal.at:
        raise SignInAgain("Your sign-ins at this desk were ended. Sign in again.")
