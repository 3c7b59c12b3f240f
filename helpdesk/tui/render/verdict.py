"""The verdict in words: why, how sure, by what evidence, what to ask, to do and to say.

Every line has a rank; where there is little room the lines of low rank go first, and what is
shown keeps its order:

    alarm · top cause · ask, do, say │ evidence · who else · what is of no use · other causes

What to ask, to do and to say is cut, never left out, while anything weaker could stand there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from textual.content import Content

from helpdesk.domain import diagnosis
from helpdesk.domain.cases import Case
from helpdesk.domain.diagnosis.attempts import named_events
from helpdesk.domain.diagnosis.fleet import FleetFinding, FleetFindings
from helpdesk.domain.diagnosis.verdicts import (
    UNTOLD,
    CallerSaid,
    Evidence,
    NoUse,
    RankedCause,
    Source,
    Strength,
    Verdict,
)
from helpdesk.domain.text import clean
from helpdesk.domain.timeline import AnyEvent
from helpdesk.tui.render.rows import STRENGTH_GLYPHS, Scene
from helpdesk.tui.render.values import (
    BAD,
    GOOD,
    LABEL,
    QUIET,
    SHORT,
    STRONG,
    WARN,
    Entry,
    cells,
    clock,
    fit,
    hanging,
    lines,
    pressable,
    show,
)

HEAD: Final = 12
"""Cells of what stands before each line."""

LIKELY: Final = 0.02
"""Causes less likely than this are not shown beside the first."""

BRIEF: Final = 3
"""Up to so many lines an alarm stands in the line of the cause."""

CAUSE, ASK, DO, SAY = 0, 1, 2, 3
"""Ranks: of the cause and its alarm, of what to ask, to do and to say; all others are weaker."""

LOOKS: Final = {Strength.CERTAIN: STRONG, Strength.STRONG: STRONG, Strength.WEAK: QUIET}

FOR, AGAINST = "◆", "◇"
"""What marks evidence for and against, here and in the timeline."""

SOURCES: Final = {
    Source.LOG: "log",
    Source.CALLER: "caller",
    Source.FLEET: "others",
    Source.CARD: "card",
}

MEASURED: Final = frozenset({"D4", "D4b", "D5", "D6"})
"""Causes that the drift meter tells apart."""

SAFE: Final = ("end-sessions", "flag")
"""Acts that do no harm, whoever calls: they stand beside the word to stop."""

Events = Mapping[str, AnyEvent]
"""Events by the names that lines of evidence give them."""

Keys = Mapping[str, tuple[str, str, str]]
"""By act or action: Textual's name of its key, the key as printed, its label."""


class Line(NamedTuple):
    """One line with its rank: the lower, the sooner it is shown."""

    rank: int
    entry: Entry


def waiting(fault: str, room: int) -> Content:
    """Return what stands in the verdict's place while there is none: that it comes, or why not."""
    if fault:
        return Content.assemble(("▲ ", BAD), show(fault, WARN))
    return Content.assemble(("weighing …", QUIET))


class Shown(NamedTuple):
    """What is shown of a verdict, and of how many lines not all is."""

    content: Content
    cut: int


def why(
    verdict: Verdict,
    case: Case,
    said: Sequence[CallerSaid],
    events: Events,
    keys: Keys,
    width: int,
    room: int,
) -> Shown:
    """Return the verdict in at most *room* lines of *width* cells; the least is never left out."""
    is_brief = room <= (BRIEF if verdict.is_hostile else BRIEF + 1)
    found = list(_lines(verdict, case, said, events, keys, width, is_brief))
    sizes = [hanging((line.entry,), width).plain.count("\n") + 1 for line in found]
    given = _shares([line.rank for line in found], sizes, room)
    parts = [
        _cut(hanging((line.entry,), width), lines_of, width)
        for line, lines_of in zip(found, given, strict=True)
        if lines_of
    ]
    cut = sum(share < size for share, size in zip(given, sizes, strict=True))
    return Shown(Content("\n").join(parts), cut)


def whole(
    verdict: Verdict, case: Case, said: Sequence[CallerSaid], events: Events, keys: Keys, width: int
) -> list[Entry]:
    """Return all of a verdict in lines of about *width* cells."""
    return [line.entry for line in _lines(verdict, case, said, events, keys, width, is_brief=False)]


def _shares(ranks: Sequence[int], sizes: Sequence[int], room: int) -> list[int]:
    """Return how many of its lines each part gets: none, some, or all.

    The cause and what is to be asked, done and said get one each, the cause in any case, and then
    the rest of them in the order of rank; what is weaker gets all of its lines or none.
    """
    given = [0] * len(ranks)
    order = sorted(range(len(ranks)), key=lambda at: ranks[at])
    strong = [at for at in order if ranks[at] <= SAY]
    for at in strong:
        given[at] = int(ranks[at] <= ASK or sum(given) < room)
    for at in strong:
        given[at] += max(0, min(sizes[at] - given[at], room - sum(given))) if given[at] else 0
    for at in order:
        if ranks[at] > SAY and sum(given) + sizes[at] <= room:
            given[at] = sizes[at]
    return given


