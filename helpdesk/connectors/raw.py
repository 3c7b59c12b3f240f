"""Lenient reading of a provider's answers: what is missing, null or of another type is nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import structs

from helpdesk.domain.originals import ROW
from helpdesk.domain.timeline import FIRST, LAST, AnyEvent, Other


def inner(raw: Any, *path: str) -> Any:
    """Give what lies at a path of keys; None where any step of it is not there."""
    for key in path:
        raw = raw.get(key) if isinstance(raw, dict) else None
    return raw


def text(raw: Any, *path: str) -> str:
    """Give the words at a path; empty where there are none, or the word is `null`."""
    found = inner(raw, *path)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return ""
    words = str(found).strip()
    return "" if words.casefold() == "null" else words


def rows(raw: Any, *path: str) -> list[dict[str, Any]]:
    """Give the objects of the list at a path, in order; whatever is no object is left out."""
    found = inner(raw, *path)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def number(raw: Any, *path: str) -> float | None:
    """Give the number at a path, also where it is written as words; None where there is none."""
    with contextlib.suppress(ValueError, OverflowError):
        found = float(text(raw, *path))
        return found if abs(found) < 1e15 else None
    return None


def moment(raw: Any, *path: str) -> datetime | None:
    """Give the moment at a path, in UTC: RFC 3339, with no zone read as UTC.

    None where it is no moment, or none that an event can have.
    """
    with contextlib.suppress(msgspec.ValidationError, ValueError, OverflowError):
        found = msgspec.convert(text(raw, *path), datetime)
        return bounded(found if found.tzinfo else found.replace(tzinfo=UTC))
    return None


def beside(events: Sequence[AnyEvent], row: Mapping[str, Any]) -> list[AnyEvent]:
    """Give events with the row that they were told by beside them, as it came.

    It holds personal data: no case carries it out of the desk, only `Original` does.
    """
    return [
        structs.replace(event, raw={ROW: dict(row), **event.raw})
        if isinstance(event, Other)
        else structs.replace(event, extra={ROW: dict(row), **event.extra})
        for event in events
    ]


def epoch(value: float | None) -> datetime | None:
    """Give the moment so many seconds after 1970, in UTC; None where an event can have none."""
    if value is None:
        return None
    with contextlib.suppress(ValueError, OverflowError, OSError):
        return bounded(datetime.fromtimestamp(value, UTC))
    return None


def bounded(at: datetime) -> datetime | None:
    """Give an aware moment in UTC, or None where it lies outside what a timeline can hold."""
    with contextlib.suppress(OverflowError):
        found = at.astimezone(UTC)
        return found if FIRST <= found <= LAST else None
    return None
