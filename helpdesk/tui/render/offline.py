"""What waits, what is unknown and what is in conflict, in words."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content

from helpdesk.domain.offline import Fact, State, Wish
from helpdesk.domain.text import clean
from helpdesk.tui.render.values import (
    BAD,
    GOOD,
    LABEL,
    QUIET,
    SHORT,
    STRONG,
    WARN,
    Entry,
    ago,
    clock,
    entry,
    fit,
    show,
)

WORDS: dict[State, tuple[str, str]] = {
    State.QUEUED: ("◔ waits to be sent", WARN),
    State.SENT: ("◔ is being sent", WARN),
    State.DONE: ("✓ done", GOOD),
    State.REFUSED: ("✗ refused", BAD),
    State.UNKNOWN: ("? not known whether done", BAD),
    State.EXPIRED: ("✗ expired: not done", BAD),
    State.CONFLICT: ("≠ not as it was", BAD),
    State.LOST: ("✗ never arrived: not done", BAD),
}
"""Each state as a word and a sign."""

SHOWN_FIRST = (
    State.CONFLICT, State.UNKNOWN, State.LOST, State.EXPIRED, State.REFUSED, State.QUEUED,
    State.SENT,
)  # fmt: skip
"""The order in which wishes are shown: first what an agent can decide on."""

COLUMN = 24
"""Cells of one side of a comparison."""


def banner_line(says: str, *, is_loud: bool, can_see: bool) -> Content:
    """Return the line that stands below the header; empty where there is nothing to say."""
    if not says:
        return Content("")
    more = ("  ! shows it", LABEL) if can_see else ""
    sign, look = ("▲ ", BAD) if is_loud else ("◔ ", WARN)
    return Content.assemble((f" {sign}", look), show(says, look, limit=300), more)


def worth_showing(wishes: tuple[Wish, ...]) -> list[Wish]:
    """Return the wishes an agent should see, those to decide on first, then in their order."""
    rank = {state: number for number, state in enumerate(SHOWN_FIRST)}
    found = [one for one in wishes if one.state in rank]
    return sorted(found, key=lambda one: rank[one.state])


def wish_entries(wish: Wish, now: datetime) -> list[Entry]:
    """Return all there is to a wish; of a conflict both sides beside each other."""
    words, look = WORDS[wish.state]
    found = [
        entry("what", show(wish.title, STRONG)),
        entry("user", show(wish.user or "–")),
        entry("wished", show(f"{clock(wish.at, now)}, {ago(wish.at, now)}")),
        entry("state", show(words, look)),
    ]
    if wish.expires_at is not None and wish.is_waiting:
        found.append(entry("until", show(clock(wish.expires_at, now), WARN)))
    if wish.says:
        found.append(entry("so", show(wish.says, limit=400)))
    if wish.found or wish.state is State.CONFLICT:
        found += [entry("", Content("")), *_sides(wish, now)]
    if wish.action is not None:
        found += [entry("", Content("")), *_wanted(wish)]
    return found


def _sides(wish: Wish, now: datetime) -> list[Entry]:
    seen_at = f"you saw {clock(wish.seen_at, now)}" if wish.seen_at else "you saw"
    head = Content.assemble((fit(seen_at, COLUMN), LABEL), " ", ("it is", LABEL))
    rows = [entry("", head, width=16)]
    found = {fact.what: fact.value for fact in wish.found}
    for fact in wish.seen or tuple(Fact(what=one, value="–") for one in found):
        is_now = found.get(fact.what, "not there")
        look = WARN if is_now != fact.value else QUIET
        sides = Content.assemble(
            (fit(clean(fact.value, limit=SHORT), COLUMN), ""),
            " ",
            show(is_now, look, limit=COLUMN * 2),
        )
        rows.append(entry(fact.what, sides, width=16))
    return rows


def _wanted(wish: Wish) -> list[Entry]:
    """What was asked for, in the words that would be sent."""
    action = wish.action
    if action is None:
        return []
    said = [
        (name, getattr(action, name, ""))
        for name in ("ticket", "factor", "subject", "text", "reason")
    ]
    parts = [f"{name} {value}" for name, value in said if value]
    words = f"{action.title}: {', '.join(parts)}" if parts else action.title
    return [entry("you want", show(clean(words, limit=400), limit=400))]
