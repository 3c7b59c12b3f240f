"""A part of the lines that fail and cheat; all of it: `python -m tests.reliability lines`."""

from __future__ import annotations

import pytest

from helpdesk.service.ages import Ages
from tests.reliability import lines, stepping
from tests.reliability.stepping import World


def test_bad_lines_end_in_time_and_take_neither_memory_nor_secrets() -> None:
    found = lines.row(1, True)

    assert found.failures == ()
    assert found.tried > 80


def test_a_proof_by_a_wrong_clock_counts_where_only_the_wall_clock_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def by_the_wall(world: World) -> None:
        clock = world.clock
        world._ages = Ages(lambda: clock().timestamp())

    monkeypatch.setattr(World, "restart", by_the_wall)

    words, is_well = stepping._tried("an asking", stepping.LIVES["an asking"], 0, -60, 11)

    assert words.endswith("counts still")
    assert not is_well
