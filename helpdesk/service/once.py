"""Doing each keyed write once: the first answer is kept with the effect and given again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from helpdesk.domain.audit import Result
from helpdesk.domain.errors import (
    BadInput,
    Disowned,
    HelpdeskError,
    KeyExpired,
    KeyTaken,
    NeedsMore,
    NotFound,
    Refused,
    StillRunning,
    Unsettled,
)
from helpdesk.domain.holds import Ending, Hold
from helpdesk.domain.operations import (
    WITHDRAWN,
    Answered,
    Operation,
    check_key,
    fingerprint,
)
from helpdesk.domain.text import clean
from helpdesk.stores.base import Store

T = TypeVar("T")

ENDINGS: dict[str, type[HelpdeskError]] = {
    each.__name__: each for each in (Disowned, BadInput, NotFound, Unsettled)
}
"""Errors of one sentence that end a write which yet leaves something behind: a counted try, or an
act of which nobody knows whether it is done: the same key must not do it another time."""


class Wish(Struct, frozen=True, kw_only=True):
    """A write as it is asked for.

    Attributes:
        key: Its idempotency key; empty where no protection is asked.
        sha256: What tells it from another wish.
    """

    key: str = ""
    sha256: str = ""


def wish(key: str, method: str, /, **arguments: Any) -> Wish:
    """Return a wish: the method of the desk and its arguments."""
    if not key:
        return Wish()
    return Wish(key=check_key(key), sha256=fingerprint(method, arguments))


class Once:
    """The keyed writes of one agent.

    `before` and `keep` are used inside the transaction of the effect.
    """

    def __init__(self, agent: str, store: Store, clock: Callable[[], datetime]) -> None:
        self._agent, self._store, self._clock = agent, store, clock
        self._running: set[str] = set()

    @contextlib.contextmanager
    def running(self, wish: Wish) -> Iterator[None]:
        """Let nobody else carry out the same key meanwhile.

        Raises:
            StillRunning: Somebody does.
        """
        self.check_rest(wish.key)
        self._running.add(wish.key)
        try:
            yield
        finally:
            self._running.discard(wish.key)

    def check_rest(self, key: str) -> None:
        """Raise `StillRunning` where a write with this key is under way."""
        if key and key in self._running:
            raise StillRunning("This is being carried out just now: ask again in a moment.")

    async def _check_begun(self, key: str) -> None:
        """Raise `StillRunning` where a provider carries it out, at whatever console."""
        waiting = await self._store.select(Hold, only_open=True)
        mine = (one for one in waiting if (one.agent, one.key) == (self._agent, key))
        if any(one.ending is Ending.RUNS for one in mine):
            raise StillRunning("This is being carried out just now: ask again in a moment.")

    async def before(self, wish: Wish) -> Answered | None:
        """Give what the key answered before; None where it is new.

        Raises:
            KeyTaken, KeyExpired: The key may not be used for this wish, or no longer.
        """
        kept = await self._store.operation(self._agent, wish.key) if wish.key else None
        if kept is None:
            return None
        if not (kept.fingerprint and kept.is_kept(self._clock())):
            raise KeyExpired("This was asked more than seven days ago: look, then ask anew.")
        if kept.is_withdrawn:
            raise KeyTaken("This was taken back before it came: nothing was done. Ask anew.")
        if kept.fingerprint != wish.sha256:
            raise KeyTaken("This key was used for something else: ask anew, with a key of its own.")
        return kept.answered

    async def keep(self, wish: Wish, answered: Answered, result: Result, seq: int) -> None:
        """Keep what a wish answered; without a key nothing is kept."""
        if not wish.key:
            return
        await self._store.keep(
            Operation(
                id=wish.key,
                agent=self._agent,
                fingerprint=wish.sha256,
                at=self._clock(),
                result=result,
                seq=seq,
                answer=msgspec.json.encode(answered).decode(),
            )
        )

    async def withdraw(self, key: str) -> Operation:
        """Take a write back if it was not carried out; give what became of it.

        Inside a transaction: whoever carries it out elsewhere did so before, or finds it taken.
        """
        self.check_rest(key)
        await self._check_begun(key)
        found = await self._store.operation(self._agent, check_key(key))
        if found is not None:
            return found
        says = "It was taken back before it came: nothing was done."
        taken = Operation(
            id=key,
            agent=self._agent,
            fingerprint=WITHDRAWN,
            at=self._clock(),
            result=Result.REFUSED,
            answer=msgspec.json.encode(Answered(says=says, error=KeyTaken.__name__)).decode(),
        )
        await self._store.keep(taken)
        return taken

    async def of(self, key: str) -> Operation:
        """Give what became of a write.

        Raises:
            NotFound: None was carried out or refused under this key.
        """
        self.check_rest(key)
        await self._check_begun(key)
        found = await self._store.operation(self._agent, key)
        if found is None:
            raise NotFound(f"Nothing of yours was done under the key {clean(key, limit=40)}.")
        return found


def ended(error: HelpdeskError) -> Answered:
    """Return how an error is kept as an answer."""
    name = next((name for name, kind in ENDINGS.items() if isinstance(error, kind)), "")
    decision = getattr(error, "decision", None)
    return Answered(says=str(error), error=name or type(error).__name__, decision=decision)


def given(value: Any, says: str = "") -> Answered:
    """Return how a value is kept as an answer."""
    return Answered(says=says, value=msgspec.Raw(msgspec.json.encode(value)))


def again(answered: Answered, kind: type[T]) -> T:
    """Give the value that was answered, or raise the error."""
    if answered.error and answered.decision is not None:
        error = NeedsMore if answered.error == NeedsMore.__name__ else Refused
        raise error(answered.decision)
    if answered.error:
        raise ENDINGS[answered.error](answered.says)
    return msgspec.json.decode(answered.value, type=kind)
