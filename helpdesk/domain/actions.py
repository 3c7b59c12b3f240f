"""Actions: every change an agent can ask for, as a value.

The first sentence of each docstring is its help text on the screen and on the command line; the
tag is its name there.
An action says *what*; who may, what it needs and what it does are asked of `policies`, `previews`
and the desk.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, Struct

Short = Annotated[str, Meta(min_length=1, max_length=200)]
Long = Annotated[str, Meta(min_length=1, max_length=2_000)]


class Risk(StrEnum):
    """How much harm an act can do when the caller is not who they say."""

    NONE = "none"
    """Nothing changes for the user."""
    LOW = "low"
    """Something changes that the next login mends, or that only protects."""
    HIGH = "high"
    """A way in is opened, moved or removed: reason, ticket and a typed word are asked."""


class Action(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="act",
):
    """A change to one user.

    Attributes:
        reason: Why, in the agent's words.
        ticket: The ticket it belongs to.
    """

    title: ClassVar[str]
    risk: ClassVar[Risk]

    user: Short
    reason: Annotated[str, Meta(max_length=2_000)] = ""
    ticket: Annotated[str, Meta(max_length=40)] = ""

    @property
    def name(self) -> str:
        """The act's name on the command line, such as `reset-all`."""
        return str(self.__struct_config__.tag)


class FactorAction(Action, frozen=True, kw_only=True):
    """A change to one factor; without `factor` the desk takes the only one that fits, or asks."""

    factor: Annotated[str, Meta(max_length=200)] = ""


class SendCode(FactorAction, frozen=True, kw_only=True, tag="send-code"):
    """Send a new code to the factor the product allows."""

    title: ClassVar[str] = "Send code"
    risk: ClassVar[Risk] = Risk.LOW


class ResetFactor(FactorAction, frozen=True, kw_only=True, tag="reset-factor"):
    """Remove one factor, so that the user can enrol it anew."""

    title: ClassVar[str] = "Reset one factor"
    risk: ClassVar[Risk] = Risk.HIGH


class ResetAll(Action, frozen=True, kw_only=True, tag="reset-all"):
    """Remove all factors; the user enrols at the next login."""

    title: ClassVar[str] = "Reset all factors"
    risk: ClassVar[Risk] = Risk.HIGH


class TurnOffMfa(Action, frozen=True, kw_only=True, tag="turn-off-mfa"):
    """Turn the second proof off: the password alone lets in.

    Attributes:
        until: The day (YYYY-MM-DD) on which the account manager is reminded to turn it on again.
    """

    title: ClassVar[str] = "Turn MFA off"
    risk: ClassVar[Risk] = Risk.HIGH

    until: Annotated[str, Meta(max_length=10)] = ""


class TurnOnMfa(Action, frozen=True, kw_only=True, tag="turn-on-mfa"):
    """Turn the second proof on: number first, confirmation SMS, then Save."""

    title: ClassVar[str] = "Turn MFA on"
    risk: ClassVar[Risk] = Risk.LOW

    mobile: Annotated[str, Meta(max_length=40)] = ""
    save: bool = False


class ChangeAddress(Action, frozen=True, kw_only=True, tag="change-address"):
    """Change the address that codes are sent to."""

    title: ClassVar[str] = "Change address"
    risk: ClassVar[Risk] = Risk.HIGH

    address: Annotated[str, Meta(max_length=254)] = ""


class ChangeMobile(Action, frozen=True, kw_only=True, tag="change-mobile"):
    """Change the mobile number; an SMS goes out to confirm it."""

    title: ClassVar[str] = "Change mobile"
    risk: ClassVar[Risk] = Risk.HIGH

    mobile: Annotated[str, Meta(max_length=40)] = ""


class Unlock(Action, frozen=True, kw_only=True, tag="unlock"):
    """Lift the lock and clear the count of failures."""

    title: ClassVar[str] = "Unlock"
    risk: ClassVar[Risk] = Risk.LOW


class EndSessions(Action, frozen=True, kw_only=True, tag="end-sessions"):
    """End all sessions and forget remembered browsers."""

    title: ClassVar[str] = "End sessions"
    risk: ClassVar[Risk] = Risk.LOW


class SuspendFactor(FactorAction, frozen=True, kw_only=True, tag="suspend-factor"):
    """Suspend a factor: it lets nobody in until it is resumed."""

    title: ClassVar[str] = "Suspend factor"
    risk: ClassVar[Risk] = Risk.LOW


