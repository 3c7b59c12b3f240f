"""Labs that run for all tests of a session."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import pytest

from tests.labs.environment import Missing

L = TypeVar("L")


def running(lab_in: Callable[[Path], AbstractContextManager[L]]) -> Iterator[L]:
    """Give a lab that ends with the session; its tests skip where it cannot be had.

    With `HELPDESK_LABS_MUST` they fail instead.
    """
    with tempfile.TemporaryDirectory(dir=memory()) as place:
        held = lab_in(Path(place) / "lab")
        try:
            lab = held.__enter__()
        except Missing as missing:
            if os.environ.get("HELPDESK_LABS_MUST"):
                pytest.fail(str(missing), pytrace=False)
            pytest.skip(str(missing))
        try:
            yield lab
        finally:
            held.__exit__(None, None, None)


def memory() -> Path | None:
    """Return where files are kept in memory, which nobody waits for; None where there is none."""
    place = Path("/dev/shm")
    try:
        is_there = os.access(place, os.W_OK) and shutil.disk_usage(place).free > 32_000_000
    except OSError:
        return None
    return place if is_there else None
