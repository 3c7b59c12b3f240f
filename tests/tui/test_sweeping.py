"""What is no longer needed is let go while the screen rests."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from helpdesk.tui import sweeping
from helpdesk.tui.sweeping import FEW, OFTEN, Sweep
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


@pytest.mark.usefixtures("_lazy")
async def test_what_is_older_is_let_go_in_a_longer_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "LONG_REST_S", 0.0)
    gone = asyncio.Event()
    older = Ring()
    weakref.finalize(older, gone.set)
    for _ in range(OFTEN):
        gc.collect(0)
    del older

    Sweep().painted()

    async with asyncio.timeout(PATIENCE_S):
        await gone.wait()
    assert gc.get_count()[1] < OFTEN
