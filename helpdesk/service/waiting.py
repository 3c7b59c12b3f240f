"""What a console shows of writes that are on their way: for desks that are not on this machine."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from helpdesk.domain.offline import Wish


@runtime_checkable
class Waits(Protocol):
    """A desk whose writes may wait, be unknown or be in conflict."""

    @property
    def wishes(self) -> tuple[Wish, ...]:
        """Give all wishes of this console's agent, as last read; ended ones too."""
        ...

    @property
    def banner(self) -> tuple[str, bool]:
        """Give the line to show when not all is well, and whether it is loud; empty for none."""
        ...

    async def came_late(self) -> None:
        """Wait until an answer came after another was given meanwhile."""
        ...

    async def tend(self) -> None:
        """Ask what became of what is unknown, and send what waits, where the desk is reached."""
        ...

    async def decide(self, key: str, *, goes_on: bool) -> None:
        """Send a wish in conflict all the same, or let go of a wish; read is let go of too.

        Raises:
            NotFound: There is no such wish.
            BadInput: It is under way, or not known yet: that cannot be let go of.
        """
        ...

    async def lock(self) -> None:
        """Let go of all this machine keeps of the desk's users, and sign out."""
        ...

    async def unlock(self) -> None:
        """Let the agent sign in anew, and go on.

        Raises:
            HelpdeskError: They did not, or somebody else did; all stays locked.
        """
        ...

    async def let_go_if_old(self) -> None:
        """Let go of all users where the desk was not reached for too long."""
        ...
