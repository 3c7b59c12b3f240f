"""A console that dies while its provider carries out an act: run as a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import datetime
from pathlib import Path

from helpdesk.domain.actions import EndSessions
from helpdesk.domain.users import User
from helpdesk.stores.tinyfile import TinyFile
from tests.conftest import NOW
from tests.connectors.elsewhere import Elsewhere
from tests.desks import provider_desk


class Deadly(Elsewhere):
    """Whoever tells it to end sessions dies."""

    takes_part = False

    async def end_sessions(self, user: User, now: datetime) -> None:
        os._exit(9)


def main(sample: Path, places: Path) -> None:
    """Open a desk and die in the middle of an act."""
    provider = Deadly(TinyFile(sample, lambda: NOW))
    record = places / "own" / "north.json"
    desk = provider_desk(provider, record, lambda: NOW, places / "keys", is_gated=False)
    asyncio.run(desk.perform(EndSessions(user="u1")))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
