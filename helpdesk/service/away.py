"""A desk that is not reached, as it was known another day: it has a name, and no answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from helpdesk.domain.agents import Agent
from helpdesk.domain.errors import Unreachable
from helpdesk.domain.feed import Freshness
from helpdesk.domain.products import Product
from helpdesk.service.desk import Desk


class Away(Struct, frozen=True, kw_only=True):
    """What is known of a desk that does not answer; every question raises `Unreachable`.

    Attributes:
        why: The sentence that each question is answered with.
    """

    label: str
    is_demo: bool
    is_gated: bool
    agent: Agent
    cards: Mapping[str, Product]
    why: str
    alarm: str = ""

    @property
    def freshness(self) -> Freshness:
        """How old what one sees is: nothing of it comes from the desk."""
        return Freshness(is_live=False, says="not reached", is_read_only=True)

    def prompt_with(self, ask: object) -> None:
        """Ask nobody: there is nothing to sign in at."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in vars(Desk):
            raise AttributeError(name)

        async def asked(*_arguments: object, **_more: object) -> Any:
            raise Unreachable(self.why)

        return asked
