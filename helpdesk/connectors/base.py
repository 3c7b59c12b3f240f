"""What a provider can be asked and told, and what it says it cannot do.

    asked: people, account, timeline(s) ─ and, of a provider elsewhere: find, named, since
    told:  one method an act; what it cannot do at all is in `supports`, and is refused beforehand

Factors come with their user and challenges with the timeline: what two questions would give can
disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from helpdesk.domain.cases import Handover
from helpdesk.domain.diagnosis.drift import Drift
from helpdesk.domain.lacks import Lack, lack_of
from helpdesk.domain.notices import Notice
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import Asking
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.users import Account, Factor, User


class Sender(Protocol):
    """What carries letters to customers."""

    async def send(self, notice: Notice) -> None:
        """Send one notice by mail.

        Raises:
            BadInput: It can never be sent; the sentence says why.
            Unreachable: It could not be sent now.
        """
        ...


class Supports(Struct, frozen=True, kw_only=True):
    """What a provider can do: everything but what it lacks.

    Attributes:
        provider: Its name, as a sentence begins with it.
        lacks: What it cannot do, each with the reason in its own words.
    """

    provider: str
    lacks: tuple[Lack, ...] = ()

    def lack(self, what: str) -> Lack | None:
        """Give why something is not possible; None where it is."""
        return lack_of(self.lacks, what)


class Found(Struct, frozen=True, kw_only=True):
    """People that a provider found.

    Attributes:
        users: At most as many as were asked for.
        says: Why there may be more than these, in a sentence; empty where these are all.
    """

    users: tuple[User, ...]
    says: str = ""


class Connector(Protocol):
    """Users, accounts and timelines, and one method for each act.

    An act is carried out inside the store's transaction and changes what the next question answers.
    All methods may
    raise `Unreachable`; those that name a user raise `NotFound` where there is none.

    A provider elsewhere takes part in no transaction of ours: an act that is done there stays done.
    So its acts are written to be repeated: what is gone already is no error, and one that breaks
    off halfway raises `BrokeOff` with what is done and what is left.

    Attributes:
        takes_part: Whether an act is part of the store's transaction, and undone with it.
    """

    takes_part: bool

    async def supports(self, user: User) -> Supports:
        """Give what can be done for a user, here and with the rights this desk has."""
        ...

    async def refresh(self) -> int:
        """Take in what changed elsewhere; give a number that changes when anything has."""
        ...

    async def people(self, users: Sequence[str]) -> Mapping[str, User]:
        """Give these users by id; whoever is not known is left out."""
        ...

    async def account(self, name: str) -> Account | None:
        """Give the account of this id, or None."""
        ...

    async def timeline(self, user: str) -> tuple[AnyEvent, ...]:
        """Give what happened to a user, oldest first."""
        ...

    async def timelines(self, users: Sequence[str]) -> Mapping[str, tuple[AnyEvent, ...]]:
        """Give the timelines of several users at once."""
        ...

    async def send_code(self, user: User, factor: Factor, card: Product, now: datetime) -> None:
        """Send a new code for the challenge that waits, or for the next one."""
        ...

    async def send_confirmation(self, user: User, mobile: str, now: datetime) -> None:
        """Send the SMS that confirms a number; it is not a login code."""
        ...

    async def reset(self, user: User, factors: tuple[Factor, ...], now: datetime) -> None:
        """Remove factors; with all of them gone the user must enrol at the next login."""
        ...

    async def turn_off(self, user: User, now: datetime, until: datetime | None) -> None:
        """Stop asking for a second proof; *until* is when somebody should turn it on again."""
        ...

    async def turn_on(self, user: User, now: datetime) -> None:
        """Ask for a second proof from now on (the Save of the set-up)."""
        ...

    async def change_address(self, user: User, address: str, now: datetime) -> None:
        """Send codes to another notification address from now on."""
        ...

    async def change_mobile(self, user: User, mobile: str, now: datetime) -> None:
        """Put another mobile number on record; its confirmation is `send_confirmation`."""
        ...

    async def unlock(self, user: User, now: datetime) -> None:
        """Lift locks and clear failure counts."""
        ...

    async def end_sessions(self, user: User, now: datetime) -> None:
        """End all sessions and forget remembered browsers."""
        ...

    async def suspend(self, user: User, factor: Factor, now: datetime) -> None:
        """Let nobody in by this factor until it is resumed."""
        ...

    async def resume(self, user: User, factor: Factor, now: datetime) -> None:
        """Let the user in by this factor again."""
        ...

    async def make_pass(self, user: User, now: datetime, until: datetime) -> str:
        """Make a temporary way in and give it once; only a salted hash is kept."""
        ...

    async def replace_lost(self, user: User, factor: Factor, now: datetime, until: datetime) -> str:
        """Switch a lost factor off, and give once a password that stands in for it until then."""
        ...

    async def begin_totp(self, user: User, issuer: str, now: datetime) -> tuple[str, str]:
        """Make a pending authenticator; give its key and its `otpauth://` address once."""
        ...

    async def confirm_totp(self, user: User, code: str, now: datetime) -> bool:
        """Check the first code of the pending authenticator.

        If it is right, the factor is active.
        """
        ...

    async def drift(
        self,
        user: User,
        factor: Factor,
        codes: Sequence[str],
        now: datetime,
        others_s: Sequence[float],
    ) -> Drift:
        """Measure a phone's clock by codes read out; the secret stays here, only the offset leaves.

        *others_s* are offsets that other users were seen with in the same minutes.
        """
        ...

    async def ask_proof(self, person: User, asking: Asking, now: datetime) -> str | None:
        """Send what proves the caller over the channel that was asked for.

        Give what the agent must read out for it, such as the number to choose on the device; else
        None. What must be answered never comes back.
        """
        ...

    async def check_proof(self, person: User, asking: Asking, told: str, now: datetime) -> bool:
        """Whether what the caller read back is right."""
        ...

    async def shown(self, person: User, askings: Sequence[Asking], now: datetime) -> list[Handover]:
        """Give what a person's devices show now; only a demo's provider knows any."""
        ...

    async def flag(self, user: User, reason: str, now: datetime) -> None:
        """Mark the user as suspicious."""
        ...


class Provider(Connector, Protocol):
    """A connector to people who are kept elsewhere, and so are searched for there.

    Ids of its users and accounts begin with the connector's name and a colon, so that several
    providers can stand behind one desk, and the log of a desk means the same for ever.

    Attributes:
        name: What the settings call it.
    """

    name: str

    async def find(self, words: Sequence[str], *, limit: int) -> Found:
        """Give people of whom each of these words says something, as well as the provider can.

        Who asks narrows further: more may be given than match, never fewer. Without a word:
        anybody.
        """
        ...

    async def named(self, login: str) -> Sequence[User]:
        """Give the users of this login, whatever its case."""
        ...

    async def since(self, at: datetime, *, limit: int) -> Sequence[str]:
        """Give the ids of those who did something since a moment, those seen last first."""
        ...

    async def inspect(self) -> Sequence[str]:
        """Say, in sentences, what holds of this provider and of this desk's rights there.

        Its version, the difference of the clocks, what will not be possible and why.
        """
        ...

    def close(self) -> None:
        """Let go of all connections; blocking."""
        ...
