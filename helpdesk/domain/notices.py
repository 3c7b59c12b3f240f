"""Notices: whoever owns the account is told of every change to how they prove themselves.

To every address on record, to those a change takes away, and to those that were told in the last
72 hours: whoever moved the mailbox an hour ago cannot silence the one before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from helpdesk.domain.actions import (
    AnyAction,
    ChangeAddress,
    ChangeMobile,
    EnrolTotp,
    ResetAll,
    ResetFactor,
    ResumeFactor,
    SuspendFactor,
    TemporaryPass,
    TurnOffMfa,
    TurnOnMfa,
)
from helpdesk.domain.needs import is_address, is_mobile
from helpdesk.domain.products import Product
from helpdesk.domain.text import clean, mask, mask_mail
from helpdesk.domain.timeline import AnyEvent, FactorChange
from helpdesk.domain.users import At, FactorKind, User

REMEMBERED: Final = timedelta(hours=72)
"""How long an address that was taken away is still told: our own measure."""

CONTACT: Final = "Call the help desk on the number you know, not on one from a message,"
"""How to say that it was somebody else, where the settings name no better way."""

WORDS: Final[dict[type[AnyAction], str]] = {
    ResetFactor: "one of your ways to log in was removed",
    ResetAll: "all your ways to prove a login were removed",
    TurnOffMfa: "the second step of your login was turned off",
    TurnOnMfa: "the second step of your login is being turned on",
    ChangeAddress: "the address your codes are sent to was changed",
    ChangeMobile: "the mobile number on record was changed",
    SuspendFactor: "one of your ways to log in was suspended",
    ResumeFactor: "one of your ways to log in works again",
    TemporaryPass: "a temporary way to log in was made for you",
    EnrolTotp: "an authenticator app is being added to your login",
}
"""The acts that everybody is told of, as the customer reads them."""

REPLACED: Final = "one of your ways to log in was switched off, and a password made in its place"
"""What is said of a pass for a factor that is lost."""


class Channel(StrEnum):
    """How a notice travels."""

    EMAIL = "email"
    SMS = "sms"
    NONE = "none"
    """No address is on record: the notice stays at the desk, so that the lack is seen."""


class Posted(StrEnum):
    """Where a notice is."""

    TRAY = "tray"
    """In the desk's own mail tray: nothing is sent from here."""
    WAITING = "waiting"
    """To be sent, or to be sent again."""
    SENT = "sent"
    FAILED = "failed"
    """Given up; `says` tells why."""


