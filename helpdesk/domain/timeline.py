"""The timeline: what happened to a user, event by event, in the kinds of the case format.

One Struct a kind; a kind nobody here knows becomes `Other` and is shown as it came. Keys that a
kind does not name are kept in `extra` and written back unchanged, because real logs carry more
than we read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from operator import attrgetter
from typing import Any, Final, Union

import msgspec
from msgspec import Struct, field

from helpdesk.domain.shifting import STILL, moved
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


class _Stamp(Struct):
    at: At
    kind: str
    id: str | None = None


_ANY: Any = Union[tuple(KINDS.values())]  # noqa: UP007  (of what the table has)

FORMS: Final = (_Stamp, *KINDS.values(), list[_ANY])
"""The forms events are read by."""

_NAMES = {
    kind: frozenset(kind.__struct_encode_fields__) - {"+"} | {"kind"} for kind in KINDS.values()
}


def _more_times(kind: type[Event]) -> tuple[str, ...]:
    """Give the attributes of a kind that are moments beside `at`.

    By the words they are written with: to ask msgspec takes longer than all else that is here.
    """
    written = kind.__annotations__
    return tuple(name for name in written if written[name] in {"At", "At | None"})


_MORE_TIMES = {kind: more for kind in KINDS.values() if (more := _more_times(kind))}


def decode_event(raw: Any, by: timedelta = STILL) -> AnyEvent:
    """Return the event that one JSON object of a timeline stands for, its times moved *by* so much.

    Raises:
        msgspec.ValidationError: A required key is missing or a value has the wrong type; the text
        names the place.
    """
    name = raw.get("kind") if isinstance(raw, dict) else None
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raw = moved(raw, by) if by else raw
        stamp = msgspec.convert(raw, _Stamp)
        return Other(at=_utc(stamp.at, "at"), kind=stamp.kind, id=stamp.id, raw=raw)
    unknown = raw.keys() - _NAMES[kind]
    known = {key: raw[key] for key in raw if key not in unknown} if unknown else raw
    event = _timed(msgspec.convert(known, kind), by)
    if unknown:
        extra = {key: raw[key] for key in sorted(unknown)}
        event = msgspec.structs.replace(event, extra=moved(extra, by) if by else extra)
    return event  # type: ignore[return-value]


def _timed(event: Event, by: timedelta) -> Event:
    """An event just read, with its times moved, in UTC and within bounds."""
    at = _moved(event.at, by) if by else event.at
    if at.tzinfo is not UTC or not FIRST <= at <= LAST:
        at = _utc(at, "at")
    _put_times(event, at, by)
    return event


def _put_times(event: Event, at: datetime, by: timedelta) -> None:
    """Set when an event was, and move its other times, in UTC and within bounds.

    Nobody else knows the event yet: to make a copy of each would take as long as to read it.
    """
    put = msgspec.structs.force_setattr
    if at is not event.at:
        put(event, "at", at)
    for own in _MORE_TIMES.get(type(event), ()):
        value = getattr(event, own)
        if value is None:
            continue
        moment = _moved(value, by) if by else value
        if moment.tzinfo is not UTC or not FIRST <= moment <= LAST:
            moment = _some_time(moment)
        put(event, own, moment)


def _moved(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:
        return at  # year 9999 stands for never, and never does not move


def _utc(at: datetime, name: str) -> datetime:
    """A moment something happened, in UTC; there is none before computers had clocks."""
    try:
        found = at.astimezone(UTC)
    except OverflowError:
        found = at.replace(tzinfo=UTC)
    if not FIRST <= found <= LAST:
        says = f"Expected a moment between {FIRST.year} and {LAST.year} - at `$.{name}`"
        raise msgspec.ValidationError(says)
    return found


def _some_time(at: datetime) -> datetime:
    """Bring an end that a log writes as *never* (9999) or *not set* (1) within bounds."""
    try:
        found = at.astimezone(UTC)
    except OverflowError:
        found = at.replace(tzinfo=UTC)
    return min(max(found, FIRST), LAST)


def decode_timeline(raws: Iterable[Any] | bytes, by: timedelta = STILL) -> tuple[AnyEvent, ...]:
    """Return the events of a timeline, oldest first, each `id` once, times moved *by* so much.

    Events may come unordered or twice; of two with the same id the first stays. Two of the same
    instant keep the order in which they came. Bytes are a JSON array, and are read quickest.

    Raises:
        msgspec.ValidationError: As `decode_event`; the place begins with the event's index.
        msgspec.DecodeError: It is no JSON.
    """
    if not isinstance(raws, bytes):
        raws = [*raws]
    events = _together(raws, by)
    if events is None:
        told = msgspec.json.decode(raws, type=list[Any]) if isinstance(raws, bytes) else raws
        events = [*_one_by_one(told, by)]
    named = [event.id for event in events if event.id is not None]
    if len({*named}) < len(named):
        events = _each_once(events)
    events.sort(key=attrgetter("at"))
    return tuple(events)


def _each_once(events: Iterable[AnyEvent]) -> list[AnyEvent]:
    seen: set[str] = set()
    kept: list[AnyEvent] = []
    for event in events:
        if event.id is not None:
            if event.id in seen:
                continue
            seen.add(event.id)
        kept.append(event)
    return kept


def _together(raws: list[Any] | bytes, by: timedelta) -> list[AnyEvent] | None:
    """The events where all are right and hold nothing but what their kind names; else None.

    A long timeline is read in a third of the time when it is read at once.
    """
    events: list[Any]
    try:
        if isinstance(raws, bytes):
            # One character is looked for in a tenth of the time.
            events, is_plain = _decoder().decode(raws), b"+" not in raws or b'"+"' not in raws
        else:
            events = msgspec.convert(raws, list[_ANY])
            is_plain = not any("+" in raw for raw in raws)
    except msgspec.DecodeError:
        return None
    if not is_plain or not events:
        return events if is_plain else None
    times = [event.at for event in events]
    if not _stays_within(min(times), max(times), by):
        return None
    put = msgspec.structs.force_setattr
    for event, at in zip(events, times, strict=True):
        if at.tzinfo is not UTC:
            _timed(event, by)
        elif type(event) in _MORE_TIMES:
            _put_times(event, at + by, by)
        elif by:
            put(event, "at", at + by)
    return events


def _stays_within(first: datetime, last: datetime, by: timedelta) -> bool:
    """Whether two moments are within bounds, also when they are moved."""
    try:
        return min(first, first + by) >= FIRST and max(last, last + by) <= LAST
    except OverflowError:
        return False


@cache
def _decoder() -> msgspec.json.Decoder[list[Any]]:
    return msgspec.json.Decoder(list[_ANY])


def _one_by_one(raws: Iterable[Any], by: timedelta) -> Iterator[AnyEvent]:
    for index, raw in enumerate(raws):
        try:
            yield decode_event(raw, by)
        except msgspec.ValidationError as error:
            says, _, path = str(error).partition(" - at `$")
            raise msgspec.ValidationError(f"{says} - at `$[{index}]{path or '`'}") from None


def by_type(events: Iterable[AnyEvent]) -> dict[type[Any], list[Any]]:
    """Return events by their type, of each in the order they have."""
    found: defaultdict[type[Any], list[Any]] = defaultdict(list)
    for event in events:
        found[type(event)].append(event)
    return dict(found)


def encode_event(event: AnyEvent) -> dict[str, Any]:
    """Return the JSON object of an event, with the keys nobody here knew as they came."""
    if isinstance(event, Other):
        return dict(event.raw)
    raw: dict[str, Any] = msgspec.to_builtins(event)
    extra: dict[str, Any] = raw.pop("+", {})
    return raw | extra
