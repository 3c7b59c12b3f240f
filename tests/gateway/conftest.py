"""The issuer of `serve --dev`, for every test that signs somebody in."""

from __future__ import annotations

import pytest

from tests.conftest import Clock
from tests.gateway.people import Demonstration


@pytest.fixture
def demo(clock: Clock) -> Demonstration:
    """An issuer for demonstrations, with time that stands still."""
    return Demonstration(clock)
