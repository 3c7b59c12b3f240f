"""Every kind of desk that keeps the contract: the same tests run on each.

To add a kind: a context manager that gives `Open`, and its name in `KINDS`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from helpdesk.service.desk import Desk
from helpdesk.service.local import LocalDesk
from tests.conftest import Clock
from tests.gateway.serving import gateway, remote


class Open(Protocol):
    """Opens the sample desk as somebody; several are several consoles on one truth."""

    def __call__(self, who: str, *, is_gated: bool = False, hold_minutes: float = 0) -> Desk:
        """Open it."""
        ...


@contextlib.contextmanager
def local(desk_as: Callable[..., LocalDesk], clock: Clock) -> Iterator[Open]:
    """Desks of this process on one file."""
    yield desk_as


@contextlib.contextmanager
def over_http(desk_as: Callable[..., LocalDesk], clock: Clock) -> Iterator[Open]:
    """Desks behind a gateway on a real socket."""
    with contextlib.ExitStack() as stack:
        urls: dict[tuple[bool, float], str] = {}

        def open_as(who: str, *, is_gated: bool = False, hold_minutes: float = 0) -> Desk:
            how = (is_gated, hold_minutes)
            if how not in urls:
                urls[how], _ = stack.enter_context(
                    gateway(
                        lambda one: desk_as(one, is_gated=is_gated, hold_minutes=hold_minutes),
                        clock,
                    )
                )
            return stack.enter_context(remote(urls[how], who))

        yield open_as


KINDS: dict[
    str, Callable[[Callable[..., LocalDesk], Clock], contextlib.AbstractContextManager[Open]]
]
KINDS = {"local": local, "http": over_http}
"""Every kind of desk by its name."""


@pytest.fixture(params=list(KINDS))
def open_as(
    request: pytest.FixtureRequest, desk_as: Callable[..., LocalDesk], clock: Clock
) -> Iterator[Open]:
    """Open the sample desk as somebody, of each kind."""
    with KINDS[request.param](desk_as, clock) as opened:
        yield opened


@pytest.fixture
def dana(open_as: Open) -> Desk:
    """The desk of a support agent."""
    return open_as("dana")
