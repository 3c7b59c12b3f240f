"""A replica takes over under writes: nothing that was acknowledged is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import postgres
from tests.reliability.failover import Fault, taken_over
from tests.reliability.network import MISSING, network

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(postgres.programs() is None, reason=postgres.MISSING),
]


def test_no_acknowledged_act_is_lost_where_a_replica_takes_over(tmp_path: Path) -> None:
    it = taken_over(tmp_path, seconds=1, seed=1)

    assert it.found.is_clean, it.found
    assert it.before > 0
    assert it.after > 0


@pytest.fixture
def needs_network() -> None:
    """Skip where no network namespace can be made."""
    with network() as net:
        if net is None:
            pytest.skip(MISSING)


@pytest.mark.usefixtures("needs_network")
def test_no_acknowledged_act_is_lost_where_the_line_to_the_primary_is_cut(tmp_path: Path) -> None:
    fault = Fault(is_cut=True, is_networked=True)

    it = taken_over(tmp_path, seconds=1, seed=1, fault=fault)

    assert it.found.is_clean, it.found
    assert it.before > 0
    assert it.after > 0


@pytest.mark.usefixtures("needs_network")
def test_the_checker_finds_the_acts_that_a_weaker_commit_loses(tmp_path: Path) -> None:
    fault = Fault(is_weak=True, is_networked=True)

    it = taken_over(tmp_path, seconds=1, seed=1, fault=fault)

    assert it.found.lost
