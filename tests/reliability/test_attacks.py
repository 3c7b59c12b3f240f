"""A part of the attacks on a gateway; all of them: `python -m tests.reliability attacks`."""

from __future__ import annotations

from tests.reliability import attacks


def test_no_attack_on_the_gateway_gets_anything() -> None:
    found = attacks.row(1, True)

    assert found.failures == ()
    assert found.tried > 300
