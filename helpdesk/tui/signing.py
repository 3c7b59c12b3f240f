"""The console that asks its agent to sign in again, in a dialog, while it goes on."""

from __future__ import annotations

import asyncio

from helpdesk.domain.errors import GaveUp
from helpdesk.domain.signing import SignInPrompt
from helpdesk.service.desk import Desk
from helpdesk.tui import dialogs
from helpdesk.tui.following import FollowingApp
from helpdesk.tui.screens.place import Clock


class SigningApp(FollowingApp):
    """An app whose desk asks for a sign-in by way of a dialog."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        super().__init__(desk, clock)
        self._asked: set[asyncio.Future[str | None]] = set()

    def on_mount(self) -> None:
        """Be asked from now on: the terminal belongs to the screen."""
        self._desk.prompt_with(self.ask_sign_in)

    def on_unmount(self) -> None:
        """Leave it to the terminal again; who was being asked has given up."""
        self._desk.prompt_with(None)
        self.give_up_questions()

    def give_up_questions(self) -> None:
        """Give up every sign-in that is being asked for."""
        for answered in self._asked:
            if not answered.done():
                answered.set_result(None)

    async def ask_sign_in(self, prompt: SignInPrompt) -> str:
        """Show how to sign in until it is done; give the one-time code, if one is wanted.

        Raises:
            GaveUp: The agent does not go on.
        """
        answered: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

        def answer(code: str | None) -> None:
            if not answered.done():
                answered.set_result(code)

        dialog = dialogs.SignInDialog(prompt)
        if not self.call_later(self.push_screen, dialog, answer):
            raise GaveUp
        self._asked.add(answered)
        try:
            code = await answered
        finally:
            self._asked.discard(answered)
            dialog.end()
        if code is None:
            raise GaveUp
        return code
