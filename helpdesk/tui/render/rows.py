"""Rows of lists: which columns a list has, and what a value looks like in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Generic, TypeVar

from msgspec import Struct

from helpdesk.domain.audit import LogRow, Result, title_of
from helpdesk.domain.challenges import ChallengeState
from helpdesk.domain.diagnosis.verdicts import Strength
from helpdesk.domain.products import Product
from helpdesk.domain.search import ChallengeRow, LoopRow, UserRow, UserState
from helpdesk.domain.text import clean
from helpdesk.tui.render.values import SHORT, ago, clock, span

T = TypeVar("T")


class Scene(Struct, frozen=True):
    """What a row is drawn with beside itself: the cards, the time, who looks."""

    cards: Mapping[str, Product]
    now: datetime
    agent: str = ""

    def product(self, product_id: str) -> str:
        """The product's short name; the id where there is no card."""
        card = self.cards.get(product_id)
        return clean(card.short if card else product_id, limit=SHORT)


class Cell(Struct, frozen=True):
    """The text of one column of one row, and how it looks.

    Attributes:
        look: `plain`, `quiet`, `strong`, `good`, `warn` or `bad`.
    """

    text: str
    look: str = "plain"


class Column(Struct, Generic[T], frozen=True, kw_only=True):
    """One column of a list.

    Attributes:
        width: In cells, the gap after it not counted; 0 shares what is left.
        weight: Its share of what is left.
        from_width: The list's width below which the column is left out.
        until_width: The list's width from which it is left out; 0 for none.
    """

    title: str
    cell: Callable[[T, Scene], Cell]
    width: int = 0
    weight: int = 1
    from_width: int = 0
    until_width: int = 0


def outside(text: str) -> str:
    """Return a text from outside, fit for one cell of a list."""
    return clean(text, limit=SHORT)


GLYPHS: Final = {
    UserState.LOCKED: ("■", "bad"),
    UserState.FLAGGED: ("⚑", "bad"),
    UserState.LOOP: ("●", "warn"),
    UserState.PENDING: ("◔", "warn"),
    UserState.SUSPENDED: ("‖", "warn"),
    UserState.OFF: ("○", "quiet"),
    UserState.NONE: ("–", "quiet"),
    UserState.OK: ("·", "quiet"),
}
"""A glyph for each state of a user; the word stands beside it."""

WORDS: Final = {
    UserState.OFF: "MFA off",
    UserState.NONE: "no MFA",
}


def state_words(row: UserRow) -> str:
    """Return a user's state as a list says it: `loop ×6`, `locked`, `ok`."""
    if row.state is UserState.LOOP and row.rounds:
        return f"loop ×{row.rounds}"
    if row.state is UserState.OK and row.ticket is not None and row.ticket.complaint is not None:
        return row.ticket.complaint.words
    return WORDS.get(row.state, row.state.value)


def _state(row: UserRow, scene: Scene) -> Cell:
    if row.state is UserState.OFF and row.off_until and row.off_until <= scene.now:
        return Cell("MFA off, due", "warn")
    if row.state is UserState.OFF and row.off_since:
        days = max(0, (scene.now - row.off_since).days)
        return Cell(f"{'MFA ' if days < 100 else ''}off {days} d", GLYPHS[row.state][1])
    return Cell(state_words(row), GLYPHS[row.state][1])


def _product(row: UserRow, scene: Scene) -> Cell:
    return Cell(scene.product(row.product), "quiet")


def _ticket(row: UserRow, scene: Scene) -> Cell:
    if row.ticket is None:
        return Cell("")
    who = "☎" if row.ticket.on_phone else "mine" if row.ticket.agent == scene.agent else ""
    return Cell(
        f"#{outside(row.ticket.id).lstrip('#')} {who}".strip(), "strong" if who else "quiet"
    )


USERS: Final[tuple[Column[UserRow], ...]] = (
    Column(title="", width=1, cell=lambda row, scene: Cell(*GLYPHS[row.state])),
    Column(title="User", weight=3, cell=lambda row, scene: Cell(outside(row.name))),
    Column(
        title="Account",
        weight=2,
        from_width=64,
        cell=lambda row, scene: Cell(outside(row.account), "quiet"),
    ),
    Column(title="Product", width=9, from_width=38, until_width=70, cell=_product),
    Column(title="Product", width=14, from_width=70, cell=_product),
    Column(title="State", width=12, cell=_state),
    Column(title="Ticket", width=10, from_width=52, cell=_ticket),
)
"""The list of users beside the case."""


