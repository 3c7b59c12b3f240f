"""A small Okta with one user, and the connector on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpdesk.connectors.okta.connector import OktaConnector
from tests.connectors.okta.line import connector
from tests.labs.okta.server import Lab


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def okta(lab: Lab) -> Iterator[OktaConnector]:
    made = connector(lab)
    yield made
    made.close()
