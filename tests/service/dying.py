"""A console that dies while its provider carries out an act: run as a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import datetime
from pathlib import Path

from helpdesk.domain.actions import EndSessions
from helpdesk.domain.users import User
from helpdesk.products import load_cards
from helpdesk.service.local import LocalDesk
from helpdesk.service.provided import ProvidedDirectory
from helpdesk.stores.keys import Keys
from helpdesk.stores.own import own_record
from helpdesk.stores.seen import Seen
from helpdesk.stores.tiny import TinyStore
from helpdesk.stores.tinyfile import TinyFile
from helpdesk.wiring import agent_named
from tests.conftest import NOW
from tests.connectors.elsewhere import Elsewhere


class Deadly(Elsewhere):
    """Whoever tells it to end sessions dies."""

    takes_part = False

    async def end_sessions(self, user: User, now: datetime) -> None:
        os._exit(9)


def main(sample: Path, places: Path) -> None:
    """Open a desk and die in the middle of an act."""
    path = places / "own" / "north.json"
    agents = (agent_named("support", ()), agent_named("lead", ()))
    store = TinyStore(own_record(path, agents, lambda: NOW))
    store.load()
    provider = Deadly(TinyFile(sample, lambda: NOW))
    desk = LocalDesk(
        agent=agent_named("support", store.agents),
        cards=load_cards(),
        connector=provider,
        store=store,
        directory=ProvidedDirectory(provider, store),
        clock=lambda: NOW,
        label="NORTH",
        is_demo=False,
        keys=Keys(places / "keys"),
        witness=Seen(places / "keys", path),
        is_gated=False,
    )
    asyncio.run(desk.perform(EndSessions(user="u1")))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