def _has(row: LoopRow, scene: Scene) -> Cell:
    if row.ticket is None:
        return Cell("no ticket", "quiet")
    number = f"#{outside(row.ticket.id).lstrip('#')}"
    if row.ticket.agent is None:
        return Cell(f"{number} nobody", "warn")
    is_mine = row.ticket.agent == scene.agent
    who = "you" if is_mine else outside(row.ticket.agent)
    return Cell(f"{number} {who}", "strong" if is_mine else "plain")


def _rounds(row: LoopRow, scene: Scene) -> Cell:
    text = f"{row.report.rounds} in {span(row.report.seconds)}"
    return Cell(text, "bad" if row.report.rounds >= 10 else "warn")


def _cause(row: LoopRow, scene: Scene) -> Cell:
    return _why(row, with_word=True)


def _cause_brief(row: LoopRow, scene: Scene) -> Cell:
    return _why(row, with_word=False)


def _why(row: LoopRow, *, with_word: bool) -> Cell:
    if row.cause is None:
        return Cell("the log says nothing", "quiet")
    is_hostile = row.cause.group == "F"
    sure = STRENGTH_GLYPHS[row.cause.strength]
    word = f" {row.cause.strength.value:<7}" if with_word else ""
    stop = "■ STOP " if is_hostile else ""
    text = f"{stop}{sure}{word} {outside(row.cause.id)} {outside(row.cause.title)}"
    is_weak = row.cause.strength is Strength.WEAK
    return Cell(text, "bad" if is_hostile else "quiet" if is_weak else "plain")


STRENGTH_GLYPHS: Final = {Strength.CERTAIN: "●●●", Strength.STRONG: "●●○", Strength.WEAK: "●○○"}
"""How sure a cause is, as a glyph; the word stands beside it."""

LOOPS: Final[tuple[Column[LoopRow], ...]] = (
    Column(title="Rounds", width=12, cell=_rounds),
    Column(title="User", weight=3, cell=lambda row, scene: Cell(outside(row.name), "strong")),
    Column(title="Why", weight=7, until_width=100, cell=_cause_brief),
    Column(title="Why", weight=7, from_width=100, cell=_cause),
    Column(
        title="Product",
        width=14,
        from_width=110,
        cell=lambda row, scene: Cell(scene.product(row.product)),
    ),
    Column(
        title="Account",
        weight=3,
        from_width=150,
        cell=lambda row, scene: Cell(outside(row.account), "quiet"),
    ),
    Column(
        title="Age",
        width=10,
        from_width=70,
        cell=lambda row, scene: Cell(ago(row.report.at, scene.now), "quiet"),
    ),
    Column(title="Who has it", width=12, until_width=110, cell=_has),
    Column(title="Who has it", width=16, from_width=110, cell=_has),
    Column(
        title="Noticed by", width=10, from_width=170, cell=lambda row, scene: Cell(row.report.by)
    ),
    Column(
        title="What was said",
        weight=4,
        from_width=170,
        cell=lambda row, scene: Cell(outside(row.report.says), "quiet"),
    ),
)
"""The login-loop reports."""

CHALLENGE_LOOKS: Final = {
    ChallengeState.ASKED: "plain",
    ChallengeState.SENT: "plain",
    ChallengeState.DELIVERED: "plain",
    ChallengeState.UNDELIVERED: "bad",
    ChallengeState.REFUSED: "bad",
    ChallengeState.PASSED: "good",
    ChallengeState.LEFT: "warn",
}
CHALLENGE_GLYPHS: Final = {
    ChallengeState.ASKED: "?",
    ChallengeState.SENT: "→",
    ChallengeState.DELIVERED: "↓",
    ChallengeState.UNDELIVERED: "✗",
    ChallengeState.REFUSED: "✗",
    ChallengeState.PASSED: "✓",
    ChallengeState.LEFT: "–",
}


def _challenge_state(row: ChallengeRow, scene: Scene) -> Cell:
    line = row.line
    words = "never answered" if line.state is ChallengeState.LEFT else line.state.value
    reason = f": {outside(line.reason)}" if line.reason else ""
    return Cell(f"{CHALLENGE_GLYPHS[line.state]} {words}{reason}", CHALLENGE_LOOKS[line.state])


