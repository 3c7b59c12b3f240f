"""A line on which four of ten connections break, and writes that are all done exactly once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability.faulty_line import Told, run
from tests.reliability.proxy import Fault

WRITES = 48


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    place: Path = tmp_path_factory.mktemp("line")
    return run(WRITES, 7, place)


def test_the_line_was_faulty_in_every_way(told: Told) -> None:
    total = sum(told.faults.values())

    assert total > WRITES
    assert 0.2 < 1 - told.faults[Fault.NONE] / total < 0.6
    assert len(told.faults) >= 6


def test_every_write_that_was_said_to_be_done_was_done_once(told: Told) -> None:
    assert (told.twice, told.lost) == (0, 0)
    assert all(told.times[words] == 1 for words in told.done)


def test_no_write_that_was_done_was_said_not_to_be(told: Told) -> None:
    assert told.false == 0
    assert len(told.done) + len(told.not_done) == WRITES


def test_nothing_stays_unknown(told: Told) -> None:
    assert told.open == set()
