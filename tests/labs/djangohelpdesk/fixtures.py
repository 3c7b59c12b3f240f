"""A small django-helpdesk in memory, and the desk's line to it, for whichever tests ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpdesk.connectors.tickets.djangohelpdesk import DjangoHelpdesk
from tests.labs.djangohelpdesk.line import on
from tests.labs.djangohelpdesk.server import Server


@pytest.fixture
def server() -> Server:
    """A small server with nothing in it."""
    return Server()


@pytest.fixture
def system(server: Server) -> Iterator[DjangoHelpdesk]:
    """What speaks to it, as the desk's account."""
    made = on(server)
    yield made
    made.shut()