def _cut(shown: Content, rows: int, width: int) -> Content:
    """Return the first rows of what is shown, the last of them with a mark where more follow."""
    kept = shown.split("\n", allow_blank=True)
    if len(kept) <= rows:
        return shown
    last = kept[rows - 1].rstrip()
    if cells(last) > width - 2:
        last = last.truncate(width - 2).rstrip()
    return Content("\n").join([*kept[: rows - 1], Content.assemble(last, (" …", WARN))])


def _lines(
    verdict: Verdict,
    case: Case,
    said: Sequence[CallerSaid],
    events: Events,
    keys: Keys,
    width: int,
    is_brief: bool,
) -> Iterator[Line]:
    top = verdict.top
    if top is None:
        yield Line(0, _entry("nothing", show(UNTOLD, QUIET)))
    else:
        if not is_brief:
            yield from _alarm(verdict, top)
        yield Line(0, _cause(top, width, verdict if is_brief else None))
        yield from _evidence(verdict, top, events, case.at)
        for rank, other in enumerate(_others(verdict), 10):
            yield Line(rank, _cause(other, width, None))
    yield from _heard(verdict, top)
    if verdict.also_others:
        yield Line(4, _entry("▲ Others", show(verdict.also_others, WARN), WARN))
    if verdict.cannot_tell:
        yield Line(6, _entry("Cannot tell", show(verdict.cannot_tell.removeprefix("cannot tell "))))
    if verdict.ask:
        yield Line(ASK, Entry(_key(keys, "ask", "Ask", "reply"), show(verdict.ask.text, STRONG)))
    elif said:
        head = _key(keys, "ask", "Ask", "undo")
        yield Line(
            13, Entry(head, show("Nothing more to ask. The last reply can be taken back.", QUIET))
        )
    yield from _do(verdict, case, keys)
    if verdict.say:
        head = _key(keys, "copy", "Say", "copy")
        yield Line(SAY if verdict.ask else ASK, Entry(head, show(_one_line(verdict.say))))
    for n, no in enumerate(no_use(verdict.will_not_help, keys)):
        yield Line(14 if n else 7, _entry("✗ Not", show(no, QUIET)))


def _alarm(verdict: Verdict, top: RankedCause) -> Iterator[Line]:
    if verdict.is_hostile:
        says = "Hostile until shown otherwise. Change nothing for the caller."
        yield Line(0, _entry("■ STOP", show(says, BAD), BAD))
    elif verdict.is_by_design:
        yield Line(0, _entry("✓ By design", show("Nothing is broken.", GOOD), GOOD))


def _cause(cause: RankedCause, width: int, merged: Verdict | None) -> Entry:
    glyph, look = STRENGTH_GLYPHS[cause.strength], LOOKS[cause.strength]
    head = Content.assemble((glyph, look), (f" {fit(cause.strength.value, HEAD - 4)}", look))
    words = Content.assemble(show(f"{cause.id} ", LABEL), show(cause.title, look))
    if merged and merged.is_hostile:
        words = Content.assemble(("■ STOP  ", BAD), words)
    elif merged and merged.is_by_design:
        words = Content.assemble(("✓ Nothing is broken  ", GOOD), words)
    share = percent(cause.p)
    gap = width - HEAD - cells(words) - len(share)
    if gap >= 3:
        words = Content.assemble(words, " " * gap, (share, QUIET))
    return Entry(head, words)


def percent(p: float) -> str:
    """Return a chance as a percentage that never claims all or nothing."""
    return "> 99 %" if p >= 0.995 else "< 1 %" if p < 0.005 else f"{p * 100:.0f} %"


def _others(verdict: Verdict) -> list[RankedCause]:
    asked = set(verdict.ask.pair.split("/")) if verdict.ask else set()
    return [one for one in verdict.causes[1:4] if one.p >= LIKELY or one.id in asked]


def _evidence(verdict: Verdict, top: RankedCause, events: Events, now: datetime) -> Iterator[Line]:
    shown = [one for one in top.evidence if not verdict.also_others.startswith(one.says)]
    for n, one in enumerate(shown):
        rank = 5 if n == 0 or one.source is Source.CALLER else 9 + 2 * n
        yield Line(rank, _entry(f"{FOR} {_whence(one, events, now)}", show(one.says), GOOD))
    for n, one in enumerate(top.against):
        says = Content.assemble(("against: ", WARN), show(one.says))
        rank = 5 if one.source is Source.CALLER else 10 + 2 * n
        yield Line(rank, _entry(f"{AGAINST} {_whence(one, events, now)}", says, WARN))


def evidence_events(timeline: Sequence[AnyEvent], verdict: Verdict | None) -> Events:
    """Return by name the events that the first cause of a verdict rests on, for and against."""
    top = verdict.top if verdict else None
    lines_of = (*top.evidence, *top.against) if top else ()
    return named_events(timeline, (name for line in lines_of for name in line.events))


