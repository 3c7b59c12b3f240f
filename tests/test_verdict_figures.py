"""The promises of the verdict, held on a few simulated seeds that were not used to develop it.

`python -m tests.bench.verdict` measures them on all.
"""

from __future__ import annotations

import pytest

from tests.bench.score import Scored, calibration, share
from tests.bench.verdict import run_seeds


@pytest.fixture(scope="module")
def results() -> list[Scored]:
    """Every cause in every product, rich and poor, played on one seed."""
    return run_seeds([101], None, None)


def of(results: list[Scored], richness: str) -> list[Scored]:
    """The cases of one kind of log in which something was wrong and the log could tell."""
    return [one for one in results if one.richness == richness and one.truth and not one.blind]


def test_a_rich_log_names_the_cause(results: list[Scored]) -> None:
    rich = of(results, "rich")

    assert share(rich, "top1") >= 0.95
    assert share(rich, "top3") >= 0.98


def test_a_poor_log_has_the_cause_among_the_first_three(results: list[Scored]) -> None:
    assert share(of(results, "poor"), "top3") >= 0.93


def test_no_advice_does_harm_and_no_attacker_is_missed(results: list[Scored]) -> None:
    harmful = [one.name for one in results if one.harmful]
    missed = [one.name for one in results if one.hostile and not one.blind and not one.alarmed]

    assert harmful == []
    assert len(missed) <= 1, missed


def test_chances_are_what_they_say(results: list[Scored]) -> None:
    assert calibration(of(results, "rich")) <= 0.07
    assert calibration(of(results, "poor")) <= 0.07
