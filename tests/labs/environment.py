"""Where labs are installed, each in an environment of its own, outside the tree.

Only what Python brings is imported here: labs install while there is nothing else yet.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


class Missing(Exception):
    """A lab cannot be had here; the sentence says why."""


def place_of(name: str) -> Path:
    """Return where everything of a lab lies."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    given = os.environ.get("HELPDESK_LABS")
    return (Path(given) if given else cache / "helpdesk-labs") / name


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Do something that no other process does meanwhile."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def new_environment(place: Path, who: str) -> tuple[str, ...]:
    """Make an environment in `venv` there; return how its installer is called.

    Raises:
        Missing: It cannot be made.
    """
    run(who, sys.executable, "-m", "venv", str(place / "venv"))
    python = str(place / "venv" / "bin" / "python")
    return (python, "-m", "pip", "--disable-pip-version-check", "-q")


def run(who: str, *command: str) -> None:
    """Run one step of an installation.

    Raises:
        Missing: It failed; the sentence holds the last thing it said.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{who} cannot be installed here: {type(error).__name__}.") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1][:200]
        raise Missing(f"{who} cannot be installed here: {last}")
