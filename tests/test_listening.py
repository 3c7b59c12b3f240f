"""What `helpdesk serve` does with its own process."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator

import pytest

from helpdesk.listening import SWITCH_S, YOUNG, settle_in


class Ring:
    """Something that holds itself: only the collector can let it go."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def _put_back() -> Iterator[None]:
    """Leave the process of the tests as it was."""
    threshold, switch_s = gc.get_threshold(), sys.getswitchinterval()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)
    sys.setswitchinterval(switch_s)


@pytest.mark.usefixtures("_put_back")
def test_what_was_loaded_is_looked_through_no_more_and_what_comes_later_is_let_go() -> None:
    """The collector leaves alone what stays, and still finds what nobody needs."""
    loaded = Ring()

    settle_in()

    assert not any(one is loaded for one in gc.get_objects())
    assert sys.getswitchinterval() == pytest.approx(SWITCH_S)
    gone = weakref.ref(Ring())
    made = [Ring() for _ in range(YOUNG + 1)]
    assert made
    assert gone() is None
