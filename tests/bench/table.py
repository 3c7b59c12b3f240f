"""What a row of the table is made of, and how the table is printed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from tests.bench.screen import Painted

T = TypeVar("T")

HEAD: Final = (
    "| row | what | n | ours p50 / p99 | beside it | its p50 / p99 | ratio p50 / p99 | goal | |\n"
    "|---|---|---:|---:|---|---:|---:|---|---|"
)


@dataclass(frozen=True)
class Sample:
    """Figures of one kind, as many as were taken.

    Args:
        unit: What they are in.
    """

    figures: Sequence[float]
    unit: str = "ms"

    @property
    def median(self) -> float:
        """The one in the middle."""
        return statistics.median(self.figures)

    @property
    def p99(self) -> float:
        """The one that a hundredth is above; the greatest of fewer than a hundred."""
        return sorted(self.figures)[min(len(self.figures) - 1, int(len(self.figures) * 0.99))]

    def __str__(self) -> str:
        if len(self.figures) == 1:
            return f"{_number(self.median)} {self.unit}"
        return f"{_number(self.median)} / {_number(self.p99)} {self.unit}"


@dataclass(frozen=True)
class Goal:
    """How our median, and where it is told our p99, may be to that of a yardstick.

    Args:
        most: The greatest ratio of the medians; None where only the other counts.
        most_p99: The greatest ratio of the p99.
        least: The least ratio of the medians, for what should be much.
    """

    most: float | None = None
    most_p99: float | None = None
    least: float | None = None

    def is_met(self, ours: Sample, beside: Sample) -> bool:
        """Whether the figures are as they should be."""
        median, p99 = ours.median / beside.median, ours.p99 / beside.p99
        return (
            (self.most is None or median <= self.most)
            and (self.most_p99 is None or p99 <= self.most_p99)
            and (self.least is None or median >= self.least)
        )

    def __str__(self) -> str:
        parts = [
            f"{sign} {value:g} ×{of}"
            for sign, value, of in (
                ("≤", self.most, ""),
                ("≤", self.most_p99, " p99"),
                ("≥", self.least, ""),
            )
            if value is not None
        ]
        return ", ".join(parts)


@dataclass(frozen=True)
class Line:
    """One thing that was measured, beside its yardsticks, all taken in turn in one run.

    Args:
        code: The row it belongs to, such as K1.
        what: What was measured, in words.
        ours: Our figures.
        beside: The yardsticks by name, the floor first.
        goals: Of those yardsticks that a goal is told in.
        size: How many users there were, or what `of` says; 0 where that is not the point.
        says: What a reader must know to judge it.
    """

    code: str
    what: str
    ours: Sample
    beside: Mapping[str, Sample] = field(default_factory=dict)
    goals: Mapping[str, Goal] = field(default_factory=dict)
    size: int = 0
    says: str = ""
    of: str = "users"

    @property
    def is_missed(self) -> bool:
        """Whether a goal of this line is not met."""
        return any(not g.is_met(self.ours, self.beside[n]) for n, g in self.goals.items())

    def printed(self) -> Iterator[str]:
        """Give the lines of the table: one for each yardstick."""
        size = f", {self.size:,} {self.of}" if self.size else ""
        first = f"| {self.code} | {self.what}{size} | {len(self.ours.figures)} | {self.ours}"
        for name, sample in self.beside.items():
            median, p99 = self.ours.median / sample.median, self.ours.p99 / sample.p99
            ratio = f"{median:.2f} ×" if len(sample.figures) == 1 else f"{median:.2f} / {p99:.2f} ×"
            goal = self.goals.get(name)
            word = "" if goal is None else "met" if goal.is_met(self.ours, sample) else "**missed**"
            yield f"{first} | {name} | {sample} | {ratio} | {goal or ''} | {word} |"
            first = "| | | |"
        if not self.beside:
            yield f"{first} | | | | | |"
        if self.says:
            yield f"| | {self.says} | | | | | | | |"


@dataclass(frozen=True)
class Skipped:
    """A row, or a yardstick of one, that could not be measured here, and why."""

    code: str
    why: str

    def printed(self) -> Iterator[str]:
        """Give its line of the table."""
        yield f"| {self.code} | skipped: {self.why} | | | | | | | |"


Printed = Line | Skipped


def in_turn(count: int, cases: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
    """Measure several cases one after the other, round by round, and give all by name."""
    taken: dict[str, list[T]] = {name: [] for name in cases}
    for _ in range(count):
        for name, case in cases.items():
            taken[name].append(case())
    return taken


def wall(taken: Mapping[str, Sequence[Painted]]) -> dict[str, Sample]:
    """Give how long each took."""
    return {name: Sample([one.ms for one in all_]) for name, all_ in taken.items()}


def processor(taken: Mapping[str, Sequence[Painted]]) -> dict[str, Sample]:
    """Give how much processor time each took."""
    return {name: Sample([one.cpu_ms for one in all_], "ms CPU") for name, all_ in taken.items()}


def written(taken: Mapping[str, Sequence[Painted]]) -> dict[str, Sample]:
    """Give how many bytes each wrote to the terminal."""
    return {name: Sample([one.size for one in all_], "bytes") for name, all_ in taken.items()}


def line(
    code: str, what: str, found: dict[str, Sample], goals: Mapping[str, Goal], size: int = 0
) -> Line:
    """Give the line of what was measured as `ours` beside all others; goals of those there are."""
    beside = {name: sample for name, sample in found.items() if name != "ours"}
    kept = {name: goal for name, goal in goals.items() if name in beside}
    return Line(code, what, found["ours"], beside, kept, size)


def growth(points: Iterable[tuple[float, float]]) -> float:
    """Give the exponent by which something grows: the slope of its logarithms, by least squares."""
    logs = [(math.log(size), math.log(figure)) for size, figure in points]
    x, y = statistics.fmean(a for a, _ in logs), statistics.fmean(b for _, b in logs)
    spread = sum((a - x) ** 2 for a, _ in logs)
    return sum((a - x) * (b - y) for a, b in logs) / spread


def growths(lines: Sequence[Printed]) -> Iterator[str]:
    """Give a sentence for each thing that was measured at several sizes."""
    found: dict[tuple[str, str, str], list[tuple[int, float]]] = {}
    for line in lines:
        if isinstance(line, Line) and line.size:
            name = line.code, line.what, line.of
            found.setdefault(name, []).append((line.size, line.ours.median))
    for (code, what, of), points in found.items():
        if len({size for size, _ in points}) > 1:
            sizes = ", ".join(f"{size:,}" for size, _ in points)
            yield f"{code} {what}: grows with {of}^{growth(points):.2f} ({sizes})"


def _number(value: float) -> str:
    return (
        f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
    )
