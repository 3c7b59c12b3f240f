"""Spans of time as a trainer writes them: `20s`, `1m30s`, `-45d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

_SECONDS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_SPAN: Final = re.compile(r"([+-]?)((?:\d+[dhms])+)")
_PART: Final = re.compile(r"(\d+)([dhms])")

LONGEST: Final = 10 * 365 * 86_400


class Span(int):
    """Whole seconds; negative before the moment they count from."""

    @property
    def delta(self) -> timedelta:
        """The span as a difference of moments."""
        return timedelta(seconds=int(self))


def span_of(text: Any) -> Span:
    """Return what a text such as `1m30s` means.

    Raises:
        ValueError: It is no span, or one of more than ten years.
    """
    found = _SPAN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("Expected a span such as `20s`, `1m30s` or `2d`")
    seconds = sum(int(n) * _SECONDS[unit] for n, unit in _PART.findall(found.group(2)))
    if seconds > LONGEST:
        raise ValueError("Expected a span of at most ten years")
    return Span(-seconds if found.group(1) == "-" else seconds)


def clock_words(seconds: float) -> str:
    """Return a moment of a play as it is shown: `3:07`."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def span_text(seconds: float) -> str:
    """Return seconds as a trainer writes them; what `span_of` reads."""
    left, words = abs(round(seconds)), ""
    for unit, size in _SECONDS.items():
        count, left = divmod(left, size)
        words += f"{count}{unit}" if count else ""
    return f"{'-' if seconds < 0 and words else ''}{words or '0s'}"
