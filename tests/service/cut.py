"""A real desk at the end of a line that tests can cut, slow down, or let lose an answer."""

from __future__ import annotations

import asyncio
from typing import Any

from helpdesk.domain.errors import GaveUp, HelpdeskError, Unknown, Unreachable
from helpdesk.service.local import LocalDesk

WRITES = frozenset(
    {
        "perform", "drift", "ask_proof", "answer_proof", "approve", "undo", "erase_log",
        "accept_log",
    }
)  # fmt: skip
PLAIN = frozenset(
    {"alarm", "freshness", "label", "is_demo", "is_gated", "agent", "cards", "prompt_with"}
)


class CutLine:
    """A desk behind a line.

    Attributes:
        is_cut: Whether nothing reaches the desk: whatever is asked was not done.
        is_signed_out: Whether each write ends with an agent who does not sign in.
        refusal: What each write ends with instead of reaching the desk; None for nothing.
        loses: How many of the next writes are carried out, and their answers lost.
        swallows: How many of the next writes never reach the desk, which nobody can know.
        gate: What questions wait for; open from the start.
        asked: The names of what reached the desk, in order.
        keys: The keys of the writes that reached it, in order.
    """

    def __init__(self, desk: LocalDesk) -> None:
        self._desk = desk
        self.is_cut = self.is_signed_out = False
        self.refusal: HelpdeskError | None = None
        self.loses = self.swallows = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[str] = []
        self.keys: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name in PLAIN:
            return getattr(self._desk, name)

        async def over_the_line(*arguments: Any, **more: Any) -> Any:
            return await self._over(name, *arguments, **more)

        return over_the_line

    async def _over(self, name: str, *arguments: Any, **more: Any) -> Any:
        if self.is_cut:
            raise Unreachable("The desk cannot be reached.")
        if name in WRITES and self.is_signed_out:
            raise GaveUp
        if name in WRITES and self.refusal is not None:
            raise self.refusal
        if name not in WRITES:
            await self.gate.wait()
        if name in WRITES and self.swallows:
            self.swallows -= 1
            raise Unknown("The answer was lost.", more.get("key", ""))
        self.asked.append(name)
        if name in WRITES:
            self.keys.append(more.get("key", ""))
        answer = await getattr(self._desk, name)(*arguments, **more)
        if name in WRITES and self.loses:
            self.loses -= 1
            raise Unknown("The answer was lost.", more.get("key", ""))
        if self.is_cut:
            raise Unreachable("The desk cannot be reached.")
        return answer
