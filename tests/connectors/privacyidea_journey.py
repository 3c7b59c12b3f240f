"""One caller helped from hello to signed in, at the console and by its keys, on a lab that runs.

asks ─▶ found ─▶ code sent, arrives, read back: proven ─▶ factor reset ─▶ another enrolled ─▶ in

`python -m tests.connectors.privacyidea_journey` plays it and draws the README's picture.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyotp
from textual.geometry import Region

from helpdesk.config import load_config
from helpdesk.door import open_desk
from helpdesk.service.desk import Desk
from helpdesk.tui.app import present
from helpdesk.tui.dialogs.guarded import Guarded
from helpdesk.tui.dialogs.pages import HandoverDialog
from helpdesk.tui.film.frames import Frame, taken
from helpdesk.tui.film.strip import moving
from helpdesk.tui.screens.desk import DeskScreen
from tests.labs.privacyidea.people import PASSWORD, PEOPLE, Person
from tests.labs.privacyidea.running import Lab, lab_in
from tests.labs.sessions import memory
from tests.readme import PICTURES, PLAYED
from tests.tui.console import Console, console

SIZE: Final = (112, 36)
REFUSED: Final = 4
"""Codes of an old entry that are refused before they call."""

LASTS_S: Final = 4.0
"""How long a frame of the picture stands; the last one twice as long."""

PICTURE: Final = PICTURES / f"{PLAYED}.svg"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who calls, and what of them is at hand.

    Attributes:
        user: Their id at the desk.
        words: What one types to find them.
        number: Where their SMS goes.
        old: The serial of the authenticator on their old telephone.
    """

    user: str
    login: str
    words: str
    number: str
    old: str


def caller_of(lab: Lab, person: Person, words: str = "") -> Caller:
    """Give somebody an SMS factor and an app, and let a new telephone's codes be refused."""
    lab.enrol(person.login, "sms", phone=person.mobile)
    old = lab.enrol(person.login, "totp", genkey=1)["serial"]
    for _ in range(REFUSED):
        lab.sign_in(person.login, f"{PASSWORD}000000")
    return Caller(
        user=f"privacyidea:{person.login}@corp",
        login=person.login,
        words=words or person.surname.lower(),
        number=person.mobile,
        old=old,
    )


