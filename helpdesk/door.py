"""The way to the desk that is meant: over HTTP, or to one of this machine and all it is made of.

Whoever works at a desk elsewhere does not wait for what one of this machine takes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from helpdesk.config import Config
from helpdesk.domain.agents import Role
from helpdesk.domain.errors import BadInput
from helpdesk.reaching import Wanted, elsewhere, named, reach

if TYPE_CHECKING:
    from helpdesk.service.desk import Desk


@contextlib.contextmanager
def open_desk(
    config: Config, desk: str = "", as_who: str = "", wanted: Wanted | None = None
) -> Iterator[Desk]:
    """Give the desk that flags, environment and settings name.

    Args:
        config: The settings.
        desk: A fixture file, a profile's name, `connectors`, or an address (`https://…`,
            `privacyidea+https://…`); empty for that of the settings.
        as_who: A role or an agent's id; empty for that of the settings, else the first support
            agent.
        wanted: What a desk elsewhere is reached for.

    Raises:
        BadFile, BadInput, NotFound, Unreachable: It cannot be opened; the sentence says why.
    """
    address, profile = named(config, desk)
    if elsewhere(config, desk):
        if as_who:
            raise BadInput("At a desk over HTTP you work as whoever signs in, not as somebody.")
        with reach(config, address, profile, wanted) as remote:
            yield remote
        return
    from helpdesk.wiring import open_here  # noqa: PLC0415  (only where it is of this machine)

    who = as_who or (profile.agent if profile else "") or config.agent or Role.SUPPORT
    with open_here(config, address, who) as local:
        yield local
