from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from helpdesk.gateway.endpoints import ENDPOINTS, RIGHTS
from helpdesk.gateway.openapi import EXAMPLES, described
from tests.gateway.fuzz import ALL, run


def test_every_endpoint_is_described_with_an_example_that_fits(tmp_path: Path) -> None:
    paths = described()["paths"]

    for endpoint in ENDPOINTS.values():
        operation = paths[endpoint.path][endpoint.method.lower()]
        assert operation["operationId"] == endpoint.name
        assert operation["x-roles"]
        if endpoint.method == "POST":
            places = dict.fromkeys(endpoint.places, "u2")
            msgspec.convert(EXAMPLES[endpoint.name] | places, endpoint.asks)


def test_every_endpoint_has_its_right_and_no_right_is_left_over() -> None:
    assert set(RIGHTS) == set(ENDPOINTS)


def test_the_gateway_is_as_it_describes_itself(tmp_path: Path) -> None:
    phases = "examples,fuzzing,stateful"

    told = run(tmp_path, examples=2, seed=7, who="dana", is_known=True, phases=phases)

    assert told.code == 0, told.says
    assert told.faults == 0
    assert told.requests > 150
    assert told.accepted > 40


@pytest.mark.slow
@pytest.mark.parametrize(("who", "is_known"), [("dana", True), ("lee", False)])
def test_the_gateway_is_as_it_describes_itself_whatever_is_sent(
    tmp_path: Path, who: str, is_known: bool
) -> None:
    told = run(tmp_path, examples=10, seed=11, who=who, is_known=is_known, phases=ALL)

    assert told.code == 0, told.says
    assert told.faults == 0
