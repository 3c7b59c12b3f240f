"""Waiting in tests: until something is so, however slow the machine, and never for a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

PATIENCE_S: Final = 60.0
"""How long anything is waited for; a busy machine needs it, a sound program never does."""


async def until(is_so: Callable[[], object], what: str = "it") -> None:
    """Wait until something is so.

    Raises:
        AssertionError: It does not become so.
    """
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, f"never came: {what}"
        await asyncio.sleep(0.01)