class Notice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message to one address of one user about one act.

    Attributes:
        seq: The log row of the act.
        to: The whole address, for the sender; masked wherever it is shown.
        says: What the mail server said when it could not be sent.
        due_at: When sending it is tried next.
    """

    id: str
    at: At
    seq: int
    user: str
    act: str
    channel: Channel
    to: str
    subject: str
    body: str
    state: Posted = Posted.TRAY
    tries: int = 0
    says: str = ""
    due_at: At | None = None
    sent_at: At | None = None


class TrayRow(Struct, frozen=True, kw_only=True):
    """A notice as it is shown: the address masked."""

    id: str
    at: At
    seq: int
    user: str
    act: str
    channel: Channel
    to: str
    subject: str
    body: str
    state: Posted
    tries: int = 0
    says: str = ""
    sent_at: At | None = None


def is_told(action: AnyAction) -> bool:
    """Whether everybody is told of an act."""
    return type(action) in WORDS


def addresses(
    user: User, action: AnyAction | None, earlier: Iterable[Notice], now: datetime
) -> tuple[str, ...]:
    """Return every address to tell of an act, each once.

    *user* is as before the act; the new address or number of *action* is told too; *earlier* are
    the notices there are.
    """
    found = [user.login, user.notification_address, user.mobile]
    found += [f.to for f in user.live_factors if f.kind in _REACHABLE]
    if isinstance(action, ChangeAddress):
        found.append(action.address)
    elif isinstance(action, ChangeMobile | TurnOnMfa):
        found.append(action.mobile)
    found += [
        notice.to for notice in earlier if notice.user == user.id and now - notice.at <= REMEMBERED
    ]
    fit = [one.strip() for one in found if one and channel_of(one.strip()) is not Channel.NONE]
    return tuple({_same(one): one for one in reversed(fit)}.values())[::-1]


_REACHABLE = frozenset({FactorKind.EMAIL, FactorKind.SMS, FactorKind.VOICE})


def channel_of(address: str) -> Channel:
    """Return how an address is reached; `none` where it is neither a mail address nor a number."""
    if is_address(address):
        return Channel.EMAIL
    return Channel.SMS if is_mobile(address) else Channel.NONE


def notices_of(
    action: AnyAction,
    card: Product,
    user: User,
    earlier: Sequence[Notice],
    now: datetime,
    *,
    seq: int,
    contact: str = "",
) -> tuple[Notice, ...]:
    """Return the notices of an act, one an address, at least one; none for an act nobody is told.

    *user* is as before the act, *seq* the row of the act in the log: with it the ids are the same
    however often it is asked.
    """
    if not is_told(action):
        return ()
    to = addresses(user, action, earlier, now) or ("",)
    subject = f"{clean(card.name)}: {_what(action)}"
    return tuple(
        Notice(
            id=f"n{seq}-{number}",
            at=now,
            seq=seq,
            user=user.id,
            act=action.name,
            channel=channel_of(address),
            to=address,
            subject=subject,
            body=_body(action, card, user, now, channel_of(address), seq, contact or CONTACT),
        )
        for number, address in enumerate(to, 1)
    )


def _body(
    action: AnyAction,
    card: Product,
    user: User,
    now: datetime,
    channel: Channel,
    seq: int,
    contact: str,
) -> str:
    what, name = _what(action), clean(card.name)
    at = f"{now:%Y-%m-%d %H:%M} UTC"
    alarm = f"{contact} and say: this wasn't me, reference {seq}."
    if channel is Channel.SMS:
        return f"{name}: {what} ({at}). Not you? {alarm}"
    login = mask_mail(user.login) if "@" in user.login else "your login"
    ticket = f", ticket {clean(action.ticket.lstrip('#'))}" if action.ticket else ""
    return "\n".join(
        (
            f"Hello {clean(user.name, limit=80)},",
            "",
            f"on {at} {what}: {login} in {name}. Our help desk did this{ticket}.",
            "",
            "If you asked for it, there is nothing to do.",
            f"If you did not: {alarm}",
            "We stop what was done and look into it. We never ask you for a code or a password.",
        )
    )


def _what(action: AnyAction) -> str:
    is_lost = isinstance(action, TemporaryPass) and bool(action.lost)
    return REPLACED if is_lost else WORDS[type(action)]


def told_line(
    user: User,
    action: AnyAction | None,
    earlier: Iterable[Notice],
    timeline: Iterable[AnyEvent],
    now: datetime,
) -> str:
    """Return who is told of an act, masked, as one reads it before it is done."""
    to = [clean(mask(one)) for one in addresses(user, action, earlier, now)]
    if not to:
        return "Nobody can be told: no address is on record. Tell the customer yourself."
    words = f"A notice goes to {', '.join(to)}, with how to say: this wasn't me."
    moved = [
        event.at
        for event in timeline
        if isinstance(event, FactorChange)
        and event.change in {"address-changed", "number-changed"}
        and event.by != "agent"
        and now - event.at <= REMEMBERED
    ]
    if moved:
        words += (
            f" An address was changed on {max(moved):%Y-%m-%d %H:%M}, not by this desk: the one "
            "before is not known here and is not told."
        )
    return words


def tray_row(notice: Notice) -> TrayRow:
    """Return a notice as it is shown."""
    return TrayRow(
        id=notice.id,
        at=notice.at,
        seq=notice.seq,
        user=notice.user,
        act=notice.act,
        channel=notice.channel,
        to=clean(mask(notice.to)),
        subject=notice.subject,
        body=notice.body,
        state=notice.state,
        tries=notice.tries,
        says=clean(notice.says),
        sent_at=notice.sent_at,
    )


def bare_notice(notice: Notice) -> Notice:
    """Return a notice parted from its personal data."""
    return replace(notice, user="", to="", subject="", body="", says="", due_at=None)


def by_row(notices: Iterable[Notice]) -> Mapping[int, tuple[Notice, ...]]:
    """Return notices by the row of the log they belong to."""
    found: dict[int, tuple[Notice, ...]] = {}
    for notice in notices:
        found[notice.seq] = (*found.get(notice.seq, ()), notice)
    return found


def _same(address: str) -> str:
    """Return an address as it is compared: two ways to write it are one."""
    if "@" in address:
        return address.casefold()
    return "".join(character for character in address if character.isdigit())
