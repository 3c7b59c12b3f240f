"""How verdicts are scored against the labels: what is counted, and what is made of the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.simulate import Labelled
from tests.bench.world.doubt import WITHOUT_QUESTION

RESETS = frozenset({"reset-all", "reset-factor"})
NO_RESET = frozenset({"E1", "E5", "D4b", "C5", *(f"A{n}" for n in range(1, 8))})
NO_SEND = frozenset({"C3", "C10", "D9"})
HOLDING = frozenset({None, "stop", "flag", "end-sessions", "suspend-factor", "route"})


@dataclass(frozen=True)
class Scored:
    """One case and what was said of it, as little as the counting needs.

    Attributes:
        said: Cause ids, best first.
        p: The number that came with the first.
    """

    name: str
    plot: str
    richness: str
    truth: tuple[str, ...]
    undecidable: tuple[str, ...]
    blind: bool
    said: tuple[str, ...]
    p: float
    ask: str | None
    act: str | None
    ms: float

    @property
    def top1(self) -> bool:
        """Whether the first cause said is one of those that were played."""
        return bool(self.said) and self.said[0] in self.truth

    @property
    def main_first(self) -> bool:
        """Whether the first cause said is the main one."""
        return bool(self.said) and self.said[0] == self.truth[0]

    @property
    def top3(self) -> bool:
        """Whether the main cause is among the first three."""
        return self.truth[0] in self.said[:3]

    @property
    def hostile(self) -> bool:
        """Whether an attacker was played."""
        return any(cause.startswith("F") for cause in self.truth)

    @property
    def alarmed(self) -> bool:
        """Whether an attack was said first, or the agent told to stop."""
        return self.act == "stop" or (bool(self.said) and self.said[0].startswith("F"))

    @property
    def harmful(self) -> bool:
        """Whether the act advised would do harm."""
        truth = set(self.truth)
        if self.hostile:
            return self.act not in HOLDING
        return (self.act in RESETS and bool(truth & NO_RESET)) or (
            self.act == "send-code" and bool(truth & NO_SEND)
        )

    @property
    def honest(self) -> bool:
        """Whether, for a pair the log cannot decide, both are on top and the question is asked."""
        return any(self._honest_about(pair) for pair in self.undecidable)

    def _honest_about(self, pair: str) -> bool:
        first, second = pair.split("/")
        asked = self.ask is not None and self.ask.replace("-", " ") in (pair, first)
        if second == "lost phone":
            return asked
        both = {first, second} == set(self.said[:2])
        return both and (asked or pair in WITHOUT_QUESTION)


def scored(case: Labelled, line: dict[str, Any], ms: float) -> Scored:
    """Return the score of one line of output."""
    causes = line["causes"]
    return Scored(
        name=case.name, plot=case.plot, richness=case.richness, truth=case.truth,
        undecidable=case.undecidable, blind=case.blind,
        said=tuple(cause["id"] for cause in causes), p=causes[0]["p"] if causes else 0.0,
        ask=line.get("ask"), act=line.get("act"), ms=ms,
    )  # fmt: skip


def share(cases: Iterable[Scored], what: str) -> float:
    """The share of *cases* of which *what* is true; not a number where there are none."""
    marks = [bool(getattr(case, what)) for case in cases]
    return sum(marks) / len(marks) if marks else float("nan")


def calibration(cases: Sequence[Scored], bins: int = 10) -> float:
    """The expected calibration error of the first cause's number."""
    boxes: dict[int, list[Scored]] = {}
    for case in cases:
        boxes.setdefault(min(int(case.p * bins), bins - 1), []).append(case)
    return sum(
        abs(share(box, "top1") - sum(case.p for case in box) / len(box)) * len(box) / len(cases)
        for box in boxes.values()
    )


def table(cases: Sequence[Scored]) -> list[tuple[str, int, float, float, str]]:
    """Per cause: how many, recall, precision of the first cause, what is said instead."""
    rows = []
    said = Counter(case.said[0] for case in cases if case.said)
    for cause in sorted({case.truth[0] for case in cases}, key=lambda c: (c[0], len(c), c)):
        mine = [case for case in cases if case.truth[0] == cause]
        right = sum(case.top1 for case in mine)
        precise = sum(1 for case in cases if case.said[:1] == (cause,) and cause in case.truth)
        wrong = Counter(case.said[0] if case.said else "-" for case in mine if not case.top1)
        instead = " ".join(f"{name}:{count}" for name, count in wrong.most_common(4))
        precision = precise / said[cause] if said[cause] else float("nan")
        rows.append((cause, len(mine), right / len(mine), precision, instead))
    return rows


def confusion(cases: Sequence[Scored]) -> list[tuple[str, str, int]]:
    """The commonest mistakes: played, said, how often."""
    pairs = Counter(
        (case.plot, case.said[0] if case.said else "-") for case in cases if not case.top1
    )
    return [(plot, said, count) for (plot, said), count in pairs.most_common(12)]
