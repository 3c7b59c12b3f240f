"""A provider that stands still for the length of a change: what it said once is not asked again.

What a change rests on is asked before the store's pen is held; under it the same questions are put
anew, and answered from here. So no slow provider keeps others from writing.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

from helpdesk.connectors.base import Supports
from helpdesk.domain.errors import OfProvider, Unreachable
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.users import Account, User

T = TypeVar("T")

_SAID: ContextVar[dict[Any, Any] | None] = ContextVar("said", default=None)


@contextlib.contextmanager
def still() -> Iterator[None]:
    """Let providers answer the same question in the same words inside."""
    before = _SAID.set({})
    try:
        yield
    finally:
        _SAID.reset(before)


class Behind:
    """What stands behind a desk, which is there itself: where it is not reached, that is said so.

    Whoever asks the desk from elsewhere would take it for the desk otherwise, and ask it no more.
    """

    def __init__(self, provider: Any) -> None:
        self._provider = provider

    def __getattr__(self, name: str) -> Any:
        """Give what it itself has."""
        found = getattr(self._provider, name)
        if not inspect.iscoroutinefunction(found):
            return found
        return lambda *asked, **more: _of_provider(found(*asked, **more))


class Still(Behind):
    """What stands before a provider; what is told it, and what is asked elsewhere, goes through."""

    async def supports(self, user: User) -> Supports:
        """Give what can be done for a user."""
        return await self._said(("supports", user.id), lambda: self._provider.supports(user))

    async def people(self, users: Sequence[str]) -> Mapping[str, User]:
        """Give these users by id."""
        return await self._said(("people", *users), lambda: self._provider.people(users))

    async def account(self, name: str) -> Account | None:
        """Give the account of this id."""
        return await self._said(("account", name), lambda: self._provider.account(name))

    async def timeline(self, user: str) -> tuple[AnyEvent, ...]:
        """Give what happened to a user."""
        return await self._said(("timeline", user), lambda: self._provider.timeline(user))

    async def timelines(self, users: Sequence[str]) -> Mapping[str, tuple[AnyEvent, ...]]:
        """Give the timelines of several users."""
        return await self._said(("timelines", *users), lambda: self._provider.timelines(users))

    async def named(self, login: str) -> Sequence[User]:
        """Give the users of this login."""
        return await self._said(("named", login), lambda: self._provider.named(login))

    async def since(self, *when: Any, **more: Any) -> Sequence[str]:
        """Give who did something since a moment; the moment moves on while one waits."""
        return await self._said(("since",), lambda: self._provider.since(*when, **more))

    async def _said(self, question: tuple[str, ...], ask: Callable[[], Awaitable[T]]) -> T:
        said = _SAID.get()
        if said is None:
            return await _of_provider(ask())
        key = (id(self._provider), *question)
        if key not in said:
            said[key] = await _of_provider(ask())
        found: T = said[key]
        return found


async def _of_provider(asked: Awaitable[T]) -> T:
    """Give what was asked, or say of what cannot be reached that it is the provider."""
    try:
        return await asked
    except OfProvider:
        raise
    except Unreachable as error:
        raise OfProvider(str(error)) from error
