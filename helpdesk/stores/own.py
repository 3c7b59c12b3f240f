"""The file of a desk whose people are kept elsewhere: our own record, and nobody's factors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from helpdesk.domain.agents import Agent
from helpdesk.domain.errors import Unreachable
from helpdesk.stores.atomic import AtomicStorage
from helpdesk.stores.form import FORMAT
from helpdesk.stores.tinyfile import TinyFile


def own_record(path: Path, agents: Sequence[Agent], clock: Callable[[], datetime]) -> TinyFile:
    """Return the record at *path*, made where there is none, with these agents at the desk.

    Raises:
        BadFile: What lies there is no record of ours.
        Unreachable: It cannot be written.
    """
    now = msgspec.to_builtins(clock())
    first = {
        "meta": {"1": {"format": FORMAT, "is_real": True, "now": now, "at": now}},
        "agents": _documents(agents),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Unreachable(f"{error.filename or path}: {error.strerror}.") from error
    AtomicStorage(str(path)).install(first, is_first=True)
    file = TinyFile(path, clock)
    there = {str(key): row for key, row in file.rows("agents")}
    if there != first["agents"]:
        with file.transaction():
            for number, agent in enumerate(agents, 1):
                file.put("agents", number, msgspec.to_builtins(agent))
            file.drop("agents", beyond=len(agents))
    return file


def _documents(agents: Sequence[Agent]) -> dict[str, dict[str, object]]:
    return {str(number): msgspec.to_builtins(agent) for number, agent in enumerate(agents, 1)}
