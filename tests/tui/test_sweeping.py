"""What is no longer needed is let go while the screen rests."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from helpdesk.tui.sweeping import FEW, Sweep
from tests.waiting import PATIENCE_S


class Ring:
    """Something that holds itself: only the collector can let it go."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def _lazy() -> Iterator[None]:
    """Let Python's own rule have nothing to do with it."""
    before = gc.get_threshold()
    gc.set_threshold(1_000_000)
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("_lazy")
async def test_after_a_frame_what_nobody_needs_is_let_go() -> None:
    gone = asyncio.Event()
    weakref.finalize(Ring(), gone.set)
    made = [Ring() for _ in range(FEW)]

    Sweep().painted()

    async with asyncio.timeout(PATIENCE_S):
        await gone.wait()
    assert made
