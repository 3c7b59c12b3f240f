"""The verdict: why it keeps asking, ranked, with what speaks for and against each cause."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct


def clock(at: datetime) -> str:
    """Give a moment as it is said to anybody: `14:03 UTC`."""
    moment = at if at.tzinfo is UTC else at.astimezone(UTC)
    return f"{moment.hour:02}:{moment.minute:02} UTC"


class Strength(StrEnum):
    """How sure a cause is, in a word."""

    CERTAIN = "certain"
    STRONG = "strong"
    WEAK = "weak"


class Source(StrEnum):
    """Where a line of evidence comes from."""

    LOG = "log"
    CALLER = "caller"
    FLEET = "fleet"
    CARD = "card"


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line that speaks for a cause, or against it.

    Attributes:
        weight: In nats: how much likelier the cause is for it; negative where it speaks against.
        events: The events it rests on: an event's `id`, or `#n` for the n-th of the timeline,
            oldest first, where it has none.
    """

    says: str
    weight: float
    events: tuple[str, ...] = ()
    source: Source = Source.LOG


class RankedCause(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One cause of the ranking.

    Attributes:
        id: `A1` … `F4`.
        p: The chance, 0 to 1, that it is (one of) the cause(s).
        evidence: What speaks for it, the weightiest first.
        against: What speaks against it, the weightiest first.
    """

    id: str
    title: str
    p: float
    strength: Strength
    evidence: tuple[Evidence, ...] = ()
    against: tuple[Evidence, ...] = ()

    @property
    def group(self) -> str:
        """The letter of its group: `A` by design … `F` hostile."""
        return self.id[:1]


class Reply(Struct, frozen=True, kw_only=True):
    """One reply the caller may give to a question.

    Attributes:
        id: Short name, unique within its question.
    """

    id: str
    text: str


class Question(Struct, frozen=True, kw_only=True):
    """What to ask the caller to tell two causes apart.

    Attributes:
        pair: The two causes, as in `D1/D2`.
        lacks: What the log would have to hold to answer it.
    """

    pair: str
    text: str
    lacks: str
    replies: tuple[Reply, ...] = ()


class NoUse(Struct, frozen=True, kw_only=True):
    """An act that would not help here, and why."""

    act: str
    why: str


class CallerSaid(Struct, frozen=True, kw_only=True):
    """A reply of the caller.

    Attributes:
        ask: The pair it decides, or a cause's id.
        reply: A canonical reply's id or text, or the caller's own words.
    """

    ask: str
    reply: str


class Heard(Struct, frozen=True, kw_only=True):
    """What the caller said, and what it was taken to mean.

    Attributes:
        reply: The canonical reply's id; empty where the words were not understood, and then they
            change nothing.
    """

    ask: str
    said: str
    reply: str = ""


UNTOLD: Final = "The log says nothing from which a cause could be told."
"""What is said where no cause is found."""


class Verdict(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why it keeps asking.

    Attributes:
        causes: Likeliest first; empty where the log says nothing at all.
        ask: The question that decides between the first two, or None.
        cannot_tell: What the log lacks to decide; empty where it lacks nothing.
        say: What to tell the customer, up to three lines.
        act: The act that mends it by its command-line name, `stop` where it is hostile, or None.
        act_says: Why that act, or what to do where there is none.
        will_not_help: Acts that would change nothing or do harm.
        nothing_is_broken: It asks by design.
        is_hostile: Stop: hostile until shown otherwise.
        also_others: The cause that many users share at this moment; empty where they do not.
        heard: What the caller said so far.
    """

    causes: tuple[RankedCause, ...] = ()
    ask: Question | None = None
    cannot_tell: str = ""
    say: str = ""
    act: str | None = None
    act_says: str = ""
    will_not_help: tuple[NoUse, ...] = ()
    nothing_is_broken: bool = False
    is_hostile: bool = False
    also_others: str = ""
    heard: tuple[Heard, ...] = ()

    @property
    def acting(self) -> str:
        """What to do and what it does, in a line; `none.` where there is nothing."""
        return f"{self.act or 'none'}. {self.act_says}".rstrip()

    @property
    def top(self) -> RankedCause | None:
        """The likeliest cause, or None."""
        return self.causes[0] if self.causes else None

    @property
    def is_by_design(self) -> bool:
        """Whether nothing is broken, and that is more than a guess."""
        top = self.top
        return self.nothing_is_broken and top is not None and top.strength is not Strength.WEAK
