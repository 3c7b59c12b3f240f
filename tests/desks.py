"""Desks of this machine, of real parts: on a fixture, or on people who are kept elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from helpdesk.connectors.demo import DemoConnector
from helpdesk.connectors.tickets.base import TicketSystem
from helpdesk.domain.agents import Agent
from helpdesk.products import load_cards
from helpdesk.service.local import LocalDesk
from helpdesk.service.provided import ProvidedDirectory
from helpdesk.service.ticketing import Ticketing
from helpdesk.stores.directory import TinyDirectory
from helpdesk.stores.keys import Keys
from helpdesk.stores.own import own_record
from helpdesk.stores.seen import Seen
from helpdesk.stores.tiny import TinyStore
from helpdesk.stores.tinyfile import TinyFile
from helpdesk.wiring import agent_named

Clock = Callable[[], datetime]


def fixture_desk(
    path: Path,
    clock: Clock,
    keys: Path,
    who: str | Agent = "support",
    *,
    file: type[TinyFile] = TinyFile,
    store: type[TinyStore] = TinyStore,
    connector: type[DemoConnector] = DemoConnector,
    tickets: TicketSystem | None = None,
    **more: Any,
) -> LocalDesk:
    """Give a desk on a fixture, as somebody; *more* are the parts that differ."""
    tiny = file(path, clock)
    kept = store(tiny)
    kept.load()
    directory = TinyDirectory(tiny, kept)
    parts: dict[str, Any] = {
        "agent": who if isinstance(who, Agent) else agent_named(who, kept.agents),
        "cards": load_cards(),
        "connector": connector(tiny),
        "store": kept,
        "directory": directory,
        "clock": clock,
        "label": "SAMPLE",
        "is_demo": True,
        "keys": Keys(keys),
        "witness": Seen(keys, path),
        "ticketing": Ticketing(tickets, kept, directory, clock) if tickets else None,
    }
    return LocalDesk(**parts | more)


def provider_desk(
    provider: Any, record: Path, clock: Clock, keys: Path, who: str = "support", **more: Any
) -> LocalDesk:
    """Give a desk on people kept at a provider, its own record in a file; *more* as above."""
    agents = (agent_named("support", ()), agent_named("lead", ()))
    store = TinyStore(own_record(record, agents, clock))
    store.load()
    parts: dict[str, Any] = {
        "agent": agent_named(who, store.agents),
        "cards": load_cards(),
        "connector": provider,
        "store": store,
        "directory": ProvidedDirectory(provider, store),
        "clock": clock,
        "label": record.stem.upper(),
        "is_demo": False,
        "keys": Keys(keys),
        "witness": Seen(keys, record),
    }
    return LocalDesk(**parts | more)
