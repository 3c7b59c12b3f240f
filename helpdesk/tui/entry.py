"""The console whose agent signs in on the screen itself, before anything else is there.

curtain ─▶ sign-in dialog ─▶ the desk is opened ─▶ the places begin      given up ─▶ curtain, Enter
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, cast

from msgspec.structs import replace
from textual import on, work

from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.signing import AskSignIn, SignInPrompt
from helpdesk.service.asking import from_here, left_behind
from helpdesk.service.away import Away
from helpdesk.service.desk import Desk
from helpdesk.tui.app import HelpdeskApp, present
from helpdesk.tui.locking import CURTAIN
from helpdesk.tui.running import run_safely
from helpdesk.tui.screens.curtain import Curtain
from helpdesk.tui.screens.place import Clock

Opening = Callable[[AskSignIn], Desk]
"""Opens the desk, blocking; the agent is asked by what it is given, from whichever thread."""

NOBODY: Final = Away(
    label="",
    is_demo=False,
    is_gated=True,
    agent=Agent(id="", name="", role=Role.SUPPORT),
    cards={},
    why="Nobody is signed in.",
)
"""The desk of a console that nobody has signed in at."""


class EntryApp(HelpdeskApp):
    """The console on a desk that is opened on its screen.

    Args:
        opening: Opens the desk.
        where: The desk's address, to be shown.
    """

    DEFAULT_MODE = CURTAIN

    def __init__(
        self,
        opening: Opening,
        where: str,
        *,
        theme: str | None = None,
        clock: Clock = present,
        lock_s: float = 0.0,
    ) -> None:
        self._opening, self._where = opening, where
        self._is_in = False
        super().__init__(cast("Desk", NOBODY), theme=theme, clock=clock, lock_s=lock_s)
        self.is_locked = True

    def begin_modes(self) -> None:
        """Begin with the curtain."""
        says = f"Agents sign in at {self._where}, each as themselves."
        self.add_mode(CURTAIN, lambda: Curtain("helpdesk", says, "sign in"))

    def on_ready(self) -> None:
        """Ask for the sign-in at once."""
        super().on_ready()
        self._enter()

    async def ask_sign_in(self, prompt: SignInPrompt) -> str:
        """Show how to sign in; here the first time is no sign-in anew."""
        return await super().ask_sign_in(replace(prompt, is_first=not self._is_in))

    @on(Curtain.Lifted)
    def _enter(self) -> None:
        if not self._is_in and isinstance(self.screen, Curtain):
            self.screen.is_busy = True
            self._come_in(self.screen)

    @work(group="lock", exit_on_error=False)
    async def _come_in(self, curtain: Curtain) -> None:
        """Open the desk; where the agent does not sign in, or it is not there, say so."""
        try:
            desk = await self._opened()
        except HelpdeskError as error:
            curtain.says = str(error)
            return
        finally:
            curtain.is_busy = False
        self._is_in = True
        self.take(desk)
        await self.raise_curtain()

    async def _opened(self) -> Desk:
        """Open the desk in a thread that nobody waits for when the console ends."""
        ask = from_here(asyncio.get_running_loop(), self.ask_sign_in)
        return await left_behind(lambda: self._opening(ask), "opening")


def run_entry(
    opening: Opening, where: str, *, theme: str | None = None, lock_s: float = 0.0
) -> int:
    """Run the console on a desk that is opened on its screen; return the exit code."""
    return run_safely(EntryApp(opening, where, theme=theme, lock_s=lock_s))
