"""What is read from the back row: few words with much room, numbers in block digits, what is next.

A terminal has one size of letters; larger is what stands alone, with empty lines around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Digits, Static

from helpdesk.domain.cases import Case
from helpdesk.domain.diagnosis.verdicts import Verdict
from helpdesk.domain.training.scenario import Scenario
from helpdesk.tui.render.codes import codes
from helpdesk.tui.render.rows import STRENGTH_GLYPHS
from helpdesk.tui.render.values import (
    BAD,
    GOOD,
    LABEL,
    LIVE,
    QUIET,
    STRONG,
    WARN,
    cells,
    clock,
    m_ss,
    show,
)
from helpdesk.tui.widgets.caller import HEADS, CallerPanel

EVIDENCE: Final = 2
"""Lines of evidence shown at most."""

KEPT: Final = 8
"""Utterances that are kept to be shown."""


class Block(NamedTuple):
    """Words that stand together; where room is short those of the highest rank go first."""

    rank: int
    words: Content


def spaced(blocks: Sequence[Block], width: int, height: int) -> Content:
    """Return blocks with as much room between their lines as fits into the height."""
    kept = [Block(rank, words) for rank, words in blocks if words.plain]
    while kept:
        wrapped = [block.words.wrap(max(1, width)) for block in kept]
        for between_lines, between_blocks in ((2, 3), (1, 2), (1, 1)):
            rows = _joined(wrapped, between_lines, between_blocks)
            if len(rows) <= height and (between_blocks > 1 or len(kept) == 1):
                return Content("\n").join(rows)
        if len(kept) == 1:
            return Content("\n").join(wrapped[0][: max(1, height)])
        last = max(range(len(kept)), key=lambda at: kept[at].rank)
        del kept[last]
    return Content("")


def _joined(wrapped: Sequence[Sequence[Content]], lines: int, blocks: int) -> list[Content]:
    """The rows of blocks: every so manieth line of a block, and blocks so far from each other."""
    rows: list[Content] = []
    for block in wrapped:
        rows += [Content("")] * (blocks - 1 if rows else 0)
        for at, line in enumerate(block):
            rows += [Content("")] * (lines - 1 if at else 0)
            rows.append(line)
    return rows


class Spaced(Widget):
    """Shows blocks in all the room it has."""

    blocks: reactive[tuple[Block, ...]] = reactive(())

    def render(self) -> Content:
        """The blocks, as many as fit."""
        return spaced(self.blocks, self.content_size.width, self.content_size.height)

    def on_resize(self, event: events.Resize) -> None:
        """Break the lines anew."""
        self.refresh()


class StageWords(CallerPanel):
    """Shows what was said last, large; the newest below."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario, ())
        self._heard: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        """Who is on the line, and the words."""
        name = self._scenario.person.name
        self.border_title = show(f" On the line: {name}, {self._scenario.caller.mood} ", limit=80)
        yield Spaced(id="said")

    def hear(self, who: str, says: str) -> None:
        """Add what somebody said: `caller`, `you`, or the `desk`."""
        self._heard = [*self._heard, (who, says)][-KEPT:]
        heads = {"caller": "Caller", "you": "You", "desk": "Desk"}
        shown = []
        for age, (speaker, words) in enumerate(reversed(self._heard)):
            look = HEADS.get(speaker, "") or GOOD
            text = show(words, "bold" if not age else QUIET, limit=600)
            head = Content.assemble((f"{heads.get(speaker, speaker)}  ", look))
            shown.append(Block(age, Content.assemble(head, text)))
        self.query_one("#said", Spaced).blocks = tuple(reversed(shown))

    def tick(self, seconds: int, speed: int, *, stands: bool) -> None:
        """Show nothing: the time stands in the strip below."""


class BigWhy(Vertical):
    """Shows the likeliest cause, how likely it is in block digits, and what to do about it."""

    case: reactive[Case | None] = reactive(None)
    verdict: reactive[Verdict | None] = reactive(None)

    def compose(self) -> ComposeResult:
        """The number, the words."""
        self.border_title = " Why "
        yield Digits("", id="chance")
        yield Spaced(id="why-words")

    def watch_verdict(self, verdict: Verdict | None) -> None:
        """Show another verdict; while one is asked for the old one stays."""
        if verdict is None or not self.is_mounted:
            return
        top = verdict.top
        chance = self.query_one("#chance", Digits)
        chance.display = top is not None
        chance.update(percent(top.p if top else 0.0))
        chance.set_class(verdict.is_hostile, "-stop")
        self.query_one("#why-words", Spaced).blocks = tuple(why_blocks(verdict))


def percent(chance: float) -> str:
    """Return a chance from 0 to 1 as block digits show it."""
    return f"{round(chance * 100)}%"


def left_of(seconds: float, *, is_known: bool) -> str:
    """Return what is left of a code's life as block digits show it."""
    return m_ss(seconds) if is_known else "-"


