"""The desk's line to a small django-helpdesk in memory."""

from __future__ import annotations

from typing import Any

from helpdesk.connectors.tickets.djangohelpdesk import DjangoHelpdesk
from tests.labs.djangohelpdesk.server import PASSWORD, URL, Server
from tests.labs.small import Wire


def on(
    server: Server, *, user: str = "desk", secret: str = PASSWORD, **more: Any
) -> DjangoHelpdesk:
    """Give what speaks to it, as the desk's account."""
    told = {"queue": "1", **more}
    return DjangoHelpdesk("north", URL, user, lambda: secret, transport=Wire(server), **told)
