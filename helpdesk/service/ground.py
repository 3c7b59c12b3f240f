"""What a change rests on, looked at within the change itself: nothing slips in between."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from helpdesk.domain.cases import Case

Ground = Callable[[Case | None], None]
"""Raises where a change may not begin; is given the case it changes, to whoever may see it."""

_GROUND: ContextVar[Ground | None] = ContextVar("ground", default=None)


@contextlib.contextmanager
def resting_on(ground: Ground) -> Iterator[None]:
    """Let *ground* be asked before whatever is changed inside, while nobody else can write.

    A key that has answered before answers again, whatever the ground says.
    """
    before = _GROUND.set(ground)
    try:
        yield
    finally:
        _GROUND.reset(before)


def look(case: Case | None) -> None:
    """Ask the ground of the change that begins now, where it has one; in its transaction."""
    ground = _GROUND.get()
    if ground is not None:
        ground(case)


def is_looked_at() -> bool:
    """Whether the change that begins now has a ground."""
    return _GROUND.get() is not None