CHALLENGES: Final[tuple[Column[ChallengeRow], ...]] = (
    Column(
        title="Asked (UTC)",
        width=12,
        cell=lambda row, scene: Cell(clock(row.line.at, scene.now, seconds=True)),
    ),
    Column(
        title="Age",
        width=11,
        from_width=100,
        cell=lambda row, scene: Cell(ago(row.line.at, scene.now), "quiet"),
    ),
    Column(title="User", weight=3, cell=lambda row, scene: Cell(outside(row.name), "strong")),
    Column(title="Product", width=14, cell=lambda row, scene: Cell(scene.product(row.product))),
    Column(
        title="Account",
        weight=3,
        from_width=130,
        cell=lambda row, scene: Cell(outside(row.account), "quiet"),
    ),
    Column(
        title="Why",
        width=13,
        from_width=120,
        cell=lambda row, scene: Cell(outside(row.line.rule).replace("-", " "), "quiet"),
    ),
    Column(
        title="Channel",
        width=8,
        cell=lambda row, scene: Cell(outside(row.line.channel or row.line.factor)),
    ),
    Column(
        title="To",
        weight=2,
        from_width=100,
        cell=lambda row, scene: Cell(outside(row.line.to), "quiet"),
    ),
    Column(
        title="Sends",
        width=5,
        from_width=90,
        cell=lambda row, scene: Cell(
            str(row.line.sends), "warn" if row.line.sends > 2 else "plain"
        ),
    ),
    Column(title="State", width=20, cell=_challenge_state),
)
"""Recent challenges of everybody."""

RESULTS: Final = {
    Result.DONE: ("✓ done", "good"),
    Result.REFUSED: ("✗ refused", "bad"),
    Result.NEEDS: ("? needs more", "warn"),
    Result.FAILED: ("✗ failed", "bad"),
    Result.HELD: ("◔ held", "warn"),
}

LOG: Final[tuple[Column[LogRow], ...]] = (
    Column(
        title="#",
        width=6,
        from_width=90,
        cell=lambda row, scene: Cell(str(row.seq), "quiet"),
    ),
    Column(
        title="When (UTC)",
        width=12,
        cell=lambda row, scene: Cell(clock(row.at, scene.now, seconds=True)),
    ),
    Column(title="Agent", weight=1, cell=lambda row, scene: Cell(outside(row.agent))),
    Column(
        title="Role",
        width=15,
        from_width=130,
        cell=lambda row, scene: Cell(row.role.words, "quiet"),
    ),
    Column(
        title="Act",
        width=19,
        cell=lambda row, scene: Cell(outside(title_of(row.act)), "strong"),
    ),
    Column(title="User", weight=1, cell=lambda row, scene: Cell(outside(row.user))),
    Column(
        title="Factor",
        width=10,
        from_width=160,
        cell=lambda row, scene: Cell(outside(row.factor), "quiet"),
    ),
    Column(title="Result", width=12, cell=lambda row, scene: Cell(*RESULTS[row.result])),
    Column(title="Ticket", width=8, cell=lambda row, scene: Cell(outside(row.ticket))),
    Column(
        title="Reason",
        weight=3,
        from_width=100,
        cell=lambda row, scene: Cell(outside(row.reason)),
    ),
    Column(
        title="What was said",
        weight=4,
        from_width=150,
        cell=lambda row, scene: Cell(outside(row.says), "quiet"),
    ),
)
"""What agents did."""


def widths(columns: tuple[Column[T], ...], total: int) -> tuple[tuple[Column[T], int], ...]:
    """Return the columns that are shown in *total* cells, each with its width; one cell between."""
    shown = [
        column
        for column in columns
        if total >= column.from_width and not 0 < column.until_width <= total
    ]
    fixed = sum(column.width for column in shown) + len(shown) - 1
    free = max(0, total - fixed)
    weights = sum(column.weight for column in shown if not column.width)
    given: list[tuple[Column[T], int]] = []
    for column in shown:
        width = column.width
        if not width:
            width = free * column.weight // weights
            free -= width
            weights -= column.weight
        given.append((column, width))
    return tuple(given)
