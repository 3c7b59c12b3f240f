"""Users, their factors and the accounts they belong to: the provider's truth about a person."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

At = Annotated[datetime, Meta(tz=True)]
"""A moment, aware, in UTC."""


ENDLESS = 2200
"""A lock until this year or later does not end by itself: the last moment of a timeline."""


class FactorKind(StrEnum):
    """How a second proof reaches the user.

    A code made on the phone is `totp`, and nothing is sent for it. A `passkey` is a key in a device
    that answers the page itself: there is no code at all, and nothing to read out.
    """

    EMAIL = "email"
    SMS = "sms"
    VOICE = "voice"
    PUSH = "push"
    TOTP = "totp"
    PASSKEY = "passkey"

    @property
    def is_sent(self) -> bool:
        """Whether something travels to the user (a generated code never does, S4.9)."""
        return self not in {FactorKind.TOTP, FactorKind.PASSKEY}

    @property
    def is_told(self) -> bool:
        """Whether its user can show to an agent that they have it; a passkey answers pages only."""
        return self is not FactorKind.PASSKEY

    @property
    def words(self) -> str:
        """The kind as the screen names it."""
        return {
            "email": "E-mail",
            "sms": "SMS",
            "voice": "Voice",
            "push": "Push",
            "totp": "Authenticator",
            "passkey": "Passkey",
        }[self.value]


class FactorState(StrEnum):
    """Where a factor is in its life."""

    ACTIVE = "active"
    PENDING = "pending"
    SUSPENDED = "suspended"
    LOCKED = "locked"
    REMOVED = "removed"


class VoiceWay(StrEnum):
    """The two kinds of telephone call (S2.8, S4.11)."""

    CONFIRM = "confirm"
    """The call asks whether it is really you (S2.8)."""
    HEAR_CODE = "hear-code"
    """The call reads out a code to type in (S4.11)."""


class Factor(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One way a user can prove themselves beside the password.

    Attributes:
        to: Where it goes: mail address, telephone number, or the device's name; personal, so
            masked when shown.
        failures: Wrong answers since the last good one.
    """

    id: str
    kind: FactorKind
    state: FactorState
    since: At | None = None
    to: str | None = None
    voice: VoiceWay | None = None
    failures: int = 0
    used_at: At | None = None


class MfaState(StrEnum):
    """Whether the product asks this user for a second proof."""

    ON = "on"
    OFF = "off"
    PENDING = "pending"
    """Number confirmed, never saved: not on (S3.13)."""
    NONE = "none"
    """There is no MFA for this kind of user (S1.29)."""


class Pass(Struct, frozen=True, kw_only=True):
    """A temporary way in. The pass itself is shown once and kept nowhere.

    This is its salted hash.
    """

    id: str
    made_at: At
    until: At
    salt: str
    sha256: str


class User(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who calls.

    Attributes:
        role: The product's own word for what they are, such as `sales-manager` or `agency-member`.
        notification_address: Where codes go when that is not the login address (S1.11).
        locked_until: The end of a lock; None when not locked.
        sessions: Open sessions; *remembered* counts browsers or addresses that are not asked.
        mfa_since: When MFA was last turned on or off here; None where the desk did neither.
        mfa_off_until: Until when it is meant to be off; None where nobody set a day.
        flagged: Why the user was marked suspicious; empty when not.
        seen_at: The time of the newest event, for sorting.
    """

    id: str
    name: str
    login: str
    account: str
    product: str
    role: str
    notification_address: str | None = None
    mobile: str | None = None
    mobile_confirmed: bool = True
    mfa: MfaState = MfaState.ON
    mfa_since: At | None = None
    mfa_off_until: At | None = None
    factors: tuple[Factor, ...] = ()
    locked_until: At | None = None
    sessions: int = 0
    remembered: int = 0
    flagged: str = ""
    passes: tuple[Pass, ...] = ()
    seen_at: At | None = None

    def factor(self, factor_id: str) -> Factor | None:
        """The factor with this id, or None."""
        return next((factor for factor in self.factors if factor.id == factor_id), None)

    @property
    def live_factors(self) -> tuple[Factor, ...]:
        """Factors that are not removed."""
        return tuple(f for f in self.factors if f.state is not FactorState.REMOVED)

    @property
    def lock_ends_at(self) -> datetime | None:
        """When the lock ends by itself; None where it does not, or nothing is locked.

        A provider that tells no end is written as one in the far future.
        """
        end = self.locked_until
        return None if end is None or end.year >= ENDLESS else end

    def is_locked(self, now: datetime) -> bool:
        """Whether the user or one of the factors is locked at *now*."""
        return (self.locked_until is not None and self.locked_until > now) or any(
            f.state is FactorState.LOCKED for f in self.factors
        )


class Account(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The customer: a company, an agency, a reseller.

    Attributes:
        manager: Id of the agent who is its account manager; None where it has none.
        administrators: User ids of those who administer it in the product.
    """

    id: str
    name: str
    product: str
    kind: str = "company"
    manager: str | None = None
    administrators: tuple[str, ...] = ()