def why_blocks(verdict: Verdict) -> list[Block]:
    """Return what a verdict says, each thing as one block."""
    top = verdict.top
    if top is None:
        return [Block(0, Content.assemble(("The log says nothing at all.", WARN)))]
    glyphs = STRENGTH_GLYPHS[top.strength]
    head = Content.assemble(
        (f"{glyphs} {top.strength.value} ", QUIET), (f"{top.id}  ", LABEL), show(top.title, STRONG)
    )
    found = [Block(0, head)]
    if verdict.is_hostile:
        found.insert(0, Block(0, Content.assemble((" STOP ", f"{BAD} reverse"))))
    found += [
        Block(4 + n, Content.assemble(("◆ ", GOOD), show(one.says, limit=200)))
        for n, one in enumerate(top.evidence[:EVIDENCE])
    ]
    if verdict.ask is not None:
        found.append(Block(1, _said("Ask", show(verdict.ask.text, WARN, limit=300))))
    if verdict.act_says:
        found.append(Block(3, _said("Do", show(verdict.act_says, limit=300))))
    if verdict.say:
        found.append(Block(2, _said("Say", show(" ".join(verdict.say.split()), STRONG, limit=400))))
    return found


def _said(head: str, words: Content) -> Content:
    return Content.assemble((f"{head}  ", LABEL), words)


class BigCodes(Vertical):
    """Shows how long the live code still lives, in block digits, and all codes below."""

    case: reactive[Case | None] = reactive(None)
    now: reactive[datetime | None] = reactive(None)

    def compose(self) -> ComposeResult:
        """The life that is left, the codes."""
        self.border_title = " Codes "
        yield Digits("", id="life")
        yield Static(id="life-says")
        yield Spaced(id="code-words")

    def watch_case(self) -> None:
        """Show another case."""
        self._show()

    def watch_now(self) -> None:
        """Count down."""
        self._show()

    def _show(self) -> None:
        case = self.case
        if case is None or not self.is_mounted:
            return
        now = max(self.now or case.at, case.at)
        live = case.codes.live
        left = (live.expires_at - now).total_seconds() if live and live.expires_at else 0.0
        life = self.query_one("#life", Digits)
        life.update(left_of(left, is_known=left > 0 or live is None))
        life.set_class(left <= 0, "-none")
        says = Content.assemble((" no code lives now ", QUIET))
        if live is not None:
            known = "lives so long yet" if live.expires_at else "lives: how long is not documented"
            says = Content.assemble((f" ● LIVE {clock(live.at, now)} ", LIVE), f"  {known}")
        self.query_one("#life-says", Static).update(says)
        width = max(20, self.size.width - 6)
        shown = codes(case, None, now, width)
        self.query_one("#code-words", Spaced).blocks = (Block(0, shown),)


class Strip(Widget):
    """Shows what the presenter's key plays next, what the console said, and the keys.

    Attributes:
        does: What comes next.
        done: How many steps were played, of `of`.
        told: What the console said last.
        seconds: Of the play's clock.
        is_playing: Whether a step is being played.
    """

    does: reactive[str] = reactive("")
    done: reactive[int] = reactive(0)
    of: reactive[int] = reactive(1)
    told: reactive[tuple[str, bool]] = reactive(("", True))
    seconds: reactive[int] = reactive(0)
    is_playing: reactive[bool] = reactive(False)

    def __init__(self, keys: Sequence[tuple[str, str]]) -> None:
        super().__init__(id="strip")
        self._keys = keys

    def render(self) -> Content:
        """What was said, what is next, the keys with the time."""
        width = self.content_size.width
        words, is_good = self.told
        told = show(words, QUIET if is_good else WARN, limit=300)
        head = " NOW " if self.is_playing else " NEXT "
        is_over = self.done >= self.of and not self.is_playing
        says = "The end" if is_over else self.does
        count = f" {min(self.done + (not is_over), self.of)}/{self.of} "
        next_line = Content.assemble((head, LIVE), (count, QUIET), show(says, STRONG))
        keys = [
            Content.assemble((f"{key} ", f"bold {LABEL}"), f"{name}  ") for key, name in self._keys
        ]
        time = Content.assemble((m_ss(self.seconds), STRONG), " ")
        room = width - cells(time) - 1
        shown: list[Content] = []
        for key in keys:
            if cells(key) > room:
                break
            room -= cells(key)
            shown.append(key)
        last = Content.assemble(" ", *shown, " " * max(0, room), time)
        rows = [_first_line(told, width - 1), _first_line(next_line, width - 1), last]
        return Content("\n").join([Content.assemble(" ", rows[0]), *rows[1:]])


def _first_line(words: Content, width: int) -> Content:
    """The words in one line, cut where they are longer."""
    return words.truncate(max(1, width), ellipsis=True)
