"""What the cases of the contract share: people, and what a provider says that it cannot do."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import pytest

from helpdesk.domain.errors import BadInput
from helpdesk.domain.lacks import Lack
from helpdesk.domain.proofs import Asking, Grade, Method
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.users import Factor, User
from helpdesk.products import load_cards, own_card
from tests.connectors.benches import Bench, clock

KINDS: Final = ("email", "sms", "totp")
CARDS: Final = {**load_cards(), "own": own_card()}
STRANGE: Final = (
    "", "nobody", "../../token", "p*", "%", "a' or 1=1 --", "x" * 3_000, "Ünknown@corp", "a\nb",
    "lab:", "lab:@corp", "lab:p*@corp", "lab:p%@corp", "lab:nobody@nowhere", "other:alice@corp",
    "lab:../../logs", 'lab:x" or id pr or id eq "', "lab:me",
)  # fmt: skip
"""Ids of nobody, some of them made to be taken for a path, a pattern or part of a filter."""

E = TypeVar("E", bound=AnyEvent)


def some(bench: Bench) -> str:
    """A kind of factor that people can have: SMS where there is one."""
    return "sms" if "sms" in bench.kinds else bench.kinds[-1]


async def user_of(bench: Bench, name: str) -> User:
    """A user as the provider has them now."""
    await bench.connector.refresh()
    return (await bench.connector.people([name]))[name]


async def factor_of(bench: Bench, name: str, kind: str) -> Factor:
    """The first factor of a kind."""
    return next(f for f in (await user_of(bench, name)).factors if f.kind == kind)


def asking(method: Method, factor: Factor) -> Asking:
    """A proof that an agent asks for over a factor."""
    return Asking(
        id=f"p{secrets.token_hex(4)}", user="u", agent="dana", ticket="1", method=method,
        grade=Grade.STRONG, channel=factor.id, at=clock(),
    )  # fmt: skip


async def lack(bench: Bench, user: User, what: str) -> Lack | None:
    """What a provider says against something, in a whole sentence; None where it can."""
    found = (await bench.connector.supports(user)).lack(what)
    assert found is None or (len(found.why) > 20 and found.why.endswith("."))
    return found


async def cannot(bench: Bench, user: User, what: str, *tries: Callable[[], Awaitable[Any]]) -> bool:
    """Whether an act is not possible: then it is refused in those words, and nothing is sent."""
    found = await lack(bench, user, what)
    if found is None:
        return False
    before = bench.asked()
    for attempt in tries:
        with pytest.raises(BadInput) as refused:
            await attempt()
        assert str(refused.value) == found.says
    assert bench.asked() == before
    return True


async def unknown(bench: Bench, kind: str) -> bool:
    """Whether nobody has factors of a kind: then it is said, and of all others none is missing."""
    if kind in bench.kinds:
        return False
    user = await user_of(bench, bench.person(*bench.kinds))
    assert await lack(bench, user, f"factor:{kind}") is not None
    assert [factor.kind.value for factor in user.factors] == [*bench.kinds]
    return True


async def untold(bench: Bench, user: User) -> bool:
    """Whether no timeline tells what this desk did: then it is said, and really none does."""
    if await lack(bench, user, "told:acts") is None:
        return False
    events = await bench.connector.timeline(user.id)
    assert not [event for event in events if getattr(event, "by", None) == "agent"]
    return True


async def told(bench: Bench, name: str, kind: type[E]) -> list[E]:
    """What the timeline tells of one kind of event, oldest first."""
    await bench.connector.refresh()
    return [event for event in await bench.connector.timeline(name) if isinstance(event, kind)]
