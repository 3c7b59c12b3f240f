"""The database of a desk whose people are kept elsewhere: our own record, and nobody's factors."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from helpdesk.domain.agents import Agent
from helpdesk.domain.errors import BadInput
from helpdesk.domain.text import clean
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.documents import SqlDocuments
from helpdesk.stores.sql.importing import is_empty

META: Final = 1
"""The key of what a database says of itself."""


def people_of(database: Database) -> str:
    """Return whose people its record is about: a provider's name, or nothing; blocking."""
    return str((SqlDocuments(database).row("meta", META) or {}).get("people", ""))


def belong(database: Database, name: str, agents: Sequence[Agent]) -> None:
    """Let a database be the record of a desk on a provider, with these agents at it; blocking.

    Raises:
        BadInput: It has people of its own, or is the record of another provider's.
    """
    there = people_of(database)
    if not is_empty(database):
        raise BadInput("This store has people of its own. Name another one with --store.")
    if there not in {"", name}:
        raise BadInput(
            f"This store is the record of {clean(there, limit=100)}, not of "
            f"{clean(name, limit=100)}. Name another one with --store."
        )
    asyncio.run(_write(database, name, agents))


async def _write(database: Database, name: str, agents: Sequence[Agent]) -> None:
    documents = SqlDocuments(database)
    async with database.transaction():
        await documents.step(documents.put, "meta", META, {"people": name})
        for number, agent in enumerate(agents, 1):
            wish = msgspec.to_builtins(agent)
            await documents.step(documents.put, "agents", number, wish)
        await documents.step(documents.drop, "agents", len(agents))
