"""Every frame of the console, searched for what was planted in the desk behind it."""

from __future__ import annotations

import random
from pathlib import Path
from unittest import mock

from helpdesk.tui.dialogs.guarded import Guarded
from helpdesk.tui.dialogs.pages import HandoverDialog
from tests.reliability.canaries import Canaries
from tests.reliability.planting import AGENT, Customers, clock
from tests.tui.console import Console, console, desk_on, painted

BOX = "It is shown once"
"""What stands in the one box in which a secret is handed over."""


async def screens(seen: Canaries, chance: random.Random, place: Path, count: int) -> None:
    """The console by its keys: every frame that is painted, the one with the handover by itself."""
    people = Customers(seen, chance, count)
    desk = desk_on(people.write(place / "demo.json"), AGENT, is_gated=False, clock=clock)
    with mock.patch.object(Guarded, "guard_s", 0.0):
        async with console(desk, clock=clock) as agent:
            for number, user in enumerate(people.ids):
                with painted(agent) as before:
                    await agent.find(f"{user}@lakes", user)
                    await agent.press("E", "escape", "p")
                    await agent.sees("Temporary pass", "Reason")
                    await agent.press("1", "shift+tab")
                    await agent.type(str(9000 + number))
                with painted(agent) as during:
                    secret = await handed_over(agent, BOX)
                    await agent.sees(secret)
                seen.plant("handed over by temporary-pass", secret)
                shows = [each for each in during if list(seen.found(each.encode()))]
                if not shows or not all(seen.holds(each, secret) for each in shows):
                    seen.failures.append("a frame of a handover shows another secret, or none")
                with painted(agent) as after:
                    await agent.press("enter")
                    await agent.stands_on_desk()
                    await agent.settles()
                    await agent.press("5")
                    await agent.sees("pass")
                    await agent.press("1")
                    await agent.settles()
                for frame in (*before, *after):
                    if BOX not in frame:
                        seen.keep("frames of the console", frame)
                    elif not seen.holds(frame, secret):
                        seen.failures.append("the box of a handover shows another secret")
    await desk.aclose()


async def handed_over(agent: Console, says: str) -> str:
    """Confirm an act, and give the secret in its box."""
    await agent.confirm()
    await agent.sees(says)
    assert isinstance(agent.app.screen, HandoverDialog)
    assert agent.app.screen._handover is not None
    return agent.app.screen._handover.secret
