"""A case on few lines, to read beside what was said about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

QUIET = frozenset({"id", "kind", "at", "place", "agent"})


def brief(case: dict[str, Any], rows: int = 40) -> Iterator[str]:
    """Give a case line by line: its last *rows* events, and how many others are shown."""
    user = case["user"]
    factors = [f"{f['kind']}:{f['state']}" for f in user.get("factors", ())]
    yield (
        f"{case['product']} now={case['now'][5:19]} says={case['complaint']} "
        f"login={user['login']} to={user.get('notification_address')} "
        f"mobile={user.get('mobile')} {factors} others={len(case.get('others', ()))} "
        f"answers={case.get('answers', [])}"
    )
    timeline = sorted(case["timeline"], key=lambda row: row["at"])
    if len(timeline) > rows:
        yield f"  … {len(timeline) - rows} earlier"
    for row in timeline[-rows:]:
        rest = " ".join(f"{key}={_short(value)}" for key, value in row.items() if key not in QUIET)
        yield f"  {row['at'][5:19].replace('T', ' ')} {row['kind']:9} {rest}"


def _short(value: Any) -> str:
    text = str(value)
    return text[11:19] if text.startswith("20") and "T" in text else text.replace("https://", "")