@dataclass
class Journey:
    """The caller's and the agent's side of one call.

    Attributes:
        shoot: Is told of each moment worth a picture: what happens, and what nobody may read.
        codes: What arrived at the caller's telephone, oldest first.
        answers: What privacyIDEA said to the caller's sign-ins.
        secrets: What was handed over.
    """

    lab: Lab
    caller: Caller
    agent: Console
    shoot: Callable[[str, Sequence[Region]], None] = lambda says, hidden: None
    codes: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    async def play(self) -> None:
        """Go all the way."""
        await self._found()
        await self._reset()
        await self._enrolled()
        await self._in()

    async def _found(self) -> None:
        await self.agent.find(self.caller.words, self.caller.user)
        await self.agent.settles()
        self._frame("“I have a new telephone, and none of its codes is taken.” Four were refused.")

    async def _reset(self) -> None:
        agent = self.agent
        await self._begin("r")
        await agent.sees("needs a ticket")
        await agent.type("new telephone")
        await agent.loses("Say what the ticket is about")
        await agent.confirm()
        await agent.sees("Reset one factor", "Which factor", "Prove the caller first")
        await agent.press(self._number("Authenticator app"), "2")
        await agent.sees("New phone, the old one is gone")
        self._frame("A reset of the app is wanted. The caller must be proven first.")
        await self._proven()
        self._frame("What was read back is right: proven, for this act. The ticket once more.")
        await self._confirmed()
        await agent.sees("Reset: ")
        await agent.settles()
        self._frame("The old authenticator is gone at privacyIDEA.")

    async def _enrolled(self) -> None:
        agent = self.agent
        await self._begin("t")
        await agent.sees("Enrol authenticator", "Reason", "Prove the caller first")
        await agent.press("1")
        await self._proven()
        await self._confirmed()
        await agent.sees("It is shown once")
        dialog = agent.app.screen
        assert isinstance(dialog, HandoverDialog)
        assert dialog._handover is not None
        key = dialog._handover.secret
        self.secrets.append(key)
        await agent.settles()
        body = self._regions("#handover-words #body")[0]
        dialog.query_one("#qr").visible = False
        await agent.settles()
        key_lines = Region(body.x, body.y + 2, body.width, 2)
        self._frame("The new app's key and its picture, shown once: hidden here.", key_lines)
        await agent.press("enter")
        await agent.sees("Type the first code")
        self._app = pyotp.TOTP(key)
        await agent.type(self._app.now())
        self._frame("The customer reads out its first code.", *self._regions("#field-code"))
        await agent.confirm()
        await agent.sees("the authenticator is active")
        await agent.stands_on_desk()
        await agent.settles()
        self._frame("The first code fits: the new authenticator is active.")

    async def _in(self) -> None:
        told = f"{PASSWORD}{self._app.at(int(time.time()) + 30)}"
        answer = await asyncio.to_thread(self.lab.sign_in, self.caller.login, told)
        self.answers.append(answer["result"]["authentication"])
        await asyncio.sleep(3)  # so long what was read counts as read
        await self.agent.press("ctrl+r")
        await self.agent.until(self._is_in, "the sign-in in the case")
        await self.agent.settles()
        self._frame("The customer is in, and the case says so: nothing is broken any more.")

    async def _begin(self, key: str) -> None:
        """Press an act's key, once the act before asks nothing more: until then none is heard."""
        await self.agent.stands_on_desk()
        screen = self.agent.app.screen
        assert isinstance(screen, DeskScreen)
        await self.agent.until(lambda: not screen.is_asking, "the end of the act before")
        await self.agent.press(key)

    def _is_in(self) -> bool:
        return "Nothing is broken" in self.agent.flat

    async def _proven(self) -> None:
        """Prove the caller for the act whose dialog is open, by a code that really arrives."""
        agent, before = self.agent, len(self._arrived())
        await agent.press("v")
        await agent.sees("Verify the caller", "a code read back")
        is_first = not self.codes
        if is_first:
            self._frame("The ways that prove them now; what is being reset proves nothing.")
        await agent.press(self._number("a code read back"))
        await agent.sees("the caller reads back")
        await agent.until(lambda: len(self._arrived()) > before, "the code in the sink")
        code = "".join(c for c in self._arrived()[-1] if c.isdigit())
        self.codes.append(code)
        await agent.type(code)
        if is_first:
            self._frame("The code went out by SMS, arrived, and is read back. Nobody sees it here.")
        await agent.press("enter")
        await agent.sees("PROVEN by a code read back")
        await agent.until(lambda: agent.focused == "cancel", "the focus on Done")
        await agent.press("enter")
        await agent.loses("Prove the caller first")

    async def _confirmed(self) -> None:
        agent = self.agent
        await agent.until(lambda: agent.focused == "field-word", "the focus on the ticket's end")
        await agent.until(lambda: bool(self._ticket), "the ticket whose end is asked for")
        await agent.type(self._ticket)
        await agent.loses("Type the last four")
        await agent.confirm()

    @property
    def _ticket(self) -> str:
        """The last four characters of the ticket, as the dialog names it."""
        found = re.search(r"Ticket #(\w+): type", self.agent.flat)
        return found[1][-4:] if found else ""

    def _arrived(self) -> list[str]:
        return [m["text"] for m in self.lab.messages() if m["to"] == self.caller.number]

    def _number(self, words: str) -> str:
        """The number of a line that can be chosen, as the screen shows it."""
        lines = [line for line in self.agent.lines if f" {words}" in line and " ✓" not in line]
        told = [line.partition(words)[0].strip("│ ○●") for line in lines]
        return next(one[-1] for one in told if one[-1:].isdigit())

    def _regions(self, query: str) -> list[Region]:
        return [found.region for found in self.agent.app.screen.query(query)]

    def _frame(self, says: str, *hidden: Region) -> None:
        self.shoot(says, hidden)


async def played(desk: Desk, lab: Lab, caller: Caller) -> list[Frame]:
    """Give the frames of the journey, without a code or a key."""
    frames: list[Frame] = []
    async with console(desk, size=SIZE, clock=present) as agent:

        def shoot(says: str, hidden: Sequence[Region]) -> None:
            frames.append(taken(agent.app, says, hidden=hidden))

        journey = Journey(lab=lab, caller=caller, agent=agent, shoot=shoot)
        await journey.play()
    shown = "".join(frame.text for frame in frames)
    parts = [key[at : at + 4] for key in journey.secrets for at in range(0, len(key), 4)]
    assert not [one for one in (*journey.codes, *parts) if one in shown]
    return frames


def main() -> None:
    """Play the journey on a lab of its own, and draw the picture of it."""
    Guarded.guard_s = 0.0
    with tempfile.TemporaryDirectory(dir=memory()) as place:
        for name in ("DATA", "CONFIG"):
            os.environ[f"HELPDESK_{name}_DIR"] = str(Path(place) / name.lower())
        with lab_in(Path(place) / "lab") as lab:
            os.environ["HELPDESK_SECRET_PRIVACYIDEA"] = lab.desk_password
            caller = caller_of(lab, PEOPLE[0], "alice nguyen")
            with open_desk(load_config({}), lab.address, "support") as desk:
                frames = asyncio.run(played(desk, lab, caller))
    seconds = [*[LASTS_S] * (len(frames) - 1), 2 * LASTS_S]
    PICTURE.write_text(moving(frames, seconds, title="A call, on a live privacyIDEA"), "utf-8")


if __name__ == "__main__":
    main()
