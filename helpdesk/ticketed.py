"""The ticket system that the settings name, where a desk's tickets are kept elsewhere.

[tickets]                 kind, url, user; its secret in HELPDESK_SECRET_TICKETS, a file, a keyring
[tickets.options]         what only this kind is told
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from helpdesk.config import Behind, Config
from helpdesk.connectors.tickets.base import TicketSystem
from helpdesk.domain.errors import BadInput
from helpdesk.domain.text import clean

SECTION: Final = "tickets"
"""The section of the settings, and the name that the secret goes by."""

Secret = Callable[[], str]


def _django_helpdesk(settings: Behind, secret: Secret, authorities: Path | None) -> TicketSystem:
    from helpdesk.connectors.tickets.djangohelpdesk import (  # noqa: PLC0415
        CLOSED,
        OPEN,
        DjangoHelpdesk,
    )

    told = _numbers(settings, "queue", "open", "closed")
    return DjangoHelpdesk(
        _name(settings),
        settings.url,
        settings.user,
        secret,
        queue="".join(told.get("queue", ())),
        is_open=told.get("open", OPEN),
        closed="".join(told.get("closed", (CLOSED,))),
        authorities=authorities,
    )


KINDS: Final[dict[str, Callable[[Behind, Secret, Path | None], TicketSystem]]] = {
    "django-helpdesk": _django_helpdesk,
}
"""What makes a ticket system, by kind; each imports what it needs when it is called."""


@contextlib.contextmanager
def ticketed(config: Config) -> Iterator[TicketSystem | None]:
    """Give the ticket system that the settings name; None where tickets are the desk's own.

    Raises:
        BadInput: The settings are wrong, or there is no such kind of system.
    """
    settings = config.tickets
    if settings is None:
        yield None
        return
    if settings.kind not in KINDS:
        there = ", ".join(sorted(KINDS))
        raise BadInput(f"[tickets]: there is no kind {clean(settings.kind)}; there is {there}.")
    if SECTION in config.connectors:
        raise BadInput("[connectors.tickets]: its secret would be that of [tickets]; rename it.")
    authorities = Path(config.authorities).expanduser() if config.authorities else None
    system = KINDS[settings.kind](settings, _secret(settings), authorities)
    try:
        yield system
    finally:
        system.shut()


def _secret(settings: Behind) -> Secret:
    from helpdesk.connectors.secrets import secret_of  # noqa: PLC0415

    file = Path(settings.secret_file).expanduser() if settings.secret_file else None
    return lambda: secret_of(SECTION, os.environ, file)


def _name(settings: Behind) -> str:
    """Return what the desk's record calls a system: another address is another system."""
    return f"{settings.kind}+{settings.url.rstrip('/')}"


def _numbers(settings: Behind, *known: str) -> dict[str, tuple[str, ...]]:
    """Return options that are numbers with commas between.

    Raises:
        BadInput: One is unknown, or holds something else.
    """
    found: dict[str, tuple[str, ...]] = {}
    for option, value in settings.options.items():
        if option not in known:
            there = ", ".join(known)
            raise BadInput(f"[tickets.options]: there is no {clean(option)}; there is {there}.")
        numbers = tuple(part.strip() for part in value.split(","))
        is_one = len(numbers) == 1 or option == "open"
        if not is_one or not all(n.isascii() and n.isdigit() for n in numbers):
            what = "numbers with commas between" if option == "open" else "one number"
            raise BadInput(f"[tickets.options]: {option} is {what}, not {clean(value)}.")
        found[option] = numbers
    return found
