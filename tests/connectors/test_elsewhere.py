"""What a desk remembers of a provider for a moment, while others act and time goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest

from helpdesk.connectors.elsewhere import FRESH_S, Elsewhere
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.users import Factor, User
from tests.factories import user


class Northern(Elsewhere):
    """Says who is locked as it was when it was asked, however late it answers."""

    def __init__(self) -> None:
        self.now = 1_000.0
        super().__init__("north", lambda: self.now)
        self.names, self.asked = {"u1": "before", "u2": "Bob"}, 0
        self.let = asyncio.Event()

    async def read(self, native: str) -> User | None:
        self.asked, name = self.asked + 1, self.names[native]
        await self.let.wait()
        return user(id=f"north:{native}", name=name)

    async def events(self, native: str) -> tuple[AnyEvent, ...]:
        return ()

    async def remove_one(self, native: str, factor: Factor) -> None:
        raise NotImplementedError

    async def still_there(self, native: str) -> Collection[str]:
        raise NotImplementedError


@pytest.fixture
def north() -> Northern:
    return Northern()


async def test_what_was_read_before_an_act_is_not_given_after_it(north: Northern) -> None:
    """The answer is of before, however late it comes."""

    async def work() -> None:
        north.names["u1"] = "after"

    late = asyncio.create_task(north.person("north:u1"))
    while not north.asked:
        await asyncio.sleep(0)

    await north.act(user(id="north:u1"), work())
    north.let.set()
    found = [await late, await north.person("north:u1")]

    assert [one.name for one in found if one is not None] == ["before", "after"]


async def test_what_is_given_to_nobody_any_more_is_let_go_of(north: Northern) -> None:
    """A timeline may be megabytes, and a gateway looks at thousands of people."""
    north.let.set()
    await north.timeline("north:u1")

    north.now += FRESH_S
    await north.timeline("north:u2")

    assert sorted(north._kept) == ["log u2", "user u2"]