class ResumeFactor(FactorAction, frozen=True, kw_only=True, tag="resume-factor"):
    """Resume a suspended factor."""

    title: ClassVar[str] = "Resume factor"
    risk: ClassVar[Risk] = Risk.HIGH


class TemporaryPass(Action, frozen=True, kw_only=True, tag="temporary-pass"):
    """Make a temporary way in, shown once.

    Attributes:
        lost: The factor that is lost: it is switched off, and a password stands in for it. Empty
            where it is only out of reach today.
    """

    title: ClassVar[str] = "Temporary pass"
    risk: ClassVar[Risk] = Risk.HIGH

    lost: Annotated[str, Meta(max_length=200)] = ""


class EnrolTotp(Action, frozen=True, kw_only=True, tag="enrol-totp"):
    """Enrol an authenticator app: show the key once, then check the first code."""

    title: ClassVar[str] = "Enrol authenticator"
    risk: ClassVar[Risk] = Risk.HIGH

    code: Annotated[str, Meta(max_length=12)] = ""


class Route(Action, frozen=True, kw_only=True, tag="route"):
    """Hand the customer to whoever may help, with the words and the way from the card."""

    title: ClassVar[str] = "Route"
    risk: ClassVar[Risk] = Risk.NONE

    to: Annotated[str, Meta(max_length=40)] = ""


class Note(Action, frozen=True, kw_only=True, tag="note"):
    """Write a note on the case.

    Attributes:
        bundle: Whether it is the case bundle, which becomes a comment on its ticket.
        said: What the caller said, for the bundle, one a line: `D1/D2=later`.
    """

    title: ClassVar[str] = "Note"
    risk: ClassVar[Risk] = Risk.NONE

    text: Annotated[str, Meta(max_length=2_000)] = ""
    bundle: bool = False
    said: Annotated[str, Meta(max_length=4_000)] = ""


class TakeTicket(Action, frozen=True, kw_only=True, tag="take-ticket"):
    """Take a ticket of this user, or open one for somebody who just called."""

    title: ClassVar[str] = "Take ticket"
    risk: ClassVar[Risk] = Risk.NONE

    subject: Annotated[str, Meta(max_length=200)] = ""


class CloseTicket(Action, frozen=True, kw_only=True, tag="close-ticket"):
    """Close a ticket of this user."""

    title: ClassVar[str] = "Close ticket"
    risk: ClassVar[Risk] = Risk.NONE


class Flag(Action, frozen=True, kw_only=True, tag="flag"):
    """Mark the user as suspicious, with the reason."""

    title: ClassVar[str] = "Flag"
    risk: ClassVar[Risk] = Risk.NONE


class Reveal(Action, frozen=True, kw_only=True, tag="reveal"):
    """Show masked personal data; the log keeps who looked, and why."""

    title: ClassVar[str] = "Reveal"
    risk: ClassVar[Risk] = Risk.NONE


AnyAction = (
    SendCode | ResetFactor | ResetAll | TurnOffMfa | TurnOnMfa | ChangeAddress | ChangeMobile |
    Unlock | EndSessions
    | SuspendFactor | ResumeFactor | TemporaryPass | EnrolTotp | Route | Note | TakeTicket |
    CloseTicket | Flag | Reveal
)  # fmt: skip

ACTIONS: dict[str, type[AnyAction]] = {
    str(action.__struct_config__.tag): action
    for action in (
        SendCode, ResetFactor, ResetAll, TurnOffMfa, TurnOnMfa, ChangeAddress, ChangeMobile,
        Unlock, EndSessions,
        SuspendFactor, ResumeFactor, TemporaryPass, EnrolTotp, Route, Note, TakeTicket,
        CloseTicket, Flag, Reveal,
    )
}  # fmt: skip
"""Every act by its name on the command line, in the order the screen lists them."""


def summary(action: type[AnyAction]) -> str:
    """The first sentence of an action's docstring: its help text."""
    return (action.__doc__ or "").partition("\n")[0].rstrip(".")


def own_fields(action: type[AnyAction]) -> tuple[str, ...]:
    """The fields of an action beyond user, factor, reason and ticket: what `--set` may give."""
    common = {"user", "factor", "reason", "ticket"}
    return tuple(f.name for f in msgspec.structs.fields(action) if f.name not in common)
