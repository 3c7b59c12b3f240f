"""A replica takes over under writes: nothing that was acknowledged is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import postgres
from tests.reliability.failover import taken_over

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(postgres.programs() is None, reason=postgres.MISSING),
]


def test_no_acknowledged_act_is_lost_where_a_replica_takes_over(tmp_path: Path) -> None:
    it = taken_over(tmp_path, seconds=1, seed=1)

    assert it.found.is_clean, it.found
    assert it.before > 0
    assert it.after > 0
