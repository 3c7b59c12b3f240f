"""The providers that are held to the contract, and the lab of one of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.benches import Bench, DemoBench, PiBench
from tests.connectors.servers import SERVERS
from tests.labs.privacyidea.running import Lab, lab_in
from tests.labs.sessions import running


@pytest.fixture(scope="session")
def pi_lab() -> Iterator[Lab]:
    """A privacyIDEA that runs for all tests of this session."""
    yield from running(lab_in)


@pytest.fixture(scope="session")
def pi_people() -> Iterator[int]:
    """Numbers of people in the lab, each given once."""
    return itertools.count(1)


@pytest.fixture(params=["demo", pytest.param("privacyidea", marks=pytest.mark.lab), *SERVERS])
def bench(request: pytest.FixtureRequest, sample_file: Path, tmp_path: Path) -> Iterator[Bench]:
    """One provider after another."""
    if request.param == "demo":
        yield DemoBench(sample_file)
        return
    if request.param in SERVERS:
        served = SERVERS[request.param](tmp_path)
        yield served
        served.close()
        return
    lab, people = request.getfixturevalue("pi_lab"), request.getfixturevalue("pi_people")
    found = PiBench(lab, tmp_path, people)
    yield found
    found.close()
