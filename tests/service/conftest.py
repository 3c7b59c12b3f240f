"""The ticket system of the desks that keep their tickets elsewhere."""

from __future__ import annotations

from tests.labs.djangohelpdesk.fixtures import server, system

__all__ = ["server", "system"]