def marks(events: Events, verdict: Verdict | None) -> dict[int, str]:
    """Return the marks of the events a first cause rests on, by the identity of the event."""
    top = verdict.top if verdict else None
    sides = ((AGAINST, top.against), (FOR, top.evidence)) if top else ()
    return {
        id(events[name]): mark
        for mark, evidence in sides
        for line in evidence
        for name in line.events
        if name in events
    }


def _whence(one: Evidence, events: Events, now: datetime) -> str:
    """The time of the newest event a line rests on, else where it comes from."""
    times = [events[name].at for name in one.events if name in events]
    if not times or one.source is not Source.LOG:
        return SOURCES[one.source]
    at = max(times)
    return clock(at, now) if at.date() == now.date() else f"{at:%d %b}"


def _heard(verdict: Verdict, top: RankedCause | None) -> Iterator[Line]:
    shown = [*top.evidence, *top.against] if top else []
    for one in verdict.heard:
        words = clean(one.said, limit=120)
        is_shown = any(e.source is Source.CALLER and words in e.says for e in shown)
        if not one.reply:
            says = Content.assemble(show(words), ("  not understood, changes nothing", WARN))
            yield Line(4, _entry("? caller", says, WARN))
        elif not is_shown:
            says = Content.assemble(show(words), show(f"  to {one.ask}", QUIET))
            yield Line(5, _entry("  caller", says))


def _do(verdict: Verdict, case: Case, keys: Keys) -> Iterator[Line]:
    says = show(verdict.act_says)
    top = verdict.top
    name = verdict.act or ""
    if top is not None and top.id in MEASURED and not verdict.is_hostile:
        key, shown, label = keys["drift"]
        chip = pressable(Content.assemble((shown, STRONG), f" {label}"), key=key)
        says = Content.assemble(chip, "  ", says)
    chips = [_chip(one, case, keys) for one in (SAFE if verdict.is_hostile else (name,))]
    says = Content("  ").join([*(chip for chip in chips if chip.plain), says])
    decision = case.decision(name) if name in keys else None
    if decision is not None and decision.is_refused:
        says = Content.assemble(says, " ", show(f"But: {decision.why}", QUIET))
    if says.plain:
        yield Line(DO, _entry("Do", says))


def _chip(name: str, case: Case, keys: Keys) -> Content:
    """An act with its key and whether it may be done; nothing where that was not asked."""
    decision = case.decision(name) if name in keys else None
    if decision is None:
        return Content("")
    key, shown, label = keys[name]
    glyph, look = ("✗", BAD) if decision.is_refused else ("✓", GOOD)
    return pressable(Content.assemble((f"{shown} ", STRONG), (glyph, look), f" {label}"), key=key)


def no_use(found: Sequence[NoUse], keys: Keys) -> list[str]:
    """Return what would not help, one sentence a reason with all acts it holds for."""
    by_why: dict[str, list[str]] = {}
    for no in found:
        why_not = no.why.partition("will not help: ")[2] or no.why
        by_why.setdefault(why_not, []).append(keys[no.act][2] if no.act in keys else no.act)
    return [f"{', '.join(acts)} will not help: {says}" for says, acts in by_why.items()]


def _entry(label: str, body: Content, look: str = LABEL) -> Entry:
    return Entry(Content.assemble((fit(clean(label, limit=SHORT), HEAD), look)), body)


def _key(keys: Keys, name: str, label: str, word: str) -> Content:
    """A label with the key that goes with it, to be pressed by mouse as well."""
    key, shown, _ = keys[name]
    head = Content.assemble((f"{label} ", LABEL), (shown, STRONG), (f" {word}", QUIET))
    return pressable(head.pad_right(max(0, HEAD - cells(head))), key=key)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def fleet_lines(findings: FleetFindings, scene: Scene, width: int, key: str) -> Content:
    """Return a line for each thing that hits many users at once, what matters most first.

    One that is longer than *width* cells ends in the key that shows all of it.
    """
    return lines(_short(fleet_line(one, scene), width, key) for one in findings.findings)


def _short(line: Content, width: int, key: str) -> Content:
    more = Content.assemble(("… more ", QUIET), (key, STRONG))
    if cells(line) <= width:
        return line
    kept = line.truncate(max(0, width - cells(more) - 1)).rstrip()
    gap = width - cells(kept) - cells(more)
    return Content.assemble(kept, " " * max(1, gap), pressable(more, key=key))


def fleet_line(one: FleetFinding, scene: Scene) -> Content:
    """Return what one thing does to how many users, in one line however long."""
    causes = diagnosis.CAUSES
    title = causes[one.cause].title if one.cause in causes else ""
    return Content.assemble(
        ("▲ ", BAD),
        show(f"{scene.product(one.product)}, " if one.product else "", STRONG),
        ("reset nobody: ", STRONG),
        show(one.says, WARN),
        show(f" · {one.cause} ", LABEL),
        show(title),
    )
