"""A small ticket system, and the line to it."""

from __future__ import annotations

from tests.labs.djangohelpdesk.fixtures import server, system

__all__ = ["server", "system"]
