"""The table of how fast it is says what was measured, and which goal was missed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.bench.screen import DOWN, Screen
from tests.bench.table import Goal, Line, Sample, growth, growths
from tests.tui.pseudo import needs_pty

SQUARES = [(10.0, 100.0), (100.0, 10_000.0), (1_000.0, 1_000_000.0)]


def test_what_grows_with_the_square_has_the_exponent_two() -> None:
    assert growth(SQUARES) == pytest.approx(2)
    assert growth([(10, 5.0), (1_000, 5.0)]) == pytest.approx(0)


def test_growth_is_told_of_what_was_measured_at_several_sizes_only() -> None:
    lines = [Line("K1", "down", Sample([figure]), size=int(size)) for size, figure in SQUARES]
    alone = Line("K2", "page", Sample([1.0]), size=10)

    assert [*growths([*lines, alone])] == ["K1 down: grows with users^2.00 (10, 100, 1,000)"]


@pytest.mark.parametrize(
    ("goal", "is_met"),
    [
        (Goal(most=2), True),
        (Goal(most=1.9), False),
        (Goal(most_p99=3), True),
        (Goal(most=2, most_p99=2.9), False),
        (Goal(least=2), True),
        (Goal(least=2.1), False),
    ],
)
def test_a_goal_that_is_missed_is_told(goal: Goal, is_met: bool) -> None:
    ours, floor = Sample([2.0, 2.0, 6.0]), Sample([1.0, 1.0, 2.0])

    line = Line("K1", "down", ours, {"floor": floor}, {"floor": goal})

    assert line.is_missed is not is_met
    assert ("**missed**" in "".join(line.printed())) is not is_met


@needs_pty
def test_a_key_is_timed_to_the_end_of_the_frame_that_shows_what_was_waited_for(
    tmp_path: Path,
) -> None:
    with Screen([sys.executable, "-m", "tests.bench.peers.tty", "40"], tmp_path) as screen:
        started = screen.until("▌")
        key = screen.press(DOWN, "▌")

    assert key.ms > 0
    assert started.size == key.size
    assert key.text == "x" * 40 + "▌"
