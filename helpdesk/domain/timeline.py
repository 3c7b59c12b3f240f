"""The timeline: what happened to a user, event by event, in the kinds of the case format.

One Struct a kind; a kind nobody here knows becomes `Other` and is shown as it came. Keys that a
kind does not name are kept in `extra` and written back unchanged, because real logs carry more
than we read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct, field

from helpdesk.domain.users import At

FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""Between these an event can be: spans around it must not fall off the calendar."""


class Event(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="kind",
    gc=False,
    forbid_unknown_fields=True,
):
    """One thing that happened, at `at`.

    There are many, and none holds another: the garbage collector need not look at them.
    What a kind does not name is taken out before one is read, and put into `extra`.

    Attributes:
        extra: Keys the kind does not name; on the wire they stand beside the others.
    """

    at: At
    id: str | None = None
    extra: dict[str, Any] = field(default_factory=dict, name="+")

    @property
    def kind(self) -> str:
        """The kind's name in the case format."""
        return str(self.__struct_config__.tag)


class Password(Event, frozen=True, kw_only=True, tag="password"):
    """The password was given; `door` is the address of the page it was given to."""

    ok: bool
    ip: str | None = None
    network: str | None = None
    place: str | None = None
    browser: str | None = None
    agent: str | None = None
    door: str | None = None


class PolicyHours(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A session policy and how many hours it lets a sign-in live."""

    name: str
    hours: float | None = None


class Challenge(Event, frozen=True, kw_only=True, tag="challenge"):
    """The product asked for a second proof.

    `rule` says why, `trust` what the browser brought along.
    """

    challenge: str
    rule: str | None = None
    factor: str | None = None
    ip: str | None = None
    network: str | None = None
    place: str | None = None
    browser: str | None = None
    agent: str | None = None
    door: str | None = None
    tab: str | None = None
    trust: str | None = None
    trust_since: At | None = None
    policies: tuple[PolicyHours, ...] | None = None


class Resend(Event, frozen=True, kw_only=True, tag="resend"):
    """The user asked for another code."""

    challenge: str
    allowed: bool | None = None
    retry_after_s: float | None = None


class Send(Event, frozen=True, kw_only=True, tag="send"):
    """One message with a code left for the user; `to` is masked at the source."""

    send: str
    channel: str
    challenge: str | None = None
    to: str | None = None
    purpose: str | None = None
    expires_at: At | None = None


class Delivery(Event, frozen=True, kw_only=True, tag="delivery"):
    """What became of a send, in the carrier's or mail server's words."""

    send: str
    state: str
    code: str | None = None
    detail: str | None = None


class Fetch(Event, frozen=True, kw_only=True, tag="fetch"):
    """A link or code in a message was opened."""

    send: str
    ip: str | None = None
    agent: str | None = None


class Answer(Event, frozen=True, kw_only=True, tag="answer"):
    """A code was typed, or a push answered. `drift_s` is positive where the phone is ahead."""

    challenge: str
    ok: bool
    reason: str | None = None
    send: str | None = None
    drift_s: float | None = None
    ip: str | None = None
    browser: str | None = None


class Session(Event, frozen=True, kw_only=True, tag="session"):
    """A session was made, came back with the next request, was missing, or ended."""

    state: str
    challenge: str | None = None
    browser: str | None = None
    ip: str | None = None
    level: int | str | None = None
    cause: str | None = None


class Redirect(Event, frozen=True, kw_only=True, tag="redirect"):
    """The browser was sent in circles: *count* times in *seconds*."""

    count: int
    origin: str | None = field(default=None, name="from")
    to: str | None = None
    seconds: float | None = None
    browser: str | None = None


class FactorChange(Event, frozen=True, kw_only=True, tag="factor"):
    """A factor, number or address was enrolled, changed or taken away."""

    change: str
    factor: str | None = None
    by: str | None = None
    ip: str | None = None


class Lock(Event, frozen=True, kw_only=True, tag="lock"):
    """The user was locked from `since` (the event's `from`) until `until`."""

    since: At = field(name="from")
    until: At | None = None
    cause: str | None = None
    failures: int | None = None


class Report(Event, frozen=True, kw_only=True, tag="report"):
    """The user said: not me, declined, suspicious."""

    what: str
    factor: str | None = None
    detail: str | None = None


class Reset(Event, frozen=True, kw_only=True, tag="reset"):
    """Factors were reset: one or all."""

    ok: bool
    by: str | None = None
    scope: str | None = None


class Call(Event, frozen=True, kw_only=True, tag="call"):
    """The customer contacted the desk; `origin` is the event's `from`, masked."""

    channel: str | None = None
    asks: str | None = None
    origin: str | None = field(default=None, name="from")


class Export(Event, frozen=True, kw_only=True, tag="export"):
    """Contacts were exported (S3.5)."""

    ok: bool | None = None
    ip: str | None = None
    browser: str | None = None


class Other(Struct, frozen=True, kw_only=True):
    """An event of a kind that is not in the case format: shown, never judged."""

    at: At
    kind: str
    id: str | None = None
    raw: dict[str, Any] = field(default_factory=dict)


AnyEvent = (
    Password | Challenge | Resend | Send | Delivery | Fetch | Answer | Session | Redirect |
    FactorChange
    | Lock | Report | Reset | Call | Export | Other
)  # fmt: skip

KINDS: dict[str, type[Event]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (
        Password, Challenge, Resend, Send, Delivery, Fetch, Answer, Session, Redirect, FactorChange,
        Lock, Report, Reset, Call, Export,
    )
}  # fmt: skip
"""The event kinds of the case format by their name there."""


def by_type(events: Iterable[AnyEvent]) -> dict[type[Any], list[Any]]:
    """Return events by their type, of each in the order they have."""
    found: defaultdict[type[Any], list[Any]] = defaultdict(list)
    for event in events:
        found[type(event)].append(event)
    return dict(found)
