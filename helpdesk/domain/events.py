"""Reading events: from JSON or its values, moved in time, oldest first; and writing them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from operator import attrgetter
from typing import Any, Final, Union

import msgspec
from msgspec import Struct

from helpdesk.domain.shifting import STILL, moved
from helpdesk.domain.timeline import FIRST, KINDS, LAST, AnyEvent, Event, Other
from helpdesk.domain.users import At


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
        if moment is not value:
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
        events = [*_one_by_one(_values(raws), by)]
    named = [event.id for event in events if event.id is not None]
    if len({*named}) < len(named):
        events = _each_once(events)
    events.sort(key=attrgetter("at"))
    return tuple(events)


def _values(raws: list[Any] | bytes) -> list[Any]:
    return msgspec.json.decode(raws, type=list[Any]) if isinstance(raws, bytes) else raws


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
    """The events where all are right and of known kinds; else None.

    A long timeline is read in a third of the time when it is read at once.
    """
    events = _plain(raws)
    if events is None:
        events = _parted(_values(raws), by)
    if not events:
        return events
    times = [event.at for event in events]
    if not _stays_within(min(times), max(times), by):
        return None
    put = msgspec.structs.force_setattr
    for event, at in zip(events, times, strict=True):
        if at.tzinfo is not UTC:
            _timed(event, by)
        elif type(event) in _MORE_TIMES:
            _put_times(event, at + by if by else at, by)
        elif by:
            put(event, "at", at + by)
    return events


def _plain(raws: list[Any] | bytes) -> list[Any] | None:
    """Events that hold nothing but what their kind names, not moved yet; else None."""
    events: list[Any]
    try:
        if isinstance(raws, bytes):
            events, is_plain = _decoder().decode(raws), not _has_plus(raws)
        else:
            events = msgspec.convert(raws, list[_ANY])
            is_plain = not any("+" in raw for raw in raws)
    except msgspec.DecodeError:
        return None
    return events if is_plain else None


def _has_plus(raws: bytes) -> bool:
    """Whether a key may be `+`, under which what a kind does not name is kept here.

    JSON may also write it by its number. One character is looked for in a tenth of the time.
    """
    return (b"+" in raws and b'"+"' in raws) or (b"\\" in raws and b"\\u002" in raws)


def _parted(raws: list[Any], by: timedelta) -> list[Any] | None:
    """Events of known kinds, only what no kind names moved yet; None where one is no such event."""
    known: list[Any] = []
    beside: dict[int, dict[str, Any]] = {}
    for place, raw in enumerate(raws):
        name = raw.get("kind") if isinstance(raw, dict) else None
        kind = KINDS.get(name) if isinstance(name, str) else None
        if kind is None:
            return None
        unknown = raw.keys() - _NAMES[kind]
        if unknown:
            extra = {key: raw[key] for key in sorted(unknown)}
            beside[place] = moved(extra, by) if by else extra
        known.append({key: raw[key] for key in raw if key not in unknown} if unknown else raw)
    try:
        events: list[Any] = msgspec.convert(known, list[_ANY])
    except msgspec.ValidationError:
        return None
    for place, extra in beside.items():
        msgspec.structs.force_setattr(events[place], "extra", extra)
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


def encode_event(event: AnyEvent) -> dict[str, Any]:
    """Return the JSON object of an event, with the keys nobody here knew as they came."""
    if isinstance(event, Other):
        return dict(event.raw)
    raw: dict[str, Any] = msgspec.to_builtins(event)
    extra: dict[str, Any] = raw.pop("+", {})
    return raw | extra
