"""Times moved into the present: in JSON values, which tell them by key and form, and in records."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from types import UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

S = TypeVar("S")

STILL: Final = timedelta(0)

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_PLAIN = frozenset({str, int, float, bool, type(None)})
_TIMES = frozenset({"at", "since", "until", "locked_until", "from", "trust_since"})


def moved(value: Any, by: timedelta) -> Any:
    """Return a JSON value with every time in it moved; a time is known by its key and its form."""
    if isinstance(value, dict):
        # Most of what is in a file is plain text or a number: it is passed over here.
        return {
            key: part
            if type(part) in _PLAIN and not (key in _TIMES or key[-3:] == "_at")
            else _moved_entry(key, part, by)
            for key, part in value.items()
        }
    if isinstance(value, Mapping):
        return {key: _moved_entry(key, part, by) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [moved(part, by) for part in value]
    return value


def shifted(value: S, by: timedelta) -> S:
    """Return a value with every time in it moved, those that `moved` moves in its document."""
    changed: dict[str, Any] = {}
    for name, is_time in _movable(cast(Hashable, type(value))):
        part = getattr(value, name)
        if type(part) is datetime:
            if is_time:
                changed[name] = later(part, by)
        elif not part:
            continue
        elif type(part) is tuple and isinstance(part[0], msgspec.Struct):
            changed[name] = tuple([shifted(one, by) for one in part])
        elif isinstance(part, msgspec.Struct):
            changed[name] = shifted(part, by)
        elif type(part) in {dict, list}:
            changed[name] = moved(part, by)
    return msgspec.structs.replace(value, **changed) if changed else value  # type: ignore[type-var]


def later(at: datetime, by: timedelta) -> datetime:
    """Return a moment moved; one that cannot be is as it was."""
    try:
        return at + by
    except OverflowError:
        return at  # as there: never does not move


@cache
def _movable(kind: Hashable) -> tuple[tuple[str, bool], ...]:
    """The fields of a form that hold more than a word or a number; whether each tells a time."""
    form: Any = kind
    fields = zip(form.__struct_fields__, form.__struct_encode_fields__, strict=True)
    hints = get_type_hints(form)
    return tuple(
        (name, key in _TIMES or key[-3:] == "_at")
        for name, key in fields
        if not _is_plain(hints[name])
    )


def _is_plain(hint: Any) -> bool:
    """Whether a field of this type can only hold a word or a number."""
    parts = get_args(hint)
    if get_origin(hint) in {Union, UnionType, Literal, Annotated}:
        return all(_is_plain(part) for part in parts)
    return (
        hint in _PLAIN
        or isinstance(hint, str | int)
        or (isinstance(hint, type) and issubclass(hint, Enum))
    )


def _moved_entry(key: str, value: Any, by: timedelta) -> Any:
    if isinstance(value, str):
        is_time = (key in _TIMES or key.endswith("_at")) and _MOMENT.fullmatch(value)
        try:
            return stamp(moment(value) + by) if is_time else value
        except OverflowError:
            return value  # year 9999 stands for never, and never does not move
    return moved(value, by)


def moment(text: str) -> datetime:
    """Return the moment that a text tells, in UTC.

    Raises:
        ValueError: It tells none.
    """
    return datetime.fromisoformat(text).astimezone(UTC)


def stamp(moment: datetime) -> str:
    """Return a moment as a text."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
