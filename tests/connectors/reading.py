"""What is looked for in a timeline that was read from a provider's log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from helpdesk.domain.timeline import AnyEvent


def the_only(kind: type[Any], events: Iterable[AnyEvent]) -> Any:
    """Return the event of a kind, of which there is one."""
    found = [event for event in events if isinstance(event, kind)]
    assert len(found) == 1, found
    return found[0]
